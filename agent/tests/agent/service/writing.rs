//! Operations with a ticket that write: renewed certificates, an unblocked PIN, a personalised token.
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use time::OffsetDateTime;
use yinxin_agent::{
    operations::renewal::{RENEWAL_RECORD, Renewal},
    ticket::{Ticket, TicketedOperation},
    token::{Token as _, Usage, vault::rng},
};
use yinxin_pki::{Certificate, Name, PublicKey, SigningKey};

use super::{
    bench::{Bench, HOLDER, PIN, PIN_TRIES, Setup, Tokens},
    raw::answer,
    tickets::{Issuer, bench, ticket},
};
use crate::{
    breaking_token::{BreakingToken, Side},
    platform::{FakePlatform, ORDER_NUMBER, SESSION},
    world::{ADMIN_PIN, pin},
};

/// The order of a renewal.
pub const ORDER: &str = "20261123A48201937";
/// Another one.
pub const OTHER_ORDER: &str = "20261124A00000001";

/// Renewed certificates for these keys, longer than the old ones.
pub fn renewed(
    bench: &Bench,
    holder: &str,
    signing: &PublicKey,
    encryption: &PublicKey,
    years: u8,
) -> Renewal {
    let subject = Name::unit(holder, None).unwrap();
    let [signing, encryption] = bench.authority.renew(&subject, signing, encryption, years);
    Renewal {
        signing,
        encryption,
        chain: bench.authority.chain(),
        enveloped_key: None,
    }
}

pub fn for_its_keys(bench: &Bench) -> Renewal {
    let parts = bench.parts();
    renewed(
        bench,
        HOLDER,
        parts.signing.public_key().unwrap(),
        parts.encryption.public_key().unwrap(),
        2,
    )
}

pub fn body(issuer: &Issuer, bench: &Bench, renewal: &Renewal, order: &str) -> Value {
    let ticket = Ticket {
        order: order.to_owned(),
        content: Some(hex::encode(renewal.content())),
        ..ticket(
            &bench.token().identity().serial,
            TicketedOperation::WriteCertificates,
            None,
        )
    };
    let mut body = json!({
        "ticket": issuer.sign(&ticket),
        "signing_certificate": renewal.signing.to_pem(),
        "encryption_certificate": renewal.encryption.to_pem(),
        "chain": renewal.chain.iter().map(Certificate::to_pem).collect::<Vec<_>>(),
    });
    if let Some(enveloped_key) = &renewal.enveloped_key {
        body["enveloped_key"] = STANDARD.encode(enveloped_key.as_der()).into();
    }
    body
}

pub fn assert_holds(bench: &Bench, signing: &Certificate, encryption: &Certificate) {
    let token = bench.token();
    assert_eq!(token.certificate(Usage::Signing).unwrap().as_ref(), Some(signing));
    assert_eq!(
        token.certificate(Usage::Encryption).unwrap().as_ref(),
        Some(encryption)
    );
}

#[test]
fn renewed_certificates_take_the_place_of_the_old_ones() {
    let issuer = Issuer::new();
    let (bench, site) = bench(&issuer, Setup::default());
    let renewal = for_its_keys(&bench);
    let written = bench
        .agreed(
            &site,
            "/v1/write-certificates",
            &body(&issuer, &bench, &renewal, ORDER),
        )
        .value();
    assert_eq!(
        written["signing_certificate_sm3"],
        hex::encode(yinxin_pki::sm3(renewal.signing.as_der()))
    );
    assert_holds(&bench, &renewal.signing, &renewal.encryption);
    let record = bench.token().record(RENEWAL_RECORD).unwrap().unwrap();
    let record: Value = serde_json::from_slice(&record).unwrap();
    assert_eq!(record["state"], "switched");
}

