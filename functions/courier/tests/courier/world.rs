//! The function with a store in memory, a clock that can be turned, and the loopback service.
use std::sync::{Arc, Mutex};

use axum::body::{Body, to_bytes};
use axum::http::Request;
use serde_json::{Value, json};
use time::macros::datetime;
use time::{Duration, OffsetDateTime};
use tower::ServiceExt as _;
use yinxin_courier::{App, Errands, Service as Way, routes};
use yinxin_lambda::serve::router_of;
use yinxin_lambda::{Function, Platform};
use yinxin_order::command::Command;
use yinxin_order::effect::Effect;
use yinxin_order::form::sample::unit;
use yinxin_order::order::Order;
use yinxin_order::parcel::{Parcel, Tracking};
use yinxin_order::sample::{event_of, moved, order_id, order_in};
use yinxin_order::state::State;
use yinxin_providers::courier::Account;
use yinxin_store::memory::MemoryStore;
use yinxin_store::orders::{Errand, Orders as _};

use crate::service::Service;

pub const NOW: OffsetDateTime = datetime!(2026-04-07 02:00 UTC);
pub const SEED: u32 = 7;
pub const WAYBILL: &str = "EM000000001CN";

pub struct World {
    pub store: Arc<MemoryStore>,
    pub service: Service,
    pub app: App,
    now: Arc<Mutex<OffsetDateTime>>,
}

pub struct Answer {
    pub status: u16,
    pub text: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap()
    }

    /// Asserts that the answer is this problem.
    #[track_caller]
    pub fn is_problem(&self, status: u16, code: &str) {
        assert_eq!(
            (self.status, self.json()["type"].as_str().unwrap()),
            (status, format!("/problems/{code}").as_str())
        );
    }
}

impl World {
    /// A world whose only order was mailed with EMS.
    pub async fn new() -> World {
        World::mailed_with("ems").await
    }

    pub async fn mailed_with(carrier: &str) -> World {
        let waiting = order_in(State::AwaitingDispatch, SEED, unit(SEED), NOW);
        let parcel = Parcel::new(carrier, WAYBILL);
        World::with(
            moved(&waiting, &Command::Dispatch { parcel }, NOW).order,
            "kuaidi100",
        )
        .await
    }

    pub async fn with(order: Order, provider: &str) -> World {
        let (service, url) = Service::start().await;
        let store = Arc::new(MemoryStore::default());
        let now = Arc::new(Mutex::new(NOW));
        let clock = Arc::clone(&now);
        let platform = Platform::in_memory(&store, Arc::new(move || *clock.lock().unwrap()));
        let event = event_of(&order, NOW);
        store.create(&order, &event, &[]).await.unwrap();
        let account: Account = serde_json::from_value(json!({
            "provider": provider, "customer": "CUSTOMER0001", "key": "test key, public", "salt_key": "test salts, public",
        }))
        .unwrap();
        World {
            app: App {
                platform,
                service: Way::of(account, &url).unwrap(),
            },
            store,
            service,
            now,
        }
    }

    pub fn pass(&self, time: Duration) {
        *self.now.lock().unwrap() += time;
    }

    pub async fn order(&self) -> Order {
        self.store.load(&order_id(SEED)).await.unwrap()
    }

    pub async fn tracking(&self) -> Option<Tracking> {
        self.order().await.parcel.unwrap().tracking
    }

    /// Delivers an errand; whether it was done.
    pub async fn deliver(&self, effect: Effect) -> bool {
        let errand = Errand {
            order: order_id(SEED),
            version: 9,
            seq: 0,
            effect,
        };
        let body = serde_json::to_string(&errand).unwrap();
        let batch = json!({"Records": [{"messageId": "m-1", "eventSource": "aws:sqs", "body": body}]});
        let function = Function::new("courier").batch(Errands::new(self.app.clone()));
        let answer = function.answer(batch, false).await.unwrap();
        answer["batchItemFailures"].as_array().unwrap().is_empty()
    }

    pub async fn send(&self, request: Request<Body>) -> Answer {
        let router = router_of(routes(self.app.clone()));
        let response = router.oneshot(request).await.unwrap();
        Answer {
            status: response.status().as_u16(),
            text: String::from_utf8(to_bytes(response.into_body(), 1 << 20).await.unwrap().to_vec()).unwrap(),
        }
    }

    /// Delivers a push about an order.
    pub async fn push_about(&self, order: &str, body: String) -> Answer {
        let request = Request::post(format!("/api/notify/courier/kuaidi100/{order}"))
            .header("content-type", "application/x-www-form-urlencoded; charset=UTF-8");
        self.send(request.body(Body::from(body)).unwrap()).await
    }

    pub async fn push(&self, body: String) -> Answer {
        self.push_about(order_id(SEED).as_str(), body).await
    }

    /// The parcel as the applicant sees it.
    pub async fn show(&self) -> Answer {
        let hashes = self.app.platform.vault.hashes().await.unwrap();
        let token = hashes.access_token(&order_id(SEED));
        let request = Request::get(format!("/api/orders/{}/parcel", order_id(SEED)))
            .header("authorization", format!("Bearer {token}"));
        self.send(request.body(Body::empty()).unwrap()).await
    }
}
