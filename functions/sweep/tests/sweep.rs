//! The sweep in process: what is late at the time of the schedule's event.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Value, json};
use time::macros::datetime;
use time::{Duration, OffsetDateTime};
use yinxin_lambda::{Function, Platform};
use yinxin_order::Command;
use yinxin_order::document::DocumentKind;
use yinxin_order::effect::Effect;
use yinxin_order::form::sample::{unit, unit_by_account};
use yinxin_order::identifiers::OrderId;
use yinxin_order::order::Order;
use yinxin_order::password::PasswordOutcome;
use yinxin_order::payment::Provider;
use yinxin_order::sample::{event_of, moved, order_id, order_in};
use yinxin_order::state::State;
use yinxin_store::StoreError;
use yinxin_store::documents::{Announced, Documents, InvoiceKey, UploadKey, UploadPermission};
use yinxin_store::memory::MemoryStore;
use yinxin_store::orders::Orders as _;
use yinxin_sweep::Sweep;

const CREATED: OffsetDateTime = datetime!(2026-04-07 02:00 UTC);
const RETENTION: Duration = Duration::days(100);

struct World {
    store: Arc<MemoryStore>,
    platform: Platform,
}

impl World {
    fn new() -> Self {
        let mut store = MemoryStore::default();
        store.retention = RETENTION;
        let store = Arc::new(store);
        // The sweep's clock is its event's time: the process's own would be far in the future.
        let platform = Platform::in_memory(&store, Arc::new(|| datetime!(2099-01-01 00:00 UTC)));
        World { store, platform }
    }

    async fn put(&self, order: Order) {
        let event = event_of(&order, CREATED);
        self.store.create(&order, &event, &[]).await.unwrap();
    }

    async fn with_order_in(state: State) -> Self {
        let world = World::new();
        world.put(order_in(state, 7, unit(7), CREATED)).await;
        world
    }

    async fn order(&self, seed: u32) -> Order {
        self.store.load(&order_id(seed)).await.unwrap()
    }

    fn effects(&self) -> Vec<Effect> {
        self.store
            .take_errands()
            .into_iter()
            .map(|errand| errand.effect)
            .collect()
    }

    async fn sweep(&self, now: OffsetDateTime) -> Result<Value, lambda_runtime::Error> {
        let function = Function::new("sweep").batch(Sweep::new(self.platform.clone()));
        let time = now
            .format(&time::format_description::well_known::Rfc3339)
            .unwrap();
        function
            .answer(json!({"detail-type": "Scheduled Event", "time": time}), false)
            .await
    }
}

#[tokio::test]
async fn waiting_for_the_applicant_ends_in_time_and_not_before() {
    for (state, days, end) in [
        (State::Draft, 30, State::Expired),
        (State::AwaitingDocuments, 7, State::Expired),
        (State::AwaitingPayment, 7, State::Expired),
        (State::AwaitingReceipt, 15, State::Completed),
    ] {
        let world = World::with_order_in(state).await;
        let due = CREATED + Duration::days(days);
        world.sweep(due - Duration::seconds(1)).await.unwrap();
        assert_eq!(world.order(7).await.state, state);
        world.sweep(due).await.unwrap();
        assert_eq!(world.order(7).await.state, end);
    }
}

#[tokio::test]
async fn what_the_platform_owes_is_asked_for_again_at_growing_intervals() {
    let world = World::with_order_in(State::Issuing).await;
    let mut asked_at = Vec::new();
    for minute in 1..=30 {
        world.sweep(CREATED + Duration::minutes(minute)).await.unwrap();
        if world.effects() == [Effect::AskCa] {
            asked_at.push(minute);
        }
    }
    assert_eq!(asked_at, [2, 6, 14, 30]);
    assert_eq!(world.order(7).await.reminders, 4);
}

#[tokio::test]
async fn a_silent_payment_is_asked_about() {
    let world = World::new();
    let waiting = order_in(State::AwaitingPayment, 7, unit(7), CREATED);
    let provider = Provider::Alipay;
    world
        .put(moved(&waiting, &Command::StartPayment { provider }, CREATED).order)
        .await;
    world.sweep(CREATED + Duration::minutes(2)).await.unwrap();
    assert_eq!(world.effects(), [Effect::QueryPayment { attempt: 1 }]);
}

#[tokio::test]
async fn a_refund_that_is_due_is_asked_for_again() {
    let world = World::with_order_in(State::Refunding).await;
    world.sweep(CREATED + Duration::minutes(2)).await.unwrap();
    assert_eq!(world.effects(), [Effect::Refund { attempt: 1 }]);
}

