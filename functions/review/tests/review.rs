//! The function `review` in process, through its router.
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
use yinxin_order::command::Actor;
use yinxin_order::effect::{Effect, Notice};
use yinxin_order::form::sample::unit;
use yinxin_order::order::Order;
use yinxin_order::sample::{event_of, moved, order_id, order_in, order_number, vendor};
use yinxin_order::state::State;
use yinxin_order::{Command, sample};
use yinxin_review::{App, routes};
use yinxin_store::Claim;
use yinxin_store::memory::MemoryStore;
use yinxin_store::orders::Orders as _;

const NOW: OffsetDateTime = datetime!(2026-04-07 02:00 UTC);

struct World {
    store: Arc<MemoryStore>,
    platform: Platform,
}

struct Answer {
    status: u16,
    json: Value,
}

impl Answer {
    #[track_caller]
    fn is_problem(&self, status: u16, code: &str) {
        assert_eq!(
            (self.status, self.json["type"].as_str().unwrap_or_default()),
            (status, format!("/problems/{code}").as_str())
        );
    }
}

impl World {
    fn new() -> Self {
        let store = Arc::new(MemoryStore::default());
        let platform = Platform::in_memory(&store, Arc::new(|| NOW));
        World { store, platform }
    }

    async fn with_order_in(state: State) -> Self {
        let world = World::new();
        world.put(order_in(state, 1, unit(1), NOW)).await;
        world
    }

    async fn put(&self, order: Order) {
        let event = event_of(&order, NOW);
        let claims: Vec<Claim> = order.number.clone().map(Claim::Number).into_iter().collect();
        self.store.create(&order, &event, &claims).await.unwrap();
    }

    async fn order(&self) -> Order {
        self.store.load(&order_id(1)).await.unwrap()
    }

    async fn token(&self, role: Role, vendor: &str) -> String {
        let staff = Staff {
            account: "account-1".to_owned(),
            role,
            vendor: vendor.parse().unwrap(),
        };
        let key = self.platform.session_key().await.unwrap();
        key.sign(&staff, NOW, Duration::hours(1)).unwrap()
    }

    async fn send(&self, request: Request<Body>) -> Answer {
        let app = App {
            platform: self.platform.clone(),
        };
        let response = router_of(routes(app)).oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let body = to_bytes(response.into_body(), 1 << 20).await.unwrap();
        Answer {
            status,
            json: serde_json::from_slice(&body).unwrap(),
        }
    }

    async fn get(&self, path: &str) -> Answer {
        let token = self.token(Role::Officer, vendor().as_str()).await;
        let request = Request::get(path).header("authorization", format!("Bearer {token}"));
        self.send(request.body(Body::empty()).unwrap()).await
    }

    async fn post(&self, action: &str, body: Value) -> Answer {
        let token = self.token(Role::Officer, vendor().as_str()).await;
        let request = Request::post(format!("/api/review/orders/{}/{action}", order_id(1)))
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", "application/json");
        self.send(request.body(Body::from(body.to_string())).unwrap())
            .await
    }

    fn effects(&self) -> Vec<Effect> {
        self.store
            .take_errands()
            .into_iter()
            .map(|errand| errand.effect)
            .collect()
    }
}

