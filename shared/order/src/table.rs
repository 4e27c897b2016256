//! The one table of states and commands. A pair that does not stand here is refused.
#![allow(clippy::enum_glob_use, reason = "the table is read by names alone")]
use crate::command::CommandName::{self, *};
use crate::kind::Kind;
use crate::state::State::{self, *};

/// Where a command leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// The state stays.
    Stay,
    /// The next stage of the kind's journey.
    Advance,
    /// This state.
    To(State),
}

/// One row: in `from`, `command` leads to `next` and may ask for `effects`.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// The states in which the row holds.
    pub from: &'static [State],
    /// The command.
    pub command: CommandName,
    /// Where it leads.
    pub next: Next,
    /// The names of the effects that it may ask for; none other is ever asked for.
    pub effects: &'static [&'static str],
}

const fn row(
    from: &'static [State],
    command: CommandName,
    next: Next,
    effects: &'static [&'static str],
) -> Row {
    Row {
        from,
        command,
        next,
        effects,
    }
}

const FILLING: &[State] = &[Draft, AwaitingDocuments, AwaitingCorrection];
const UPLOADING: &[State] = &[AwaitingDocuments, AwaitingCorrection];
const UNPAID: &[State] = &[Draft, AwaitingDocuments, AwaitingPayment];
const PAID: &[State] = &[AwaitingReview, AwaitingCorrection];
const ENDED_UNPAID: &[State] = &[Cancelled, Expired];
/// Numbered: attempts to pay may exist.
const NUMBERED: &[State] = &[
    AwaitingPayment,
    AwaitingReview,
    AwaitingCorrection,
    AwaitingPersonalisation,
    Issuing,
    AwaitingWriting,
    AwaitingDispatch,
    AwaitingReceipt,
    Completed,
    Refunding,
    Cancelled,
    Expired,
];
/// Paid, and perhaps with money that has to go back.
const OWING: &[State] = &[
    AwaitingReview,
    AwaitingCorrection,
    AwaitingPersonalisation,
    Issuing,
    AwaitingWriting,
    AwaitingDispatch,
    AwaitingReceipt,
    Completed,
    Refunding,
];
/// Certificates exist.
const CERTIFIED: &[State] = &[AwaitingWriting, AwaitingDispatch, AwaitingReceipt, Completed];
/// A UKey is being personalised.
const PERSONALISING: &[State] = &[AwaitingPersonalisation, Issuing, AwaitingWriting];
/// The UKey is written: its password is on its way, or was.
const WRITTEN: &[State] = &[AwaitingDispatch, AwaitingReceipt, Completed];
/// Approved: the money stays, and there is an invoice.
const APPROVED: &[State] = &[
    AwaitingPersonalisation,
    Issuing,
    AwaitingWriting,
    AwaitingDispatch,
    AwaitingReceipt,
    Completed,
];
const MAILED: &[State] = &[AwaitingReceipt, Completed];
const ENDED: &[State] = &[Completed, Cancelled, Expired];

