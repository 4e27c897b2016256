//! Requests of UKeys: which are taken, which are refused, and what they get.
use serde_json::{Value, json};
use yinxin_agent::platform::Delivery;
use yinxin_order::command::Command;
use yinxin_order::effect::Effect;
use yinxin_order::form::sample::{person, unit};
use yinxin_order::sample::certificates;
use yinxin_order::state::State;
use yinxin_pki::csr::CsrBuilder;
use yinxin_pki::der::{self, tag};
use yinxin_pki::{Name, SigningKey, oid, pem};
use yinxin_store::vault::rng;

use crate::world::World;

/// `openssl ecparam -name prime256v1 -genkey`, `openssl req -new -subj "/C=CN/CN=P-256" -sha256`.
const P256: &str = "-----BEGIN CERTIFICATE REQUEST-----
MIHYMH8CAQAwHTELMAkGA1UEBhMCQ04xDjAMBgNVBAMMBVAtMjU2MFkwEwYHKoZI
zj0CAQYIKoZIzj0DAQcDQgAE2n2zHOHJIbEe7EXgN3hAy4FilVEomoEYV3PYI9fT
1mF4qrozlrn1vxYm9UALVezvplEXXvmXhj9nWrIdL5miNKAAMAoGCCqGSM49BAMC
A0kAMEYCIQDnn9G/dctODd1xBk4dzGLdD1Mr+1RKB8VyD8mY10rWoQIhAJKXuQZv
zoy8NkTS9iPBmIz/2A1by5h0wJ1GTOq954Dm
-----END CERTIFICATE REQUEST-----
";

/// A request for the key of one UKey, signed by that of another where they differ.
fn request(subject: &Name, key: &SigningKey, signed_by: &SigningKey) -> Value {
    let der = CsrBuilder::new(subject, key.public_key()).sign_with(|info| signed_by.sign(info));
    json!({"csr": pem::encode(pem::CERTIFICATE_REQUEST, &der.unwrap())})
}

fn subject() -> Name {
    Name::unit(unit(1).holder_name(), None).unwrap()
}

#[tokio::test]
async fn a_request_goes_to_the_ca_once_however_often_it_is_handed_in() {
    let world = World::with(State::AwaitingPersonalisation, unit(1)).await;
    let key = SigningKey::generate(&mut rng());
    let first = world.post("csr", &request(&subject(), &key, &key)).await;
    assert_eq!((first.status, &first.json()["state"]), (202, &json!("issuing")));
    let effects: Vec<_> = world.errands().into_iter().map(|errand| errand.effect).collect();
    assert_eq!(effects, [Effect::AskCa]);
    let version = world.order().await.version;

    // The same key signs another time: an SM2 signature need not have the same bytes.
    let again = world.post("csr", &request(&subject(), &key, &key)).await;
    assert_eq!((again.status, &again.json()["state"]), (202, &json!("issuing")));
    assert!(world.errands().is_empty());
    assert_eq!(world.order().await.version, version);
}

#[tokio::test]
async fn a_request_of_another_key_is_refused_once_one_was_taken() {
    let world = World::with(State::AwaitingPersonalisation, unit(1)).await;
    let (one, other) = (SigningKey::generate(&mut rng()), SigningKey::generate(&mut rng()));
    assert_eq!(
        world.post("csr", &request(&subject(), &one, &one)).await.status,
        202
    );
    for state in [State::Issuing, State::AwaitingWriting] {
        assert_eq!(world.order().await.state, state);
        let refused = world.post("csr", &request(&subject(), &other, &other)).await;
        refused.is_problem(409, "csr-already-submitted");
        if state == State::Issuing {
            let certificates = Box::new(certificates());
            world.advance(&Command::RecordCertificates { certificates }).await;
        }
    }
}

#[tokio::test]
async fn after_a_refusal_of_the_ca_another_key_is_taken() {
    let world = World::with(State::AwaitingPersonalisation, unit(1)).await;
    let (one, other) = (SigningKey::generate(&mut rng()), SigningKey::generate(&mut rng()));
    assert_eq!(
        world.post("csr", &request(&subject(), &one, &one)).await.status,
        202
    );
    let reason = "the term is out of range".to_owned();
    world.advance(&Command::ReportIssuanceFailure { reason }).await;
    let shown = world.get(&format!("/{}", World::id())).await.json();
    assert_eq!(shown["issuance_failure"], "the term is out of range");
    let refused = world.get(&format!("/{}/certificates", World::id())).await;
    refused.is_problem(409, "command-not-allowed");
    assert!(refused.text.contains("the term is out of range"));
    assert_eq!(
        world
            .post("csr", &request(&subject(), &other, &other))
            .await
            .status,
        202
    );
}

