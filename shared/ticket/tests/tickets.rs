//! What is a ticket, and whose: with certificates made here and thrown away.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use getrandom::SysRng;
use time::macros::datetime;
use time::{Duration, OffsetDateTime};
use yinxin_pki::profile::{Content, Issuer, Profile, Serial, Services, Validity, assemble};
use yinxin_pki::rand_core::UnwrapErr;
use yinxin_pki::{Attribute, Certificate, KeyForm, Name, SigningKey, oid, pem};
use yinxin_ticket::{
    PREFIX, Platform, PlatformCertificatesError, Presented, Ticket, TicketRefusal, TicketedOperation, VERSION,
};

const NOW: OffsetDateTime = datetime!(2026-11-23 08:00 UTC);

struct Party {
    key: SigningKey,
    certificate: Certificate,
}

/// A certificate of this profile from [`NOW`] on for a year, under its issuer or itself.
fn party(profile: Profile, name: &str, by: Option<&Party>) -> Party {
    let rng = &mut UnwrapErr(SysRng);
    let key = SigningKey::generate(rng);
    let subject = Name::new([
        Attribute::new(oid::COUNTRY, "CN"),
        Attribute::new(oid::COMMON_NAME, name),
    ])
    .unwrap();
    let issuer = by.map_or_else(
        || Issuer::itself(subject.clone(), key.public_key()),
        |by| Issuer::of(&by.certificate),
    );
    let tbs = profile.to_tbs(&Content {
        serial: &Serial::random(rng),
        issuer: &issuer,
        validity: Validity::years(NOW, 1).unwrap(),
        subject: &subject,
        public_key: key.public_key(),
        key_form: KeyForm::EcPublicKey,
        identity: None,
        services: &Services::default(),
    });
    let signature = by.map_or(&key, |by| &by.key).sign(&tbs).unwrap();
    let certificate = Certificate::from_der(&assemble(&tbs, &signature)).unwrap();
    Party { key, certificate }
}

fn root() -> Party {
    party(Profile::RootCa, "Platform Root", None)
}

fn signer(root: &Party) -> Party {
    party(Profile::TicketSigner, "Platform Tickets", Some(root))
}

fn known(parties: &[&Party]) -> Result<Platform, PlatformCertificatesError> {
    Platform::from_pem(&pem::encode_chain(parties.iter().map(|party| &party.certificate)))
}

fn ticket() -> Ticket {
    Ticket {
        version: VERSION,
        id: "ticket-of-a-test-000001".to_owned(),
        operation: TicketedOperation::RequestCertificates,
        token: "YX0123".to_owned(),
        order: "20261123A48201937".to_owned(),
        origin: "https://portal.example".to_owned(),
        issued_at: NOW,
        expires_at: NOW + Duration::minutes(10),
        content: None,
    }
}

fn signed(ticket: &Ticket, by: &Party) -> String {
    ticket.signed_with(|message| by.key.sign(message)).unwrap()
}

fn presented(now: OffsetDateTime) -> Presented<'static> {
    Presented {
        operation: TicketedOperation::RequestCertificates,
        origin: "https://portal.example",
        token: "YX0123",
        content: None,
        now,
    }
}

#[test]
fn a_ticket_says_what_was_signed_and_names_its_operation_in_words() {
    let root = root();
    let signer = signer(&root);
    let platform = known(&[&signer, &root]).unwrap();
    let text = signed(&ticket(), &signer);
    assert_eq!(platform.verify(&text, &presented(NOW)), Ok(ticket()));
    let payload = URL_SAFE_NO_PAD.decode(text.split_once('.').unwrap().0).unwrap();
    let payload = String::from_utf8(payload).unwrap();
    assert!(
        payload.contains("\"operation\":\"request-certificates\""),
        "{payload}"
    );
}

