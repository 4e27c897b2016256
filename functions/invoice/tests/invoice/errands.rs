//! Issuing an invoice: once, whatever is lost on the way.
use time::Duration;
use time::macros::datetime;
use yinxin_order::command::Command;
use yinxin_order::effect::Effect;
use yinxin_order::form::sample::{person, unit};
use yinxin_order::invoice::{InvoiceFormat, InvoiceStatus, IssuedInvoice};
use yinxin_order::sample::{order_id, order_in};
use yinxin_order::state::State;
use yinxin_store::StoreError;
use yinxin_store::documents::{Documents as _, InvoiceKey};

use crate::provider::{Fault, NUMBER, SERIAL};
use crate::world::{NOW, ORDER_NO, SEED, World};

fn issued() -> InvoiceStatus {
    InvoiceStatus::Issued(IssuedInvoice {
        number: NUMBER.parse().unwrap(),
        issued_at: datetime!(2026-04-07 02:00 UTC),
        files: vec![InvoiceFormat::Pdf, InvoiceFormat::Ofd],
    })
}

fn key(format: InvoiceFormat) -> InvoiceKey {
    InvoiceKey {
        order: order_id(SEED),
        number: NUMBER.parse().unwrap(),
        format,
    }
}

#[tokio::test]
async fn an_invoice_is_issued_and_its_files_are_kept() {
    let world = World::new().await;
    assert!(world.issue().await);
    assert_eq!(world.status().await, issued());
    assert_eq!(world.effects(), [Effect::SendInvoice]);
    let pdf = world.store.invoice(&key(InvoiceFormat::Pdf)).await.unwrap();
    assert_eq!(pdf, b"%PDF-1.7 an invoice");
    let ofd = world.store.invoice(&key(InvoiceFormat::Ofd)).await.unwrap();
    assert_eq!(ofd, b"PK\x03\x04 an invoice");
    // There is no XML, and the invoice does not wait for it.
    let xml = world.store.invoice(&key(InvoiceFormat::Xml)).await;
    assert!(matches!(xml, Err(StoreError::NotFound)));
}

#[tokio::test]
async fn the_buyer_is_who_the_form_names() {
    let world = World::of(unit(SEED)).await;
    assert!(world.issue().await);
    let order = world.provider.inner().orders[0].clone();
    assert_eq!(order["orderNo"], ORDER_NO);
    assert_eq!(order["buyerName"], unit(SEED).holder_name());
    assert_eq!(order["buyerTaxNum"], unit(SEED).holder_number());
    assert_eq!(order["invoiceDetail"][0]["taxIncludedAmount"], "220.00");
    let world = World::of(person(SEED)).await;
    assert!(world.issue().await);
    let order = world.provider.inner().orders[0].clone();
    assert_eq!(order["buyerName"], person(SEED).invoice_title());
}

#[tokio::test]
async fn a_repeated_errand_makes_no_second_invoice() {
    let world = World::new().await;
    for _ in 0..3 {
        assert!(world.issue().await);
    }
    assert_eq!(world.provider.asked("requestBillingNew"), 1);
    assert_eq!(world.effects(), [Effect::SendInvoice]);
}

#[tokio::test]
async fn an_invoice_that_takes_its_time_is_asked_about_and_asked_for_once() {
    let world = World::new().await;
    world.provider.inner().next = "20";
    assert!(world.issue().await);
    let serial = SERIAL.to_owned();
    assert_eq!(world.status().await, InvoiceStatus::Issuing { serial });
    assert!(world.issue().await);
    assert_eq!(world.effects(), []);
    world.provider.inner().invoices.insert(ORDER_NO.to_owned(), "2");
    world.pass(Duration::minutes(2));
    assert!(world.issue().await);
    assert_eq!(world.status().await, issued());
    assert_eq!(world.provider.asked("requestBillingNew"), 1);
}

#[tokio::test]
async fn a_request_whose_answer_was_lost_is_found_by_its_number() {
    let world = World::new().await;
    world.provider.inner().fault = Fault::AnswerLost;
    assert!(!world.issue().await);
    assert_eq!(world.status().await, InvoiceStatus::Due);
    world.provider.inner().fault = Fault::None;
    assert!(world.issue().await);
    assert_eq!(world.status().await, issued());
    assert_eq!(world.provider.asked("requestBillingNew"), 1);
}

