//! What the API shows of an order.
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use utoipa::ToSchema;
use yinxin_order::document::{Document, DocumentKind, Verdict};
use yinxin_order::form::{ApplicationForm, MaskedForm};
use yinxin_order::invoice::{Invoice, InvoiceFormat, InvoiceStatus};
use yinxin_order::order::{Order, Product};
use yinxin_order::parcel::Parcel;
use yinxin_order::password::{MAX_SENDINGS, PasswordDelivery, PasswordStatus, PasswordWay};
use yinxin_order::payment::{Payment, Provider};
use yinxin_order::revocation::{Revocation, RevocationReason};
use yinxin_order::state::{State, Turn};
use yinxin_store::orders::{OrderSummary, Page};

/// A time as the API writes it: RFC 3339, UTC.
pub fn timestamp(at: OffsetDateTime) -> String {
    at.format(&Rfc3339).unwrap_or_default()
}

/// That an order's certificates are revoked.
#[derive(Debug, Serialize, ToSchema)]
pub struct RevocationView {
    /// When, RFC 3339.
    pub at: String,
    /// Why.
    pub reason: RevocationReason,
    /// Since when the key must not be relied on, RFC 3339.
    pub invalidity_date: Option<String>,
    /// Whether status answers and revocation list say so.
    pub is_published: bool,
}

impl From<&Revocation> for RevocationView {
    fn from(revocation: &Revocation) -> Self {
        RevocationView {
            at: timestamp(revocation.at),
            reason: revocation.reason,
            invalidity_date: revocation.invalidity_date.map(timestamp),
            is_published: revocation.published_at.is_some(),
        }
    }
}

/// How far the UKey's password came on its way to its holder.
#[derive(Debug, Serialize, ToSchema)]
pub struct PasswordView {
    /// Which way it goes: in an SMS, or for the secret in the memo of a transfer.
    pub way: PasswordWay,
    /// How far it came.
    pub status: PasswordStatus,
    /// Since when, RFC 3339.
    pub since: String,
    /// Which sending it is.
    pub sending: u8,
    /// How often an officer can have it sent again.
    pub sendings_left: u8,
    /// The code of the bank or the SMS provider, where it failed or came back.
    pub code: Option<String>,
}

impl From<&PasswordDelivery> for PasswordView {
    fn from(delivery: &PasswordDelivery) -> Self {
        PasswordView {
            way: delivery.way,
            status: delivery.status,
            since: timestamp(delivery.since),
            sending: delivery.number,
            sendings_left: MAX_SENDINGS.saturating_sub(delivery.number),
            code: delivery.code.clone(),
        }
    }
}

/// An order as its applicant sees it.
#[derive(Debug, Serialize, ToSchema)]
pub struct OrderView {
    /// The order's id.
    pub order_id: String,
    /// The order number, from the confirmation on.
    pub number: Option<String>,
    /// Where it stands.
    pub state: State,
    /// Whose turn it is.
    pub turn: Turn,
    /// Since when, RFC 3339.
    pub since: String,
    /// When it was created, RFC 3339.
    pub created_at: String,
    /// Who issues.
    pub vendor: String,
    /// What is bought.
    pub product: ProductView,
    /// The form, masked.
    pub form: Option<MaskedForm>,
    /// Documents that are still missing.
    pub missing_documents: Vec<DocumentKind>,
    /// Documents that were judged.
    pub documents: Vec<DocumentView>,
    /// Attempts to pay.
    pub payments: Vec<PaymentView>,
    /// Why the review sent it back.
    pub rejection: Option<String>,
    /// The invoice, from the approval on.
    pub invoice: Option<InvoiceView>,
    /// The parcel.
    pub parcel: Option<Parcel>,
    /// That the certificates are revoked.
    pub revocation: Option<RevocationView>,
    /// The UKey's serial number, once it is written.
    pub token_serial: Option<String>,
    /// How far its password came, once it is written.
    pub password: Option<PasswordView>,
}

/// An invoice.
#[derive(Debug, Serialize, ToSchema)]
pub struct InvoiceView {
    /// How it stands.
    pub status: InvoiceState,
    /// Since when, RFC 3339.
    pub since: String,
    /// Its number, once it is issued.
    pub number: Option<String>,
    /// When it was issued, RFC 3339.
    pub issued_at: Option<String>,
    /// The files that can be downloaded.
    pub files: Vec<InvoiceFormat>,
}

/// How an invoice stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum InvoiceState {
    /// It will be asked for.
    Due,
    /// It was asked for.
    Issuing,
    /// The vendor's staff makes it.
    ByHand,
    /// It was refused; the vendor's staff looks at it.
    Failed,
    /// It can be downloaded.
    Issued,
}

