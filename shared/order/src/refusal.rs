//! Why a command is refused.
use crate::command::CommandName;
use crate::form::DocumentKind;
use crate::state::State;

/// Why nothing changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The table has no such move.
    #[error("an order that is {} does not take the command {}", .state.as_str(), .command.as_str())]
    NotAllowed {
        /// Where the order stands.
        state: State,
        /// What was asked.
        command: CommandName,
    },
    /// It was done before; whoever repeats a message may take this as success.
    #[error("this was recorded before")]
    AlreadyRecorded,
    /// The application cannot be signed yet.
    #[error("documents are missing: {}", .0.iter().map(|kind| kind.as_str()).collect::<Vec<_>>().join(", "))]
    DocumentsMissing(Vec<DocumentKind>),
    /// The order has no such attempt to pay.
    #[error("the order has no such payment attempt")]
    NoSuchAttempt,
    /// Nothing goes back for this attempt, or not under this number.
    #[error("the order has no such refund")]
    NoSuchRefund,
    /// Too many attempts to pay were started.
    #[error("too many payment attempts were started for this order")]
    TooManyAttempts,
    /// Another amount was paid than is due.
    #[error("the amount paid differs from the amount due")]
    AmountDiffers,
    /// Too many tickets were issued while the order stood where it stands.
    #[error("too many tickets were issued for this order as it stands")]
    TooManyTickets,
    /// A request with another key was submitted before.
    #[error("a certificate request with another key was submitted for this order")]
    CsrAlreadySubmitted,
    /// What was read back is not what was issued.
    #[error("the certificates read back from the token are not those that were issued")]
    WrittenDiffers,
    /// The new form is for another kind of subject or holder than the order's.
    #[error("the subject and its identity number cannot be changed once the order is confirmed")]
    SubjectDiffers,
    /// Nobody asked for the revocation that is reported.
    #[error("the certificates of this order were not revoked")]
    NotRevoked,
    /// The order has not sent, or not asked for, this sending of a password.
    #[error("the order has no such sending of its password")]
    NoSuchSending,
    /// Whether the last sending arrives is not known yet.
    #[error("the password is still on its way")]
    PasswordUnderway,
    /// The password was collected, or kept for so long that it was forgotten.
    #[error("the platform has the password no more")]
    PasswordGone,
    /// The password was sent too often.
    #[error("the password was sent too often for this order")]
    TooManySendings,
    /// The secret's transfer came back or failed, or the password goes by SMS.
    #[error("no memo secret opens this order's password now")]
    PasswordVoid,
    /// The order has no invoice, or none that takes this now.
    #[error("the order has no invoice that takes this now")]
    InvoiceNotDue,
    /// The order has no such parcel.
    #[error("the order has no such parcel")]
    NoSuchParcel,
    /// The personal data was erased.
    #[error("the order's personal data was erased")]
    Erased,
}

impl Refusal {
    /// The stable code, used as the problem type.
    pub fn code(&self) -> &'static str {
        match self {
            Refusal::NotAllowed { .. } | Refusal::NotRevoked | Refusal::NoSuchSending => {
                "command-not-allowed"
            }
            Refusal::AlreadyRecorded => "already-recorded",
            Refusal::DocumentsMissing(_) => "documents-missing",
            Refusal::NoSuchAttempt | Refusal::NoSuchRefund => "no-such-payment",
            Refusal::TooManyAttempts => "too-many-payments",
            Refusal::AmountDiffers => "notification-amount",
            Refusal::TooManyTickets => "too-many-tickets",
            Refusal::CsrAlreadySubmitted => "csr-already-submitted",
            Refusal::WrittenDiffers => "written-differs",
            Refusal::SubjectDiffers => "subject-differs",
            Refusal::PasswordUnderway => "password-underway",
            Refusal::PasswordGone => "password-gone",
            Refusal::TooManySendings => "password-sent-too-often",
            Refusal::PasswordVoid => "memo-secret-unknown",
            Refusal::InvoiceNotDue => "invoice-not-due",
            Refusal::NoSuchParcel => "no-such-parcel",
            Refusal::Erased => "order-erased",
        }
    }
}
