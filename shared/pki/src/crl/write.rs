//! Writing a list: the to-be-signed bytes. [`crate::profile::assemble`] puts them and the signature together.

use time::OffsetDateTime;

use super::Reason;
use crate::certificate::write_sm2_with_sm3;
use crate::der::{self, tag};
use crate::oid;
use crate::profile::Issuer;
use crate::profile::extension::{authority_key_identifier, critical, plain, uri};

/// A revoked certificate to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revocation {
    /// The serial number: big-endian, positive.
    pub serial: Vec<u8>,
    /// Since when it is revoked; whole seconds.
    pub at: OffsetDateTime,
    /// Why. [`Reason::Unspecified`] is written by leaving it out (RFC 5280, 5.3.1).
    pub reason: Reason,
    /// Since when its key must not be relied on, if that is known.
    pub invalidity_date: Option<OffsetDateTime>,
}

/// What a list says.
#[derive(Debug, Clone, Copy)]
pub struct CrlContent<'a> {
    /// Who signs.
    pub issuer: &'a Issuer,
    /// The number of the list; it only grows.
    pub number: u64,
    /// When the list was made.
    pub this_update: OffsetDateTime,
    /// By when the next one is there.
    pub next_update: OffsetDateTime,
    /// The URL that the certificates of this list name, if the issuer has several lists.
    pub distribution_point: Option<&'a str>,
    /// The revoked certificates, in the order in which they shall stand.
    pub revoked: &'a [Revocation],
}

impl CrlContent<'_> {
    /// Writes the to-be-signed bytes (DER `TBSCertList`).
    pub fn to_tbs(&self) -> Vec<u8> {
        let mut entries = Vec::with_capacity(48 * self.revoked.len());
        for revocation in self.revoked {
            entries.extend(write_entry(revocation));
        }
        // RFC 5280, 5.1.2.6: without revoked certificates the field is left out.
        let entries = if entries.is_empty() {
            entries
        } else {
            der::tlv(tag::SEQUENCE, &entries)
        };
        der::sequence(&[
            &der::integer(&[1]),
            &write_sm2_with_sm3(),
            self.issuer.name().as_der(),
            &der::write_time(self.this_update),
            &der::write_time(self.next_update),
            &entries,
            &der::explicit(0, &self.extensions()),
        ])
    }

    fn extensions(&self) -> Vec<u8> {
        let number = der::integer(&self.number.to_be_bytes());
        let mut list = vec![
            plain(
                oid::AUTHORITY_KEY_IDENTIFIER,
                &authority_key_identifier(self.issuer.key_identifier()),
            ),
            plain(oid::CRL_NUMBER, &number),
        ];
        if let Some(url) = self.distribution_point {
            // distributionPoint [0] EXPLICIT, for it is a CHOICE; in it fullName [0] GeneralNames.
            let point = der::explicit(0, &der::explicit(0, &uri(url)));
            list.push(critical(
                oid::ISSUING_DISTRIBUTION_POINT,
                &der::sequence(&[&point]),
            ));
        }
        der::tlv(tag::SEQUENCE, &list.concat())
    }
}

fn write_entry(revocation: &Revocation) -> Vec<u8> {
    let mut extensions = Vec::new();
    if revocation.reason != Reason::Unspecified {
        let code = der::tlv(tag::ENUMERATED, &[revocation.reason.code()]);
        extensions.extend(plain(oid::REASON_CODE, &code));
    }
    if let Some(date) = revocation.invalidity_date {
        extensions.extend(plain(oid::INVALIDITY_DATE, &der::write_generalized_time(date)));
    }
    let extensions = if extensions.is_empty() {
        extensions
    } else {
        der::tlv(tag::SEQUENCE, &extensions)
    };
    der::sequence(&[
        &der::integer(&revocation.serial),
        &der::write_time(revocation.at),
        &extensions,
    ])
}
