//! Unblocking by an admin PIN that the platform sends past the page.
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::json;
use yinxin_agent::{
    ticket::TicketedOperation,
    token::{Token as _, vault::rng},
};
use yinxin_pki::PublicKey;

use super::{
    bench::{Bench, OTHER_SITE, PIN_TRIES, Setup, Site, bytes},
    raw::{Answer, answer},
    tickets::{Issuer, bench, ticket},
};
use crate::world::{ADMIN_PIN, pin};

const NEW_PIN: &str = "new-pin-1";

/// What the platform does with the key that the page brings: seals an admin PIN to it.
fn sealed(key: &[u8], admin: &str) -> Vec<u8> {
    let key = PublicKey::from_spki_der(key).unwrap();
    key.encrypt(admin.as_bytes(), &mut rng()).unwrap()
}

/// The key that the agent gives to a site for the one token.
fn key(bench: &Bench, site: &Site) -> Vec<u8> {
    let given = site.call("/v1/unblock-key", &json!({})).value();
    assert_eq!(given["token_serial"], bench.token().identity().serial);
    bytes(&given["public_key"])
}

fn body(issuer: &Issuer, bench: &Bench, sealed: &[u8]) -> serde_json::Value {
    let serial = bench.token().identity().serial;
    let ticket = ticket(&serial, TicketedOperation::Unblock, Some(sealed));
    json!({ "ticket": issuer.sign(&ticket), "authorisation": STANDARD.encode(sealed) })
}

/// Asks, and lets the holder type the new PIN.
fn unblock(bench: &Bench, site: &Site, body: &serde_json::Value) -> Answer {
    let mut asking = site.begin("/v1/unblock", body);
    let window = bench.window();
    let html = window.html();
    // The admin PIN is asked of nobody.
    assert!(!html.contains("name=\"pin\""), "{html}");
    window.enter(&[("new", NEW_PIN), ("again", NEW_PIN)]);
    answer(&mut asking)
}

fn lock(bench: &Bench) {
    let mut token = bench.token();
    while token.tries_left().unwrap().user.left > 0 {
        assert!(token.login(&pin("not-the-pin")).is_err());
    }
}

#[test]
fn a_locked_token_is_unblocked_by_the_platform_and_its_holder() {
    let issuer = Issuer::new();
    let (bench, site) = bench(&issuer, Setup::default());
    lock(&bench);
    let sealed = sealed(&key(&bench, &site), ADMIN_PIN);
    let body = body(&issuer, &bench, &sealed);
    assert_eq!(unblock(&bench, &site, &body).value()["unblocked"], true);
    let mut token = bench.token();
    assert_eq!(token.tries_left().unwrap().user.left, PIN_TRIES);
    token.login(&pin(NEW_PIN)).unwrap();
    drop(token);
    for secret in [ADMIN_PIN, NEW_PIN] {
        assert!(!bench.kept().contains(secret));
    }
    // The key was good once, whatever ticket comes.
    site.call("/v1/unblock", &self::body(&issuer, &bench, &sealed))
        .assert_refused(409, "authorisation");
}

#[test]
fn an_admin_pin_is_no_good_for_another_site_or_an_earlier_key() {
    let issuer = Issuer::new();
    let (bench, site) = bench(&issuer, Setup::default());
    let earlier = key(&bench, &site);
    let current = key(&bench, &site);
    let refused = |site: &Site, sealed: &[u8]| {
        site.call("/v1/unblock", &body(&issuer, &bench, sealed))
            .assert_refused(409, "authorisation");
    };
    refused(&site, &sealed(&earlier, ADMIN_PIN));
    refused(&site, b"no cipher");
    let right = sealed(&current, ADMIN_PIN);
    refused(&bench.approved(OTHER_SITE), &right);
    // None of it used up the key or the right ticket.
    let body = body(&issuer, &bench, &right);
    assert_eq!(unblock(&bench, &site, &body).value()["unblocked"], true);
}

#[test]
fn an_admin_pin_that_the_ticket_does_not_name_is_refused() {
    let issuer = Issuer::new();
    let (bench, site) = bench(&issuer, Setup::default());
    let key = key(&bench, &site);
    let (named, other) = (sealed(&key, ADMIN_PIN), sealed(&key, "not-admin"));
    let mut body = body(&issuer, &bench, &named);
    body["authorisation"] = STANDARD.encode(other).into();
    site.call("/v1/unblock", &body)
        .assert_refused(403, "ticket-content");
}

#[test]
fn a_wrong_admin_pin_ends_the_operation_and_costs_its_one_try() {
    let issuer = Issuer::new();
    let (bench, site) = bench(&issuer, Setup::default());
    let sealed = sealed(&key(&bench, &site), "not-admin");
    let body = body(&issuer, &bench, &sealed);
    unblock(&bench, &site, &body).assert_refused(409, "authorisation");
    assert_eq!(bench.token().tries_left().unwrap().admin.left, PIN_TRIES - 1);
}
