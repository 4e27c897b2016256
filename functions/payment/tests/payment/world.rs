//! The function with a store in memory, a clock that can be turned, and the loopback provider.
use std::sync::{Arc, Mutex};

use axum::body::{Body, to_bytes};
use axum::http::Request;
use serde_json::Value;
use time::macros::datetime;
use time::{Duration, OffsetDateTime};
use tower::ServiceExt as _;
use yinxin_lambda::Platform;
use yinxin_lambda::serve::router_of;
use yinxin_order::command::{Actor, Command};
use yinxin_order::form::sample::unit;
use yinxin_order::identifiers::OrderId;
use yinxin_order::order::{Event, Order};
use yinxin_order::sample::{order_id, order_in};
use yinxin_order::state::State;
use yinxin_payment::{App, Cashier, routes};
use yinxin_store::memory::MemoryStore;
use yinxin_store::orders::Orders as _;
use yinxin_store::{Claim, advance};

use crate::gateway::Gateway;

pub const NOW: OffsetDateTime = datetime!(2026-04-07 02:00 UTC);
/// The order of the sample events.
pub const SEED: u32 = 7;
pub const FIRST: &str = "20260407A0000000007_01";
pub const SECOND: &str = "20260407A0000000007_02";

pub struct World {
    pub store: Arc<MemoryStore>,
    pub gateway: Gateway,
    pub app: App,
    now: Arc<Mutex<OffsetDateTime>>,
}

pub struct Answer {
    pub status: u16,
    pub content_type: String,
    pub retry_after: Option<String>,
    pub text: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap()
    }

    /// Asserts that the answer is this problem.
    #[track_caller]
    pub fn is_problem(&self, status: u16, code: &str) {
        assert_eq!(self.content_type, "application/problem+json", "{}", self.text);
        assert_eq!(
            (self.status, self.json()["type"].as_str().unwrap()),
            (status, format!("/problems/{code}").as_str())
        );
    }
}

impl World {
    /// A world whose only order stands in `state`.
    pub async fn with_order_in(state: State) -> World {
        let (gateway, alipay) = Gateway::start().await;
        let store = Arc::new(MemoryStore::default());
        let now = Arc::new(Mutex::new(NOW));
        let clock = Arc::clone(&now);
        let platform = Platform::in_memory(&store, Arc::new(move || *clock.lock().unwrap()));
        let order = order_in(state, SEED, unit(SEED), NOW);
        let event = Event {
            version: order.version,
            at: NOW,
            by: Actor::Applicant,
            command: None,
            from: None,
            to: state,
        };
        let claims: Vec<Claim> = order.number.clone().map(Claim::Number).into_iter().collect();
        store.create(&order, &event, &claims).await.unwrap();
        World {
            app: App {
                platform,
                cashier: Cashier::of(alipay),
            },
            store,
            gateway,
            now,
        }
    }

    /// A world whose order waits for the payment of its first attempt.
    pub async fn with_open_attempt() -> World {
        let world = World::with_order_in(State::AwaitingPayment).await;
        assert_eq!(world.start("a key of the first call").await.status, 201);
        world
    }

    pub fn pass(&self, time: Duration) {
        *self.now.lock().unwrap() += time;
    }

    pub fn id() -> OrderId {
        order_id(SEED)
    }

    pub async fn order(&self) -> Order {
        self.store.load(&World::id()).await.unwrap()
    }

    pub async fn advance(&self, command: &Command) -> Order {
        let now = self.app.platform.now();
        advance(self.store.as_ref(), &World::id(), command, &Actor::Applicant, now)
            .await
            .unwrap()
    }

    pub async fn token(&self) -> String {
        let hashes = self.app.platform.vault.hashes().await.unwrap();
        hashes.access_token(&World::id())
    }

    pub async fn send(&self, request: Request<Body>) -> Answer {
        let router = router_of(routes(self.app.clone()));
        let response = router.oneshot(request).await.unwrap();
        let header = |name| {
            let value: Option<&axum::http::HeaderValue> = response.headers().get(name);
            value.map(|value| value.to_str().unwrap().to_owned())
        };
        Answer {
            status: response.status().as_u16(),
            content_type: header("content-type").unwrap_or_default(),
            retry_after: header("retry-after"),
            text: String::from_utf8(to_bytes(response.into_body(), 1 << 20).await.unwrap().to_vec()).unwrap(),
        }
    }

    /// A call that starts to pay, as its applicant makes it.
    pub async fn start_request(&self, key: &str) -> axum::http::request::Builder {
        Request::post(format!("/api/orders/{}/payments", World::id()))
            .header("authorization", format!("Bearer {}", self.token().await))
            .header("content-type", "application/json")
            .header("idempotency-key", key)
    }

    pub async fn start(&self, key: &str) -> Answer {
        let request = self.start_request(key).await;
        self.send(request.body(Body::from(r#"{"provider":"alipay"}"#)).unwrap())
            .await
    }

    /// Delivers a notification.
    pub async fn notify(&self, body: String) -> Answer {
        let request = Request::post("/api/notify/alipay")
            .header("content-type", "application/x-www-form-urlencoded; charset=utf-8");
        self.send(request.body(Body::from(body)).unwrap()).await
    }
}
