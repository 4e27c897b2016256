//! The function with a store in memory, a clock that can be turned, and staff of two vendors.
use std::sync::{Arc, Mutex};

use axum::body::{Body, to_bytes};
use axum::http::Request;
use serde_json::Value;
use time::macros::datetime;
use time::{Duration, OffsetDateTime};
use tower::ServiceExt as _;
use yinxin_lambda::Platform;
use yinxin_lambda::serve::router_of;
use yinxin_lambda::session::{Role, Staff};
use yinxin_order::command::{Actor, Command};
use yinxin_order::form::ApplicationForm;
use yinxin_order::identifiers::OrderId;
use yinxin_order::order::Order;
use yinxin_order::sample::{event_of, order_id, order_in};
use yinxin_order::state::State;
use yinxin_personalise::{App, TicketKeys, TicketSecret, routes};
use yinxin_store::memory::MemoryStore;
use yinxin_store::orders::{Errand, Orders as _};
use yinxin_store::{Claim, advance};

pub const NOW: OffsetDateTime = datetime!(2026-04-07 02:00 UTC);
pub const VENDOR: &str = "sample-ca";

pub struct World {
    pub store: Arc<MemoryStore>,
    pub app: App,
    now: Arc<Mutex<OffsetDateTime>>,
    /// The operator's session.
    pub token: String,
}

/// Origins for which the function issues tickets.
pub const PORTALS: &str = "https://portal.example,https://desk.example";

fn no_tickets() -> TicketKeys {
    TicketKeys::of(&TicketSecret::default(), PORTALS).unwrap()
}

pub struct Answer {
    pub status: u16,
    pub content_type: String,
    pub text: String,
}

impl Answer {
    #[track_caller]
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
    /// A world without orders, and an operator of [`VENDOR`].
    pub async fn new() -> World {
        let store = Arc::new(MemoryStore::default());
        let now = Arc::new(Mutex::new(NOW));
        let clock = Arc::clone(&now);
        let platform = Platform::in_memory(&store, Arc::new(move || *clock.lock().unwrap()));
        let mut world = World {
            store,
            app: App {
                platform,
                tickets: no_tickets(),
            },
            now,
            token: String::new(),
        };
        world.token = world.session(Role::Operator, VENDOR).await;
        world
    }

    /// A world with the order of seed 1 in `state`.
    pub async fn with(state: State, form: ApplicationForm) -> World {
        let world = World::new().await;
        world.put(order_in(state, 1, form, NOW)).await;
        world
    }

    pub async fn put(&self, order: Order) {
        let event = event_of(&order, NOW);
        let claims: Vec<Claim> = order.number.clone().map(Claim::Number).into_iter().collect();
        self.store.create(&order, &event, &claims).await.unwrap();
    }

    pub fn pass(&self, time: Duration) {
        *self.now.lock().unwrap() += time;
    }

    pub fn id() -> OrderId {
        order_id(1)
    }

    pub async fn order(&self) -> Order {
        self.store.load(&World::id()).await.unwrap()
    }

    pub async fn advance(&self, command: &Command) -> Order {
        let by = Actor::platform("test");
        advance(self.store.as_ref(), &World::id(), command, &by, NOW)
            .await
            .unwrap()
    }

    /// The errands that the calls so far left.
    pub fn errands(&self) -> Vec<Errand> {
        self.store.take_errands()
    }

    pub async fn session(&self, role: Role, vendor: &str) -> String {
        let staff = Staff {
            account: "wang".to_owned(),
            role,
            vendor: vendor.parse().unwrap(),
        };
        let key = self.app.platform.session_key().await.unwrap();
        key.sign(&staff, NOW, Duration::hours(8)).unwrap()
    }

    /// A call of the operator.
    pub async fn get(&self, path: &str) -> Answer {
        self.get_as(path, &self.token).await
    }

    pub async fn get_as(&self, path: &str, token: &str) -> Answer {
        let request = Request::get(format!("/api/personalise/orders{path}"))
            .header("authorization", format!("Bearer {token}"));
        self.send(request.body(Body::empty()).unwrap()).await
    }

    /// A call of the operator about the order of seed 1.
    pub async fn post(&self, action: &str, body: &Value) -> Answer {
        self.post_as(action, body, &self.token).await
    }

    pub async fn post_as(&self, action: &str, body: &Value, token: &str) -> Answer {
        self.post_under(action, body, token, "the first report").await
    }

    /// A post under an idempotency key of its own.
    pub async fn post_under(&self, action: &str, body: &Value, token: &str, key: &str) -> Answer {
        let request = Request::post(format!("/api/personalise/orders/{}/{action}", World::id()))
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", "application/json")
            .header("idempotency-key", key);
        self.send(request.body(Body::from(body.to_string())).unwrap())
            .await
    }

    pub async fn send(&self, request: Request<Body>) -> Answer {
        let router = router_of(routes(self.app.clone()));
        let response = router.oneshot(request).await.unwrap();
        let content_type = response
            .headers()
            .get("content-type")
            .map(|value| value.to_str().unwrap().to_owned());
        let status = response.status().as_u16();
        let body = to_bytes(response.into_body(), 1 << 20).await.unwrap();
        Answer {
            status,
            content_type: content_type.unwrap_or_default(),
            text: String::from_utf8(body.to_vec()).unwrap(),
        }
    }
}
