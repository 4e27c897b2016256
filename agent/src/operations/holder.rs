//! The one token that is plugged in, and what is shown of it.
use serde_json::{Value, json};
use time::{OffsetDateTime, UtcOffset, format_description::well_known::Rfc3339};
use yinxin_pki::{Certificate, sm3};

use super::{
    Operation, OperationError,
    renewal::journal::in_preparation,
    tokens::{Plugged, Tokens},
};
use crate::token::{
    Identity, PinKind, Token, TokenError, TriesLeft, Usage,
    containers::{readable, replaced, selected_first},
    libraries::{Problem, Trouble},
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
    /// What else is there, or could be, and cannot be looked at: that this token is the only one is less certain.
    pub problems: Vec<Problem>,
}

/// Opens the one token that is plugged in. Devices that cannot be looked at do not count beside it; alone they are the reason.
fn only(tokens: &dyn Tokens) -> Result<(Box<dyn Token>, Vec<Problem>), OperationError> {
    let plugged = tokens.plugged();
    match plugged.tokens.as_slice() {
        [] => Err(none(&plugged.problems)),
        [one] => Ok((one.open().map_err(gone)?, plugged.problems)),
        _ => Err(OperationError::SeveralTokens),
    }
}

/// Which the one token is.
pub fn identity(tokens: &dyn Tokens) -> Result<Identity, OperationError> {
    let (token, _) = only(tokens)?;
    Ok(token.identity())
}

/// Why there is no token.
fn none(problems: &[Problem]) -> OperationError {
    if let Some(busy) = problems.iter().find(|problem| problem.is_busy()) {
        return TokenError::Busy(busy.place.clone()).into();
    }
    let device = |problem: &Problem| match problem.trouble {
        Trouble::Device(error) => Some(TokenError::Device(error)),
        Trouble::NotLoaded(_) | Trouble::NoList(_) => None,
    };
    problems
        .iter()
        .find_map(device)
        .map_or(OperationError::NoToken, OperationError::Token)
}

/// Pulled out since the list was made: then there was none.
fn gone(error: TokenError) -> OperationError {
    match error {
        TokenError::Removed => OperationError::NoToken,
        error => error.into(),
    }
}

/// Looks at the one token: which it is, and the certificate for an operation.
pub fn survey(tokens: &dyn Tokens, operation: &Operation, pin: PinKind) -> Result<Holder, OperationError> {
    let (mut token, problems) = only(tokens)?;
    let certificate = operation.find_certificate(token.as_mut())?;
    let holder = Holder {
        identity: token.identity(),
        tries_left: token.tries_left()?,
        certificate,
        container: token.selected(),
        problems,
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
        let (mut token, _) = only(tokens).map_err(|error| match error {
            // It was there when the page was made.
            OperationError::NoToken => TokenError::Removed.into(),
            error => error,
        })?;
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

/// What is plugged in, for the overview and for sites that the holder approved.
pub struct List {
    /// The tokens.
    pub tokens: Vec<Listed>,
    /// What else is there, or could be, and cannot be looked at.
    pub problems: Vec<Problem>,
}

/// One of the tokens that are plugged in, with everything about it that is no secret.
pub struct Listed {
    /// Label and serial number.
    pub identity: Identity,
    /// What it holds, or why it does not say. One token that cannot be used does not hide the others.
    pub contents: Result<Contents, OperationError>,
}

/// What a token holds.
pub struct Contents {
    /// Tries left of its PINs.
    pub tries_left: TriesLeft,
    /// For the signing key.
    pub signing: Option<Certificate>,
    /// For the encryption key.
    pub encryption: Option<Certificate>,
    /// Those of other containers, and those that were replaced: the encryption keys still decrypt.
    pub former: Vec<(Usage, Certificate)>,
}

/// Looks at all tokens.
pub fn list(tokens: &dyn Tokens) -> List {
    let Plugged { tokens, problems } = tokens.plugged();
    let mut list = Vec::new();
    for token in tokens {
        let opened = token.open().map_err(OperationError::from);
        let contents = match opened.and_then(|mut token| Contents::of(token.as_mut())) {
            // Pulled out since the list was made.
            Err(OperationError::Token(TokenError::Removed)) => continue,
            contents => contents,
        };
        list.push(Listed {
            identity: token.identity().clone(),
            contents,
        });
    }
    List {
        tokens: list,
        problems,
    }
}

impl Contents {
    fn of(token: &mut dyn Token) -> Result<Self, OperationError> {
        Ok(Self {
            tries_left: token.tries_left()?,
            signing: token.certificate(Usage::Signing)?,
            encryption: token.certificate(Usage::Encryption)?,
            former: former(token)?,
        })
    }
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
    /// What a site gets to read; the code is what it reads of an error.
    pub fn to_json(&self, now: OffsetDateTime, code: impl Fn(&OperationError) -> &'static str) -> Value {
        let mut json = json!({
            "serial": self.identity.serial,
            "label": self.identity.label,
            "user_pin_tries_left": null,
            "signing_certificate": null,
            "encryption_certificate": null,
            "former_certificates": [],
        });
        let contents = match &self.contents {
            Ok(contents) => contents,
            Err(error) => {
                json["error"] = code(error).into();
                return json;
            }
        };
        json["user_pin_tries_left"] = contents.tries_left.user.left.into();
        for (field, certificate, usage) in [
            ("signing_certificate", &contents.signing, Usage::Signing),
            ("encryption_certificate", &contents.encryption, Usage::Encryption),
        ] {
            if let Some(certificate) = certificate {
                json[field] = certificate_json(certificate, usage, now);
            }
        }
        json["former_certificates"] = contents
            .former
            .iter()
            .map(|(usage, certificate)| certificate_json(certificate, *usage, now))
            .collect();
        json
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
    let mut json = certificate_fields(certificate, now);
    json["holder"] = holder_name(certificate).into();
    json["organization"] = certificate.subject().organization().into();
    json["issuer"] = issuer_name(certificate).into();
    json["usage"] = usage.to_string().into();
    json
}

/// What is said of a certificate besides names, which are written in one way for sites and in another for scripts.
pub fn certificate_fields(certificate: &Certificate, now: OffsetDateTime) -> Value {
    // No certificate's year is too large for RFC 3339: DER ends with 9999.
    let utc = |time: OffsetDateTime| time.to_offset(UtcOffset::UTC).format(&Rfc3339).ok();
    json!({
        "serial": certificate.serial_hex(),
        "not_before": utc(certificate.not_before()),
        "not_after": utc(certificate.not_after()),
        "days_left": days_left(certificate, now),
        "sm3": hex::encode(sm3(certificate.as_der())),
        "pem": certificate.to_pem(),
    })
}
