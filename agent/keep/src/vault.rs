//! Bytes kept under a key (SM4-GCM), and keys kept under a PIN.
//!
//! PIN to key: scrypt, RFC 7914. A copied file can be tried without its retry counter and a PIN has little
//! entropy, so the derivation must cost memory; PBKDF2 with HMAC-SM3 (GM/T 0091-2020) costs a graphics card
//! next to nothing. Crate `scrypt`: maintained by `RustCrypto`, of the generation that the workspace uses.
use base64::{Engine as _, engine::general_purpose::STANDARD};
use getrandom::SysRng;
use rand_core::{Rng as _, UnwrapErr};
use serde::{Deserialize, Serialize};
use yinxin_pki::symmetric::{KEY_BYTES, sm4_gcm_open, sm4_gcm_seal};
use zeroize::{ZeroizeOnDrop, Zeroizing};

const SALT_BYTES: usize = 16;
/// Block size and parallelism of scrypt; with 2^15 blocks one try costs 32 MiB (OWASP's third line).
const SCRYPT_R: u32 = 8;
const SCRYPT_P: u32 = 3;

/// What one derivation of a key costs: 2^n blocks of one KiB.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct Cost(u8);

/// Why sealed bytes did not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// Another key, another purpose, or changed bytes: GCM does not say which.
    #[error("the sealed bytes do not open")]
    Refused,
    /// Not of the shape that sealing gives.
    #[error("the sealed bytes are malformed")]
    Malformed,
}

/// A key that seals what is kept in a file; wiped when dropped.
#[derive(Clone, ZeroizeOnDrop)]
pub struct StorageKey([u8; KEY_BYTES]);

/// Bytes written as base64; sealed ones are nonce, ciphertext and tag.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Base64(pub Vec<u8>);

/// Bytes sealed under a PIN, with what the derivation of the key needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PinSealed {
    scrypt_log_n: Cost,
    salt: Base64,
    sealed: Base64,
}

impl Cost {
    /// What is used outside of tests.
    pub const STANDARD: Self = Self(15);

    /// From 10 (for tests: no protection) to 20 (one GiB).
    pub fn new(log_n: u8) -> Option<Self> {
        (10..=20).contains(&log_n).then_some(Self(log_n))
    }
}

impl TryFrom<u8> for Cost {
    type Error = &'static str;

    fn try_from(log_n: u8) -> Result<Self, Self::Error> {
        Self::new(log_n).ok_or("scrypt's cost is out of bounds")
    }
}

impl From<Cost> for u8 {
    fn from(cost: Cost) -> Self {
        cost.0
    }
}

impl StorageKey {
    /// A fresh key.
    pub fn random() -> Self {
        let mut key = Self([0; KEY_BYTES]);
        rng().fill_bytes(&mut key.0);
        key
    }

    /// Takes a key's bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, OpenError> {
        let mut key = Self([0; KEY_BYTES]);
        if bytes.len() != KEY_BYTES {
            return Err(OpenError::Malformed);
        }
        key.0.copy_from_slice(bytes);
        Ok(key)
    }

    /// The key's bytes, to be sealed under a PIN.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// Seals bytes for one purpose; they open for that purpose only. The nonce is random, which is safe here: a key seals
    /// a few dozen times, far from 2^32.
    pub fn seal(&self, purpose: &[u8], plaintext: &[u8]) -> Base64 {
        Base64(sm4_gcm_seal(&self.0, purpose, plaintext, &mut rng()))
    }

    /// Opens what was sealed under this key for this purpose.
    pub fn open(&self, purpose: &[u8], sealed: &Base64) -> Result<Zeroizing<Vec<u8>>, OpenError> {
        sm4_gcm_open(&self.0, purpose, &sealed.0).map_err(|_| OpenError::Refused)
    }

    fn derive(pin: &[u8], salt: &[u8], cost: Cost) -> Result<Self, OpenError> {
        let parameters = scrypt::Params::new(cost.0, SCRYPT_R, SCRYPT_P).map_err(|_| OpenError::Malformed)?;
        let mut key = Self([0; KEY_BYTES]);
        scrypt::scrypt(pin, salt, &parameters, &mut key.0).map_err(|_| OpenError::Malformed)?;
        Ok(key)
    }
}

impl PinSealed {
    /// Seals bytes under a key derived from a PIN and a fresh salt.
    pub fn seal(pin: &[u8], cost: Cost, purpose: &[u8], plaintext: &[u8]) -> Result<Self, OpenError> {
        let mut salt = [0; SALT_BYTES];
        rng().fill_bytes(&mut salt);
        let sealed = StorageKey::derive(pin, &salt, cost)?.seal(purpose, plaintext);
        Ok(Self {
            scrypt_log_n: cost,
            salt: Base64(salt.to_vec()),
            sealed,
        })
    }

    /// What its derivation costs.
    pub fn cost(&self) -> Cost {
        self.scrypt_log_n
    }

    /// Opens it with the PIN; [`OpenError::Refused`] when the PIN is another.
    pub fn open(&self, pin: &[u8], purpose: &[u8]) -> Result<Zeroizing<Vec<u8>>, OpenError> {
        StorageKey::derive(pin, &self.salt.0, self.scrypt_log_n)?.open(purpose, &self.sealed)
    }
}

impl TryFrom<String> for Base64 {
    type Error = base64::DecodeError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        STANDARD.decode(text).map(Self)
    }
}

impl From<Base64> for String {
    fn from(sealed: Base64) -> Self {
        STANDARD.encode(sealed.0)
    }
}

/// The operating system's random generator. A system without one cannot hold keys at all, so that ends the
/// program rather than passing through every signature here.
pub fn rng() -> UnwrapErr<SysRng> {
    UnwrapErr(SysRng)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_open_with_their_pin_and_purpose_only() {
        let cost = Cost::new(10).unwrap();
        let sealed = PinSealed::seal(b"123456", cost, b"key", b"plain").unwrap();
        assert_eq!(sealed.open(b"123456", b"key").unwrap().as_slice(), b"plain");
        assert_eq!(sealed.open(b"123457", b"key"), Err(OpenError::Refused));
        assert_eq!(sealed.open(b"123456", b"other"), Err(OpenError::Refused));
    }

    #[test]
    fn sealing_twice_gives_different_bytes_that_survive_json() {
        let key = StorageKey::random();
        let first = key.seal(b"p", b"plain");
        assert_ne!(first, key.seal(b"p", b"plain"));
        let read: Base64 = serde_json::from_str(&serde_json::to_string(&first).unwrap()).unwrap();
        assert_eq!(key.open(b"p", &read).unwrap().as_slice(), b"plain");
    }

    #[test]
    fn a_cost_out_of_bounds_is_refused_before_memory_is_spent() {
        assert!(serde_json::from_str::<Cost>("9").is_err());
        assert!(serde_json::from_str::<Cost>("40").is_err());
    }
}
