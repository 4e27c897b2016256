//! Keys of an authority: sealed under its data key, or in KMS.
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use yinxin_ca::{CaError, Signer, SoftwareKey};
use yinxin_pki::{Certificate, SigningKey};
use yinxin_store::vault::{DataKey, Vault, rng};

use super::AuthorityError;
use crate::kms_key::KmsKey;

/// Where a key is.
///
/// This type is used in stored state.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum StoredKey {
    /// Here, sealed.
    Software {
        /// PKCS#8, sealed under the authority's data key, base64.
        sealed: String,
    },
    /// In KMS, which never gives it out.
    Kms {
        /// Its id or ARN.
        key_id: String,
    },
}

/// What opens the keys of one authority.
pub struct AuthorityKeys {
    pub(super) vendor: String,
    pub(super) data_key: DataKey,
    vault: Option<Arc<dyn Vault>>,
}

impl AuthorityKeys {
    /// The keys of `vendor`: its data key opens those that are sealed, the vault uses those in KMS.
    pub fn new(vendor: &str, data_key: DataKey, vault: Arc<dyn Vault>) -> Self {
        AuthorityKeys {
            vendor: vendor.to_owned(),
            data_key,
            vault: Some(vault),
        }
    }

    /// The sealed keys alone.
    pub fn sealed(vendor: &str, data_key: DataKey) -> Self {
        AuthorityKeys {
            vendor: vendor.to_owned(),
            data_key,
            vault: None,
        }
    }

    /// The key `what`, which must be the one of `certificate`.
    pub(super) fn signer(
        &self,
        what: &str,
        stored: &StoredKey,
        certificate: &Certificate,
    ) -> Result<Arc<dyn Signer>, AuthorityError> {
        let certified = certificate
            .public_key()
            .ok_or(AuthorityError::Unreadable("a certificate holds no SM2 key"))?;
        let signer: Arc<dyn Signer> = match stored {
            StoredKey::Software { sealed } => {
                let sealed = STANDARD
                    .decode(sealed)
                    .map_err(|_| AuthorityError::Unreadable("the sealed key is not base64"))?;
                let opened = self.data_key.open(&context(&self.vendor, what), &sealed)?;
                let key = SigningKey::from_pkcs8_der(&opened)
                    .map_err(|_| AuthorityError::Unreadable("the sealed key is no SM2 key"))?;
                Arc::new(SoftwareKey::new(key))
            }
            StoredKey::Kms { key_id } => {
                let vault = self
                    .vault
                    .clone()
                    .ok_or(AuthorityError::Unreadable("there is no KMS for the key"))?;
                Arc::new(KmsKey::of(vault, key_id, certified.clone()))
            }
        };
        if signer.public_key() != certified {
            return Err(AuthorityError::SetUp(CaError::SetUp));
        }
        Ok(signer)
    }

    /// The key of this id in KMS, or a new one in software, sealed as `what`.
    pub(super) async fn make(
        &self,
        what: &str,
        kms_key: Option<&str>,
    ) -> Result<(StoredKey, Arc<dyn Signer>), AuthorityError> {
        let Some(key_id) = kms_key else {
            let key = SigningKey::generate(&mut rng());
            let stored = seal(&self.vendor, &self.data_key, what, &key);
            return Ok((stored, Arc::new(SoftwareKey::new(key))));
        };
        let vault = self
            .vault
            .clone()
            .ok_or(AuthorityError::Ceremony("there is no KMS for the key"))?;
        let key = KmsKey::open(vault, key_id).await?;
        let stored = StoredKey::Kms {
            key_id: key_id.to_owned(),
        };
        Ok((stored, Arc::new(key)))
    }
}

/// Seals a key as `what` of `vendor`.
pub(super) fn seal(vendor: &str, data_key: &DataKey, what: &str, key: &SigningKey) -> StoredKey {
    StoredKey::Software {
        sealed: STANDARD.encode(data_key.seal(&context(vendor, what), &key.to_pkcs8_der())),
    }
}

pub(super) const ROOT: &str = "root";

pub(super) fn issuing(generation: u32) -> String {
    match generation {
        // The name that it had before there were others.
        1 => "issuing".to_owned(),
        later => format!("issuing {later}"),
    }
}

pub(super) fn responder(generation: u32) -> String {
    format!("responder {generation}")
}

pub(super) fn list_signer(number: usize) -> String {
    format!("list signer {number}")
}

/// A sealed key opens only as the key, and for the vendor, that it was sealed for.
fn context(vendor: &str, what: &str) -> String {
    format!("authority {vendor} {what}")
}
