//! The UKey's user password: by SMS, or in the memo (附言) of a transfer, as the identity check decided.
use yinxin_order::Order;
use yinxin_order::effect::Sealed;
use yinxin_order::form::{BankPayee, PasswordRoute, PayeeKind as Kind};
use yinxin_order::order::Personal;
use yinxin_providers::bank::{Memo, OutBizNo, Payee, PayeeKind, Submitted, Transfer};
use yinxin_store::orders::Errand;

use crate::Notifying;
use crate::notifying::{NotifyError, Twice, message_name};
use crate::ports::Template;

/// Ends the number of a transfer that carries a password, and keeps it apart from payments.
const TRANSFER_MARK: &str = "W";

impl Notifying {
    pub(crate) async fn send_password(
        &self,
        errand: &Errand,
        order: &Order,
        personal: &Personal,
        sealed: &Sealed,
    ) -> Result<(), NotifyError> {
        let route = personal.form.password_route();
        let message = message_name(
            errand,
            match route {
                PasswordRoute::Sms(_) => "sms",
                PasswordRoute::BankMemo(_) => "memo",
            },
        );
        let password = self.app.platform.vault.open_secret(&errand.order, sealed).await?;
        if !self.claim(&message, Twice::Harmless).await? {
            return Ok(());
        }
        match route {
            PasswordRoute::Sms(mobile) => {
                let variable = ("password", password.as_str());
                self.sms(errand, mobile.as_str(), Template::Password, variable, &message)
                    .await
            }
            PasswordRoute::BankMemo(payee) => {
                let memo: Memo = password.parse().map_err(|_| NotifyError::Memo)?;
                let receipt = self.transfer(&number(order)?, &payee, &memo).await?;
                self.sent(errand, &message, &receipt).await
            }
        }
    }

    /// Has the bank pay, and answers with its number once it has. The bank is asked first: an earlier try may have
    /// submitted the transfer without hearing of it.
    async fn transfer(
        &self,
        number: &OutBizNo,
        payee: &BankPayee,
        memo: &Memo,
    ) -> Result<String, NotifyError> {
        let (bank, now) = (&self.app.bank, self.app.platform.now());
        let mut known = bank.query(number, now).await?;
        if matches!(known, Transfer::NotFound) {
            match bank.submit(number, as_payee(payee), memo, now).await? {
                Submitted::Accepted => known = bank.query(number, now).await?,
                Submitted::Rejected { code } => return Err(NotifyError::Refused { code }),
                Submitted::Unknown(doubt) => return Err(NotifyError::Doubt(Box::new(doubt))),
            }
        }
        match known {
            Transfer::Success { bank_serial, .. } => Ok(bank_serial),
            // A bank may need a moment to find what it has just accepted.
            Transfer::Pending | Transfer::NotFound => Err(NotifyError::TransferPending),
            // The bank's words may name the payee.
            Transfer::Failed { code, .. } | Transfer::Returned { code } => {
                Err(NotifyError::TransferFailed { code })
            }
            Transfer::Unknown(doubt) => Err(NotifyError::Doubt(Box::new(doubt))),
        }
    }
}

/// The transfer's number: an order sends one password.
fn number(order: &Order) -> Result<OutBizNo, NotifyError> {
    let number = order.number.as_ref().ok_or(NotifyError::NoNumber)?;
    format!("{number}{TRANSFER_MARK}")
        .parse()
        .map_err(|_| NotifyError::NoNumber)
}

fn as_payee(payee: &BankPayee) -> Payee<'_> {
    Payee {
        name: payee.account_name.as_str(),
        account: payee.account_number.as_str(),
        bank_name: payee.bank.as_str(),
        // Forms ask for the bank's name and place; the bridge finds the branch.
        branch_cnaps: None,
        kind: match payee.kind {
            Kind::Corporate => PayeeKind::Corporate,
            Kind::Private => PayeeKind::Private,
        },
    }
}
