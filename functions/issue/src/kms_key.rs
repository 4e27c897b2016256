//! A CA's key that the vault keeps and never gives out: AWS KMS with key spec SM2.
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use tracing::warn;
use yinxin_ca::{Signer, SignerError};
use yinxin_pki::PublicKey;
use yinxin_store::StoreError;
use yinxin_store::vault::Vault;

use crate::authority::AuthorityError;

/// A key in KMS.
pub struct KmsKey {
    vault: Arc<dyn Vault>,
    key_id: String,
    public_key: PublicKey,
}

impl KmsKey {
    /// The key of this id or ARN; asks for its public half, which must be an SM2 key.
    pub async fn open(vault: Arc<dyn Vault>, key_id: &str) -> Result<Self, AuthorityError> {
        let spki = vault.signing_public_key(key_id).await?;
        let public_key = PublicKey::from_spki_der(&spki)
            .map_err(|_| AuthorityError::Unreadable("the key in KMS is no SM2 key"))?;
        Ok(KmsKey::of(vault, key_id, public_key))
    }

    /// The key of this id, whose public half is known from its certificate. Nobody is asked: a signature by another key
    /// does not verify and is thrown away.
    pub fn of(vault: Arc<dyn Vault>, key_id: &str, public_key: PublicKey) -> Self {
        KmsKey {
            vault,
            key_id: key_id.to_owned(),
            public_key,
        }
    }
}

#[async_trait]
impl Signer for KmsKey {
    fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    async fn sign_digest(&self, e: &[u8; 32]) -> Result<Vec<u8>, SignerError> {
        let signature = match self.vault.sign_digest(&self.key_id, e).await {
            Ok(signature) => signature,
            Err(error) => {
                let cause = std::error::Error::source(&error).map_or_else(String::new, ToString::to_string);
                warn!(key.id = %self.key_id, cause, "the key {} does not sign: {error}", self.key_id);
                return Err(match error {
                    StoreError::Unavailable(_) => SignerError::Unavailable,
                    _ => SignerError::Faulty,
                });
            }
        };
        self.public_key
            .verify_digest(e, &signature)
            .map_err(|_| SignerError::Faulty)?;
        Ok(signature)
    }
}

impl fmt::Debug for KmsKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KmsKey")
            .field("key_id", &self.key_id)
            .finish_non_exhaustive()
    }
}
