//! The errand of the invoice queue: ask what became of an invoice, ask for it where nobody did, keep what was issued.
use async_trait::async_trait;
use tracing::{info, warn};
use yinxin_lambda::serve::{Batch, BatchError};
use yinxin_order::Refusal;
use yinxin_order::command::{Actor, Command};
use yinxin_order::effect::Effect;
use yinxin_order::identifiers::{InvalidIdentifier, InvoiceLine, InvoiceNumber, OrderId, TaxNumber};
use yinxin_order::invoice::{Invoice, InvoiceFormat, InvoiceStatus, IssuedInvoice};
use yinxin_order::order::Order;
use yinxin_providers::invoice::{
    Buyer, Doubt, FileError, Invoices, Issue, Issued, NewInvoice, Query, Reason,
};
use yinxin_store::documents::InvoiceKey;
use yinxin_store::orders::Errand;
use yinxin_store::{AdvanceError, StoreError, advance};

use crate::App;
use crate::issuer::{IssuerError, Way};

/// Does the errands of the invoice queue.
pub struct Errands {
    app: App,
}

/// Why an errand is not done; it comes again.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ErrandError {
    /// The provider cannot be asked.
    #[error(transparent)]
    Issuer(#[from] IssuerError),
    /// The provider gave no result.
    #[error("the invoice provider did not say what became of the invoice")]
    Doubt(#[from] Doubt),
    /// The provider has the invoice, and the deployment knows no provider any more: somebody has to look at it.
    #[error("the invoice lies with a provider that the deployment does not name any more")]
    ProviderGone,
    /// The invoice's number is none.
    #[error("the invoice provider's number is none")]
    Number(#[from] InvalidIdentifier),
    /// A file cannot be fetched.
    #[error("the invoice's {} cannot be fetched", .0.as_str())]
    File(InvoiceFormat, #[source] FileError),
    /// A file is none of its kind.
    #[error("the invoice's {} is none, or too large", .0.as_str())]
    NotAFile(InvoiceFormat),
    /// The order lacks its number.
    #[error("the order has no number yet")]
    NoNumber,
    /// The store did not do its work.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The order does not take the outcome.
    #[error(transparent)]
    Advance(#[from] AdvanceError),
}

#[async_trait]
impl Batch for Errands {
    async fn errand(&self, errand: Errand) -> Result<(), BatchError> {
        match errand.effect {
            Effect::IssueInvoice => Ok(self.issue_invoice(&errand.order).await?),
            _ => Err(format!("no errand {} here", errand.effect.name()).into()),
        }
    }
}

impl Errands {
    /// The errands of `app`'s orders.
    pub fn new(app: App) -> Self {
        Errands { app }
    }

    async fn issue_invoice(&self, id: &OrderId) -> Result<(), ErrandError> {
        let order = self.app.platform.orders.load(id).await?;
        let Some(invoice) = order.invoice.as_ref().filter(|invoice| invoice.is_pending()) else {
            info!(order.id = %id, "order {id}: nothing is to be done for the invoice");
            return Ok(());
        };
        match self.app.issuer.way(&self.app.platform).await? {
            Way::Provider(provider) => self.ask(provider.as_ref(), &order, invoice).await,
            Way::Manual if invoice.status == InvoiceStatus::Due => {
                self.record(id, &Command::LeaveInvoice).await
            }
            Way::Manual => Err(ErrandError::ProviderGone),
        }
    }

    async fn ask(
        &self,
        provider: &dyn Invoices,
        order: &Order,
        invoice: &Invoice,
    ) -> Result<(), ErrandError> {
        let number = order.number.as_ref().ok_or(ErrandError::NoNumber)?.as_str();
        let now = self.app.platform.now();
        let is_asked_again = invoice.status == InvoiceStatus::Due && invoice.round > 1;
        match provider.query(number, now).await {
            // Also where the provider forgot what it had taken on: the number is issued once.
            Query::NotFound => {
                let personal = order.personal.as_ref();
                let tax_number = personal.and_then(|personal| personal.form.invoice_tax_number());
                let Some(new) = new_invoice(order, number, tax_number.as_ref()) else {
                    warn!(order.id = %order.id, "order {} was erased: nobody is left to be invoiced", order.id);
                    return Ok(());
                };
                match provider.issue(&new, now).await {
                    Issue::Accepted { serial } => {
                        self.record(&order.id, &Command::RecordInvoiceRequest { serial })
                            .await?;
                        self.settle(provider, order, provider.query(number, now).await)
                            .await
                    }
                    Issue::Refused(reason) => self.refused(provider, order, number, reason).await,
                    Issue::Unknown(doubt) => Err(doubt.into()),
                }
            }
            Query::Failed(_) if is_asked_again => match provider.retry(number, now).await {
                // The answer to a question now could still be the old one: `sweep` has it asked.
                Issue::Accepted { serial } => {
                    self.record(&order.id, &Command::RecordInvoiceRequest { serial })
                        .await
                }
                Issue::Refused(reason) => self.failed(order, reason).await,
                Issue::Unknown(doubt) => Err(doubt.into()),
            },
            told => self.settle(provider, order, told).await,
        }
    }

    /// Another try may have had its request accepted a moment ago; the provider then refuses this one.
    async fn refused(
        &self,
        provider: &dyn Invoices,
        order: &Order,
        number: &str,
        reason: Reason,
    ) -> Result<(), ErrandError> {
        match provider.query(number, self.app.platform.now()).await {
            Query::NotFound | Query::Failed(_) => self.failed(order, reason).await,
            told => self.settle(provider, order, told).await,
        }
    }

    /// Records what the provider told.
    async fn settle(&self, provider: &dyn Invoices, order: &Order, told: Query) -> Result<(), ErrandError> {
        match told {
            Query::Issued(issued) => {
                let invoice = self.keep(provider, order, issued).await?;
                self.record(&order.id, &Command::RecordInvoice { invoice }).await
            }
            Query::Issuing { serial } => {
                self.record(&order.id, &Command::RecordInvoiceRequest { serial })
                    .await
            }
            Query::Failed(reason) => self.failed(order, reason).await,
            // It was accepted a moment ago: `sweep` has it asked about.
            Query::NotFound => Ok(()),
            Query::Unknown(doubt) => Err(doubt.into()),
        }
    }

    async fn failed(&self, order: &Order, reason: Reason) -> Result<(), ErrandError> {
        let (id, code) = (&order.id, &reason.code);
        warn!(order.id = %id, code, "order {id}: the invoice is not issued, with {code}");
        let command = Command::ReportInvoiceFailure {
            reason: reason.code,
            detail: reason.detail,
        };
        self.record(&order.id, &command).await
    }

    /// Fetches and keeps the invoice's files, for the provider's addresses end.
    async fn keep(
        &self,
        provider: &dyn Invoices,
        order: &Order,
        issued: Issued,
    ) -> Result<IssuedInvoice, ErrandError> {
        let number: InvoiceNumber = issued.number.parse()?;
        let mut files = Vec::new();
        for (format, url) in [
            (InvoiceFormat::Pdf, Some(issued.pdf_url)),
            (InvoiceFormat::Ofd, issued.ofd_url),
            (InvoiceFormat::Xml, issued.xml_url),
        ] {
            let Some(url) = url else { continue };
            let fetched = match provider.file(&url).await {
                Ok(bytes) if format.fits(&bytes) => Ok(bytes),
                Ok(_) => Err(ErrandError::NotAFile(format)),
                Err(error) => Err(ErrandError::File(format, error)),
            };
            match fetched {
                Ok(bytes) => {
                    let key = InvoiceKey {
                        order: order.id.clone(),
                        number: number.clone(),
                        format,
                    };
                    self.app.platform.documents.keep_invoice(&key, bytes).await?;
                    files.push(format);
                }
                // Few ask for the data; the invoice does not wait for them.
                Err(error) if format == InvoiceFormat::Xml => {
                    let (id, error) = (&order.id, &error as &dyn std::error::Error);
                    warn!(order.id = %id, error, "order {id}: the invoice has no XML");
                }
                Err(error) => return Err(error),
            }
        }
        Ok(IssuedInvoice {
            number,
            issued_at: issued.issued_at.unwrap_or_else(|| self.app.platform.now()),
            files,
        })
    }

    /// Records an outcome. What another try recorded before is as good.
    async fn record(&self, id: &OrderId, command: &Command) -> Result<(), ErrandError> {
        let platform = &self.app.platform;
        let by = Actor::platform("invoice");
        let done = command.name().as_str();
        match advance(platform.orders.as_ref(), id, command, &by, platform.now()).await {
            Ok(order) => {
                info!(order.id = %id, order.version = order.version, "order {id} took {done}");
                Ok(())
            }
            Err(AdvanceError::Refused(Refusal::AlreadyRecorded | Refusal::InvoiceNotDue)) => {
                info!(order.id = %id, "order {id} needs no {done} any more");
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }
}

fn new_invoice<'a>(
    order: &'a Order,
    number: &'a str,
    tax_number: Option<&'a TaxNumber>,
) -> Option<NewInvoice<'a>> {
    let form = &order.personal.as_ref()?.form;
    Some(NewInvoice {
        order_no: number,
        buyer: Buyer {
            title: form.invoice_title(),
            tax_number: tax_number.map(TaxNumber::as_str),
            address_telephone: form.invoice_address_telephone().map(InvoiceLine::as_str),
            bank_account: form.invoice_bank_account().map(InvoiceLine::as_str),
        },
        product: &order.product.name,
        amount_fen: order.product.price.fen(),
    })
}
