//! Signed and enveloped messages, read and verified: GM/T 0010-2012 and PKCS #7 / CMS (RFC 2315, RFC 5652), whichever
//! identifiers the producer wrote. Nothing is decrypted here.
//!
//! ```text
//! ContentInfo ::= SEQUENCE { contentType OBJECT IDENTIFIER, content [0] EXPLICIT ANY OPTIONAL }
//! SignedData ::= SEQUENCE { version INTEGER, digestAlgorithms SET OF AlgorithmIdentifier, contentInfo ContentInfo,
//!     certificates [0] IMPLICIT SET OF Certificate OPTIONAL, crls [1] IMPLICIT SET OF CRL OPTIONAL, signerInfos SET OF SignerInfo }
//! EnvelopedData ::= SEQUENCE { version INTEGER, recipientInfos SET OF RecipientInfo, encryptedContentInfo }
//! SignedAndEnvelopedData ::= SEQUENCE { version INTEGER, recipientInfos SET OF RecipientInfo, digestAlgorithms SET OF,
//!     encryptedContentInfo, certificates [0] OPTIONAL, crls [1] OPTIONAL, signerInfos SET OF SignerInfo }
//! ```

use crate::certificate::Certificate;
use crate::crl::Crl;
use crate::der::{self, DerError, Reader, Tlv, tag};
use crate::name::Name;
use crate::oid::{self, ObjectIdentifier};

mod signer;

pub use signer::{SignatureFault, SignerId, SignerInfo};

/// A message larger than this is not read.
pub const MAX_BYTES: usize = 64 * 1024 * 1024;
/// Certificates, lists, signers and recipients of a message, each at most.
pub const MAX_PARTS: usize = 256;

/// Why bytes are not a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CmsError {
    /// It is larger than [`MAX_BYTES`], or has more than [`MAX_PARTS`] of something.
    #[error("the message is too large")]
    TooLarge,
    /// The structure is broken.
    #[error("the message is malformed")]
    Malformed(#[from] DerError),
    /// A kind of content that is not read here.
    #[error("the message has an unknown content type")]
    Type,
}

/// A message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cms {
    /// signedData.
    Signed(SignedData),
    /// envelopedData.
    Enveloped(EnvelopedData),
    /// signedAndEnvelopedData: the signatures are over what is encrypted.
    SignedAndEnveloped(EnvelopedData, SignedData),
}

/// signedData.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedData {
    /// The type of the content.
    pub content_type: ObjectIdentifier,
    /// The content octets; `None` where they are kept elsewhere or encrypted.
    pub content: Option<Vec<u8>>,
    /// Certificates that came along; those that are not readable are left out.
    pub certificates: Vec<Certificate>,
    /// Lists that came along; those that are not readable are left out.
    pub crls: Vec<Crl>,
    /// Who signed.
    pub signers: Vec<SignerInfo>,
}

/// envelopedData.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvelopedData {
    /// Who can open it.
    pub recipients: Vec<Recipient>,
    /// The type of the content.
    pub content_type: ObjectIdentifier,
    /// How the content is encrypted.
    pub cipher: ObjectIdentifier,
    /// Octets of the encrypted content; `None` where it is kept elsewhere.
    pub encrypted_bytes: Option<usize>,
}

/// One who can open a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipient {
    /// Whose certificate.
    pub id: SignerId,
    /// How the session key is encrypted.
    pub cipher: ObjectIdentifier,
}

impl Cms {
    /// Reads a DER message. Nothing is verified yet.
    pub fn from_der(bytes: &[u8]) -> Result<Self, CmsError> {
        if bytes.len() > MAX_BYTES {
            return Err(CmsError::TooLarge);
        }
        let mut info = Tlv::whole_of(tag::SEQUENCE, bytes)?.reader();
        let kind = der::object_identifier(info.any()?)?;
        let content = info.expect(0xa0)?;
        info.finish()?;
        let mut fields = Tlv::whole_of(tag::SEQUENCE, content.value)?.reader();
        fields.expect(tag::INTEGER)?;
        match kind {
            oid::GM_SIGNED_DATA | oid::PKCS7_SIGNED_DATA => signed(fields).map(Self::Signed),
            oid::GM_ENVELOPED_DATA | oid::PKCS7_ENVELOPED_DATA => {
                // originatorInfo of RFC 5652.
                fields.optional(0xa0)?;
                let recipients = recipients(fields.expect(tag::SET)?)?;
                enveloped(recipients, fields.expect(tag::SEQUENCE)?).map(Self::Enveloped)
            }
            oid::GM_SIGNED_AND_ENVELOPED_DATA | oid::PKCS7_SIGNED_AND_ENVELOPED_DATA => {
                let recipients = recipients(fields.expect(tag::SET)?)?;
                fields.expect(tag::SET)?;
                let envelope = enveloped(recipients, fields.expect(tag::SEQUENCE)?)?;
                let signed = with_signers(fields, envelope.content_type, None)?;
                Ok(Self::SignedAndEnveloped(envelope, signed))
            }
            _ => Err(CmsError::Type),
        }
    }
}

