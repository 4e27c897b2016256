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

// Made with `openssl enc -sm4-cbc -K 0123456789abcdeffedcba9876543210 -iv 000102030405060708090a0b0c0d0e0f`.
#[test]
fn cbc_gives_what_openssl_gives_and_opens_it() {
    let iv: [u8; 16] = std::array::from_fn(|index| u8::try_from(index).unwrap());
    for (plaintext, expected) in [
        ("", "4b910651754b5553f10cfa0c8a09e9e5"),
        ("hello", "1342ad943c12b3c9ceb95e227b901d0b"),
        (
            "0123456789abcdef",
            "9d193c43fdc9ac44b40c27629ea9df0c8dce12d6419f61023c46b703dbd1bd2d",
        ),
        (
            "sixteen bytes ofand a few more",
            "1327ee695a3633037874aae00d3b1b60417f215726e4d6f48d6e69435ea41317",
        ),
    ] {
        let ciphertext = sm4_cbc_encrypt(&KEY, &iv, plaintext.as_bytes());
        assert_eq!(hex::encode(&ciphertext), expected);
        assert_eq!(
            sm4_cbc_decrypt(&KEY, &iv, &ciphertext).unwrap().as_slice(),
            plaintext.as_bytes()
        );
    }
}

#[test]
fn cbc_with_a_broken_padding_does_not_open() {
    let iv = [0; 16];
    let mut ciphertext = sm4_cbc_encrypt(&KEY, &iv, b"sixteen bytes of");
    assert_eq!(sm4_cbc_decrypt(&KEY, &iv, &ciphertext[..31]), Err(CannotOpen));
    assert_eq!(sm4_cbc_decrypt(&KEY, &iv, &[]), Err(CannotOpen));
    // The last byte of the first block flips the last byte of the padding.
    ciphertext[15] ^= 1;
    assert_eq!(sm4_cbc_decrypt(&KEY, &iv, &ciphertext), Err(CannotOpen));
}
