//! The outside as this function needs it, and the clients behind it: set up with the first message.
use std::error::Error;

use async_trait::async_trait;
use time::OffsetDateTime;
use tokio::sync::OnceCell;
use yinxin_lambda::Platform;
use yinxin_lambda::settings::{SettingsError, required};
use yinxin_providers::Secret;
use yinxin_providers::bank::{self, Bank, Memo, OutBizNo, Payee, Submitted, Transfer};
use yinxin_providers::http::{Http, Limits};
use yinxin_providers::mail::{self, Mail, MailError, Mailer};
pub use yinxin_providers::sms::Template;
use yinxin_providers::sms::{self, Gateway, Message, Sending, Urls};

/// What the bank says the transfer is for.
const PURPOSE: &str = "证书口令";

/// The client cannot be set up: a secret or an address is missing or wrong. Nothing was sent.
#[derive(Debug, thiserror::Error)]
#[error("the client of {provider} cannot be set up")]
pub struct NotReady {
    provider: &'static str,
    #[source]
    source: Box<dyn Error + Send + Sync>,
}

impl NotReady {
    /// That the client of `provider` cannot be set up, and why.
    pub fn new(provider: &'static str, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        NotReady {
            provider,
            source: source.into(),
        }
    }
}

/// One SMS.
#[derive(Clone, Copy)]
pub struct TextMessage<'a> {
    /// To whom.
    pub mobile: &'a str,
    /// Which text.
    pub template: Template,
    /// The name and value of its variable.
    pub variable: (&'a str, &'a str),
    /// Our name of the message.
    pub id: &'a str,
}

/// Sends SMS.
#[async_trait]
pub trait SmsGateway: Send + Sync {
    /// Sends one SMS.
    async fn send(&self, message: TextMessage<'_>, now: OffsetDateTime) -> Result<Sending, NotReady>;

    /// The secret part of the address to which the provider pushes its receipts; none where it pushes none.
    async fn receipt_token(&self) -> Result<Option<Secret>, NotReady>;
}

/// Sends mails.
#[async_trait]
pub trait Mails: Send + Sync {
    /// Sends one mail.
    async fn send(&self, mail: &Mail<'_>, now: OffsetDateTime) -> Result<Result<(), MailError>, NotReady>;
}

/// Makes transfers whose memo carries a secret.
#[async_trait]
pub trait BankBridge: Send + Sync {
    /// Asks for a transfer; the same number is paid once.
    async fn submit(
        &self,
        number: &OutBizNo,
        payee: Payee<'_>,
        memo: &Memo,
        now: OffsetDateTime,
    ) -> Result<Submitted, NotReady>;

    /// What became of a transfer.
    async fn query(&self, number: &OutBizNo, now: OffsetDateTime) -> Result<Transfer, NotReady>;
}

/// A client that is made with its first use, because its secret costs a call.
struct Lazy<T> {
    platform: Platform,
    secret_id: String,
    client: OnceCell<T>,
}

impl<T> Lazy<T> {
    fn from_env(platform: Platform, secret: &str) -> Result<Self, SettingsError> {
        Ok(Lazy {
            platform,
            secret_id: required(secret)?,
            client: OnceCell::new(),
        })
    }

    async fn client<A: serde::de::DeserializeOwned>(
        &self,
        provider: &'static str,
        make: impl FnOnce(A) -> Result<T, Box<dyn Error + Send + Sync>>,
    ) -> Result<&T, NotReady> {
        let client = self.client.get_or_try_init(|| async {
            let account = self.platform.secret::<A>(&self.secret_id).await?;
            make(account)
        });
        client.await.map_err(|source| NotReady::new(provider, source))
    }
}

/// SMS by the provider that the secret names.
pub struct Sms {
    urls: Urls,
    lazy: Lazy<SmsAccount>,
}

struct SmsAccount {
    gateway: Box<dyn Gateway>,
    receipt_token: Option<Secret>,
}

impl Sms {
    /// The gateways as the environment names them.
    pub fn from_env(platform: Platform) -> Result<Self, SettingsError> {
        Ok(Sms {
            urls: Urls {
                aliyun: required("SMS_URL")?,
                tencent: required("TENCENT_SMS_URL")?,
            },
            lazy: Lazy::from_env(platform, "SMS_SECRET_ID")?,
        })
    }

    async fn account(&self) -> Result<&SmsAccount, NotReady> {
        self.lazy
            .client("the SMS gateway", |account: sms::Account| {
                Ok(SmsAccount {
                    receipt_token: account.receipt_token.clone(),
                    gateway: sms::gateway(account, &self.urls, Limits::default())?,
                })
            })
            .await
    }
}

#[async_trait]
impl SmsGateway for Sms {
    async fn send(&self, message: TextMessage<'_>, now: OffsetDateTime) -> Result<Sending, NotReady> {
        let message = Message {
            mobile: message.mobile,
            template: message.template,
            variables: &[message.variable],
            out_id: message.id,
        };
        Ok(self.account().await?.gateway.send(&message, now).await)
    }

    async fn receipt_token(&self) -> Result<Option<Secret>, NotReady> {
        Ok(self.account().await?.receipt_token.clone())
    }
}

/// Mail by SMTP.
pub struct Smtp(Lazy<Mailer>);

impl Smtp {
    /// The server as the environment's secret names it.
    pub fn from_env(platform: Platform) -> Result<Self, SettingsError> {
        Lazy::from_env(platform, "SMTP_SECRET_ID").map(Smtp)
    }
}

#[async_trait]
impl Mails for Smtp {
    async fn send(&self, mail: &Mail<'_>, now: OffsetDateTime) -> Result<Result<(), MailError>, NotReady> {
        let mailer = self
            .0
            .client("the mail server", |account: mail::Account| {
                Ok(Mailer::new(account)?)
            })
            .await?;
        Ok(mailer.send(mail, now).await)
    }
}

/// Transfers by the bank bridge.
pub struct Bridge {
    url: String,
    lazy: Lazy<Bank>,
}

impl Bridge {
    /// The bridge as the environment names it.
    pub fn from_env(platform: Platform) -> Result<Self, SettingsError> {
        Ok(Bridge {
            url: required("BANK_URL")?,
            lazy: Lazy::from_env(platform, "BANK_SECRET_ID")?,
        })
    }

    async fn bank(&self) -> Result<&Bank, NotReady> {
        self.lazy
            .client("the bank bridge", |client: bank::Client| {
                Ok(Bank::new(client, &self.url, Http::new("bank")?)?)
            })
            .await
    }
}

#[async_trait]
impl BankBridge for Bridge {
    async fn submit(
        &self,
        number: &OutBizNo,
        payee: Payee<'_>,
        memo: &Memo,
        now: OffsetDateTime,
    ) -> Result<Submitted, NotReady> {
        let bank = self.bank().await?;
        Ok(bank.submit(number, payee, memo, PURPOSE, now).await)
    }

    async fn query(&self, number: &OutBizNo, now: OffsetDateTime) -> Result<Transfer, NotReady> {
        Ok(self.bank().await?.query(number, now).await)
    }
}
