//! What has to hold at the end of every journey, however it was disturbed: each move once, one payment, one
//! pair of certificates, and every message at least or exactly once.
use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use yinxin_order::command::CommandName;
use yinxin_order::form::PasswordRoute;
use yinxin_order::identifiers::OrderId;
use yinxin_order::invoice::Invoice;
use yinxin_order::password::{PasswordStatus, PasswordWay};
use yinxin_order::payment::Ledger;
use yinxin_pki::Certificate;
use yinxin_store::orders::Orders;

use crate::certificates;
use crate::journey::{Journey, Stage, Step};

/// How often a message may have come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Messages {
    /// Once, and not again.
    Once,
    /// Where a function died between sending and noting that it sent, a second time.
    AtLeastOnce,
}

impl Messages {
    fn fits(self, wanted: usize, found: usize) -> bool {
        match self {
            Messages::Once => found == wanted,
            Messages::AtLeastOnce => found >= wanted,
        }
    }
}

/// The moves of a journey; documents, which are several, stand once.
const MOVES: [Option<CommandName>; 12] = [
    None,
    Some(CommandName::Confirm),
    Some(CommandName::RecordDocument),
    Some(CommandName::SignApplication),
    Some(CommandName::StartPayment),
    Some(CommandName::RecordPayment),
    Some(CommandName::Approve),
    Some(CommandName::SubmitCsr),
    Some(CommandName::RecordCertificates),
    Some(CommandName::ConfirmWritten),
    Some(CommandName::Dispatch),
    Some(CommandName::ConfirmReceipt),
];

/// What becomes of the password and of the invoice is told beside the journey, whenever it is known; and what takes long is
/// reminded of.
fn is_aside(command: Option<CommandName>) -> bool {
    matches!(
        command,
        Some(
            CommandName::RecordPassword
                | CommandName::IssueTicket
                | CommandName::RecordInvoiceRequest
                | CommandName::RecordInvoice
                | CommandName::Remind
        )
    )
}

/// Takes a whole journey and checks how it ended.
pub async fn travel(stage: &Stage, journey: &mut Journey) -> Result<()> {
    journey.through(Step::Receipt).await?;
    stage.cloud.idle().await?;
    is_whole(journey, Messages::Once).await
}

/// Checks the end of a journey.
pub async fn is_whole(journey: &Journey, messages: Messages) -> Result<()> {
    let stage = &journey.stage;
    let id: OrderId = journey.order()?.parse()?;
    let store = stage.cloud.stores()?;
    let order = store.load(&id).await?;
    ensure!(
        order.state.as_str() == "completed",
        "the order stands in {}",
        order.state.as_str()
    );
    let mut moves: Vec<_> = store
        .events(&id)
        .await?
        .into_iter()
        .map(|event| event.command)
        .filter(|&command| !is_aside(command))
        .collect();
    moves.dedup();
    ensure!(moves == MOVES, "the order's moves are {moves:?}");
    let price = journey.purchase.price_fen;
    ensure!(
        order.ledger()
            == Ledger {
                received: price,
                refunded: 0,
                refund_due: 0
            },
        "the money is {:?}",
        order.ledger()
    );
    ensure!(order.flags.is_empty(), "money came that could not be credited");
    let paid = stage.sandbox.trades(journey.number()).await?;
    ensure!(
        paid.len() == 1 && paid[0]["refunded"] == "0.00",
        "the provider knows other trades: {paid:?}"
    );
    let issued = order.invoice.as_ref().and_then(Invoice::issued);
    let provided = stage.sandbox.invoice(journey.number()).await?;
    let provided = provided.context("the provider was asked for no invoice")?;
    ensure!(
        issued.is_some_and(|issued| provided["number"] == issued.number.as_str()),
        "the order's invoice is {:?}, the provider's {provided}",
        order.invoice
    );
    let recorded = stage.cloud.issuances(id.as_str()).await?;
    ensure!(
        (recorded.requests, recorded.issued, recorded.serials) == (1, 1, 2),
        "not one pair was issued: {recorded:?}"
    );
    let delivery = order.password.as_ref().context("the password was not sent")?;
    let wanted = match delivery.way {
        PasswordWay::Sms => PasswordStatus::Sent,
        PasswordWay::Memo => PasswordStatus::Collected,
    };
    ensure!(
        (delivery.number, delivery.status) == (1, wanted),
        "the password is {delivery:?}"
    );
    all_messages_came(journey, messages).await?;
    certificates_are_the_holders(journey)?;
    certificates::openssl_verifies(&journey.directory).await?;
    certificates::pkilint_is_content(&stage.world, &journey.directory).await
}

async fn all_messages_came(journey: &Journey, messages: Messages) -> Result<()> {
    let sandbox = &journey.stage.sandbox;
    let form = &journey.form;
    let codes = sandbox.sms(form.signature_mobile().as_str(), "code").await?.len();
    ensure!(messages.fits(1, codes), "{codes} codes were sent");
    let (sms, mail) = journey.notices_received().await?;
    // That a memo can be read is told by mail alone.
    let mails = match form.password_route() {
        PasswordRoute::Sms(_) => 2,
        PasswordRoute::BankMemo(_) => 3,
    };
    ensure!(
        messages.fits(2, sms) && messages.fits(mails, mail),
        "{sms} notices came by SMS, {mail} by mail"
    );
    let invoices = sandbox
        .invoice_mails(form.notice_email().as_str(), journey.number())
        .await?;
    ensure!(
        messages.fits(1, invoices.len()),
        "{} mails brought the invoice",
        invoices.len()
    );
    // Of a memo its secret: the password itself stands in no message.
    let passwords: Vec<String> = match form.password_route() {
        PasswordRoute::Sms(mobile) => sandbox
            .sms(mobile.as_str(), "password")
            .await?
            .into_iter()
            .filter_map(|sms| Some(sms.params.get("password")?.as_str()?.to_owned()))
            .collect(),
        PasswordRoute::BankMemo(payee) => sandbox
            .messages()
            .await?
            .memos
            .into_iter()
            .filter(|memo| memo.payee_account == payee.account_number.as_str())
            .map(|memo| memo.memo)
            .collect(),
    };
    ensure!(
        messages.fits(1, passwords.len()),
        "{} passwords were sent",
        passwords.len()
    );
    let different: BTreeSet<&String> = passwords.iter().collect();
    ensure!(different.len() == 1, "different passwords were sent");
    Ok(())
}

fn certificates_are_the_holders(journey: &Journey) -> Result<()> {
    let read = |name: &str| -> Result<Certificate> {
        Ok(Certificate::from_pem(&std::fs::read_to_string(
            journey.directory.join(name),
        )?)?)
    };
    let (signing, encryption) = (read("sign.pem")?, read("encrypt.pem")?);
    let name = signing
        .subject()
        .common_name()
        .context("a certificate has a common name")?;
    ensure!(
        name.contains(journey.form.holder_name()),
        "the certificate bears another name than the form"
    );
    ensure!(
        signing.subject() == encryption.subject(),
        "the two certificates name different holders"
    );
    ensure!(
        signing.key() != encryption.key(),
        "signing and encryption have one key"
    );
    if let yinxin_order::form::ApplicationForm::Unit(form) = &journey.form {
        ensure!(
            signing.organization_code().as_deref() == Some(form.credit_code.as_str()),
            "the certificate bears another credit code than the form"
        );
    }
    Ok(())
}
