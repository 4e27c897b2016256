//! The password once more: its transfer came back, its SMS did not arrive, or the memo's secret is lost.
use axum::extract::{Path, State};
use serde::Deserialize;
use utoipa::ToSchema;
use yinxin_lambda::views::OrderView;
use yinxin_lambda::{Bearer, Json, Problem};
use yinxin_order::command::Command;

use crate::App;
use crate::decision::decide;

/// Nothing needs to be said: the password goes the way that the identity check decided.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Resending {}

/// Has the UKey's password sent once more, under a new number; a memo secret that was sent before opens nothing from now on.
#[utoipa::path(
    post,
    path = "/api/review/orders/{id}/password",
    operation_id = "resendPassword",
    tag = "review",
    params(("id" = String, Path, description = "The order's id or number")),
    request_body = Resending,
    security(("staff" = [])),
    responses(
        (status = 200, body = OrderView),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "`not-json`"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "`token-missing`, `session-invalid`"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "`role-missing`"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "`order-not-found`"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "`command-not-allowed`, `password-underway`, `password-gone`, `password-sent-too-often`"),
        (status = 410, body = Problem, content_type = "application/problem+json", description = "`order-erased`"),
        (status = 422, body = Problem, content_type = "application/problem+json", description = "`body-shape`"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "`busy`"),
    )
)]
pub(crate) async fn resend(
    State(app): State<App>,
    bearer: Bearer,
    Path(id): Path<String>,
    Json(Resending {}): Json<Resending>,
) -> Result<Json<OrderView>, Problem> {
    decide(&app, &bearer, &id, &Command::ResendPassword).await
}
