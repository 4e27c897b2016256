//! Building blocks of extensions, shared by certificates and revocation lists.

use const_oid::ObjectIdentifier;

use crate::der;

/// An extension that a reader may ignore.
pub(crate) fn plain(oid: ObjectIdentifier, value: &[u8]) -> Vec<u8> {
    der::sequence(&[&der::oid(oid), &der::octet_string(value)])
}

/// An extension that a reader must understand.
pub(crate) fn critical(oid: ObjectIdentifier, value: &[u8]) -> Vec<u8> {
    der::sequence(&[&der::oid(oid), &der::boolean_true(), &der::octet_string(value)])
}

/// `AuthorityKeyIdentifier ::= SEQUENCE { keyIdentifier [0] OCTET STRING, .. }`
pub(crate) fn authority_key_identifier(key_identifier: &[u8]) -> Vec<u8> {
    der::sequence(&[&der::context(0, key_identifier)])
}

/// `GeneralName`, uniformResourceIdentifier `[6]`.
pub(crate) fn uri(url: &str) -> Vec<u8> {
    der::context(6, url.as_bytes())
}
