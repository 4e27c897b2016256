//! Sealing of escrowed keys: they rest only encrypted, bound to the record that they belong to.

use std::fmt;

use rand_core::CryptoRng;
use yinxin_pki::Zeroizing;
use yinxin_pki::symmetric::{KEY_BYTES, sm4_gcm_open, sm4_gcm_seal};

/// Seals secrets at rest. `context` is authenticated with the secret and must be given again to open it.
pub trait Sealer: Send + Sync {
    /// Seals a secret.
    fn seal(&self, context: &[u8], secret: &[u8], rng: &mut dyn CryptoRng) -> Result<Vec<u8>, SealError>;

    /// Opens a sealed secret.
    fn open(&self, context: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError>;
}

/// Why a secret was not sealed or opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// The sealed secret was changed, or belongs to another key or context.
    #[error("the sealed secret does not open here")]
    Refused,
    /// The key is out of reach for now.
    #[error("the sealing key is not available")]
    Unavailable,
}

/// Seals with SM4-GCM under one data key, which the caller keeps wrapped (for instance by KMS).
pub struct DataKeySealer {
    key: Zeroizing<[u8; KEY_BYTES]>,
}

impl DataKeySealer {
    /// A sealer with this unwrapped data key.
    pub fn new(key: Zeroizing<[u8; KEY_BYTES]>) -> Self {
        Self { key }
    }
}

impl Sealer for DataKeySealer {
    fn seal(&self, context: &[u8], secret: &[u8], rng: &mut dyn CryptoRng) -> Result<Vec<u8>, SealError> {
        Ok(sm4_gcm_seal(&self.key, context, secret, rng))
    }

    fn open(&self, context: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
        sm4_gcm_open(&self.key, context, sealed).map_err(|_| SealError::Refused)
    }
}

impl fmt::Debug for DataKeySealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DataKeySealer").finish_non_exhaustive()
    }
}
