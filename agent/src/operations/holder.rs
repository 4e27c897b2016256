//! The one token that is plugged in, and what is shown of it.
use serde_json::{Value, json};
use time::{OffsetDateTime, UtcOffset, format_description::well_known::Rfc3339};
use yinxin_pki::{Certificate, sm3};

use super::{Operation, OperationError, renewal::journal::in_preparation, tokens::Tokens};
use crate::token::{
    Identity, PinKind, Token, TokenError, TriesLeft, Usage,
    containers::{readable, replaced, selected_first},
};

/// The token that an operation is about, as the page shows it.
#[derive(Clone)]
pub struct Holder {
    /// Label and serial number.
    pub identity: Identity,
    /// Tries left of its PINs.
    pub tries_left: TriesLeft,
    /// The certificate that the operation uses.
    pub certificate: Option<Certificate>,
    /// Where it lies.
    container: Option<String>,
}

/// Opens the one token that is plugged in.
pub fn only(tokens: &dyn Tokens) -> Result<Box<dyn Token>, OperationError> {
    let found = tokens.list()?;
    match found.as_slice() {
        [] => Err(OperationError::NoToken),
        [one] => tokens.open(&one.serial)?.ok_or(OperationError::NoToken),
        _ => Err(OperationError::SeveralTokens),
    }
}

/// Looks at the one token: which it is, and the certificate for an operation.
pub fn survey(tokens: &dyn Tokens, operation: &Operation, pin: PinKind) -> Result<Holder, OperationError> {
    let mut token = only(tokens)?;
    let certificate = operation.find_certificate(token.as_mut())?;
    let holder = Holder {
        identity: token.identity(),
        tries_left: token.tries_left()?,
        certificate,
        container: token.selected(),
    };
    let left = match pin {
        PinKind::User => holder.tries_left.user.left,
        PinKind::Admin => holder.tries_left.admin.left,
    };
    // Nobody is asked for a PIN that cannot be tried.
    if left == 0 {
        return Err(TokenError::PinLocked(pin).into());
    }
    Ok(holder)
}

impl Holder {
    /// Opens the token again and makes sure that it is the one that was shown.
    pub fn open(&self, tokens: &dyn Tokens, usage: Option<Usage>) -> Result<Box<dyn Token>, OperationError> {
        let mut token = only(tokens)?;
        let same = token.identity().serial == self.identity.serial
            && match (usage, &self.container) {
                // The key of what is decrypted may be an earlier one.
                (Some(Usage::Encryption), Some(container)) => {
                    token.select(container)?;
                    let key = token.public_key(Usage::Encryption)?;
                    key.as_ref() == self.certificate.as_ref().and_then(Certificate::public_key)
                }
                (Some(usage), _) => token.certificate(usage)? == self.certificate,
                (None, _) => true,
            };
        if same {
            Ok(token)
        } else {
            Err(OperationError::Exchanged)
        }
    }
}

/// One of the tokens that are plugged in, with everything about it that is no secret.
pub struct Listed {
    /// Label and serial number.
    pub identity: Identity,
    /// Tries left of its PINs.
    pub tries_left: TriesLeft,
    /// For the signing key.
    pub signing: Option<Certificate>,
    /// For the encryption key.
    pub encryption: Option<Certificate>,
    /// Those of other containers, and those that were replaced: the encryption keys still decrypt.
    pub former: Vec<(Usage, Certificate)>,
}

/// All tokens, for the overview and for sites that the holder approved.
pub fn list(tokens: &dyn Tokens) -> Result<Vec<Listed>, OperationError> {
    let mut list = Vec::new();
    for identity in tokens.list()? {
        let Some(mut token) = tokens.open(&identity.serial)? else {
            continue;
        };
        list.push(Listed {
            identity,
            tries_left: token.tries_left()?,
            signing: token.certificate(Usage::Signing)?,
            encryption: token.certificate(Usage::Encryption)?,
            former: former(token.as_mut())?,
        });
    }
    Ok(list)
}

/// The certificates of all containers but the current one, which is selected, and the one in preparation; and those that were
/// replaced.
fn former(token: &mut dyn Token) -> Result<Vec<(Usage, Certificate)>, OperationError> {
    let mut certificates = Vec::new();
    let others = selected_first(token)?.into_iter().skip(1);
    let in_preparation = in_preparation(token)?;
    for container in others.filter(|container| Some(container) != in_preparation.as_ref()) {
        token.select(&container)?;
        for usage in [Usage::Signing, Usage::Encryption] {
            certificates.extend(readable(token, usage)?.map(|certificate| (usage, certificate)));
        }
    }
    certificates.extend(
        replaced(token)?
            .into_iter()
            .map(|certificate| (Usage::Encryption, certificate)),
    );
    Ok(certificates)
}

impl Listed {
    /// What a site gets to read.
    pub fn to_json(&self, now: OffsetDateTime) -> Value {
        let shown = |certificate: Option<&Certificate>, usage| {
            certificate.map_or(Value::Null, |certificate| {
                certificate_json(certificate, usage, now)
            })
        };
        json!({
            "serial": self.identity.serial,
            "label": self.identity.label,
            "user_pin_tries_left": self.tries_left.user.left,
            "signing_certificate": shown(self.signing.as_ref(), Usage::Signing),
            "encryption_certificate": shown(self.encryption.as_ref(), Usage::Encryption),
            "former_certificates": self.former.iter()
                .map(|(usage, certificate)| certificate_json(certificate, *usage, now))
                .collect::<Vec<_>>(),
        })
    }
}

/// Whole days until the last second of validity; negative after it.
pub fn days_left(certificate: &Certificate, now: OffsetDateTime) -> i64 {
    (certificate.not_after() - now)
        .whole_seconds()
        .div_euclid(24 * 60 * 60)
}

/// Whose certificate it is, for people.
pub fn holder_name(certificate: &Certificate) -> &str {
    let subject = certificate.subject();
    subject
        .common_name()
        .or_else(|| subject.organization())
        .unwrap_or("—")
}

/// Who issued it, for people.
pub fn issuer_name(certificate: &Certificate) -> &str {
    let issuer = certificate.issuer();
    issuer
        .common_name()
        .or_else(|| issuer.organization())
        .unwrap_or("—")
}

fn certificate_json(certificate: &Certificate, usage: Usage, now: OffsetDateTime) -> Value {
    let utc = |time: OffsetDateTime| time.to_offset(UtcOffset::UTC).format(&Rfc3339).ok();
    json!({
        "holder": holder_name(certificate),
        "organization": certificate.subject().organization(),
        "issuer": issuer_name(certificate),
        "usage": usage.to_string(),
        "serial": certificate.serial_hex(),
        "not_before": utc(certificate.not_before()),
        "not_after": utc(certificate.not_after()),
        "days_left": days_left(certificate, now),
        "sm3": hex::encode(sm3(certificate.as_der())),
        "pem": certificate.to_pem(),
    })
}
