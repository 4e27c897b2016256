//! The UKey's user password on its way to its holder: in an SMS, or for the secret in the memo (附言) of a transfer, as the
//! identity check decided. What became of it is recorded on the order, whose sweep sees to it that nothing is forgotten.
use tracing::{info, warn};
use yinxin_order::command::{Actor, Command};
use yinxin_order::form::PasswordRoute;
use yinxin_order::identifiers::{Mobile, OrderId};
use yinxin_order::order::{Order, Personal};
use yinxin_order::password::{PasswordDelivery, PasswordOutcome, PasswordStatus};
use yinxin_order::refusal::Refusal;
use yinxin_providers::sms::WhoActs;
use yinxin_store::codes::CodeKey;
use yinxin_store::orders::Errand;
use yinxin_store::{AdvanceError, Claim, StoreError, advance_with};
use zeroize::Zeroizing;

use crate::Notifying;
use crate::notifying::{NotifyError, Twice};
use crate::ports::Template;

/// What is kept as the provider's code where it gave none.
const IN_DOUBT: &str = "unknown";

impl Notifying {
    /// Sends the password, unless that was done or given up, or another sending took its place.
    pub(crate) async fn send_password(
        &self,
        errand: &Errand,
        order: &Order,
        personal: &Personal,
        number: u8,
    ) -> Result<(), NotifyError> {
        if sending(order, number)?.is_none_or(|delivery| delivery.status != PasswordStatus::Sending) {
            return Ok(());
        }
        match personal.form.password_route() {
            PasswordRoute::Sms(mobile) => self.password_sms(errand, order, personal, number, &mobile).await,
            PasswordRoute::BankMemo(payee) => self.look_after_transfer(order, personal, number, &payee).await,
        }
    }

    /// Asks the bank what became of a transfer that is on its way, or that arrived and may come back.
    pub(crate) async fn query_transfer(
        &self,
        order: &Order,
        personal: &Personal,
        number: u8,
    ) -> Result<(), NotifyError> {
        let Some(delivery) = sending(order, number)? else {
            return Ok(());
        };
        match personal.form.password_route() {
            PasswordRoute::BankMemo(payee) if delivery.can_be_collected() => {
                self.look_after_transfer(order, personal, number, &payee).await
            }
            _ => Ok(()),
        }
    }

    async fn password_sms(
        &self,
        errand: &Errand,
        order: &Order,
        personal: &Personal,
        number: u8,
        mobile: &Mobile,
    ) -> Result<(), NotifyError> {
        let password = self.open_password(order, personal).await?;
        // Named after the sending and not after the errand: a reminder of the same sending is the same message.
        let message = format!("{}#password#{number}#sms", order.id);
        let variable = ("password", password.as_str());
        let sent = match self.claim(&message, Twice::Harmless).await {
            Ok(true) => {
                self.sms(errand, mobile.as_str(), Template::Password, variable, &message)
                    .await
            }
            // It was sent before, and perhaps not recorded on the order.
            Ok(false) => Ok(()),
            Err(error) => Err(error),
        };
        let outcome = match sent {
            Ok(()) => PasswordOutcome::Sent,
            // No repetition helps; an officer sees it.
            Err(NotifyError::Refused {
                code,
                who: WhoActs::Recipient,
            }) => PasswordOutcome::Failed { code },
            // No machine repeats it: an officer asks the holder, and has it sent again.
            Err(error @ (NotifyError::Doubt(_) | NotifyError::Doubtful)) => {
                warn!(
                    order.id = %order.id,
                    error = &error as &dyn std::error::Error,
                    "whether the password of order {} was sent is not known", order.id
                );
                PasswordOutcome::Failed {
                    code: IN_DOUBT.to_owned(),
                }
            }
            Err(error) => return Err(error),
        };
        self.record(&order.id, number, outcome).await
    }

    pub(crate) async fn open_password(
        &self,
        order: &Order,
        personal: &Personal,
    ) -> Result<Zeroizing<String>, NotifyError> {
        let sealed = personal.password.as_ref().ok_or(NotifyError::NoPassword)?;
        Ok(self.app.platform.vault.open_secret(&order.id, sealed).await?)
    }

    /// Records what became of a sending. A secret whose transfer will not be read is used up with it, so that it opens
    /// nothing even if the bank was wrong.
    pub(crate) async fn record(
        &self,
        id: &OrderId,
        number: u8,
        outcome: PasswordOutcome,
    ) -> Result<(), NotifyError> {
        let is_void = matches!(
            outcome,
            PasswordOutcome::Returned { .. } | PasswordOutcome::Failed { .. }
        );
        let command = Command::RecordPassword { number, outcome };
        let secret = Claim::Code(memo_secret_key(id, number));
        let recorded = match self.advanced(id, &command, is_void.then_some(secret)).await {
            // No secret was kept, as where the bank refused before: there is nothing to use up.
            Err(AdvanceError::Store(StoreError::Claimed(_))) => self.advanced(id, &command, None).await,
            recorded => recorded,
        };
        match recorded {
            Ok(order) => {
                let status = order.password.map(|delivery| delivery.status);
                info!(order.id = %id, "sending {number} of the password of order {id} is now {status:?}");
                Ok(())
            }
            Err(AdvanceError::Refused(Refusal::AlreadyRecorded)) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    async fn advanced(
        &self,
        id: &OrderId,
        command: &Command,
        claim: Option<Claim>,
    ) -> Result<Order, AdvanceError> {
        let platform = &self.app.platform;
        let (orders, now, by) = (
            platform.orders.as_ref(),
            platform.now(),
            Actor::platform("notify"),
        );
        let order = orders.load(id).await?;
        advance_with(orders, order, command, &by, now, claim.as_slice()).await
    }
}

/// Under which key the secret of a sending is kept.
pub(crate) fn memo_secret_key(order: &OrderId, number: u8) -> CodeKey {
    CodeKey::MemoSecret {
        order: order.clone(),
        number,
    }
}

/// The delivery, if `number` is still its sending.
fn sending(order: &Order, number: u8) -> Result<Option<&PasswordDelivery>, NotifyError> {
    let delivery = order.password.as_ref().ok_or(NotifyError::NoPassword)?;
    let is_current = delivery.number == number;
    if !is_current {
        info!(order.id = %order.id, "another sending took the place of sending {number} of order {}", order.id);
    }
    Ok(is_current.then_some(delivery))
}
