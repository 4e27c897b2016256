//! Where a CA's private key is used: in memory, or in a key management service that never gives it out.

use std::fmt;

use async_trait::async_trait;
use yinxin_pki::{PublicKey, SigningKey};

/// A private key that signs for a CA, an OCSP responder or another signer of the platform.
#[async_trait]
pub trait Signer: Send + Sync {
    /// The public half.
    fn public_key(&self) -> &PublicKey;

    /// Signs e = SM3(Z ‖ message), which [`PublicKey::message_digest`] computes; the answer is a DER signature. Callers verify
    /// it before they use it: a faulty signature, besides being useless, could give the key away.
    async fn sign_digest(&self, e: &[u8; 32]) -> Result<Vec<u8>, SignerError>;

    /// Signs a message.
    async fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignerError> {
        let e = self.public_key().message_digest(message);
        let signature = self.sign_digest(&e).await?;
        self.public_key()
            .verify_digest(&e, &signature)
            .map_err(|_| SignerError::Faulty)?;
        Ok(signature)
    }
}

/// Why there is no signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignerError {
    /// The key is out of reach for now.
    #[error("the signing key is not available")]
    Unavailable,
    /// The signature does not verify: a fault of the machine, or another key. It was thrown away.
    #[error("the signature just made does not verify")]
    Faulty,
}

/// A key in memory.
pub struct SoftwareKey(SigningKey);

impl SoftwareKey {
    /// A signer with this key.
    pub fn new(key: SigningKey) -> Self {
        Self(key)
    }
}

#[async_trait]
impl Signer for SoftwareKey {
    fn public_key(&self) -> &PublicKey {
        self.0.public_key()
    }

    async fn sign_digest(&self, e: &[u8; 32]) -> Result<Vec<u8>, SignerError> {
        self.0.sign_digest(e).map_err(|_| SignerError::Faulty)
    }
}

impl fmt::Debug for SoftwareKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SoftwareKey").field(self.public_key()).finish()
    }
}
