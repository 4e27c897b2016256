//! The function with a store in memory, a clock that can be turned, and the loopback provider.
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use time::macros::datetime;
use time::{Duration, OffsetDateTime};
use yinxin_invoice::{App, Errands, Issuer};
use yinxin_lambda::{Function, Platform};
use yinxin_order::command::{Actor, Command};
use yinxin_order::effect::Effect;
use yinxin_order::form::ApplicationForm;
use yinxin_order::form::sample::unit;
use yinxin_order::invoice::InvoiceStatus;
use yinxin_order::order::Order;
use yinxin_order::sample::{event_of, order_id, order_in};
use yinxin_order::state::State;
use yinxin_providers::invoice::Account;
use yinxin_store::advance;
use yinxin_store::memory::MemoryStore;
use yinxin_store::orders::{Errand, Orders as _};

use crate::provider::Provider;

pub const NOW: OffsetDateTime = datetime!(2026-04-07 02:00 UTC);
pub const SEED: u32 = 7;
pub const ORDER_NO: &str = "20260407A0000000007";

pub struct World {
    pub store: Arc<MemoryStore>,
    pub provider: Provider,
    pub app: App,
    now: Arc<Mutex<OffsetDateTime>>,
}

impl World {
    /// A world whose only order was approved a moment ago.
    pub async fn new() -> World {
        World::with(
            order_in(State::AwaitingPersonalisation, SEED, unit(SEED), NOW),
            "nuonuo",
        )
        .await
    }

    pub async fn of(form: ApplicationForm) -> World {
        World::with(
            order_in(State::AwaitingPersonalisation, SEED, form, NOW),
            "nuonuo",
        )
        .await
    }

    pub async fn with(order: Order, provider_word: &str) -> World {
        let (provider, addresses) = Provider::start().await;
        let store = Arc::new(MemoryStore::default());
        let now = Arc::new(Mutex::new(NOW));
        let clock = Arc::clone(&now);
        let platform = Platform::in_memory(&store, Arc::new(move || *clock.lock().unwrap()));
        let event = event_of(&order, NOW);
        store.create(&order, &event, &[]).await.unwrap();
        let account: Account = serde_json::from_value(json!({
            "provider": provider_word, "app_key": "SD12345678", "app_secret": "test secret, public",
            "seller_tax_number": "339902999999789113", "seller_address": "示例路1号",
            "seller_telephone": "0731-80000000", "seller_account": "示例银行 43001500061052500001",
            "clerk": "开票员", "goods_name": "*信息技术服务*数字证书服务", "goods_code": "3040203000000000000",
            "tax_rate": "0.06",
        }))
        .unwrap();
        let issuer = Issuer::of(account, &addresses, &platform).unwrap();
        World {
            app: App { platform, issuer },
            store,
            provider,
            now,
        }
    }

    pub fn pass(&self, time: Duration) {
        *self.now.lock().unwrap() += time;
    }

    pub async fn order(&self) -> Order {
        self.store.load(&order_id(SEED)).await.unwrap()
    }

    pub async fn status(&self) -> InvoiceStatus {
        self.order().await.invoice.unwrap().status
    }

    pub async fn advance(&self, command: &Command) {
        let (now, by) = (self.app.platform.now(), Actor::platform("test"));
        advance(self.store.as_ref(), &order_id(SEED), command, &by, now)
            .await
            .unwrap();
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
        let batch: Value = json!({"Records": [{"messageId": "m-1", "eventSource": "aws:sqs", "body": body}]});
        let function = Function::new("invoice").batch(Errands::new(self.app.clone()));
        let answer = function.answer(batch, false).await.unwrap();
        answer["batchItemFailures"].as_array().unwrap().is_empty()
    }

    /// Delivers the errand of the queue.
    pub async fn issue(&self) -> bool {
        self.deliver(Effect::IssueInvoice).await
    }

    pub fn effects(&self) -> Vec<Effect> {
        self.store
            .take_errands()
            .into_iter()
            .map(|errand| errand.effect)
            .collect()
    }
}
