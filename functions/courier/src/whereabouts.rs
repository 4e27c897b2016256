//! Where the parcel is, for who holds the order's access token: what the service told, or what it says when asked.
use axum::extract::{Path, State};
use time::Duration;
use tracing::{info, warn};
use yinxin_lambda::problem::Code;
use yinxin_lambda::{Bearer, Json, Problem};
use yinxin_order::identifiers::OrderId;
use yinxin_order::order::Order;
use yinxin_order::parcel::{Parcel, TrackingStatus};
use yinxin_providers::courier::{Report, Whereabouts};
use yinxin_store::StoreError;
use yinxin_store::deliveries::Claimed;

use crate::App;
use crate::recording::record;
use crate::service::parcel_of;

/// The service locks a parcel that it is asked about more often.
const ASKED_AGAIN_AFTER: Duration = Duration::minutes(30);

/// Shows the parcel of an order. At most every half an hour the courier is asked where it is.
#[utoipa::path(
    get,
    path = "/api/orders/{id}/parcel",
    operation_id = "showParcel",
    tag = "courier",
    params(("id" = OrderId, Path)),
    security(("order" = [])),
    responses(
        (status = 200, body = Parcel),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "`token-missing`"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "`not-your-order`"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "`no-such-parcel`"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "`busy`"),
    )
)]
pub(crate) async fn show_parcel(
    State(app): State<App>,
    Path(id): Path<String>,
    bearer: Bearer,
) -> Result<Json<Parcel>, Problem> {
    let platform = &app.platform;
    let id = platform.applicant(&id, &bearer).await?;
    let mut order = platform.orders.load(&id).await?;
    if let Some(report) = news(&app, &order).await? {
        let waybill = order.parcel.as_ref().map(|parcel| parcel.waybill.clone());
        record(platform, &id, &waybill.unwrap_or_default(), report).await?;
        order = platform.orders.load(&id).await?;
    }
    let parcel = order.parcel.ok_or_else(|| Problem::new(Code::NoSuchParcel))?;
    Ok(Json(parcel))
}

/// What the service says now, where it may be asked and answers.
async fn news(app: &App, order: &Order) -> Result<Option<Report>, Problem> {
    let (platform, id) = (&app.platform, &order.id);
    let known = order.parcel.as_ref().and_then(|parcel| parcel.tracking);
    if known.is_some_and(|tracking| tracking.status == TrackingStatus::Signed) {
        return Ok(None);
    }
    let Some(parcel) = parcel_of(order) else {
        return Ok(None);
    };
    let Some(courier) = app.service.courier(platform).await? else {
        return Ok(None);
    };
    let now = platform.now();
    let question = format!("{id}#whereabouts");
    let claimed = platform
        .deliveries
        .claim(&question, now, Some(now - ASKED_AGAIN_AFTER))
        .await;
    match claimed {
        Ok(Claimed::Mine) => {}
        Ok(_) | Err(StoreError::Conflict) => return Ok(None),
        Err(error) => return Err(error.into()),
    }
    match courier.query(&parcel).await {
        Whereabouts::Known(report) => Ok(Some(report)),
        Whereabouts::NotFound => {
            info!(order.id = %id, "order {id}: the courier does not know the parcel yet");
            Ok(None)
        }
        // What is known is shown all the same.
        Whereabouts::Unknown(doubt) => {
            let error = &doubt as &dyn std::error::Error;
            warn!(order.id = %id, error, "order {id}: the courier does not say where the parcel is");
            Ok(None)
        }
    }
}
