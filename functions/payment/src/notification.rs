//! Alipay's notifications: verified over the bytes that came, credited, and only then answered with `success`.
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use tracing::{info, warn};
use yinxin_lambda::Problem;
use yinxin_lambda::problem::Code;
use yinxin_order::identifiers::Fen;
use yinxin_order::payment::parse_out_trade_no;
use yinxin_providers::alipay::NotificationError;
use yinxin_store::StoreError;

use crate::App;
use crate::credit::{Credited, Money, credit};

/// What Alipay wants to read, byte for byte; anything else makes it repeat the notification.
const SUCCESS: &str = "success";

/// Takes a notification of Alipay. Safe to repeat.
#[utoipa::path(
    post,
    path = "/api/notify/alipay",
    tag = "payment",
    request_body(content = String, content_type = "application/x-www-form-urlencoded", description = "As Alipay signs it"),
    responses(
        (status = 200, body = String, content_type = "text/plain", description = "`success`"),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "`notification-malformed`, `notification-signature`, `notification-app`"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "`no-such-payment`"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "`notification-amount`"),
        (status = 413, body = Problem, content_type = "application/problem+json", description = "`body-too-large`"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "`busy`"),
    )
)]
pub(crate) async fn notify_alipay(
    State(app): State<App>,
    body: Result<Bytes, BytesRejection>,
) -> Result<&'static str, Problem> {
    let body = body.map_err(|_| Problem::new(Code::BodyTooLarge))?;
    let platform = &app.platform;
    let alipay = app.cashier.alipay(platform).await?;
    let notification = alipay.verify_notification(&body).map_err(|error| {
        warn!(
            error = &error as &dyn std::error::Error,
            "a notification is not believed"
        );
        Problem::new(match error {
            NotificationError::BadSignature => Code::NotificationSignature,
            NotificationError::WrongApp => Code::NotificationApp,
            NotificationError::Malformed => Code::NotificationMalformed,
        })
    })?;
    let unknown = || Problem::new(Code::NoSuchPayment);
    let (number, attempt) = parse_out_trade_no(&notification.out_trade_no).ok_or_else(unknown)?;
    let id = match platform.orders.find(&number).await {
        Err(StoreError::NotFound) => return Err(unknown()),
        found => found?,
    };
    if !notification.is_payment() {
        // A refund's notice, a closed or a merely scanned trade: whoever asked for it knows by the answer.
        info!(order.id = %id, attempt, "order {id}: a notification of attempt {attempt} tells of no payment");
        return Ok(SUCCESS);
    }
    let money = Money {
        attempt,
        trade_no: notification.trade_no,
        amount: Fen::new(notification.amount_fen).map_err(|_| Problem::new(Code::NotificationMalformed))?,
        paid_at: notification.paid_at.unwrap_or_else(|| platform.now()),
    };
    match credit(platform, &id, money).await? {
        Credited::Recorded => Ok(SUCCESS),
        Credited::Flagged => Err(Problem::new(Code::NotificationAmount)),
    }
}
