//! Enveloped keys as tokens take them (`ENVELOPEDKEYBLOB`), opened with a fixed test key.
#![no_main]

use libfuzzer_sys::fuzz_target;
use yinxin_pki::SigningKey;
use yinxin_pki::skf_blob::{EnvelopedKeyBlob, Layout};

fuzz_target!(|bytes: &[u8]| {
    let Ok(blob) = EnvelopedKeyBlob::from_bytes(bytes) else {
        return;
    };
    assert_eq!(blob.as_bytes()[..], *bytes);
    let Ok(enveloped) = blob.to_enveloped_key() else {
        return;
    };
    // The same key laid out anew is the same blob.
    if blob.layout() != Layout::EncryptedWhole {
        let again = EnvelopedKeyBlob::new(&enveloped, blob.layout());
        assert!(again.is_ok_and(|again| again.to_enveloped_key().as_ref() == Ok(&enveloped)));
    }
    if let Ok(key) = SigningKey::from_scalar(&[1; 32]) {
        drop(enveloped.open(&key));
    }
});
