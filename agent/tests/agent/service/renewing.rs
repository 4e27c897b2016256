//! Renewed certificates for new keys: asked for, written, and what stands in their way.
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use time::OffsetDateTime;
use yinxin_agent::{
    operations::{
        holder::days_left,
        renewal::{RENEWAL_RECORD, Renewal},
    },
    service::{Limits, pace::Rate},
    ticket::{Ticket, TicketedOperation},
    token::{Token as _, TokenError, containers::CURRENT_RECORD, vault::rng},
};
use yinxin_pki::{Certificate, Csr, EnvelopedKey, Name, SigningKey, cms_envelope};

use super::{
    bench::{Bench, HOLDER, PIN, Setup, Site, Tokens, bytes, certificate},
    raw::{Answer, answer},
    tickets::{Issuer, bench, ticket},
    writing::{ORDER, OTHER_ORDER, assert_holds, body, for_its_keys, renewed},
};
use crate::world::pin;

const REQUEST: &str = "/v1/request-certificates";
const WRITE: &str = "/v1/write-certificates";

/// Asks the token for new keys for an order.
fn ask(issuer: &Issuer, bench: &Bench, site: &Site, order: &str) -> Answer {
    let ticket = Ticket {
        order: order.to_owned(),
        ..ticket(
            &bench.token().identity().serial,
            TicketedOperation::RequestCertificates,
            None,
        )
    };
    bench.agreed(site, REQUEST, &json!({ "ticket": issuer.sign(&ticket) }))
}

fn csr_of(asked: &Answer) -> Csr {
    Csr::from_pem(asked.value()["csr"].as_str().unwrap()).unwrap()
}

/// What the CA makes for a request, valid for some years.
fn issued(bench: &Bench, csr: &Csr, years: u8) -> Renewal {
    let encryption = SigningKey::generate(&mut rng());
    Renewal {
        enveloped_key: Some(EnvelopedKey::seal(&encryption, csr.public_key(), &mut rng())),
        ..renewed(bench, HOLDER, csr.public_key(), encryption.public_key(), years)
    }
}

/// Whether the token signs and decrypts with these certificates and no others.
fn assert_works_with(bench: &Bench, site: &Site, signing: &Certificate, encryption: &Certificate) {
    assert_holds(bench, signing, encryption);
    let body = json!({ "message": STANDARD.encode("合同"), "format": "raw" });
    let signed = bench.agreed(site, "/v1/sign", &body).value();
    assert_eq!(certificate(&signed["certificate"]), *signing);
    let key = signing.public_key().unwrap();
    assert!(
        key.verify("合同".as_bytes(), &bytes(&signed["signature"]))
            .is_ok()
    );
    assert_opens(bench, site, encryption);
}

/// Whether what is encrypted to a certificate opens, and the page says with which certificate.
fn assert_opens(bench: &Bench, site: &Site, encryption: &Certificate) {
    let sm2 = encryption
        .public_key()
        .unwrap()
        .encrypt(b"bid", &mut rng())
        .unwrap();
    let cms = cms_envelope::seal(b"bid", encryption, &mut rng()).unwrap();
    for (ciphertext, format) in [(cms, "cms"), (sm2, "sm2")] {
        let body = json!({ "ciphertext": STANDARD.encode(ciphertext), "format": format });
        let mut asking = site.begin("/v1/decrypt", &body);
        let window = bench.window();
        let days = days_left(encryption, OffsetDateTime::now_utc());
        if format == "cms" {
            let html = window.html();
            assert!(html.contains(&format!("剩余 {days} 天")), "{html}");
        }
        window.enter(&[("pin", PIN)]);
        assert_eq!(
            bytes(&answer(&mut asking).value()["plaintext"]),
            b"bid",
            "{format}"
        );
    }
}

