//! Signed sessions of staff: a JWT with role and vendor.
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};
use yinxin_order::identifiers::VendorId;

/// How long a session lasts at most.
pub const MAX_SESSION: Duration = Duration::hours(12);
const ISSUER: &str = "yinxin";
const AUDIENCE: &str = "yinxin-staff";

/// What a member of a vendor's staff may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Reviews orders.
    Officer,
    /// Personalises and mails UKeys.
    Operator,
}

/// A member of a vendor's staff.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Staff {
    /// The account: no personal name.
    pub account: String,
    /// What the account may do.
    pub role: Role,
    /// Whose orders it may see.
    pub vendor: VendorId,
}

#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    sub: String,
    iat: i64,
    exp: i64,
    role: Role,
    vendor: VendorId,
}

/// The session cannot be trusted, or has ended.
#[derive(Debug, thiserror::Error)]
#[error("the session is not valid")]
pub struct InvalidSession(#[source] Option<jsonwebtoken::errors::Error>);

/// The key that signs sessions.
pub struct SessionKey {
    encoding: EncodingKey,
    decoding: DecodingKey,
}

impl SessionKey {
    /// A key from the deployment's secret.
    pub fn new(secret: &str) -> Self {
        SessionKey {
            encoding: EncodingKey::from_secret(secret.as_bytes()),
            decoding: DecodingKey::from_secret(secret.as_bytes()),
        }
    }

    pub(crate) fn for_tests() -> Self {
        SessionKey::new("test session key, public")
    }

    /// Signs a session that ends after `lasts`.
    pub fn sign(
        &self,
        staff: &Staff,
        now: OffsetDateTime,
        lasts: Duration,
    ) -> Result<String, InvalidSession> {
        let claims = Claims {
            iss: ISSUER.to_owned(),
            aud: AUDIENCE.to_owned(),
            sub: staff.account.clone(),
            iat: now.unix_timestamp(),
            exp: (now + lasts.min(MAX_SESSION)).unix_timestamp(),
            role: staff.role,
            vendor: staff.vendor.clone(),
        };
        encode(&Header::new(Algorithm::HS256), &claims, &self.encoding)
            .map_err(|error| InvalidSession(Some(error)))
    }

    /// Who holds a session that has not ended at `now`.
    pub fn verify(&self, token: &str, now: OffsetDateTime) -> Result<Staff, InvalidSession> {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_issuer(&[ISSUER]);
        validation.set_audience(&[AUDIENCE]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        // The clock is the platform's, so the end is judged below.
        validation.validate_exp = false;
        let claims = decode::<Claims>(token, &self.decoding, &validation)
            .map_err(|error| InvalidSession(Some(error)))?
            .claims;
        if claims.exp <= now.unix_timestamp() {
            return Err(InvalidSession(None));
        }
        Ok(Staff {
            account: claims.sub,
            role: claims.role,
            vendor: claims.vendor,
        })
    }
}
