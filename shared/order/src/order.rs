//! An order as it is stored.
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::command::{Actor, CommandName};
use crate::document::{Document, DocumentKind};
use crate::effect::Sealed;
use crate::form::ApplicationForm;
use crate::identifiers::{Fen, OrderId, OrderNumber, ProductId, VendorId};
use crate::invoice::Invoice;
use crate::issuance::{Certificates, SubmittedCsr, WrittenToken};
use crate::kind::Kind;
use crate::parcel::Parcel;
use crate::password::PasswordDelivery;
use crate::payment::{Flag, Ledger, Payment, Posting};
use crate::revocation::Revocation;
use crate::state::State;
use crate::ticket::IssuedTicket;

/// One order. Everything that names a person stands in [`Order::personal`], which is stored encrypted.
///
/// This type is used in stored state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// Random, from the first moment.
    pub id: OrderId,
    /// Grows by one with each move.
    pub version: u64,
    /// What the order is for.
    pub kind: Kind,
    /// Where it stands.
    pub state: State,
    /// When it came to stand there.
    #[serde(with = "time::serde::rfc3339")]
    pub entered_at: OffsetDateTime,
    /// When it was created.
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    /// How often `sweep` reminded of it in this state.
    pub reminders: u32,
    /// When it did so last.
    #[serde(
        default,
        with = "time::serde::rfc3339::option",
        skip_serializing_if = "Option::is_none"
    )]
    pub reminded_at: Option<OffsetDateTime>,
    /// Who issues.
    pub vendor: VendorId,
    /// What is bought, as it was offered when the order was created.
    pub product: Product,
    /// The number, from the confirmation on.
    pub number: Option<OrderNumber>,
    /// The intake of the registration platform that the order came from.
    pub intake: Option<String>,
    /// Judged uploads; the latest of a kind counts.
    pub documents: Vec<Document>,
    /// Attempts to pay.
    pub payments: Vec<Payment>,
    /// Money that could not be credited.
    pub flags: Vec<Flag>,
    /// What the agent read back from the UKey.
    pub written: Option<WrittenToken>,
    /// How far the UKey's password came on its way to the holder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<PasswordDelivery>,
    /// The parcel.
    pub parcel: Option<Parcel>,
    /// How many tickets were issued in this state.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub tickets: u32,
    /// Why the CA could not issue for the last request.
    pub issuance_failure: Option<String>,
    /// The invoice, from the approval on; an order that costs nothing has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invoice: Option<Invoice>,
    /// That the certificates are revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revocation: Option<Revocation>,
    /// Personal data; `None` once it was erased. Stored apart, encrypted.
    #[serde(skip)]
    pub personal: Option<Personal>,
}

/// What is sold: copied into the order, so that a later price does not reach it.
///
/// This type is used in stored state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Product {
    /// Its slug in the catalogue.
    pub id: ProductId,
    /// Its name as shown.
    pub name: String,
    /// The price.
    pub price: Fen,
    /// The validity of the certificates, in years.
    pub term_years: u8,
}

/// The part of an order that names people.
///
/// This type is used in stored state.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Personal {
    /// The form.
    pub form: ApplicationForm,
    /// What the identity checks answered.
    pub checks: Vec<IdentityEvidence>,
    /// When the application was signed by an SMS code.
    #[serde(with = "time::serde::rfc3339::option")]
    pub signed_at: Option<OffsetDateTime>,
    /// The version of the certification practice statement that was consented to with the signature.
    #[serde(default)]
    pub practice_statement: Option<String>,
    /// Why the review sent the order back.
    pub rejection: Option<String>,
    /// What the provider said when it did not issue the invoice, for officers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invoice_failure: Option<String>,
    /// The certificate request.
    pub csr: Option<SubmittedCsr>,
    /// What the CA issued.
    pub certificates: Option<Certificates>,
    /// The UKey's user password, for `notify` alone, until it is collected or was kept long enough.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<Sealed>,
}

impl std::fmt::Debug for Personal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Personal(..)")
    }
}

/// That an identity check was passed, with no more of the values than tells them apart.
///
/// This type is used in stored state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdentityEvidence {
    /// What was checked, for example `phone3`.
    pub check: String,
    /// The provider's number of the request.
    pub request_id: String,
    /// When it was checked.
    #[serde(with = "time::serde::rfc3339")]
    pub checked_at: OffsetDateTime,
    /// What was checked, masked; empty in what was stored before it was kept.
    #[serde(default)]
    pub values: MaskedValues,
}

