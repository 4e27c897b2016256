//! The decision: an order goes on, or goes back with a reason.
use axum::extract::{Path, State};
use serde::Deserialize;
use tracing::info;
use utoipa::ToSchema;
use yinxin_lambda::problem::Code;
use yinxin_lambda::session::Role;
use yinxin_lambda::views::OrderView;
use yinxin_lambda::{Bearer, Json, Problem};
use yinxin_order::command::Command;
use yinxin_store::advance_with;

use crate::App;

/// The most characters that a reason has.
const MAX_REASON_CHARACTERS: usize = 500;

/// Nothing needs to be said.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Approval {}

/// Why an order goes back.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rejection {
    /// What is wrong, for the applicant to read.
    #[schema(min_length = 1, max_length = 500, example = "营业执照照片不清晰，请重新上传")]
    reason: String,
}

impl Rejection {
    fn reason(&self) -> Option<String> {
        let reason = self.reason.trim();
        let fits = (1..=MAX_REASON_CHARACTERS).contains(&reason.chars().count());
        // A line break is fine; other control characters would reach mails and screens.
        let is_clean = !reason.chars().any(|c| c.is_control() && c != '\n');
        (fits && is_clean).then(|| reason.to_owned())
    }
}

/// Lets an order pass the review.
#[utoipa::path(
    post,
    path = "/api/review/orders/{id}/approve",
    tag = "review",
    params(("id" = String, Path, description = "The order's id or number")),
    request_body = Approval,
    security(("staff" = [])),
    responses(
        (status = 200, body = OrderView),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "`not-json`"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "`token-missing`, `session-invalid`"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "`role-missing`"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "`order-not-found`"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "`command-not-allowed`"),
        (status = 422, body = Problem, content_type = "application/problem+json", description = "`body-shape`"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "`busy`"),
    )
)]
pub(crate) async fn approve(
    State(app): State<App>,
    bearer: Bearer,
    Path(id): Path<String>,
    Json(Approval {}): Json<Approval>,
) -> Result<Json<OrderView>, Problem> {
    decide(&app, &bearer, &id, &Command::Approve).await
}

/// Sends an order back to its applicant.
#[utoipa::path(
    post,
    path = "/api/review/orders/{id}/reject",
    tag = "review",
    params(("id" = String, Path, description = "The order's id or number")),
    request_body = Rejection,
    security(("staff" = [])),
    responses(
        (status = 200, body = OrderView),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "`not-json`"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "`token-missing`, `session-invalid`"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "`role-missing`"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "`order-not-found`"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "`command-not-allowed`"),
        (status = 422, body = Problem, content_type = "application/problem+json", description = "`body-shape`"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "`busy`"),
    )
)]
pub(crate) async fn reject(
    State(app): State<App>,
    bearer: Bearer,
    Path(id): Path<String>,
    Json(rejection): Json<Rejection>,
) -> Result<Json<OrderView>, Problem> {
    let reason = rejection.reason().ok_or_else(|| {
        let wanted = "a reason has 1 to 500 characters and no control characters";
        Problem::new(Code::BodyShape).at("/reason").because(wanted)
    })?;
    decide(&app, &bearer, &id, &Command::Reject { reason }).await
}

/// Lets an officer give `command` to an order of the officer's vendor.
pub(crate) async fn decide(
    app: &App,
    bearer: &Bearer,
    id: &str,
    command: &Command,
) -> Result<Json<OrderView>, Problem> {
    let platform = &app.platform;
    let officer = platform.staff(bearer, Role::Officer).await?;
    let order = platform.order_for(&officer, id).await?;
    let orders = platform.orders.as_ref();
    let order = advance_with(orders, order, command, &officer.actor(), platform.now(), &[]).await?;
    let (id, done) = (&order.id, command.name().as_str());
    info!(order.id = %id, order.version = order.version, "order {id} took the review's {done}");
    Ok(Json(OrderView::from(&order)))
}
