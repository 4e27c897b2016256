//! Commands: what somebody wants done to an order.
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::document::Document;
use crate::effect::Sealed;
use crate::form::ApplicationForm;
use crate::identifiers::{Fen, OrderNumber, VendorId};
use crate::invoice::IssuedInvoice;
use crate::issuance::{Certificates, SubmittedCsr, WrittenToken};
use crate::order::IdentityEvidence;
use crate::parcel::{Parcel, Tracking};
use crate::password::PasswordOutcome;
use crate::payment::{Provider, RefundOutcome};
use crate::revocation::RevocationReason;
use crate::ticket::IssuedTicket;

/// Who gives a command; recorded with the move.
///
/// This type is used in stored state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "role", rename_all = "snake_case")]
pub enum Actor {
    /// Who holds the order's access token.
    Applicant,
    /// A vendor's review officer.
    Officer {
        /// The officer's account.
        account: String,
        /// The vendor that the officer works for.
        vendor: VendorId,
    },
    /// A vendor's personalisation operator.
    Operator {
        /// The operator's account.
        account: String,
        /// The vendor that the operator works for.
        vendor: VendorId,
    },
    /// One of the platform's functions.
    Platform {
        /// Which one.
        function: String,
    },
}

impl Actor {
    /// The function of the platform that is called `name`.
    pub fn platform(name: &str) -> Self {
        Actor::Platform {
            function: name.to_owned(),
        }
    }
}

/// What somebody wants done.
#[derive(Debug, Clone)]
pub enum Command {
    /// Replace the form; its identities were checked.
    EditForm {
        /// The new form.
        form: Box<ApplicationForm>,
        /// What the identity checks answered.
        checks: Vec<IdentityEvidence>,
    },
    /// Accept form and price; the order gets its number.
    Confirm {
        /// A number that nobody has.
        number: OrderNumber,
    },
    /// Keep the judgement of an upload.
    RecordDocument {
        /// The judged document.
        document: Document,
    },
    /// Declare the will to apply (证书申请签名); an SMS code was entered rightly.
    SignApplication {
        /// The version of the certification practice statement that was consented to.
        practice_statement: String,
    },
    /// Start an attempt to pay.
    StartPayment {
        /// Who is asked.
        provider: Provider,
    },
    /// Credit money that a verified notification or query speaks of.
    RecordPayment {
        /// The attempt it names.
        attempt: u8,
        /// The provider's number.
        trade_no: String,
        /// What was paid.
        amount: Fen,
        /// When it was paid.
        paid_at: OffsetDateTime,
    },
    /// Note money that cannot be credited because the amount differs.
    FlagPayment {
        /// The attempt it names.
        attempt: u8,
        /// The provider's number.
        trade_no: String,
        /// What was paid.
        amount: Fen,
    },
    /// Take note of money of another amount than is due, of which the provider was asked; it goes back.
    ReturnPayment {
        /// The attempt it was paid for.
        attempt: u8,
        /// The provider's number.
        trade_no: String,
        /// What was paid.
        amount: Fen,
        /// When it was paid.
        paid_at: OffsetDateTime,
    },
    /// Note that the provider takes no money for an attempt any more.
    RecordClosing {
        /// Which attempt.
        attempt: u8,
    },
    /// Let the order pass the review.
    Approve,
    /// Send the order back with a reason.
    Reject {
        /// What is wrong, for the applicant to read.
        reason: String,
    },
    /// Submit the corrected order again.
    Resubmit,
    /// End the order; what was paid goes back.
    Cancel,
    /// Note what the provider says of a refund.
    RecordRefund {
        /// Which attempt goes back.
        attempt: u8,
        /// Under which number of the refund.
        number: u8,
        /// What it says.
        outcome: RefundOutcome,
    },
    /// Permit an operator's agent to work on one UKey for this order.
    IssueTicket {
        /// What is permitted.
        ticket: IssuedTicket,
    },
    /// Hand in the request that was made in the UKey.
    SubmitCsr {
        /// The request; its proof of possession was checked.
        csr: SubmittedCsr,
    },
    /// Keep what the CA issued.
    RecordCertificates {
        /// The pair and what belongs to it.
        certificates: Box<Certificates>,
    },
    /// Give the turn back to the operator: the CA cannot issue for this request.
    ReportIssuanceFailure {
        /// Why, for the operator to read.
        reason: String,
    },
    /// Confirm what was read back from the UKey.
    ConfirmWritten {
        /// What was read back.
        written: WrittenToken,
        /// The UKey's user password, for `notify` alone.
        password: Sealed,
    },
    /// Note what became of a sending of the password.
    RecordPassword {
        /// Which sending.
        number: u8,
        /// What became of it.
        outcome: PasswordOutcome,
    },
    /// Send the password once more: it did not arrive, or its secret is lost.
    ResendPassword,
    /// Note that the UKey was mailed.
    Dispatch {
        /// Courier and number.
        parcel: Parcel,
    },
    /// Note what the courier says of the parcel.
    RecordTracking {
        /// The parcel's number.
        waybill: String,
        /// What it says.
        tracking: Tracking,
    },
    /// Note that the provider took the invoice on.
    RecordInvoiceRequest {
        /// The provider's number of the request.
        serial: String,
    },
    /// Note the invoice that the provider issued; its files are kept.
    RecordInvoice {
        /// The invoice.
        invoice: IssuedInvoice,
    },
    /// Note that the provider does not issue the invoice.
    ReportInvoiceFailure {
        /// A word or the provider's code.
        reason: String,
        /// The provider's sentence, for the officer to read; it may name people.
        detail: Option<String>,
    },
    /// Leave the invoice to the vendor's officers: the deployment asks no provider.
    LeaveInvoice,
    /// Hand in the invoice that an officer made; its files are kept.
    UploadInvoice {
        /// The invoice.
        invoice: IssuedInvoice,
    },
    /// Have the provider asked for the invoice again.
    RetryInvoice,
    /// Confirm that the UKey arrived.
    ConfirmReceipt,
    /// Revoke the certificates, for good.
    Revoke {
        /// Why.
        reason: RevocationReason,
        /// Since when the key is known or suspected to be in other hands.
        invalidity_date: Option<OffsetDateTime>,
    },
    /// Note that status answers and revocation list say that the certificates are revoked.
    RecordRevocation,
    /// End waiting for the applicant.
    Expire,
    /// Do again what is late: a query, a refund, a request to the CA.
    Remind,
    /// Forget the personal data of an order that has ended.
    Erase,
}

