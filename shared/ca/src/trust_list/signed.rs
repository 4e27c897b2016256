//! The signed document: the list as JSON in a GM/T 0010 `SignedData` by the platform's trust list signer.

use std::sync::Arc;

use time::{Duration, OffsetDateTime};
use yinxin_pki::chain::verify_link;
use yinxin_pki::der::{DerError, Reader, Tlv, tag, time as read_time};
use yinxin_pki::{Certificate, cms_write, oid};

use super::{SCHEMA, TrustList};
use crate::error::CaError;
use crate::signer::Signer;

/// A document larger than this is not read.
pub const MAX_BYTES: usize = 4 * 1024 * 1024;
/// A reader's clock may be so much behind.
const CLOCK_SKEW: Duration = Duration::minutes(5);

/// Why a document is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TrustListError {
    /// It is not a signed trust list of this form.
    #[error("the document is not a signed trust list")]
    Malformed,
    /// Its signer is no trust list signer under the pinned roots, or was not when it signed.
    #[error("the trust list's signer is not one of the platform's")]
    Signer,
    /// The signature does not verify.
    #[error("the trust list's signature does not verify")]
    Signature,
    /// It was made later than now.
    #[error("the trust list is from the future")]
    NotYet,
    /// Its time is over: a newer one must be there.
    #[error("the trust list is too old")]
    Expired,
}

/// The platform's trust list signer.
#[derive(Clone)]
pub struct ListSigner {
    /// Its certificate, issued by the platform's root.
    pub certificate: Certificate,
    /// Its key.
    pub key: Arc<dyn Signer>,
}

/// Signs the JSON of a list, as it was recorded. The same recorded bytes and time give the same signed bytes.
pub async fn sign(
    signer: &ListSigner,
    content: &[u8],
    signing_time: OffsetDateTime,
) -> Result<Vec<u8>, CaError> {
    if signer.certificate.public_key() != Some(signer.key.public_key()) {
        return Err(CaError::SetUp);
    }
    let attributes = cms_write::attributes(content, signing_time);
    let signature = signer.key.sign(&attributes).await?;
    Ok(cms_write::assemble(
        content,
        &signer.certificate,
        &attributes,
        &signature,
    ))
}

/// Reads a document and verifies it against the pinned roots of the platform, for use at `at`.
///
/// The document must be, to the byte, what this project's writer makes of its parts: nothing in it that no signature
/// covers can be changed.
pub fn verify(
    document: &[u8],
    roots: &[Certificate],
    at: OffsetDateTime,
) -> Result<TrustList, TrustListError> {
    let list = verify_whenever(document, roots)?;
    if list.issued_at > at + CLOCK_SKEW {
        return Err(TrustListError::NotYet);
    }
    if list.next_update < at {
        return Err(TrustListError::Expired);
    }
    Ok(list)
}

/// The same, whether or not the list's time has come or is over.
pub(super) fn verify_whenever(document: &[u8], roots: &[Certificate]) -> Result<TrustList, TrustListError> {
    let parts = Parts::read(document).map_err(|_| TrustListError::Malformed)?;
    let signer = Certificate::from_der(parts.certificate).map_err(|_| TrustListError::Malformed)?;
    let attributes = cms_write::attributes(parts.content, parts.signing_time);
    if cms_write::assemble(parts.content, &signer, &attributes, parts.signature) != document {
        return Err(TrustListError::Malformed);
    }
    check_signer(&signer, roots, parts.signing_time)?;
    signer
        .public_key()
        .ok_or(TrustListError::Signer)?
        .verify(&attributes, parts.signature)
        .map_err(|_| TrustListError::Signature)?;
    let list: TrustList = serde_json::from_slice(parts.content).map_err(|_| TrustListError::Malformed)?;
    if list.schema != SCHEMA || list.version == 0 || list.issued_at != parts.signing_time {
        return Err(TrustListError::Malformed);
    }
    Ok(list)
}

/// The signer is directly under a pinned root, marked for trust lists, and valid when it signed. The list's own end,
/// days later, limits what comes after.
fn check_signer(
    signer: &Certificate,
    roots: &[Certificate],
    signing_time: OffsetDateTime,
) -> Result<(), TrustListError> {
    let within = |certificate: &Certificate| {
        (certificate.not_before()..=certificate.not_after()).contains(&signing_time)
    };
    let issued = roots
        .iter()
        .any(|root| verify_link(signer, root).is_ok() && verify_link(root, root).is_ok() && within(root));
    if issued && within(signer) && !signer.is_ca() && is_for_trust_lists(signer) {
        Ok(())
    } else {
        Err(TrustListError::Signer)
    }
}

/// The one extended key usage is that of trust lists: no other certificate of the platform passes for a signer.
fn is_for_trust_lists(certificate: &Certificate) -> bool {
    let Some(extension) = certificate.extension(oid::EXTENDED_KEY_USAGE) else {
        return false;
    };
    let only = yinxin_pki::der::sequence(&[&yinxin_pki::der::oid(oid::TRUST_LIST_SIGNING)]);
    extension.value == only
}

/// The parts of a document.
struct Parts<'a> {
    content: &'a [u8],
    certificate: &'a [u8],
    signing_time: OffsetDateTime,
    signature: &'a [u8],
}

impl<'a> Parts<'a> {
    /// Takes apart what [`cms_write::assemble`] put together. What is passed over here is compared afterwards.
    fn read(document: &'a [u8]) -> Result<Self, DerError> {
        if document.len() > MAX_BYTES {
            return Err(DerError::Unsupported);
        }
        let mut content_info = Tlv::whole_of(tag::SEQUENCE, document)?.reader();
        content_info.expect(tag::OBJECT_IDENTIFIER)?;
        let mut signed_data = inside(content_info.expect(0xa0)?)?;
        signed_data.expect(tag::INTEGER)?;
        signed_data.expect(tag::SET)?;
        let mut data = signed_data.expect(tag::SEQUENCE)?.reader();
        data.expect(tag::OBJECT_IDENTIFIER)?;
        let content = Tlv::whole_of(tag::OCTET_STRING, data.expect(0xa0)?.value)?.value;
        let certificate = signed_data.expect(0xa0)?.value;
        let mut signer_info = inside(signed_data.expect(tag::SET)?)?;
        signer_info.expect(tag::INTEGER)?;
        signer_info.expect(tag::SEQUENCE)?;
        signer_info.expect(tag::SEQUENCE)?;
        let signing_time = signing_time(signer_info.expect(0xa0)?)?;
        signer_info.expect(tag::SEQUENCE)?;
        let signature = signer_info.expect(tag::OCTET_STRING)?.value;
        Ok(Self {
            content,
            certificate,
            signing_time,
            signature,
        })
    }
}

fn inside(element: Tlv<'_>) -> Result<Reader<'_>, DerError> {
    Ok(Tlv::whole_of(tag::SEQUENCE, element.value)?.reader())
}

/// The one attribute that holds a time.
fn signing_time(attributes: Tlv<'_>) -> Result<OffsetDateTime, DerError> {
    let mut attributes = attributes.reader();
    while !attributes.is_empty() {
        let mut attribute = attributes.expect(tag::SEQUENCE)?.reader();
        attribute.expect(tag::OBJECT_IDENTIFIER)?;
        let value = Tlv::whole(attribute.expect(tag::SET)?.value)?;
        if matches!(value.tag, tag::UTC_TIME | tag::GENERALIZED_TIME) {
            return read_time(value);
        }
    }
    Err(DerError::Value)
}
