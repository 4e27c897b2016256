//! Messages made here by hand, with the variants that producers in the field have.

use super::*;
use crate::algorithm::{SubjectKey, VerifyError};
use crate::key::{DEFAULT_ID, SigningKey, signature_to_raw};
use crate::sm3;

fn algorithm_of(oid: ObjectIdentifier) -> Vec<u8> {
    der::sequence(&[&der::oid(oid), &der::null()])
}

/// `SignedData` of one signer over a content, attached.
fn message(outer: ObjectIdentifier, attributes: &[u8], signature: &[u8], content: &[u8]) -> Vec<u8> {
    let signer = der::sequence(&[
        &der::integer(&[1]),
        &der::sequence(&[&der::sequence(&[]), &der::integer(&[7])]),
        &algorithm_of(oid::SM3),
        attributes,
        &algorithm_of(oid::SM2_SIGN),
        &der::octet_string(signature),
    ]);
    let inner = der::sequence(&[
        &der::oid(oid::GM_DATA),
        &der::explicit(0, &der::octet_string(content)),
    ]);
    let data = der::sequence(&[
        &der::integer(&[1]),
        &der::set(&[&algorithm_of(oid::SM3)]),
        &inner,
        &der::set(&[&signer]),
    ]);
    der::sequence(&[&der::oid(outer), &der::explicit(0, &data)])
}

fn verify(message: &[u8], key: &SigningKey) -> Result<(), SignatureFault> {
    let Ok(Cms::Signed(signed)) = Cms::from_der(message) else {
        panic!("not read");
    };
    let content = signed.content.clone().unwrap();
    signed.signers[0].verify(&content, &SubjectKey::Sm2(key.public_key().clone()), DEFAULT_ID)
}

#[test]
fn a_signature_over_the_content_verifies_in_both_forms_and_under_both_identifiers() {
    let key = SigningKey::from_scalar(&[5; 32]).unwrap();
    let signature = key.sign(b"content").unwrap();
    let raw = signature_to_raw(&signature).unwrap();
    for outer in [oid::GM_SIGNED_DATA, oid::PKCS7_SIGNED_DATA] {
        for signature in [&signature[..], &raw[..]] {
            assert_eq!(verify(&message(outer, &[], signature, b"content"), &key), Ok(()));
            assert_eq!(
                verify(&message(outer, &[], signature, b"another"), &key),
                Err(SignatureFault::Signature(VerifyError::BadSignature))
            );
        }
    }
}

#[test]
fn signed_attributes_are_verified_as_they_came_even_unsorted() {
    let key = SigningKey::from_scalar(&[5; 32]).unwrap();
    let attribute = |kind, value: &[u8]| der::sequence(&[&der::oid(kind), &der::tlv(tag::SET, value)]);
    let list = [
        attribute(oid::MESSAGE_DIGEST, &der::octet_string(&sm3(b"content"))),
        attribute(oid::CONTENT_TYPE, &der::oid(oid::GM_DATA)),
    ]
    .concat();
    let signature = key.sign(&der::tlv(tag::SET, &list)).unwrap();
    let attributes = der::explicit(0, &list);
    let made = |content| message(oid::GM_SIGNED_DATA, &attributes, &signature, content);
    assert_eq!(verify(&made(b"content"), &key), Ok(()));
    assert_eq!(verify(&made(b"another"), &key), Err(SignatureFault::Content));
}
