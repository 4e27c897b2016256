//! Revocation lists.
#![no_main]

use libfuzzer_sys::fuzz_target;
use yinxin_pki::Crl;

fuzz_target!(|bytes: &[u8]| {
    let Ok(crl) = Crl::from_der(bytes) else {
        return;
    };
    assert_eq!(crl.as_der(), bytes);
    assert!(bytes.windows(crl.tbs_der().len()).any(|window| window == crl.tbs_der()));
    for entry in crl.entries().iter().take(16) {
        assert!(!entry.serial.is_empty());
        drop(crl.find(&entry.serial));
    }
    crl.number();
    crl.base_number();
    crl.authority_key_identifier();
    drop(crl.issuing_distribution_point());
});
