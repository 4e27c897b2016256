//! The 0.01-yuan transfer whose memo carries the memo secret: recorded, submitted, asked about, never paid twice.
use time::OffsetDateTime;
use tracing::{info, warn};
use yinxin_order::form::{BankPayee, PayeeKind as Kind};
use yinxin_order::identifiers::china_date;
use yinxin_order::order::{Order, Personal};
use yinxin_order::password::{PasswordDelivery, PasswordOutcome};
use yinxin_providers::bank::{Doubt, Memo, OutBizNo, Payee, PayeeKind, Submitted, Transfer};
use yinxin_store::StoreError;
use yinxin_store::codes::{MEMO_SECRET_LIFETIME, SecretKept, StoredCode};

use crate::Notifying;
use crate::memo_secret::MemoSecret;
use crate::notifying::NotifyError;
use crate::password::memo_secret_key;

/// Ends the number of a transfer and keeps it apart from payments; one for each sending. A bank's number has 20 characters,
/// of which the order's number takes 19.
const TRANSFER_MARKS: [&str; 3] = ["W", "X", "Y"];
/// How often a lost race for the account's limit is run again.
const MAX_RACES: u32 = 3;

impl Notifying {
    /// Brings a transfer one step on: the bank is asked first, because an earlier try may have submitted it without
    /// hearing of it; what it does not know is submitted, always under the number of the sending.
    pub(crate) async fn look_after_transfer(
        &self,
        order: &Order,
        personal: &Personal,
        number: u8,
        payee: &BankPayee,
    ) -> Result<(), NotifyError> {
        let out_biz_no = transfer_number(order, number)?;
        let is_underway = order.password.as_ref().is_some_and(PasswordDelivery::is_underway);
        let now = self.app.platform.now();
        let outcome = match self.app.bank.query(&out_biz_no, now).await? {
            Transfer::NotFound if is_underway => {
                self.submit(order, personal, number, payee, &out_biz_no).await?
            }
            known => outcome_of(known, order),
        };
        match outcome {
            Some(outcome) => self.record(&order.id, number, outcome).await,
            None => Ok(()),
        }
    }

    async fn submit(
        &self,
        order: &Order,
        personal: &Personal,
        number: u8,
        payee: &BankPayee,
        out_biz_no: &OutBizNo,
    ) -> Result<Option<PasswordOutcome>, NotifyError> {
        let (platform, bank) = (&self.app.platform, &self.app.bank);
        let password = self.open_password(order, personal).await?;
        let hashes = platform.vault.hashes().await?;
        let secret = MemoSecret::derive(&password, &hashes, &order.id, number);
        let memo: Memo = secret.reveal().parse().map_err(|_| NotifyError::Memo)?;
        let now = platform.now();
        // A memo that the bank has and the platform does not know would be a secret that opens nothing.
        if self.keep_secret(order, number, payee, &secret, now).await? == SecretKept::DailyLimit {
            info!(order.id = %order.id, "the account of order {} had its transfers of the day", order.id);
            return Ok(None);
        }
        let outcome = match bank.submit(out_biz_no, as_payee(payee), &memo, now).await? {
            Submitted::Accepted => {
                let known = bank.query(out_biz_no, now).await?;
                // A bank may need a moment to find what it has just accepted.
                outcome_of(known, order).unwrap_or(PasswordOutcome::Submitted)
            }
            Submitted::Rejected { code } => PasswordOutcome::Failed { code },
            // Perhaps it pays: from now on it is asked about.
            Submitted::Unknown(doubt) => {
                in_doubt(order, &doubt);
                PasswordOutcome::Submitted
            }
        };
        Ok(Some(outcome))
    }

    /// Keeps the secret's hash, once for all tries of a sending.
    async fn keep_secret(
        &self,
        order: &Order,
        number: u8,
        payee: &BankPayee,
        secret: &MemoSecret,
        now: OffsetDateTime,
    ) -> Result<SecretKept, NotifyError> {
        let platform = &self.app.platform;
        let hashes = platform.vault.hashes().await?;
        let key = memo_secret_key(&order.id, number);
        let code = StoredCode {
            hash: hashes.code(&key.as_key(), secret.reveal()),
            expires_at: now + MEMO_SECRET_LIFETIME,
            tries: 0,
            used: false,
        };
        let account = hashes.lookup("account", payee.account_number.as_str());
        let today = china_date(now).to_string();
        let mut races = 0;
        loop {
            match platform
                .codes
                .put_memo_secret(&key, &code, &account, &today)
                .await
            {
                Err(StoreError::Conflict) if races < MAX_RACES => races += 1,
                kept => return Ok(kept?),
            }
        }
    }
}

/// What the bank's word means for the sending; nothing where it says nothing.
fn outcome_of(known: Transfer, order: &Order) -> Option<PasswordOutcome> {
    match known {
        Transfer::Success { .. } => Some(PasswordOutcome::Sent),
        Transfer::Pending => Some(PasswordOutcome::Submitted),
        // The bank's words may name the payee, so its code is all that is kept.
        Transfer::Failed { code, .. } => Some(PasswordOutcome::Failed { code }),
        Transfer::Returned { code } => Some(PasswordOutcome::Returned { code }),
        Transfer::NotFound => {
            warn!(order.id = %order.id, "the bank does not find a transfer of order {} that it has", order.id);
            None
        }
        Transfer::Unknown(doubt) => {
            in_doubt(order, &doubt);
            None
        }
    }
}

/// Sweep asks again: neither success nor failure is known, and nothing is to be repeated.
fn in_doubt(order: &Order, doubt: &Doubt) {
    warn!(
        order.id = %order.id,
        error = doubt as &dyn std::error::Error,
        "what became of a transfer of order {} is not known", order.id
    );
}

/// The transfer's number, the same for all tries of a sending.
fn transfer_number(order: &Order, number: u8) -> Result<OutBizNo, NotifyError> {
    let order_number = order.number.as_ref().ok_or(NotifyError::NoNumber)?;
    let mark = TRANSFER_MARKS
        .get(usize::from(number).saturating_sub(1))
        .ok_or(NotifyError::NoNumber)?;
    format!("{order_number}{mark}")
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
