//! Every change of one octet of a signed certificate, revocation list or status answer is refused, or says the same.
//!
//! To say the same means: the signature still verifies over the very bytes that were signed, with the same value, by the same
//! algorithm, so that no field that is read can differ. The places where this can happen are the readers' leniency outside of
//! what is signed, and each is named in its test.

#![allow(clippy::unwrap_used, reason = "a failed set-up fails the test")]

use time::OffsetDateTime;
use yinxin_pki::ocsp::{OcspHash, ResponseStatus, assemble_response};
use yinxin_pki::{Certificate, Crl, Csr, OcspResponse, SubjectKey, key};

use authority::Authority;

mod authority;

/// What a reader accepted under a verified signature.
#[derive(Debug, PartialEq, Eq)]
struct Meaning {
    /// The fields, as the reader shows them.
    fields: String,
    /// r and s.
    signature: [u8; 64],
}

/// Changes each octet: the eight single bits, all bits, and some that turn lengths and tags into others; with the comparisons of
/// `YINXIN_INTEROP`, into all other values. Gives the number of mutants and the places where one was accepted.
fn accepted(whole: &[u8], accept: impl Fn(&[u8]) -> Option<Meaning>) -> (usize, Vec<usize>) {
    let changes = if std::env::var_os("YINXIN_INTEROP").is_some() {
        (1..=u8::MAX).collect()
    } else {
        vec![1, 2, 4, 8, 0x10, 0x20, 0x40, 0x80, 0xff, 3, 0x81, 0xa0]
    };
    let meaning = accept(whole).unwrap();
    let mut mutant = whole.to_vec();
    let mut places = Vec::new();
    for at in 0..whole.len() {
        for &change in &changes {
            mutant[at] ^= change;
            if let Some(other) = accept(&mutant) {
                assert_eq!(other, meaning, "octet {at} changed by {change:#04x}");
                places.push(at);
            }
            mutant[at] ^= change;
        }
    }
    places.dedup();
    (changes.len() * whole.len(), places)
}

fn authority() -> Authority {
    Authority::new(OffsetDateTime::now_utc())
}

fn read_certificate(bytes: &[u8], issuer: &SubjectKey) -> Option<Meaning> {
    let certificate = Certificate::from_der(bytes).ok()?;
    certificate.verify_signature(issuer).ok()?;
    Some(Meaning {
        fields: format!("{:?}", certificate.tbs()),
        signature: key::signature_to_raw(certificate.signature()).ok()?,
    })
}

#[test]
fn a_changed_certificate_is_refused() {
    let authority = authority();
    for (name, party) in &authority.parties {
        // One certificate of a subscriber, with all extensions, one of a CA, and one with the other form of the key.
        if !["unit-sign", "issuing", "unit-encrypt"].contains(name) {
            continue;
        }
        let issuer = if *name == "issuing" { "root" } else { "issuing" };
        let issuer = authority.party(issuer).certificate.key();
        let (count, places) = accepted(party.certificate.as_der(), |bytes| {
            read_certificate(bytes, issuer)
        });
        assert!(count > 5000);
        // The outer identifier must equal the inner one, which is signed; r and s have one encoding; nothing is left.
        assert_eq!(places, [0; 0], "{name}");
    }
}

#[test]
fn a_changed_request_is_refused() {
    let authority = authority();
    let request = authority.request();
    let (_, places) = accepted(&request, |bytes| {
        let csr = Csr::from_der(bytes).ok()?;
        Some(Meaning {
            fields: format!("{:?}{:?}", csr.subject(), csr.public_key()),
            signature: [0; 64],
        })
    });
    assert_eq!(places, [0; 0]);
}

#[test]
fn a_changed_list_is_refused() {
    let authority = authority();
    let issuer = authority.party("issuing").certificate.key();
    let (_, places) = accepted(authority.crl().as_der(), |bytes| {
        let crl = Crl::from_der(bytes).ok()?;
        crl.verify_signature(issuer).ok()?;
        Some(Meaning {
            fields: format!("{:?}", crl.tbs()),
            signature: key::signature_to_raw(crl.signature()).ok()?,
        })
    });
    assert_eq!(places, [0; 0]);
}

fn read_answer(bytes: &[u8], responder: &SubjectKey) -> Option<Meaning> {
    let response = OcspResponse::from_der(bytes).ok()?;
    let basic = response.basic?;
    basic.verify_signature(responder).ok()?;
    assert_eq!(response.status, ResponseStatus::Successful);
    Some(Meaning {
        fields: format!("{:?}", basic.tbs()),
        signature: key::signature_to_raw(basic.signature()).ok()?,
    })
}

#[test]
fn a_changed_answer_is_refused() {
    let authority = authority();
    let responder = authority.party("responder").certificate.key();
    let whole = authority.answer(OcspHash::Sha1, Some(&[7; 32]));
    let basic = OcspResponse::from_der(&whole).unwrap().basic.unwrap();
    let bare = assemble_response(basic.tbs_der(), basic.signature(), &[]);
    let (_, places) = accepted(&bare, |bytes| read_answer(bytes, responder));
    assert_eq!(places, [0; 0]);
}

#[test]
fn certificates_that_an_answer_carries_change_nothing_it_says() {
    let authority = authority();
    let responder = &authority.party("responder").certificate;
    let whole = authority.answer(OcspHash::Sm3, None);
    let certificate_at = whole.len() - responder.as_der().len();
    let (_, places) = accepted(&whole, |bytes| read_answer(bytes, responder.key()));
    // An answer does not sign the certificates it carries (RFC 6960, 4.2.1): they may change, what it says does not.
    assert!(!places.is_empty());
    assert!(places.iter().all(|at| *at >= certificate_at), "{places:?}");
}
