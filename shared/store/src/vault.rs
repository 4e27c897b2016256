//! Keys: data keys for personal data (SM4-GCM under a key that KMS wraps), keyed hashes for look-ups (HMAC-SM3),
//! access tokens of orders, and secrets that only `notify` may open.
use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use getrandom::SysRng;
use rand_core::{CryptoRng, UnwrapErr};
use yinxin_order::effect::Sealed;
use yinxin_order::identifiers::OrderId;
use yinxin_pki::SigningKey;
use yinxin_pki::digest::{constant_time_eq, hmac_sm3, sm3};
use yinxin_pki::symmetric::{sm4_gcm_open, sm4_gcm_seal};
use zeroize::Zeroizing;

use crate::error::StoreError;

mod kms;
mod kms_signing;
pub use kms::{KmsVault, KmsVaultNames};

/// The system's random numbers.
pub fn rng() -> impl CryptoRng {
    UnwrapErr(SysRng)
}

/// Random bytes from the system.
pub fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    rand_core::Rng::fill_bytes(&mut rng(), &mut bytes);
    bytes
}

/// A data key: in the clear for this process, wrapped for the store.
#[derive(Clone)]
pub struct DataKey {
    plain: Zeroizing<[u8; 16]>,
    /// As KMS wrapped it.
    pub wrapped: Vec<u8>,
}

impl DataKey {
    /// A key from what a vault made or opened.
    pub fn new(plain: Zeroizing<[u8; 16]>, wrapped: Vec<u8>) -> Self {
        DataKey { plain, wrapped }
    }

    /// The key itself.
    pub fn plain(&self) -> &[u8; 16] {
        &self.plain
    }

    /// Seals `plaintext`; `context` has to be the same when it is opened.
    pub fn seal(&self, context: &str, plaintext: &[u8]) -> Vec<u8> {
        sm4_gcm_seal(&self.plain, context.as_bytes(), plaintext, &mut rng())
    }

    /// Opens what [`DataKey::seal`] sealed.
    pub fn open(&self, context: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, StoreError> {
        sm4_gcm_open(&self.plain, context.as_bytes(), sealed)
            .map_err(|_| StoreError::Corrupt(format!("the sealed part of {context} does not open")))
    }
}

/// Which key encryption key is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Personal data of orders and intakes.
    Personal,
    /// CA keys and escrowed encryption keys.
    Authority,
}

/// Keys behind an interface, so that tests need no KMS.
#[async_trait]
pub trait Vault: Send + Sync {
    /// A new data key for the thing that `context` names.
    async fn new_data_key(&self, purpose: Purpose, context: &str) -> Result<DataKey, StoreError>;

    /// Opens a wrapped data key of the thing that `context` names.
    async fn open_data_key(
        &self,
        purpose: Purpose,
        context: &str,
        wrapped: &[u8],
    ) -> Result<DataKey, StoreError>;

    /// Seals a short secret of an order so that only `notify` can open it.
    async fn seal_secret(&self, order: &OrderId, secret: &str) -> Result<Sealed, StoreError>;

    /// Opens what [`Vault::seal_secret`] sealed for the same order.
    async fn open_secret(&self, order: &OrderId, sealed: &Sealed) -> Result<Zeroizing<String>, StoreError>;

    /// The public half of a signing key that the vault keeps: DER `SubjectPublicKeyInfo`.
    async fn signing_public_key(&self, key_id: &str) -> Result<Vec<u8>, StoreError>;

    /// Signs an SM2 digest, e = SM3(Z ‖ message), with a key that the vault keeps; DER. The caller verifies it.
    async fn sign_digest(&self, key_id: &str, e: &[u8; 32]) -> Result<Vec<u8>, StoreError>;

    /// The keys of hashes and tokens.
    async fn hashes(&self) -> Result<Hashes, StoreError>;
}

/// Keyed hashes: look-ups without the value, and tokens that need no storage.
#[derive(Clone)]
pub struct Hashes {
    key: std::sync::Arc<Zeroizing<Vec<u8>>>,
}

