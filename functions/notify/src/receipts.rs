//! Delivery receipts that SMS providers push. They are not signed: whoever knows the address is believed, so the address ends
//! in a secret. A receipt changes no order; it says whether a message arrived.
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use tracing::{error, info, warn};
use yinxin_lambda::Problem;
use yinxin_lambda::problem::Code;
use yinxin_providers::observe::tell;
use yinxin_providers::sms::receipts::{
    ALIYUN, ALIYUN_REPLY, Malformed, Receipt, TENCENT, TENCENT_REPLY, read_aliyun, read_tencent,
};
use yinxin_store::deliveries::DeliveryReceipt;
use yinxin_store::vault::Hashes;

use crate::App;

/// 128 bits in the shortest usual writing; a shorter secret opens nothing.
const MIN_TOKEN_LENGTH: usize = 22;

/// One provider's way of telling.
struct Dialect {
    provider: &'static str,
    /// The provider's name in metrics.
    metric: &'static str,
    read: fn(&[u8]) -> Result<Vec<Receipt>, Malformed>,
    /// Anything else makes the provider tell again.
    reply: &'static str,
}

/// Takes Aliyun's delivery receipts (`SmsReport`). Safe to repeat.
#[utoipa::path(
    post,
    path = "/api/notify/sms/aliyun/{token}",
    tag = "notify",
    params(("token" = String, Path, description = "The `receipt_token` of the SMS secret")),
    request_body(content = String, content_type = "application/json", description = "An array of at most 100 receipts, as Aliyun pushes it"),
    responses(
        (status = 200, body = String, content_type = "application/json", description = r#"`{"code":0,"msg":"接收成功"}`"#),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn aliyun_receipts(
    State(app): State<App>,
    Path(token): Path<String>,
    body: Result<Bytes, BytesRejection>,
) -> Result<impl IntoResponse, Problem> {
    let dialect = Dialect {
        provider: ALIYUN,
        metric: "aliyun_sms",
        read: read_aliyun,
        reply: ALIYUN_REPLY,
    };
    app.take_receipts(&dialect, &token, body).await
}

/// Takes Tencent's delivery receipts. Safe to repeat.
#[utoipa::path(
    post,
    path = "/api/notify/sms/tencent/{token}",
    tag = "notify",
    params(("token" = String, Path, description = "The `receipt_token` of the SMS secret")),
    request_body(content = String, content_type = "application/json", description = "An array of at most 100 receipts, as Tencent pushes it"),
    responses(
        (status = 200, body = String, content_type = "application/json", description = r#"`{"result":0,"errmsg":"OK"}`"#),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn tencent_receipts(
    State(app): State<App>,
    Path(token): Path<String>,
    body: Result<Bytes, BytesRejection>,
) -> Result<impl IntoResponse, Problem> {
    let dialect = Dialect {
        provider: TENCENT,
        metric: "tencent_sms",
        read: read_tencent,
        reply: TENCENT_REPLY,
    };
    app.take_receipts(&dialect, &token, body).await
}

impl App {
    /// Stores what was told, then answers.
    async fn take_receipts(
        &self,
        dialect: &Dialect,
        token: &str,
        body: Result<Bytes, BytesRejection>,
    ) -> Result<impl IntoResponse + use<>, Problem> {
        // A stranger does not even learn that there is such an address.
        if !self.is_receipt_token(token).await? {
            return Err(Problem::new(Code::NoSuchRoute));
        }
        let body = body.map_err(|_| Problem::new(Code::BodyTooLarge))?;
        let receipts = (dialect.read)(&body).map_err(|error| {
            warn!(
                provider = dialect.provider,
                "receipts of {} cannot be read", dialect.provider
            );
            Problem::new(Code::BodyShape).because(&error.to_string())
        })?;
        for receipt in receipts {
            self.keep_receipt(dialect, receipt).await?;
        }
        Ok(([(CONTENT_TYPE, "application/json")], dialect.reply))
    }

    async fn is_receipt_token(&self, token: &str) -> Result<bool, Problem> {
        let expected = self.sms.receipt_token().await.map_err(|not_ready| {
            error!(
                error = &not_ready as &dyn std::error::Error,
                "receipts cannot be taken"
            );
            Problem::new(Code::Busy)
        })?;
        Ok(expected.is_some_and(|expected| {
            let expected = expected.expose();
            expected.len() >= MIN_TOKEN_LENGTH && Hashes::same(expected, token)
        }))
    }

    async fn keep_receipt(&self, dialect: &Dialect, receipt: Receipt) -> Result<(), Problem> {
        let now = self.platform.now();
        let (provider, number) = (dialect.provider, receipt.number);
        let told = DeliveryReceipt {
            delivered: receipt.delivered,
            code: receipt.code,
            at: receipt.at.unwrap_or(now),
        };
        let deliveries = &self.platform.deliveries;
        if !deliveries.record_receipt(provider, &number, &told, now).await? {
            return Ok(());
        }
        let code = &told.code;
        if told.delivered {
            info!(provider, number, "message {number} of {provider} was delivered");
        } else {
            warn!(
                provider,
                number, code, "message {number} of {provider} was not delivered: {code}"
            );
        }
        let outcome = if told.delivered { "delivered" } else { "failed" };
        tell(dialect.metric, "receipt", outcome, Duration::ZERO);
        Ok(())
    }
}
