//! Tickets: what the platform permits, once, for one token, one site and one content.
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};
use yinxin_agent::{
    ticket::{Platform, Ticket, TicketedOperation},
    token::{Token as _, vault::rng},
};
use yinxin_pki::{Name, SigningKey, pem, sm3};

use super::{
    bench::{Bench, OTHER_SITE, PIN, SITE, Setup, Site, Tokens},
    raw::{Answer, answer},
};
use crate::authority::Authority;

/// A DER SEQUENCE that stands for a seal.
pub const SEAL: &[u8] = &[0x30, 0x05, 0x04, 0x03, b'e', b's', b'2'];

/// The platform's key for tickets, and what the agent is started with for it.
pub struct Issuer {
    pub key: SigningKey,
    pem: String,
}

impl Issuer {
    pub fn new() -> Self {
        let key = SigningKey::generate(&mut rng());
        let parts = Authority::new().issue_for(&Name::unit("Platform", None).unwrap(), key.public_key());
        let pem = parts.signing.to_pem() + &pem::encode_chain(&parts.chain);
        Self { key, pem }
    }

    pub fn platform(&self) -> Platform {
        Platform::from_pem(&self.pem).unwrap()
    }

    pub fn pem(&self) -> &str {
        &self.pem
    }

    pub fn sign(&self, ticket: &Ticket) -> String {
        ticket.signed_with(|bytes| self.key.sign(bytes)).unwrap()
    }
}

/// A bench whose agent knows the platform, and the site that has its tickets.
pub fn bench(issuer: &Issuer, setup: Setup) -> (Bench, Site) {
    let bench = Bench::with(Setup {
        platform: Some(issuer.platform()),
        ..setup
    });
    let site = bench.approved(SITE);
    (bench, site)
}

/// A ticket for the bench's token.
pub fn ticket(serial: &str, operation: TicketedOperation, content: Option<&[u8]>) -> Ticket {
    static NEXT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    let number = NEXT.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
    let now = OffsetDateTime::now_utc().replace_nanosecond(0).unwrap();
    Ticket {
        version: 1,
        id: format!("ticket-of-a-test-{number:08}"),
        operation,
        token: serial.to_owned(),
        order: "20261123A48201937".to_owned(),
        origin: SITE.to_owned(),
        issued_at: now,
        expires_at: now + Duration::minutes(10),
        content: content.map(|content| hex::encode(sm3(content))),
    }
}

/// A change that makes another ticket of one.
type Change = Box<dyn Fn(&mut Ticket)>;

fn for_the_seal(bench: &Bench) -> Ticket {
    let serial = bench.token().identity().serial;
    ticket(&serial, TicketedOperation::WriteSeal, Some(SEAL))
}

fn body(ticket: &str) -> Value {
    json!({ "ticket": ticket, "seal": STANDARD.encode(SEAL) })
}

fn write(site: &Site, ticket: &str) -> Answer {
    site.call("/v1/write-seal", &body(ticket))
}

#[test]
fn a_seal_is_written_with_a_ticket_and_the_holders_pin() {
    let issuer = Issuer::new();
    let (bench, site) = bench(&issuer, Setup::default());
    let ticket = issuer.sign(&for_the_seal(&bench));
    let mut asking = site.begin("/v1/write-seal", &body(&ticket));
    let window = bench.window();
    let html = window.html();
    assert!(
        html.contains("写入电子印章") && html.contains("20261123A48201937"),
        "{html}"
    );
    window.enter(&[("pin", PIN)]);
    let written = answer(&mut asking).value();
    assert_eq!(written["seal_sm3"], hex::encode(sm3(SEAL)));
    assert_eq!(bench.token().record("seal").unwrap().as_deref(), Some(SEAL));
    assert!(bench.kept().contains("20261123A48201937"));
}

#[test]
fn a_ticket_is_good_once_whatever_became_of_it() {
    let issuer = Issuer::new();
    let (bench, site) = bench(&issuer, Setup::default());
    let ticket = issuer.sign(&for_the_seal(&bench));
    let mut asking = site.begin("/v1/write-seal", &body(&ticket));
    bench.window().press("cancel");
    answer(&mut asking).assert_refused(403, "denied");
    write(&site, &ticket).assert_refused(403, "ticket-used");
    assert_eq!(bench.token().record("seal").unwrap(), None);
}

#[test]
fn a_restart_forgets_no_used_ticket() {
    let issuer = Issuer::new();
    let (first, site) = bench(&issuer, Setup::default());
    let ticket = issuer.sign(&for_the_seal(&first));
    assert_eq!(first.agreed(&site, "/v1/write-seal", &body(&ticket)).status, 200);
    let again = Bench::with(Setup {
        tokens: Tokens::AsTheyAre,
        platform: Some(issuer.platform()),
        place: Some(first.end()),
        ..Setup::default()
    });
    let site = Site {
        port: again.port,
        ..site
    };
    write(&site, &ticket).assert_refused(403, "ticket-used");
}

