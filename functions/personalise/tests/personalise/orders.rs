//! The list, one order, and who may see them.
use axum::body::Body;
use axum::http::Request;
use serde_json::json;
use time::Duration;
use yinxin_agent::platform::Order as AgentsOrder;
use yinxin_lambda::session::Role;
use yinxin_order::form::sample::{person, unit, unit_name};
use yinxin_order::issuance::WrittenToken;
use yinxin_order::sample::{order_id, order_in, order_number};
use yinxin_order::state::State;

use crate::world::{NOW, VENDOR, World};

#[tokio::test]
async fn the_list_pages_through_what_waits_for_the_vendors_operator() {
    let world = World::new().await;
    for (seed, hours) in [(1, 3), (2, 2), (3, 1)] {
        let since = NOW - Duration::hours(hours);
        world
            .put(order_in(State::AwaitingPersonalisation, seed, unit(seed), since))
            .await;
    }
    world.put(order_in(State::AwaitingReview, 4, unit(4), NOW)).await;
    world
        .put(order_in(State::AwaitingDispatch, 5, unit(5), NOW))
        .await;

    let first = world.get("?limit=2").await.json();
    let ids = |page: &serde_json::Value| -> Vec<String> {
        let orders = page["orders"].as_array().unwrap().iter();
        orders
            .map(|order| order["order_id"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(ids(&first), [order_id(1).as_str(), order_id(2).as_str()]);
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = world.get(&format!("?limit=2&cursor={cursor}")).await.json();
    assert_eq!(ids(&second), [order_id(3).as_str()]);
    assert_eq!(second["next_cursor"], json!(null));
    let to_mail = world.get("?state=awaiting_dispatch").await.json();
    assert_eq!(ids(&to_mail), [order_id(5).as_str()]);

    let other = world.session(Role::Operator, "other-ca").await;
    assert!(ids(&world.get_as("", &other).await.json()).is_empty());
}

#[tokio::test]
async fn a_list_that_does_not_exist_is_a_wrong_parameter() {
    let world = World::new().await;
    for query in [
        "?state=awaiting_review",
        "?state=unheard_of",
        "?limit=0",
        "?limit=51",
        "?limit=many",
        "?cursor=nowhere",
    ] {
        world.get(query).await.is_problem(400, "parameter-invalid");
    }
}

#[tokio::test]
async fn an_order_shows_the_subject_that_its_request_has_to_carry() {
    let world = World::with(State::AwaitingPersonalisation, unit(1)).await;
    let by_id = world.get(&format!("/{}", World::id())).await;
    let by_number = world.get(&format!("/{}", order_number(1, NOW))).await;
    assert_eq!((by_id.status, by_number.status), (200, 200));
    assert_eq!(by_id.text, by_number.text);
    let name = unit_name(1);
    assert_eq!(
        by_id.json(),
        json!({
            "id": World::id().as_str(),
            "number": order_number(1, NOW).as_str(),
            "product": "单位数字证书（一年）",
            "state": "awaiting_personalisation",
            "subject": [
                {"type": "C", "value": "CN"},
                {"type": "O", "value": name.as_str()},
                {"type": "CN", "value": name.as_str()},
            ],
        })
    );
    let agents: AgentsOrder = serde_json::from_str(&by_id.text).unwrap();
    assert_eq!(agents.id.as_str(), World::id().as_str());
}

#[tokio::test]
async fn a_persons_subject_is_the_person_with_the_employer() {
    let world = World::with(State::AwaitingPersonalisation, person(1)).await;
    let subject = world.get(&format!("/{}", World::id())).await.json()["subject"].clone();
    let form = person(1);
    assert_eq!(
        subject,
        json!([
            {"type": "C", "value": "CN"},
            {"type": "O", "value": unit_name(1).as_str()},
            {"type": "CN", "value": form.holder_name()},
        ])
    );
}

#[tokio::test]
async fn the_address_shows_only_while_the_parcel_is_to_be_sent() {
    for state in [
        State::AwaitingPersonalisation,
        State::AwaitingWriting,
        State::AwaitingReceipt,
    ] {
        let world = World::with(state, unit(1)).await;
        let shown = world.get(&format!("/{}", World::id())).await;
        assert_eq!(shown.status, 200);
        assert!(!shown.text.contains("mailing"), "{}", state.as_str());
    }
    let world = World::with(State::AwaitingDispatch, unit(1)).await;
    let shown = world.get(&format!("/{}", World::id())).await.json();
    let form = unit(1);
    assert_eq!(
        shown["mailing"],
        json!({
            "name": form.contact_name().as_str(),
            "mobile": form.notice_mobile().as_str(),
            "province": form.mailing().province.as_str(),
            "city": form.mailing().city.as_str(),
            "address": form.mailing().address.as_str(),
        })
    );
}

#[tokio::test]
async fn an_order_before_its_approval_or_after_its_end_is_not_the_operators() {
    for state in [
        State::Draft,
        State::AwaitingPayment,
        State::AwaitingReview,
        State::Cancelled,
    ] {
        let world = World::with(state, unit(1)).await;
        let shown = world.get(&format!("/{}", World::id())).await;
        shown.is_problem(409, "command-not-allowed");
    }
    let world = World::new().await;
    let mut order = order_in(State::Completed, 1, unit(1), NOW);
    order.personal = None;
    world.put(order).await;
    let shown = world.get(&format!("/{}", World::id())).await;
    shown.is_problem(410, "order-erased");
}

#[tokio::test]
async fn only_an_operator_of_the_vendor_gets_in() {
    let world = World::with(State::AwaitingPersonalisation, unit(1)).await;
    let path = format!("/{}", World::id());
    let bare = Request::get(format!("/api/personalise/orders{path}"));
    let bare = world.send(bare.body(Body::empty()).unwrap()).await;
    bare.is_problem(401, "token-missing");
    world
        .get_as(&path, "no.session.token")
        .await
        .is_problem(401, "session-invalid");
    let officer = world.session(Role::Officer, VENDOR).await;
    world
        .get_as(&path, &officer)
        .await
        .is_problem(403, "role-missing");
    let other = world.session(Role::Operator, "other-ca").await;
    for path in [path.as_str(), "/20260407A0000000001", "/unheard-of"] {
        world
            .get_as(path, &other)
            .await
            .is_problem(404, "order-not-found");
    }
    for (action, body) in [
        ("csr", json!({"csr": "a request"})),
        (
            "written",
            json!({
                "token_serial": "YX1",
                "signing_certificate_sm3": "a".repeat(64),
                "encryption_certificate_sm3": "b".repeat(64),
                "password": "abc234",
            }),
        ),
        ("dispatch", json!({"carrier": "ems", "waybill": "EM1"})),
    ] {
        let answer = world.post_as(action, &body, &other).await;
        answer.is_problem(404, "order-not-found");
        let answer = world.post_as(action, &body, &officer).await;
        answer.is_problem(403, "role-missing");
    }
    assert_eq!(world.order().await.written, None::<WrittenToken>);

    world.pass(Duration::hours(9));
    world.get(&path).await.is_problem(401, "session-invalid");
}
