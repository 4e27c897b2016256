//! Arbitrary and damaged answers: they are refused, nothing panics.
use proptest::prelude::*;
use yinxin_ca::ceremony;
use yinxin_est::{EstError, certificates_of, parts_of};
use yinxin_pki::der;
use yinxin_pki::oid::ObjectIdentifier;

use crate::vendor::{now, rng};

fn message(content_type: &str, certificates: &[&[u8]]) -> Vec<u8> {
    let signed = der::sequence(&[
        &der::integer(&[1]),
        &der::set(&[]),
        &der::sequence(&[&der::oid(ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.1"))]),
        &der::explicit(0, &certificates.concat()),
        &der::set(&[]),
    ]);
    der::sequence(&[
        &der::oid(ObjectIdentifier::new_unwrap(content_type)),
        &der::explicit(0, &signed),
    ])
}

#[test]
fn certificates_come_in_their_order_under_both_content_types() {
    let made = ceremony::init("testca", "测试数字证书认证有限公司", now(), &mut rng()).unwrap();
    let chain = made.chain();
    let ders: Vec<&[u8]> = chain.iter().map(yinxin_pki::Certificate::as_der).collect();
    for content_type in ["1.2.840.113549.1.7.2", "1.2.156.10197.6.1.4.2.2"] {
        assert_eq!(certificates_of(&message(content_type, &ders)), Ok(chain.clone()));
    }
    let data = message("1.2.840.113549.1.7.1", &ders);
    assert!(matches!(certificates_of(&data), Err(EstError::Form(_))));
    let many = message("1.2.840.113549.1.7.2", &[ders[0]; 17]);
    assert!(matches!(certificates_of(&many), Err(EstError::Form(_))));
    // Cut off anywhere, it is refused.
    let whole = message("1.2.840.113549.1.7.2", &ders);
    for length in 0..whole.len() {
        assert!(certificates_of(&whole[..length]).is_err());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]

    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..512)) {
        drop(certificates_of(&bytes));
        drop(parts_of("multipart/mixed; boundary=b", &bytes));
    }

    #[test]
    fn arbitrary_texts_never_panic(kind in "multipart/mixed; boundary=\"?[-a b]{0,5}\"?", text in "[-ab:\r\n]{0,64}") {
        drop(parts_of(&kind, text.as_bytes()));
    }

    #[test]
    fn a_damaged_message_never_panics(at in any::<prop::sample::Index>(), octet in any::<u8>()) {
        let mut bytes = message("1.2.840.113549.1.7.2", &[b"\x30\x03\x02\x01\x01"]);
        let at = at.index(bytes.len());
        bytes[at] = octet;
        drop(certificates_of(&bytes));
    }
}
