//! The blob against the published enveloped key of gmsm, laid out by hand with the offsets of a compiled header.

use getrandom::SysRng;
use proptest::prelude::*;
use rand_core::UnwrapErr;

use super::*;
use crate::key::SigningKey;

const SIGNING_KEY: &str = "5cbd96822bb1491ec835ae9c09d4d3825e30bd9955e3c7031fbbe0e72d6fddf6";
const ENCRYPTION_KEY: &str = "4b431c5df04991ecfb26d86c7c747e011e95d23ed76e164e640e8424f895d345";
const SESSION_KEY: &str = "a2e84cbffa31da2292928a373363b431";
const ENVELOPED: &str = "3081ef300c06082a811ccf55016801050030780220760c5d4eb80f7ec4bb12026586e4badcd41c293b41661857589\
    4d9278214aa6c02203fea869801f94f1cf3839e9b666482703c86cef160af8a540daf9c6b9adff5b20420685f05616055daf4948e44d76c36\
    6b16745f7a487614c0542d16871baa34be8704104abfcab6cea65caf2c130b222ebe519903420004944a5887f6fad9808516755e81c62f415\
    66dab0f56ca55ad7909880acc051ce157694b11557eba725291166508868e6988c596a30472bef32e03a3dcef6866270321003ec6b59fece0\
    0ca37336c12f6d529aa84be07597e315eda1b7b58b0bef2fead9";
const ZEROS: &str = "0000000000000000000000000000000000000000000000000000000000000000";
const WRAPPED: &str = "3ec6b59fece00ca37336c12f6d529aa84be07597e315eda1b7b58b0bef2fead9";
/// ECB(0) under the session key, twice.
const WRAPPED_ZEROS: &str = "0504d55226f57042e0f2382ee8cd3b820504d55226f57042e0f2382ee8cd3b82";

fn bytes(hex: &str) -> Vec<u8> {
    hex::decode(hex).unwrap()
}

fn enveloped() -> EnvelopedKey {
    EnvelopedKey::from_der(&bytes(ENVELOPED)).unwrap()
}

/// The blob of the published key with this `cbEncryptedPriKey`.
fn fixture(private_key: &str) -> Vec<u8> {
    bytes(
        &[
            "010000000104000000010000",
            private_key,
            "00010000",
            ZEROS,
            "944a5887f6fad9808516755e81c62f41566dab0f56ca55ad7909880acc051ce1",
            ZEROS,
            "57694b11557eba725291166508868e6988c596a30472bef32e03a3dcef686627",
            ZEROS,
            "760c5d4eb80f7ec4bb12026586e4badcd41c293b416618575894d9278214aa6c",
            ZEROS,
            "3fea869801f94f1cf3839e9b666482703c86cef160af8a540daf9c6b9adff5b2",
            "685f05616055daf4948e44d76c366b16745f7a487614c0542d16871baa34be87",
            "10000000",
            "4abfcab6cea65caf2c130b222ebe5199",
        ]
        .concat(),
    )
}

fn right_aligned() -> Vec<u8> {
    fixture(&[ZEROS, WRAPPED].concat())
}

fn every_layout() -> [(Layout, Vec<u8>); 3] {
    [
        (Layout::RightAligned, right_aligned()),
        (
            Layout::EncryptedWhole,
            fixture(&[WRAPPED_ZEROS, WRAPPED].concat()),
        ),
        (Layout::LeftAligned, fixture(&[WRAPPED, ZEROS].concat())),
    ]
}

#[test]
fn every_layout_is_written_to_the_byte() {
    let session_key = bytes(SESSION_KEY).try_into().unwrap();
    for (layout, wanted) in every_layout() {
        assert_eq!(wanted.len(), BLOB_BYTES);
        let blob = match layout {
            Layout::EncryptedWhole => EnvelopedKeyBlob::encrypted_whole(&enveloped(), &session_key),
            layout => EnvelopedKeyBlob::new(&enveloped(), layout),
        }
        .unwrap();
        assert_eq!(hex::encode(blob.as_bytes()), hex::encode(wanted), "{layout:?}");
        assert_eq!(blob.layout(), layout);
    }
}

#[test]
fn every_layout_is_recognised_and_leads_back_to_the_published_key() {
    let signing = SigningKey::from_scalar(&bytes(SIGNING_KEY).try_into().unwrap()).unwrap();
    for (layout, blob) in every_layout() {
        let blob = EnvelopedKeyBlob::from_bytes(&blob).unwrap();
        assert_eq!(blob.layout(), layout);
        let back = blob.to_enveloped_key().unwrap();
        assert_eq!(back, enveloped(), "{layout:?}");
        let opened = back.open(&signing).unwrap();
        assert_eq!(hex::encode(&opened.to_scalar()[..]), ENCRYPTION_KEY);
    }
}

