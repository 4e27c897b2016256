//! What WeChat Pay encrypts for the merchant: notifications and platform certificates, under the `APIv3` key.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use yinxin_pki::Zeroizing;
use yinxin_pki::symmetric::{KEY_BYTES, NONCE_BYTES, sm4_gcm_open};

use super::ConfigError;
use crate::Secret;

const AES_KEY_BYTES: usize = 32;

/// Encrypted contents, as notifications (`resource`) and the list of certificates (`encrypt_certificate`) hold them.
#[derive(Deserialize)]
pub(super) struct Sealed {
    algorithm: String,
    ciphertext: String,
    nonce: String,
    associated_data: Option<String>,
}

/// The `APIv3` key: 32 ASCII characters that the merchant chose.
pub(super) struct ApiKey {
    aes: Zeroizing<[u8; AES_KEY_BYTES]>,
    sm4: Zeroizing<[u8; KEY_BYTES]>,
}

impl ApiKey {
    pub(super) fn parse(key: &Secret) -> Result<Self, ConfigError> {
        let text = key.expose();
        let bytes: [u8; AES_KEY_BYTES] = text.as_bytes().try_into().map_err(|_| ConfigError::ApiKey)?;
        if !text.is_ascii() {
            return Err(ConfigError::ApiKey);
        }
        let mut sm4 = Zeroizing::new([0; KEY_BYTES]);
        sm4.copy_from_slice(&yinxin_pki::sm3(&bytes)[..KEY_BYTES]);
        Ok(Self {
            aes: Zeroizing::new(bytes),
            sm4,
        })
    }

    /// Nothing where it was not sealed under this key, or with an algorithm that is not WeChat Pay's.
    pub(super) fn open(&self, sealed: &Sealed) -> Option<Zeroizing<Vec<u8>>> {
        let nonce: [u8; NONCE_BYTES] = sealed.nonce.as_bytes().try_into().ok()?;
        let context = sealed.associated_data.as_deref().unwrap_or_default().as_bytes();
        let ciphertext = STANDARD.decode(&sealed.ciphertext).ok()?;
        match sealed.algorithm.as_str() {
            "AEAD_AES_256_GCM" => {
                let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &self.aes[..]).ok()?);
                let mut text = Zeroizing::new(ciphertext);
                let nonce = Nonce::assume_unique_for_key(nonce);
                let bytes = key
                    .open_in_place(nonce, Aad::from(context), &mut text)
                    .ok()?
                    .len();
                text.truncate(bytes);
                Some(text)
            }
            "AEAD_SM4_GCM" => sm4_gcm_open(&self.sm4, context, &[&nonce[..], &ciphertext].concat()).ok(),
            _ => None,
        }
    }
}
