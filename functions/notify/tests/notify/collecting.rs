//! Collecting the password: five tries, seven days, once, and only by who may.
use serde_json::json;
use time::Duration;
use yinxin_order::command::Command;
use yinxin_order::effect::Sealed;
use yinxin_order::form::sample::{unit, unit_by_account};
use yinxin_order::password::PasswordStatus;
use yinxin_order::sample::{order_id, order_in};
use yinxin_order::state::State;
use yinxin_providers::bank::Transfer;
use yinxin_store::codes::{CodeKey, Codes as _, MAX_TRIES, MEMO_SECRET_LIFETIME};
use yinxin_store::orders::Orders as _;

use crate::transfers::memo_world;
use crate::world::{KEY, NOW, PASSWORD, World};

const WRONG: &str = "222222222222";

async fn sent() -> World {
    let world = memo_world().await;
    world.deliver(&World::password(1)).await.unwrap();
    world
}

#[tokio::test]
async fn the_secret_opens_the_password_once_and_the_platform_forgets_it() {
    let world = sent().await;
    let secret = world.secret(1).await;
    let answer = world.collect(&secret).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json, json!({"password": PASSWORD}));
    assert_eq!(answer.cache_control, "no-store");
    let order = world.order().await;
    assert_eq!(order.password.unwrap().status, PasswordStatus::Collected);
    assert_eq!(order.personal.unwrap().password, None);
    for _ in 0..2 {
        let again = world.collect(&secret).await;
        assert_eq!(again.problem(), (422, "memo-secret-used"));
    }
}

#[tokio::test]
async fn a_secret_is_typed_as_a_statement_prints_it() {
    for as_typed in [str::to_ascii_uppercase, |text: &str| format!(" {text} ")] {
        let world = sent().await;
        let secret = world.secret(1).await;
        assert_eq!(world.collect(&as_typed(&secret)).await.password(), Some(PASSWORD));
    }
}

#[tokio::test]
async fn the_fifth_wrong_secret_is_the_last() {
    let world = sent().await;
    for _ in 0..MAX_TRIES {
        assert_eq!(world.collect(WRONG).await.problem(), (422, "memo-secret-wrong"));
    }
    let secret = world.secret(1).await;
    let refused = world.collect(&secret).await;
    assert_eq!(refused.problem(), (422, "memo-secret-exhausted"));
    assert_eq!(refused.json["pointer"], "/memo_secret");
    assert!(refused.json["title_zh"].as_str().unwrap().contains("口令领取码"));
    // The way on: another sending.
    world.advance(&Command::ResendPassword).await;
    world.deliver(&World::password(2)).await.unwrap();
    let secret = world.secret(2).await;
    assert_eq!(world.collect(&secret).await.password(), Some(PASSWORD));
}

#[tokio::test]
async fn the_right_secret_still_opens_after_four_wrong_ones() {
    let world = sent().await;
    for _ in 1..MAX_TRIES {
        world.collect(WRONG).await;
    }
    let secret = world.secret(1).await;
    assert_eq!(world.collect(&secret).await.password(), Some(PASSWORD));
}

#[tokio::test]
async fn what_cannot_be_a_secret_costs_no_try() {
    let world = sent().await;
    for _ in 0..=MAX_TRIES {
        for text in ["", "short", "no spaces in", "口令领取码"] {
            assert_eq!(world.collect(text).await.problem(), (422, "memo-secret-wrong"));
        }
    }
    let secret = world.secret(1).await;
    assert_eq!(world.collect(&secret).await.password(), Some(PASSWORD));
}

#[tokio::test]
async fn a_secret_ends_after_seven_days() {
    let world = sent().await;
    let secret = world.secret(1).await;
    world.pass(MEMO_SECRET_LIFETIME - Duration::SECOND);
    assert_eq!(world.collect(WRONG).await.problem(), (422, "memo-secret-wrong"));
    world.pass(Duration::SECOND);
    assert_eq!(
        world.collect(&secret).await.problem(),
        (422, "memo-secret-expired")
    );
}

#[tokio::test]
async fn a_memo_that_is_read_before_the_bank_confirms_it_opens_the_password() {
    let world = memo_world().await;
    let answers = [Transfer::NotFound, Transfer::Pending];
    world.bank.queries.lock().unwrap().extend(answers);
    world.deliver(&World::password(1)).await.unwrap();
    assert_eq!(world.status().await, PasswordStatus::Submitted);
    let secret = world.secret(1).await;
    assert_eq!(world.collect(&secret).await.password(), Some(PASSWORD));
}

