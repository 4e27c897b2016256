//! Signatures and ciphertexts beside the sm2 crate, which reads and writes the same forms by other code.

#![allow(clippy::unwrap_used, reason = "a failed set-up fails the test")]

use getrandom::SysRng;
use proptest::prelude::*;
use rand_core::UnwrapErr;
use sm2::dsa;
use sm2::pke::{DecryptingKey, EncryptingKey};
use yinxin_pki::SigningKey;
use yinxin_pki::key::{DEFAULT_ID, signature_to_raw};

fn reference(key: &SigningKey) -> sm2::SecretKey {
    sm2::SecretKey::from_slice(&key.to_scalar()[..]).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn messages_are_signed_as_by_the_crate(scalar: [u8; 32], message: Vec<u8>) {
        use sm2::dsa::signature::Signer;
        if let Ok(key) = SigningKey::from_scalar(&scalar) {
            let theirs = dsa::SigningKey::new(DEFAULT_ID, &reference(&key)).unwrap();
            let theirs: dsa::Signature = theirs.sign(&message);
            let ours = key.sign(&message).unwrap();
            prop_assert_eq!(ours.clone(), theirs.to_der().as_bytes().to_vec());
            prop_assert!(key.public_key().verify(&message, &ours).is_ok());
        }
    }

    #[test]
    fn ciphertexts_are_read_by_both(scalar: [u8; 32], message in prop::collection::vec(any::<u8>(), 1..200)) {
        if let Ok(key) = SigningKey::from_scalar(&scalar) {
            let (theirs, rng) = (reference(&key), &mut UnwrapErr(SysRng));
            let ciphertext = key.public_key().encrypt(&message, rng).unwrap();
            let plaintext = DecryptingKey::new(theirs.clone()).decrypt_der(&ciphertext);
            prop_assert_eq!(plaintext.ok(), Some(message.clone()));
            let ciphertext = EncryptingKey::new(theirs.public_key()).encrypt_der(rng, &message).unwrap();
            prop_assert_eq!(key.decrypt(&ciphertext).unwrap().to_vec(), message);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    // Bytes put in, taken out and changed: DER has one form for each signature.
    #[test]
    fn the_same_forms_of_a_signature_are_accepted(at in 0_usize..72, byte: u8, kind in 0..4, r: [u8; 32], s: [u8; 32]) {
        if let Ok(signature) = dsa::Signature::from_slice(&[r, s].concat()) {
            let mut der = signature.to_der().as_bytes().to_vec();
            let at = at.min(der.len() - 1);
            match kind {
                0 => der[at] = byte,
                1 => der.insert(at, byte),
                2 => {
                    der.remove(at);
                }
                _ => {}
            }
            let theirs = dsa::Signature::from_der(&der).ok().map(|signature| signature.to_bytes().to_vec());
            prop_assert_eq!(signature_to_raw(&der).ok().map(|raw| raw.to_vec()), theirs);
        }
    }
}
