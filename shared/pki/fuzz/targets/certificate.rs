//! Certificates, alone and as the issuers of themselves.
#![no_main]

use libfuzzer_sys::fuzz_target;
use yinxin_pki::Certificate;
use yinxin_pki::chain::verify_link;

fuzz_target!(|bytes: &[u8]| {
    let Ok(certificate) = Certificate::from_der(bytes) else {
        return;
    };
    assert_eq!(certificate.as_der(), bytes);
    assert_eq!(Certificate::from_pem(&certificate.to_pem()).as_ref(), Ok(&certificate));
    drop(verify_link(&certificate, &certificate));
    drop(certificate.verify_signature(certificate.key()));
    certificate.organization_code();
    certificate.serial_hex();
});
