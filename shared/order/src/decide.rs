//! `decide`: the only way from one version of an order to the next.
use time::OffsetDateTime;

use crate::command::{Actor, Command};
use crate::document::Document;
use crate::effect::{Effect, Notice};
use crate::form::ApplicationForm;
use crate::invoice::{self, Invoice};
use crate::issuance::{SubmittedCsr, WrittenToken};
use crate::order::{Event, IdentityEvidence, Order, Personal};
use crate::payment::{Payment, PaymentStatus, postings};
use crate::refusal::Refusal;
use crate::revocation::{Revocation, RevocationReason};
use crate::state::State;
use crate::table::{find, next_state};
use crate::ticket;

mod money;
mod password;

use money::{
    flag_payment, give_back, paid, payment, record_payment, record_refund, return_payment, start_payment,
    tells_nothing_new,
};

/// What a command leads to: to be stored as one, or not at all.
#[derive(Debug, Clone)]
pub struct Move {
    /// The next version.
    pub order: Order,
    /// The record of the move.
    pub event: Event,
    /// What has to be done outside.
    pub effects: Vec<Effect>,
}

/// Decides `command` on `order`. Pure: the same arguments give the same answer.
pub fn decide(order: &Order, command: &Command, by: Actor, now: OffsetDateTime) -> Result<Move, Refusal> {
    if was_recorded(order, command) {
        return Err(Refusal::AlreadyRecorded);
    }
    if has_another_request(order, command) {
        return Err(Refusal::CsrAlreadySubmitted);
    }
    let name = command.name();
    let row = find(order.state, name).ok_or(Refusal::NotAllowed {
        state: order.state,
        command: name,
    })?;
    let mut next = order.clone();
    let effects = carry_out(&mut next, command, &by, now)?;
    let owes = next.payments.iter().any(Payment::owes);
    let to = match next_state(row, order.kind, order.state) {
        State::Refunding if !owes => State::Cancelled,
        State::Cancelled | State::Expired if owes => State::Refunding,
        to => to,
    };
    if to != order.state {
        next.state = to;
        next.entered_at = now;
        next.reminders = 0;
        next.tickets = 0;
    }
    next.version += 1;
    let event = Event {
        version: next.version,
        at: now,
        by,
        command: Some(name),
        from: Some(order.state),
        to,
        postings: next
            .number
            .as_ref()
            .map(|number| postings(number, &order.payments, &next.payments))
            .unwrap_or_default(),
        ticket: match command {
            Command::IssueTicket { ticket } => Some(ticket.clone()),
            _ => None,
        },
    };
    Ok(Move {
        order: next,
        event,
        effects,
    })
}

/// Whether the outside repeats what is on the order already: queues and providers deliver more than once.
fn was_recorded(order: &Order, command: &Command) -> bool {
    let personal = order.personal.as_ref();
    match command {
        Command::RecordPayment { attempt, .. } | Command::ReturnPayment { attempt, .. } => {
            order.payment(*attempt).is_some_and(Payment::is_paid)
        }
        Command::RecordClosing { attempt } => {
            order.payment(*attempt).is_some_and(|payment| !payment.is_open())
        }
        Command::FlagPayment { trade_no, .. } => order.flags.iter().any(|flag| flag.trade_no == *trade_no),
        Command::RecordRefund {
            attempt,
            number,
            outcome,
        } => order
            .payment(*attempt)
            .and_then(|payment| payment.refund)
            .is_some_and(|refund| tells_nothing_new(refund, *number, *outcome)),
        Command::RecordDocument { document } => order
            .documents
            .iter()
            .any(|known| known.upload == document.upload),
        Command::SubmitCsr { csr } => {
            let submitted = personal.and_then(|personal| personal.csr.as_ref());
            order.state != State::AwaitingPersonalisation
                && submitted.is_some_and(|submitted| submitted.key_sm3 == csr.key_sm3)
        }
        Command::RecordCertificates { .. } => {
            personal.is_some_and(|personal| personal.certificates.is_some())
        }
        Command::ConfirmWritten { written, .. } => order.written.as_ref() == Some(written),
        Command::RecordPassword { number, outcome } => order
            .password
            .as_ref()
            .is_some_and(|delivery| delivery.tells_nothing_new(*number, outcome)),
        Command::Dispatch { parcel } => order.parcel.as_ref().is_some_and(|known| known.is_same(parcel)),
        Command::RecordTracking { waybill, tracking } => {
            let known = order.parcel.as_ref().filter(|parcel| parcel.waybill == *waybill);
            known.is_some_and(|parcel| parcel.knows(*tracking))
        }
        Command::RecordInvoiceRequest { .. }
        | Command::RecordInvoice { .. }
        | Command::ReportInvoiceFailure { .. }
        | Command::LeaveInvoice
        | Command::UploadInvoice { .. } => order
            .invoice
            .as_ref()
            .is_some_and(|invoice| invoice.knows(command)),
        // A revocation is final: the first one counts, whatever a second one says.
        Command::Revoke { .. } => order.revocation.is_some(),
        Command::RecordRevocation => order
            .revocation
            .as_ref()
            .is_some_and(|revocation| revocation.published_at.is_some()),
        _ => false,
    }
}

