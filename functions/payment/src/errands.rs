//! What the payment queue brings: refunds, closings, queries, and kept notifications. Each may run again after it was done.
use async_trait::async_trait;
use serde_json::Value;
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};
use tracing::warn;
use yinxin_lambda::serve::{Batch, BatchError};
use yinxin_order::command::Command;
use yinxin_order::effect::Effect;
use yinxin_order::identifiers::InvalidIdentifier;
use yinxin_order::order::Order;
use yinxin_order::payment::RefundStatus;
use yinxin_providers::payments::{Close, Failure, NewRefund, Query, RefundState};
use yinxin_store::orders::Errand;
use yinxin_store::{AdvanceError, StoreError};

use crate::App;
use crate::cashier::{CashierError, Trade};
use crate::credit::{Money, Source, credit, record_once, record_refund};
use crate::inbox::Letter;
use crate::notification;
use crate::start::CODE_LIFETIME_MINUTES;

/// What the payer reads beside the money that comes back.
const REFUND_REASON: &str = "订单取消或重复支付，全额退款";
/// After its code's life and this, a trade that the provider does not hold for paid will never be: clocks differ, and a
/// payment that was begun in time may take a moment.
const GRACE: Duration = Duration::minutes(10);

/// Does what the payment queue brings.
pub struct Errands {
    app: App,
}