#[test]
fn certificates_for_new_keys_become_current_and_the_old_ones_still_decrypt() {
    let issuer = Issuer::new();
    let (bench, site) = bench(&issuer, Setup::default());
    let parts = bench.parts();
    let mut former = vec![(parts.signing.clone(), parts.encryption.clone())];
    for (order, years) in [(ORDER, 2), (OTHER_ORDER, 3)] {
        let asked = ask(&issuer, &bench, &site, order);
        let csr = csr_of(&asked);
        let (old_signing, old_encryption) = former.last().unwrap().clone();
        assert_eq!(csr.subject(), old_signing.subject());
        assert_ne!(Some(csr.public_key()), old_signing.public_key());
        // Nothing has changed until the certificates are there, and a repeated call answers the same.
        assert_works_with(&bench, &site, &old_signing, &old_encryption);
        assert_eq!(ask(&issuer, &bench, &site, order).value(), asked.value());

        let renewal = issued(&bench, &csr, years);
        let written = bench
            .agreed(&site, WRITE, &body(&issuer, &bench, &renewal, order))
            .value();
        assert_eq!(
            written["encryption_certificate_sm3"],
            hex::encode(yinxin_pki::sm3(renewal.encryption.as_der()))
        );
        assert_works_with(&bench, &site, &renewal.signing, &renewal.encryption);
        for (_, encryption) in &former {
            assert_opens(&bench, &site, encryption);
        }
        former.push((renewal.signing, renewal.encryption));
    }
    let listed = site.call("/v1/tokens", &json!({})).value();
    let shown = |list: &Value| -> Vec<String> {
        let list = list.as_array().unwrap().iter();
        list.map(|entry| entry["pem"].as_str().unwrap().to_owned())
            .collect()
    };
    let expected: Vec<String> = former[..2]
        .iter()
        .flat_map(|(signing, encryption)| [signing.to_pem(), encryption.to_pem()])
        .collect();
    assert_eq!(shown(&listed["tokens"][0]["former_certificates"]), expected);
}

#[test]
fn certificates_that_do_not_fit_the_new_keys_leave_the_old_ones() {
    let issuer = Issuer::new();
    // More pages than a site may open in a minute.
    let limits = Limits {
        operations: Rate { each: 99, all: 99 },
        ..Limits::default()
    };
    let setup = Setup {
        limits,
        ..Setup::default()
    };
    let (bench, site) = bench(&issuer, setup);
    let parts = bench.parts();
    let not_asked = issued(&bench, &csr_for(&SigningKey::generate(&mut rng())), 2);
    bench
        .agreed(&site, WRITE, &body(&issuer, &bench, &not_asked, ORDER))
        .assert_refused(409, "renewal-not-requested");
    let csr = csr_of(&ask(&issuer, &bench, &site, ORDER));
    let good = issued(&bench, &csr, 2);
    let stranger = SigningKey::generate(&mut rng());
    let encryption = SigningKey::generate(&mut rng());
    for (renewal, code) in [
        // Enveloped to another signing key.
        (
            Renewal {
                enveloped_key: Some(EnvelopedKey::seal(&encryption, stranger.public_key(), &mut rng())),
                ..renewed(&bench, HOLDER, csr.public_key(), encryption.public_key(), 2)
            },
            "renewal-envelope",
        ),
        // Another encryption key than the certificate's.
        (
            Renewal {
                enveloped_key: Some(EnvelopedKey::seal(&encryption, csr.public_key(), &mut rng())),
                ..good.clone()
            },
            "renewal-other-keys",
        ),
        (issued(&bench, &csr_for(&stranger), 2), "renewal-other-keys"),
        // New certificates without the key that is new.
        (
            Renewal {
                enveloped_key: None,
                ..good.clone()
            },
            "renewal-other-keys",
        ),
        (
            Renewal {
                enveloped_key: good.enveloped_key.clone(),
                ..renewed(
                    &bench,
                    "Another holder",
                    csr.public_key(),
                    good.encryption.public_key().unwrap(),
                    2,
                )
            },
            "renewal",
        ),
        (
            Renewal {
                chain: Vec::new(),
                ..good.clone()
            },
            "renewal",
        ),
    ] {
        bench
            .agreed(&site, WRITE, &body(&issuer, &bench, &renewal, ORDER))
            .assert_refused(409, code);
        assert_works_with(&bench, &site, &parts.signing, &parts.encryption);
    }
    // For another order's certificates this token has no keys, nor are these given up for it.
    bench
        .agreed(&site, WRITE, &body(&issuer, &bench, &good, OTHER_ORDER))
        .assert_refused(409, "renewal-not-requested");
    let written = bench.agreed(&site, WRITE, &body(&issuer, &bench, &good, ORDER));
    assert_eq!(written.status, 200);
    assert_works_with(&bench, &site, &good.signing, &good.encryption);
}

/// A request of the holder for a key outside the token.
fn csr_for(key: &SigningKey) -> Csr {
    let name = Name::unit(HOLDER, None).unwrap();
    let builder = yinxin_pki::CsrBuilder::new(&name, key.public_key());
    Csr::from_der(&builder.sign_with(|info| key.sign(info)).unwrap()).unwrap()
}