#[tokio::test]
async fn there_is_nothing_to_collect_where_nothing_was_sent_by_memo() {
    let cases = [
        order_in(State::AwaitingDispatch, 1, unit(1), NOW),
        order_in(State::AwaitingWriting, 1, unit_by_account(1), NOW),
        order_in(State::AwaitingDispatch, 1, unit_by_account(1), NOW),
    ];
    for order in cases {
        let world = World::with_order(order).await;
        let secret = world.secret(1).await;
        let refused = world.collect(&secret).await;
        assert_eq!(refused.problem(), (422, "memo-secret-unknown"));
    }
    let mut erased = order_in(State::Completed, 1, unit_by_account(1), NOW);
    erased.personal = None;
    let world = World::with_order(erased).await;
    assert_eq!(world.collect(WRONG).await.problem(), (410, "order-erased"));
}

#[tokio::test]
async fn only_the_orders_token_may_try() {
    let world = sent().await;
    let secret = json!({"memo_secret": world.secret(1).await});
    let hashes = world.platform.vault.hashes().await.unwrap();
    let of_another_order = hashes.access_token(&order_id(2));
    let refused = world.post(&of_another_order, None, &secret).await;
    assert_eq!(refused.problem(), (403, "not-your-order"));
    let key = CodeKey::MemoSecret {
        order: order_id(1),
        number: 1,
    };
    // No try was counted.
    for _ in 0..MAX_TRIES {
        assert!(world.store.count_try(&key, NOW).await.unwrap().is_ok());
    }
}

#[tokio::test]
async fn a_repeated_call_is_answered_again_under_its_key_for_ten_minutes() {
    let world = sent().await;
    let secret = world.secret(1).await;
    assert_eq!(world.collect_under(&secret, KEY).await.password(), Some(PASSWORD));
    world.pass(Duration::minutes(9));
    let again = world.collect_under(&secret, KEY).await;
    assert_eq!(
        (again.password(), again.cache_control.as_str()),
        (Some(PASSWORD), "no-store")
    );
    // Another key, another secret, no key: that is another call.
    let other = world.collect_under(&secret, "idempotency-key-0002").await;
    assert_eq!(other.problem(), (422, "memo-secret-used"));
    let other = world.collect_under(WRONG, KEY).await;
    assert_eq!(other.problem(), (422, "idempotency-key-reused"));
    assert_eq!(world.collect(&secret).await.problem(), (422, "memo-secret-used"));
    world.pass(Duration::minutes(1));
    let late = world.collect_under(&secret, KEY).await;
    assert_eq!(late.problem(), (422, "memo-secret-used"));
}

#[tokio::test]
async fn of_two_calls_at_once_one_is_shown_the_password() {
    let world = sent().await;
    let secret = world.secret(1).await;
    let (one, other) = tokio::join!(world.collect(&secret), world.collect(&secret));
    let mut answers = [one.status, other.status];
    answers.sort_unstable();
    assert_eq!(answers, [200, 422]);
}

/// Puts another sealed password in the place of the order's.
async fn seal(world: &World, password: Sealed) -> Sealed {
    let mut order = world.order().await;
    order.version += 1;
    let kept = order.personal.as_mut().unwrap().password.replace(password);
    let event = world.store.events(&order.id).await.unwrap().remove(0);
    world.store.save(&order, &event, &[], &[]).await.unwrap();
    kept.unwrap()
}

#[tokio::test]
async fn a_password_that_does_not_open_now_is_not_used_up() {
    let world = sent().await;
    let secret = world.secret(1).await;
    let kept = seal(&world, Sealed("no ciphertext".to_owned())).await;
    assert_eq!(world.collect(&secret).await.problem(), (500, "internal"));
    assert_eq!(world.status().await, PasswordStatus::Sent);
    seal(&world, kept).await;
    assert_eq!(world.collect(&secret).await.password(), Some(PASSWORD));
}

#[tokio::test]
async fn a_body_of_another_shape_is_refused_without_its_values() {
    let world = sent().await;
    let hashes = world.platform.vault.hashes().await.unwrap();
    let token = hashes.access_token(&order_id(1));
    for body in [
        json!({}),
        json!({"memo_secret": 7}),
        json!({"memo_secret": WRONG, "password": "k7Wq"}),
        json!(WRONG),
    ] {
        let refused = world.post(&token, None, &body).await;
        assert_eq!(refused.problem(), (422, "body-shape"), "{body}");
        let told = refused.json.to_string();
        assert!(!told.contains(WRONG) && !told.contains("k7Wq"), "{told}");
    }
}
