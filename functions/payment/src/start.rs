//! Starting to pay: an attempt on the order, and a code of the provider's to scan.
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};
use tracing::{error, info, warn};
use utoipa::ToSchema;
use yinxin_lambda::idempotency::{IdempotencyKey, made_before};
use yinxin_lambda::problem::Code;
use yinxin_lambda::views::timestamp;
use yinxin_lambda::{Bearer, Json, Platform, Problem};
use yinxin_order::Refusal;
use yinxin_order::command::{Actor, Command, CommandName};
use yinxin_order::identifiers::OrderId;
use yinxin_order::order::Order;
use yinxin_order::payment::Provider;
use yinxin_order::state::State as OrderState;
use yinxin_providers::payments::{Failure, NewTrade, Reason};
use yinxin_store::claims::Idempotency;
use yinxin_store::{AdvanceError, Claim, StoreError, advance_once};

use crate::App;
use crate::cashier::Trade;
use crate::errands::{ask_about, close};
use crate::qr;

/// How long a code may be scanned: the longest that the providers' codes live.
pub(crate) const CODE_LIFETIME_MINUTES: i64 = 120;
/// An attempt is shown again up to this age, so that half an hour is left to scan its code.
const REUSED_FOR: Duration = Duration::minutes(90);
/// How often a lost race is run again.
const MAX_RACES: u32 = 8;
/// Seconds after which a provider that did not answer may be asked again.
const RETRY_AFTER_S: i64 = 3;

/// Whom to pay through.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct StartPayment {
    /// The payment provider.
    provider: Provider,
}

/// A code to scan.
#[derive(Serialize, ToSchema)]
pub(crate) struct PaymentCode {
    /// The attempt's number within the order.
    attempt: u8,
    /// The number under which the provider knows the attempt.
    #[schema(example = "20230422A0000001145_01")]
    out_trade_no: String,
    /// The text of the QR code.
    qr_code: String,
    /// The QR code as a picture: a data URI of an SVG.
    #[serde(skip_serializing_if = "Option::is_none")]
    qr_svg: Option<String>,
    /// What is to be paid, in fen.
    amount_fen: i64,
    /// Until when the code may be scanned, RFC 3339.
    expires_at: String,
}

/// Starts an attempt to pay, or shows the code of one that is open.
#[utoipa::path(
    post,
    path = "/api/orders/{id}/payments",
    tag = "payment",
    params(
        ("id" = String, Path, description = "The order's id"),
        ("Idempotency-Key" = String, Header, description = "16 to 128 characters of the caller's choice"),
    ),
    request_body = StartPayment,
    security(("order" = [])),
    responses(
        (status = 201, body = PaymentCode),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "`not-json`, `idempotency-key-missing`"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "`token-missing`"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "`not-your-order`"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "`order-not-found`"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "`command-not-allowed`, `too-many-payments`"),
        (status = 422, body = Problem, content_type = "application/problem+json", description = "`body-shape`, `idempotency-key-reused`, `payment-provider-not-offered`"),
        (status = 502, body = Problem, content_type = "application/problem+json", description = "`payment-provider-refused`"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "`payment-provider-busy`, `busy`"),
    )
)]
pub(crate) async fn start_payment(
    State(app): State<App>,
    bearer: Bearer,
    key: IdempotencyKey,
    Path(id): Path<String>,
    Json(wanted): Json<StartPayment>,
) -> Result<(StatusCode, Json<PaymentCode>), Problem> {
    let platform = &app.platform;
    let id = platform.applicant(&id, &bearer).await?;
    let order = platform.orders.load(&id).await?;
    let claim = claim_of(platform, &key, &id, &wanted).await?;
    // Before anything is recorded: who has no contract with a provider starts no attempt there.
    app.cashier.gateway(platform, wanted.provider).await?;
    let (order, attempt) = match open_attempt(&order, wanted.provider, None, platform.now()) {
        Some(attempt) => (order, attempt),
        None => begin(platform, order, &wanted, claim, None).await?,
    };
    if close_others(&app, &order, attempt).await {
        return Err(paid_meanwhile(&app, &id).await);
    }
    let code = match code_to_scan(&app, &order, attempt).await {
        Err(NoCode::Spent) => {
            // The provider has closed what the order holds for open: another number can be paid.
            let (order, attempt) = begin(platform, order, &wanted, None, Some(attempt)).await?;
            code_to_scan(&app, &order, attempt).await?
        }
        answered => answered?,
    };
    Ok((StatusCode::CREATED, Json(code)))
}

