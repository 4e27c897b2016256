//! How fast the arithmetic is, beside the sm2 crate and OpenSSL on the same machine in the same run.
//!
//! `cargo xtask bench` runs it; docs/performance.md keeps the ratios. The two implementations take turns in short rounds, and each figure is
//! the median of the rounds, the ratio too: a busy machine slows both.
#![allow(
    clippy::unwrap_used,
    missing_docs,
    reason = "a failed set-up ends the measurement"
)]

use std::hint::black_box;
use std::process::Command;
use std::time::{Duration, Instant};

use sm2::dsa::signature::Signer;
use sm2::dsa::signature::hazmat::{PrehashSigner, PrehashVerifier, RandomizedPrehashSigner};
use sm2::elliptic_curve::sec1::ToSec1Point;
use sm3::{Digest, Sm3};
use yinxin_sm2::{Nonce, SecretScalar, VerifyingPoint};

const ROUNDS: usize = 51;
const ROUND: Duration = Duration::from_millis(25);
const ID: &str = "1234567812345678";

/// Operations per second in one round.
fn round(operation: &mut dyn FnMut()) -> f64 {
    let (start, mut count) = (Instant::now(), 0_u32);
    while start.elapsed() < ROUND {
        for _ in 0..8 {
            operation();
        }
        count += 8;
    }
    f64::from(count) / start.elapsed().as_secs_f64()
}

fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates[rates.len() / 2]
}

/// Both in turns; the rate of ours.
fn compare(name: &str, mut ours: impl FnMut(), mut theirs: impl FnMut()) -> f64 {
    let (mut own, mut other, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let pair = (round(&mut ours), round(&mut theirs));
        own.push(pair.0);
        other.push(pair.1);
        ratios.push(pair.0 / pair.1);
    }
    let (own, other, ratio) = (median(own), median(other), median(ratios));
    println!("{name:<44}{own:>10.0}/s{other:>10.0}/s{ratio:>8.2}");
    own
}

/// (sign, verify) per second as `openssl speed` measures them.
fn openssl() -> Option<(f64, f64)> {
    let output = Command::new("openssl")
        .args(["speed", "-seconds", "2", "sm2"])
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let line = text.lines().find(|line| line.contains("CurveSM2"))?;
    let mut words = line.split_whitespace().rev();
    let verify = words.next()?.parse().ok()?;
    Some((words.next()?.parse().ok()?, verify))
}

fn random() -> [u8; 32] {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).unwrap();
    bytes
}

fn main() {
    let message = [7_u8; 500];
    let d = random();
    let secret = SecretScalar::from_bytes(&d).unwrap();
    let point = secret.public_point();
    let theirs = sm2::dsa::SigningKey::from_slice(ID, &d).unwrap();
    // Z is kept with the key by both.
    let z = random();
    let digest = || -> [u8; 32] { Sm3::new().chain_update(z).chain_update(message).finalize().into() };
    let e = digest();
    println!(
        "One thread, {ROUNDS} rounds of {} ms each.\n{:<44}{:>12}{:>12}{:>8}",
        ROUND.as_millis(),
        "",
        "ours",
        "sm2 crate",
        "ratio"
    );
    let sign = compare(
        "sign 500 bytes, RFC 6979",
        || {
            black_box(secret.sign_digest(&digest(), Nonce::Deterministic));
        },
        || {
            black_box(theirs.sign(&message));
        },
    );
    compare(
        "sign a digest, hedged",
        || {
            black_box(secret.sign_digest(&e, Nonce::Hedged(&random())));
        },
        || {
            black_box(theirs.sign_prehash_with_rng(&mut getrandom::SysRng, &e).unwrap());
        },
    );
    let signature = secret.sign_digest(&e, Nonce::Deterministic);
    let their_signature: sm2::dsa::Signature = theirs.sign_prehash(&e).unwrap();
    let verify = compare(
        "verify 500 bytes",
        || assert!(point.verify_digest(&digest(), &signature)),
        || {
            assert!(
                theirs
                    .verifying_key()
                    .verify_prehash(&digest(), &their_signature)
                    .is_ok()
            );
        },
    );
    let encoded = point.to_bytes();
    let sec1 = theirs.verifying_key().to_sec1_bytes();
    compare(
        "verify a digest, key read anew",
        || {
            let point = VerifyingPoint::from_bytes(&encoded).unwrap();
            assert!(point.verify_digest(&e, &signature));
        },
        || {
            let key = sm2::dsa::VerifyingKey::from_sec1_bytes(ID, &sec1).unwrap();
            assert!(key.verify_prehash(&e, &their_signature).is_ok());
        },
    );
    compare(
        "new key pair",
        || {
            black_box(
                SecretScalar::from_bytes(&random())
                    .unwrap()
                    .public_point()
                    .to_bytes(),
            );
        },
        || {
            let secret = sm2::SecretKey::from_slice(&random()).unwrap();
            black_box(secret.public_key().to_sec1_bytes());
        },
    );
    let their_point = sm2::PublicKey::from_sec1_bytes(&sec1).unwrap();
    let their_scalar = *sm2::SecretKey::from_slice(&d).unwrap().to_nonzero_scalar();
    compare(
        "[d]P, the work of decryption",
        || {
            black_box(secret.multiply(&point).to_bytes());
        },
        || {
            let product = (their_point.to_projective() * their_scalar).to_affine();
            black_box(product.to_sec1_point(false));
        },
    );
    match openssl() {
        Some((their_sign, their_verify)) => println!(
            "\nOpenSSL: sign {their_sign:.0}/s, verify {their_verify:.0}/s; ours to OpenSSL: sign {:.1}, verify {:.1}",
            sign / their_sign,
            verify / their_verify
        ),
        None => println!("\nopenssl is not here or has no SM2: no comparison"),
    }
}
