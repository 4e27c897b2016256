//! Arbitrary and damaged bytes: the parsers refuse them, they never panic.

#![allow(clippy::unwrap_used, reason = "a failed set-up fails the test")]

use getrandom::SysRng;
use proptest::prelude::*;
use rand_core::UnwrapErr;
use yinxin_pki::lint::lint;
use yinxin_pki::profile::Profile;
use yinxin_pki::{Certificate, Csr, CsrBuilder, EnvelopedKey, Name, PublicKey, SigningKey, pem};

fn read_everything(bytes: &[u8]) {
    let key = SigningKey::from_scalar(&[1; 32]).unwrap();
    for profile in [Profile::RootCa, Profile::Signing] {
        assert!(!lint(profile, bytes, None).is_empty());
    }
    if let Ok(certificate) = Certificate::from_der(bytes) {
        certificate.organization_code();
        certificate.key_usage();
        certificate.is_ca();
    }
    drop(Csr::from_der(bytes));
    drop(EnvelopedKey::from_der(bytes).and_then(|enveloped| enveloped.open(&key)));
    drop(Name::from_der(bytes));
    drop(PublicKey::from_spki_der(bytes));
    drop(PublicKey::from_sec1(bytes));
    drop(SigningKey::from_pkcs8_der(bytes));
    drop(key.decrypt(bytes));
    assert!(key.public_key().verify(b"", bytes).is_err());
    let text = String::from_utf8_lossy(bytes);
    drop(pem::decode_chain(&text));
    drop(pem::decode_chain(&pem::encode(pem::CERTIFICATE, bytes)));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]

    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..512)) {
        read_everything(&bytes);
    }

    #[test]
    fn arbitrary_bytes_behind_a_plausible_header_never_panic(
        bytes in proptest::collection::vec(any::<u8>(), 0..120),
    ) {
        let inner = yinxin_pki::der::sequence(&[&bytes]);
        read_everything(&inner);
        read_everything(&yinxin_pki::der::sequence(&[&inner, &inner]));
    }

    #[test]
    fn a_damaged_request_never_panics(at in 0_usize..400, octet in any::<u8>(), cut in 0_usize..400) {
        let key = SigningKey::generate(&mut UnwrapErr(SysRng));
        let subject = Name::person("测试", Some("单位")).unwrap();
        let mut der = CsrBuilder::new(&subject, key.public_key()).sign_with(|info| key.sign(info)).unwrap();
        let at = at % der.len();
        let whole = der.clone();
        der[at] = octet;
        prop_assert!(der == whole || Csr::from_der(&der).is_err());
        der.truncate(cut);
        read_everything(&der);
    }
}
