//! RSA2 (`SHA256withRSA`, PKCS#1 v1.5): our signing key and Alipay's verification key.

use std::fmt;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    KeyPair as _, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use thiserror::Error;

use crate::pem;

/// A configured key cannot be used.
#[derive(Debug, Error)]
pub enum KeyError {
    /// Neither PKCS#8 nor PKCS#1, as PEM or bare base64, of at least 2048 bits.
    #[error("the app's private key is not an RSA key in PKCS#8 or PKCS#1")]
    Private,
    /// Neither SPKI nor PKCS#1, as PEM or bare base64.
    #[error("Alipay's public key is not an RSA key in SPKI")]
    Public,
}

/// The app's private key.
pub(crate) struct SigningKey(RsaKeyPair);

impl SigningKey {
    /// Alipay's tool writes PKCS#8 for Java and PKCS#1 for all others: both are taken.
    pub(crate) fn parse(text: &str) -> Result<Self, KeyError> {
        let der = pem::der(text).ok_or(KeyError::Private)?;
        RsaKeyPair::from_pkcs8(&der)
            .or_else(|_| RsaKeyPair::from_der(&der))
            .map(Self)
            .map_err(|_| KeyError::Private)
    }

    /// The public half: `RSAPublicKey`, DER.
    pub(crate) fn public_key(&self) -> &[u8] {
        self.0.public_key().as_ref()
    }

    /// The base64 signature, or nothing when the cryptographic library fails.
    pub(crate) fn sign(&self, message: &[u8]) -> Option<String> {
        let mut signature = vec![0; self.0.public_modulus_len()];
        self.0
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature)
            .ok()?;
        Some(STANDARD.encode(signature))
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({} bits)", self.0.public_modulus_len() * 8)
    }
}

/// Alipay's public key.
#[derive(Debug)]
pub(crate) struct VerifyingKey(ParsedPublicKey);

impl VerifyingKey {
    pub(crate) fn parse(text: &str) -> Result<Self, KeyError> {
        Self::from_der(&pem::der(text).ok_or(KeyError::Public)?)
    }

    /// Reads SPKI or PKCS#1.
    pub(crate) fn from_der(der: &[u8]) -> Result<Self, KeyError> {
        ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, der)
            .map(Self)
            .map_err(|_| KeyError::Public)
    }

    /// Whether this base64 signature is Alipay's over the message.
    pub(crate) fn verifies(&self, message: &[u8], signature: &str) -> bool {
        STANDARD
            .decode(signature)
            .is_ok_and(|signature| self.0.verify_sig(message, &signature).is_ok())
    }
}

/// How it is known that Alipay said something.
#[derive(Debug)]
pub(crate) struct Verifier {
    /// Alipay's key.
    pub(crate) key: VerifyingKey,
    /// The number of Alipay's certificate in certificate mode: answers name the one that they were signed with.
    pub(crate) certificate: Option<String>,
}

impl Verifier {
    /// Whether an answer that names this certificate, if any, can be verified with the key.
    pub(crate) fn knows(&self, named: Option<&str>) -> bool {
        match &self.certificate {
            Some(loaded) => named == Some(loaded),
            None => true,
        }
    }
}