#[test]
fn another_enveloped_key_than_the_ticket_means_is_refused() {
    let issuer = Issuer::new();
    let (bench, site) = bench(&issuer, Setup::default());
    let csr = csr_of(&ask(&issuer, &bench, &site, ORDER));
    let renewal = issued(&bench, &csr, 2);
    let other = EnvelopedKey::seal(&SigningKey::generate(&mut rng()), csr.public_key(), &mut rng());
    let mut exchanged = body(&issuer, &bench, &renewal, ORDER);
    exchanged["enveloped_key"] = STANDARD.encode(other.as_der()).into();
    let mut without = body(&issuer, &bench, &renewal, ORDER);
    without.as_object_mut().unwrap().remove("enveloped_key");
    let mut added = body(&issuer, &bench, &for_its_keys(&bench), ORDER);
    added["enveloped_key"] = exchanged["enveloped_key"].clone();
    for asked in [exchanged, without, added] {
        site.call(WRITE, &asked).assert_refused(403, "ticket-content");
    }
    let mut broken = body(&issuer, &bench, &renewal, ORDER);
    broken["enveloped_key"] = STANDARD.encode(b"no key").into();
    site.call(WRITE, &broken).assert_refused(400, "arguments");
}

#[test]
fn new_keys_are_made_with_a_ticket_for_them_only() {
    let issuer = Issuer::new();
    let (bench, site) = bench(&issuer, Setup::default());
    let serial = bench.token().identity().serial;
    let other = issuer.sign(&ticket(&serial, TicketedOperation::Unblock, None));
    site.call(REQUEST, &json!({ "ticket": other }))
        .assert_refused(403, "ticket-operation");
    site.call(REQUEST, &json!({})).assert_refused(400, "arguments");
    assert!(bench.browser.is_empty());
    assert_eq!(bench.token().containers().unwrap().len(), 1);
}

#[test]
fn a_token_without_certificates_asks_for_none() {
    let issuer = Issuer::new();
    let (bench, site) = bench(
        &issuer,
        Setup {
            tokens: Tokens::Blank,
            ..Setup::default()
        },
    );
    let serial = bench.token_in("Blank").identity().serial;
    let ticket = issuer.sign(&ticket(&serial, TicketedOperation::RequestCertificates, None));
    site.call(REQUEST, &json!({ "ticket": ticket }))
        .assert_refused(409, "no-certificate");
}

#[test]
fn an_abandoned_renewal_is_given_up_for_a_later_order() {
    let issuer = Issuer::new();
    let (bench, site) = bench(&issuer, Setup::default());
    let parts = bench.parts();
    let abandoned = csr_of(&ask(&issuer, &bench, &site, ORDER));
    let csr = csr_of(&ask(&issuer, &bench, &site, OTHER_ORDER));
    assert_ne!(abandoned.public_key(), csr.public_key());
    let token = bench.token();
    assert_eq!(
        token.containers().unwrap().len(),
        2,
        "the abandoned container is gone"
    );
    assert_works_with(&bench, &site, &parts.signing, &parts.encryption);
    let late = issued(&bench, &abandoned, 2);
    bench
        .agreed(&site, WRITE, &body(&issuer, &bench, &late, ORDER))
        .assert_refused(409, "renewal-not-requested");
    let renewal = issued(&bench, &csr, 2);
    let written = bench.agreed(&site, WRITE, &body(&issuer, &bench, &renewal, OTHER_ORDER));
    assert_eq!(written.status, 200);
    // What was in use stays, whatever is begun after it.
    ask(&issuer, &bench, &site, ORDER).value();
    ask(&issuer, &bench, &site, "20261125A00000002").value();
    assert_works_with(&bench, &site, &renewal.signing, &renewal.encryption);
    assert_opens(&bench, &site, &parts.encryption);
}

#[test]
fn new_keys_are_given_up_for_certificates_for_the_same_keys() {
    let issuer = Issuer::new();
    let (bench, site) = bench(&issuer, Setup::default());
    ask(&issuer, &bench, &site, ORDER).value();
    let renewal = for_its_keys(&bench);
    bench
        .agreed(&site, WRITE, &body(&issuer, &bench, &renewal, ORDER))
        .value();
    assert_eq!(bench.token().containers().unwrap().len(), 1);
    assert_works_with(&bench, &site, &renewal.signing, &renewal.encryption);
    ask(&issuer, &bench, &site, ORDER).assert_refused(409, "renewal-finished");
}

