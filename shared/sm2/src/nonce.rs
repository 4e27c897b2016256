//! The nonce of a signature: RFC 6979 with HMAC-SM3, alone or with additional randomness (3.6).

use hmac::{Hmac, KeyInit, Mac};
use sm3::Sm3;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::scalar::Scalar;

/// An endless sequence of nonces for one private key and one digest. The first is as good as always the one used.
#[derive(ZeroizeOnDrop)]
pub struct Nonces {
    key: [u8; 32],
    value: [u8; 32],
}

impl Nonces {
    /// `additional` is mixed in whole; without it the sequence is determined by key and digest.
    pub fn new(secret: &Scalar, digest: &Scalar, additional: &[u8]) -> Self {
        let (mut secret, digest) = (secret.to_bytes(), digest.to_bytes());
        let mut nonces = Self {
            key: [0; 32],
            value: [1; 32],
        };
        nonces.update(&[&[0], &secret, &digest, additional]);
        nonces.update(&[&[1], &secret, &digest, additional]);
        secret.zeroize();
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
        self.key = self.hmac(input);
        self.value = self.hmac(&[]);
    }

    /// HMAC(K, V ‖ input).
    fn hmac(&self, input: &[&[u8]]) -> [u8; 32] {
        let mut mac =
            <Hmac<Sm3> as KeyInit>::new_from_slice(&self.key).expect("HMAC takes keys of any length");
        mac.update(&self.value);
        for part in input {
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }
}

#[cfg(test)]
mod tests;
