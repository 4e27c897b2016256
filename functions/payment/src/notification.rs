//! Providers' notifications: verified over the bytes that came, kept in the queue, and only then answered; the queue credits.
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::HeaderMap;
use axum::response::Json;
use serde::Serialize;
use tracing::{error, info, warn};
use utoipa::ToSchema;
use yinxin_lambda::Problem;
use yinxin_lambda::problem::Code;
use yinxin_order::payment::{Provider, parse_out_trade_no, parse_refund_no};
use yinxin_providers::payments::{Delivery, Notification, NotificationError};
use yinxin_store::StoreError;

use crate::App;
use crate::credit::{Money, Source, credit, record_refund};
use crate::errands::ErrandError;
use crate::inbox::Letter;

/// What Alipay wants to read, byte for byte; anything else makes it repeat the notification.
const ALIPAY_SUCCESS: &str = "success";
/// WeChat Pay waits for five seconds; a start of the function and the way there and back are in them.
const ANSWER_WITHIN: Duration = Duration::from_secs(3);

/// What WeChat Pay reads.
#[derive(Serialize, ToSchema)]
pub(crate) struct WechatAnswer {
    #[schema(example = "SUCCESS")]
    code: &'static str,
    message: &'static str,
}

/// Takes a notification of Alipay. Safe to repeat.
#[utoipa::path(
    post,
    path = "/api/notify/alipay",
    tag = "payment",
    request_body(content = String, content_type = "application/x-www-form-urlencoded", description = "As Alipay signs it"),
    responses(
        (status = 200, body = String, content_type = "text/plain", description = "`success`: it is kept"),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "`notification-malformed`, `notification-signature`, `notification-app`"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "`no-such-payment`"),
        (status = 413, body = Problem, content_type = "application/problem+json", description = "`body-too-large`"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "`busy`"),
    )
)]
pub(crate) async fn notify_alipay(
    State(app): State<App>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<&'static str, Problem> {
    take(&app, Provider::Alipay, &headers, body).await?;
    Ok(ALIPAY_SUCCESS)
}

/// Takes a notification of WeChat Pay. Safe to repeat.
#[utoipa::path(
    post,
    path = "/api/notify/wechat",
    tag = "payment",
    request_body(content = String, content_type = "application/json", description = "As WeChat Pay encrypts and signs it, with the headers `Wechatpay-*`"),
    responses(
        (status = 200, body = WechatAnswer, description = "It is kept"),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "`notification-malformed`, `notification-signature`, `notification-app`"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "`no-such-payment`"),
        (status = 413, body = Problem, content_type = "application/problem+json", description = "`body-too-large`"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "`busy`"),
    )
)]
pub(crate) async fn notify_wechat(
    State(app): State<App>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<WechatAnswer>, Problem> {
    take(&app, Provider::Wechat, &headers, body).await?;
    Ok(Json(WechatAnswer {
        code: "SUCCESS",
        message: "成功",
    }))
}

async fn take(
    app: &App,
    from: Provider,
    headers: &HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<(), Problem> {
    let body = body.map_err(|_| Problem::new(Code::BodyTooLarge))?;
    let delivery = Delivery { headers, body: &body };
    let Ok(kept) = tokio::time::timeout(ANSWER_WITHIN, keep(app, from, &delivery)).await else {
        error!(
            "a notification of {} is not kept in time and has to come again",
            from.as_str()
        );
        return Err(Problem::new(Code::Busy));
    };
    kept
}

async fn keep(app: &App, from: Provider, delivery: &Delivery<'_>) -> Result<(), Problem> {
    let platform = &app.platform;
    let gateway = app.cashier.gateway(platform, from).await?;
    let told = gateway
        .read_notification(delivery, platform.now())
        .await
        .map_err(|error| not_believed(from, &error))?;
    let number = match &told {
        Notification::Paid { out_trade_no, .. }
        | Notification::Refund { out_trade_no, .. }
        | Notification::Other { out_trade_no } => out_trade_no,
    };
    if parse_out_trade_no(number).is_none() {
        warn!("a notification of {} is for no payment of ours", from.as_str());
        return Err(Problem::new(Code::NoSuchPayment));
    }
    if matches!(told, Notification::Other { .. }) {
        return Ok(());
    }
    app.inbox.keep(&Letter { from, told }).await.map_err(|error| {
        error!(
            error = &error as &dyn std::error::Error,
            "a notification of {} is not kept and has to come again",
            from.as_str()
        );
        Problem::new(Code::Busy)
    })
}

fn not_believed(from: Provider, error: &NotificationError) -> Problem {
    let name = from.as_str();
    if matches!(error, NotificationError::Probe) {
        info!("a probe of {name} is refused, as it should be");
    } else {
        let error = error as &dyn std::error::Error;
        warn!(error, "a notification of {name} is not believed");
    }
    Problem::new(match error {
        NotificationError::BadSignature | NotificationError::Probe | NotificationError::Stale => {
            Code::NotificationSignature
        }
        NotificationError::WrongApp => Code::NotificationApp,
        NotificationError::Malformed => Code::NotificationMalformed,
        NotificationError::Unverified(_) => Code::Busy,
    })
}

/// Does what a kept notification tells. May be called again for one that was done.
pub(crate) async fn open(app: &App, letter: Letter) -> Result<(), ErrandError> {
    let platform = &app.platform;
    let (Notification::Paid { out_trade_no, .. }
    | Notification::Refund { out_trade_no, .. }
    | Notification::Other { out_trade_no }) = &letter.told;
    let (number, attempt) = parse_out_trade_no(out_trade_no).ok_or(ErrandError::NoSuchAttempt)?;
    let id = match platform.orders.find(&number).await {
        // Signed, with a number of our form, and not ours: for people to look at.
        Err(StoreError::NotFound) => return Err(ErrandError::NoSuchAttempt),
        found => found?,
    };
    let order = platform.orders.load(&id).await?;
    let payment = order.payment(attempt).ok_or(ErrandError::NoSuchAttempt)?;
    if payment.provider != letter.from {
        return Err(ErrandError::OtherProvider);
    }
    match letter.told {
        Notification::Paid { paid, .. } => {
            let money = Money::of(attempt, paid, platform.now())?;
            credit(platform, &order, money, Source::Notification).await?;
        }
        Notification::Refund { refund_no, state, .. } => {
            let (_, number) = parse_refund_no(&refund_no).ok_or(ErrandError::NoSuchAttempt)?;
            record_refund(platform, &order, attempt, number, state).await?;
        }
        Notification::Other { .. } => {}
    }
    Ok(())
}
