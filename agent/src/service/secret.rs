//! Random secrets of 256 bits, as text for headers and addresses.
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use rand_core::Rng as _;
use yinxin_pki::{constant_time_eq, sm3};
use zeroize::Zeroizing;

use crate::token::vault::rng;

const BYTES: usize = 32;

/// A fresh secret: 43 characters of base64url.
pub fn fresh() -> Zeroizing<String> {
    let mut bytes = Zeroizing::new([0; BYTES]);
    rng().fill_bytes(&mut bytes[..]);
    Zeroizing::new(URL_SAFE_NO_PAD.encode(&bytes[..]))
}

/// Under what a secret is kept. A plain digest is enough: there is nothing to guess.
pub fn hashed(secret: &str) -> [u8; 32] {
    sm3(secret.as_bytes())
}

/// Whether a text is the secret with this digest, in a time that tells nothing.
pub fn matches(text: &str, digest: &[u8; 32]) -> bool {
    constant_time_eq(&hashed(text), digest)
}
