//! Progress (办理进度查询) for the registration platform: the orders of one of its intakes.
use axum::extract::{Path, State};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use yinxin_lambda::problem::Code;
use yinxin_lambda::views::timestamp;
use yinxin_lambda::{Bearer, Json, Problem};
use yinxin_order::form::Subject;
use yinxin_order::order::Order;
use yinxin_order::state::State as OrderState;
use yinxin_store::StoreError;

use crate::App;

/// The orders of an intake, oldest first.
#[derive(Serialize, ToSchema)]
pub struct Progress {
    orders: Vec<ProgressRow>,
}

/// One order.
#[derive(Serialize, ToSchema)]
pub struct ProgressRow {
    /// 1 for the oldest.
    no: usize,
    /// The handler's name; none once the personal data was erased.
    handler_name: Option<String>,
    /// The handler's identity number, masked.
    #[schema(example = "430...97")]
    handler_id_number: Option<String>,
    /// Unit or person.
    subject: Option<Subject>,
    /// What is applied for, as the intake said.
    #[schema(example = "new")]
    request_type: String,
    /// Where the order stands.
    state: OrderState,
    /// When it was created, RFC 3339.
    created_at: String,
}

/// What is read of an intake's values.
#[derive(Deserialize)]
struct Requested {
    request_type: String,
}

/// Lists the orders that began with an intake of the calling system.
#[utoipa::path(get, path = "/api/intakes/{uid}/orders", tag = "registration platform", security(("system" = [])),
    params(("uid" = String, Path, description = "The intake's id")),
    responses((status = 200, body = Progress), (status = "default", body = Problem, content_type = "application/problem+json")))]
pub async fn orders_of_intake(
    State(app): State<App>,
    Path(uid): Path<String>,
    bearer: Bearer,
) -> Result<Json<Progress>, Problem> {
    let system = app.platform.system(&bearer).await?;
    let intake = match app.platform.intakes.intake(&uid).await {
        // Another system's intake looks as if it did not exist.
        Ok(intake) if intake.system == system => intake,
        Ok(_) | Err(StoreError::NotFound) => return Err(Problem::new(Code::NoSuchIntake)),
        Err(error) => return Err(error.into()),
    };
    let requested: Requested = serde_json::from_str(&intake.values)
        .map_err(|_| StoreError::Corrupt("the values of an intake".to_owned()))?;
    let orders = app.platform.orders.of_intake(&uid).await?;
    let rows = (1..)
        .zip(&orders)
        .map(|(no, order)| row(no, order, &requested.request_type));
    Ok(Json(Progress {
        orders: rows.collect(),
    }))
}

fn row(no: usize, order: &Order, request_type: &str) -> ProgressRow {
    let form = order.personal.as_ref().map(|personal| &personal.form);
    ProgressRow {
        no,
        handler_name: form.map(|form| form.contact_name().as_str().to_owned()),
        handler_id_number: form.map(|form| form.contact_document().masked()),
        subject: form.map(yinxin_order::form::ApplicationForm::subject),
        request_type: request_type.to_owned(),
        state: order.state,
        created_at: timestamp(order.created_at),
    }
}
