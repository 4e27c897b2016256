//! Tickets for the signer agent: for whom, for what, and that the agent's own verification takes them.
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};
use yinxin_ca::ceremony::{self, Above};
use yinxin_ca::{Signer, SoftwareKey};
use yinxin_lambda::session::Role;
use yinxin_order::command::{Actor, CommandName};
use yinxin_order::form::sample::unit;
use yinxin_order::state::State;
use yinxin_order::ticket::MAX_TICKETS;
use yinxin_personalise::{PrivateKey, TicketKey, TicketKeys, TicketSecret};
use yinxin_pki::pem::encode_chain;
use yinxin_pki::profile::Profile;
use yinxin_pki::{SigningKey, Zeroizing};
use yinxin_store::orders::Orders as _;
use yinxin_store::vault::rng;
use yinxin_ticket::{Platform, Presented, Ticket, TicketRefusal, TicketedOperation};

use crate::world::{Answer, NOW, PORTALS, VENDOR, World};

const SERIAL: &str = "YX0011223344556677";
const PORTAL: &str = "https://portal.example";

/// A key under a root of its own.
async fn key(made_at: OffsetDateTime, signs_from: OffsetDateTime) -> TicketKey {
    let made = ceremony::init("platform", "印信平台", made_at, &mut rng()).unwrap();
    let above = SoftwareKey::new(made.root.key.clone());
    let above = Above {
        certificate: &made.root.certificate,
        key: &above as &dyn Signer,
    };
    let key = SigningKey::generate(&mut rng());
    let name = ceremony::name("印信平台", "platform ticket signer").unwrap();
    let (profile, public) = (Profile::TicketSigner, key.public_key());
    let certificate = ceremony::certify(profile, &name, public, &above, made_at, 1, &mut rng())
        .await
        .unwrap();
    TicketKey {
        certificates: encode_chain([&certificate, &made.root.certificate]),
        private_key: PrivateKey(key.to_pkcs8_pem()),
        signs_from,
    }
}

/// The world of an order in `state` with these keys, and what agents have of them.
async fn world_with(state: State, keys: Vec<TicketKey>) -> (World, Platform) {
    let pem: String = keys.iter().map(|key| key.certificates.as_str()).collect();
    let mut world = World::with(state, unit(1)).await;
    world.app.tickets = TicketKeys::of(&TicketSecret { keys }, PORTALS).unwrap();
    (world, Platform::from_pem(&pem).unwrap())
}

async fn world(state: State) -> (World, Platform) {
    world_with(state, vec![key(NOW, NOW).await]).await
}

fn wish() -> Value {
    json!({"operation": "personalise", "token_serial": SERIAL, "origin": PORTAL})
}

fn presented(now: OffsetDateTime) -> Presented<'static> {
    Presented {
        operation: TicketedOperation::Personalise,
        origin: PORTAL,
        token: SERIAL,
        content: None,
        now,
    }
}

#[track_caller]
fn accepted(platform: &Platform, answer: &Answer, now: OffsetDateTime) -> Ticket {
    assert_eq!(answer.status, 201, "{}", answer.text);
    let ticket = answer.json()["ticket"].as_str().unwrap().to_owned();
    platform.verify(&ticket, &presented(now)).unwrap()
}

#[tokio::test]
async fn an_order_that_wants_a_ukey_gets_a_ticket_that_the_agent_takes() {
    for state in [
        State::AwaitingPersonalisation,
        State::Issuing,
        State::AwaitingWriting,
    ] {
        let (world, platform) = world(state).await;
        let answer = world.post("tickets", &wish()).await;
        let ticket = accepted(&platform, &answer, NOW);
        let order = world.order().await;
        assert_eq!(ticket.order, order.number.as_ref().unwrap().to_string());
        assert_eq!(
            (ticket.issued_at, ticket.expires_at),
            (NOW, NOW + Duration::minutes(10))
        );
        assert_eq!(answer.json()["expires_at"], "2026-04-07T02:10:00Z");
        assert_eq!((order.state, order.tickets), (state, 1));
        assert!(world.errands().is_empty());
        let text = answer.json()["ticket"].as_str().unwrap().to_owned();
        let late = platform.verify(&text, &presented(NOW + Duration::minutes(10)));
        assert_eq!(late, Err(TicketRefusal::Expired));
    }
}

#[tokio::test]
async fn each_ticket_has_an_id_of_its_own_and_is_recorded_with_who_got_it() {
    let (world, platform) = world(State::AwaitingPersonalisation).await;
    let mut ids = Vec::new();
    for _ in 0..2 {
        let answer = world.post("tickets", &wish()).await;
        ids.push(accepted(&platform, &answer, NOW).id);
    }
    assert_ne!(ids[0], ids[1]);
    let events = world.store.events(&World::id()).await.unwrap();
    let recorded = events
        .iter()
        .filter(|event| event.command == Some(CommandName::IssueTicket));
    let mut found = Vec::new();
    for event in recorded {
        let ticket = event.ticket.as_ref().unwrap();
        assert_eq!(
            (ticket.token_serial.as_str(), ticket.origin.as_str()),
            (SERIAL, PORTAL)
        );
        assert!(matches!(&event.by, Actor::Operator { account, .. } if account == "wang"));
        found.push(ticket.id.clone());
    }
    assert_eq!(found, ids);
}

#[tokio::test]
async fn an_order_that_wants_no_ukey_gets_no_ticket() {
    for state in [
        State::AwaitingReview,
        State::AwaitingDispatch,
        State::Completed,
        State::Cancelled,
    ] {
        let (world, _) = world(state).await;
        let refused = world.post("tickets", &wish()).await;
        refused.is_problem(409, "command-not-allowed");
    }
}

