//! The enveloped key against a published one (gmsm, `sm2_envelopedkey_test.go`, with the cipher put right).

use getrandom::SysRng;
use rand_core::UnwrapErr;

use super::*;

const SIGNING_KEY: &str = "5cbd96822bb1491ec835ae9c09d4d3825e30bd9955e3c7031fbbe0e72d6fddf6";
const ENCRYPTION_KEY: &str = "4b431c5df04991ecfb26d86c7c747e011e95d23ed76e164e640e8424f895d345";
const ENVELOPED: &str = "3081ef300c06082a811ccf55016801050030780220760c5d4eb80f7ec4bb12026586e4badcd41c293b41661857589\
    4d9278214aa6c02203fea869801f94f1cf3839e9b666482703c86cef160af8a540daf9c6b9adff5b20420685f05616055daf4948e44d76c36\
    6b16745f7a487614c0542d16871baa34be8704104abfcab6cea65caf2c130b222ebe519903420004944a5887f6fad9808516755e81c62f415\
    66dab0f56ca55ad7909880acc051ce157694b11557eba725291166508868e6988c596a30472bef32e03a3dcef6866270321003ec6b59fece0\
    0ca37336c12f6d529aa84be07597e315eda1b7b58b0bef2fead9";

fn key(scalar: &str) -> SigningKey {
    SigningKey::from_scalar(&hex::decode(scalar).unwrap().try_into().unwrap()).unwrap()
}

#[test]
fn the_published_key_opens() {
    let enveloped = EnvelopedKey::from_der(&hex::decode(ENVELOPED).unwrap()).unwrap();
    let opened = enveloped.open(&key(SIGNING_KEY)).unwrap();
    assert_eq!(hex::encode(&opened.to_scalar()[..]), ENCRYPTION_KEY);
    assert_eq!(opened.public_key(), enveloped.public_key());
}

#[test]
fn another_cipher_is_refused() {
    let cbc = ENVELOPED.replacen("55016801", "55016802", 1);
    let error = EnvelopedKey::from_der(&hex::decode(cbc).unwrap()).unwrap_err();
    assert_eq!(error, EnvelopeError::UnsupportedCipher);
}

#[test]
fn absent_parameters_and_bare_sm4_mean_the_same_cipher() {
    let enveloped = hex::decode(ENVELOPED).unwrap();
    for algorithm in ["300a06082a811ccf55016801", "300906072a811ccf550168"] {
        let algorithm = hex::decode(algorithm).unwrap();
        let changed = der::sequence(&[&algorithm, &enveloped[3 + 14..]]);
        assert!(
            EnvelopedKey::from_der(&changed)
                .unwrap()
                .open(&key(SIGNING_KEY))
                .is_ok()
        );
    }
    // Bare SM4 with an initial vector means CBC.
    let cbc = hex::decode("301b06072a811ccf550168041000000000000000000000000000000000").unwrap();
    let changed = der::sequence(&[&cbc, &enveloped[3 + 14..]]);
    assert_eq!(
        EnvelopedKey::from_der(&changed),
        Err(EnvelopeError::UnsupportedCipher)
    );
}

#[test]
fn every_changed_byte_is_noticed() {
    let enveloped = hex::decode(ENVELOPED).unwrap();
    let signing = key(SIGNING_KEY);
    let nul_parameter = 15..17;
    for at in (0..enveloped.len()).filter(|at| !nul_parameter.contains(at)) {
        let mut changed = enveloped.clone();
        changed[at] ^= 1;
        let opened = EnvelopedKey::from_der(&changed).and_then(|enveloped| enveloped.open(&signing));
        assert!(opened.is_err(), "byte {at}");
    }
}

#[test]
fn a_sealed_key_opens_with_its_signing_key_only() {
    let rng = &mut UnwrapErr(SysRng);
    let (signing, encryption) = (SigningKey::generate(rng), SigningKey::generate(rng));
    let enveloped = EnvelopedKey::seal(&encryption, signing.public_key(), rng);
    let read = EnvelopedKey::from_der(enveloped.as_der()).unwrap();
    assert_eq!(read, enveloped);
    assert_eq!(read.open(&signing).unwrap().to_scalar(), encryption.to_scalar());
    assert_eq!(read.open(&encryption).map(|_| ()), Err(EnvelopeError::CannotOpen));
}
