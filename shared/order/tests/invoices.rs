//! The invoice of an order, step by step; what happens whatever the order is in `walks.rs`.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use time::macros::datetime;
use time::{Duration, OffsetDateTime};
use yinxin_order::command::{Actor, Command};
use yinxin_order::due::Late;
use yinxin_order::effect::Effect;
use yinxin_order::form::sample::unit;
use yinxin_order::identifiers::Fen;
use yinxin_order::invoice::{Invoice, InvoiceStatus, MAX_ROUNDS};
use yinxin_order::order::Order;
use yinxin_order::sample::{invoice, moved, order_in};
use yinxin_order::state::State;
use yinxin_order::{Refusal, decide};

const NOW: OffsetDateTime = datetime!(2026-04-07 02:00 UTC);
const RETENTION: Duration = Duration::days(100);

fn approved() -> Order {
    order_in(State::AwaitingPersonalisation, 7, unit(7), NOW)
}

fn after(order: &Order, command: &Command) -> Order {
    moved(order, command, NOW).order
}

fn refused(order: &Order, command: &Command) -> Refusal {
    decide(order, command, Actor::platform("test"), NOW).unwrap_err()
}

fn failure() -> Command {
    Command::ReportInvoiceFailure {
        reason: "22".to_owned(),
        detail: Some("购方名称与税号不一致".to_owned()),
    }
}

fn request() -> Command {
    Command::RecordInvoiceRequest {
        serial: "2631".to_owned(),
    }
}

fn upload() -> Command {
    Command::UploadInvoice {
        invoice: invoice(8, NOW),
    }
}

fn record() -> Command {
    Command::RecordInvoice {
        invoice: invoice(7, NOW),
    }
}

#[test]
fn an_approval_asks_for_the_invoice() {
    let order = order_in(State::AwaitingReview, 7, unit(7), NOW);
    assert_eq!(order.invoice, None);
    let approval = moved(&order, &Command::Approve, NOW);
    assert!(approval.effects.contains(&Effect::IssueInvoice));
    assert_eq!(approval.order.invoice, Some(Invoice::due(NOW)));
}

#[test]
fn an_order_that_costs_nothing_has_no_invoice() {
    let mut order = order_in(State::AwaitingReview, 7, unit(7), NOW);
    order.product.price = Fen::ZERO;
    let approval = moved(&order, &Command::Approve, NOW);
    assert!(!approval.effects.contains(&Effect::IssueInvoice));
    assert_eq!(refused(&approval.order, &request()), Refusal::InvoiceNotDue);
}

#[test]
fn an_invoice_that_is_on_its_way_is_asked_about_again() {
    let mut order = approved();
    for command in [None, Some(request())] {
        if let Some(command) = command {
            order = after(&order, &command);
        }
        let due = order.due(RETENTION).unwrap();
        assert_eq!(due, (NOW + Duration::minutes(2), Late::Remind));
        let reminder = moved(&order, &Command::Remind, NOW);
        assert_eq!(reminder.effects, [Effect::IssueInvoice]);
    }
    let issued = moved(&order, &record(), NOW);
    assert_eq!(issued.effects, [Effect::SendInvoice]);
    assert_eq!(issued.order.due(RETENTION), None);
}

#[test]
fn an_invoice_is_issued_once() {
    let order = after(&approved(), &record());
    assert_eq!(refused(&order, &record()), Refusal::AlreadyRecorded);
    assert_eq!(refused(&order, &request()), Refusal::AlreadyRecorded);
    for command in [upload(), failure(), Command::RetryInvoice, Command::LeaveInvoice] {
        assert_eq!(refused(&order, &command), Refusal::InvoiceNotDue);
    }
}

#[test]
fn a_failed_invoice_waits_for_an_officer_who_has_it_asked_for_again() {
    let failed = after(&approved(), &failure());
    let sentence = |order: &Order| order.personal.as_ref().unwrap().invoice_failure.clone();
    assert_eq!(sentence(&failed).as_deref(), Some("购方名称与税号不一致"));
    assert_eq!(failed.due(RETENTION), None);
    assert_eq!(refused(&failed, &failure()), Refusal::AlreadyRecorded);
    let again = moved(&failed, &Command::RetryInvoice, NOW);
    assert_eq!(again.effects, [Effect::IssueInvoice]);
    let invoice = again.order.invoice.clone().unwrap();
    assert_eq!((invoice.status, invoice.round), (InvoiceStatus::Due, 2));
    assert_eq!(sentence(&again.order), None);
}

#[test]
fn an_invoice_is_not_asked_for_without_end() {
    let mut order = approved();
    for _ in 1..MAX_ROUNDS {
        order = after(&order, &failure());
        order = after(&order, &Command::RetryInvoice);
    }
    order = after(&order, &failure());
    assert_eq!(refused(&order, &Command::RetryInvoice), Refusal::InvoiceNotDue);
}

#[test]
fn an_officer_uploads_what_no_provider_issues() {
    let due = approved();
    assert_eq!(refused(&due, &upload()), Refusal::InvoiceNotDue);
    assert_eq!(
        refused(&after(&due, &request()), &upload()),
        Refusal::InvoiceNotDue
    );
    for command in [Command::LeaveInvoice, failure()] {
        let left = after(&due, &command);
        assert_eq!(left.due(RETENTION), None);
        let uploaded = moved(&left, &upload(), NOW);
        assert_eq!(uploaded.effects, [Effect::SendInvoice]);
        let issued = uploaded.order.invoice.as_ref().and_then(Invoice::issued).cloned();
        assert_eq!(issued, Some(invoice(8, NOW)));
    }
}
