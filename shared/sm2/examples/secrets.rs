//! Every operation with a secret, once, for a check that no branch and no address depends on it: see
//! docs/decisions/0005-own-sm2-arithmetic.md. With the argument `control` it does branch on a secret, and the check must say so.
#![allow(clippy::unwrap_used, missing_docs, reason = "a failed set-up ends the check")]

use std::hint::black_box;

use yinxin_sm2::{Nonce, SecretScalar, VerifyingPoint};

fn main() {
    let public = SecretScalar::from_bytes(&[7; 32]).unwrap().public_point();
    let point = VerifyingPoint::from_bytes(&public.to_bytes()).unwrap();
    // From here on valgrind is told that these bytes are a secret.
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).unwrap();
    if std::env::args().any(|argument| argument == "control") && bytes[31] == 0 {
        println!("the secret ends in zero");
    }
    let secret = SecretScalar::from_bytes(&bytes).unwrap();
    black_box(secret.public_point().to_bytes());
    black_box(secret.multiply(&point).to_bytes());
    black_box(secret.sign_digest(&[1; 32], Nonce::Deterministic).to_bytes());
    black_box(secret.sign_digest(&[1; 32], Nonce::Hedged(&[2; 32])).to_bytes());
}
