//! SM4 against the vectors of GM/T 0002-2012 and RFC 8998, appendix A.1.

use getrandom::SysRng;
use rand_core::UnwrapErr;

use super::*;

const KEY: [u8; 16] = [
    0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 0xfe, 0xdc, 0xba, 0x98, 0x76, 0x54, 0x32, 0x10,
];

#[test]
fn ecb_gives_the_standards_block() {
    let ciphertext = sm4_ecb_encrypt(&KEY, &KEY).unwrap();
    assert_eq!(hex::encode(&ciphertext), "681edf34d206965e86b3e94f536e4246");
    assert_eq!(sm4_ecb_decrypt(&KEY, &ciphertext).unwrap().as_slice(), KEY);
}

#[test]
fn ecb_takes_whole_blocks_only() {
    assert_eq!(sm4_ecb_encrypt(&KEY, &[0; 17]), None);
    assert_eq!(sm4_ecb_decrypt(&KEY, &[0; 15]), None);
}

#[test]
fn gcm_gives_the_ciphertext_and_tag_of_rfc_8998() {
    let nonce = hex::decode("00001234567800000000abcd")
        .unwrap()
        .try_into()
        .unwrap();
    let context = hex::decode("feedfacedeadbeeffeedfacedeadbeefabaddad2").unwrap();
    let plaintext: Vec<u8> = [0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff, 0xee, 0xaa]
        .iter()
        .flat_map(|byte| [*byte; 8])
        .collect();
    let expected = "17f399f08c67d5ee19d0dc9969c4bb7d5fd46fd3756489069157b282bb200735\
                    d82710ca5c22f0ccfa7cbf93d496ac15a56834cbcf98c397b4024a2691233b8d\
                    83de3541e4c2b58177e065a9bf7b62ec";
    assert_eq!(
        hex::encode(sm4_gcm_encrypt(&KEY, nonce, &context, &plaintext)),
        expected
    );
    let sealed = [&nonce[..], &hex::decode(expected).unwrap()].concat();
    assert_eq!(*sm4_gcm_open(&KEY, &context, &sealed).unwrap(), plaintext);
}

#[test]
fn sealed_data_opens_with_its_key_and_context_only() {
    let rng = &mut UnwrapErr(SysRng);
    let sealed = sm4_gcm_seal(&KEY, b"orders/1", b"secret", rng);
    assert_eq!(sealed.len(), NONCE_BYTES + 6 + TAG_BYTES);
    assert_eq!(
        sm4_gcm_open(&KEY, b"orders/1", &sealed).unwrap().as_slice(),
        b"secret"
    );
    assert_eq!(sm4_gcm_open(&KEY, b"orders/2", &sealed), Err(CannotOpen));
    assert_eq!(sm4_gcm_open(&[0; 16], b"orders/1", &sealed), Err(CannotOpen));
    for at in 0..sealed.len() {
        let mut changed = sealed.clone();
        changed[at] ^= 1;
        assert_eq!(sm4_gcm_open(&KEY, b"orders/1", &changed), Err(CannotOpen));
        assert_eq!(sm4_gcm_open(&KEY, b"orders/1", &sealed[..at]), Err(CannotOpen));
    }
}

#[test]
fn two_seals_of_one_secret_differ() {
    let rng = &mut UnwrapErr(SysRng);
    assert_ne!(
        sm4_gcm_seal(&KEY, b"", b"secret", rng),
        sm4_gcm_seal(&KEY, b"", b"secret", rng)
    );
}