#[test]
fn certificates_that_do_not_fit_leave_the_old_ones() {
    let issuer = Issuer::new();
    let (bench, site) = bench(&issuer, Setup::default());
    let parts = bench.parts();
    let (signing, encryption) = (
        parts.signing.public_key().unwrap(),
        parts.encryption.public_key().unwrap(),
    );
    let other = SigningKey::generate(&mut rng());
    let good = for_its_keys(&bench);
    let strangers = crate::authority::Authority::new()
        .issue_for(&Name::unit(HOLDER, None).unwrap(), other.public_key())
        .chain;
    for (renewal, code) in [
        (
            renewed(&bench, HOLDER, other.public_key(), encryption, 2),
            "renewal-other-keys",
        ),
        (
            renewed(&bench, HOLDER, signing, other.public_key(), 2),
            "renewal-other-keys",
        ),
        (
            renewed(&bench, "Another holder", signing, encryption, 2),
            "renewal",
        ),
        (
            Renewal {
                signing: good.encryption.clone(),
                encryption: good.signing.clone(),
                ..good.clone()
            },
            "renewal",
        ),
        (
            Renewal {
                chain: strangers,
                ..good.clone()
            },
            "renewal",
        ),
        (
            Renewal {
                chain: Vec::new(),
                ..good
            },
            "renewal",
        ),
    ] {
        bench
            .agreed(
                &site,
                "/v1/write-certificates",
                &body(&issuer, &bench, &renewal, ORDER),
            )
            .assert_refused(409, code);
        assert_holds(&bench, &parts.signing, &parts.encryption);
    }
}

#[test]
fn other_certificates_than_the_ticket_means_are_refused() {
    let issuer = Issuer::new();
    let (bench, site) = bench(&issuer, Setup::default());
    let mut asked = body(&issuer, &bench, &for_its_keys(&bench), ORDER);
    asked["signing_certificate"] = for_its_keys(&bench).signing.to_pem().into();
    site.call("/v1/write-certificates", &asked)
        .assert_refused(403, "ticket-content");
}

#[test]
fn a_renewal_that_broke_anywhere_is_finished_by_the_next_one() {
    let issuer = Issuer::new();
    let (bench, site) = bench(&issuer, Setup::default());
    let now = OffsetDateTime::now_utc();
    for side in [Side::Before, Side::After] {
        for calls in 0..8 {
            let renewal = for_its_keys(&bench);
            {
                let mut inner = bench.token();
                inner.login(&pin(PIN)).unwrap();
                let mut broken = BreakingToken::dying(inner, calls, side);
                let died = renewal.write(&mut broken, ORDER, now).is_err();
                assert!(died || calls > 5, "{calls} {side:?}");
                // What can be used at any moment is a certificate for the key beside it.
                for usage in [Usage::Signing, Usage::Encryption] {
                    let held = broken.inner.certificate(usage).unwrap().unwrap();
                    assert_eq!(
                        held.public_key(),
                        broken.inner.public_key(usage).unwrap().as_ref()
                    );
                }
            }
            let again = bench.agreed(
                &site,
                "/v1/write-certificates",
                &body(&issuer, &bench, &renewal, ORDER),
            );
            assert_eq!(again.status, 200, "{calls} {side:?}");
            assert_holds(&bench, &renewal.signing, &renewal.encryption);
        }
    }
}

#[test]
fn a_renewal_that_was_begun_is_finished_before_another_one() {
    let issuer = Issuer::new();
    let (bench, site) = bench(&issuer, Setup::default());
    let begun = for_its_keys(&bench);
    {
        let mut inner = bench.token();
        inner.login(&pin(PIN)).unwrap();
        let mut broken = BreakingToken::dying(inner, 3, Side::Before);
        assert!(
            begun
                .write(&mut broken, OTHER_ORDER, OffsetDateTime::now_utc())
                .is_err()
        );
    }
    assert_holds(&bench, &bench.parts().signing, &bench.parts().encryption);
    // The other order's new keys are asked for under the certificates of the one that was begun.
    let ticket = issuer.sign(&Ticket {
        order: ORDER.to_owned(),
        ..ticket(
            &bench.token().identity().serial,
            TicketedOperation::RequestCertificates,
            None,
        )
    });
    let asked = bench.agreed(&site, "/v1/request-certificates", &json!({ "ticket": ticket }));
    assert_eq!(asked.status, 200);
    assert_holds(&bench, &begun.signing, &begun.encryption);
}

