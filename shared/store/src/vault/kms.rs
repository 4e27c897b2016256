//! The vault behind AWS KMS and Secrets Manager.
use async_trait::async_trait;
use aws_sdk_kms::primitives::Blob;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::sync::OnceCell;
use yinxin_order::effect::Sealed;
use yinxin_order::identifiers::OrderId;
use zeroize::Zeroizing;

use super::{DataKey, Hashes, Purpose, Vault, kms_signing};
use crate::error::StoreError;

const CONTEXT: &str = "yinxin:for";

/// The names of keys and secrets; empty where the function has no right to use them anyway.
#[derive(Debug, Clone, Default)]
pub struct KmsVaultNames {
    /// The KMS key that wraps data keys of personal data.
    pub data_key_id: String,
    /// The KMS key of secrets for `notify`.
    pub secret_key_id: String,
    /// The KMS key that wraps keys of the CA.
    pub ca_key_id: String,
    /// The secret that keys hashes and tokens.
    pub lookup_secret_id: String,
}

/// Keys in AWS.
pub struct KmsVault {
    kms: aws_sdk_kms::Client,
    secrets: aws_sdk_secretsmanager::Client,
    names: KmsVaultNames,
    // Fetched with the first request that needs it, kept for the process's life.
    hashes: OnceCell<Hashes>,
}

impl KmsVault {
    /// A vault over these clients; calls nobody yet.
    pub fn new(
        kms: aws_sdk_kms::Client,
        secrets: aws_sdk_secretsmanager::Client,
        names: KmsVaultNames,
    ) -> Self {
        KmsVault {
            kms,
            secrets,
            names,
            hashes: OnceCell::new(),
        }
    }

    fn key_id(&self, purpose: Purpose) -> &str {
        match purpose {
            Purpose::Personal => &self.names.data_key_id,
            Purpose::Authority => &self.names.ca_key_id,
        }
    }
}

#[async_trait]
impl Vault for KmsVault {
    async fn new_data_key(&self, purpose: Purpose, context: &str) -> Result<DataKey, StoreError> {
        let made = self
            .kms
            .generate_data_key()
            .key_id(self.key_id(purpose))
            .number_of_bytes(16)
            .encryption_context(CONTEXT, context)
            .send()
            .await
            .map_err(StoreError::unavailable)?;
        let wrapped = made.ciphertext_blob.map(Blob::into_inner).unwrap_or_default();
        Ok(DataKey::new(plain_key(made.plaintext)?, wrapped))
    }

    async fn open_data_key(
        &self,
        purpose: Purpose,
        context: &str,
        wrapped: &[u8],
    ) -> Result<DataKey, StoreError> {
        let opened = self
            .kms
            .decrypt()
            .key_id(self.key_id(purpose))
            .ciphertext_blob(Blob::new(wrapped))
            .encryption_context(CONTEXT, context)
            .send()
            .await
            .map_err(StoreError::unavailable)?;
        Ok(DataKey::new(plain_key(opened.plaintext)?, wrapped.to_vec()))
    }

    async fn seal_secret(&self, order: &OrderId, secret: &str) -> Result<Sealed, StoreError> {
        let sealed = self
            .kms
            .encrypt()
            .key_id(&self.names.secret_key_id)
            .plaintext(Blob::new(secret))
            .encryption_context(CONTEXT, order.as_str())
            .send()
            .await
            .map_err(StoreError::unavailable)?;
        Ok(Sealed(STANDARD.encode(
            sealed.ciphertext_blob.map(Blob::into_inner).unwrap_or_default(),
        )))
    }

    async fn open_secret(&self, order: &OrderId, sealed: &Sealed) -> Result<Zeroizing<String>, StoreError> {
        let corrupt = || StoreError::Corrupt("a sealed secret cannot be read".to_owned());
        let wrapped = STANDARD.decode(&sealed.0).map_err(|_| corrupt())?;
        let opened = self
            .kms
            .decrypt()
            .key_id(&self.names.secret_key_id)
            .ciphertext_blob(Blob::new(wrapped))
            .encryption_context(CONTEXT, order.as_str())
            .send()
            .await
            .map_err(StoreError::unavailable)?;
        let bytes = opened.plaintext.map(Blob::into_inner).unwrap_or_default();
        String::from_utf8(bytes)
            .map(Zeroizing::new)
            .map_err(|_| corrupt())
    }

    async fn signing_public_key(&self, key_id: &str) -> Result<Vec<u8>, StoreError> {
        kms_signing::public_key(&self.kms, key_id).await
    }

    async fn sign_digest(&self, key_id: &str, e: &[u8; 32]) -> Result<Vec<u8>, StoreError> {
        kms_signing::sign_digest(&self.kms, key_id, e).await
    }

    async fn hashes(&self) -> Result<Hashes, StoreError> {
        let fetch = || async {
            let secret = self
                .secrets
                .get_secret_value()
                .secret_id(&self.names.lookup_secret_id)
                .send()
                .await
                .map_err(StoreError::unavailable)?;
            let key = secret.secret_string.unwrap_or_default();
            if key.len() < 32 {
                return Err(StoreError::Corrupt("the look-up secret is too short".to_owned()));
            }
            Ok(Hashes::new(key.into_bytes()))
        };
        self.hashes.get_or_try_init(fetch).await.cloned()
    }
}

fn plain_key(plaintext: Option<Blob>) -> Result<Zeroizing<[u8; 16]>, StoreError> {
    let bytes = Zeroizing::new(plaintext.map(Blob::into_inner).unwrap_or_default());
    let key: [u8; 16] = bytes
        .as_slice()
        .try_into()
        .map_err(|_| StoreError::Corrupt("a data key has not 16 bytes".to_owned()))?;
    Ok(Zeroizing::new(key))
}