#[test]
fn one_file_may_name_two_signers_and_each_with_its_own_cas() {
    let (old_root, new_root) = (root(), root());
    let (old, new) = (signer(&old_root), signer(&new_root));
    let both = known(&[&old, &old_root, &new, &new_root]).unwrap();
    let only = known(&[&old, &old_root]).unwrap();
    for by in [&old, &new] {
        assert!(both.verify(&signed(&ticket(), by), &presented(NOW)).is_ok());
    }
    let refused = only.verify(&signed(&ticket(), &new), &presented(NOW));
    assert_eq!(refused, Err(TicketRefusal::Signature));
    let crossed = known(&[&old, &new_root, &new, &old_root]);
    assert!(matches!(crossed, Err(PlatformCertificatesError::Chain(_))));
}

#[test]
fn certificates_that_sign_no_tickets_are_refused() {
    let root = root();
    let signer = signer(&root);
    let decrypts = party(Profile::Encryption, "Encryption", Some(&root));
    for parties in [
        &[&root][..],
        &[&root, &signer],
        &[&decrypts, &root],
        &[&signer, &root, &decrypts, &root],
    ] {
        assert!(matches!(known(parties), Err(PlatformCertificatesError::Usage)));
    }
    for parties in [&[&signer][..], &[&signer, &signer, &root]] {
        assert!(matches!(known(parties), Err(PlatformCertificatesError::Chain(_))));
    }
    let nothing = Platform::from_pem("");
    assert!(matches!(nothing, Err(PlatformCertificatesError::Pem(_))));
}

#[test]
fn a_certificate_that_has_ended_signs_no_tickets() {
    let root = root();
    let signer = signer(&root);
    let platform = known(&[&signer, &root]).unwrap();
    let later = NOW + Duration::days(366);
    let late = Ticket {
        issued_at: later,
        expires_at: later + Duration::minutes(10),
        ..ticket()
    };
    let refused = platform.verify(&signed(&late, &signer), &presented(later));
    assert_eq!(refused, Err(TicketRefusal::Certificate));
}

#[test]
fn what_is_not_of_the_form_is_malformed_even_if_it_is_signed() {
    type Change = fn(&mut Ticket);
    let root = root();
    let signer = signer(&root);
    let platform = known(&[&signer, &root]).unwrap();
    let alterations: [Change; 7] = [
        |ticket| ticket.version = 2,
        |ticket| ticket.id = "x".repeat(21),
        |ticket| ticket.id = "x".repeat(65),
        |ticket| ticket.id = "ticket of a test 000001".to_owned(),
        |ticket| ticket.order = "../orders".to_owned(),
        |ticket| ticket.order = String::new(),
        |ticket| ticket.order = "9".repeat(65),
    ];
    for (number, change) in alterations.into_iter().enumerate() {
        let mut changed = ticket();
        change(&mut changed);
        let refused = platform.verify(&signed(&changed, &signer), &presented(NOW));
        assert_eq!(refused, Err(TicketRefusal::Malformed), "{number}");
    }
    let payload = br#"{"version":1,"more":true}"#;
    let signature = signer.key.sign(&[PREFIX, payload].concat()).unwrap();
    let short = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(payload),
        URL_SAFE_NO_PAD.encode(signature)
    );
    for text in ["", ".", "a", "a.b.c", "*.*", &"a".repeat(4097), &short] {
        let refused = platform.verify(text, &presented(NOW)).unwrap_err();
        let wanted = if text == "." {
            TicketRefusal::Signature
        } else {
            TicketRefusal::Malformed
        };
        assert_eq!(refused, wanted, "{text}");
    }
}

#[test]
fn every_changed_character_is_noticed() {
    let root = root();
    let signer = signer(&root);
    let platform = known(&[&signer, &root]).unwrap();
    let text = signed(&ticket(), &signer);
    for place in 0..text.len() {
        let mut changed = text.clone().into_bytes();
        changed[place] = if changed[place] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(changed).unwrap();
        assert!(platform.verify(&changed, &presented(NOW)).is_err(), "{place}");
    }
}
