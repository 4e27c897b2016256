//! An order, its errands, and the function with fake providers.
use std::sync::{Arc, Mutex};

use time::macros::datetime;
use time::{Duration, OffsetDateTime};
use yinxin_lambda::Platform;
use yinxin_lambda::serve::{Batch as _, BatchError};
use yinxin_notify::{App, Notifying};
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
            postings: Vec::new(),
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
