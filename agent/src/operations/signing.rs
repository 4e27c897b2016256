//! Signatures over what a site sends: raw, or in a GM/T 0010 message. And what is never signed raw.
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use time::OffsetDateTime;
use yinxin_pki::{
    Certificate, cms_write,
    der::{Reader, Tlv, tag},
};

use super::{DigestFormat, OperationError, SignFormat};
use crate::token::Token;

/// Beginning of everything that this project signs or has signed for a purpose of its own.
pub const OWN_PREFIX: &[u8] = b"YINXIN-";
/// Bytes of a digest, which a message must not look like.
const DIGEST_BYTES: usize = 32;

/// Bytes that have a meaning of their own under a raw signature. Signing them as "a message" would make a login, a
/// signature over other content, or a certificate request out of the holder's consent to something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Confusable {
    /// A login statement, or a ticket.
    #[error("the message begins like a statement of this agent")]
    Own,
    /// Authenticated attributes: the signature would be one over the content that they name.
    #[error("the message is a set of signed attributes")]
    Attributes,
    /// The body of a certificate request: the signature would prove possession to a CA.
    #[error("the message is a certificate request")]
    Request,
    /// It can be a digest: `sign-digest` says so to the holder.
    #[error("the message has the length of a digest and is no text: ask for sign-digest")]
    Digest,
}

/// Refuses messages that mean something else.
pub fn refuse_confusable(message: &[u8]) -> Result<(), Confusable> {
    if message.starts_with(OWN_PREFIX) {
        return Err(Confusable::Own);
    }
    if is_attributes(message) {
        return Err(Confusable::Attributes);
    }
    if is_request(message) {
        return Err(Confusable::Request);
    }
    if message.len() == DIGEST_BYTES && super::shown::as_text(message).is_none() {
        return Err(Confusable::Digest);
    }
    Ok(())
}

/// Signs a message.
pub fn message(
    token: &mut dyn Token,
    signer: &Certificate,
    message: &[u8],
    format: SignFormat,
    now: OffsetDateTime,
) -> Result<Value, OperationError> {
    let attributes = || cms_write::attributes(message, now);
    match format {
        SignFormat::Raw => raw(token, signer, message),
        SignFormat::CmsAttached => {
            let attributes = attributes();
            let signature = sign(token, signer, &attributes)?;
            Ok(cms(&cms_write::assemble(
                message,
                signer,
                &attributes,
                &signature,
            )))
        }
        SignFormat::CmsDetached => detached(token, signer, &attributes()),
    }
}

/// Signs a digest.
pub fn digest(
    token: &mut dyn Token,
    signer: &Certificate,
    digest: &[u8; 32],
    format: DigestFormat,
    now: OffsetDateTime,
) -> Result<Value, OperationError> {
    match format {
        DigestFormat::Raw => raw(token, signer, digest),
        DigestFormat::CmsDetached => detached(token, signer, &cms_write::attributes_of_digest(digest, now)),
    }
}

/// Signs, and verifies with the certificate that was shown: a device that signs wrongly is noticed here and not at
/// whoever relies on the signature.
pub fn sign(token: &mut dyn Token, signer: &Certificate, bytes: &[u8]) -> Result<Vec<u8>, OperationError> {
    let signature = token.sign(bytes)?;
    let key = signer.public_key().ok_or(OperationError::Exchanged)?;
    key.verify(bytes, &signature)
        .map_err(|_| OperationError::Exchanged)?;
    Ok(signature)
}

fn raw(token: &mut dyn Token, signer: &Certificate, message: &[u8]) -> Result<Value, OperationError> {
    let signature = sign(token, signer, message)?;
    Ok(json!({
        "signature": STANDARD.encode(signature),
        "certificate": STANDARD.encode(signer.as_der()),
    }))
}

fn detached(token: &mut dyn Token, signer: &Certificate, attributes: &[u8]) -> Result<Value, OperationError> {
    let signature = sign(token, signer, attributes)?;
    Ok(cms(&cms_write::assemble_detached(signer, attributes, &signature)))
}

fn cms(message: &[u8]) -> Value {
    json!({ "cms": STANDARD.encode(message) })
}

/// SET OF SEQUENCE { OBJECT IDENTIFIER, … }, also where only its beginning is well formed: a lax verifier reads that too.
fn is_attributes(message: &[u8]) -> bool {
    let attribute = |mut set: Reader<'_>| -> Option<u8> { set.expect(tag::SEQUENCE).ok()?.reader().peek() };
    Reader::new(message)
        .expect(tag::SET)
        .is_ok_and(|set| attribute(set.reader()) == Some(tag::OBJECT_IDENTIFIER))
}

/// `CertificationRequestInfo ::= SEQUENCE { version INTEGER (0), subject Name, subjectPKInfo SEQUENCE, attributes [0] }`
fn is_request(message: &[u8]) -> bool {
    let read = || -> Option<bool> {
        let mut fields = Tlv::whole_of(tag::SEQUENCE, message).ok()?.reader();
        let version = fields.expect(tag::INTEGER).ok()?;
        fields.expect(tag::SEQUENCE).ok()?;
        let mut key = fields.expect(tag::SEQUENCE).ok()?.reader();
        key.expect(tag::SEQUENCE).ok()?;
        key.expect(tag::BIT_STRING).ok()?;
        Some(version.value == [0])
    };
    read().unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use yinxin_pki::{CsrBuilder, Name, SigningKey};

    use super::*;
    use crate::token::vault::rng;

    #[test]
    fn what_means_something_else_is_not_signed_raw() {
        let attributes = cms_write::attributes(b"a contract", OffsetDateTime::UNIX_EPOCH);
        let trailing = [attributes.as_slice(), b"x"].concat();
        let key = SigningKey::generate(&mut rng());
        let mut request = Vec::new();
        CsrBuilder::new(&Name::unit("Unit", None).unwrap(), key.public_key())
            .sign_with(|info| {
                request = info.to_vec();
                key.sign(info)
            })
            .unwrap();
        for (message, refusal) in [
            (&b"YINXIN-LOGIN-1\n{}"[..], Confusable::Own),
            (b"YINXIN-TICKET-1\n{}", Confusable::Own),
            (&attributes, Confusable::Attributes),
            (&trailing, Confusable::Attributes),
            (&request, Confusable::Request),
            (&[0x9c; 32], Confusable::Digest),
        ] {
            assert_eq!(refuse_confusable(message), Err(refusal));
        }
        for message in [
            &b"a contract"[..],
            b"text of 32 bytes, which is text.",
            &[0x9c; 33],
            "合同".as_bytes(),
        ] {
            assert_eq!(refuse_confusable(message), Ok(()));
        }
    }
}
