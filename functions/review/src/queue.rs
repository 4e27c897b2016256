//! The queue: a vendor's orders in one state, longest waiting first.
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use serde::Deserialize;
use utoipa::IntoParams;
use yinxin_lambda::problem::Code;
use yinxin_lambda::session::Role;
use yinxin_lambda::views::OrderPage;
use yinxin_lambda::{Bearer, Json, Problem};
use yinxin_order::state::State as OrderState;
use yinxin_store::StoreError;
use yinxin_store::orders::PAGE_LIMIT;

use crate::App;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Which {
    /// Where the orders stand; those that wait for a review, if nothing is said.
    state: Option<OrderState>,
    /// Where the page begins: `next_cursor` of the page before.
    cursor: Option<String>,
    /// So many orders at most; 50, if nothing is said.
    #[param(minimum = 1, maximum = 50)]
    limit: Option<usize>,
}

/// Lists the orders of the officer's vendor.
#[utoipa::path(
    get,
    path = "/api/review/orders",
    tag = "review",
    params(Which),
    security(("staff" = [])),
    responses(
        (status = 200, body = OrderPage),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "`parameter-invalid`"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "`token-missing`, `session-invalid`"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "`role-missing`"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "`busy`"),
    )
)]
pub(crate) async fn waiting(
    State(app): State<App>,
    bearer: Bearer,
    which: Result<Query<Which>, QueryRejection>,
) -> Result<Json<OrderPage>, Problem> {
    let officer = app.platform.staff(&bearer, Role::Officer).await?;
    let Query(which) = which.map_err(|_| Problem::new(Code::ParameterInvalid))?;
    let state = which.state.unwrap_or(OrderState::AwaitingReview);
    let limit = which.limit.unwrap_or(PAGE_LIMIT);
    if !(1..=PAGE_LIMIT).contains(&limit) {
        return Err(Problem::new(Code::ParameterInvalid).because("a page has 1 to 50 orders"));
    }
    let page = app
        .platform
        .orders
        .waiting(&officer.vendor, state, which.cursor.as_deref(), limit)
        .await
        .map_err(|error| match error {
            StoreError::NotFound => {
                Problem::new(Code::ParameterInvalid).because("the cursor is of no page of this list")
            }
            error => error.into(),
        })?;
    Ok(Json(page.into()))
}
