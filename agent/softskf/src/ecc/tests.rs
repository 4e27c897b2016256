use zeroize::Zeroizing;

use super::*;
use crate::{
    Cost, NewApplication, NewDevice, Pin, PinKind, Settings, constants::SECURE_USER_ACCOUNT, make_device,
};

// GM/T 0009-2012, 7.4 with the keys of gmsm's test "invalidOID" under the right identifier, as ENVELOPEDKEYBLOB.
const SIGNING_D: &str = "5cbd96822bb1491ec835ae9c09d4d3825e30bd9955e3c7031fbbe0e72d6fddf6";
const ENCRYPTION_D: &str = "4b431c5df04991ecfb26d86c7c747e011e95d23ed76e164e640e8424f895d345";
const ENCRYPTED_ZEROS: &str = "0504d55226f57042e0f2382ee8cd3b82";
const BLOB: &str = "01000000010400000001000000000000000000000000000000000000000000000000000000000000000000003ec6b59fece00ca37336c12f6d529aa84be07597e315eda1b7b58b0bef2fead9000100000000000000000000000000000000000000000000000000000000000000000000944a5887f6fad9808516755e81c62f41566dab0f56ca55ad7909880acc051ce1000000000000000000000000000000000000000000000000000000000000000057694b11557eba725291166508868e6988c596a30472bef32e03a3dcef6866270000000000000000000000000000000000000000000000000000000000000000760c5d4eb80f7ec4bb12026586e4badcd41c293b416618575894d9278214aa6c00000000000000000000000000000000000000000000000000000000000000003fea869801f94f1cf3839e9b666482703c86cef160af8a540daf9c6b9adff5b2685f05616055daf4948e44d76c366b16745f7a487614c0542d16871baa34be87100000004abfcab6cea65caf2c130b222ebe5199";

fn scalar(text: &str) -> SigningKey {
    SigningKey::from_scalar(&hex::decode(text).unwrap().try_into().unwrap()).unwrap()
}

/// A container whose signing key is the vector's, which no function of the standard could give it.
fn container() -> (tempfile::TempDir, Library, Handle) {
    let directory = tempfile::tempdir().unwrap();
    let pin = |text: &str| Pin::new(Zeroizing::new(text.to_owned())).unwrap();
    let settings = Settings::new(directory.path());
    let new = NewDevice {
        label: "Test token",
        serial: Some("SOFT0001"),
        auth_key: None,
        cost: Cost::new(10).unwrap(),
        application: Some(NewApplication {
            name: "Yinxin",
            admin_pin: &pin("adminpin"),
            admin_tries: 6,
            user_pin: &pin("123456"),
            user_tries: 6,
            create_rights: SECURE_USER_ACCOUNT,
        }),
    };
    make_device(&settings, &new).unwrap();
    let library = Library::new(settings);
    let device = library.connect("SOFT0001").unwrap();
    let application = library.open_application(device, "Yinxin").unwrap();
    library
        .verify_pin(application, PinKind::User, &pin("123456"), &mut 0)
        .unwrap();
    let handle = library.create_container(application, "first").unwrap();
    let open = library.container(handle).unwrap();
    let pair = open.seal_pair(Usage::Signing, &scalar(SIGNING_D)).unwrap();
    open.change(|held| {
        held.signing_key = Some(pair);
        Ok(())
    })
    .unwrap();
    (directory, library, handle)
}

#[test]
fn the_enveloped_key_of_the_standard_is_imported_in_each_layout() {
    let (_directory, library, container) = container();
    let blob = hex::decode(BLOB).unwrap();
    let key = scalar(ENCRYPTION_D);
    let cipher = key.public_key().encrypt(b"for the pair", &mut rng()).unwrap();
    let zeros = hex::decode(ENCRYPTED_ZEROS).unwrap();
    let right_aligned = blob.clone();
    let mut whole = blob.clone();
    whole[12..44].copy_from_slice(&[&zeros[..], &zeros].concat());
    let mut left_aligned = blob.clone();
    left_aligned[12..76].rotate_left(32);
    for layout in [right_aligned, whole, left_aligned] {
        library.import_key_pair(container, &layout).unwrap();
        assert_eq!(
            library.export_public_key(container, Usage::Encryption).unwrap(),
            *key.public_key()
        );
        let cipher = EccCipher::from_der(&cipher).unwrap();
        assert_eq!(
            library.decrypt(container, &cipher).unwrap().as_slice(),
            b"for the pair"
        );
        library
            .container(container)
            .unwrap()
            .change(|held| {
                held.encryption_key = None;
                Ok(())
            })
            .unwrap();
        assert_eq!(library.decrypt(container, &cipher), Err(Sar::KeyNotFound));
    }
}

