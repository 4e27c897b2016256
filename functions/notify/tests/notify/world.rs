//! An order, its errands, and the function with fake providers.
use std::sync::{Arc, Mutex};

use axum::body::{Body, to_bytes};
use axum::http::Request;
use serde_json::{Value, json};
use time::macros::datetime;
use time::{Duration, OffsetDateTime};
use tower::ServiceExt as _;
use yinxin_lambda::Platform;
use yinxin_lambda::serve::{Batch as _, BatchError, router_of};
use yinxin_notify::{App, MemoSecret, Notifying, routes};
use yinxin_order::command::{Actor, Command};
use yinxin_order::effect::{Effect, Notice};
use yinxin_order::form::ApplicationForm;
use yinxin_order::order::Order;
use yinxin_order::password::PasswordStatus;
use yinxin_order::sample::{event_of, order_id, order_in};
use yinxin_order::state::State;
use yinxin_providers::bank::Memo;
use yinxin_store::advance;
use yinxin_store::memory::MemoryStore;
use yinxin_store::memory::saves::InterruptedSaves;
use yinxin_store::orders::{Errand, Orders as _};

use crate::fakes::{FakeBank, FakeMail, FakeSms, SentSms};
use crate::stopping::Stopping;

pub const NOW: OffsetDateTime = datetime!(2026-04-07 02:00 UTC);
pub const NUMBER: &str = "20260407A0000000001";
pub const PASSWORD: &str = "k7Wq-2m9Zab3x0";
pub const KEY: &str = "idempotency-key-0001";

pub struct World {
    pub store: Arc<MemoryStore>,
    pub sms: Arc<FakeSms>,
    pub mail: Arc<FakeMail>,
    pub bank: Arc<FakeBank>,
    pub platform: Platform,
    /// Where a process ends in the midst of its work.
    pub stopping: Arc<Stopping>,
    app: App,
    now: Arc<Mutex<OffsetDateTime>>,
}

/// An answer to the call that collects the password.
pub struct Answer {
    pub status: u16,
    pub cache_control: String,
    pub json: Value,
}

impl Answer {
    /// The last part of the problem's type.
    pub fn problem(&self) -> (u16, &str) {
        let kind = self.json["type"].as_str().unwrap_or("none");
        (self.status, kind.trim_start_matches("/problems/"))
    }

    /// The password, if it was shown.
    pub fn password(&self) -> Option<&str> {
        self.json["password"].as_str().filter(|_| self.status == 200)
    }
}

impl World {
    /// A world with the order of seed 1 in `state`.
    pub async fn with(state: State, form: ApplicationForm) -> World {
        World::with_order(order_in(state, 1, form, NOW)).await
    }

    pub async fn with_order(mut order: Order) -> World {
        let store = Arc::new(MemoryStore::default());
        let now = Arc::new(Mutex::new(NOW));
        let clock = Arc::clone(&now);
        let mut platform = Platform::in_memory(&store, Arc::new(move || *clock.lock().unwrap()));
        // A sample's password does not open.
        if let Some(personal) = &mut order.personal
            && personal.password.is_some()
        {
            personal.password = Some(platform.vault.seal_secret(&order.id, PASSWORD).await.unwrap());
        }
        let event = event_of(&order, NOW);
        store.create(&order, &event, &[]).await.unwrap();
        let (sms, mail, bank) = <(Arc<FakeSms>, Arc<FakeMail>, Arc<FakeBank>)>::default();
        let stopping = Arc::new(Stopping::new(store.clone(), bank.clone()));
        platform.orders = Arc::new(InterruptedSaves::new(store.clone(), stopping.clone()));
        platform.codes = stopping.clone();
        platform.deliveries = stopping.clone();
        let app = App {
            platform: platform.clone(),
            sms: sms.clone(),
            mail: mail.clone(),
            bank: stopping.clone(),
        };
        World {
            store,
            sms,
            mail,
            bank,
            platform,
            stopping,
            app,
            now,
        }
    }

    pub fn pass(&self, time: Duration) {
        *self.now.lock().unwrap() += time;
    }

    pub fn now(&self) -> OffsetDateTime {
        *self.now.lock().unwrap()
    }

    pub fn errand(effect: Effect) -> Errand {
        Errand {
            order: order_id(1),
            version: 7,
            seq: 0,
            effect,
        }
    }