#[test]
fn a_locked_token_is_unblocked_with_a_ticket_and_the_admin_pin() {
    let issuer = Issuer::new();
    let (bench, site) = bench(&issuer, Setup::default());
    {
        let mut token = bench.token();
        while token.tries_left().unwrap().user.left > 0 {
            assert!(token.login(&pin("not-the-pin")).is_err());
        }
    }
    let serial = bench.token().identity().serial;
    let unblock = |window_entries: &[(&str, &str)]| {
        let ticket = issuer.sign(&ticket(&serial, TicketedOperation::Unblock, None));
        let mut asking = site.begin("/v1/unblock", &json!({ "ticket": ticket }));
        let window = bench.window();
        let html = window.enter(window_entries);
        if html.contains("data-action=\"cancel\"") {
            window.press("cancel");
        }
        (html, answer(&mut asking))
    };
    let entries = |admin| [("pin", admin), ("new", "new-pin-1"), ("again", "new-pin-1")];
    let (html, refused) = unblock(&entries("not-admin"));
    assert!(html.contains("还可尝试 5 次"), "{html}");
    refused.assert_refused(403, "denied");
    let (_, done) = unblock(&entries(ADMIN_PIN));
    assert_eq!(done.value()["unblocked"], true);
    let mut token = bench.token();
    assert_eq!(token.tries_left().unwrap().user.left, PIN_TRIES);
    token.login(&pin("new-pin-1")).unwrap();
}

#[test]
fn a_blank_token_is_personalised_with_a_ticket() {
    let issuer = Issuer::new();
    let platform = FakePlatform::start();
    let (bench, site) = bench(
        &issuer,
        Setup {
            tokens: Tokens::Blank,
            api: Some(platform.url()),
            ..Setup::default()
        },
    );
    let serial = bench.token_in("Blank").identity().serial;
    let ticket = Ticket {
        order: ORDER_NUMBER.to_owned(),
        ..ticket(&serial, TicketedOperation::Personalise, None)
    };
    let body = json!({ "ticket": issuer.sign(&ticket), "session": SESSION });
    let mut asking = site.begin("/v1/personalise", &body);
    let window = bench.window();
    // A wrong PIN does not use the ticket up.
    let html = window.enter(&[("pin", "not-the-pin")]);
    assert!(html.contains("还可尝试 5 次"), "{html}");
    window.enter(&[("pin", PIN)]);
    let done = answer(&mut asking).value();
    assert_eq!(done["token_serial"], serial);
    assert_eq!(done["order"]["number"], ORDER_NUMBER);
    let records = platform.records();
    assert_eq!(records.violations, Vec::<String>::new());
    assert_eq!(records.reports.len(), 1);
    let password = records.reports[0]["password"].as_str().unwrap().to_owned();
    drop(records);
    let mut token = bench.token_in("Blank");
    token.login(&pin(&password)).unwrap();
    for secret in [SESSION, &password] {
        assert!(!bench.kept().contains(secret));
    }
}

#[test]
fn an_agent_without_the_platforms_address_personalises_nothing() {
    let issuer = Issuer::new();
    let (bench, site) = bench(
        &issuer,
        Setup {
            tokens: Tokens::Blank,
            ..Setup::default()
        },
    );
    let serial = bench.token_in("Blank").identity().serial;
    let ticket = issuer.sign(&ticket(&serial, TicketedOperation::Personalise, None));
    let body = json!({ "ticket": ticket, "session": SESSION });
    bench
        .agreed(&site, "/v1/personalise", &body)
        .assert_refused(501, "not-configured");
}

#[test]
fn a_seal_that_is_no_der_or_too_long_is_refused() {
    let issuer = Issuer::new();
    let (_bench, site) = bench(&issuer, Setup::default());
    let long = yinxin_pki::der::sequence(&[&yinxin_pki::der::octet_string(&vec![7; 33_000])]);
    for seal in [b"no der".to_vec(), vec![0x30, 0x05, 0x04], long] {
        site.call(
            "/v1/write-seal",
            &json!({ "ticket": "a.b", "seal": STANDARD.encode(seal) }),
        )
        .assert_refused(400, "arguments");
    }
}
