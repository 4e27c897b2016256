//! Certificate mode: Alipay's key comes from a certificate that chains to a root certificate on file, and both sides name
//! the certificates that they use.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use thiserror::Error;
use time::OffsetDateTime;
use yinxin_pki::der::{Tlv, tag};
use yinxin_pki::{Certificate, SubjectKey, chain};

use super::keys::{SigningKey, VerifyingKey};
use super::serial_number;

/// Alipay publishes 4 root certificates; a chain has 2 or 3.
const MAX_CERTIFICATES: usize = 16;
/// Certificates between Alipay's and a root, the root included.
const MAX_ISSUERS: usize = 3;
const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";

/// A configured certificate cannot be used.
#[derive(Debug, Error)]
pub enum CertificateError {
    /// Not PEM certificates.
    #[error("{0} cannot be read as PEM")]
    Malformed(&'static str),
    /// The app's certificate is for another key.
    #[error("the app's certificate is not for the app's private key")]
    OtherKey,
    /// Alipay's certificate is for a key that does not verify RSA2.
    #[error("Alipay's certificate is not for an RSA key")]
    NotRsa,
    /// No way leads from Alipay's certificate to a root.
    #[error(
        "Alipay's certificate does not chain to a root certificate: its issuers must follow it in the file"
    )]
    Untrusted,
    /// A way leads there, and does not hold, such as since a certificate has expired.
    #[error("the chain of Alipay's certificate does not hold")]
    Chain(#[from] chain::ChainError),
}

/// What certificate mode needs.
pub(crate) struct Certificates {
    /// `app_cert_sn`
    pub(crate) app_number: String,
    /// `alipay_root_cert_sn`
    pub(crate) root_number: String,
    /// `alipay_cert_sn`
    pub(crate) alipay_number: String,
    /// Alipay's key.
    pub(crate) key: VerifyingKey,
}

impl Certificates {
    /// Reads and verifies the PEM files as they are downloaded from Alipay.
    pub(crate) fn read(
        app: &str,
        alipay: &str,
        roots: &str,
        signing: &SigningKey,
        now: OffsetDateTime,
    ) -> Result<Self, CertificateError> {
        let app = first(blocks(app).ok_or(MALFORMED_APP)?);
        let chain = blocks(alipay).ok_or(MALFORMED_ALIPAY)?;
        let roots = blocks(roots).ok_or(MALFORMED_ROOTS)?;
        let app_key = Certificate::from_der(&app).map_err(|_| MALFORMED_APP)?;
        if rsa_key(app_key.key()) != Some(signing.public_key()) {
            return Err(CertificateError::OtherKey);
        }
        Ok(Self {
            app_number: serial_number::of_certificate(&app).map_err(|_| MALFORMED_APP)?,
            root_number: serial_number::of_roots(&roots).map_err(|_| MALFORMED_ROOTS)?,
            key: trusted_key(&chain, &roots, now)?,
            alipay_number: serial_number::of_certificate(&first(chain)).map_err(|_| MALFORMED_ALIPAY)?,
        })
    }
}

const MALFORMED_APP: CertificateError = CertificateError::Malformed("the app's certificate");
const MALFORMED_ALIPAY: CertificateError = CertificateError::Malformed("Alipay's certificate");
const MALFORMED_ROOTS: CertificateError = CertificateError::Malformed("Alipay's root certificates");

/// The key of the first certificate, which must chain to a root.
fn trusted_key(
    chain: &[Vec<u8>],
    roots: &[Vec<u8>],
    now: OffsetDateTime,
) -> Result<VerifyingKey, CertificateError> {
    let mut chain = chain
        .iter()
        .map(|der| Certificate::from_der(der).map_err(|_| MALFORMED_ALIPAY));
    let alipay = chain.next().ok_or(MALFORMED_ALIPAY)??;
    let intermediates = chain.collect::<Result<Vec<_>, _>>()?;
    // A root of another algorithm that cannot be read leads nowhere, and is no fault.
    let roots: Vec<Certificate> = roots
        .iter()
        .filter_map(|der| Certificate::from_der(der).ok())
        .collect();
    let issuers = issuers(&alipay, &intermediates, &roots).ok_or(CertificateError::Untrusted)?;
    chain::verify_chain(&alipay, &issuers, now)?;
    let SubjectKey::Rsa(spki) = alipay.key() else {
        return Err(CertificateError::NotRsa);
    };
    VerifyingKey::from_der(spki).map_err(|_| CertificateError::NotRsa)
}

/// The issuers of a certificate, nearest first, root last.
fn issuers(
    alipay: &Certificate,
    intermediates: &[Certificate],
    roots: &[Certificate],
) -> Option<Vec<Certificate>> {
    let mut issuers: Vec<Certificate> = Vec::new();
    while issuers.len() < MAX_ISSUERS {
        let last = issuers.last().unwrap_or(alipay);
        if last.signature_algorithm().is_broken() {
            return None;
        }
        let issued = |issuer: &&Certificate| chain::verify_link(last, issuer).is_ok();
        if let Some(root) = roots.iter().find(issued) {
            issuers.push(root.clone());
            return Some(issuers);
        }
        let next = intermediates.iter().find(issued)?.clone();
        issuers.push(next);
    }
    None
}

/// The `RSAPublicKey` of a key, DER.
fn rsa_key(key: &SubjectKey) -> Option<&[u8]> {
    let SubjectKey::Rsa(spki) = key else {
        return None;
    };
    let mut fields = Tlv::whole_of(tag::SEQUENCE, spki).ok()?.reader();
    fields.expect(tag::SEQUENCE).ok()?;
    fields.expect(tag::BIT_STRING).ok()?.whole_bits().ok()
}

/// The certificates of a text in their order, at least one. Alipay's files have lines of 76 characters, which RFC 7468 does
/// not allow, so this takes any.
fn blocks(text: &str) -> Option<Vec<Vec<u8>>> {
    let blocks: Vec<Vec<u8>> = text
        .split(BEGIN)
        .skip(1)
        .take(MAX_CERTIFICATES + 1)
        .map(|block| {
            let (base64, _) = block.split_once(END)?;
            STANDARD
                .decode(base64.split_whitespace().collect::<String>())
                .ok()
        })
        .collect::<Option<_>>()?;
    (1..=MAX_CERTIFICATES).contains(&blocks.len()).then_some(blocks)
}

/// The first one: [`blocks`] gives at least one.
fn first(blocks: Vec<Vec<u8>>) -> Vec<u8> {
    blocks.into_iter().next().unwrap_or_default()
}