#[test]
fn the_whole_layout_takes_the_session_key() {
    let refused = EnvelopedKeyBlob::new(&enveloped(), Layout::EncryptedWhole);
    assert_eq!(refused, Err(BlobError::SessionKeyNeeded));
}

#[test]
fn new_keys_come_back_whole_even_with_short_coordinates() {
    let rng = &mut UnwrapErr(SysRng);
    // One coordinate in 256 begins with a zero, which DER leaves out and the blob writes.
    let signing = SigningKey::generate(rng);
    let mut short = 0;
    for _ in 0..2_000 {
        let enveloped = EnvelopedKey::seal(
            &SigningKey::from_scalar(&[7; 32]).unwrap(),
            signing.public_key(),
            rng,
        );
        let blob = EnvelopedKeyBlob::new(&enveloped, Layout::RightAligned).unwrap();
        short += usize::from(blob.as_bytes()[240] == 0 || blob.as_bytes()[304] == 0);
        let back = EnvelopedKeyBlob::from_bytes(blob.as_bytes()).unwrap();
        assert_eq!(back.to_enveloped_key().unwrap().as_der(), enveloped.as_der());
        if short > 1 {
            break;
        }
    }
    assert!(short > 0, "no short coordinate came up");
}

#[test]
fn another_version_cipher_or_size_is_refused() {
    for (at, octet, error) in [
        (0, 2, BlobError::Version),
        (3, 1, BlobError::Version),
        // SGD_SM1_ECB: no software knows the cipher. SGD_SM4_CBC.
        (5, 1, BlobError::UnsupportedCipher),
        (4, 2, BlobError::UnsupportedCipher),
        (9, 2, BlobError::KeySize),
        (77, 2, BlobError::KeySize),
        (368, 17, BlobError::KeySize),
        (370, 1, BlobError::KeySize),
        (80, 1, BlobError::Coordinate),
        (239, 1, BlobError::Coordinate),
        (12, 1, BlobError::Layout),
    ] {
        let mut blob = right_aligned();
        blob[at] = octet;
        let read = EnvelopedKeyBlob::from_bytes(&blob);
        assert_eq!(read, Err(error), "{at}");
    }
    for at in [112, 176, 240, 304] {
        let mut blob = right_aligned();
        blob[at] ^= 1;
        let read = EnvelopedKeyBlob::from_bytes(&blob);
        assert!(matches!(read, Err(BlobError::Point(_))), "{at}");
    }
    let nothing = fixture(&[ZEROS, ZEROS].concat());
    assert_eq!(EnvelopedKeyBlob::from_bytes(&nothing), Err(BlobError::Layout));
}

#[test]
fn another_length_is_refused() {
    let blob = right_aligned();
    for length in [0, 12, 372, 373, 387] {
        assert_eq!(
            EnvelopedKeyBlob::from_bytes(&blob[..length]),
            Err(BlobError::Length)
        );
    }
    let longer = [&blob[..], &[0]].concat();
    assert_eq!(EnvelopedKeyBlob::from_bytes(&longer), Err(BlobError::Length));
}

#[test]
fn an_enveloped_key_of_another_cipher_never_becomes_a_blob() {
    // The OID of SM4-CBC, 104.2.
    let cbc = bytes(&ENVELOPED.replacen("55016801", "55016802", 1));
    let refused = EnvelopedKey::from_der(&cbc);
    assert_eq!(
        refused,
        Err(crate::enveloped_key::EnvelopeError::UnsupportedCipher)
    );
}

#[test]
fn a_session_key_of_another_length_is_refused() {
    let signing = SigningKey::from_scalar(&[7; 32]).unwrap();
    let long = signing
        .public_key()
        .encrypt(&[1; 17], &mut UnwrapErr(SysRng))
        .unwrap();
    let enveloped = enveloped();
    let other = EnvelopedKey::from_parts(
        long,
        enveloped.public_key().clone(),
        *enveloped.encrypted_private_key(),
    );
    assert_eq!(
        EnvelopedKeyBlob::new(&other, Layout::LeftAligned),
        Err(BlobError::SessionKey)
    );
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]

    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..512)) {
        prop_assert!(EnvelopedKeyBlob::from_bytes(&bytes).is_err());
    }

    #[test]
    fn a_changed_byte_is_refused_or_another_blob(at in 0..BLOB_BYTES, octet in any::<u8>()) {
        let mut blob = right_aligned();
        blob[at] = octet;
        if let Ok(read) = EnvelopedKeyBlob::from_bytes(&blob) {
            let back = read.to_enveloped_key().unwrap();
            prop_assert_eq!(back == enveloped(), blob == right_aligned());
            let again = EnvelopedKeyBlob::new(&back, Layout::RightAligned).unwrap();
            prop_assert_eq!(&again.as_bytes()[..], &blob[..]);
        }
    }
}
