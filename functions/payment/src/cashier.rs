//! The ways to the payment providers: a client is made with the first request that needs it, from the deployment's secret.
use std::sync::Arc;

use tokio::sync::OnceCell;
use tracing::error;
use yinxin_lambda::platform::SecretError;
use yinxin_lambda::problem::Code;
use yinxin_lambda::settings::{SettingsError, required};
use yinxin_lambda::{Platform, Problem};
use yinxin_order::identifiers::Fen;
use yinxin_order::order::Order;
use yinxin_order::payment::Provider;
use yinxin_providers::alipay::{self, Alipay};
use yinxin_providers::http::{Http, SetupError};
use yinxin_providers::payments::PaymentGateway;
use yinxin_providers::wechat::{self, WechatPay};

/// Where the notifications of a provider arrive, below the public URL.
pub fn notify_path(provider: Provider) -> String {
    format!("/api/notify/{}", provider.as_str())
}

/// The ways to the payment providers.
#[derive(Clone)]
pub struct Cashier {
    alipay: Arc<Way>,
    wechat: Arc<Way>,
}

struct Way {
    provider: Provider,
    url: String,
    notify_url: String,
    secret_id: String,
    gateway: OnceCell<Arc<dyn PaymentGateway>>,
}

/// A provider cannot be asked: the deployment has to be put right.
#[derive(Debug, thiserror::Error)]
pub enum CashierError {
    /// The deployment has no contract with this provider.
    #[error("this deployment takes no payments through {}", .0.as_str())]
    NotOffered(Provider),
    /// The secret is missing or not of the documented form.
    #[error("the secret of the payment provider cannot be used")]
    Secret(#[from] SecretError),
    /// A key in the secret cannot be read.
    #[error("a key of the payment provider cannot be used")]
    Key(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The HTTP client cannot be made.
    #[error("the provider cannot be called")]
    Http(#[from] SetupError),
}

impl From<CashierError> for Problem {
    fn from(error: CashierError) -> Self {
        if matches!(error, CashierError::NotOffered(_)) {
            return Problem::new(Code::PaymentProviderNotOffered);
        }
        error!(
            error = &error as &dyn std::error::Error,
            "the payment provider cannot be asked"
        );
        Problem::new(Code::Internal)
    }
}

impl Cashier {
    /// The ways that the environment names. Calls nobody yet.
    pub fn from_env(platform: &Platform) -> Result<Self, SettingsError> {
        let way = |provider, url: &str, secret: &str| {
            Ok(Arc::new(Way {
                provider,
                url: required(url)?,
                notify_url: format!("{}{}", platform.settings.public_url, notify_path(provider)),
                secret_id: required(secret)?,
                gateway: OnceCell::new(),
            }))
        };
        Ok(Cashier {
            alipay: way(Provider::Alipay, "ALIPAY_GATEWAY_URL", "ALIPAY_SECRET_ID")?,
            wechat: way(Provider::Wechat, "WECHAT_URL", "WECHAT_SECRET_ID")?,
        })
    }

    /// The ways that ready clients go.
    pub fn of(alipay: Arc<dyn PaymentGateway>, wechat: Arc<dyn PaymentGateway>) -> Self {
        let way = |provider, gateway| {
            Arc::new(Way {
                provider,
                url: String::new(),
                notify_url: String::new(),
                secret_id: String::new(),
                gateway: OnceCell::new_with(Some(gateway)),
            })
        };
        Cashier {
            alipay: way(Provider::Alipay, alipay),
            wechat: way(Provider::Wechat, wechat),
        }
    }

    /// The client of `provider`.
    pub(crate) async fn gateway(
        &self,
        platform: &Platform,
        provider: Provider,
    ) -> Result<Arc<dyn PaymentGateway>, CashierError> {
        let way = match provider {
            Provider::Alipay => &self.alipay,
            Provider::Wechat => &self.wechat,
        };
        way.gateway
            .get_or_try_init(|| way.client(platform))
            .await
            .cloned()
    }
}

impl Way {
    async fn client(&self, platform: &Platform) -> Result<Arc<dyn PaymentGateway>, CashierError> {
        let values: serde_json::Value = platform.secret(&self.secret_id).await?;
        // As the stack makes it: nobody has filled it in.
        if values.as_object().is_some_and(serde_json::Map::is_empty) {
            return Err(CashierError::NotOffered(self.provider));
        }
        // serde's message may quote the value.
        let form = || SecretError::Form(self.secret_id.clone());
        let http = Http::new(self.provider.as_str())?;
        Ok(match self.provider {
            Provider::Alipay => {
                let config = alipay::Config {
                    merchant: serde_json::from_value(values).map_err(|_| form())?,
                    gateway_url: self.url.clone(),
                    notify_url: self.notify_url.clone(),
                };
                Arc::new(
                    Alipay::new(config, http, platform.now())
                        .map_err(|error| CashierError::Key(error.into()))?,
                )
            }
            Provider::Wechat => {
                let config = wechat::Config {
                    merchant: serde_json::from_value(values).map_err(|_| form())?,
                    base_url: self.url.clone(),
                    notify_url: self.notify_url.clone(),
                };
                Arc::new(WechatPay::new(config, http).map_err(|error| CashierError::Key(error.into()))?)
            }
        })
    }
}

/// What the provider needs to know of one attempt of a numbered order.
#[derive(Debug, Clone)]
pub(crate) struct Trade {
    /// Who takes the money.
    pub(crate) provider: Provider,
    /// Our number of it at the provider.
    pub(crate) out_trade_no: String,
    /// What is to be paid.
    pub(crate) amount: Fen,
}

impl Trade {
    /// The trade of `attempt`, if the order has it.
    pub(crate) fn of(order: &Order, attempt: u8) -> Option<Self> {
        let payment = order.payment(attempt)?;
        Some(Trade {
            provider: payment.provider,
            out_trade_no: order.out_trade_no(attempt)?,
            amount: payment.amount,
        })
    }
}