#[tokio::test]
async fn a_silent_provider_leaves_everything_as_it_is() {
    let world = World::new().await;
    world.provider.inner().fault = Fault::Down;
    assert!(!world.issue().await);
    assert_eq!(
        (world.status().await, world.effects()),
        (InvoiceStatus::Due, vec![])
    );
}

#[tokio::test]
async fn a_refused_invoice_waits_for_an_officer() {
    let world = World::new().await;
    world.provider.inner().fault = Fault::Refuses("E9106");
    assert!(world.issue().await);
    let reason = "E9106".to_owned();
    assert_eq!(world.status().await, InvoiceStatus::Failed { reason });
    let personal = world.order().await.personal.unwrap();
    assert_eq!(personal.invoice_failure.as_deref(), Some("购方名称与税号不一致"));
    // Nobody asks again but an officer.
    world.provider.inner().fault = Fault::None;
    assert!(world.issue().await);
    assert_eq!(world.provider.asked("requestBillingNew"), 1);
    world.advance(&Command::RetryInvoice).await;
    assert!(world.issue().await);
    assert_eq!(world.status().await, issued());
}

#[tokio::test]
async fn an_invoice_that_failed_at_the_provider_is_asked_for_again_under_its_number() {
    for status in ["22", "24"] {
        let world = World::new().await;
        world.provider.inner().next = status;
        assert!(world.issue().await);
        let reason = status.to_owned();
        assert_eq!(world.status().await, InvoiceStatus::Failed { reason });
        world.provider.inner().next = "2";
        world.advance(&Command::RetryInvoice).await;
        assert!(world.issue().await);
        // The answer to a question could still be the old one.
        assert!(matches!(world.status().await, InvoiceStatus::Issuing { .. }));
        assert!(world.issue().await);
        assert_eq!(world.status().await, issued());
        assert_eq!(
            world.provider.asked("requestBillingNew"),
            1,
            "a second invoice was asked for"
        );
        assert_eq!(world.provider.asked("reInvoice"), 1);
    }
}

#[tokio::test]
async fn a_file_that_is_none_is_not_kept() {
    for (format, bytes) in [
        ("pdf", b"<html>maintenance</html>".to_vec()),
        ("ofd", b"%PDF-1.7".to_vec()),
    ] {
        let world = World::new().await;
        let good = world.provider.inner().files.insert(format, bytes).unwrap();
        assert!(!world.issue().await, "{format}");
        assert!(matches!(world.status().await, InvoiceStatus::Issuing { .. }));
        world.provider.inner().files.insert(format, good);
        assert!(world.issue().await);
        assert_eq!(world.status().await, issued());
    }
}

#[tokio::test]
async fn a_file_that_is_too_large_is_not_fetched_whole() {
    let world = World::new().await;
    let mut large = b"%PDF-1.7".to_vec();
    large.resize(3 * 1024 * 1024 + 1, 0);
    world.provider.inner().files.insert("pdf", large);
    assert!(!world.issue().await);
}

#[tokio::test]
async fn without_a_provider_the_invoice_is_left_to_the_officers() {
    let order = order_in(State::AwaitingPersonalisation, SEED, unit(SEED), NOW);
    let world = World::with(order, "manual").await;
    for _ in 0..2 {
        assert!(world.issue().await);
        assert_eq!(world.status().await, InvoiceStatus::ByHand);
    }
    assert!(world.provider.inner().asked.is_empty());
    // An invoice that lies with a provider is nobody's to make once more.
    let order = order_in(State::AwaitingPersonalisation, SEED, unit(SEED), NOW);
    let world = World::with(order, "manual").await;
    let serial = SERIAL.to_owned();
    world.advance(&Command::RecordInvoiceRequest { serial }).await;
    assert!(!world.issue().await);
}

#[tokio::test]
async fn an_order_without_an_invoice_needs_none() {
    let order = order_in(State::AwaitingReview, SEED, unit(SEED), NOW);
    let world = World::with(order, "nuonuo").await;
    assert!(world.issue().await);
    assert!(world.provider.inner().asked.is_empty());
}

#[tokio::test]
async fn an_errand_of_another_function_is_not_done() {
    let world = World::new().await;
    assert!(!world.deliver(Effect::AskCa).await);
    assert!(!world.deliver(Effect::SendInvoice).await);
}
