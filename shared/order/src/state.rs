//! States: each says whose turn it is.
use serde::{Deserialize, Serialize};
use time::Duration;
use utoipa::ToSchema;

/// Where an order stands.
///
/// This type is used in stored state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// The form is entered and the identities are checked; the applicant has not confirmed.
    Draft,
    /// Confirmed and numbered; documents and the application signature are missing.
    AwaitingDocuments,
    /// Signed by the applicant, not yet paid.
    AwaitingPayment,
    /// Paid; a review officer has to look at it.
    AwaitingReview,
    /// Rejected with a reason; the applicant corrects and submits again, or cancels.
    AwaitingCorrection,
    /// Approved; the operator has to make the key in a UKey.
    AwaitingPersonalisation,
    /// The certificate request lies with the CA.
    Issuing,
    /// Certificates exist; the operator's agent has to write them and confirm.
    AwaitingWriting,
    /// The UKey is ready to be mailed.
    AwaitingDispatch,
    /// Mailed; the applicant has not confirmed the receipt.
    AwaitingReceipt,
    /// Done.
    Completed,
    /// Cancelled after payment; money is on its way back.
    Refunding,
    /// Cancelled; nothing is owed.
    Cancelled,
    /// Ended because the applicant did not go on in time.
    Expired,
}

/// Who acts next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Turn {
    /// The applicant or handler.
    Applicant,
    /// The vendor's review officer.
    Officer,
    /// The vendor's personalisation operator.
    Operator,
    /// The platform itself: `sweep` sees to it that the turn is taken.
    Platform,
    /// Nobody: the order has ended.
    Nobody,
}

impl State {
    /// Every state, in the order of a journey.
    pub const ALL: &'static [State] = &[
        State::Draft,
        State::AwaitingDocuments,
        State::AwaitingPayment,
        State::AwaitingReview,
        State::AwaitingCorrection,
        State::AwaitingPersonalisation,
        State::Issuing,
        State::AwaitingWriting,
        State::AwaitingDispatch,
        State::AwaitingReceipt,
        State::Completed,
        State::Refunding,
        State::Cancelled,
        State::Expired,
    ];

    /// Who acts next.
    pub fn turn(self) -> Turn {
        match self {
            State::Draft
            | State::AwaitingDocuments
            | State::AwaitingPayment
            | State::AwaitingCorrection
            | State::AwaitingReceipt => Turn::Applicant,
            State::AwaitingReview => Turn::Officer,
            State::AwaitingPersonalisation | State::AwaitingWriting | State::AwaitingDispatch => {
                Turn::Operator
            }
            State::Issuing | State::Refunding => Turn::Platform,
            State::Completed | State::Cancelled | State::Expired => Turn::Nobody,
        }
    }

    /// How long the applicant may take, where waiting ends by itself.
    pub fn patience(self) -> Option<Duration> {
        match self {
            State::Draft => Some(Duration::days(30)),
            State::AwaitingDocuments | State::AwaitingPayment => Some(Duration::days(7)),
            State::AwaitingReceipt => Some(Duration::days(15)),
            _ => None,
        }
    }

    /// The name as stored, and as the API shows it.
    pub fn as_str(self) -> &'static str {
        match self {
            State::Draft => "draft",
            State::AwaitingDocuments => "awaiting_documents",
            State::AwaitingPayment => "awaiting_payment",
            State::AwaitingReview => "awaiting_review",
            State::AwaitingCorrection => "awaiting_correction",
            State::AwaitingPersonalisation => "awaiting_personalisation",
            State::Issuing => "issuing",
            State::AwaitingWriting => "awaiting_writing",
            State::AwaitingDispatch => "awaiting_dispatch",
            State::AwaitingReceipt => "awaiting_receipt",
            State::Completed => "completed",
            State::Refunding => "refunding",
            State::Cancelled => "cancelled",
            State::Expired => "expired",
        }
    }
}
