//! The crate skf-rs, which knows nothing of this library, drives it: another reading of the standard.
#![allow(clippy::unwrap_used, reason = "a failed set-up fails the test")]
#![allow(unsafe_code, reason = "the environment is set before any other thread")]
mod common;

use common::*;
use skf_rs::{
    AppAttr, BlockCipherParameter, EnvelopedKeyData, FileAttr, LibLoader, PIN_TYPE_USER, SkfApp, SkfDevice,
};
use yinxin_pki::{
    EnvelopedKey, EnvelopedKeyBlob, PublicKey, SigningKey, key::signature_from_raw, skf_blob::Layout,
};

/// As skf-rs pads nothing itself: eight random bytes, zeros behind them, under SM4.
fn authenticate(device: &dyn SkfDevice) {
    let cipher = device.block_cipher().unwrap();
    let key = device.set_symmetric_key(0x401, &AUTH_KEY).unwrap();
    let challenge = [device.gen_random(8).unwrap(), vec![0; 8]].concat();
    cipher
        .encrypt_init(key.as_ref(), &BlockCipherParameter::default())
        .unwrap();
    let proof = cipher.encrypt(key.as_ref(), &challenge, 16).unwrap();
    device.device_auth(&proof).unwrap();
}

fn create(device: &dyn SkfDevice) -> Box<dyn SkfApp> {
    let attributes = AppAttr {
        admin_pin: "adminpin".to_owned(),
        admin_pin_retry_count: 6,
        user_pin: USER_PIN.to_owned(),
        user_pin_retry_count: 6,
        create_file_rights: 0x10,
    };
    device.create_app("skf-rs", &attributes).unwrap()
}

fn blob(enveloped: &EnvelopedKey, encryption: &PublicKey) -> EnvelopedKeyData {
    let bytes = *EnvelopedKeyBlob::new(enveloped, Layout::RightAligned)
        .unwrap()
        .as_bytes();
    let mut data = EnvelopedKeyData {
        version: 1,
        sym_alg_id: 0x401,
        bits: 256,
        encrypted_pri_key: bytes[12..76].try_into().unwrap(),
        ..EnvelopedKeyData::default()
    };
    data.pub_key.bit_len = 256;
    data.pub_key.x_coordinate[32..].copy_from_slice(&encryption.to_sec1()[1..33]);
    data.pub_key.y_coordinate[32..].copy_from_slice(&encryption.to_sec1()[33..]);
    data.ecc_cipher.ec_x = bytes[208..272].try_into().unwrap();
    data.ecc_cipher.ec_y = bytes[272..336].try_into().unwrap();
    data.ecc_cipher.hash = bytes[336..368].try_into().unwrap();
    data.ecc_cipher.cipher = bytes[372..].to_vec();
    data
}

