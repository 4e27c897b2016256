//! Effects: what has to be done outside after a move. An effect is data, stored with the move in one
//! transaction, carried by a queue, and may run twice.
use serde::{Deserialize, Serialize};

use crate::identifiers::RecoveryId;

/// A text that only the function `notify` can open (KMS ciphertext in base64).
///
/// This type is used in stored state.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sealed(pub String);

impl std::fmt::Debug for Sealed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sealed(..)")
    }
}

/// One thing to do.
///
/// This type is used in stored state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Effect {
    /// Have the CA issue what the order's request asks for.
    AskCa,
    /// Revoke the order's certificates: status answers and revocation list.
    RevokeCertificates,
    /// Envelope an escrowed encryption key to a new token; its two officers agreed.
    RecoverKey {
        /// Which recovery.
        recovery: RecoveryId,
    },
    /// Send the applicant a one-time code.
    SendCode {
        /// The code.
        sealed: Sealed,
    },
    /// Send the UKey's user password the way the identity check decided. The order keeps it, so that no queue does.
    SendPassword {
        /// Which sending.
        #[serde(default = "first_sending")]
        number: u8,
    },
    /// Ask the bank what became of the transfer of a sending.
    QueryTransfer {
        /// Which sending.
        number: u8,
    },
    /// Tell the applicant what happened.
    SendNotice {
        /// What happened.
        notice: Notice,
    },
    /// Have the provider issue the order's invoice, or ask what became of it.
    IssueInvoice,
    /// Send the applicant the issued invoice.
    SendInvoice,
    /// Have the courier tell where the parcel is.
    TrackParcel,
    /// Have the provider pay an attempt back.
    Refund {
        /// Which attempt.
        attempt: u8,
    },
    /// Have the provider close an attempt that nobody has paid.
    CloseAttempt {
        /// Which attempt.
        attempt: u8,
    },
    /// Ask the provider whether an attempt was paid.
    QueryPayment {
        /// Which attempt.
        attempt: u8,
    },
}

/// What an applicant is told by SMS and mail.
///
/// This type is used in stored state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Notice {
    /// The review approved the order.
    Approved,
    /// The review rejected the order; the reason is on the order.
    Rejected,
    /// The UKey was mailed.
    Dispatched,
    /// The money is on its way back.
    Refunded,
    /// The transfer arrived whose memo carries the secret for the password.
    PasswordSent,
    /// The password did not arrive, or came back.
    PasswordFailed,
}

/// An effect that was stored before sendings were counted is the first one.
fn first_sending() -> u8 {
    1
}

/// The queues that carry effects, one for each function that does them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Queue {
    /// Done by `issue`.
    Issue,
    /// Done by `notify`.
    Notify,
    /// Done by `payment`.
    Payment,
    /// Done by `invoice`.
    Invoice,
    /// Done by `courier`.
    Courier,
}

impl Queue {
    /// Every queue.
    pub const ALL: &'static [Queue] = &[
        Queue::Issue,
        Queue::Notify,
        Queue::Payment,
        Queue::Invoice,
        Queue::Courier,
    ];
}

impl Effect {
    /// Who does it.
    pub fn queue(&self) -> Queue {
        match self {
            Effect::AskCa | Effect::RevokeCertificates | Effect::RecoverKey { .. } => Queue::Issue,
            Effect::SendCode { .. }
            | Effect::SendPassword { .. }
            | Effect::QueryTransfer { .. }
            | Effect::SendNotice { .. }
            | Effect::SendInvoice => Queue::Notify,
            Effect::Refund { .. } | Effect::CloseAttempt { .. } | Effect::QueryPayment { .. } => {
                Queue::Payment
            }
            Effect::IssueInvoice => Queue::Invoice,
            Effect::TrackParcel => Queue::Courier,
        }
    }

    /// The name under which the effect stands in the table, in logs and in budgets.
    pub fn name(&self) -> &'static str {
        match self {
            Effect::AskCa => "ask_ca",
            Effect::RevokeCertificates => "revoke_certificates",
            Effect::RecoverKey { .. } => "recover_key",
            Effect::SendCode { .. } => "send_code",
            Effect::SendPassword { .. } => "send_password",
            Effect::QueryTransfer { .. } => "query_transfer",
            Effect::SendNotice { .. } => "send_notice",
            Effect::IssueInvoice => "issue_invoice",
            Effect::SendInvoice => "send_invoice",
            Effect::TrackParcel => "track_parcel",
            Effect::Refund { .. } => "refund",
            Effect::CloseAttempt { .. } => "close_attempt",
            Effect::QueryPayment { .. } => "query_payment",
        }
    }
}
