//! Answers about the status of certificates.
#![no_main]

use libfuzzer_sys::fuzz_target;
use yinxin_pki::OcspResponse;
use yinxin_pki::ocsp::ResponseStatus;

fuzz_target!(|bytes: &[u8]| {
    let Ok(response) = OcspResponse::from_der(bytes) else {
        return;
    };
    assert_eq!(response.basic.is_some(), response.status == ResponseStatus::Successful);
    let Some(basic) = response.basic else { return };
    for certificate in basic.certificates() {
        basic.responder().names(certificate);
        drop(basic.verify_signature(certificate.key()));
        drop(basic.find(certificate, certificate.serial_content()));
    }
});