/// The table. Rows are read top to bottom; no two rows share a state and a command (a test checks it).
#[rustfmt::skip]
pub const TABLE: &[Row] = &[
    // The applicant fills in, uploads, signs.
    row(FILLING,                    EditForm,              Next::Stay,                        &[]),
    row(&[Draft],                   Confirm,               Next::Advance,                     &[]),
    row(UPLOADING,                  RecordDocument,        Next::Stay,                        &[]),
    row(&[AwaitingDocuments],       SignApplication,       Next::Advance,                     &[]),
    // Money. An order that ends while money has to go back is `Refunding`; its last refund moves it to `Cancelled`.
    row(&[AwaitingPayment],         StartPayment,          Next::Stay,                        &["close_attempt"]),
    row(&[AwaitingPayment],         RecordPayment,         Next::Advance,                     &["close_attempt"]),
    row(OWING,                      RecordPayment,         Next::Stay,                        &["refund"]),
    row(ENDED_UNPAID,               RecordPayment,         Next::To(Refunding),               &["refund"]),
    row(NUMBERED,                   FlagPayment,           Next::Stay,                        &["query_payment"]),
    row(&[AwaitingPayment],         ReturnPayment,         Next::Stay,                        &["refund"]),
    row(OWING,                      ReturnPayment,         Next::Stay,                        &["refund"]),
    row(ENDED_UNPAID,               ReturnPayment,         Next::To(Refunding),               &["refund"]),
    row(NUMBERED,                   RecordClosing,         Next::Stay,                        &[]),
    row(&[AwaitingPayment],         RecordRefund,          Next::Stay,                        &["refund", "send_notice"]),
    row(OWING,                      RecordRefund,          Next::Stay,                        &["refund", "send_notice"]),
    // The review.
    row(&[AwaitingReview],          Approve,               Next::Advance,                     &["send_notice", "issue_invoice"]),
    row(&[AwaitingReview],          Reject,                Next::To(AwaitingCorrection),      &["send_notice"]),
    row(&[AwaitingCorrection],      Resubmit,              Next::To(AwaitingReview),          &[]),
    // The invoice follows the approval and moves no order.
    row(APPROVED,                   RecordInvoiceRequest,  Next::Stay,                        &[]),
    row(APPROVED,                   RecordInvoice,         Next::Stay,                        &["send_invoice"]),
    row(APPROVED,                   ReportInvoiceFailure,  Next::Stay,                        &[]),
    row(APPROVED,                   LeaveInvoice,          Next::Stay,                        &[]),
    row(APPROVED,                   UploadInvoice,         Next::Stay,                        &["send_invoice"]),
    row(APPROVED,                   RetryInvoice,          Next::Stay,                        &["issue_invoice"]),
    // The operator and the CA.
    row(PERSONALISING,              IssueTicket,           Next::Stay,                        &[]),
    row(&[AwaitingPersonalisation], SubmitCsr,             Next::Advance,                     &["ask_ca"]),
    row(&[Issuing],                 RecordCertificates,    Next::Advance,                     &[]),
    row(&[Issuing],                 ReportIssuanceFailure, Next::To(AwaitingPersonalisation), &[]),
    row(&[AwaitingWriting],         ConfirmWritten,        Next::Advance,                     &["send_password"]),
    // The password goes its own way: it moves no order, and a bank may need longer for it than the courier.
    row(WRITTEN,                    RecordPassword,        Next::Stay,                        &["send_notice"]),
    row(WRITTEN,                    ResendPassword,        Next::Stay,                        &["send_password"]),
    row(&[AwaitingDispatch],        Dispatch,              Next::Advance,                     &["send_notice", "track_parcel"]),
    row(MAILED,                     RecordTracking,        Next::Stay,                        &[]),
    row(&[AwaitingReceipt],         ConfirmReceipt,        Next::Advance,                     &[]),
    // Revocation moves no order: writing and mailing are about the UKey, which keeps revoked certificates too.
    row(CERTIFIED,                  Revoke,                Next::Stay,                        &["revoke_certificates"]),
    row(CERTIFIED,                  RecordRevocation,      Next::Stay,                        &[]),
    // Ways out.
    row(UNPAID,                     Cancel,                Next::To(Cancelled),               &["close_attempt"]),
    row(PAID,                       Cancel,                Next::To(Refunding),               &["close_attempt", "refund"]),
    row(UNPAID,                     Expire,                Next::To(Expired),                 &["close_attempt"]),
    row(&[AwaitingReceipt],         Expire,                Next::Advance,                     &[]),
    // Late turns of the platform.
    row(&[AwaitingPayment],         Remind,                Next::Stay,                        &["query_payment", "refund"]),
    row(OWING,                      Remind,                Next::Stay,                        &["ask_ca", "revoke_certificates", "issue_invoice", "query_payment", "refund", "send_password", "query_transfer"]),
    row(ENDED_UNPAID,               Remind,                Next::Stay,                        &["query_payment"]),
    // After the retention period.
    row(ENDED,                      Erase,                 Next::Stay,                        &[]),
];

/// The row for `command` in `state`, if the command is allowed there.
pub fn find(state: State, command: CommandName) -> Option<&'static Row> {
    TABLE
        .iter()
        .find(|row| row.command == command && row.from.contains(&state))
}

/// The state to which `row` leads an order of `kind` that stands in `state`.
pub fn next_state(row: &Row, kind: Kind, state: State) -> State {
    match row.next {
        Next::Stay => state,
        Next::To(next) => next,
        Next::Advance => kind.after(state).unwrap_or(state),
    }
}
