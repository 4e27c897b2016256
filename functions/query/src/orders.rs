//! An order for who holds its access token.
use axum::extract::{Path, State};
use yinxin_lambda::views::OrderView;
use yinxin_lambda::{Bearer, Json, Problem};
use yinxin_order::identifiers::OrderId;

use crate::App;

/// Shows an order to its applicant.
#[utoipa::path(get, path = "/api/orders/{id}", tag = "orders", params(("id" = OrderId, Path)), security(("order" = [])),
    responses((status = 200, body = OrderView), (status = "default", body = Problem, content_type = "application/problem+json")))]
pub async fn order(
    State(app): State<App>,
    Path(id): Path<String>,
    bearer: Bearer,
) -> Result<Json<OrderView>, Problem> {
    let id = app.platform.applicant(&id, &bearer).await?;
    let order = app.platform.orders.load(&id).await?;
    Ok(Json(OrderView::from(&order)))
}
