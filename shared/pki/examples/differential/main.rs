//! One side of the comparison with other implementations: a stream of keys, messages and signatures, made or judged.
//!
//! `cargo xtask differential` runs it together with `openssl.c` and `BouncyCastle.java`; docs/differential.md has the results.
//!
//! ```text
//! differential sign PAIRS SEED     writes cases: our signatures, and among them changed ones
//! differential jobs PAIRS SEED     writes jobs: keys and messages for others to sign
//! differential verify              reads cases of others, and changes each once more
//!
//! field  = length (two bytes, big-endian) ‖ bytes
//! job    = field PKCS#8 ‖ field SubjectPublicKeyInfo ‖ field message
//! case   = field SubjectPublicKeyInfo ‖ field message ‖ field signature (DER) ‖ 1 if it must verify, else 0
//! ```
#![allow(
    clippy::unwrap_used,
    missing_docs,
    reason = "a failed set-up ends the comparison"
)]

mod change;
mod stream;

use std::io::{self, BufReader, BufWriter, Read, Write};

use yinxin_pki::rand_core::Rng;
use yinxin_pki::{PublicKey, SigningKey};

use change::{changed, changed_bit};
use stream::Stream;

/// Messages for one key: an implementation may keep something between them.
const MESSAGES_OF_KEY: usize = 8;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["sign", pairs, seed] => sign(pairs.parse().unwrap(), seed),
        ["jobs", pairs, seed] => jobs(pairs.parse().unwrap(), seed),
        ["verify"] => verify(),
        _ => panic!("usage: differential sign PAIRS SEED | jobs PAIRS SEED | verify"),
    }
}

/// Calls for each message with its key and number.
fn each_message(pairs: usize, seed: &str, mut act: impl FnMut(usize, &SigningKey, &[u8], &mut Stream)) {
    let mut random = Stream::new(seed);
    let mut key = SigningKey::generate(&mut random);
    let mut edges = edge_keys().into_iter().cycle();
    for number in 0..pairs {
        if number % MESSAGES_OF_KEY == 0 {
            // Every fourth key is an edge one.
            key = match (number / MESSAGES_OF_KEY)
                .is_multiple_of(4)
                .then(|| edges.next())
                .flatten()
            {
                Some(edge) => edge,
                None => SigningKey::generate(&mut random),
            };
        }
        let message = message(number, &mut random);
        act(number, &key, &message, &mut random);
    }
}

/// Private numbers that are small, near n, or near a power of two.
fn edge_keys() -> Vec<SigningKey> {
    let order = "fffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d54123";
    let order: [u8; 32] = hex::decode(order).unwrap().try_into().unwrap();
    let mut scalars = Vec::new();
    for small in 1..=128_u8 {
        let mut scalar = [0; 32];
        scalar[31] = small;
        scalars.push(scalar);
        scalars.push(less(&order, u16::from(small) + 1));
    }
    for bit in 8..256 {
        let mut power = [0; 32];
        power[31 - bit / 8] = 1 << (bit % 8);
        scalars.extend([power, less(&power, 1)]);
        power[31] |= 1;
        scalars.push(power);
    }
    scalars
        .iter()
        .filter_map(|scalar| SigningKey::from_scalar(scalar).ok())
        .collect()
}

/// The number less a small one.
fn less(number: &[u8; 32], small: u16) -> [u8; 32] {
    let mut result = *number;
    let mut borrow = i32::from(small);
    for byte in result.iter_mut().rev() {
        let difference = i32::from(*byte) - borrow;
        *byte = u8::try_from(difference.rem_euclid(256)).unwrap();
        borrow = -difference.div_euclid(256);
    }
    result
}

/// Empty ones, short ones around the block size of SM3, and now and then a long one.
fn message(number: usize, random: &mut Stream) -> Vec<u8> {
    let length = match number % 1000 {
        0 => 0,
        1 => 4000 + random.below(1000),
        _ => random.below(200),
    };
    let mut message = vec![0; length];
    random.fill_bytes(&mut message);
    message
}

fn sign(pairs: usize, seed: &str) {
    let mut out = BufWriter::with_capacity(1 << 16, io::stdout().lock());
    let (mut good, mut bad) = (0, 0);
    each_message(pairs, seed, |number, key, message, random| {
        let signature = if number % 2 == 0 {
            key.sign(message)
        } else {
            key.sign_hedged(message, random)
        }
        .unwrap();
        let public = key.public_key();
        write_case(&mut out, public, message, &signature, true);
        good += 1;
        if number % 5 == 0 {
            let (message, signature) = changed(number / 5, message, &signature, random);
            write_case(&mut out, public, &message, &signature, false);
            bad += 1;
        }
    });
    out.flush().unwrap();
    eprintln!("yinxin: made {good} signatures, and {bad} changed ones");
}

fn jobs(pairs: usize, seed: &str) {
    let mut out = BufWriter::with_capacity(1 << 16, io::stdout().lock());
    // The form of a private key takes longer to write than a signature.
    let mut encoded = Vec::new();
    each_message(pairs, seed, |number, key, message, _| {
        if number % MESSAGES_OF_KEY == 0 {
            encoded = key.to_pkcs8_der().to_vec();
        }
        write_field(&mut out, &encoded);
        write_field(&mut out, &key.public_key().to_spki_der());
        write_field(&mut out, message);
    });
    out.flush().unwrap();
}

fn verify() {
    let mut input = BufReader::with_capacity(1 << 16, io::stdin().lock());
    let mut random = Stream::new("verify");
    let (mut good, mut bad, mut wrong) = (0_u64, 0_u64, 0_u64);
    while let Some(spki) = read_field(&mut input) {
        let message = read_field(&mut input).unwrap();
        let signature = read_field(&mut input).unwrap();
        let mut expected = [0];
        input.read_exact(&mut expected).unwrap();
        let key = PublicKey::from_spki_der(&spki).unwrap();
        let judged = key.verify(&message, &signature).is_ok();
        good += u64::from(judged);
        bad += u64::from(!judged);
        wrong += u64::from(judged != (expected == [1]));
        if expected == [1] {
            let (message, signature) = changed_bit(&message, &signature, &mut random);
            let judged = key.verify(&message, &signature).is_ok();
            bad += u64::from(!judged);
            wrong += u64::from(judged);
        }
    }
    eprintln!("yinxin: accepted {good}, refused {bad}, judged wrongly {wrong}");
    assert!(wrong == 0 && good > 0, "the implementations differ");
}

fn write_case(out: &mut impl Write, key: &PublicKey, message: &[u8], signature: &[u8], valid: bool) {
    write_field(out, &key.to_spki_der());
    write_field(out, message);
    write_field(out, signature);
    out.write_all(&[u8::from(valid)]).unwrap();
}

fn write_field(out: &mut impl Write, bytes: &[u8]) {
    let length = u16::try_from(bytes.len()).unwrap();
    out.write_all(&length.to_be_bytes()).unwrap();
    out.write_all(bytes).unwrap();
}

/// None at the end of the stream.
fn read_field(input: &mut impl Read) -> Option<Vec<u8>> {
    let mut length = [0; 2];
    input.read_exact(&mut length).ok()?;
    let mut bytes = vec![0; usize::from(u16::from_be_bytes(length))];
    input.read_exact(&mut bytes).unwrap();
    Some(bytes)
}