impl Hashes {
    /// Hashes under `key`.
    pub fn new(key: Vec<u8>) -> Self {
        Hashes {
            key: std::sync::Arc::new(Zeroizing::new(key)),
        }
    }

    fn mac(&self, domain: &str, parts: &[&str]) -> [u8; 32] {
        let mut message = domain.as_bytes().to_vec();
        for part in parts {
            // Lengths keep the parts apart.
            message.extend_from_slice(&(part.len() as u64).to_be_bytes());
            message.extend_from_slice(part.as_bytes());
        }
        hmac_sm3(&self.key, &message)
    }

    /// A look-up hash of a value, in hex; `domain` keeps the uses apart.
    pub fn lookup(&self, domain: &str, value: &str) -> String {
        hex::encode(self.mac(domain, &[value]))
    }

    /// The hash of a one-time code, bound to what it is for.
    pub fn code(&self, key: &str, code: &str) -> String {
        hex::encode(self.mac("code", &[key, &code.to_ascii_uppercase()]))
    }

    /// The access token of an order: unguessable, and derived, so that it is stored nowhere.
    pub fn access_token(&self, order: &OrderId) -> String {
        URL_SAFE_NO_PAD.encode(self.mac("access-token", &[order.as_str()]))
    }

    /// Whether `token` is the access token of `order`.
    pub fn is_access_token(&self, order: &OrderId, token: &str) -> bool {
        constant_time_eq(self.access_token(order).as_bytes(), token.as_bytes())
    }

    /// Whether two hashes are the same, without telling by time where they differ.
    pub fn same(left: &str, right: &str) -> bool {
        constant_time_eq(left.as_bytes(), right.as_bytes())
    }
}

/// A test's signing key: its id says which, so it is as public as the id.
fn test_signing_key(key_id: &str) -> Result<SigningKey, StoreError> {
    SigningKey::from_scalar(&sm3(key_id.as_bytes())).map_err(|_| StoreError::NotFound)
}

/// A vault for tests: one fixed key, no KMS.
#[derive(Default)]
pub struct MemoryVault;

const TEST_KEY: [u8; 16] = *b"test key, public";

#[async_trait]
impl Vault for MemoryVault {
    async fn new_data_key(&self, _: Purpose, _: &str) -> Result<DataKey, StoreError> {
        Ok(DataKey::new(Zeroizing::new(TEST_KEY), TEST_KEY.to_vec()))
    }

    async fn open_data_key(&self, _: Purpose, _: &str, wrapped: &[u8]) -> Result<DataKey, StoreError> {
        Ok(DataKey::new(Zeroizing::new(TEST_KEY), wrapped.to_vec()))
    }

    async fn seal_secret(&self, order: &OrderId, secret: &str) -> Result<Sealed, StoreError> {
        let sealed = sm4_gcm_seal(
            &TEST_KEY,
            order.as_str().as_bytes(),
            secret.as_bytes(),
            &mut rng(),
        );
        Ok(Sealed(STANDARD.encode(sealed)))
    }

    async fn open_secret(&self, order: &OrderId, sealed: &Sealed) -> Result<Zeroizing<String>, StoreError> {
        let corrupt = || StoreError::Corrupt("a sealed secret does not open".to_owned());
        let sealed = STANDARD.decode(&sealed.0).map_err(|_| corrupt())?;
        let plain = sm4_gcm_open(&TEST_KEY, order.as_str().as_bytes(), &sealed).map_err(|_| corrupt())?;
        String::from_utf8(plain.to_vec())
            .map(Zeroizing::new)
            .map_err(|_| corrupt())
    }

    async fn signing_public_key(&self, key_id: &str) -> Result<Vec<u8>, StoreError> {
        Ok(test_signing_key(key_id)?.public_key().to_spki_der())
    }

    async fn sign_digest(&self, key_id: &str, e: &[u8; 32]) -> Result<Vec<u8>, StoreError> {
        test_signing_key(key_id)?
            .sign_digest(e)
            .map_err(|_| StoreError::NotFound)
    }

    async fn hashes(&self) -> Result<Hashes, StoreError> {
        Ok(Hashes::new(b"test key, public".to_vec()))
    }
}
