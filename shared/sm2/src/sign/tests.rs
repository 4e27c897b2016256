//! Signatures: the worked example, the sm2 crate, and crafted ones.

use getrandom::SysRng;
use proptest::prelude::*;
use signature::hazmat::{PrehashSigner, PrehashVerifier, RandomizedPrehashSigner};
use sm2::dsa;

use super::*;
use crate::keys::tests::edge_scalars;

const ID: &str = "1234567812345678";

fn bytes(text: &str) -> [u8; 32] {
    hex::decode(text).unwrap().try_into().unwrap()
}

fn number(value: u64) -> Scalar {
    Scalar::reduced(&[value, 0, 0, 0])
}

/// The random bytes that the sm2 crate is given, so that both mix in the same.
struct Fixed([u8; 32]);

impl rand_core::TryRng for Fixed {
    type Error = core::convert::Infallible;
    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        Ok(0)
    }
    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        Ok(0)
    }
    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
        bytes.copy_from_slice(&self.0);
        Ok(())
    }
}

impl rand_core::TryCryptoRng for Fixed {}

fn reference(secret: &SecretScalar) -> dsa::SigningKey {
    dsa::SigningKey::from_slice(ID, &secret.to_bytes()[..]).unwrap()
}

fn raw(signature: &Signature) -> dsa::Signature {
    dsa::Signature::from_slice(&signature.to_bytes()).unwrap()
}

/// Both implementations make the same signatures and accept them.
fn check(secret: &SecretScalar, e: &[u8; 32], random: &[u8; 32]) {
    let reference = reference(secret);
    let ours = secret.sign_digest(e, Nonce::Deterministic);
    let theirs: dsa::Signature = reference.sign_prehash(e).unwrap();
    assert_eq!(raw(&ours), theirs);
    let hedged = secret.sign_digest(e, Nonce::Hedged(random));
    let theirs = reference.sign_prehash_with_rng(&mut Fixed(*random), e).unwrap();
    assert_eq!(raw(&hedged), theirs);
    for signature in [&ours, &hedged] {
        assert!(secret.public_point().verify_digest(e, signature));
        assert!(
            reference
                .verifying_key()
                .verify_prehash(e, &raw(signature))
                .is_ok()
        );
    }
}

// GM/T 0003.5-2012, the worked example of signing.
#[test]
fn the_worked_example_has_its_signature() {
    let d = bytes("3945208f7b2144b13f36e38ac6d39f95889393692860b51a42fb81ef4df7c5b8");
    let e = bytes("f0b43e94ba45accaace692ed534382eb17e6ab5a19ce7b31f4486fdfc0d28640");
    let k = bytes("59276e27d506861a16680f3ad9c02dccef3cc1fa3cdbe4ce6d54b80deac1bc21");
    let secret = SecretScalar::from_bytes(&d).unwrap();
    let [e_scalar, k] = [&e, &k].map(|bytes| Scalar::from_bytes(bytes).unwrap());
    let signature = secret.sign_with(&e_scalar, &k).unwrap();
    let expected_r = "f5a03b0648d2c4630eeac513e1bb81a15944da3827d5b74143ac7eaceee720b3";
    let expected_s = "b1b6aa29df212fd8763182bc0d421ca1bb9038fd1f7f42d4840b69c485bbc1aa";
    assert_eq!(hex::encode(signature.r.to_bytes()), expected_r);
    assert_eq!(hex::encode(signature.s.to_bytes()), expected_s);
    assert!(secret.public_point().verify_digest(&e, &signature));
}

#[test]
fn edge_keys_sign_as_another_implementation_does() {
    for d in edge_scalars() {
        let Ok(secret) = SecretScalar::from_bytes(&d.to_bytes()) else {
            assert_eq!(d, number(1).negate());
            continue;
        };
        check(&secret, &d.to_bytes(), &[7; 32]);
    }
}

#[test]
fn edge_digests_sign_as_another_implementation_does() {
    let secret = SecretScalar::from_bytes(&[0x21; 32]).unwrap();
    // n and what is above it are reduced by both.
    let order = bytes("fffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d54123");
    for e in [[0; 32], [0xff; 32], order, number(1).negate().to_bytes()] {
        check(&secret, &e, &[0; 32]);
    }
}

#[test]
fn edge_nonces_give_signatures_that_verify() {
    let secret = SecretScalar::from_bytes(&[0x21; 32]).unwrap();
    let e = [0x77; 32];
    for k in edge_scalars() {
        let signature = secret
            .sign_with(&Scalar::reduced(&limbs::from_bytes(&e)), &k)
            .unwrap();
        assert!(secret.public_point().verify_digest(&e, &signature), "{k:?}");
        let reference = reference(&secret);
        assert!(
            reference
                .verifying_key()
                .verify_prehash(&e, &raw(&signature))
                .is_ok()
        );
    }
}

#[test]
fn a_nonce_that_the_standard_forbids_is_passed_over() {
    let secret = SecretScalar::from_bytes(&[0x21; 32]).unwrap();
    let k = number(9);
    let x = Scalar::reduced(&generator::multiply(&k).to_affine().x.to_limbs());
    // r = e + x = 0
    assert_eq!(secret.sign_with(&x.negate(), &k), None);
    // r + k = 0
    assert_eq!(secret.sign_with(&x.add(&k).negate(), &k), None);
    // s = 0: k = r·d
    let d_inverse = secret.scalar().invert();
    let e = k.mul(&d_inverse).sub(&x);
    assert_eq!(secret.sign_with(&e, &k), None);
    assert!(secret.sign_with(&e.add(&Scalar::ONE), &k).is_some());
}