/// Values of an identity check as far as they are kept with its evidence.
///
/// This type is used in stored state.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MaskedValues {
    /// The number of the person's identity document, as `430***********0012`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id_number: Option<String>,
    /// The mobile, as `138****8000`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mobile: Option<String>,
    /// The bank card's last four digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub card_ending: Option<String>,
}

/// The record of one move.
///
/// This type is used in stored state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// The version that the move led to.
    pub version: u64,
    /// When.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// Who.
    pub by: Actor,
    /// What; `None` for the creation.
    pub command: Option<CommandName>,
    /// Where the order stood.
    pub from: Option<State>,
    /// Where it stands now.
    pub to: State,
    /// The money that moved.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub postings: Vec<Posting>,
    /// The ticket that was issued.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket: Option<IssuedTicket>,
}

/// What an order starts from.
#[derive(Debug, Clone)]
pub struct NewOrder {
    /// A random id.
    pub id: OrderId,
    /// What the order is for.
    pub kind: Kind,
    /// Who issues.
    pub vendor: VendorId,
    /// What is bought.
    pub product: Product,
    /// The form; its identities were checked.
    pub form: ApplicationForm,
    /// What the identity checks answered.
    pub checks: Vec<IdentityEvidence>,
    /// The intake that the order came from.
    pub intake: Option<String>,
}

impl Order {
    /// The first version of an order, and the event to record with it.
    pub fn create(new: NewOrder, by: Actor, now: OffsetDateTime) -> (Order, Event) {
        let state = new.kind.journey()[0];
        let order = Order {
            id: new.id,
            version: 1,
            kind: new.kind,
            state,
            entered_at: now,
            created_at: now,
            reminders: 0,
            reminded_at: None,
            vendor: new.vendor,
            product: new.product,
            number: None,
            intake: new.intake,
            documents: Vec::new(),
            payments: Vec::new(),
            flags: Vec::new(),
            written: None,
            password: None,
            parcel: None,
            tickets: 0,
            issuance_failure: None,
            invoice: None,
            revocation: None,
            personal: Some(Personal {
                form: new.form,
                checks: new.checks,
                signed_at: None,
                practice_statement: None,
                rejection: None,
                invoice_failure: None,
                csr: None,
                certificates: None,
                password: None,
            }),
        };
        let event = Event {
            version: 1,
            at: now,
            by,
            command: None,
            from: None,
            to: state,
            postings: Vec::new(),
            ticket: None,
        };
        (order, event)
    }

    /// The sums of the order's payments.
    pub fn ledger(&self) -> Ledger {
        Ledger::of(&self.payments)
    }

    /// The attempt with this number.
    pub fn payment(&self, attempt: u8) -> Option<&Payment> {
        self.payments.iter().find(|payment| payment.attempt == attempt)
    }

    /// The documents that the application needs and that were not accepted yet.
    pub fn missing_documents(&self) -> Vec<DocumentKind> {
        let needed = self
            .personal
            .as_ref()
            .map_or(&[][..], |personal| personal.form.required_documents());
        let accepted = |kind| {
            self.documents
                .iter()
                .any(|document| document.kind == kind && document.is_accepted())
        };
        needed.iter().copied().filter(|&kind| !accepted(kind)).collect()
    }

    /// Whether the certificates are revoked, and the world was not told yet.
    pub fn awaits_revocation(&self) -> bool {
        self.revocation
            .as_ref()
            .is_some_and(|revocation| revocation.published_at.is_none())
    }

    /// Whether the password is on its way, and nobody has said how that ended.
    pub fn awaits_password(&self) -> bool {
        self.personal.is_some() && self.password.as_ref().is_some_and(PasswordDelivery::is_underway)
    }

    /// Whether the platform has to have the invoice issued.
    pub fn awaits_invoice(&self) -> bool {
        self.invoice.as_ref().is_some_and(Invoice::is_pending)
    }

    /// The number under which the provider knows `attempt`, once the order has a number.
    pub fn out_trade_no(&self, attempt: u8) -> Option<String> {
        self.number
            .as_ref()
            .map(|number| Payment::out_trade_no(number, attempt))
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_zero(count: &u32) -> bool {
    *count == 0
}
