//! One errand: find the recipient, claim the message, send it, note that it was sent.
use async_trait::async_trait;
use time::{Duration, OffsetDateTime};
use tracing::{info, warn};
use yinxin_lambda::serve::{Batch, BatchError};
use yinxin_order::Order;
use yinxin_order::effect::{Effect, Notice, Sealed};
use yinxin_order::order::Personal;
use yinxin_providers::mail::{Mail, MailError};
use yinxin_providers::sms::{Sending, WhoActs};
use yinxin_store::codes::CODE_LIFETIME;
use yinxin_store::deliveries::Claimed;
use yinxin_store::orders::Errand;
use yinxin_store::{AdvanceError, StoreError};

use crate::App;
use crate::messages;
use crate::ports::{NotReady, Template, TextMessage};

/// A try that began longer ago than this is over: no invocation lasts so long, and the queue waits longer before
/// it delivers again.
pub(crate) const RETRY_UNFINISHED_AFTER: Duration = Duration::seconds(45);

/// Sends messages.
pub struct Notifying {
    pub(crate) app: App,
}

/// Why a message was not sent. The queue brings the errand again, and in the end to people.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotifyError {
    /// The store did not do its work; it may next time.
    #[error("the store did not do its work")]
    Store(#[from] StoreError),
    /// A provider's client cannot be set up.
    #[error(transparent)]
    NotReady(#[from] NotReady),
    /// An earlier try has not ended, or not long ago.
    #[error("an earlier try may still be at work")]
    InProgress,
    /// The provider refused; nothing was sent.
    #[error("the provider refused the message with {code:?}")]
    Refused {
        /// The provider's code.
        code: String,
        /// Who can change that.
        who: WhoActs,
    },
    /// It certainly never left; the next try may send it.
    #[error("the message never left")]
    NotSent(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Perhaps sent, perhaps not.
    #[error("whether the message was sent is not known")]
    Doubt(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// An earlier try left it in doubt; people find out by the provider's receipts, and put the errand back if need be.
    #[error("whether an earlier try sent the message is not known")]
    Doubtful,
    /// The mail server did not take it.
    #[error("the mail was not taken")]
    Mail(#[source] MailError),
    /// The order's next version could not be stored, or the order does not take what became of the password.
    #[error("what became of the password could not be recorded")]
    Advance(#[from] AdvanceError),
    /// The secret cannot be the memo of a transfer.
    #[error("the secret does not fit into a memo")]
    Memo,
    /// The order keeps no password: it was written before deliveries were kept.
    #[error("the order keeps no password that could be sent")]
    NoPassword,
    /// The order lacks what a message needs: the number.
    #[error("the order has no number yet")]
    NoNumber,
    /// Another function's errand.
    #[error("the errand {0} is not for this function")]
    NotMine(&'static str),
}

/// Whether a message may go out twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Twice {
    /// It says the same again: a try whose process ended is made anew. One that a provider left in doubt is not.
    Harmless,
    /// The recipient asks for another one instead.
    Never,
}

#[async_trait]
impl Batch for Notifying {
    async fn errand(&self, errand: Errand) -> Result<(), BatchError> {
        let order = self
            .app
            .platform
            .orders
            .load(&errand.order)
            .await
            .map_err(NotifyError::from)?;
        let Some(personal) = order.personal.as_ref() else {
            info!(order.id = %order.id, "order {} was erased: nobody is left to be told", order.id);
            return Ok(());
        };
        match &errand.effect {
            Effect::SendCode { sealed } => self.send_code(&errand, personal, sealed).await?,
            Effect::SendPassword { number } => self.send_password(&errand, &order, personal, *number).await?,
            Effect::QueryTransfer { number } => self.query_transfer(&order, personal, *number).await?,
            Effect::SendNotice { notice } => self.send_notice(&errand, &order, personal, *notice).await?,
            Effect::SendInvoice => self.send_invoice(&errand, &order, personal).await?,
            other => return Err(NotifyError::NotMine(other.name()).into()),
        }
        Ok(())
    }
}

impl Notifying {
    /// Notifying with `app`.
    pub fn new(app: App) -> Self {
        Notifying { app }
    }

    async fn send_code(
        &self,
        errand: &Errand,
        personal: &Personal,
        sealed: &Sealed,
    ) -> Result<(), NotifyError> {
        // Before the claim: a code that KMS did not open was not sent either.
        let code = self.app.platform.vault.open_secret(&errand.order, sealed).await?;
        let message = message_name(errand, "sms");
        let Some(first_at) = self.begin(&message, Twice::Never).await? else {
            return Ok(());
        };
        if self.app.platform.now() >= first_at + CODE_LIFETIME {
            warn!(order.id = %errand.order, "a code of order {} ended before it could be sent", errand.order);
            return Ok(());
        }
        let mobile = personal.form.signature_mobile().as_str();
        let variable = ("code", code.as_str());
        match self.sms(errand, mobile, Template::Code, variable, &message).await {
            // Whoever waits for a code asks for another one before the queue would bring it again.
            Err(error @ (NotifyError::Refused { .. } | NotifyError::Doubt(_))) => {
                warn!(
                    order.id = %errand.order,
                    error = &error as &dyn std::error::Error,
                    "a code of order {} is given up", errand.order
                );
                Ok(())
            }
            other => other,
        }
    }

    /// An SMS and a mail, each by itself: the one does not wait for the other.
    async fn send_notice(
        &self,
        errand: &Errand,
        order: &Order,
        personal: &Personal,
        notice: Notice,
    ) -> Result<(), NotifyError> {
        let sms = self.notice_sms(errand, order, personal, notice).await;
        let mail = self.notice_mail(errand, order, personal, notice).await;
        sms.and(mail)
    }

    async fn notice_sms(
        &self,
        errand: &Errand,
        order: &Order,
        personal: &Personal,
        notice: Notice,
    ) -> Result<(), NotifyError> {
        let Some(template) = messages::template(notice) else {
            return Ok(());
        };
        let number = order.number.as_ref().ok_or(NotifyError::NoNumber)?;
        let message = message_name(errand, "sms");
        if !self.claim(&message, Twice::Harmless).await? {
            return Ok(());
        }
        let mobile = personal.form.notice_mobile().as_str();
        self.sms(errand, mobile, template, ("order", number.as_str()), &message)
            .await
    }

    async fn notice_mail(
        &self,
        errand: &Errand,
        order: &Order,
        personal: &Personal,
        notice: Notice,
    ) -> Result<(), NotifyError> {
        let number = order.number.as_ref().ok_or(NotifyError::NoNumber)?;
        let message = message_name(errand, "mail");
        if !self.claim(&message, Twice::Harmless).await? {
            return Ok(());
        }
        let platform = &self.app.platform;
        let text = messages::text(
            notice,
            number,
            order.parcel.as_ref(),
            &platform.settings.public_url,
        );
        let id = provider_id(&message);
        let mail = Mail {
            to: personal.form.notice_email().as_str(),
            subject: &messages::subject(notice, number),
            text: &text,
            attachments: &[],
            id: &id,
        };
        match self.app.mail.send(&mail, platform.now()).await? {
            Ok(()) => self.sent(errand, &message, &id).await,
            // The mailbox does not exist or is full for good; the SMS and the order's page tell the same.
            Err(MailError::Rejected { code }) => {
                warn!(order.id = %errand.order, "a mail of order {} was refused with {code}", errand.order);
                self.sent(errand, &message, "refused").await
            }
            Err(error) => Err(NotifyError::Mail(error)),
        }
    }

    /// Whether the caller is to send the message now.
    pub(crate) async fn claim(&self, message: &str, twice: Twice) -> Result<bool, NotifyError> {
        Ok(self.begin(message, twice).await?.is_some())
    }

    /// When the message was first tried, if the caller is to send it now.
    async fn begin(&self, message: &str, twice: Twice) -> Result<Option<OffsetDateTime>, NotifyError> {
        let now = self.app.platform.now();
        let retry_before = match twice {
            Twice::Harmless => Some(now - RETRY_UNFINISHED_AFTER),
            Twice::Never => None,
        };
        match (
            self.app
                .platform
                .deliveries
                .claim(message, now, retry_before)
                .await?,
            twice,
        ) {
            (Claimed::Mine, _) => Ok(Some(now)),
            (Claimed::Again { first_at }, _) => Ok(Some(first_at)),
            (Claimed::Sent, _) => Ok(None),
            (Claimed::Unfinished { .. }, Twice::Harmless) => Err(NotifyError::InProgress),
            (Claimed::Doubtful { .. }, Twice::Harmless) => Err(NotifyError::Doubtful),
            (Claimed::Unfinished { .. } | Claimed::Doubtful { .. }, Twice::Never) => {
                warn!(message, "{message} is given up: an earlier try may have sent it");
                Ok(None)
            }
        }
    }

    /// Notes that a message was sent.
    pub(crate) async fn sent(
        &self,
        errand: &Errand,
        message: &str,
        receipt: &str,
    ) -> Result<(), NotifyError> {
        self.app.platform.deliveries.sent(message, receipt).await?;
        let (id, effect) = (&errand.order, errand.effect.name());
        info!(order.id = %id, order.version = errand.version, effect, "order {id}: {effect} is done");
        Ok(())
    }

    /// Sends a claimed SMS.
    pub(crate) async fn sms(
        &self,
        errand: &Errand,
        mobile: &str,
        template: Template,
        variable: (&str, &str),
        message: &str,
    ) -> Result<(), NotifyError> {
        let text = TextMessage {
            mobile,
            template,
            variable,
            id: &provider_id(message),
        };
        match self.app.sms.send(text, self.app.platform.now()).await? {
            // The name under which the provider's receipt is found.
            Sending::Sent { provider, number } => {
                self.sent(errand, message, &format!("{provider}#{number}")).await
            }
            Sending::NotSent(failure) => {
                self.app.platform.deliveries.not_sent(message).await?;
                Err(NotifyError::NotSent(Box::new(failure)))
            }
            // A notice to a mobile that is none: no repetition helps, and a mail goes out too.
            Sending::Refused {
                code,
                who: WhoActs::Recipient,
            } if matches!(errand.effect, Effect::SendNotice { .. }) => {
                warn!(order.id = %errand.order, "an SMS of order {} was refused with {code}", errand.order);
                self.sent(errand, message, "refused").await
            }
            Sending::Refused { code, who } => Err(NotifyError::Refused { code, who }),
            // No machine repeats it: the mail tells the same as a notice, and people look after a password.
            Sending::Unknown(doubt) if matches!(errand.effect, Effect::SendNotice { .. }) => {
                warn!(
                    order.id = %errand.order,
                    error = &doubt as &dyn std::error::Error,
                    "whether an SMS of order {} was sent is not known", errand.order
                );
                self.sent(errand, message, "unknown").await
            }
            Sending::Unknown(doubt) => {
                self.app.platform.deliveries.doubtful(message).await?;
                Err(NotifyError::Doubt(Box::new(doubt)))
            }
        }
    }
}

/// The name of one of an errand's messages, the same whenever the errand comes.
pub(crate) fn message_name(errand: &Errand, way: &str) -> String {
    format!("{}#{way}", errand.name())
}

/// The same in letters that providers take.
pub(crate) fn provider_id(message: &str) -> String {
    message.replace('#', "-")
}