#[test]
fn skf_rs_drives_the_library() {
    let directory = device();
    // SAFETY: this binary has one test, and no thread reads the environment beside it.
    unsafe { std::env::set_var("YINXIN_SOFTSKF_DIR", directory.path()) };
    let name = if cfg!(target_os = "macos") {
        "libyinxin_softskf.dylib"
    } else {
        "libyinxin_softskf.so"
    };
    let path = std::env::current_exe().unwrap().with_file_name(name);
    let engine = skf_rs::Engine::new(LibLoader::of_library_file(path.to_str().unwrap()).unwrap());
    let manager = engine.device_manager().unwrap();
    assert_eq!(manager.enumerate_device_name(true).unwrap(), [SERIAL]);
    assert_eq!(manager.device_state(SERIAL).unwrap(), 1);
    let device = manager.connect(SERIAL).unwrap();
    let info = device.info().unwrap();
    assert_eq!(
        (info.serial_number.as_str(), info.label.as_str()),
        (SERIAL, LABEL)
    );
    assert_eq!((info.dev_auth_alg_id, info.alg_hash_cap), (0x401, 1));

    authenticate(device.as_ref());
    let app = create(device.as_ref());
    assert_eq!(device.enumerate_app_name().unwrap(), [APPLICATION, "skf-rs"]);
    assert_eq!(app.enumerate_container_name().unwrap(), [""; 0]);
    assert!(app.create_container("first").is_err());
    assert!(app.verify_pin(PIN_TYPE_USER, "654321").is_err());
    assert_eq!(app.pin_info(PIN_TYPE_USER).unwrap().remain_retry_count, 5);
    app.verify_pin(PIN_TYPE_USER, USER_PIN).unwrap();
    let container = app.create_container("first").unwrap();
    let made = container.ecc_gen_key_pair(SM2_1).unwrap();
    let exported = container.ecc_export_public_key(true).unwrap();
    let key = PublicKey::from_sec1(&[&[4], &exported[36..68], &exported[100..132]].concat()).unwrap();

    let signature = container
        .ecc_sign(&key.message_digest(b"by way of skf-rs"))
        .unwrap();
    let raw: [u8; 64] = [&signature.r[32..], &signature.s[32..]]
        .concat()
        .try_into()
        .unwrap();
    let der = signature_from_raw(&raw).unwrap();
    assert_eq!(key.verify(b"by way of skf-rs", &der), Ok(()));
    if !openssl_is_missing() {
        assert!(openssl_verifies(&key.to_spki_der(), b"by way of skf-rs", &der));
    }
    device
        .ecc_verify(&made, &key.message_digest(b"by way of skf-rs"), &signature)
        .unwrap();
    assert!(
        device
            .ecc_verify(&made, &key.message_digest(b"other"), &signature)
            .is_err()
    );

    let rng = &mut yinxin_pki::rand_core::UnwrapErr(getrandom::SysRng);
    let encryption = SigningKey::generate(rng);
    let enveloped = EnvelopedKey::seal(&encryption, &key, rng);
    container
        .ecc_import_key_pair(&blob(&enveloped, encryption.public_key()))
        .unwrap();
    let imported = container.ecc_export_public_key(false).unwrap();
    assert_eq!(imported[36..68], encryption.public_key().to_sec1()[1..33]);

    let (session, wrapped) = container
        .sk_export(0x401, &blob(&enveloped, encryption.public_key()).pub_key)
        .unwrap();
    let cipher = device.block_cipher().unwrap();
    let padded = BlockCipherParameter {
        padding_type: 1,
        ..BlockCipherParameter::default()
    };
    cipher.encrypt_init(session.as_ref(), &padded).unwrap();
    let secret = cipher.encrypt(session.as_ref(), b"a secret", 16).unwrap();
    let opened = container.sk_import(0x401, &skf_rs_bytes(&wrapped)).unwrap();
    cipher.decrypt_init(opened.as_ref(), &padded).unwrap();
    assert_eq!(cipher.decrypt(opened.as_ref(), &secret, 16).unwrap(), b"a secret");

    let file = FileAttr::builder()
        .file_name("note")
        .file_size(4)
        .read_rights(0xFF)
        .write_rights(0x10)
        .build();
    app.create_file(&file).unwrap();
    app.write_file("note", 0, b"note").unwrap();
    assert_eq!(app.read_file("note", 1, 10).unwrap(), b"ote");
    assert_eq!(app.enumerate_file_name().unwrap(), ["note"]);
    assert_eq!(app.get_file_info("note").unwrap().file_size, 4);
    app.clear_secure_state().unwrap();
    assert!(container.ecc_sign(&[1; 32]).is_err());
    device.delete_app("skf-rs").unwrap();
    assert_eq!(device.enumerate_app_name().unwrap(), [APPLICATION]);
}

fn skf_rs_bytes(wrapped: &skf_rs::ECCEncryptedData) -> Vec<u8> {
    let length = u32::try_from(wrapped.cipher.len()).unwrap();
    [
        &wrapped.ec_x[..],
        &wrapped.ec_y,
        &wrapped.hash,
        &length.to_le_bytes(),
        &wrapped.cipher,
    ]
    .concat()
}
