//! An officer sees how far a password came, and has it sent again.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::http::Request;
use serde_json::{Value, json};
use time::macros::datetime;
use time::{Duration, OffsetDateTime};
use tower::ServiceExt as _;
use yinxin_lambda::Platform;
use yinxin_lambda::serve::router_of;
use yinxin_lambda::session::{Role, Staff};
use yinxin_order::command::Command;
use yinxin_order::effect::Effect;
use yinxin_order::form::sample::unit_by_account;
use yinxin_order::password::PasswordOutcome;
use yinxin_order::sample::{event_of, moved, order_id, order_in, vendor};
use yinxin_order::state::State;
use yinxin_review::{App, routes};
use yinxin_store::memory::MemoryStore;
use yinxin_store::orders::Orders as _;

const NOW: OffsetDateTime = datetime!(2026-04-07 02:00 UTC);

struct World {
    store: Arc<MemoryStore>,
    platform: Platform,
}

impl World {
    /// A world with a written order whose password came so far.
    async fn with(outcome: Option<PasswordOutcome>) -> World {
        let mut order = order_in(State::AwaitingDispatch, 1, unit_by_account(1), NOW);
        if let Some(outcome) = outcome {
            order = moved(&order, &Command::RecordPassword { number: 1, outcome }, NOW).order;
        }
        let store = Arc::new(MemoryStore::default());
        let platform = Platform::in_memory(&store, Arc::new(|| NOW));
        let event = event_of(&order, NOW);
        store.create(&order, &event, &[]).await.unwrap();
        World { store, platform }
    }

    async fn call(&self, request: axum::http::request::Builder, body: Body, role: Role) -> (u16, Value) {
        let staff = Staff {
            account: "account-1".to_owned(),
            role,
            vendor: vendor(),
        };
        let key = self.platform.session_key().await.unwrap();
        let token = key.sign(&staff, NOW, Duration::hours(1)).unwrap();
        let request = request
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", "application/json")
            .body(body)
            .unwrap();
        let app = App {
            platform: self.platform.clone(),
        };
        let response = router_of(routes(app)).oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let bytes = to_bytes(response.into_body(), 1 << 20).await.unwrap();
        (status, serde_json::from_slice(&bytes).unwrap())
    }

    async fn resend(&self, role: Role) -> (u16, Value) {
        let path = format!("/api/review/orders/{}/password", order_id(1));
        self.call(Request::post(path), Body::from("{}"), role).await
    }

    async fn seen(&self) -> Value {
        let path = format!("/api/review/orders/{}", order_id(1));
        let (status, view) = self.call(Request::get(path), Body::empty(), Role::Officer).await;
        assert_eq!(status, 200);
        view["order"]["password"].clone()
    }
}

fn returned() -> PasswordOutcome {
    PasswordOutcome::Returned {
        code: "NAME_MISMATCH".to_owned(),
    }
}

#[tokio::test]
async fn an_officer_sees_that_a_transfer_came_back_and_has_the_password_sent_again() {
    let world = World::with(Some(returned())).await;
    let wanted = json!({
        "way": "memo", "status": "returned", "since": "2026-04-07T02:00:00Z", "sending": 1, "sendings_left": 2,
        "code": "NAME_MISMATCH",
    });
    assert_eq!(world.seen().await, wanted);
    let (status, order) = world.resend(Role::Officer).await;
    assert_eq!((status, &order["state"]), (200, &json!("awaiting_dispatch")));
    let wanted = json!({
        "way": "memo", "status": "sending", "since": "2026-04-07T02:00:00Z", "sending": 2, "sendings_left": 1, "code": null,
    });
    assert_eq!((&order["password"], &world.seen().await), (&wanted, &wanted));
    let [errand] = &world.store.take_errands()[..] else {
        panic!("one errand")
    };
    assert_eq!(errand.effect, Effect::SendPassword { number: 2 });
    // A second click finds it on its way.
    let (status, problem) = world.resend(Role::Officer).await;
    assert_eq!(
        (status, &problem["type"]),
        (409, &json!("/problems/password-underway"))
    );
}

#[tokio::test]
async fn what_is_on_its_way_or_collected_is_not_sent_again() {
    for (outcome, code) in [
        (None, "password-underway"),
        (Some(PasswordOutcome::Submitted), "password-underway"),
        (Some(PasswordOutcome::Collected), "password-gone"),
    ] {
        let world = World::with(outcome).await;
        let (status, problem) = world.resend(Role::Officer).await;
        let wanted = json!(format!("/problems/{code}"));
        assert_eq!((status, &problem["type"]), (409, &wanted));
        assert!(world.store.take_errands().is_empty());
    }
}

#[tokio::test]
async fn an_operator_has_no_password_sent() {
    let world = World::with(Some(returned())).await;
    let (status, problem) = world.resend(Role::Operator).await;
    assert_eq!(
        (status, &problem["type"]),
        (403, &json!("/problems/role-missing"))
    );
    assert!(world.store.take_errands().is_empty());
}
