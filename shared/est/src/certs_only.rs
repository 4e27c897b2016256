//! Certificates in a CMS message without content and signers (RFC 7030, 4.1.3: "certs-only").
//!
//! ```text
//! ContentInfo ::= SEQUENCE { contentType OBJECT IDENTIFIER, content [0] EXPLICIT SignedData }
//! SignedData ::= SEQUENCE { version INTEGER, digestAlgorithms SET, encapContentInfo SEQUENCE,
//!     certificates [0] IMPLICIT SET OF Certificate OPTIONAL, crls [1] IMPLICIT SET OPTIONAL, signerInfos SET }
//! ```

use yinxin_pki::Certificate;
use yinxin_pki::der::{self, DerError, Tlv, tag};
use yinxin_pki::oid::ObjectIdentifier;

use crate::error::EstError;

/// signedData, as RFC 5652 and as GM/T 0010 name it.
const SIGNED_DATA: [ObjectIdentifier; 2] = [
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.2"),
    ObjectIdentifier::new_unwrap("1.2.156.10197.6.1.4.2.2"),
];

/// More certificates than any chain needs are refused.
const MAX_CERTIFICATES: usize = 16;

/// The certificates of a certs-only message, DER, in their order. Nothing is verified yet.
pub fn certificates_of(message: &[u8]) -> Result<Vec<Certificate>, EstError> {
    let elements = elements_of(message).map_err(|_| EstError::Form("the answer is no certs-only message"))?;
    if elements.len() > MAX_CERTIFICATES {
        return Err(EstError::Form("the answer has too many certificates"));
    }
    elements
        .into_iter()
        .map(|element| {
            Certificate::from_der(element.raw)
                .map_err(|_| EstError::Form("a certificate of the answer cannot be read"))
        })
        .collect()
}

fn elements_of(message: &[u8]) -> Result<Vec<Tlv<'_>>, DerError> {
    let mut outer = Tlv::whole_of(tag::SEQUENCE, message)?.reader();
    if !SIGNED_DATA.contains(&der::object_identifier(outer.any()?)?) {
        return Err(DerError::Value);
    }
    let content = outer.expect(0xa0)?;
    outer.finish()?;
    let mut fields = Tlv::whole_of(tag::SEQUENCE, content.value)?.reader();
    fields.expect(tag::INTEGER)?;
    fields.expect(tag::SET)?;
    fields.expect(tag::SEQUENCE)?;
    let certificates = fields.optional(0xa0)?;
    fields.optional(0xa1)?;
    // Signers are not looked for: what the answer says is checked certificate by certificate.
    fields.expect(tag::SET)?;
    fields.finish()?;
    let mut list = certificates.map_or_else(|| der::Reader::new(&[]), |element| element.reader());
    let mut elements = Vec::new();
    while !list.is_empty() {
        elements.push(list.any()?);
    }
    Ok(elements)
}