#[test]
fn an_enveloped_key_that_does_not_fit_changes_nothing() {
    let (_directory, library, container) = container();
    let blob = hex::decode(BLOB).unwrap();
    let broken = |at: usize| {
        let mut blob = blob.clone();
        blob[at] ^= 1;
        library.import_key_pair(container, &blob)
    };
    // Version, cipher, bits, private key, public key, ciphertext's point, its digest, its length, its text.
    for (at, error) in [
        (0, Sar::Data),
        (5, Sar::NotSupported),
        (9, Sar::Data),
        (50, Sar::Data),
        (120, Sar::Data),
        (250, Sar::Data),
        (340, Sar::Data),
        (368, Sar::Data),
        (380, Sar::Data),
    ] {
        assert_eq!(broken(at), Err(error), "{at}");
    }
    assert_eq!(
        library.import_key_pair(container, &blob[..387]),
        Err(Sar::DataLength)
    );
    assert_eq!(
        library.export_public_key(container, Usage::Encryption),
        Err(Sar::KeyNotFound)
    );
}

#[test]
fn a_new_signing_key_takes_the_place_of_the_old_one_and_opens_nothing_of_its() {
    let (_directory, library, container) = container();
    let key = library.generate_key_pair(container, SGD_SM2_1).unwrap();
    assert_ne!(key, *scalar(SIGNING_D).public_key());
    assert_eq!(
        library.import_key_pair(container, &hex::decode(BLOB).unwrap()),
        Err(Sar::Data)
    );
    assert_eq!(
        library.generate_key_pair(container, 0x0001_0000),
        Err(Sar::InvalidParameter)
    );
    assert_eq!(library.export_public_key(container, Usage::Signing), Ok(key));
}

#[test]
fn a_public_key_exchanged_in_the_file_is_noticed() {
    let (directory, library, container) = container();
    let path = directory.path().join("SOFT0001.softskf");
    let text = std::fs::read_to_string(&path).unwrap();
    let held = hex::encode(scalar(SIGNING_D).public_key().to_sec1());
    let other = hex::encode(scalar(ENCRYPTION_D).public_key().to_sec1());
    std::fs::write(&path, text.replace(&held, &other)).unwrap();
    assert_eq!(library.sign(container, &[1; 32]), Err(Sar::File));
}

// GM/T 0003.5-2012: Z and e of the published example, by way of a digest object.
#[test]
fn a_digest_for_a_signer_is_e_of_the_standard() {
    let (_directory, library, container) = container();
    let device = library.connect("SOFT0001").unwrap();
    let key = scalar("3945208f7b2144b13f36e38ac6d39f95889393692860b51a42fb81ef4df7c5b8");
    let digest = |signer, text: &[u8]| {
        let handle = library.digest_init(device, 1, signer).unwrap();
        let mut out = Vec::new();
        library.digest_update(handle, &text[..3]).unwrap();
        library
            .digest_finish(handle, &text[3..], |_| Ok(crate::Delivered::Length))
            .unwrap();
        library
            .digest_finish(handle, &text[3..], |bytes| {
                out = bytes.to_vec();
                Ok(crate::Delivered::Bytes)
            })
            .unwrap();
        assert_eq!(library.digest_update(handle, b"x"), Err(Sar::HashObject));
        hex::encode(out)
    };
    let e = "f0b43e94ba45accaace692ed534382eb17e6ab5a19ce7b31f4486fdfc0d28640";
    assert_eq!(
        digest(Some((key.public_key(), "1234567812345678")), b"message digest"),
        e
    );
    let plain = "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0";
    assert_eq!(digest(None, b"abc"), plain);
    assert_eq!(digest(Some((key.public_key(), "")), b"abc"), plain);
    assert_eq!(library.digest_init(device, 2, None), Err(Sar::NotSupported));
    let handle = library.digest_init(device, 1, None).unwrap();
    assert_eq!(library.sign(handle, &[1; 32]), Err(Sar::InvalidHandle));
    assert_eq!(library.digest_update(container, b"x"), Err(Sar::InvalidHandle));
}