macro_rules! command_names {
    ($($name:ident => $text:literal, ($($pattern:tt)*);)*) => {
        /// The names of the commands, as the table and the events have them.
        ///
        /// This type is used in stored state.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        #[allow(missing_docs, reason = "the commands carry the documentation")]
        pub enum CommandName { $($name),* }

        impl CommandName {
            /// Every command.
            pub const ALL: &'static [CommandName] = &[$(CommandName::$name),*];

            /// The name as stored and shown.
            pub fn as_str(self) -> &'static str {
                match self { $(CommandName::$name => $text),* }
            }
        }

        impl Command {
            /// The command without its contents.
            pub fn name(&self) -> CommandName {
                match self { $(Command::$name $($pattern)* => CommandName::$name),* }
            }
        }
    };
}

command_names! {
    EditForm => "edit_form", ({ .. });
    Confirm => "confirm", ({ .. });
    RecordDocument => "record_document", ({ .. });
    SignApplication => "sign_application", ({ .. });
    StartPayment => "start_payment", ({ .. });
    RecordPayment => "record_payment", ({ .. });
    FlagPayment => "flag_payment", ({ .. });
    ReturnPayment => "return_payment", ({ .. });
    RecordClosing => "record_closing", ({ .. });
    Approve => "approve", ();
    Reject => "reject", ({ .. });
    Resubmit => "resubmit", ();
    Cancel => "cancel", ();
    RecordRefund => "record_refund", ({ .. });
    IssueTicket => "issue_ticket", ({ .. });
    SubmitCsr => "submit_csr", ({ .. });
    RecordCertificates => "record_certificates", ({ .. });
    ReportIssuanceFailure => "report_issuance_failure", ({ .. });
    ConfirmWritten => "confirm_written", ({ .. });
    RecordPassword => "record_password", ({ .. });
    ResendPassword => "resend_password", ();
    Dispatch => "dispatch", ({ .. });
    RecordTracking => "record_tracking", ({ .. });
    RecordInvoiceRequest => "record_invoice_request", ({ .. });
    RecordInvoice => "record_invoice", ({ .. });
    ReportInvoiceFailure => "report_invoice_failure", ({ .. });
    LeaveInvoice => "leave_invoice", ();
    UploadInvoice => "upload_invoice", ({ .. });
    RetryInvoice => "retry_invoice", ();
    ConfirmReceipt => "confirm_receipt", ();
    Revoke => "revoke", ({ .. });
    RecordRevocation => "record_revocation", ();
    Expire => "expire", ();
    Remind => "remind", ();
    Erase => "erase", ();
}