/// Whether a request with another key lies with the CA or was granted: another UKey has the order.
fn has_another_request(order: &Order, command: &Command) -> bool {
    let submitted = order.personal.as_ref().and_then(|personal| personal.csr.as_ref());
    match (command, submitted) {
        (Command::SubmitCsr { csr }, Some(submitted)) => submitted.key_sm3 != csr.key_sm3,
        _ => false,
    }
}

/// Changes the contents of `order`; the caller changes its state.
#[allow(clippy::too_many_lines, reason = "one arm for each command, read as a table")]
fn carry_out(
    order: &mut Order,
    command: &Command,
    by: &Actor,
    now: OffsetDateTime,
) -> Result<Vec<Effect>, Refusal> {
    let effects = match command {
        Command::EditForm { form, checks } => edit_form(order, form, checks)?,
        Command::Confirm { number } => {
            order.number = Some(number.clone());
            Vec::new()
        }
        Command::RecordDocument { document } => {
            record_document(order, document);
            Vec::new()
        }
        Command::SignApplication { practice_statement } => sign(order, practice_statement, now)?,
        Command::StartPayment { provider } => start_payment(order, *provider, now)?,
        Command::RecordPayment {
            attempt,
            trade_no,
            amount,
            paid_at,
        } => {
            if payment(order, *attempt)?.amount != *amount {
                return Err(Refusal::AmountDiffers);
            }
            record_payment(order, *attempt, paid(trade_no, *amount, *paid_at))?
        }
        Command::ReturnPayment {
            attempt,
            trade_no,
            amount,
            paid_at,
        } => return_payment(order, *attempt, paid(trade_no, *amount, *paid_at))?,
        Command::RecordClosing { attempt } => {
            payment(order, *attempt)?.status = PaymentStatus::Closed;
            Vec::new()
        }
        Command::FlagPayment {
            attempt,
            trade_no,
            amount,
        } => flag_payment(order, *attempt, trade_no, *amount)?,
        Command::RecordRefund {
            attempt,
            number,
            outcome,
        } => record_refund(order, *attempt, *number, *outcome)?,
        Command::Approve => {
            personal(order)?.rejection = None;
            let mut effects = notice(Notice::Approved);
            effects.extend(begin_invoice(order, now));
            effects
        }
        Command::Reject { reason } => {
            personal(order)?.rejection = Some(reason.clone());
            notice(Notice::Rejected)
        }
        Command::Resubmit => {
            require_documents(order)?;
            Vec::new()
        }
        Command::Cancel | Command::Expire => give_back(order),
        Command::IssueTicket { .. } => {
            ticket::count(order)?;
            Vec::new()
        }
        Command::SubmitCsr { csr } => submit_csr(order, csr)?,
        Command::RecordCertificates { certificates } => {
            personal(order)?.certificates = Some((**certificates).clone());
            Vec::new()
        }
        Command::ReportIssuanceFailure { reason } => {
            order.issuance_failure = Some(reason.clone());
            personal(order)?.csr = None;
            Vec::new()
        }
        Command::ConfirmWritten { written, password } => {
            confirm_written(order, written)?;
            password::send(order, password, now)?
        }
        Command::RecordPassword { number, outcome } => password::record(order, *number, outcome, now)?,
        Command::ResendPassword => password::resend(order, now)?,
        Command::Dispatch { parcel } => {
            order.parcel = Some(parcel.clone());
            let mut effects = notice(Notice::Dispatched);
            effects.push(Effect::TrackParcel);
            effects
        }
        Command::RecordTracking { waybill, tracking } => {
            let parcel = order.parcel.as_mut().filter(|parcel| parcel.waybill == *waybill);
            parcel.ok_or(Refusal::NoSuchParcel)?.tracking = Some(*tracking);
            Vec::new()
        }
        Command::RecordInvoiceRequest { .. }
        | Command::RecordInvoice { .. }
        | Command::ReportInvoiceFailure { .. }
        | Command::LeaveInvoice
        | Command::UploadInvoice { .. }
        | Command::RetryInvoice => invoice::change(order, command, now)?,
        Command::ConfirmReceipt => Vec::new(),
        Command::Revoke {
            reason,
            invalidity_date,
        } => revoke(order, *reason, *invalidity_date, by, now),
        Command::RecordRevocation => record_revocation(order, now)?,
        Command::Remind => {
            let effects = remind(order, now);
            order.reminders += 1;
            order.reminded_at = Some(now);
            effects
        }
        Command::Erase => {
            order.personal = None;
            Vec::new()
        }
    };
    Ok(effects)
}