#[tokio::test]
async fn a_password_on_its_way_is_looked_after() {
    let world = World::new();
    let written = order_in(State::AwaitingDispatch, 7, unit_by_account(7), CREATED);
    let record = |outcome| Command::RecordPassword { number: 1, outcome };
    let submitted = moved(&written, &record(PasswordOutcome::Submitted), CREATED).order;
    let sent = moved(&submitted, &record(PasswordOutcome::Sent), CREATED).order;
    world.put(written).await;
    for (seed, mut order) in [(8, submitted), (9, sent)] {
        order.id = order_id(seed);
        world.put(order).await;
    }
    world.sweep(CREATED + Duration::minutes(2)).await.unwrap();
    let mut effects = world.effects();
    effects.sort_by_key(Effect::name);
    assert_eq!(
        effects,
        [
            Effect::QueryTransfer { number: 1 },
            Effect::SendPassword { number: 1 }
        ]
    );
    // What arrived may come back.
    let minute = Duration::minutes(1);
    world.sweep(CREATED + Duration::hours(12) - minute).await.unwrap();
    assert_eq!(world.effects().len(), 2);
    world.sweep(CREATED + Duration::hours(12)).await.unwrap();
    assert_eq!(world.effects(), [Effect::QueryTransfer { number: 1 }]);
    assert_eq!(world.order(9).await.reminders, 1);
}

#[tokio::test]
async fn personal_data_and_pictures_are_erased_after_the_retention() {
    let world = World::with_order_in(State::Completed).await;
    let key = UploadKey {
        order: order_id(7),
        kind: DocumentKind::IdPortrait,
        upload: "0".repeat(32),
    };
    world.store.keep(&key, "image/png", vec![1]).await.unwrap();
    assert!(world.store.kept(&key).is_some());
    world
        .sweep(CREATED + RETENTION - Duration::seconds(1))
        .await
        .unwrap();
    assert!(world.order(7).await.personal.is_some());
    world.sweep(CREATED + RETENTION).await.unwrap();
    assert!(world.order(7).await.personal.is_none());
    assert!(world.store.kept(&key).is_none());
    let version = world.order(7).await.version;
    world.sweep(CREATED + RETENTION * 2).await.unwrap();
    assert_eq!(world.order(7).await.version, version);
}

/// Documents that cannot be erased.
struct Stuck;

#[async_trait]
impl Documents for Stuck {
    async fn permit(&self, _: &UploadKey, _: &Announced) -> Result<UploadPermission, StoreError> {
        Err(StoreError::NotFound)
    }
    async fn arrived(&self, _: &UploadKey, _: u64) -> Result<Option<Vec<u8>>, StoreError> {
        Err(StoreError::NotFound)
    }
    async fn keep(&self, _: &UploadKey, _: &str, _: Vec<u8>) -> Result<(), StoreError> {
        Err(StoreError::NotFound)
    }
    async fn drop_arrival(&self, _: &UploadKey) -> Result<(), StoreError> {
        Err(StoreError::NotFound)
    }
    async fn link(&self, _: &UploadKey) -> Result<String, StoreError> {
        Err(StoreError::NotFound)
    }
    async fn keep_invoice(&self, _: &InvoiceKey, _: Vec<u8>) -> Result<(), StoreError> {
        Err(StoreError::NotFound)
    }
    async fn invoice(&self, _: &InvoiceKey) -> Result<Vec<u8>, StoreError> {
        Err(StoreError::NotFound)
    }
    async fn erase(&self, _: &OrderId) -> Result<(), StoreError> {
        Err(StoreError::unavailable(std::io::Error::other("no bucket")))
    }
}

#[tokio::test]
async fn an_order_that_cannot_be_looked_after_stops_no_other() {
    let mut world = World::new();
    let mut ended = order_in(State::Completed, 7, unit(7), CREATED);
    // Its password was forgotten after a month.
    ended.personal.as_mut().unwrap().password = None;
    world.put(ended).await;
    let later = CREATED + RETENTION - Duration::days(7);
    world
        .put(order_in(State::AwaitingPayment, 8, unit(8), later))
        .await;
    world.platform.documents = Arc::new(Stuck);
    let failure = world.sweep(CREATED + RETENTION).await.unwrap_err();
    assert_eq!(
        failure.to_string(),
        "1 of 2 late orders could not be looked after"
    );
    // Its personal data stays until its pictures are gone.
    assert!(world.order(7).await.personal.is_some());
    assert_eq!(world.order(8).await.state, State::Expired);
}

#[tokio::test]
async fn the_sample_event_of_the_schedule_tells_the_time() {
    let world = World::with_order_in(State::AwaitingPayment).await;
    let event: Value = serde_json::from_str(include_str!("../../../events/schedule-sweep.json")).unwrap();
    let function = Function::new("sweep").batch(Sweep::new(world.platform.clone()));
    assert_eq!(function.answer(event, false).await.unwrap(), json!({}));
    let order = world.order(7).await;
    assert_eq!(order.state, State::Expired);
    assert_eq!(order.entered_at, datetime!(2026-04-14 02:05 UTC));
}

#[tokio::test]
async fn an_event_without_a_time_is_refused() {
    let world = World::new();
    let function = Function::new("sweep").batch(Sweep::new(world.platform.clone()));
    let failure = function.answer(json!({"time": "soon"}), false).await.unwrap_err();
    assert_eq!(failure.to_string(), "the schedule's event has no readable time");
}
