//! Errands of the payment queue: refunds, closings and queries. Each may run again after it was done.
use async_trait::async_trait;
use tracing::{info, warn};
use yinxin_lambda::serve::{Batch, BatchError};
use yinxin_order::command::Command;
use yinxin_order::effect::Effect;
use yinxin_order::identifiers::{Fen, InvalidIdentifier};
use yinxin_order::order::Order;
use yinxin_order::payment::Refund as RefundState;
use yinxin_order::refusal::Refusal;
use yinxin_providers::alipay::{self, Close, Failure, Query, RefundQuery};
use yinxin_store::orders::Errand;
use yinxin_store::{AdvanceError, StoreError, advance};

use crate::App;
use crate::cashier::{CashierError, Trade};
use crate::credit::{Credited, Money, actor, credit};

/// What the payer reads beside the money that comes back.
const REFUND_REASON: &str = "订单取消或重复支付，全额退款";

/// Does the errands of the payment queue.
pub struct Errands {
    app: App,
}

/// Why an errand is not done; it comes again.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ErrandError {
    /// The order has no such attempt: somebody has to look at it.
    #[error("the order has no such payment attempt")]
    NoSuchAttempt,
    /// The provider cannot be asked.
    #[error(transparent)]
    Cashier(#[from] CashierError),
    /// The provider gave no result, or refused.
    #[error("the payment provider did not do it")]
    Provider(#[from] Failure),
    /// The provider has not moved the refund yet.
    #[error("the refund is not done yet")]
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

    async fn run(&self, errand: &Errand) -> Result<(), ErrandError> {
        let order = self.app.platform.orders.load(&errand.order).await?;
        match errand.effect {
            Effect::Refund { attempt } => refund(&self.app, &order, attempt).await,
            Effect::CloseAttempt { attempt } => close(&self.app, &order, attempt).await,
            Effect::QueryPayment { attempt } => ask_about(&self.app, &order, attempt).await,
            // `errand` lets no others through.
            Effect::AskCa
            | Effect::RevokeCertificates
            | Effect::RecoverKey { .. }
            | Effect::SendCode { .. }
            | Effect::SendPassword { .. }
            | Effect::SendNotice { .. } => Ok(()),
        }
    }
}

#[async_trait]
impl Batch for Errands {
    async fn errand(&self, errand: Errand) -> Result<(), BatchError> {
        match errand.effect {
            Effect::Refund { .. } | Effect::CloseAttempt { .. } | Effect::QueryPayment { .. } => {
                Ok(self.run(&errand).await?)
            }
            _ => Err(format!("no errand {} here", errand.effect.name()).into()),
        }
    }
}

/// Has the money of an attempt paid back, whole, and records that it went.
async fn refund(app: &App, order: &Order, attempt: u8) -> Result<(), ErrandError> {
    let payment = order.payment(attempt).ok_or(ErrandError::NoSuchAttempt)?;
    if payment.refund != Some(RefundState::Due) {
        return Ok(());
    }
    let trade = Trade::of(order, attempt).ok_or(ErrandError::NoSuchAttempt)?;
    move_back(app, &trade).await?;
    let (platform, id) = (&app.platform, &order.id);
    let command = Command::RecordRefund { attempt };
    match advance(platform.orders.as_ref(), id, &command, &actor(), platform.now()).await {
        Ok(order) => {
            info!(order.id = %id, order.version = order.version, attempt, "order {id}: the money of attempt {attempt} went back");
            Ok(())
        }
        Err(AdvanceError::Refused(Refusal::AlreadyRecorded)) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

async fn move_back(app: &App, trade: &Trade) -> Result<(), ErrandError> {
    let alipay = app.cashier.alipay(&app.platform).await?;
    let (number, refund_no, fen) = (&trade.out_trade_no, trade.refund_no(), trade.amount.fen());
    let now = app.platform.now();
    let refused = match alipay.refund(number, &refund_no, fen, REFUND_REASON, now).await {
        Ok(alipay::Refund::Moved { .. }) => return Ok(()),
        Ok(alipay::Refund::MustQuery) => None,
        // A trade that was refunded whole is closed, and then refuses what was done before.
        Err(Failure::Refused(refusal)) => Some(refusal),
        Err(failure) => return Err(failure.into()),
    };
    match (alipay.refund_query(number, &refund_no, now).await?, refused) {
        (RefundQuery::Done { amount_fen }, _) if amount_fen == fen => Ok(()),
        (_, Some(refusal)) => Err(Failure::Refused(refusal).into()),
        (_, None) => Err(ErrandError::RefundNotDone),
    }
}

/// Closes an attempt that nobody paid; one that somebody did pay is credited.
async fn close(app: &App, order: &Order, attempt: u8) -> Result<(), ErrandError> {
    let payment = order.payment(attempt).ok_or(ErrandError::NoSuchAttempt)?;
    if payment.is_paid() {
        return Ok(());
    }
    let trade = Trade::of(order, attempt).ok_or(ErrandError::NoSuchAttempt)?;
    let alipay = app.cashier.alipay(&app.platform).await?;
    match alipay.close(&trade.out_trade_no, app.platform.now()).await? {
        // A code that nobody scanned cannot be closed: money that still comes is late, and goes back.
        Close::Closed | Close::NotScanned => Ok(()),
        Close::Paid => ask_about(app, order, attempt).await,
    }
}

/// Asks the provider what became of an attempt, and credits what was paid.
pub(crate) async fn ask_about(app: &App, order: &Order, attempt: u8) -> Result<(), ErrandError> {
    let payment = order.payment(attempt).ok_or(ErrandError::NoSuchAttempt)?;
    if payment.is_paid() {
        return Ok(());
    }
    let trade = Trade::of(order, attempt).ok_or(ErrandError::NoSuchAttempt)?;
    let alipay = app.cashier.alipay(&app.platform).await?;
    let now = app.platform.now();
    let Query::Trade(known) = alipay.query(&trade.out_trade_no, now).await? else {
        return Ok(());
    };
    if !known.status.is_paid() {
        return Ok(());
    }
    let money = Money {
        attempt,
        trade_no: known.trade_no,
        amount: Fen::new(known.amount_fen)?,
        paid_at: known.paid_at.unwrap_or(now),
    };
    let id = &order.id;
    if credit(&app.platform, id, money).await? == Credited::Flagged {
        warn!(order.id = %id, attempt, "order {id}: the money of attempt {attempt} waits for somebody to look at it");
    }
    Ok(())
}