/// The claim that the first call under this key takes; none where the key did its work before.
async fn claim_of(
    platform: &Platform,
    key: &IdempotencyKey,
    id: &OrderId,
    wanted: &StartPayment,
) -> Result<Option<Idempotency>, Problem> {
    let hashes = platform.vault.hashes().await?;
    let provider = wanted.provider.as_str();
    let claim = key.claim(&hashes, &format!("payments#{id}"), provider, "", platform.now());
    let before = made_before(platform.orders.as_ref(), &claim, platform.now()).await?;
    Ok(before.is_none().then_some(claim))
}

/// The last attempt, if it was made at `provider` and its code may still be shown. An older one is about to be closed.
fn open_attempt(order: &Order, provider: Provider, spent: Option<u8>, now: OffsetDateTime) -> Option<u8> {
    let last = order.payments.last()?;
    let shown = order.state == OrderState::AwaitingPayment
        && last.provider == provider
        && last.is_open()
        && Some(last.attempt) != spent
        && now < last.started_at + REUSED_FOR;
    shown.then_some(last.attempt)
}

/// Closes the codes of other attempts before another one is shown; whether one of them turns out to be paid. A provider
/// that does not close now is asked again by the effect that the new attempt asked for.
async fn close_others(app: &App, order: &Order, attempt: u8) -> bool {
    let id = &order.id;
    let mut tried = false;
    for other in order
        .payments
        .iter()
        .filter(|other| other.is_open() && other.attempt != attempt)
    {
        tried = true;
        if let Err(error) = close(app, order, other.attempt).await {
            let error = &error as &dyn std::error::Error;
            let other = other.attempt;
            warn!(order.id = %id, other, error, "order {id}: attempt {other} is not closed yet");
        }
    }
    if !tried {
        return false;
    }
    let now = app.platform.orders.load(id).await;
    now.is_ok_and(|now| now.state != OrderState::AwaitingPayment)
}

/// Records one more attempt; or takes the one that a call at the same time recorded.
async fn begin(
    platform: &Platform,
    mut order: Order,
    wanted: &StartPayment,
    mut claim: Option<Idempotency>,
    spent: Option<u8>,
) -> Result<(Order, u8), Problem> {
    let (orders, now) = (platform.orders.as_ref(), platform.now());
    let command = Command::StartPayment {
        provider: wanted.provider,
    };
    for _ in 0..MAX_RACES {
        let made = (order.payments.len() + 1).to_string();
        let claims: Vec<Claim> = claim
            .iter()
            .map(|claim| {
                Claim::Idempotency(Idempotency {
                    made: made.clone(),
                    ..claim.clone()
                })
            })
            .collect();
        match advance_once(orders, &order, &command, &Actor::Applicant, now, &claims).await {
            Ok(order) => {
                let attempt = order.payments.last().map_or(0, |payment| payment.attempt);
                let id = &order.id;
                info!(order.id = %id, order.version = order.version, attempt, "order {id} starts attempt {attempt}");
                return Ok((order, attempt));
            }
            Err(AdvanceError::Store(StoreError::Conflict)) => {}
            // The same call was first, or the key is an old one that the store has not forgotten yet.
            Err(AdvanceError::Store(StoreError::Claimed(_))) => claim = None,
            Err(error) => return Err(error.into()),
        }
        order = orders.load(&order.id).await?;
        if let Some(attempt) = open_attempt(&order, wanted.provider, spent, now) {
            return Ok((order, attempt));
        }
    }
    Err(StoreError::Conflict.into())
}

