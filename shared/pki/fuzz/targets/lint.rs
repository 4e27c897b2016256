//! The lints, which see bytes before they are signed.
#![no_main]

use libfuzzer_sys::fuzz_target;
use yinxin_pki::Certificate;
use yinxin_pki::lint::{lint, lint_crl, lint_ocsp};
use yinxin_pki::profile::Profile;

fuzz_target!(|bytes: &[u8]| {
    for profile in Profile::ALL {
        drop(lint(profile, bytes, None));
    }
    if let Ok(certificate) = Certificate::from_der(bytes) {
        for profile in Profile::ALL {
            drop(lint(profile, certificate.tbs().as_der(), Some(&certificate)));
        }
        // A certificate is neither a list nor an answer.
        assert!(!lint_crl(bytes, &certificate).is_empty());
        assert!(!lint_ocsp(bytes, &certificate).is_empty());
    }
});
