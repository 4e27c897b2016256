//! Writing GM/T 0010-2012 `SignedData`: one signer, attached or detached content, authenticated attributes.
//!
//! Signing is another step: [`attributes`] gives the bytes that are signed, so that they can be recorded before, and
//! [`assemble`] puts everything together.

use const_oid::ObjectIdentifier;
use time::OffsetDateTime;

use crate::certificate::Certificate;
use crate::der;
use crate::digest::sm3;
use crate::oid;

/// Data (GM/T 0010-2012, 6).
pub const DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.156.10197.6.1.4.2.1");
/// `SignedData` (GM/T 0010-2012, 6).
pub const SIGNED_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.156.10197.6.1.4.2.2");
/// The SM2 signature algorithm, as `digestEncryptionAlgorithm` names it (GM/T 0006-2012).
const SM2_SIGNATURE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.156.10197.1.301.1");
const CONTENT_TYPE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.3");
const MESSAGE_DIGEST: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.4");
const SIGNING_TIME: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.5");

/// The authenticated attributes as they are signed: DER SET OF content type, SM3 of the content (without Z) and the
/// time, whole seconds. The signature is over e = SM3(Z ‖ these bytes).
pub fn attributes(content: &[u8], signing_time: OffsetDateTime) -> Vec<u8> {
    attributes_of_digest(&sm3(content), signing_time)
}

/// The same where only the SM3 of the content (without Z) is known: for detached content.
pub fn attributes_of_digest(digest: &[u8; 32], signing_time: OffsetDateTime) -> Vec<u8> {
    let attribute = |kind, value: &[u8]| der::sequence(&[&der::oid(kind), &der::set(&[value])]);
    der::set(&[
        &attribute(CONTENT_TYPE, &der::oid(DATA)),
        &attribute(MESSAGE_DIGEST, &der::octet_string(digest)),
        &attribute(SIGNING_TIME, &der::write_time(signing_time)),
    ])
}

/// `ContentInfo` with `SignedData` in it. `attributes` come from [`attributes`] and go out with the tag `[0]`; the
/// bytes inside stay as they were signed. `signature` is a DER `SM2Signature` by the key of `signer`.
pub fn assemble(content: &[u8], signer: &Certificate, attributes: &[u8], signature: &[u8]) -> Vec<u8> {
    let content = der::explicit(0, &der::octet_string(content));
    message(&content, signer, attributes, signature)
}

/// The same without the content, which is kept elsewhere.
pub fn assemble_detached(signer: &Certificate, attributes: &[u8], signature: &[u8]) -> Vec<u8> {
    message(&[], signer, attributes, signature)
}

fn message(content: &[u8], signer: &Certificate, attributes: &[u8], signature: &[u8]) -> Vec<u8> {
    let sm3 = der::sequence(&[&der::oid(oid::SM3)]);
    let one = der::integer(&[1]);
    let content_info = der::sequence(&[&der::oid(DATA), content]);
    let serial = der::tlv(der::tag::INTEGER, signer.serial_content());
    let issuer_and_serial = der::sequence(&[signer.issuer().as_der(), &serial]);
    let mut implicit_attributes = attributes.to_vec();
    if let Some(tag) = implicit_attributes.first_mut() {
        *tag = 0xa0;
    }
    let signer_info = der::sequence(&[
        &one,
        &issuer_and_serial,
        &sm3,
        &implicit_attributes,
        &der::sequence(&[&der::oid(SM2_SIGNATURE)]),
        &der::octet_string(signature),
    ]);
    let signed_data = der::sequence(&[
        &one,
        &der::set(&[&sm3]),
        &content_info,
        &der::explicit(0, signer.as_der()),
        &der::set(&[&signer_info]),
    ]);
    der::sequence(&[&der::oid(SIGNED_DATA), &der::explicit(0, &signed_data)])
}
