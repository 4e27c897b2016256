//! Decryption under the `APIv3` key.

use serde_json::json;

use super::{API_KEY, fixtures, text};
use crate::wechat::ConfigError;
use crate::wechat::seal::{ApiKey, Sealed};

const PUBLISHED_KEY: &str = "a7cde1ZJB1kG2e7VfTs3jQzaWizur8Gb";

fn open(key: &str, sealed: serde_json::Value) -> Option<String> {
    let sealed: Sealed = serde_json::from_value(sealed).unwrap();
    let plain = ApiKey::parse(&key.into()).unwrap().open(&sealed)?;
    Some(String::from_utf8(plain.to_vec()).unwrap())
}

#[test]
fn the_published_texts_open_with_aes_and_sm4() {
    for (algorithm, ciphertext, plain) in [
        ("AEAD_AES_256_GCM", "ulwSiIajGClcvcOYvOQ7+l+0PAbzzwI=", "message"),
        (
            "AEAD_SM4_GCM",
            "+lcLNfkZQQx+iQm20Apa3x9Mb/5L7PgZ7w==",
            "plaintext",
        ),
    ] {
        let sealed = |data: &str| json!({"algorithm": algorithm, "ciphertext": ciphertext, "nonce": "uluk4a9R25RW", "associated_data": data});
        assert_eq!(
            open(PUBLISHED_KEY, sealed("associatedData")).as_deref(),
            Some(plain)
        );
        assert_eq!(open(PUBLISHED_KEY, sealed("other data")), None);
        assert_eq!(open(API_KEY, sealed("associatedData")), None);
    }
}

#[test]
fn the_sm4_vector_opens() {
    let vector = &fixtures()["sm4"];
    let sealed = json!({
        "algorithm": "AEAD_SM4_GCM", "ciphertext": vector["ciphertext"],
        "nonce": vector["nonce"], "associated_data": vector["aad"],
    });
    let plain = open(text(&vector["apiv3_key"]), sealed);
    assert_eq!(plain.as_deref(), Some(text(&vector["plaintext"])));
}

#[test]
fn missing_and_empty_associated_data_are_the_same() {
    // Sealed without associated data by Python's `cryptography`: key API_KEY, nonce fdasflkja484.
    let ciphertext = "Y32YqJuXT6ekeYXXgfmMpXTu+S6R";
    for data in [json!(null), json!("")] {
        let sealed = json!({
            "algorithm": "AEAD_AES_256_GCM", "ciphertext": ciphertext, "nonce": "fdasflkja484", "associated_data": data,
        });
        assert_eq!(open(API_KEY, sealed).as_deref(), Some("plain"));
    }
    let sealed = json!({"algorithm": "AEAD_AES_256_GCM", "ciphertext": ciphertext, "nonce": "fdasflkja484"});
    assert_eq!(open(API_KEY, sealed).as_deref(), Some("plain"));
}

#[test]
fn what_is_not_the_protocol_s_does_not_open() {
    for (algorithm, ciphertext, nonce) in [
        (
            "AEAD_AES_128_GCM",
            "ulwSiIajGClcvcOYvOQ7+l+0PAbzzwI=",
            "uluk4a9R25RW",
        ),
        ("AEAD_AES_256_GCM", "ulwSiIajGClcvcOYvOQ7+l+0PAbzzwI=", "short"),
        ("AEAD_AES_256_GCM", "AAAA", "uluk4a9R25RW"),
        ("AEAD_SM4_GCM", "AAAA", "uluk4a9R25RW"),
        ("AEAD_AES_256_GCM", "no base64", "uluk4a9R25RW"),
    ] {
        let sealed = json!({
            "algorithm": algorithm, "ciphertext": ciphertext, "nonce": nonce, "associated_data": "associatedData",
        });
        assert_eq!(
            open(PUBLISHED_KEY, sealed),
            None,
            "{algorithm} {ciphertext} {nonce}"
        );
    }
}

#[test]
fn an_api_key_has_exactly_32_ascii_characters() {
    for key in [
        "",
        &API_KEY[1..],
        "0123456789abcdefGHIJKLMNOPQRSTUVW",
        "0123456789abcdefGHIJKLMNOPQRS密",
    ] {
        assert!(
            matches!(ApiKey::parse(&key.into()), Err(ConfigError::ApiKey)),
            "{key}"
        );
    }
}
