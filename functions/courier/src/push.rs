//! kuaidi100's messages: verified over the text that came, recorded, and only then answered.
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, State};
use serde::Serialize;
use tracing::{info, warn};
use utoipa::ToSchema;
use yinxin_lambda::problem::Code;
use yinxin_lambda::{Json, Problem};
use yinxin_order::identifiers::OrderId;
use yinxin_providers::courier::{Push, PushError};

use crate::App;
use crate::recording::record;

/// The most bytes of a message: it holds all events of a parcel.
pub(crate) const MAX_PUSH_BYTES: usize = 256 * 1024;

/// What the service wants to read; anything else makes it repeat the message.
#[derive(Serialize, ToSchema)]
pub(crate) struct Taken {
    /// `true`.
    result: bool,
    /// `200`.
    #[serde(rename = "returnCode")]
    return_code: &'static str,
    /// `成功`.
    message: &'static str,
}

const TAKEN: Taken = Taken {
    result: true,
    return_code: "200",
    message: "成功",
};

/// Takes a message of kuaidi100 about the parcel of an order. Safe to repeat.
#[utoipa::path(
    post,
    path = "/api/notify/courier/kuaidi100/{order}",
    tag = "courier",
    params(("order" = String, Path, description = "The order's id, as the subscription named it")),
    request_body(content = String, content_type = "application/x-www-form-urlencoded", description = "As kuaidi100 signs it"),
    responses(
        (status = 200, body = Taken),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "`courier-malformed`, `courier-signature`"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "`no-such-parcel`, `order-not-found`"),
        (status = 413, body = Problem, content_type = "application/problem+json", description = "`body-too-large`"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "`busy`"),
    )
)]
pub(crate) async fn notify_kuaidi100(
    State(app): State<App>,
    Path(order): Path<String>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Taken>, Problem> {
    let body = body.map_err(|_| Problem::new(Code::BodyTooLarge))?;
    let nothing = || Problem::new(Code::NoSuchParcel);
    let id: OrderId = order.parse().map_err(|_| nothing())?;
    let platform = &app.platform;
    let courier = app.service.courier(platform).await?.ok_or_else(nothing)?;
    let push = courier.read_push(id.as_str(), &body).map_err(|error| {
        let cause = &error as &dyn std::error::Error;
        warn!(order.id = %id, error = cause, "order {id}: a message about the parcel is not believed");
        Problem::new(match error {
            PushError::BadSignature => Code::CourierSignature,
            PushError::Malformed => Code::CourierMalformed,
        })
    })?;
    match push {
        Push::Report { waybill, report } => record(platform, &id, &waybill, report).await?,
        Push::Nothing => info!(order.id = %id, "order {id}: a message tells nothing of the parcel"),
    }
    Ok(Json(TAKEN))
}
