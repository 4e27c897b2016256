//! Questions for the status of certificates: anybody may send them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use yinxin_pki::OcspRequest;
use yinxin_pki::ocsp::MAX_NONCE_BYTES;

fuzz_target!(|bytes: &[u8]| {
    let Ok(request) = OcspRequest::from_der(bytes) else {
        return;
    };
    assert!(!request.cert_ids().is_empty());
    assert!(request.nonce().is_none_or(|nonce| (1..=MAX_NONCE_BYTES).contains(&nonce.len())));
    // What was understood is written and read with the same meaning.
    let again = OcspRequest::new(request.cert_ids().to_vec(), request.nonce());
    let again = OcspRequest::from_der(again.as_der());
    assert!(again.is_ok_and(|again| again.cert_ids() == request.cert_ids() && again.nonce() == request.nonce()));
});