#[tokio::test]
async fn the_queue_lists_waiting_orders_page_by_page_longest_waiting_first() {
    let world = World::new();
    for seed in 1..=3 {
        let since = NOW - Duration::hours(i64::from(seed));
        world
            .put(order_in(State::AwaitingReview, seed, unit(seed), since))
            .await;
    }
    world.put(order_in(State::AwaitingPayment, 9, unit(9), NOW)).await;
    let first = world.get("/api/review/orders?limit=2").await;
    assert_eq!(first.status, 200);
    let ids = |answer: &Answer| -> Vec<String> {
        let orders = answer.json["orders"].as_array().unwrap().iter();
        orders
            .map(|order| order["order_id"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(ids(&first), [3, 2].map(|seed| order_id(seed).to_string()));
    let cursor = first.json["next_cursor"].as_str().unwrap();
    let second = world
        .get(&format!("/api/review/orders?limit=2&cursor={cursor}"))
        .await;
    assert_eq!(ids(&second), [order_id(1).to_string()]);
    assert_eq!(second.json["next_cursor"], Value::Null);
    let unpaid = world.get("/api/review/orders?state=awaiting_payment").await;
    assert_eq!(ids(&unpaid), [order_id(9).to_string()]);
}

#[tokio::test]
async fn the_queue_shows_nothing_personal_and_nothing_of_another_vendor() {
    let world = World::with_order_in(State::AwaitingReview).await;
    let mut foreign = order_in(State::AwaitingReview, 2, unit(2), NOW);
    foreign.vendor = "other-ca".parse().unwrap();
    world.put(foreign).await;
    let answer = world.get("/api/review/orders").await;
    assert_eq!(
        answer.json["orders"],
        json!([{
            "order_id": order_id(1).to_string(), "number": order_number(1, NOW).to_string(),
            "product": sample::product().name, "state": "awaiting_review", "since": "2026-04-07T02:00:00Z",
        }])
    );
}

#[tokio::test]
async fn a_wrong_parameter_is_refused() {
    let world = World::with_order_in(State::AwaitingReview).await;
    for query in [
        "state=lost",
        "limit=0",
        "limit=51",
        "limit=many",
        "cursor=elsewhere",
        "vendor=other-ca",
    ] {
        let answer = world.get(&format!("/api/review/orders?{query}")).await;
        answer.is_problem(400, "parameter-invalid");
    }
}

#[tokio::test]
async fn an_officer_sees_the_whole_order_by_id_and_by_number() {
    let world = World::with_order_in(State::AwaitingReview).await;
    for id in [order_id(1).to_string(), order_number(1, NOW).to_string()] {
        let answer = world.get(&format!("/api/review/orders/{id}")).await;
        assert_eq!(answer.status, 200, "{}", answer.json);
        let form = serde_json::to_value(unit(1)).unwrap();
        assert_eq!(answer.json["form"], form);
        assert_eq!(answer.json["order"]["state"], "awaiting_review");
        let documents = answer.json["documents"].as_array().unwrap();
        assert_eq!(documents.len(), 4);
        let url = documents[0]["url"].as_str().unwrap();
        assert!(url.contains(&format!("documents/{}/", order_id(1))), "{url}");
        assert_eq!(answer.json["events"][0]["role"], "applicant");
    }
}

#[tokio::test]
async fn an_erased_order_has_no_form_and_no_pictures() {
    let world = World::new();
    let completed = order_in(State::Completed, 1, unit(1), NOW);
    world.put(moved(&completed, &Command::Erase, NOW).order).await;
    let answer = world.get(&format!("/api/review/orders/{}", order_id(1))).await;
    assert_eq!((answer.status, &answer.json["form"]), (200, &Value::Null));
    assert_eq!(answer.json["documents"], json!([]));
}

#[tokio::test]
async fn an_approved_order_goes_on_and_the_applicant_is_told() {
    let world = World::with_order_in(State::AwaitingReview).await;
    let answer = world.post("approve", json!({})).await;
    assert_eq!(
        (answer.status, answer.json["state"].as_str()),
        (200, Some("awaiting_personalisation"))
    );
    let notice = Notice::Approved;
    assert_eq!(
        world.effects(),
        [Effect::SendNotice { notice }, Effect::IssueInvoice]
    );
    let events = world.store.events(&order_id(1)).await.unwrap();
    let account = "account-1".to_owned();
    let vendor = vendor();
    assert_eq!(events.last().unwrap().by, Actor::Officer { account, vendor });
    world
        .post("approve", json!({}))
        .await
        .is_problem(409, "command-not-allowed");
    world
        .post("reject", json!({"reason": "too late"}))
        .await
        .is_problem(409, "command-not-allowed");
}

#[tokio::test]
async fn a_rejected_order_goes_back_with_its_reason() {
    let world = World::with_order_in(State::AwaitingReview).await;
    let answer = world
        .post("reject", json!({"reason": " 营业执照照片不清晰\n请重新上传 "}))
        .await;
    assert_eq!(
        (answer.status, answer.json["state"].as_str()),
        (200, Some("awaiting_correction"))
    );
    assert_eq!(answer.json["rejection"], "营业执照照片不清晰\n请重新上传");
    let notice = Notice::Rejected;
    assert_eq!(world.effects(), [Effect::SendNotice { notice }]);
}

#[tokio::test]
async fn a_reason_has_to_say_something() {
    let world = World::with_order_in(State::AwaitingReview).await;
    for reason in [
        String::new(),
        "  ".to_owned(),
        "长".repeat(501),
        "a\u{7}b".to_owned(),
    ] {
        let answer = world.post("reject", json!({"reason": reason})).await;
        answer.is_problem(422, "body-shape");
        assert_eq!(answer.json["pointer"], "/reason");
    }
    world
        .post("reject", json!({}))
        .await
        .is_problem(422, "body-shape");
    world
        .post("approve", json!({"reason": "x"}))
        .await
        .is_problem(422, "body-shape");
    assert_eq!(world.order().await.state, State::AwaitingReview);
    assert_eq!(
        world
            .post("reject", json!({"reason": "长".repeat(500)}))
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn only_an_officer_of_the_vendor_gets_in() {
    let world = World::with_order_in(State::AwaitingReview).await;
    let paths = [
        ("GET", "/api/review/orders".to_owned()),
        ("GET", format!("/api/review/orders/{}", order_id(1))),
        ("POST", format!("/api/review/orders/{}/approve", order_id(1))),
        ("POST", format!("/api/review/orders/{}/reject", order_id(1))),
    ];
    let operator = world.token(Role::Operator, vendor().as_str()).await;
    let foreign = world.token(Role::Officer, "other-ca").await;
    for (method, path) in &paths {
        let request = |token: Option<&str>| {
            let body = if path.ends_with("reject") {
                r#"{"reason":"x"}"#
            } else {
                "{}"
            };
            let mut request = Request::builder().method(*method).uri(path);
            request = request.header("content-type", "application/json");
            if let Some(token) = token {
                request = request.header("authorization", format!("Bearer {token}"));
            }
            request.body(Body::from(body)).unwrap()
        };
        world.send(request(None)).await.is_problem(401, "token-missing");
        world
            .send(request(Some("nonsense")))
            .await
            .is_problem(401, "session-invalid");
        world
            .send(request(Some(&operator)))
            .await
            .is_problem(403, "role-missing");
        let answer = world.send(request(Some(&foreign))).await;
        if path == "/api/review/orders" {
            assert_eq!(answer.json["orders"], json!([]));
        } else {
            answer.is_problem(404, "order-not-found");
        }
    }
    world
        .get("/api/review/orders/elsewhere")
        .await
        .is_problem(404, "order-not-found");
    assert_eq!(world.order().await.state, State::AwaitingReview);
}

#[tokio::test]
async fn an_officer_revokes_the_certificates_of_an_order() {
    for state in [
        State::AwaitingWriting,
        State::AwaitingDispatch,
        State::AwaitingReceipt,
        State::Completed,
    ] {
        let world = World::with_order_in(state).await;
        let body = json!({"reason": "key_compromise", "invalidity_date": "2026-04-06T08:00:00+08:00"});
        let answer = world.post("revoke", body).await;
        assert_eq!(answer.status, 200, "{}", answer.json);
        let shown = json!({
            "at": "2026-04-07T02:00:00Z",
            "reason": "key_compromise",
            "invalidity_date": "2026-04-06T08:00:00+08:00",
            "is_published": false,
        });
        assert_eq!(answer.json["revocation"], shown);
        assert_eq!(world.effects(), [Effect::RevokeCertificates]);
        let order = world.order().await;
        assert_eq!(order.state, state);
        let by = Actor::Officer {
            account: "account-1".to_owned(),
            vendor: vendor(),
        };
        assert_eq!(order.revocation.unwrap().by, by);
    }
}

#[tokio::test]
async fn a_second_revocation_is_refused_and_changes_nothing() {
    let world = World::with_order_in(State::Completed).await;
    assert_eq!(
        world.post("revoke", json!({"reason": "superseded"})).await.status,
        200
    );
    let first = world.order().await;
    let again = world.post("revoke", json!({"reason": "key_compromise"})).await;
    again.is_problem(409, "already-recorded");
    assert_eq!(world.order().await, first);
    assert_eq!(world.effects(), [Effect::RevokeCertificates]);
}

#[tokio::test]
async fn an_erased_order_takes_a_revocation() {
    let world = World::new();
    let mut order = order_in(State::Completed, 1, unit(1), NOW);
    order.personal = None;
    world.put(order).await;
    let answer = world.post("revoke", json!({"reason": "unspecified"})).await;
    assert_eq!(answer.status, 200);
    assert_eq!(world.effects(), [Effect::RevokeCertificates]);
}

#[tokio::test]
async fn a_revocation_needs_certificates_a_reason_and_a_time_that_has_been() {
    let world = World::with_order_in(State::AwaitingReview).await;
    world
        .post("revoke", json!({"reason": "superseded"}))
        .await
        .is_problem(409, "command-not-allowed");
    let world = World::with_order_in(State::Completed).await;
    for body in [
        json!({}),
        json!({"reason": "because"}),
        json!({"reason": "certificate_hold"}),
        json!({"reason": "superseded", "invalidity_date": "yesterday"}),
        json!({"reason": "superseded", "invalidity_date": "2026-04-07T02:00:01Z"}),
        json!({"reason": "superseded", "force": true}),
    ] {
        world.post("revoke", body).await.is_problem(422, "body-shape");
    }
    assert!(world.order().await.revocation.is_none());
}

#[tokio::test]
async fn nobody_else_revokes() {
    let world = World::with_order_in(State::Completed).await;
    for (role, vendor, status, code) in [
        (Role::Operator, vendor().as_str().to_owned(), 403, "role-missing"),
        (Role::Officer, "other-ca".to_owned(), 404, "order-not-found"),
    ] {
        let token = world.token(role, &vendor).await;
        let request = Request::post(format!("/api/review/orders/{}/revoke", order_id(1)))
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", "application/json")
            .body(Body::from(json!({"reason": "superseded"}).to_string()));
        world.send(request.unwrap()).await.is_problem(status, code);
    }
    assert!(world.order().await.revocation.is_none());
}