impl From<&Invoice> for InvoiceView {
    fn from(invoice: &Invoice) -> Self {
        let issued = invoice.issued();
        InvoiceView {
            status: match invoice.status {
                InvoiceStatus::Due => InvoiceState::Due,
                InvoiceStatus::Issuing { .. } => InvoiceState::Issuing,
                InvoiceStatus::ByHand => InvoiceState::ByHand,
                InvoiceStatus::Failed { .. } => InvoiceState::Failed,
                InvoiceStatus::Issued(_) => InvoiceState::Issued,
            },
            since: timestamp(invoice.since),
            number: issued.map(|issued| issued.number.to_string()),
            issued_at: issued.map(|issued| timestamp(issued.issued_at)),
            files: issued.map(|issued| issued.files.clone()).unwrap_or_default(),
        }
    }
}

/// A product.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ProductView {
    /// Its slug.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The price in fen.
    pub price_fen: i64,
    /// The validity of the certificates, in years.
    pub term_years: u8,
}

/// A judged document.
#[derive(Debug, Serialize, ToSchema)]
pub struct DocumentView {
    /// What it shows.
    pub kind: DocumentKind,
    /// The upload that brought it.
    pub upload: String,
    /// What was found.
    #[serde(flatten)]
    pub verdict: Verdict,
}

/// An attempt to pay.
#[derive(Debug, Serialize, ToSchema)]
pub struct PaymentView {
    /// Its number within the order.
    pub attempt: u8,
    /// Who takes the money.
    pub provider: Provider,
    /// The amount in fen.
    pub amount_fen: i64,
    /// What became of it.
    pub status: PaymentState,
}

/// What became of an attempt to pay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PaymentState {
    /// A code may be scanned.
    Open,
    /// Nobody paid, and nobody can any more.
    Closed,
    /// Money arrived.
    Paid,
    /// The money is on its way back.
    Refunding,
    /// The money went back.
    Refunded,
}

impl From<&Product> for ProductView {
    fn from(product: &Product) -> Self {
        ProductView {
            id: product.id.to_string(),
            name: product.name.clone(),
            price_fen: product.price.fen(),
            term_years: product.term_years,
        }
    }
}

impl From<&Document> for DocumentView {
    fn from(document: &Document) -> Self {
        DocumentView {
            kind: document.kind,
            upload: document.upload.clone(),
            verdict: document.verdict.clone(),
        }
    }
}

impl From<&Payment> for PaymentView {
    fn from(payment: &Payment) -> Self {
        let status = match payment.refund {
            Some(_) if payment.owes() => PaymentState::Refunding,
            Some(_) => PaymentState::Refunded,
            None if payment.is_paid() => PaymentState::Paid,
            None if payment.is_open() => PaymentState::Open,
            None => PaymentState::Closed,
        };
        PaymentView {
            attempt: payment.attempt,
            provider: payment.provider,
            amount_fen: payment.amount.fen(),
            status,
        }
    }
}

impl From<&Order> for OrderView {
    fn from(order: &Order) -> Self {
        let personal = order.personal.as_ref();
        OrderView {
            order_id: order.id.to_string(),
            number: order.number.as_ref().map(ToString::to_string),
            state: order.state,
            turn: order.state.turn(),
            since: timestamp(order.entered_at),
            created_at: timestamp(order.created_at),
            vendor: order.vendor.to_string(),
            product: ProductView::from(&order.product),
            form: personal.map(|personal| ApplicationForm::masked(&personal.form)),
            missing_documents: order.missing_documents(),
            documents: order.documents.iter().map(DocumentView::from).collect(),
            payments: order.payments.iter().map(PaymentView::from).collect(),
            rejection: personal.and_then(|personal| personal.rejection.clone()),
            invoice: order.invoice.as_ref().map(|invoice| {
                let mut view = InvoiceView::from(invoice);
                if personal.is_none() {
                    // The files went with the rest.
                    view.files.clear();
                }
                view
            }),
            parcel: order.parcel.clone(),
            revocation: order.revocation.as_ref().map(RevocationView::from),
            token_serial: order.written.as_ref().map(|written| written.token_serial.clone()),
            password: order.password.as_ref().map(PasswordView::from),
        }
    }
}

/// One page of waiting orders.
#[derive(Debug, Serialize, ToSchema)]
pub struct OrderPage {
    /// The orders, longest waiting first.
    pub orders: Vec<WaitingOrder>,
    /// What to give as `cursor` for the next page, if there is one.
    pub next_cursor: Option<String>,
}

/// A waiting order, without anything personal.
#[derive(Debug, Serialize, ToSchema)]
pub struct WaitingOrder {
    /// The order's id.
    pub order_id: String,
    /// The order number.
    pub number: Option<String>,
    /// The product's name.
    pub product: String,
    /// Where it stands.
    pub state: State,
    /// Since when, RFC 3339.
    pub since: String,
}

impl From<Page<OrderSummary>> for OrderPage {
    fn from(page: Page<OrderSummary>) -> Self {
        let waiting = |order: OrderSummary| WaitingOrder {
            order_id: order.id.to_string(),
            number: order.number.map(|number| number.to_string()),
            product: order.product,
            state: order.state,
            since: timestamp(order.entered_at),
        };
        OrderPage {
            orders: page.items.into_iter().map(waiting).collect(),
            next_cursor: page.cursor,
        }
    }
}
