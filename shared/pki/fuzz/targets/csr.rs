//! Certificate requests; one that is accepted proves possession, so hardly any is.
#![no_main]

use libfuzzer_sys::fuzz_target;
use yinxin_pki::Csr;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(csr) = Csr::from_der(bytes) {
        assert_eq!(csr.as_der(), bytes);
    }
});
