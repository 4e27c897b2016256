//! Whether what the platform delivered fits the token, before any of it is written.
use base64::{Engine as _, engine::general_purpose::STANDARD};
use time::{Duration, OffsetDateTime};
use yinxin_pki::{
    Certificate, EnvelopedKey, PublicKey,
    certificate::{CertificateError, KeyUsage},
    chain::{ChainError, verify_chain},
    enveloped_key::EnvelopeError,
};

use crate::platform::Delivery;

/// How far the clock of the operator's computer may lag behind the CA's.
const CLOCK_LAG: Duration = Duration::minutes(5);

/// Why a delivery is refused.
#[derive(Debug, thiserror::Error)]
pub enum DeliveryError {
    /// A certificate that cannot be read.
    #[error("a delivered certificate cannot be read")]
    Certificate(#[from] CertificateError),
    /// The enveloped key cannot be read.
    #[error("the delivered encryption key cannot be read")]
    EnvelopedKey(#[source] EnvelopeError),
    /// The enveloped key is not base64.
    #[error("the delivered encryption key is not base64")]
    Base64,
    /// A certificate does not verify up to the root.
    #[error("the {certificate} certificate does not verify")]
    Chain {
        /// Which.
        certificate: &'static str,
        /// At what.
        source: ChainError,
    },
    /// The order was personalised with another token.
    #[error("the signing certificate is for another token's key: this order was begun with another token")]
    OtherToken,
    /// The encryption certificate is for another key than the one enveloped.
    #[error("the encryption certificate is for another key than the one that came with it")]
    OtherEncryptionKey,
    /// The certificates' key usages are not those of a signing and an encryption certificate.
    #[error("the certificates are not one for signing and one for encryption of the same subject")]
    Usage,
}

/// A delivery that fits the token's signing key.
pub struct Checked {
    /// Holds the token's public key.
    pub signing: Certificate,
    /// Holds the enveloped public key.
    pub encryption: Certificate,
    /// The issuing CA first, the root last.
    pub chain: Vec<Certificate>,
    /// For the token to open, which checks that its two halves belong together.
    pub enveloped_key: EnvelopedKey,
}

/// Judges a delivery for the token with this signing key.
pub fn check(
    delivery: &Delivery,
    signing_key: &PublicKey,
    now: OffsetDateTime,
) -> Result<Checked, DeliveryError> {
    let signing = Certificate::from_pem(&delivery.signing_certificate)?;
    let encryption = Certificate::from_pem(&delivery.encryption_certificate)?;
    let chain = delivery
        .chain
        .iter()
        .map(|pem| Certificate::from_pem(pem))
        .collect::<Result<Vec<_>, _>>()?;
    let enveloped_key = STANDARD
        .decode(&delivery.enveloped_key)
        .map_err(|_| DeliveryError::Base64)?;
    let enveloped_key = EnvelopedKey::from_der(&enveloped_key).map_err(DeliveryError::EnvelopedKey)?;
    if signing.public_key() != Some(signing_key) {
        return Err(DeliveryError::OtherToken);
    }
    if encryption.public_key() != Some(enveloped_key.public_key()) {
        return Err(DeliveryError::OtherEncryptionKey);
    }
    // Two keys, two uses, one subject (GM/T 0015-2012, 5.2.3.6 and 5.2.4.2.3).
    let signs = signing.key_usage().is_some_and(KeyUsage::signs);
    let decrypts = encryption.key_usage().is_some_and(KeyUsage::only_decrypts);
    if !signs
        || !decrypts
        || signing.subject() != encryption.subject()
        || encryption.public_key() == Some(signing_key)
    {
        return Err(DeliveryError::Usage);
    }
    for (name, certificate) in [("signing", &signing), ("encryption", &encryption)] {
        let starts_soon = certificate.not_before() - now <= CLOCK_LAG;
        let at = if starts_soon {
            now.max(certificate.not_before())
        } else {
            now
        };
        verify_chain(certificate, &chain, at).map_err(|source| DeliveryError::Chain {
            certificate: name,
            source,
        })?;
    }
    Ok(Checked {
        signing,
        encryption,
        chain,
        enveloped_key,
    })
}