/// A signature that has (r, s) and the digest that it is right for, if \[s\]G + \[t\]P is the given multiple of G.
fn crafted(s: &Scalar, t: &Scalar, sum: &Scalar) -> ([u8; 32], Signature) {
    let r = t.sub(s);
    let x = Scalar::reduced(&generator::multiply(sum).to_affine().x.to_limbs());
    let signature = Signature { r, s: *s };
    (r.sub(&x).to_bytes(), signature)
}

#[test]
fn a_signature_whose_halves_are_the_same_point_verifies() {
    let secret = SecretScalar::from_bytes(&[0x33; 32]).unwrap();
    for t in [number(5), number(8), Scalar::reduced(&[1, 2, 3, 4])] {
        let s = t.mul(&secret.scalar().to_factor());
        let (e, signature) = crafted(&s, &t, &s.add(&s));
        assert!(secret.public_point().verify_digest(&e, &signature));
        let theirs = reference(&secret);
        assert!(
            theirs
                .verifying_key()
                .verify_prehash(&e, &raw(&signature))
                .is_ok()
        );
        let mut other = e;
        other[31] ^= 1;
        assert!(!secret.public_point().verify_digest(&other, &signature));
    }
}

#[test]
fn a_signature_that_says_nothing_of_the_key_is_refused() {
    // r + s = n: [s]G + [0]P has the right x for every key.
    let s = number(77);
    let (e, signature) = crafted(&s, &Scalar::default(), &s);
    for d in [[0x33; 32], [0x34; 32]] {
        let point = SecretScalar::from_bytes(&d).unwrap().public_point();
        assert!(!point.verify_digest(&e, &signature));
    }
}

#[test]
fn a_signature_whose_halves_are_opposite_is_refused() {
    let secret = SecretScalar::from_bytes(&[0x33; 32]).unwrap();
    for t in [number(5), number(8), Scalar::reduced(&[1, 2, 3, 4])] {
        let s = t.mul(&secret.scalar().to_factor()).negate();
        let r = t.sub(&s);
        let signature = Signature { r, s };
        // Infinity has no x. Were it taken for 0, e = r would be right; for 1, e = r - 1.
        for e in [r, r.sub(&Scalar::ONE)] {
            assert!(!secret.public_point().verify_digest(&e.to_bytes(), &signature));
        }
    }
}

#[test]
fn r_and_s_out_of_range_are_refused() {
    let secret = SecretScalar::from_bytes(&[0x33; 32]).unwrap();
    let (e, point) = ([1; 32], secret.public_point());
    let good = secret.sign_digest(&e, Nonce::Deterministic);
    assert_eq!(Signature::from_bytes(&good.to_bytes()), Ok(good));
    let order = bytes("fffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d54123");
    for bad in [[0; 32], order, [0xff; 32]] {
        for at in [0, 32] {
            let mut raw = good.to_bytes();
            raw[at..at + 32].copy_from_slice(&bad);
            assert_eq!(Signature::from_bytes(&raw), Err(OutOfRange));
        }
    }
    // r + s = n.
    let s = good.r.negate();
    assert!(!point.verify_digest(&e, &Signature { s, ..good }));
}

#[test]
fn any_changed_bit_is_refused() {
    let secret = SecretScalar::from_bytes(&[0x33; 32]).unwrap();
    let (e, point) = ([1; 32], secret.public_point());
    let good = secret.sign_digest(&e, Nonce::Hedged(&[3; 32]));
    for bit in 0..256 {
        let mut changed = e;
        changed[bit / 8] ^= 1 << (bit % 8);
        assert!(!point.verify_digest(&changed, &good), "bit {bit} of e");
    }
    for bit in 0..512 {
        let mut changed = good.to_bytes();
        changed[bit / 8] ^= 1 << (bit % 8);
        let accepted = Signature::from_bytes(&changed).is_ok_and(|changed| point.verify_digest(&e, &changed));
        assert!(!accepted, "bit {bit}");
    }
    let other = SecretScalar::from_bytes(&[0x34; 32]).unwrap().public_point();
    assert!(!other.verify_digest(&e, &good));
}

#[test]
fn signatures_of_the_other_implementation_verify() {
    for seed in 1..100 {
        let secret = SecretScalar::from_bytes(&[seed; 32]).unwrap();
        let e = [seed.wrapping_mul(31); 32];
        let theirs = reference(&secret).sign_prehash_with_rng(&mut SysRng, &e).unwrap();
        let signature = Signature::from_bytes(&theirs.to_bytes().into()).unwrap();
        assert!(secret.public_point().verify_digest(&e, &signature));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_key_and_digest_sign_as_in_another_implementation(d: [u8; 32], e: [u8; 32], random: [u8; 32]) {
        if let Ok(secret) = SecretScalar::from_bytes(&d) {
            check(&secret, &e, &random);
        }
    }

    #[test]
    fn any_signature_is_judged_as_by_another_implementation(d: [u8; 32], e: [u8; 32], r: [u8; 32], s: [u8; 32]) {
        if let Ok(secret) = SecretScalar::from_bytes(&d) {
            let theirs = dsa::Signature::from_slice(&[r, s].concat())
                .is_ok_and(|signature| reference(&secret).verifying_key().verify_prehash(&e, &signature).is_ok());
            let raw = [r, s].concat().try_into().unwrap();
            let ours = Signature::from_bytes(&raw).is_ok_and(|signature| secret.public_point().verify_digest(&e, &signature));
            assert_eq!(ours, theirs);
        }
    }
}