    pub async fn code(&self, code: &str) -> Errand {
        let sealed = self.platform.vault.seal_secret(&order_id(1), code).await.unwrap();
        World::errand(Effect::SendCode { sealed })
    }

    /// The errand of a sending of the password.
    pub fn password(number: u8) -> Errand {
        World::errand(Effect::SendPassword { number })
    }

    /// The errand that asks about a sending's transfer.
    pub fn query(number: u8) -> Errand {
        World::errand(Effect::QueryTransfer { number })
    }

    pub fn notice(notice: Notice) -> Errand {
        World::errand(Effect::SendNotice { notice })
    }

    /// Delivers an errand to a new process.
    pub async fn deliver(&self, errand: &Errand) -> Result<(), BatchError> {
        Notifying::new(self.app.clone()).errand(errand.clone()).await
    }

    /// Moves the order, and takes the errands that this asks for.
    pub async fn advance(&self, command: &Command) -> Vec<Effect> {
        let by = Actor::platform("test");
        self.store.take_errands();
        advance(self.store.as_ref(), &order_id(1), command, &by, self.now())
            .await
            .unwrap();
        self.effects()
    }

    /// What was asked for since the last call.
    pub fn effects(&self) -> Vec<Effect> {
        let errands = self.store.take_errands();
        errands.into_iter().map(|errand| errand.effect).collect()
    }

    pub async fn order(&self) -> Order {
        self.store.load(&order_id(1)).await.unwrap()
    }

    /// How far the password came.
    pub async fn status(&self) -> PasswordStatus {
        self.order().await.password.unwrap().status
    }

    /// The secret of a sending.
    pub async fn secret(&self, number: u8) -> String {
        let hashes = self.platform.vault.hashes().await.unwrap();
        let secret = MemoSecret::derive(PASSWORD, &hashes, &order_id(1), number);
        secret.reveal().to_owned()
    }

    pub async fn memo(&self, number: u8) -> Memo {
        self.secret(number).await.parse().unwrap()
    }

    /// Enters a memo secret as the order's applicant.
    pub async fn collect(&self, secret: &str) -> Answer {
        self.call(secret, None).await
    }

    /// The same, under an idempotency key.
    pub async fn collect_under(&self, secret: &str, key: &str) -> Answer {
        self.call(secret, Some(key)).await
    }

    async fn call(&self, secret: &str, key: Option<&str>) -> Answer {
        let hashes = self.platform.vault.hashes().await.unwrap();
        let token = hashes.access_token(&order_id(1));
        self.post(&token, key, &json!({"memo_secret": secret})).await
    }

    pub async fn post(&self, token: &str, key: Option<&str>, body: &Value) -> Answer {
        let mut request = Request::post(format!("/api/orders/{}/password", order_id(1)))
            .header("content-type", "application/json")
            .header("authorization", format!("Bearer {token}"));
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        let request = request.body(Body::from(body.to_string())).unwrap();
        let response = router_of(routes(self.app.clone()))
            .oneshot(request)
            .await
            .unwrap();
        let cache_control = response.headers().get("cache-control");
        Answer {
            status: response.status().as_u16(),
            cache_control: cache_control
                .map_or("", |value| value.to_str().unwrap())
                .to_owned(),
            json: serde_json::from_slice(&to_bytes(response.into_body(), 1 << 20).await.unwrap()).unwrap(),
        }
    }

    /// Posts what an SMS provider pushes, and answers with status and text.
    pub async fn push(&self, path: &str, body: &str) -> (u16, String) {
        let request = Request::post(path)
            .header("content-type", "application/json")
            .body(Body::from(body.to_owned()))
            .unwrap();
        let response = router_of(routes(self.app.clone()))
            .oneshot(request)
            .await
            .unwrap();
        let status = response.status().as_u16();
        let bytes = to_bytes(response.into_body(), 1 << 20).await.unwrap();
        (status, String::from_utf8(bytes.to_vec()).unwrap())
    }

    /// The SMS that were asked for.
    pub fn texts(&self) -> Vec<SentSms> {
        self.sms.sent.lock().unwrap().clone()
    }

    pub fn mails(&self) -> Vec<crate::fakes::SentMail> {
        self.mail.sent.lock().unwrap().clone()
    }

    pub fn transfers(&self) -> Vec<crate::fakes::SubmittedTransfer> {
        self.bank.submitted.lock().unwrap().clone()
    }
}