fn signed(mut fields: Reader<'_>) -> Result<SignedData, CmsError> {
    fields.expect(tag::SET)?;
    let mut info = fields.expect(tag::SEQUENCE)?.reader();
    let content_type = der::object_identifier(info.any()?)?;
    let content = match info.optional(0xa0)? {
        // PKCS #7 allows any type there, of which the content octets are signed.
        Some(explicit) => Some(Tlv::whole(explicit.value)?.value.to_vec()),
        None => None,
    };
    info.finish()?;
    with_signers(fields, content_type, content)
}

fn with_signers(
    mut fields: Reader<'_>,
    content_type: ObjectIdentifier,
    content: Option<Vec<u8>>,
) -> Result<SignedData, CmsError> {
    let certificates = parts(fields.optional(0xa0)?, |part| {
        Ok(Certificate::from_der(part.raw).ok())
    })?;
    let crls = parts(fields.optional(0xa1)?, |part| Ok(Crl::from_der(part.raw).ok()))?;
    let signers = parts(Some(fields.expect(tag::SET)?), |part| {
        SignerInfo::from_der(part).map(Some)
    })?;
    fields.finish()?;
    Ok(SignedData {
        content_type,
        content,
        certificates,
        crls,
        signers,
    })
}

fn recipients(set: Tlv<'_>) -> Result<Vec<Recipient>, CmsError> {
    parts(Some(set), |part| {
        // Other ways than key transport have other tags: key agreement, passwords.
        if part.tag != tag::SEQUENCE {
            return Ok(None);
        }
        let mut fields = part.reader();
        fields.expect(tag::INTEGER)?;
        let id = SignerId::read(fields.any()?)?;
        let cipher = algorithm(fields.expect(tag::SEQUENCE)?)?;
        fields.expect(tag::OCTET_STRING)?;
        fields.finish()?;
        Ok(Some(Recipient { id, cipher }))
    })
}

fn enveloped(recipients: Vec<Recipient>, info: Tlv<'_>) -> Result<EnvelopedData, CmsError> {
    let mut fields = info.reader();
    let content_type = der::object_identifier(fields.any()?)?;
    let cipher = algorithm(fields.expect(tag::SEQUENCE)?)?;
    let encrypted = match fields.optional(0x80)? {
        Some(primitive) => Some(primitive),
        None => fields.optional(0xa0)?,
    };
    Ok(EnvelopedData {
        recipients,
        content_type,
        cipher,
        encrypted_bytes: encrypted.map(|encrypted| encrypted.value.len()),
    })
}

/// The identifier of an `AlgorithmIdentifier`.
fn algorithm(element: Tlv<'_>) -> Result<ObjectIdentifier, DerError> {
    der::object_identifier(element.reader().any()?)
}

/// Elements of a SET; those for which `read` gives `None` are left out.
fn parts<T>(
    set: Option<Tlv<'_>>,
    read: impl Fn(Tlv<'_>) -> Result<Option<T>, DerError>,
) -> Result<Vec<T>, CmsError> {
    let mut list = Vec::new();
    let Some(set) = set else { return Ok(list) };
    let mut elements = set.reader();
    let mut count = 0;
    while !elements.is_empty() {
        count += 1;
        if count > MAX_PARTS {
            return Err(CmsError::TooLarge);
        }
        list.extend(read(elements.any()?)?);
    }
    Ok(list)
}

impl SignedData {
    /// The certificate of a signer among those that came along and others.
    pub fn certificate_of<'a>(
        &'a self,
        signer: &SignerInfo,
        others: impl IntoIterator<Item = &'a Certificate>,
    ) -> Option<&'a Certificate> {
        self.certificates
            .iter()
            .chain(others)
            .find(|certificate| signer.id.names(certificate))
    }
}

/// Kept apart so that an issuer that is no name (seen in the field) does not make a message unreadable.
fn issuer_and_serial(element: Tlv<'_>) -> Result<(Option<Name>, Vec<u8>), DerError> {
    let mut fields = element.reader();
    let issuer = Name::from_der(fields.any()?.raw).ok();
    let serial = fields.expect(tag::INTEGER)?.value.to_vec();
    fields.finish()?;
    Ok((issuer, serial))
}

#[cfg(test)]
mod tests;
