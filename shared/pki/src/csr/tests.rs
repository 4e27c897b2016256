//! Requests: proof of possession over the bytes that came.

use getrandom::SysRng;
use rand_core::UnwrapErr;

use super::*;
use crate::SigningKey;

fn subject() -> Name {
    Name::unit("南京测试有限公司", Some("江苏省")).unwrap()
}

fn request(key: &SigningKey) -> Vec<u8> {
    CsrBuilder::new(&subject(), key.public_key())
        .sign_with(|info| key.sign(info))
        .unwrap()
}

#[test]
fn a_request_reads_back_with_subject_and_key() {
    let key = SigningKey::generate(&mut UnwrapErr(SysRng));
    let der = request(&key);
    let csr = Csr::from_der(&der).unwrap();
    assert_eq!(csr.subject(), &subject());
    assert_eq!(csr.subject().common_name(), Some("南京测试有限公司"));
    assert_eq!(csr.public_key(), key.public_key());
    let pem = pem::encode(pem::CERTIFICATE_REQUEST, &der);
    assert_eq!(Csr::from_pem(&pem).unwrap().as_der(), der);
    assert_eq!(
        Csr::from_pem(&pem.replace("REQUEST", "THING")),
        Err(CsrError::Pem)
    );
}

#[test]
fn a_request_signed_by_another_key_is_refused() {
    let rng = &mut UnwrapErr(SysRng);
    let (key, other) = (SigningKey::generate(rng), SigningKey::generate(rng));
    let builder = CsrBuilder::new(&subject(), key.public_key());
    let der = builder.sign_with(|info| other.sign(info)).unwrap();
    assert_eq!(Csr::from_der(&der), Err(CsrError::Proof));
}

#[test]
fn every_changed_byte_is_noticed() {
    let key = SigningKey::generate(&mut UnwrapErr(SysRng));
    let der = request(&key);
    for at in 0..der.len() {
        let mut changed = der.clone();
        changed[at] ^= 1;
        assert!(Csr::from_der(&changed).is_err(), "byte {at}");
    }
}

#[test]
fn null_parameters_and_odd_attributes_are_accepted() {
    let key = SigningKey::generate(&mut UnwrapErr(SysRng));
    // challengePassword as a bare string, not wrapped in a SET, as one vendor's components write it.
    let odd = der::sequence(&[
        &der::oid(const_oid::ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.7")),
        &der::printable_string("111111").unwrap(),
    ]);
    let info = der::sequence(&[
        &der::integer(&[0]),
        subject().as_der(),
        &key.public_key().to_spki_der(),
        &der::explicit(0, &odd),
    ]);
    let algorithm = der::sequence(&[&der::oid(crate::oid::SM2_WITH_SM3), &der::null()]);
    let signature = key.sign(&info).unwrap();
    let der = der::sequence(&[&info, &algorithm, &der::bit_string(0, &signature)]);
    assert!(Csr::from_der(&der).is_ok());
}

#[test]
fn a_large_request_is_not_looked_at() {
    assert_eq!(Csr::from_der(&vec![0x30; MAX_BYTES + 1]), Err(CsrError::TooLarge));
}
