//! The bodies of calls, closed lists of fields, and what they are parsed into.
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;
use yinxin_pki::{Certificate, EnvelopedKey, cms_envelope::Envelope};
use zeroize::Zeroizing;

use super::{
    Ciphertext, DigestFormat, Operation, SignFormat,
    login::{Challenge, ChallengeRefusal},
    renewal::Renewal,
    seal::Seal,
    signing::{self, Confusable},
};

/// Longest message that is signed or decrypted, in bytes; longer ones are signed by their digest.
pub const MESSAGE_LIMIT_BYTES: usize = 4 * 1024 * 1024;
/// Longest session token of the platform.
const SESSION_LIMIT_BYTES: usize = 4 * 1024;
/// Most certificates above a renewed pair.
const CHAIN_LIMIT: usize = 4;
/// Deepest nesting that is searched for PINs; JSON that is deeper is refused by the parser of its fields.
const DEPTH_LIMIT: usize = 8;
/// Names under which a PIN must not come, as parts of a field's name.
const PIN_NAMES: [&str; 7] = ["pin", "password", "passwd", "pwd", "passphrase", "口令", "密码"];

/// Why a body is refused. Never quotes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ArgumentError {
    /// Not a JSON object.
    #[error("the body is not a JSON object")]
    NotJson,
    /// It has a field for a PIN. PINs are typed on the agent's own page.
    #[error("the body has a field for a PIN")]
    Pin,
    /// A field is missing, unknown, double, or of another type.
    #[error("the fields of the body are not those of the operation")]
    Fields,
    /// A field's value is not what it should be.
    #[error("the field {0} is not valid")]
    Value(&'static str),
    /// A challenge is not acceptable.
    #[error(transparent)]
    Challenge(#[from] ChallengeRefusal),
    /// A message that means something else when it is signed.
    #[error(transparent)]
    Confusable(#[from] Confusable),
}

/// What may be asked for with a page of the agent between.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `login`
    Login,
    /// `sign`
    Sign,
    /// `sign-digest`
    SignDigest,
    /// `decrypt`
    Decrypt,
    /// `change-pin`
    ChangePin,
    /// `personalise`
    Personalise,
    /// `unblock`
    Unblock,
    /// `request-certificates`
    RequestCertificates,
    /// `write-certificates`
    WriteCertificates,
    /// `write-seal`
    WriteSeal,
}

/// A parsed body: the operation, and the text of the ticket where it needs one.
pub struct Asked {
    /// What is asked for.
    pub operation: Operation,
    /// Not verified yet.
    pub ticket: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LoginBody {
    audience: String,
    nonce: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SignBody {
    message: String,
    format: SignFormatName,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum SignFormatName {
    Raw,
    CmsAttached,
    CmsDetached,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SignDigestBody {
    digest: String,
    format: DigestFormatName,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum DigestFormatName {
    Raw,
    CmsDetached,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DecryptBody {
    ciphertext: String,
    format: CiphertextName,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum CiphertextName {
    Sm2,
    Cms,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PersonaliseBody {
    ticket: String,
    session: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TicketBody {
    ticket: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UnblockBody {
    ticket: String,
    #[serde(default)]
    authorisation: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WriteCertificatesBody {
    ticket: String,
    signing_certificate: String,
    encryption_certificate: String,
    chain: Vec<String>,
    enveloped_key: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WriteSealBody {
    ticket: String,
    seal: String,
}

/// A body that must say nothing: `{}`.
pub fn nothing(body: &[u8]) -> Result<(), ArgumentError> {
    fields::<Nothing>(body).map(|Nothing {}| ())
}

/// Parses the body of an operation.
pub fn parse(kind: Kind, body: &[u8]) -> Result<Asked, ArgumentError> {
    let alone = |operation| Asked {
        operation,
        ticket: None,
    };
    let ticketed = |ticket, operation| Asked {
        operation,
        ticket: Some(ticket),
    };
    Ok(match kind {
        Kind::Login => {
            let LoginBody { audience, nonce } = fields(body)?;
            alone(Operation::Login(Challenge::new(audience, &nonce)?))
        }
        Kind::Sign => sign(&fields(body)?).map(alone)?,
        Kind::SignDigest => sign_digest(&fields(body)?).map(alone)?,
        Kind::Decrypt => decrypt(&fields(body)?).map(alone)?,
        Kind::ChangePin => {
            nothing(body)?;
            alone(Operation::ChangePin)
        }
        Kind::Personalise => {
            let PersonaliseBody { ticket, session } = fields(body)?;
            let session = Zeroizing::new(session);
            let fits = (1..=SESSION_LIMIT_BYTES).contains(&session.len())
                && session.bytes().all(|byte| byte.is_ascii_graphic());
            if !fits {
                return Err(ArgumentError::Value("session"));
            }
            ticketed(ticket, Operation::Personalise { session })
        }
        Kind::Unblock => {
            let UnblockBody {
                ticket,
                authorisation,
            } = fields(body)?;
            let sealed_admin = authorisation
                .map(|sealed| bytes(&sealed, "authorisation"))
                .transpose()?;
            ticketed(ticket, Operation::Unblock { sealed_admin })
        }
        Kind::RequestCertificates => {
            let TicketBody { ticket } = fields(body)?;
            ticketed(ticket, Operation::RequestCertificates)
        }
        Kind::WriteCertificates => {
            let (ticket, renewal) = write_certificates(&fields(body)?)?;
            ticketed(ticket, Operation::WriteCertificates(Box::new(renewal)))
        }
        Kind::WriteSeal => {
            let WriteSealBody { ticket, seal } = fields(body)?;
            let seal = Seal::new(bytes(&seal, "seal")?).ok_or(ArgumentError::Value("seal"))?;
            ticketed(ticket, Operation::WriteSeal(seal))
        }
    })
}

fn sign(body: &SignBody) -> Result<Operation, ArgumentError> {
    let message = bytes(&body.message, "message")?;
    let format = match body.format {
        SignFormatName::Raw => {
            // What CMS signs is built here; what is signed raw is the site's, byte for byte.
            signing::refuse_confusable(&message)?;
            SignFormat::Raw
        }
        SignFormatName::CmsAttached => SignFormat::CmsAttached,
        SignFormatName::CmsDetached => SignFormat::CmsDetached,
    };
    Ok(Operation::Sign { message, format })
}

fn sign_digest(body: &SignDigestBody) -> Result<Operation, ArgumentError> {
    let digest = bytes(&body.digest, "digest")?
        .try_into()
        .map_err(|_| ArgumentError::Value("digest"))?;
    let format = match body.format {
        DigestFormatName::Raw => DigestFormat::Raw,
        DigestFormatName::CmsDetached => DigestFormat::CmsDetached,
    };
    Ok(Operation::SignDigest { digest, format })
}

fn decrypt(body: &DecryptBody) -> Result<Operation, ArgumentError> {
    let ciphertext = bytes(&body.ciphertext, "ciphertext")?;
    Ok(Operation::Decrypt(match body.format {
        CiphertextName::Sm2 => Ciphertext::Sm2(ciphertext),
        CiphertextName::Cms => {
            Ciphertext::Cms(Envelope::from_der(&ciphertext).map_err(|_| ArgumentError::Value("ciphertext"))?)
        }
    }))
}

fn write_certificates(body: &WriteCertificatesBody) -> Result<(String, Renewal), ArgumentError> {
    let certificate = |pem: &str, field| Certificate::from_pem(pem).map_err(|_| ArgumentError::Value(field));
    if body.chain.len() > CHAIN_LIMIT {
        return Err(ArgumentError::Value("chain"));
    }
    let renewal = Renewal {
        signing: certificate(&body.signing_certificate, "signing_certificate")?,
        encryption: certificate(&body.encryption_certificate, "encryption_certificate")?,
        chain: body
            .chain
            .iter()
            .map(|pem| certificate(pem, "chain"))
            .collect::<Result<_, _>>()?,
        enveloped_key: body.enveloped_key.as_deref().map(enveloped_key).transpose()?,
    };
    Ok((body.ticket.clone(), renewal))
}

fn enveloped_key(text: &str) -> Result<EnvelopedKey, ArgumentError> {
    EnvelopedKey::from_der(&bytes(text, "enveloped_key")?).map_err(|_| ArgumentError::Value("enveloped_key"))
}

fn bytes(text: &str, field: &'static str) -> Result<Vec<u8>, ArgumentError> {
    let bytes = STANDARD.decode(text).map_err(|_| ArgumentError::Value(field))?;
    if bytes.is_empty() || bytes.len() > MESSAGE_LIMIT_BYTES {
        return Err(ArgumentError::Value(field));
    }
    Ok(bytes)
}

fn fields<T: DeserializeOwned>(body: &[u8]) -> Result<T, ArgumentError> {
    let value: Value = serde_json::from_slice(body).map_err(|_| ArgumentError::NotJson)?;
    if !value.is_object() {
        return Err(ArgumentError::NotJson);
    }
    // Said apart from other unknown fields: whoever writes the site must learn that PINs do not go this way.
    if names_a_pin(&value, DEPTH_LIMIT) {
        return Err(ArgumentError::Pin);
    }
    // From the bytes and not from the value: a field that comes twice is seen only there.
    serde_json::from_slice(body).map_err(|_| ArgumentError::Fields)
}

fn names_a_pin(value: &Value, depth: usize) -> bool {
    let Some(depth) = depth.checked_sub(1) else {
        return false;
    };
    match value {
        Value::Object(fields) => fields.iter().any(|(name, value)| {
            let name = name.to_lowercase();
            PIN_NAMES.iter().any(|pin| name.contains(pin)) || names_a_pin(value, depth)
        }),
        Value::Array(elements) => elements.iter().any(|element| names_a_pin(element, depth)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(kind: Kind, body: &str) -> Option<ArgumentError> {
        parse(kind, body.as_bytes()).err()
    }

    #[test]
    fn unknown_double_and_missing_fields_are_refused() {
        let fields = Some(ArgumentError::Fields);
        assert_eq!(refusal(Kind::ChangePin, r#"{"a":1}"#), fields);
        assert_eq!(refusal(Kind::Sign, r#"{"message":"AA=="}"#), fields);
        assert_eq!(
            refusal(
                Kind::Sign,
                r#"{"message":"AA==","message":"AQ==","format":"raw"}"#
            ),
            fields
        );
        assert_eq!(
            refusal(Kind::Sign, r#"{"message":"AA==","format":"pkcs1"}"#),
            fields
        );
        assert_eq!(refusal(Kind::ChangePin, "[]"), Some(ArgumentError::NotJson));
        assert_eq!(refusal(Kind::ChangePin, ""), Some(ArgumentError::NotJson));
    }

    #[test]
    fn a_field_for_a_pin_is_refused_under_any_name_and_at_any_depth() {
        for body in [
            r#"{"pin":"123456"}"#,
            r#"{"PIN":"123456"}"#,
            r#"{"userPin":"123456"}"#,
            r#"{"password":null}"#,
            r#"{"a":[{"b":{"old_pwd":1}}]}"#,
            r#"{"密码":"1"}"#,
        ] {
            assert_eq!(refusal(Kind::Sign, body), Some(ArgumentError::Pin), "{body}");
        }
    }

    #[test]
    fn a_digest_has_32_bytes() {
        let body = |bytes: usize| {
            format!(
                r#"{{"digest":"{}","format":"raw"}}"#,
                STANDARD.encode(vec![7; bytes])
            )
        };
        assert!(parse(Kind::SignDigest, body(32).as_bytes()).is_ok());
        for bytes in [0, 20, 31, 33] {
            assert_eq!(
                refusal(Kind::SignDigest, &body(bytes)),
                Some(ArgumentError::Value("digest"))
            );
        }
    }
}