/// Why there is no code.
enum NoCode {
    /// The attempt's number can no longer be paid.
    Spent,
    /// What the caller is told.
    Problem(Problem),
}

impl From<NoCode> for Problem {
    fn from(no_code: NoCode) -> Self {
        match no_code {
            NoCode::Spent => Problem::new(Code::PaymentProviderRefused),
            NoCode::Problem(problem) => problem,
        }
    }
}

/// Has the provider open the attempt; asked again with the same number, it answers with a code for the same trade.
async fn code_to_scan(app: &App, order: &Order, attempt: u8) -> Result<PaymentCode, NoCode> {
    let platform = &app.platform;
    let lost = || NoCode::Problem(Problem::new(Code::NoSuchPayment));
    let trade = Trade::of(order, attempt).ok_or_else(lost)?;
    let started_at = order.payment(attempt).ok_or_else(lost)?.started_at;
    let gateway = app
        .cashier
        .gateway(platform, trade.provider)
        .await
        .map_err(|error| NoCode::Problem(error.into()))?;
    let expires_at = started_at + Duration::minutes(CODE_LIFETIME_MINUTES);
    let wanted = NewTrade {
        out_trade_no: &trade.out_trade_no,
        amount_fen: trade.amount.fen(),
        subject: &subject(order),
        expires_at,
    };
    match gateway.open(&wanted, platform.now()).await {
        Ok(qr_code) => Ok(PaymentCode {
            attempt,
            qr_svg: qr::picture(&qr_code),
            qr_code,
            amount_fen: trade.amount.fen(),
            expires_at: timestamp(expires_at),
            out_trade_no: trade.out_trade_no,
        }),
        Err(failure) => Err(no_code(app, order, attempt, failure).await),
    }
}

async fn no_code(app: &App, order: &Order, attempt: u8, failure: Failure) -> NoCode {
    let id = &order.id;
    let code = match &failure {
        Failure::Refused(refusal) => match refusal.reason {
            Reason::AlreadyClosed | Reason::NumberTaken => return NoCode::Spent,
            Reason::AlreadyPaid => return NoCode::Problem(paid_already(app, order, attempt).await),
            Reason::NoSuchTrade | Reason::Operator => Code::PaymentProviderRefused,
        },
        Failure::NotSent(_) => Code::Internal,
        Failure::Unknown(_) => {
            let failure = &failure as &dyn std::error::Error;
            warn!(order.id = %id, attempt, failure, "order {id}: the provider gave no code for attempt {attempt}");
            return NoCode::Problem(busy());
        }
    };
    let failure = &failure as &dyn std::error::Error;
    error!(order.id = %id, attempt, failure, "order {id}: there is no code for attempt {attempt}");
    NoCode::Problem(Problem::new(code))
}

/// The payer was faster than the notification: the money is credited, and there is nothing to pay any more.
async fn paid_already(app: &App, order: &Order, attempt: u8) -> Problem {
    let id = &order.id;
    if let Err(error) = ask_about(app, order, attempt).await {
        let error = &error as &dyn std::error::Error;
        warn!(order.id = %id, attempt, error, "order {id}: attempt {attempt} is paid and cannot be credited yet");
        return busy();
    }
    paid_meanwhile(app, id).await
}

async fn paid_meanwhile(app: &App, id: &OrderId) -> Problem {
    match app.platform.orders.load(id).await {
        Ok(order) if order.state != OrderState::AwaitingPayment => Problem::from(Refusal::NotAllowed {
            state: order.state,
            command: CommandName::StartPayment,
        }),
        Ok(_) => busy(),
        Err(error) => error.into(),
    }
}

fn busy() -> Problem {
    Problem {
        retry_after_s: Some(RETRY_AFTER_S),
        ..Problem::new(Code::PaymentProviderBusy)
    }
}

/// What the payer reads: nothing personal. The provider does not take some characters.
fn subject(order: &Order) -> String {
    order.product.name.replace(['/', '=', '&'], " ")
}
