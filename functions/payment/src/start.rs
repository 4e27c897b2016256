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
use yinxin_order::payment::{Payment, Provider};
use yinxin_order::state::State as OrderState;
use yinxin_providers::alipay::{Failure, Reason};
use yinxin_store::claims::Idempotency;
use yinxin_store::{AdvanceError, Claim, StoreError, advance_once};

use crate::App;
use crate::cashier::Trade;
use crate::errands::ask_about;
use crate::qr;

/// How long a code may be scanned: the longest that Alipay's codes live.
const CODE_LIFETIME_MINUTES: u32 = 120;
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
        (status = 422, body = Problem, content_type = "application/problem+json", description = "`body-shape`, `idempotency-key-reused`"),
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
    let (order, attempt) = match open_attempt(&order, None, platform.now()) {
        Some(attempt) => (order, attempt),
        None => begin(platform, order, &wanted, claim, None).await?,
    };
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
    let StartPayment {
        provider: Provider::Alipay,
    } = wanted;
    let claim = key.claim(&hashes, &format!("payments#{id}"), "alipay", "", platform.now());
    let before = made_before(platform.orders.as_ref(), &claim, platform.now()).await?;
    Ok(before.is_none().then_some(claim))
}

/// The youngest attempt whose code may still be shown.
fn open_attempt(order: &Order, spent: Option<u8>, now: OffsetDateTime) -> Option<u8> {
    let is_open = |payment: &&Payment| {
        !payment.is_paid() && Some(payment.attempt) != spent && now < payment.started_at + REUSED_FOR
    };
    let waits = order.state == OrderState::AwaitingPayment;
    let open = order.payments.iter().rev().find(is_open).filter(|_| waits)?;
    Some(open.attempt)
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
        if let Some(attempt) = open_attempt(&order, spent, now) {
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
    let alipay = app
        .cashier
        .alipay(platform)
        .await
        .map_err(|error| NoCode::Problem(error.into()))?;
    let (number, fen, subject) = (&trade.out_trade_no, trade.amount.fen(), subject(order));
    let asked = alipay.precreate(number, fen, &subject, CODE_LIFETIME_MINUTES, platform.now());
    match asked.await {
        Ok(qr_code) => Ok(PaymentCode {
            attempt,
            qr_svg: qr::picture(&qr_code),
            qr_code,
            amount_fen: fen,
            expires_at: timestamp(started_at + Duration::minutes(CODE_LIFETIME_MINUTES.into())),
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
            Reason::AlreadyPaid => return NoCode::Problem(paid_meanwhile(app, order, attempt).await),
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
async fn paid_meanwhile(app: &App, order: &Order, attempt: u8) -> Problem {
    let id = &order.id;
    if let Err(error) = ask_about(app, order, attempt).await {
        let error = &error as &dyn std::error::Error;
        warn!(order.id = %id, attempt, error, "order {id}: attempt {attempt} is paid and cannot be credited yet");
        return busy();
    }
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
