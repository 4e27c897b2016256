//! One order as an officer sees it: whole, with its documents and its events.
use axum::extract::{Path, State};
use serde::Serialize;
use tracing::info;
use utoipa::ToSchema;
use yinxin_lambda::session::Role;
use yinxin_lambda::views::{OrderView, timestamp};
use yinxin_lambda::{Bearer, Json, Problem};
use yinxin_order::command::{Actor, CommandName};
use yinxin_order::document::DocumentKind;
use yinxin_order::form::ApplicationForm;
use yinxin_order::invoice::InvoiceStatus;
use yinxin_order::order::{Event, Order};
use yinxin_order::state::State as OrderState;
use yinxin_order::ticket::IssuedTicket;
use yinxin_store::StoreError;
use yinxin_store::documents::{Documents, UploadKey};

use crate::App;

/// An order under review.
#[derive(Serialize, ToSchema)]
pub(crate) struct ReviewView {
    /// The order as its applicant sees it.
    order: OrderView,
    /// The form with all its values; none once they were erased.
    form: Option<ApplicationForm>,
    /// Why the invoice was not issued, where it was not.
    invoice_failure: Option<InvoiceFailureView>,
    /// The accepted documents.
    documents: Vec<DocumentLink>,
    /// What happened, oldest first.
    events: Vec<EventView>,
}

/// Why an invoice was not issued.
#[derive(Serialize, ToSchema)]
pub(crate) struct InvoiceFailureView {
    /// A word or the provider's code.
    #[schema(example = "E9106")]
    reason: String,
    /// The provider's sentence; none where it said nothing.
    detail: Option<String>,
}

/// A document that can be looked at.
#[derive(Serialize, ToSchema)]
pub(crate) struct DocumentLink {
    /// What it shows.
    kind: DocumentKind,
    /// Where it is for the next five minutes.
    url: String,
}

/// One step of an order.
#[derive(Serialize, ToSchema)]
pub(crate) struct EventView {
    /// The version that it led to.
    version: u64,
    /// When, RFC 3339.
    at: String,
    /// Who: `applicant`, `officer`, `operator` or `platform`.
    role: &'static str,
    /// The account of staff, or the platform's function.
    account: Option<String>,
    /// The command; none for the creation.
    command: Option<&'static str>,
    /// Where the order stood.
    from: Option<OrderState>,
    /// Where it stood afterwards.
    to: OrderState,
    /// The ticket that was issued.
    #[serde(skip_serializing_if = "Option::is_none")]
    ticket: Option<IssuedTicket>,
}

impl From<Event> for EventView {
    fn from(event: Event) -> Self {
        let (role, account) = match event.by {
            Actor::Applicant => ("applicant", None),
            Actor::Officer { account, .. } => ("officer", Some(account)),
            Actor::Operator { account, .. } => ("operator", Some(account)),
            Actor::Platform { function } => ("platform", Some(function)),
        };
        EventView {
            version: event.version,
            at: timestamp(event.at),
            role,
            account,
            command: event.command.map(CommandName::as_str),
            from: event.from,
            to: event.to,
            ticket: event.ticket,
        }
    }
}

/// Shows an order of the officer's vendor, by id or number.
#[utoipa::path(
    get,
    path = "/api/review/orders/{id}",
    tag = "review",
    params(("id" = String, Path, description = "The order's id or number")),
    security(("staff" = [])),
    responses(
        (status = 200, body = ReviewView),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "`token-missing`, `session-invalid`"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "`role-missing`"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "`order-not-found`"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "`busy`"),
    )
)]
pub(crate) async fn show(
    State(app): State<App>,
    bearer: Bearer,
    Path(id): Path<String>,
) -> Result<Json<ReviewView>, Problem> {
    let officer = app.platform.staff(&bearer, Role::Officer).await?;
    let order = app.platform.order_for(&officer, &id).await?;
    let documents = links(app.platform.documents.as_ref(), &order).await?;
    let events = app.platform.orders.events(&order.id).await?;
    // Whoever sees personal data leaves a trace.
    let (id, account) = (&order.id, &officer.account);
    info!(order.id = %id, account, "order {id} was shown to the officer {account}");
    Ok(Json(ReviewView {
        order: OrderView::from(&order),
        invoice_failure: invoice_failure(&order),
        documents,
        events: events.into_iter().map(EventView::from).collect(),
        form: order.personal.map(|personal| personal.form),
    }))
}

fn invoice_failure(order: &Order) -> Option<InvoiceFailureView> {
    let InvoiceStatus::Failed { reason } = &order.invoice.as_ref()?.status else {
        return None;
    };
    let personal = order.personal.as_ref();
    Some(InvoiceFailureView {
        reason: reason.clone(),
        detail: personal.and_then(|personal| personal.invoice_failure.clone()),
    })
}

async fn links(documents: &dyn Documents, order: &Order) -> Result<Vec<DocumentLink>, StoreError> {
    // The pictures went with the rest.
    if order.personal.is_none() {
        return Ok(Vec::new());
    }
    let mut links = Vec::new();
    for document in order.documents.iter().filter(|document| document.is_accepted()) {
        let key = UploadKey {
            order: order.id.clone(),
            kind: document.kind,
            upload: document.upload.clone(),
        };
        links.push(DocumentLink {
            kind: document.kind,
            url: documents.link(&key).await?,
        });
    }
    Ok(links)
}
