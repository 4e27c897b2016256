//! The nonce of a signature: RFC 6979 with HMAC-SM3, alone or with additional randomness (3.6).

use std::sync::LazyLock;

use hmac::{Hmac, KeyInit, Mac};
use sm3::Sm3;
use zeroize::Zeroizing;

use crate::scalar::Scalar;

/// An endless sequence of nonces for one private key and one digest. The first is as good as always the one used.
pub struct Nonces {
    /// HMAC with the key K: what it computes of the key alone is needed twice.
    keyed: Hmac<Sm3>,
    /// V.
    value: Zeroizing<[u8; 32]>,
}

impl Nonces {
    /// `additional` is mixed in whole; without it the sequence is determined by key and digest.
    pub fn new(secret: &Scalar, digest: &Scalar, additional: &[u8]) -> Self {
        static WITHOUT_KEY: LazyLock<Hmac<Sm3>> = LazyLock::new(|| keyed(&[0; 32]));
        let (secret, digest) = (Zeroizing::new(secret.to_bytes()), digest.to_bytes());
        let mut nonces = Self {
            keyed: WITHOUT_KEY.clone(),
            value: Zeroizing::new([1; 32]),
        };
        nonces.update(&[&[0], &secret[..], &digest, additional]);
        nonces.update(&[&[1], &secret[..], &digest, additional]);
        nonces
    }

    /// The next nonce in [1, n-1]. Numbers out of range are passed over, with a chance of 2^-32; how often says nothing about the one
    /// that is taken.
    pub fn next_nonce(&mut self) -> Scalar {
        loop {
            self.value = self.hmac(&[]);
            let nonce = Scalar::from_bytes(&self.value).filter(|nonce| nonce.is_zero() == 0);
            if let Some(nonce) = nonce {
                return nonce;
            }
            self.update(&[&[0]]);
        }
    }

    /// K = HMAC(K, V ‖ input); V = HMAC(K, V).
    fn update(&mut self, input: &[&[u8]]) {
        self.keyed = keyed(&self.hmac(input));
        self.value = self.hmac(&[]);
    }

    /// HMAC(K, V ‖ input).
    fn hmac(&self, input: &[&[u8]]) -> Zeroizing<[u8; 32]> {
        let mut mac = self.keyed.clone();
        mac.update(&self.value[..]);
        for part in input {
            mac.update(part);
        }
        Zeroizing::new(mac.finalize().into_bytes().into())
    }
}

fn keyed(key: &[u8; 32]) -> Hmac<Sm3> {
    <Hmac<Sm3> as KeyInit>::new_from_slice(key).expect("HMAC takes keys of any length")
}

#[cfg(test)]
mod tests;
