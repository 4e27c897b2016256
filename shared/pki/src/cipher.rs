//! SM2 public-key encryption in the DER form of GM/T 0009-2012, 7.2.
//!
//! ```text
//! SM2Cipher ::= SEQUENCE {
//!     XCoordinate INTEGER, YCoordinate INTEGER,
//!     HASH OCTET STRING (SIZE(32)), CipherText OCTET STRING }
//! ```

use rand_core::CryptoRng;
use zeroize::Zeroizing;

use crate::key::{PublicKey, SigningKey};

/// Why nothing was encrypted or decrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CipherError {
    /// There is nothing to encrypt: SM2 needs at least one byte.
    #[error("an empty message cannot be encrypted with SM2")]
    Empty,
    /// The ciphertext is malformed or was made for another key; one error for all, so that nothing is learnt.
    #[error("the SM2 ciphertext does not decrypt with this key")]
    CannotDecrypt,
}

impl PublicKey {
    /// Encrypts a message to the holder of the private key; DER `SM2Cipher`.
    pub fn encrypt(
        &self,
        message: &[u8],
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<Vec<u8>, CipherError> {
        let key = ::sm2::pke::EncryptingKey::new(*self.as_inner());
        key.encrypt_der(&mut &mut *rng, message)
            .map_err(|_| CipherError::Empty)
    }
}

impl SigningKey {
    /// Decrypts a DER `SM2Cipher`.
    pub fn decrypt(&self, ciphertext: &[u8]) -> Result<Zeroizing<Vec<u8>>, CipherError> {
        // The crate's Debug of this type prints the private key: it must never leave this function.
        let key = ::sm2::pke::DecryptingKey::new(self.as_inner().clone());
        let plaintext = key
            .decrypt_der(ciphertext)
            .map_err(|_| CipherError::CannotDecrypt)?;
        if plaintext.is_empty() {
            return Err(CipherError::CannotDecrypt);
        }
        Ok(Zeroizing::new(plaintext))
    }
}
