//! Enveloped keys, opened with a fixed test key.
#![no_main]

use libfuzzer_sys::fuzz_target;
use yinxin_pki::{EnvelopedKey, SigningKey};

fuzz_target!(|bytes: &[u8]| {
    if let (Ok(enveloped), Ok(key)) = (EnvelopedKey::from_der(bytes), SigningKey::from_scalar(&[1; 32])) {
        drop(enveloped.open(&key));
    }
});