#[tokio::test]
async fn an_unusable_request_is_refused_and_changes_nothing() {
    let world = World::with(State::AwaitingPersonalisation, unit(1)).await;
    let (key, other) = (SigningKey::generate(&mut rng()), SigningKey::generate(&mut rng()));
    let another = Name::unit("长沙另一家有限公司", None).unwrap();
    let with_place = Name::unit(unit(1).holder_name(), Some("湖南省")).unwrap();
    let cases = [
        ("csr-proof", request(&subject(), &key, &other)),
        ("csr-subject", request(&another, &key, &key)),
        ("csr-subject", request(&with_place, &key, &key)),
        ("csr-key", json!({"csr": P256})),
        ("csr-malformed", json!({"csr": "no request"})),
        (
            "csr-malformed",
            json!({"csr": pem::encode(pem::CERTIFICATE_REQUEST, b"\x30\x03\x02\x01\x00")}),
        ),
        (
            "csr-malformed",
            json!({"csr": pem::encode(pem::PRIVATE_KEY, b"\x30\x00")}),
        ),
        ("csr-malformed", json!({"csr": "x".repeat(40_000)})),
        ("body-shape", json!({"csr": 7})),
        ("body-shape", json!({"csr": P256, "subject": "CN=x"})),
    ];
    let before = world.order().await;
    for (code, body) in cases {
        world.post("csr", &body).await.is_problem(422, code);
    }
    assert_eq!(world.order().await, before);
    assert!(world.errands().is_empty());
}

#[tokio::test]
async fn the_kind_of_string_does_not_make_another_subject() {
    let world = World::with(State::AwaitingPersonalisation, person(1)).await;
    let key = SigningKey::generate(&mut rng());
    let written = Name::person(
        person(1).holder_name(),
        Some(yinxin_order::form::sample::unit_name(1).as_str()),
    );
    // As our agent writes it, but with the country as UTF8String too.
    let rdns = written
        .unwrap()
        .attributes()
        .iter()
        .fold(Vec::new(), |mut rdns, attribute| {
            let pair = der::sequence(&[&der::oid(attribute.oid), &der::utf8_string(&attribute.value)]);
            rdns.extend(der::set(&[&pair]));
            rdns
        });
    let subject = Name::from_der(&der::tlv(tag::SEQUENCE, &rdns)).unwrap();
    assert_eq!(subject.attribute(oid::COUNTRY), Some("CN"));
    assert_eq!(
        world.post("csr", &request(&subject, &key, &key)).await.status,
        202
    );
}

#[tokio::test]
async fn an_order_that_is_not_approved_takes_no_request() {
    for state in [State::AwaitingReview, State::Cancelled] {
        let world = World::with(state, unit(1)).await;
        let key = SigningKey::generate(&mut rng());
        let refused = world.post("csr", &request(&subject(), &key, &key)).await;
        refused.is_problem(409, "command-not-allowed");
    }
}

#[tokio::test]
async fn certificates_are_there_once_the_ca_issued_them() {
    let world = World::with(State::Issuing, unit(1)).await;
    let path = format!("/{}/certificates", World::id());
    let waiting = world.get(&path).await;
    assert_eq!(
        (waiting.status, waiting.json()),
        (202, json!({"state": "issuing"}))
    );
    let issued = certificates();
    let certificates = Box::new(issued.clone());
    world.advance(&Command::RecordCertificates { certificates }).await;
    let fetched = world.get(&path).await;
    assert_eq!((fetched.status, fetched.json()), (200, json!(issued)));
    let delivery: Delivery = serde_json::from_str(&fetched.text).unwrap();
    assert_eq!(delivery.chain, issued.chain);
}

#[tokio::test]
async fn without_a_request_there_are_no_certificates() {
    let world = World::with(State::AwaitingPersonalisation, unit(1)).await;
    let refused = world.get(&format!("/{}/certificates", World::id())).await;
    refused.is_problem(409, "command-not-allowed");
}