#[test]
fn a_ticket_for_something_else_is_refused() {
    let issuer = Issuer::new();
    let (bench, site) = bench(&issuer, Setup::default());
    let good = for_the_seal(&bench);
    let now = good.issued_at;
    let minutes = Duration::minutes;
    let table: Vec<(Change, &str)> = vec![
        (
            Box::new(|ticket| ticket.token = "YX0000".to_owned()),
            "ticket-ukey",
        ),
        (
            Box::new(|ticket| ticket.origin = OTHER_SITE.to_owned()),
            "ticket-origin",
        ),
        (
            Box::new(|ticket| ticket.operation = TicketedOperation::Unblock),
            "ticket-operation",
        ),
        (Box::new(|ticket| ticket.content = None), "ticket-content"),
        (
            Box::new(|ticket| ticket.content = Some(hex::encode(sm3(b"another seal")))),
            "ticket-content",
        ),
        (
            Box::new(move |ticket| {
                ticket.issued_at = now - minutes(11);
                ticket.expires_at = now - minutes(1);
            }),
            "ticket-expired",
        ),
        (
            Box::new(move |ticket| ticket.expires_at = now + minutes(11)),
            "ticket-expired",
        ),
        (
            Box::new(move |ticket| {
                ticket.issued_at = now + minutes(5);
                ticket.expires_at = now + minutes(10);
            }),
            "ticket-expired",
        ),
        (Box::new(|ticket| ticket.version = 2), "ticket-malformed"),
        (
            Box::new(|ticket| ticket.id = "short".to_owned()),
            "ticket-malformed",
        ),
        (
            Box::new(|ticket| ticket.order = "../x".to_owned()),
            "ticket-malformed",
        ),
    ];
    for (change, code) in table {
        let mut changed = good.clone();
        change(&mut changed);
        write(&site, &issuer.sign(&changed)).assert_refused(403, code);
    }
    assert!(bench.browser.is_empty(), "nobody was asked");
    // Nothing of that used the good one up.
    let accepted = bench.agreed(&site, "/v1/write-seal", &body(&issuer.sign(&good)));
    assert_eq!(accepted.status, 200);
}

#[test]
fn a_ticket_that_the_platform_did_not_sign_is_refused() {
    let issuer = Issuer::new();
    let (bench, site) = bench(&issuer, Setup::default());
    let good = for_the_seal(&bench);
    let text = issuer.sign(&good);
    let (payload, signature) = text.split_once('.').unwrap();
    let other = Issuer::new().sign(&good);
    let (_, other_signature) = other.split_once('.').unwrap();
    let mut changed = good.clone();
    changed.order = "20261123A00000001".to_owned();
    let changed = issuer.sign(&changed);
    let (changed_payload, _) = changed.split_once('.').unwrap();
    // The same bytes as a plain message: without the prefix.
    let bare = issuer.key.sign(&serde_json::to_vec(&good).unwrap()).unwrap();
    let bare = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bare);
    for (ticket, code) in [
        (other.clone(), "ticket-signature"),
        (format!("{payload}.{other_signature}"), "ticket-signature"),
        (format!("{changed_payload}.{signature}"), "ticket-signature"),
        (format!("{payload}.{bare}"), "ticket-signature"),
        (format!("{payload}."), "ticket-signature"),
        (payload.to_owned(), "ticket-malformed"),
        (String::new(), "ticket-malformed"),
        (format!("{payload}=.{signature}"), "ticket-malformed"),
        ("a".repeat(5000), "ticket-malformed"),
    ] {
        write(&site, &ticket).assert_refused(403, code);
    }
    assert!(bench.browser.is_empty());
}

#[test]
fn another_site_cannot_use_a_ticket() {
    let issuer = Issuer::new();
    let (bench, _) = bench(&issuer, Setup::default());
    let other = bench.approved(OTHER_SITE);
    let ticket = issuer.sign(&for_the_seal(&bench));
    write(&other, &ticket).assert_refused(403, "ticket-origin");
}

#[test]
fn a_ticket_is_no_good_for_another_operation() {
    let issuer = Issuer::new();
    let (bench, site) = bench(&issuer, Setup::default());
    let ticket = issuer.sign(&for_the_seal(&bench));
    site.call("/v1/unblock", &json!({ "ticket": ticket }))
        .assert_refused(403, "ticket-operation");
    site.call("/v1/personalise", &json!({ "ticket": ticket, "session": "s" }))
        .assert_refused(403, "ticket-operation");
    site.call(
        "/v1/sign",
        &json!({ "message": "AA==", "format": "raw", "ticket": ticket }),
    )
    .assert_refused(400, "arguments");
}

#[test]
fn ticketed_operations_need_a_ticket_and_an_agent_that_knows_the_platform() {
    let issuer = Issuer::new();
    let bench = Bench::new();
    let site = bench.approved(SITE);
    site.call("/v1/write-seal", &json!({ "seal": STANDARD.encode(SEAL) }))
        .assert_refused(400, "arguments");
    write(&site, &issuer.sign(&for_the_seal(&bench))).assert_refused(501, "no-platform");
    assert!(bench.browser.is_empty());
}

#[test]
fn a_ca_or_an_encryption_certificate_signs_no_tickets() {
    let authority = Authority::new();
    let key = SigningKey::generate(&mut rng());
    let parts = authority.issue_for(&Name::unit("Platform", None).unwrap(), key.public_key());
    let chain = pem::encode_chain(&parts.chain);
    assert!(Platform::from_pem(&(parts.signing.to_pem() + &chain)).is_ok());
    assert!(Platform::from_pem(&(parts.encryption.to_pem() + &chain)).is_err());
    assert!(Platform::from_pem(&chain).is_err());
    assert!(Platform::from_pem(&parts.signing.to_pem()).is_err());
    assert!(Platform::from_pem("").is_err());
}
