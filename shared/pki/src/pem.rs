//! PEM (RFC 7468): one object, or a chain of certificates.

use crate::certificate::{Certificate, CertificateError};

/// Label of a certificate.
pub const CERTIFICATE: &str = "CERTIFICATE";
/// Label of a PKCS#10 request.
pub const CERTIFICATE_REQUEST: &str = "CERTIFICATE REQUEST";
/// Label of a revocation list.
pub const X509_CRL: &str = "X509 CRL";
/// Label of a PKCS#8 private key.
pub const PRIVATE_KEY: &str = "PRIVATE KEY";

/// The text is not the expected PEM.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PemError {
    /// No block, or a broken one.
    #[error("the text is not PEM")]
    Malformed,
    /// The block holds another kind of object.
    #[error("the PEM holds another kind of object")]
    Label,
    /// A certificate inside is broken.
    #[error("a certificate in the PEM is not readable")]
    Certificate(#[from] CertificateError),
}

/// DER to PEM with lines of 64 characters and LF.
pub fn encode(label: &str, der: &[u8]) -> String {
    pem_rfc7468::encode_string(label, pem_rfc7468::LineEnding::LF, der)
        .expect("labels are constants and objects are small")
}

/// The DER of the one block with this label.
pub fn decode_one(label: &str, text: &str) -> Result<Vec<u8>, PemError> {
    let (found, der) = pem_rfc7468::decode_vec(text.as_bytes()).map_err(|_| PemError::Malformed)?;
    if found == label {
        Ok(der)
    } else {
        Err(PemError::Label)
    }
}

/// Certificates to one text, in the given order.
pub fn encode_chain<'a>(certificates: impl IntoIterator<Item = &'a Certificate>) -> String {
    certificates
        .into_iter()
        .map(|certificate| encode(CERTIFICATE, certificate.as_der()))
        .collect()
}

/// All certificates of a text in their order; at least one.
pub fn decode_chain(text: &str) -> Result<Vec<Certificate>, PemError> {
    const END: &str = "-----END CERTIFICATE-----";
    let mut certificates = Vec::new();
    for block in text
        .split_inclusive(END)
        .map(str::trim)
        .filter(|block| block.ends_with(END))
    {
        certificates.push(Certificate::from_der(&decode_one(CERTIFICATE, block)?)?);
    }
    if certificates.is_empty() {
        Err(PemError::Malformed)
    } else {
        Ok(certificates)
    }
}
