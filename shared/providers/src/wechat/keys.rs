//! The merchant's signing key and WeChat Pay's verification keys: RSA, or SM2 in its mode of commercial cryptography.

use std::fmt;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use yinxin_pki::algorithm::Hash;
use yinxin_pki::{SignatureAlgorithm, SubjectKey};

use super::ConfigError;
use crate::pem;

/// How requests, answers and notifications are signed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scheme {
    /// RSA PKCS#1 v1.5 with SHA-256.
    #[default]
    Rsa,
    /// SM2 with SM3, the usual signer identity, DER.
    Sm2,
}

impl Scheme {
    /// The word in `Authorization` and `Wechatpay-Signature-Type`.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Rsa => "WECHATPAY2-SHA256-RSA2048",
            Self::Sm2 => "WECHATPAY2-SM2-WITH-SM3",
        }
    }

    pub(super) fn from_word(word: &str) -> Option<Self> {
        [Self::Rsa, Self::Sm2]
            .into_iter()
            .find(|scheme| scheme.word() == word)
    }

    fn algorithm(self) -> SignatureAlgorithm {
        match self {
            Self::Rsa => SignatureAlgorithm::RsaPkcs1(Hash::Sha256),
            Self::Sm2 => SignatureAlgorithm::Sm2WithSm3,
        }
    }
}

/// The private key of the merchant's API certificate.
pub(super) enum SigningKey {
    Rsa(RsaKeyPair),
    Sm2(Box<yinxin_pki::SigningKey>),
}

impl SigningKey {
    /// From PKCS#8. A key that cannot sign is refused here and not with the first call.
    pub(super) fn parse(scheme: Scheme, text: &str) -> Result<Self, ConfigError> {
        let der = pem::der(text).ok_or(ConfigError::PrivateKey)?;
        let key = match scheme {
            Scheme::Rsa => RsaKeyPair::from_pkcs8(&der).map(Self::Rsa).ok(),
            Scheme::Sm2 => yinxin_pki::SigningKey::from_pkcs8_der(&der)
                .map(|key| Self::Sm2(Box::new(key)))
                .ok(),
        };
        key.filter(|key| key.sign(b"can it sign?").is_some())
            .ok_or(ConfigError::PrivateKey)
    }

    pub(super) fn scheme(&self) -> Scheme {
        match self {
            Self::Rsa(_) => Scheme::Rsa,
            Self::Sm2(_) => Scheme::Sm2,
        }
    }

    /// The base64 signature, or nothing when the cryptographic library fails.
    pub(super) fn sign(&self, message: &[u8]) -> Option<String> {
        let signature = match self {
            Self::Rsa(key) => {
                let mut signature = vec![0; key.public_modulus_len()];
                key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature)
                    .ok()?;
                signature
            }
            Self::Sm2(key) => key.sign(message).ok()?,
        };
        Some(STANDARD.encode(signature))
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({:?})", self.scheme())
    }
}

/// A key of WeChat Pay's: its public key for this merchant, or one out of a platform certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct VerifyingKey(SubjectKey);

impl VerifyingKey {
    /// From SPKI.
    pub(super) fn parse(text: &str) -> Option<Self> {
        Self::from_key(SubjectKey::from_spki_der(&pem::der(text)?).ok()?)
    }

    /// Takes the two kinds that sign here, the RSA keys among them of at least 2048 bits.
    pub(super) fn from_key(key: SubjectKey) -> Option<Self> {
        let usable = match &key {
            SubjectKey::Rsa(spki) => ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, spki).is_ok(),
            SubjectKey::Sm2(_) => true,
            _ => false,
        };
        usable.then_some(Self(key))
    }

    /// Whether this base64 signature is the key's over the message; never where the scheme is another key's.
    pub(super) fn verifies(&self, scheme: Scheme, message: &[u8], signature: &str) -> bool {
        STANDARD
            .decode(signature)
            .is_ok_and(|signature| self.0.verify(scheme.algorithm(), message, &signature).is_ok())
    }
}