#[test]
fn an_order_is_renewed_once() {
    let issuer = Issuer::new();
    let (bench, site) = bench(&issuer, Setup::default());
    let renewal = issued(&bench, &csr_of(&ask(&issuer, &bench, &site, ORDER)), 2);
    let write = || bench.agreed(&site, WRITE, &body(&issuer, &bench, &renewal, ORDER));
    assert_eq!(write().status, 200);
    ask(&issuer, &bench, &site, ORDER).assert_refused(409, "renewal-finished");
    // The answer may have been lost: the same call again is no error.
    assert_eq!(write().status, 200);
    let next = issued(&bench, &csr_of(&ask(&issuer, &bench, &site, OTHER_ORDER)), 3);
    bench
        .agreed(&site, WRITE, &body(&issuer, &bench, &next, OTHER_ORDER))
        .value();
    ask(&issuer, &bench, &site, ORDER).assert_refused(409, "renewal-finished");
    bench
        .agreed(&site, WRITE, &body(&issuer, &bench, &next, ORDER))
        .assert_refused(409, "renewal-not-requested");
    assert_works_with(&bench, &site, &next.signing, &next.encryption);
}

#[test]
fn new_keys_that_were_renewed_are_renewed_for_the_same_keys_too() {
    let issuer = Issuer::new();
    let (bench, site) = bench(&issuer, Setup::default());
    let renewal = issued(&bench, &csr_of(&ask(&issuer, &bench, &site, ORDER)), 2);
    bench
        .agreed(&site, WRITE, &body(&issuer, &bench, &renewal, ORDER))
        .value();
    let key = |certificate: &Certificate| certificate.public_key().unwrap().clone();
    let again = renewed(
        &bench,
        HOLDER,
        &key(&renewal.signing),
        &key(&renewal.encryption),
        3,
    );
    bench
        .agreed(&site, WRITE, &body(&issuer, &bench, &again, OTHER_ORDER))
        .value();
    assert_works_with(&bench, &site, &again.signing, &again.encryption);
    // The certificate that was replaced names the key that is still there.
    for encryption in [&renewal.encryption, &bench.parts().encryption] {
        assert_opens(&bench, &site, encryption);
    }
    let listed = site.call("/v1/tokens", &json!({})).value();
    let former = listed["tokens"][0]["former_certificates"].as_array().unwrap();
    assert_eq!(former.len(), 3);
    assert_eq!(former[2]["pem"], renewal.encryption.to_pem());
}

#[test]
fn a_full_token_keeps_its_certificates() {
    let issuer = Issuer::new();
    let (bench, site) = bench(&issuer, Setup::default());
    let mut filled = bench.token();
    filled.login(&pin(PIN)).unwrap();
    let full = (0..100).find_map(|number| filled.create_container(&format!("other{number}")).err());
    assert!(matches!(full, Some(TokenError::Full)), "{full:?}");
    drop(filled);
    let refused = ask(&issuer, &bench, &site, ORDER);
    refused.assert_refused(409, "ukey-full");
    assert!(
        refused.json()["title"]
            .as_str()
            .unwrap()
            .contains("UKey 空间已满"),
        "{refused:?}"
    );
    let parts = bench.parts();
    assert_works_with(&bench, &site, &parts.signing, &parts.encryption);
    // With room again, the same order goes on.
    let mut filled = bench.token();
    filled.login(&pin(PIN)).unwrap();
    filled.delete_container("other7").unwrap();
    drop(filled);
    let renewal = issued(&bench, &csr_of(&ask(&issuer, &bench, &site, ORDER)), 2);
    bench
        .agreed(&site, WRITE, &body(&issuer, &bench, &renewal, ORDER))
        .value();
    assert_works_with(&bench, &site, &renewal.signing, &renewal.encryption);
}

#[test]
fn records_of_a_renewal_that_cannot_be_read_leave_the_old_certificates() {
    let issuer = Issuer::new();
    let (bench, site) = bench(&issuer, Setup::default());
    let mut token = bench.token();
    token.login(&pin(PIN)).unwrap();
    token.write_record(RENEWAL_RECORD, b"{}").unwrap();
    token
        .write_record(CURRENT_RECORD, b"nothing of this name")
        .unwrap();
    drop(token);
    ask(&issuer, &bench, &site, ORDER).assert_refused(409, "renewal-record");
    let parts = bench.parts();
    assert_works_with(&bench, &site, &parts.signing, &parts.encryption);
    let listed = site.call("/v1/tokens", &json!({})).value();
    assert_eq!(listed["tokens"][0]["former_certificates"], json!([]));
}
