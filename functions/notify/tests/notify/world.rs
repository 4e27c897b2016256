//! An order, its errands, and the function with fake providers.
use std::sync::{Arc, Mutex};

use axum::body::{Body, to_bytes};
use axum::http::Request;
use time::macros::datetime;
use time::{Duration, OffsetDateTime};
use tower::ServiceExt as _;
use yinxin_lambda::Platform;
use yinxin_lambda::serve::{Batch as _, BatchError, router_of};
use yinxin_notify::{App, Notifying, routes};
use yinxin_order::command::Actor;
use yinxin_order::effect::{Effect, Notice};
use yinxin_order::form::ApplicationForm;
use yinxin_order::order::{Event, Order};
use yinxin_order::sample::{order_id, order_in};
use yinxin_order::state::State;
use yinxin_store::memory::MemoryStore;
use yinxin_store::orders::{Errand, Orders as _};

use crate::fakes::{FakeBank, FakeMail, FakeSms, SentSms};

pub const NOW: OffsetDateTime = datetime!(2026-04-07 02:00 UTC);
pub const NUMBER: &str = "20260407A0000000001";

pub struct World {
    pub store: Arc<MemoryStore>,
    pub sms: Arc<FakeSms>,
    pub mail: Arc<FakeMail>,
    pub bank: Arc<FakeBank>,
    pub platform: Platform,
    notifying: Notifying,
    router: axum::Router,
    now: Arc<Mutex<OffsetDateTime>>,
}

impl World {
    /// A world with the order of seed 1 in `state`.
    pub async fn with(state: State, form: ApplicationForm) -> World {
        World::with_order(order_in(state, 1, form, NOW)).await
    }

    pub async fn with_order(order: Order) -> World {
        let store = Arc::new(MemoryStore::default());
        let now = Arc::new(Mutex::new(NOW));
        let clock = Arc::clone(&now);
        let platform = Platform::in_memory(&store, Arc::new(move || *clock.lock().unwrap()));
        let event = Event {
            version: order.version,
            at: NOW,
            by: Actor::Applicant,
            command: None,
            from: None,
            to: order.state,
        };
        store.create(&order, &event, &[]).await.unwrap();
        let (sms, mail, bank) = <(Arc<FakeSms>, Arc<FakeMail>, Arc<FakeBank>)>::default();
        let app = App {
            platform: platform.clone(),
            sms: sms.clone(),
            mail: mail.clone(),
            bank: bank.clone(),
        };
        World {
            store,
            sms,
            mail,
            bank,
            platform,
            router: router_of(routes(app.clone())),
            notifying: Notifying::new(app),
            now,
        }
    }

    pub fn pass(&self, time: Duration) {
        *self.now.lock().unwrap() += time;
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

    pub async fn password(&self, password: &str) -> Errand {
        let sealed = self
            .platform
            .vault
            .seal_secret(&order_id(1), password)
            .await
            .unwrap();
        World::errand(Effect::SendPassword { sealed })
    }

    pub fn notice(notice: Notice) -> Errand {
        World::errand(Effect::SendNotice { notice })
    }

    /// Delivers an errand.
    pub async fn deliver(&self, errand: &Errand) -> Result<(), BatchError> {
        self.notifying.errand(errand.clone()).await
    }

    /// Posts a body, and answers with status and text.
    pub async fn post(&self, path: &str, body: &str) -> (u16, String) {
        let request = Request::post(path)
            .header("content-type", "application/json")
            .body(Body::from(body.to_owned()))
            .unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
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
