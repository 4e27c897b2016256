//! Invoices that no provider issues: an officer uploads one, or has the provider asked again.
use axum::extract::{Path, State};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use tracing::info;
use utoipa::ToSchema;
use yinxin_lambda::problem::Code;
use yinxin_lambda::session::Role;
use yinxin_lambda::views::OrderView;
use yinxin_lambda::{Bearer, Json, Problem};
use yinxin_order::command::Command;
use yinxin_order::identifiers::InvoiceNumber;
use yinxin_order::invoice::{InvoiceFormat, IssuedInvoice};
use yinxin_order::order::Order;
use yinxin_order::{Refusal, decide};
use yinxin_store::documents::InvoiceKey;

use crate::App;
use crate::decision;

/// The most bytes of an upload: Lambda takes six megabytes.
pub(crate) const MAX_UPLOAD_BYTES: usize = 5_700_000;
/// The most bytes of an OFD, so that it goes up with the largest PDF.
const MAX_OFD_BYTES: usize = 1024 * 1024;

/// An invoice that an officer made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Upload {
    /// Its number (数电发票号码).
    number: InvoiceNumber,
    /// The PDF, base64: at most 3 MB.
    #[schema(format = Byte)]
    pdf: String,
    /// The OFD, base64: at most 1 MB.
    #[serde(default)]
    #[schema(format = Byte)]
    ofd: Option<String>,
}

/// Nothing needs to be said.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Retry {}

impl Upload {
    /// The files, each of its kind.
    fn files(&self) -> Result<Vec<(InvoiceFormat, Vec<u8>)>, Problem> {
        let mut files = vec![file(InvoiceFormat::Pdf, &self.pdf, "/pdf")?];
        if let Some(ofd) = &self.ofd {
            files.push(file(InvoiceFormat::Ofd, ofd, "/ofd")?);
        }
        Ok(files)
    }
}

fn file(format: InvoiceFormat, text: &str, pointer: &str) -> Result<(InvoiceFormat, Vec<u8>), Problem> {
    let refused = || Problem::new(Code::InvoiceFile).at(pointer);
    let bytes = STANDARD.decode(text).map_err(|_| refused())?;
    let fits = format.fits(&bytes) && (format != InvoiceFormat::Ofd || bytes.len() <= MAX_OFD_BYTES);
    fits.then_some((format, bytes)).ok_or_else(refused)
}

/// Takes the invoice of an order that an officer made; the applicant gets it by mail.
#[utoipa::path(
    post,
    path = "/api/review/orders/{id}/invoice",
    operation_id = "uploadInvoice",
    tag = "review",
    params(("id" = String, Path, description = "The order's id or number")),
    request_body = Upload,
    security(("staff" = [])),
    responses(
        (status = 200, body = OrderView),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "`not-json`"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "`token-missing`, `session-invalid`"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "`role-missing`"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "`order-not-found`"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "`command-not-allowed`, `invoice-not-due`, `already-recorded`"),
        (status = 413, body = Problem, content_type = "application/problem+json", description = "`body-too-large`"),
        (status = 422, body = Problem, content_type = "application/problem+json", description = "`body-shape`, `invoice-file`, `malformed-invoice-number`"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "`busy`"),
    )
)]
pub(crate) async fn upload(
    State(app): State<App>,
    bearer: Bearer,
    Path(id): Path<String>,
    Json(upload): Json<Upload>,
) -> Result<Json<OrderView>, Problem> {
    let files = upload.files()?;
    let platform = &app.platform;
    let officer = platform.staff(&bearer, Role::Officer).await?;
    let order = platform.order_for(&officer, &id).await?;
    let command = Command::UploadInvoice {
        invoice: IssuedInvoice {
            number: upload.number.clone(),
            issued_at: platform.now(),
            files: files.iter().map(|(format, _)| *format).collect(),
        },
    };
    // Files first, so that the order never names one that is not there; and none for an order that takes no invoice.
    decide(&order, &command, officer.actor(), platform.now())?;
    require_person(&order)?;
    for (format, bytes) in files {
        let key = InvoiceKey {
            order: order.id.clone(),
            number: upload.number.clone(),
            format,
        };
        platform.documents.keep_invoice(&key, bytes).await?;
    }
    let (id, account) = (&order.id, &officer.account);
    info!(order.id = %id, account, "order {id}: the officer {account} uploads the invoice");
    decision::decide(&app, &bearer, id.as_str(), &command).await
}

/// Erased documents are not brought back.
fn require_person(order: &Order) -> Result<(), Problem> {
    match order.personal {
        Some(_) => Ok(()),
        None => Err(Refusal::Erased.into()),
    }
}

/// Has the provider asked for the invoice again, after it failed.
#[utoipa::path(
    post,
    path = "/api/review/orders/{id}/invoice/retry",
    operation_id = "retryInvoice",
    tag = "review",
    params(("id" = String, Path, description = "The order's id or number")),
    request_body = Retry,
    security(("staff" = [])),
    responses(
        (status = 200, body = OrderView),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "`not-json`"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "`token-missing`, `session-invalid`"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "`role-missing`"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "`order-not-found`"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "`command-not-allowed`, `invoice-not-due`"),
        (status = 422, body = Problem, content_type = "application/problem+json", description = "`body-shape`"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "`busy`"),
    )
)]
pub(crate) async fn retry(
    State(app): State<App>,
    bearer: Bearer,
    Path(id): Path<String>,
    Json(Retry {}): Json<Retry>,
) -> Result<Json<OrderView>, Problem> {
    decision::decide(&app, &bearer, &id, &Command::RetryInvoice).await
}