fn edit_form(
    order: &mut Order,
    form: &ApplicationForm,
    checks: &[IdentityEvidence],
) -> Result<Vec<Effect>, Refusal> {
    let numbered = order.number.is_some();
    let personal = personal(order)?;
    if numbered && !same_holder(&personal.form, form) {
        return Err(Refusal::SubjectDiffers);
    }
    personal.form = form.clone();
    personal.checks = checks.to_vec();
    Ok(Vec::new())
}

/// A refused upload does not push out the accepted one of its kind.
fn record_document(order: &mut Order, document: &Document) {
    order
        .documents
        .retain(|known| known.kind != document.kind || (known.is_accepted() && !document.is_accepted()));
    order.documents.push(document.clone());
}

fn sign(order: &mut Order, practice_statement: &str, now: OffsetDateTime) -> Result<Vec<Effect>, Refusal> {
    require_documents(order)?;
    let personal = personal(order)?;
    personal.signed_at = Some(now);
    personal.practice_statement = Some(practice_statement.to_owned());
    Ok(Vec::new())
}

fn submit_csr(order: &mut Order, csr: &SubmittedCsr) -> Result<Vec<Effect>, Refusal> {
    order.issuance_failure = None;
    personal(order)?.csr = Some(csr.clone());
    Ok(vec![Effect::AskCa])
}

/// Nothing that was approved is cancelled, so the money stays and the invoice is due.
fn begin_invoice(order: &mut Order, now: OffsetDateTime) -> Option<Effect> {
    if order.product.price.is_zero() {
        return None;
    }
    order.invoice = Some(Invoice::due(now));
    Some(Effect::IssueInvoice)
}

fn revoke(
    order: &mut Order,
    reason: RevocationReason,
    invalidity_date: Option<OffsetDateTime>,
    by: &Actor,
    now: OffsetDateTime,
) -> Vec<Effect> {
    order.revocation = Some(Revocation {
        at: now,
        by: by.clone(),
        reason,
        invalidity_date,
        published_at: None,
    });
    order.reminders = 0;
    vec![Effect::RevokeCertificates]
}

fn record_revocation(order: &mut Order, now: OffsetDateTime) -> Result<Vec<Effect>, Refusal> {
    let revocation = order.revocation.as_mut().ok_or(Refusal::NotRevoked)?;
    revocation.published_at = Some(now);
    Ok(Vec::new())
}

fn confirm_written(order: &mut Order, written: &WrittenToken) -> Result<(), Refusal> {
    let issued = personal(order)?.certificates.as_ref();
    let same = issued.is_some_and(|issued| {
        issued.signing_certificate_sm3 == written.signing_certificate_sm3
            && issued.encryption_certificate_sm3 == written.encryption_certificate_sm3
    });
    if !same {
        return Err(Refusal::WrittenDiffers);
    }
    order.written = Some(written.clone());
    Ok(())
}

fn notice(notice: Notice) -> Vec<Effect> {
    vec![Effect::SendNotice { notice }]
}

fn remind(order: &mut Order, now: OffsetDateTime) -> Vec<Effect> {
    let mut effects = Vec::from_iter(password::remind(order, now));
    if order.state == State::Issuing {
        effects.push(Effect::AskCa);
    }
    if order.awaits_revocation() {
        effects.push(Effect::RevokeCertificates);
    }
    if order.awaits_invoice() {
        effects.push(Effect::IssueInvoice);
    }
    for payment in &order.payments {
        let attempt = payment.attempt;
        if payment.owes() {
            effects.push(Effect::Refund { attempt });
        } else if payment.is_open() {
            effects.push(Effect::QueryPayment { attempt });
        }
    }
    effects
}

fn require_documents(order: &Order) -> Result<(), Refusal> {
    let missing = order.missing_documents();
    if missing.is_empty() {
        Ok(())
    } else {
        Err(Refusal::DocumentsMissing(missing))
    }
}

fn same_holder(old: &ApplicationForm, new: &ApplicationForm) -> bool {
    std::mem::discriminant(old) == std::mem::discriminant(new) && old.holder_number() == new.holder_number()
}

fn personal(order: &mut Order) -> Result<&mut Personal, Refusal> {
    order.personal.as_mut().ok_or(Refusal::Erased)
}
