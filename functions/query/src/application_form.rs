//! The application form (下载申请表): an order's data as a PDF to print, sign and file.
use axum::extract::{Path, State};
use axum::http::HeaderName;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use utoipa::ToSchema;
use yinxin_lambda::problem::Code;
use yinxin_lambda::{Bearer, Problem};
use yinxin_order::Refusal;
use yinxin_order::identifiers::{OrderId, china_date};
use yinxin_store::StoreError;

use crate::App;

mod fields;
mod metrics;
mod paper;

/// A PDF.
#[derive(ToSchema)]
#[schema(value_type = String, format = Binary)]
pub struct Pdf(Vec<u8>);

impl IntoResponse for Pdf {
    fn into_response(self) -> Response {
        self.0.into_response()
    }
}

/// Draws the application form of a confirmed order, with the whole values that its holder gave.
#[utoipa::path(get, path = "/api/orders/{id}/application-form", tag = "orders", params(("id" = OrderId, Path)), security(("order" = [])),
    responses(
        (status = 200, content_type = "application/pdf", body = Pdf),
        (status = "default", body = Problem, content_type = "application/problem+json")))]
pub async fn application_form(
    State(app): State<App>,
    Path(id): Path<String>,
    bearer: Bearer,
) -> Result<([(HeaderName, String); 2], Pdf), Problem> {
    let id = app.platform.applicant(&id, &bearer).await?;
    let order = app.platform.orders.load(&id).await?;
    let personal = order.personal.as_ref().ok_or(Refusal::Erased)?;
    let Some(number) = &order.number else {
        return Err(Problem::new(Code::CommandNotAllowed).because("the order is not confirmed yet"));
    };
    let vendor = match app.platform.catalog.vendor(&order.vendor).await {
        Ok(vendor) => vendor.name,
        // The order outlives its vendor's place in the catalogue.
        Err(StoreError::NotFound) => order.vendor.to_string(),
        Err(error) => return Err(error.into()),
    };
    let sections = fields::sections(&order, number, personal, &vendor);
    let today = china_date(app.platform.now());
    let footer = format!("本表由平台根据订单 {number} 生成，生成日期 {today}。");
    let pdf = paper::draw("数字证书申请表", &sections, fields::DECLARATION, &footer);
    let headers = [
        (CONTENT_TYPE, "application/pdf".to_owned()),
        (
            CONTENT_DISPOSITION,
            format!("attachment; filename=\"application-{number}.pdf\""),
        ),
    ];
    Ok((headers, Pdf(pdf)))
}
