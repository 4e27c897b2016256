//! The way to Alipay: its client is made with the first request that needs it, from the deployment's secret.
use std::sync::Arc;

use tokio::sync::OnceCell;
use tracing::error;
use yinxin_lambda::platform::SecretError;
use yinxin_lambda::problem::Code;
use yinxin_lambda::settings::{SettingsError, required};
use yinxin_lambda::{Platform, Problem};
use yinxin_order::identifiers::Fen;
use yinxin_order::order::Order;
use yinxin_providers::alipay::{Alipay, Config, KeyError, Merchant};
use yinxin_providers::http::{Http, SetupError};

/// Where Alipay's notifications arrive, below the public URL.
pub const NOTIFY_PATH: &str = "/api/notify/alipay";

/// The way to the payment provider.
#[derive(Clone)]
pub struct Cashier {
    gateway_url: String,
    notify_url: String,
    secret_id: String,
    alipay: Arc<OnceCell<Alipay>>,
}

/// The provider cannot be asked: the deployment has to be put right.
#[derive(Debug, thiserror::Error)]
pub enum CashierError {
    /// The secret is missing or not of the documented form.
    #[error("the secret of the payment provider cannot be used")]
    Secret(#[from] SecretError),
    /// A key in the secret cannot be read.
    #[error("a key of the payment provider cannot be used")]
    Key(#[from] KeyError),
    /// The HTTP client cannot be made.
    #[error("the provider cannot be called")]
    Http(#[from] SetupError),
}

impl From<CashierError> for Problem {
    fn from(error: CashierError) -> Self {
        error!(
            error = &error as &dyn std::error::Error,
            "the payment provider cannot be asked"
        );
        Problem::new(Code::Internal)
    }
}

impl Cashier {
    /// The way that the environment names. Calls nobody yet.
    pub fn from_env(platform: &Platform) -> Result<Self, SettingsError> {
        Ok(Cashier {
            gateway_url: required("ALIPAY_GATEWAY_URL")?,
            notify_url: format!("{}{NOTIFY_PATH}", platform.settings.public_url),
            secret_id: required("ALIPAY_SECRET_ID")?,
            alipay: Arc::default(),
        })
    }

    /// The way that a ready client goes.
    pub fn of(alipay: Alipay) -> Self {
        Cashier {
            gateway_url: String::new(),
            notify_url: String::new(),
            secret_id: String::new(),
            alipay: Arc::new(OnceCell::new_with(Some(alipay))),
        }
    }

    /// The client.
    pub(crate) async fn alipay(&self, platform: &Platform) -> Result<&Alipay, CashierError> {
        let made = self.alipay.get_or_try_init(|| async {
            let merchant: Merchant = platform.secret(&self.secret_id).await?;
            let config = Config {
                merchant,
                gateway_url: self.gateway_url.clone(),
                notify_url: self.notify_url.clone(),
            };
            Ok(Alipay::new(config, Http::new("alipay")?)?)
        });
        made.await
    }
}

/// What the provider needs to know of one attempt of a numbered order.
#[derive(Debug, Clone)]
pub(crate) struct Trade {
    /// Our number of it at the provider.
    pub(crate) out_trade_no: String,
    /// What is to be paid.
    pub(crate) amount: Fen,
}

impl Trade {
    /// The trade of `attempt`, if the order has it.
    pub(crate) fn of(order: &Order, attempt: u8) -> Option<Self> {
        Some(Trade {
            out_trade_no: order.out_trade_no(attempt)?,
            amount: order.payment(attempt)?.amount,
        })
    }

    /// The number of the trade's only refund: the same whenever it is asked for, so that money goes back once.
    pub(crate) fn refund_no(&self) -> String {
        format!("{}R", self.out_trade_no)
    }
}
