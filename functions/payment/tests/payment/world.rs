//! The function with a store in memory, a clock that can be turned, and the loopback provider.
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use axum::body::{Body, to_bytes};
use axum::http::Request;
use serde_json::Value;
use time::macros::datetime;
use time::{Duration, OffsetDateTime};
use tower::ServiceExt as _;
use yinxin_lambda::Platform;
use yinxin_lambda::serve::{Batch as _, router_of};
use yinxin_order::command::{Actor, Command};
use yinxin_order::form::sample::unit;
use yinxin_order::identifiers::OrderId;
use yinxin_order::order::Order;
use yinxin_order::payment::Provider;
use yinxin_order::sample::{event_of, order_id, order_in};
use yinxin_order::state::State;
use yinxin_payment::{App, Cashier, Errands, Inbox, Letter, NotKept, routes};
use yinxin_store::memory::MemoryStore;
use yinxin_store::orders::Orders as _;
use yinxin_store::{Claim, advance};

use crate::gateway::Gateway;
use crate::till::Till;

pub const NOW: OffsetDateTime = datetime!(2026-04-07 02:00 UTC);
/// The order of the sample events.
pub const SEED: u32 = 7;
pub const FIRST: &str = "20260407A0000000007_01";
pub const SECOND: &str = "20260407A0000000007_02";

pub struct World {
    pub store: Arc<MemoryStore>,
    /// Alipay, over its protocol.
    pub gateway: Gateway,
    /// WeChat Pay.
    pub till: Till,
    pub letters: Arc<Letters>,
    pub app: App,
    now: Arc<Mutex<OffsetDateTime>>,
}

/// The queue of notifications, and whether it takes any.
#[derive(Default)]
pub struct Letters {
    pub kept: Mutex<Vec<Letter>>,
    pub fault: Mutex<InboxFault>,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub enum InboxFault {
    #[default]
    None,
    Refuses,
    Hangs,
}

#[async_trait]
impl Inbox for Letters {
    async fn keep(&self, letter: &Letter) -> Result<(), NotKept> {
        let fault = *self.fault.lock().unwrap();
        match fault {
            InboxFault::None => self.kept.lock().unwrap().push(letter.clone()),
            InboxFault::Refuses => return Err(NotKept::new("refused")),
            InboxFault::Hangs => std::future::pending().await,
        }
        Ok(())
    }
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
        let event = event_of(&order, NOW);
        let claims: Vec<Claim> = order.number.clone().map(Claim::Number).into_iter().collect();
        store.create(&order, &event, &claims).await.unwrap();
        let (till, letters) = (Till::default(), Arc::<Letters>::default());
        World {
            app: App {
                platform,
                cashier: Cashier::of(Arc::new(alipay), till.gateway(Provider::Wechat)),
                inbox: letters.clone(),
            },
            store,
            gateway,
            till,
            letters,
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
        self.start_at(Provider::Alipay, key).await
    }

    pub async fn start_at(&self, provider: Provider, key: &str) -> Answer {
        let request = self.start_request(key).await;
        let body = format!(r#"{{"provider":"{}"}}"#, provider.as_str());
        self.send(request.body(Body::from(body)).unwrap()).await
    }

    /// Delivers a notification, and has the queue credit what was kept.
    pub async fn notify(&self, body: String) -> Answer {
        let answer = self.deliver(body).await;
        self.open_letters().await;
        answer
    }

    /// Delivers a notification.
    pub async fn deliver(&self, body: String) -> Answer {
        let request = Request::post("/api/notify/alipay")
            .header("content-type", "application/x-www-form-urlencoded; charset=utf-8");
        self.send(request.body(Body::from(body)).unwrap()).await
    }

    /// The queue's batch of all kept notifications; how many of them failed.
    pub async fn open_letters(&self) -> usize {
        let letters = std::mem::take(&mut *self.letters.kept.lock().unwrap());
        let mut failed = 0;
        for letter in letters {
            let body = serde_json::to_value(letter).unwrap();
            failed += usize::from(Errands::new(self.app.clone()).message(body).await.is_err());
        }
        failed
    }
}