/// Why an errand is not done; it comes again.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ErrandError {
    /// The order has no such attempt, or there is no such order: somebody has to look at it.
    #[error("the order has no such payment attempt")]
    NoSuchAttempt,
    /// One provider speaks of what another one was asked for.
    #[error("the attempt was made at another provider")]
    OtherProvider,
    /// The provider cannot be asked.
    #[error(transparent)]
    Cashier(#[from] CashierError),
    /// The provider gave no result, or refused.
    #[error("the payment provider did not do it")]
    Provider(#[from] Failure),
    /// The provider does not know the refund, or says that it moved another amount.
    #[error("the refund is not done as it was asked for")]
    RefundNotDone,
    /// The provider says that something impossible was paid.
    #[error("the provider's amount is none")]
    Amount(#[from] InvalidIdentifier),
    /// The order cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The order does not take the outcome.
    #[error(transparent)]
    Advance(#[from] AdvanceError),
}

impl Errands {
    /// The errands of `app`'s orders.
    pub fn new(app: App) -> Self {
        Errands { app }
    }
}

#[async_trait]
impl Batch for Errands {
    async fn errand(&self, errand: Errand) -> Result<(), BatchError> {
        let order = self.app.platform.orders.load(&errand.order).await?;
        match errand.effect {
            Effect::Refund { attempt } => Ok(refund(&self.app, &order, attempt).await?),
            Effect::CloseAttempt { attempt } => Ok(close(&self.app, &order, attempt).await?),
            Effect::QueryPayment { attempt } => Ok(ask_about(&self.app, &order, attempt).await?),
            other => Err(format!("no errand {} here", other.name()).into()),
        }
    }

    /// Every hour: the comparison of yesterday's bills, as soon as they are there. The event's time is the run's clock.
    async fn schedule(&self, event: &Value) -> Result<(), BatchError> {
        let time = event.get("time").and_then(Value::as_str);
        let now = time.and_then(|time| OffsetDateTime::parse(time, &Rfc3339).ok());
        self.app
            .reconcile(now.ok_or("the schedule's event has no readable time")?)
            .await
    }

    async fn message(&self, body: Value) -> Result<(), BatchError> {
        let letter: Letter = serde_json::from_value(body).map_err(|_| "a message is no notification")?;
        Ok(notification::open(&self.app, letter).await?)
    }
}

/// Has the money of an attempt paid back, whole, and records how far it came.
pub(crate) async fn refund(app: &App, order: &Order, attempt: u8) -> Result<(), ErrandError> {
    let payment = order.payment(attempt).ok_or(ErrandError::NoSuchAttempt)?;
    let Some(refund) = payment.refund else {
        return Ok(());
    };
    let trade = Trade::of(order, attempt).ok_or(ErrandError::NoSuchAttempt)?;
    let gateway = app.cashier.gateway(&app.platform, trade.provider).await?;
    let now = app.platform.now();
    let (refund_no, fen) = (refund.refund_no(&trade.out_trade_no), payment.received().fen());
    let known = match refund.status {
        RefundStatus::Done { .. } => return Ok(()),
        RefundStatus::Due => RefundState::NotFound,
        RefundStatus::Processing | RefundStatus::Abnormal => {
            gateway.refund_query(&trade.out_trade_no, &refund_no, now).await?
        }
    };
    let known = match known {
        RefundState::NotFound => {
            let wanted = NewRefund {
                out_trade_no: &trade.out_trade_no,
                refund_no: &refund_no,
                amount_fen: fen,
                total_fen: fen,
                reason: REFUND_REASON,
            };
            gateway.refund(&wanted, now).await?
        }
        known => known,
    };
    match known {
        RefundState::NotFound => Err(ErrandError::RefundNotDone),
        RefundState::Done { amount_fen, .. } if amount_fen != fen => Err(ErrandError::RefundNotDone),
        known => Ok(record_refund(&app.platform, order, attempt, refund.number, known).await?),
    }
}

/// Closes an attempt that nobody paid; one that somebody did pay is credited.
pub(crate) async fn close(app: &App, order: &Order, attempt: u8) -> Result<(), ErrandError> {
    let payment = order.payment(attempt).ok_or(ErrandError::NoSuchAttempt)?;
    if !payment.is_open() {
        return Ok(());
    }
    let trade = Trade::of(order, attempt).ok_or(ErrandError::NoSuchAttempt)?;
    let gateway = app.cashier.gateway(&app.platform, trade.provider).await?;
    let now = app.platform.now();
    match gateway.close(&trade.out_trade_no, now).await? {
        // A code that nobody scanned cannot be closed while it lives: `sweep` has the provider asked until it is dead.
        Close::NotScanned if !is_dead(payment.started_at, now) => return Ok(()),
        Close::Closed | Close::NotScanned => {}
        Close::Paid => return query(app, order, attempt, &trade).await.map(drop),
    }
    Ok(record_once(&app.platform, order, &Command::RecordClosing { attempt }).await?)
}

/// Asks the provider what became of an attempt, and credits what was paid.
pub(crate) async fn ask_about(app: &App, order: &Order, attempt: u8) -> Result<(), ErrandError> {
    let payment = order.payment(attempt).ok_or(ErrandError::NoSuchAttempt)?;
    if payment.is_paid() {
        return Ok(());
    }
    let trade = Trade::of(order, attempt).ok_or(ErrandError::NoSuchAttempt)?;
    let paid = query(app, order, attempt, &trade).await?;
    if !paid && payment.is_open() && is_dead(payment.started_at, app.platform.now()) {
        return close(app, order, attempt).await;
    }
    Ok(())
}

/// Whether the provider says that the attempt was paid; then it is credited.
async fn query(app: &App, order: &Order, attempt: u8, trade: &Trade) -> Result<bool, ErrandError> {
    let platform = &app.platform;
    let gateway = app.cashier.gateway(platform, trade.provider).await?;
    let id = &order.id;
    match gateway.query(&trade.out_trade_no, platform.now()).await? {
        Query::Unpaid => Ok(false),
        Query::Closed => {
            record_once(platform, order, &Command::RecordClosing { attempt }).await?;
            Ok(false)
        }
        Query::Paid(paid) => {
            let money = Money::of(attempt, paid, platform.now())?;
            if money.amount != trade.amount {
                warn!(order.id = %id, attempt, "order {id}: the money of attempt {attempt} is not what was asked for and goes back");
            }
            credit(platform, order, money, Source::Query).await?;
            Ok(true)
        }
    }
}

fn is_dead(started_at: OffsetDateTime, now: OffsetDateTime) -> bool {
    now >= started_at + Duration::minutes(CODE_LIFETIME_MINUTES) + GRACE
}
