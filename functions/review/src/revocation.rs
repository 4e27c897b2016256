//! The revocation: an order's certificates end before their time, for good.
use axum::extract::{Path, State};
use serde::Deserialize;
use time::OffsetDateTime;
use utoipa::ToSchema;
use yinxin_lambda::problem::Code;
use yinxin_lambda::views::OrderView;
use yinxin_lambda::{Bearer, Json, Problem};
use yinxin_order::command::Command;
use yinxin_order::revocation::RevocationReason;

use crate::App;
use crate::decision::decide;

/// Why certificates are revoked.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RevocationRequest {
    /// The reason that status answers and revocation list give.
    reason: RevocationReason,
    /// Since when the key is known or suspected to be in other hands, RFC 3339; not in the future.
    #[serde(default, with = "time::serde::rfc3339::option")]
    #[schema(value_type = Option<String>, format = DateTime)]
    invalidity_date: Option<OffsetDateTime>,
}

/// Revokes the certificates of an order. Status answers say so within a minute; nothing takes it back.
#[utoipa::path(
    post,
    path = "/api/review/orders/{id}/revoke",
    tag = "review",
    params(("id" = String, Path, description = "The order's id or number")),
    request_body = RevocationRequest,
    security(("staff" = [])),
    responses(
        (status = 200, body = OrderView),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "`not-json`"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "`token-missing`, `session-invalid`"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "`role-missing`"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "`order-not-found`"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "`command-not-allowed`, `already-recorded`"),
        (status = 422, body = Problem, content_type = "application/problem+json", description = "`body-shape`"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "`busy`"),
    )
)]
pub(crate) async fn revoke(
    State(app): State<App>,
    bearer: Bearer,
    Path(id): Path<String>,
    Json(request): Json<RevocationRequest>,
) -> Result<Json<OrderView>, Problem> {
    let is_future = |date: OffsetDateTime| date > app.platform.now();
    if request.invalidity_date.is_some_and(is_future) {
        let wanted = "the invalidity date is not in the future";
        return Err(Problem::new(Code::BodyShape)
            .at("/invalidity_date")
            .because(wanted));
    }
    let command = Command::Revoke {
        reason: request.reason,
        invalidity_date: request.invalidity_date,
    };
    decide(&app, &bearer, &id, &command).await
}
