//! What a constant-time check watches: every operation with a secret, once. See docs/decisions/0005-own-sm2-arithmetic.md.
#![allow(clippy::unwrap_used, missing_docs, reason = "a failed set-up ends the check")]

use std::hint::black_box;

use yinxin_sm2::{Nonce, SecretScalar, VerifyingPoint};

fn main() {
    let public = SecretScalar::from_bytes(&[7; 32])
        .unwrap()
        .public_point()
        .to_bytes();
    let point = VerifyingPoint::from_bytes(&public).unwrap();
    // From here on the bytes of `getrandom` are secrets.
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).unwrap();
    let secret = SecretScalar::from_bytes(&bytes).unwrap();
    black_box(secret.public_point().to_bytes());
    black_box(secret.multiply(&point).to_bytes());
    black_box(secret.sign_digest(&[1; 32], Nonce::Deterministic).to_bytes());
    black_box(secret.sign_digest(&[1; 32], Nonce::Hedged(&[2; 32])).to_bytes());
}
