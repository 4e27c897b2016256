//! Moves of the applicant: the form, the confirmation, resubmission, cancellation, receipt.
use axum::extract::{Path, State};
use serde::Deserialize;
use tracing::info;
use utoipa::ToSchema;
use yinxin_lambda::problem::Code;
use yinxin_lambda::views::OrderView;
use yinxin_lambda::{Bearer, Json, Problem};
use yinxin_order::command::Command;
use yinxin_order::decide;
use yinxin_order::form::ApplicationForm;
use yinxin_order::identifiers::{OrderId, OrderNumber, china_date};
use yinxin_order::order::Order;
use yinxin_store::vault::random_bytes;
use yinxin_store::{AdvanceError, Claim, StoreError, advance, advance_with};

use crate::{APPLICANT, App};

/// How many numbers are tried for one order; two orders of one day share one in ten thousand million.
const MAX_NUMBERS: u32 = 4;

/// A body without contents.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

/// A corrected form.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EditForm {
    /// The whole form.
    form: ApplicationForm,
}

/// Replaces the form; what changed is checked as at the creation.
#[utoipa::path(put, path = "/api/orders/{id}/form", tag = "orders", params(("id" = OrderId, Path)), security(("order" = [])),
    request_body = EditForm,
    responses((status = 200, body = OrderView), (status = "default", body = Problem, content_type = "application/problem+json")))]
pub async fn edit_form(
    State(app): State<App>,
    Path(id): Path<String>,
    bearer: Bearer,
    Json(EditForm { form }): Json<EditForm>,
) -> Result<Json<OrderView>, Problem> {
    let id = app.platform.applicant(&id, &bearer).await?;
    let order = app.platform.orders.load(&id).await?;
    let now = app.platform.now();
    let edit = |checks| Command::EditForm {
        form: Box::new(form.clone()),
        checks,
    };
    // Checks cost money: an order that does not take the form refuses it before they are asked.
    decide(&order, &edit(Vec::new()), APPLICANT, now)?;
    let before = order.personal.as_ref();
    if before.is_some_and(|before| before.form.subject() != form.subject()) {
        return Err(Problem::new(Code::SubjectDiffers).at("/form/subject"));
    }
    form.check_birth_dates(china_date(now))
        .map_err(|invalid| Problem::from(invalid).at("/form"))?;
    if let Some(intake) = &order.intake {
        app.compare_with_intake(intake, &form).await?;
    }
    let checks = app.check_identities(&form, before).await?;
    let orders = app.platform.orders.as_ref();
    let order = advance_with(orders, order, &edit(checks), &APPLICANT, now, &[]).await?;
    info!(order.id = %id, "the form of order {id} was edited");
    Ok(Json(OrderView::from(&order)))
}

/// Accepts form and price; the order gets its number.
#[utoipa::path(post, path = "/api/orders/{id}/confirm", tag = "orders", params(("id" = OrderId, Path)), security(("order" = [])),
    request_body = Nothing,
    responses((status = 200, body = OrderView), (status = "default", body = Problem, content_type = "application/problem+json")))]
pub async fn confirm(
    State(app): State<App>,
    Path(id): Path<String>,
    bearer: Bearer,
    Json(Nothing {}): Json<Nothing>,
) -> Result<Json<OrderView>, Problem> {
    let id = app.platform.applicant(&id, &bearer).await?;
    let order = app.platform.orders.load(&id).await?;
    let now = app.platform.now();
    for _ in 0..MAX_NUMBERS {
        let number = OrderNumber::new(china_date(now), u64::from_be_bytes(random_bytes()));
        let command = Command::Confirm {
            number: number.clone(),
        };
        let claims = [Claim::Number(number)];
        let orders = app.platform.orders.as_ref();
        match advance_with(orders, order.clone(), &command, &APPLICANT, now, &claims).await {
            Err(AdvanceError::Store(StoreError::Claimed("number"))) => {}
            Err(error) => return Err(error.into()),
            Ok(order) => {
                info!(order.id = %id, "order {id} was confirmed");
                return Ok(Json(OrderView::from(&order)));
            }
        }
    }
    Err(Problem::new(Code::Busy))
}

/// Submits the corrected order again.
#[utoipa::path(post, path = "/api/orders/{id}/resubmit", tag = "orders", params(("id" = OrderId, Path)), security(("order" = [])),
    request_body = Nothing,
    responses((status = 200, body = OrderView), (status = "default", body = Problem, content_type = "application/problem+json")))]
pub async fn resubmit(
    State(app): State<App>,
    Path(id): Path<String>,
    bearer: Bearer,
    Json(Nothing {}): Json<Nothing>,
) -> Result<Json<OrderView>, Problem> {
    app.simple_move(&id, &bearer, &Command::Resubmit).await
}

/// Ends the order; what was paid goes back.
#[utoipa::path(post, path = "/api/orders/{id}/cancel", tag = "orders", params(("id" = OrderId, Path)), security(("order" = [])),
    request_body = Nothing,
    responses((status = 200, body = OrderView), (status = "default", body = Problem, content_type = "application/problem+json")))]
pub async fn cancel(
    State(app): State<App>,
    Path(id): Path<String>,
    bearer: Bearer,
    Json(Nothing {}): Json<Nothing>,
) -> Result<Json<OrderView>, Problem> {
    app.simple_move(&id, &bearer, &Command::Cancel).await
}

/// Confirms that the UKey arrived.
#[utoipa::path(post, path = "/api/orders/{id}/receipt", tag = "orders", params(("id" = OrderId, Path)), security(("order" = [])),
    request_body = Nothing,
    responses((status = 200, body = OrderView), (status = "default", body = Problem, content_type = "application/problem+json")))]
pub async fn confirm_receipt(
    State(app): State<App>,
    Path(id): Path<String>,
    bearer: Bearer,
    Json(Nothing {}): Json<Nothing>,
) -> Result<Json<OrderView>, Problem> {
    app.simple_move(&id, &bearer, &Command::ConfirmReceipt).await
}

impl App {
    async fn simple_move(
        &self,
        id: &str,
        bearer: &Bearer,
        command: &Command,
    ) -> Result<Json<OrderView>, Problem> {
        let id = self.platform.applicant(id, bearer).await?;
        let (orders, now) = (self.platform.orders.as_ref(), self.platform.now());
        let order: Order = advance(orders, &id, command, &APPLICANT, now).await?;
        let name = command.name().as_str();
        info!(order.id = %id, command = name, "order {id} took {name}");
        Ok(Json(OrderView::from(&order)))
    }
}
