//! The electronic invoice, for who holds the order's access token.
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::HeaderName;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use yinxin_lambda::problem::Code;
use yinxin_lambda::{Bearer, Problem};
use yinxin_order::Refusal;
use yinxin_order::identifiers::OrderId;
use yinxin_order::invoice::{Invoice, InvoiceFormat};
use yinxin_store::documents::InvoiceKey;

use crate::App;

/// Which file.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct Which {
    /// The file's format.
    #[param(inline)]
    format: InvoiceFormat,
}

/// A file of an invoice.
#[derive(ToSchema)]
#[schema(value_type = String, format = Binary)]
pub struct InvoiceFile(Vec<u8>);

impl IntoResponse for InvoiceFile {
    fn into_response(self) -> Response {
        self.0.into_response()
    }
}

/// Gives out a file of the issued invoice.
#[utoipa::path(get, path = "/api/orders/{id}/invoice", operation_id = "downloadInvoice", tag = "orders",
    params(("id" = OrderId, Path), Which), security(("order" = [])),
    responses(
        (status = 200, content_type = "application/pdf", body = InvoiceFile),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "`invoice-not-issued`"),
        (status = 410, body = Problem, content_type = "application/problem+json", description = "`order-erased`"),
        (status = "default", body = Problem, content_type = "application/problem+json")))]
pub async fn invoice(
    State(app): State<App>,
    Path(id): Path<String>,
    which: Result<Query<Which>, QueryRejection>,
    bearer: Bearer,
) -> Result<([(HeaderName, String); 2], InvoiceFile), Problem> {
    let id = app.platform.applicant(&id, &bearer).await?;
    let Query(Which { format }) = which.map_err(|_| Problem::new(Code::ParameterInvalid))?;
    let order = app.platform.orders.load(&id).await?;
    if order.personal.is_none() {
        return Err(Refusal::Erased.into());
    }
    let issued = order.invoice.as_ref().and_then(Invoice::issued);
    let issued = issued
        .filter(|issued| issued.files.contains(&format))
        .ok_or_else(|| Problem::new(Code::InvoiceNotIssued))?;
    let key = InvoiceKey {
        order: id,
        number: issued.number.clone(),
        format,
    };
    let bytes = app.platform.documents.invoice(&key).await?;
    let name = format!("dzfp_{}.{}", issued.number, format.as_str());
    let headers = [
        (CONTENT_TYPE, format.content_type().to_owned()),
        (CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
    ];
    Ok((headers, InvoiceFile(bytes)))
}