#[tokio::test]
async fn only_an_operator_of_the_orders_vendor_gets_tickets() {
    let (world, _) = world(State::AwaitingPersonalisation).await;
    let officer = world.session(Role::Officer, VENDOR).await;
    let foreign = world.session(Role::Operator, "other-ca").await;
    for (token, status, code) in [
        (officer.as_str(), 403, "role-missing"),
        (&foreign, 404, "order-not-found"),
        ("nobody", 401, "session-invalid"),
    ] {
        let refused = world.post_as("tickets", &wish(), token).await;
        refused.is_problem(status, code);
    }
    assert_eq!(world.order().await.tickets, 0);
}

#[tokio::test]
async fn what_no_ticket_is_issued_for_is_refused_at_its_place_and_not_counted() {
    let (world, _) = world(State::AwaitingPersonalisation).await;
    for (field, value, code) in [
        ("origin", "https://evil.example", "ticket-origin"),
        ("origin", "https://portal.example/", "ticket-origin"),
        ("origin", "HTTPS://PORTAL.EXAMPLE", "ticket-origin"),
        ("origin", "", "ticket-origin"),
        ("token_serial", "", "body-shape"),
        ("token_serial", "YX 1", "body-shape"),
        ("token_serial", "012345678901234567890123456789012", "body-shape"),
        ("operation", "unblock", "body-shape"),
        ("operation", "write-seal", "body-shape"),
    ] {
        let mut body = wish();
        body[field] = json!(value);
        let refused = world.post("tickets", &body).await;
        refused.is_problem(422, code);
        assert_eq!(refused.json()["pointer"], format!("/{field}"), "{value}");
    }
    assert_eq!(world.order().await.tickets, 0);
    let mut other = wish();
    other["origin"] = json!("https://desk.example");
    assert_eq!(world.post("tickets", &other).await.status, 201);
}

#[tokio::test]
async fn the_tickets_of_an_order_end() {
    let (world, _) = world(State::AwaitingPersonalisation).await;
    for _ in 0..MAX_TICKETS {
        assert_eq!(world.post("tickets", &wish()).await.status, 201);
    }
    let refused = world.post("tickets", &wish()).await;
    refused.is_problem(409, "too-many-tickets");
}

#[tokio::test]
async fn a_platform_without_a_key_says_so_and_counts_nothing() {
    let world = World::with(State::AwaitingPersonalisation, unit(1)).await;
    let refused = world.post("tickets", &wish()).await;
    refused.is_problem(503, "tickets-not-offered");
    assert_eq!(world.order().await.tickets, 0);
}

#[tokio::test]
async fn the_next_key_signs_when_its_time_comes_and_agents_know_both() {
    let changeover = NOW + Duration::days(7);
    let (old, new) = (key(NOW, NOW).await, key(NOW, changeover).await);
    let only = |key: &TicketKey| Platform::from_pem(&key.certificates).unwrap();
    let (knows_old, knows_new) = (only(&old), only(&new));
    let (mut world, knows_both) = world_with(State::AwaitingPersonalisation, vec![old, new]).await;
    for (pass, signs, other) in [
        (Duration::ZERO, &knows_old, &knows_new),
        (Duration::days(7), &knows_new, &knows_old),
    ] {
        world.pass(pass);
        let now = world.app.platform.now();
        let staff = yinxin_lambda::session::Staff {
            account: "wang".to_owned(),
            role: Role::Operator,
            vendor: VENDOR.parse().unwrap(),
        };
        let session = world.app.platform.session_key().await.unwrap();
        world.token = session.sign(&staff, now, Duration::hours(1)).unwrap();
        let answer = world.post("tickets", &wish()).await;
        accepted(signs, &answer, now);
        accepted(&knows_both, &answer, now);
        let text = answer.json()["ticket"].as_str().unwrap().to_owned();
        assert_eq!(
            other.verify(&text, &presented(now)),
            Err(TicketRefusal::Signature)
        );
    }
}

#[tokio::test]
async fn a_key_whose_certificate_has_ended_signs_nothing() {
    let ended = NOW - Duration::days(400);
    let (world, _) = world_with(State::AwaitingPersonalisation, vec![key(ended, ended).await]).await;
    let refused = world.post("tickets", &wish()).await;
    refused.is_problem(503, "tickets-not-offered");
}

#[tokio::test]
async fn a_secret_whose_key_is_not_the_certificates_is_no_secret() {
    let mut mixed = key(NOW, NOW).await;
    let stranger = SigningKey::generate(&mut rng()).to_pkcs8_pem();
    mixed.private_key = PrivateKey(Zeroizing::new(stranger.to_string()));
    assert!(TicketKeys::of(&TicketSecret { keys: vec![mixed] }, PORTALS).is_none());
}

#[tokio::test]
async fn the_secret_is_json_that_the_next_release_reads() {
    let secret = TicketSecret {
        keys: vec![key(NOW, NOW).await],
    };
    let json = serde_json::to_value(&secret).unwrap();
    assert_eq!(json["keys"][0]["signs_from"], "2026-04-07T02:00:00Z");
    let text = |name: &str| json["keys"][0][name].as_str().unwrap().to_owned();
    assert!(text("certificates").starts_with("-----BEGIN CERTIFICATE-----"));
    assert!(text("private_key").starts_with("-----BEGIN PRIVATE KEY-----"));
    let read: TicketSecret = serde_json::from_value(json).unwrap();
    assert!(TicketKeys::of(&read, PORTALS).is_some());
    let empty: TicketSecret = serde_json::from_str("{}").unwrap();
    assert!(empty.keys.is_empty());
}
