//! The `Idempotency-Key` of creating calls: a repeated call is answered as the first one was.
use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use axum::http::request::Parts;
use time::OffsetDateTime;
use yinxin_store::claims::Idempotency;
use yinxin_store::orders::{IDEMPOTENCY_RETENTION, Orders};
use yinxin_store::vault::Hashes;

use crate::problem::{Code, Problem};

/// The lengths that a key may have.
const KEY_LENGTHS: std::ops::RangeInclusive<usize> = 16..=128;

/// The header's value.
pub struct IdempotencyKey(String);

impl<S: Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let value = parts
            .headers
            .get("idempotency-key")
            .and_then(|value| value.to_str().ok());
        match value {
            Some(key) if KEY_LENGTHS.contains(&key.len()) => Ok(IdempotencyKey(key.to_owned())),
            _ => Err(Problem::new(Code::IdempotencyKeyMissing)),
        }
    }
}

/// For calls that may do without: those repeat nothing.
impl<S: Sync> OptionalFromRequestParts<S> for IdempotencyKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Option<Self>, Problem> {
        if !parts.headers.contains_key("idempotency-key") {
            return Ok(None);
        }
        <Self as FromRequestParts<S>>::from_request_parts(parts, state)
            .await
            .map(Some)
    }
}

impl IdempotencyKey {
    /// The key's keyed hash, where that is all that is remembered of the call.
    pub fn hash(&self, hashes: &Hashes, scope: &str) -> String {
        hashes.lookup(scope, &self.0)
    }

    /// The key for a call of `scope` with `body`, which makes `made`.
    pub fn claim(
        &self,
        hashes: &Hashes,
        scope: &str,
        body: &str,
        made: &str,
        now: OffsetDateTime,
    ) -> Idempotency {
        Idempotency {
            key: hashes.lookup(scope, &self.0),
            body: hashes.lookup("body", body),
            made: made.to_owned(),
            expires_at: (now + IDEMPOTENCY_RETENTION).unix_timestamp(),
        }
    }
}

/// What the call made before. A key with another body is refused.
pub async fn made_before(
    orders: &dyn Orders,
    claim: &Idempotency,
    now: OffsetDateTime,
) -> Result<Option<String>, Problem> {
    match orders.made_before(&claim.key).await? {
        // DynamoDB forgets expired items when it likes, so the age is judged here.
        Some(before) if before.expires_at > now.unix_timestamp() => {
            if Hashes::same(&before.body, &claim.body) {
                Ok(Some(before.made))
            } else {
                Err(Problem::new(Code::IdempotencyKeyReused))
            }
        }
        _ => Ok(None),
    }
}
