//! What became of the UKey: the confirmation of what was written, and the parcel.
use serde_json::{Value, json};
use yinxin_order::effect::{Effect, Notice};
use yinxin_order::form::sample::{unit, unit_by_account};
use yinxin_order::state::State;

use crate::world::World;

fn written(password: &str) -> Value {
    json!({
        "token_serial": "YX0011223344556677",
        "signing_certificate_sm3": "a".repeat(64),
        "encryption_certificate_sm3": "b".repeat(64),
        "password": password,
    })
}

#[tokio::test]
async fn what_was_written_is_confirmed_and_the_password_sent_once() {
    let world = World::with(State::AwaitingWriting, unit(1)).await;
    let first = world.post("written", &written("k7Wq-2m9_Z")).await;
    assert_eq!(
        (first.status, &first.json()["state"]),
        (200, &json!("awaiting_dispatch"))
    );
    assert_eq!(first.json()["token_serial"], "YX0011223344556677");
    let errands = world.errands();
    let [Effect::SendPassword { number: 1 }] =
        errands.iter().map(|errand| &errand.effect).collect::<Vec<_>>()[..]
    else {
        panic!("{errands:?}")
    };
    let sealed = world.order().await.personal.unwrap().password.unwrap();
    let opened = world
        .app
        .platform
        .vault
        .open_secret(&World::id(), &sealed)
        .await
        .unwrap();
    assert_eq!(opened.as_str(), "k7Wq-2m9_Z");
    assert!(!sealed.0.contains("k7Wq") && !first.text.contains("k7Wq"));

    let again = world.post("written", &written("k7Wq-2m9_Z")).await;
    assert_eq!(
        (again.status, &again.json()["state"]),
        (200, &json!("awaiting_dispatch"))
    );
    assert!(world.errands().is_empty());
}

#[tokio::test]
async fn a_password_that_was_drawn_anew_does_not_pass_for_the_one_that_was_sent() {
    let world = World::with(State::AwaitingWriting, unit(1)).await;
    assert_eq!(world.post("written", &written("abc234")).await.status, 200);
    let second = world
        .post_under("written", &written("def567"), &world.token, "the second report")
        .await;
    assert_eq!(
        (second.status, &second.json()["type"]),
        (409, &json!("/problems/command-not-allowed"))
    );
}

#[tokio::test]
async fn digests_may_have_capital_letters() {
    let world = World::with(State::AwaitingWriting, unit(1)).await;
    let mut body = written("abc234");
    body["signing_certificate_sm3"] = json!("A".repeat(64));
    assert_eq!(world.post("written", &body).await.status, 200);
}

#[tokio::test]
async fn another_certificate_than_the_issued_one_is_not_confirmed() {
    let world = World::with(State::AwaitingWriting, unit(1)).await;
    for field in ["signing_certificate_sm3", "encryption_certificate_sm3"] {
        let mut body = written("abc234");
        body[field] = json!("c".repeat(64));
        world
            .post("written", &body)
            .await
            .is_problem(409, "written-differs");
    }
    assert!(world.errands().is_empty());
}

#[tokio::test]
async fn ill_formed_values_are_refused_at_their_place() {
    let world = World::with(State::AwaitingWriting, unit(1)).await;
    let long = "9".repeat(33);
    for (field, value, code) in [
        ("token_serial", "", "body-shape"),
        ("token_serial", "YX 1", "body-shape"),
        ("token_serial", long.as_str(), "body-shape"),
        ("signing_certificate_sm3", "abc", "body-shape"),
        ("encryption_certificate_sm3", &"g".repeat(64), "body-shape"),
        ("password", "abc23", "password-form"),
        ("password", "abcdefgh234567892", "password-form"),
        ("password", "abc 234", "password-form"),
        ("password", "口令口令口令", "password-form"),
    ] {
        let mut body = written("abc234");
        body[field] = json!(value);
        let refused = world.post("written", &body).await;
        refused.is_problem(422, code);
        assert_eq!(refused.json()["pointer"], format!("/{field}"));
        assert!(
            value.len() < 5 || !refused.text.contains(value),
            "{}",
            refused.text
        );
    }
    assert_eq!(world.order().await.state, State::AwaitingWriting);
}

#[tokio::test]
async fn a_password_that_is_collected_may_have_signs_that_no_memo_carries() {
    let world = World::with(State::AwaitingWriting, unit_by_account(1)).await;
    let confirmed = world.post("written", &written("k7Wq-2m9_0O1l")).await;
    assert_eq!(confirmed.status, 200);
    assert_eq!(confirmed.json()["password"]["way"], "memo");
}

#[tokio::test]
async fn only_an_order_with_certificates_takes_the_confirmation() {
    for state in [State::AwaitingPersonalisation, State::Issuing] {
        let world = World::with(state, unit(1)).await;
        let refused = world.post("written", &written("abc234")).await;
        refused.is_problem(409, "command-not-allowed");
    }
}

#[tokio::test]
async fn a_mailed_ukey_is_noted_and_told_once() {
    let world = World::with(State::AwaitingDispatch, unit(1)).await;
    let parcel = json!({"carrier": "shunfeng", "waybill": "SF1000000000001"});
    for _ in 0..2 {
        let answer = world.post("dispatch", &parcel).await;
        assert_eq!(
            (answer.status, &answer.json()["state"]),
            (200, &json!("awaiting_receipt"))
        );
        assert_eq!(answer.json()["parcel"], parcel);
    }
    let effects: Vec<_> = world.errands().into_iter().map(|errand| errand.effect).collect();
    assert_eq!(
        effects,
        [
            Effect::SendNotice {
                notice: Notice::Dispatched
            },
            Effect::TrackParcel
        ]
    );
    let other = json!({"carrier": "ems", "waybill": "EM000000002CN"});
    world
        .post("dispatch", &other)
        .await
        .is_problem(409, "command-not-allowed");
}

#[tokio::test]
async fn a_courier_may_be_named_in_chinese_and_its_state_is_not_for_operators_to_tell() {
    let world = World::with(State::AwaitingDispatch, unit(1)).await;
    let tracking = json!({"status": "signed", "at": "2026-04-07T02:00:00Z"});
    let told = json!({"carrier": "顺丰速运", "waybill": "SF1", "tracking": tracking});
    world.post("dispatch", &told).await.is_problem(422, "body-shape");
    let parcel = json!({"carrier": "顺丰速运", "waybill": "SF1"});
    let answer = world.post("dispatch", &parcel).await;
    assert_eq!((answer.status, &answer.json()["parcel"]), (200, &parcel));
}

#[tokio::test]
async fn a_parcel_without_a_usable_number_is_refused() {
    let world = World::with(State::AwaitingDispatch, unit(1)).await;
    let long = "9".repeat(33);
    for (carrier, waybill, pointer) in [
        ("", "SF1", "/carrier"),
        ("顺丰 速运", "SF1", "/carrier"),
        ("ems", "顺丰1", "/waybill"),
        ("ems", "", "/waybill"),
        ("ems", "<b>1</b>", "/waybill"),
        ("ems", &long, "/waybill"),
    ] {
        let refused = world
            .post("dispatch", &json!({"carrier": carrier, "waybill": waybill}))
            .await;
        refused.is_problem(422, "body-shape");
        assert_eq!(refused.json()["pointer"], pointer);
    }
}
