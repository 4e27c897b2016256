//! A day's bill beside the ledger.
use time::macros::{date, datetime};
use time::{Date, Duration};
use yinxin_lambda::serve::Batch as _;
use yinxin_order::effect::Effect;
use yinxin_order::payment::Provider;
use yinxin_order::state::State;
use yinxin_payment::Errands;
use yinxin_payment::reconcile::{DifferenceKind, Report};
use yinxin_providers::payments::RefundState;
use yinxin_store::ledger::Ledger as _;
use yinxin_store::orders::Errand;

use crate::till::Fault;
use crate::world::{FIRST, NOW, World};

/// The day of the world's clock, in China.
const DAY: Date = date!(2026 - 04 - 07);

async fn report(world: &World) -> Option<Report> {
    let report = world.store.report(Provider::Wechat, DAY).await.unwrap();
    report.map(|report| serde_json::from_str(&report).unwrap())
}

/// A world whose order was paid through WeChat Pay, without anybody telling.
async fn paid_silently() -> World {
    let world = World::with_order_in(State::AwaitingPayment).await;
    world.start_at(Provider::Wechat, "a key of the first call").await;
    world.till.pay(FIRST, None, world.app.platform.now()).unwrap();
    world.pass(Duration::days(1));
    world
}

async fn compare(world: &World) {
    // Alipay's fake has no bills.
    world.app.reconcile(datetime!(2026-04-08 03:00 UTC)).await.ok();
}

#[tokio::test]
async fn a_payment_that_nobody_told_of_is_found_on_the_bill_and_credited() {
    let world = paid_silently().await;
    compare(&world).await;
    let report = report(&world).await.unwrap();
    let [difference] = &report.differences[..] else {
        panic!("{report:?}");
    };
    assert_eq!(
        (difference.kind, difference.repaired),
        (DifferenceKind::NotInLedger, true)
    );
    assert_eq!((difference.bill_fen, difference.ledger_fen), (Some(22_000), None));
    assert_eq!(
        (report.bill.payments_fen, report.ledger.payments_fen),
        (22_000, 0)
    );
    assert_eq!(world.order().await.state, State::AwaitingReview);
}

#[tokio::test]
async fn a_day_is_compared_once_and_not_before_its_bill_is_ready() {
    let world = paid_silently().await;
    world
        .app
        .reconcile(datetime!(2026-04-08 02:00 UTC))
        .await
        .unwrap();
    assert!(report(&world).await.is_none(), "at ten there may be no bill");
    compare(&world).await;
    let first = report(&world).await;
    compare(&world).await;
    assert_eq!(report(&world).await, first);
}

#[tokio::test]
async fn a_bill_that_cannot_be_fetched_is_asked_for_again() {
    let world = paid_silently().await;
    world.till.inner().faults.extend([Fault::Down; 3]);
    compare(&world).await;
    assert!(report(&world).await.is_none());
    compare(&world).await;
    assert!(report(&world).await.is_some());
}

/// A world whose order was paid through WeChat Pay and credited.
async fn credited() -> World {
    let world = World::with_order_in(State::AwaitingPayment).await;
    world.start_at(Provider::Wechat, "a key of the first call").await;
    world.till.pay(FIRST, None, world.app.platform.now()).unwrap();
    let errand = Errand {
        order: World::id(),
        version: 9,
        seq: 0,
        effect: Effect::QueryPayment { attempt: 1 },
    };
    Errands::new(world.app.clone()).errand(errand).await.unwrap();
    world
}

async fn kinds(world: &World) -> Vec<DifferenceKind> {
    compare(world).await;
    let differences = report(world).await.unwrap().differences;
    differences.iter().map(|difference| difference.kind).collect()
}

#[tokio::test]
async fn a_bill_that_says_what_the_ledger_says_has_no_differences() {
    assert_eq!(kinds(&credited().await).await, []);
}

#[tokio::test]
async fn what_the_bill_lacks_is_reported() {
    let world = credited().await;
    world.till.inner().trades.clear();
    compare(&world).await;
    assert!(
        report(&world).await.is_none(),
        "an empty bill in the morning may only be late"
    );
    world.app.reconcile(datetime!(2026-04-08 07:00 UTC)).await.ok();
    assert_eq!(kinds(&world).await, [DifferenceKind::NotOnBill]);
}

#[tokio::test]
async fn another_amount_on_the_bill_is_reported() {
    let world = credited().await;
    world
        .till
        .inner()
        .trades
        .get_mut(FIRST)
        .unwrap()
        .paid
        .as_mut()
        .unwrap()
        .amount_fen = 1;
    assert_eq!(kinds(&world).await, [DifferenceKind::Amount]);
}

#[tokio::test]
async fn what_the_bill_has_and_no_order_asked_for_is_reported() {
    let world = credited().await;
    {
        let mut inner = world.till.inner();
        let trade = inner.trades.get_mut(FIRST).unwrap();
        let refund = RefundState::Done {
            amount_fen: 22_000,
            at: Some(NOW),
        };
        trade.refunds.insert(format!("{FIRST}R"), (22_000, refund));
        let mut stranger = trade.clone();
        stranger.refunds.clear();
        inner.trades.insert("20260407A0000000008_01".to_owned(), stranger);
    }
    assert_eq!(
        kinds(&world).await,
        [DifferenceKind::UnknownRefund, DifferenceKind::UnknownTrade]
    );
}
