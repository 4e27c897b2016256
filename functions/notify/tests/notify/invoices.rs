//! The mail with the invoice.
use time::Duration;
use yinxin_order::command::Command;
use yinxin_order::effect::Effect;
use yinxin_order::form::sample::{person, unit};
use yinxin_order::invoice::InvoiceFormat;
use yinxin_order::sample::{invoice, moved, order_in};
use yinxin_order::state::State;
use yinxin_providers::mail::MailError;
use yinxin_store::documents::{Documents as _, InvoiceKey};

use crate::world::{NOW, NUMBER, World};

const PDF: &[u8] = b"%PDF-1.7 an invoice";
const OFD: &[u8] = b"PK\x03\x04 an invoice";

/// A world whose order has an invoice with these files, all of them kept.
async fn invoiced(files: &[InvoiceFormat]) -> World {
    let due = order_in(State::AwaitingPersonalisation, 1, unit(1), NOW);
    let mut invoice = invoice(1, NOW);
    invoice.files = files.to_vec();
    let number = invoice.number.clone();
    let order = moved(&due, &Command::RecordInvoice { invoice }, NOW).order;
    let world = World::with_order(order.clone()).await;
    for &format in files {
        let key = InvoiceKey {
            order: order.id.clone(),
            number: number.clone(),
            format,
        };
        let bytes = if format == InvoiceFormat::Pdf { PDF } else { OFD };
        world.store.keep_invoice(&key, bytes.to_vec()).await.unwrap();
    }
    world
}

#[tokio::test]
async fn an_invoice_goes_out_once_with_its_files() {
    let world = invoiced(&[InvoiceFormat::Pdf, InvoiceFormat::Ofd, InvoiceFormat::Xml]).await;
    for _ in 0..2 {
        world.deliver(&World::errand(Effect::SendInvoice)).await.unwrap();
    }
    let [mail] = &world.mails()[..] else {
        panic!("one mail")
    };
    let number = invoice(1, NOW).number;
    assert_eq!(mail.to, unit(1).notice_email().as_str());
    assert_eq!(mail.subject, format!("【印信】订单 {NUMBER} 电子发票"));
    assert!(mail.text.contains(NUMBER) && mail.text.contains(number.as_str()));
    let file = |end: &str, kind: &str, bytes: &[u8]| {
        (
            format!("dzfp_{number}.{end}"),
            format!("application/{kind}"),
            bytes.to_vec(),
        )
    };
    assert_eq!(
        mail.attachments,
        [file("pdf", "pdf", PDF), file("ofd", "ofd", OFD)]
    );
    assert!(world.texts().is_empty());
}

#[tokio::test]
async fn an_invoice_without_an_ofd_goes_out_with_its_pdf() {
    let world = invoiced(&[InvoiceFormat::Pdf]).await;
    world.deliver(&World::errand(Effect::SendInvoice)).await.unwrap();
    assert_eq!(world.mails()[0].attachments.len(), 1);
}

#[tokio::test]
async fn the_mails_own_words_name_nobody() {
    let world = invoiced(&[InvoiceFormat::Pdf]).await;
    world.deliver(&World::errand(Effect::SendInvoice)).await.unwrap();
    let mail = world.mails().remove(0);
    let told = format!("{} {}", mail.subject, mail.text);
    for form in [unit(1), person(1)] {
        for personal in [
            form.holder_name(),
            form.holder_number(),
            form.notice_mobile().as_str(),
        ] {
            assert!(!told.contains(personal));
        }
    }
}

#[tokio::test]
async fn a_mail_server_that_is_away_is_tried_again() {
    let world = invoiced(&[InvoiceFormat::Pdf]).await;
    world
        .mail
        .answers
        .lock()
        .unwrap()
        .push_back(Err(MailError::Unavailable));
    let errand = World::errand(Effect::SendInvoice);
    world.deliver(&errand).await.unwrap_err();
    world.pass(Duration::minutes(1));
    world.deliver(&errand).await.unwrap();
    let mails = world.mails();
    assert_eq!((mails.len(), &mails[0].id), (2, &mails[1].id));
}

#[tokio::test]
async fn a_mailbox_that_takes_nothing_is_not_tried_again() {
    let world = invoiced(&[InvoiceFormat::Pdf]).await;
    world
        .mail
        .answers
        .lock()
        .unwrap()
        .push_back(Err(MailError::Rejected { code: 552 }));
    for _ in 0..2 {
        world.deliver(&World::errand(Effect::SendInvoice)).await.unwrap();
    }
    assert_eq!(world.mails().len(), 1);
}

#[tokio::test]
async fn an_invoice_that_does_not_exist_is_not_sent() {
    let world = World::with(State::AwaitingPersonalisation, unit(1)).await;
    world.deliver(&World::errand(Effect::SendInvoice)).await.unwrap();
    assert!(world.mails().is_empty());
}
