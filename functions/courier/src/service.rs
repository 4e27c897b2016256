//! The way to the courier service: its client is made with the first use, from the deployment's secret.
use std::sync::Arc;

use tokio::sync::OnceCell;
use tracing::error;
use yinxin_lambda::platform::SecretError;
use yinxin_lambda::problem::Code;
use yinxin_lambda::settings::{SettingsError, required};
use yinxin_lambda::{Platform, Problem};
use yinxin_order::identifiers::OrderId;
use yinxin_order::order::Order;
use yinxin_providers::courier::{Account, Carrier, ConfigError, Courier, Kuaidi100, Parcel};
use yinxin_providers::http::{Http, SetupError};

/// Where the service's messages about an order arrive, below the public URL.
const CALLBACK_PATH: &str = "/api/notify/courier/kuaidi100";

/// The way to the courier service.
#[derive(Clone)]
pub struct Service {
    url: String,
    secret_id: String,
    courier: Arc<OnceCell<Option<Arc<dyn Courier>>>>,
}

/// The service cannot be asked: the deployment has to be put right.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// The secret is missing or not of the documented form.
    #[error("the secret of the courier service cannot be used")]
    Secret(#[from] SecretError),
    /// The address or a key cannot be used.
    #[error("the courier service's configuration cannot be used")]
    Config(#[from] ConfigError),
    /// The HTTP client cannot be made.
    #[error("the courier service cannot be called")]
    Http(#[from] SetupError),
}

impl From<ServiceError> for Problem {
    fn from(error: ServiceError) -> Self {
        let error = &error as &dyn std::error::Error;
        error!(error, "the courier service cannot be used");
        Problem::new(Code::Internal)
    }
}

impl Service {
    /// The way that the environment names. Calls nobody yet.
    pub fn from_env() -> Result<Self, SettingsError> {
        Ok(Service {
            url: required("KUAIDI100_URL")?,
            secret_id: required("COURIER_SECRET_ID")?,
            courier: Arc::default(),
        })
    }

    /// The way of an account at `url`.
    pub fn of(account: Account, url: &str) -> Result<Self, ServiceError> {
        let courier = courier(account, url)?;
        Ok(Service {
            url: url.to_owned(),
            secret_id: String::new(),
            courier: Arc::new(OnceCell::new_with(Some(courier))),
        })
    }

    /// The client; `None` where the deployment has parcels followed by hand.
    pub(crate) async fn courier(&self, platform: &Platform) -> Result<Option<&dyn Courier>, ServiceError> {
        let made = self.courier.get_or_try_init(|| async {
            let account = platform.secret(&self.secret_id).await?;
            courier(account, &self.url)
        });
        Ok(made.await?.as_deref())
    }
}

fn courier(account: Account, url: &str) -> Result<Option<Arc<dyn Courier>>, ServiceError> {
    Ok(match account {
        Account::Manual => None,
        Account::Kuaidi100(customer) => {
            let client = Kuaidi100::new(customer, url, Http::new("kuaidi100")?)?;
            Some(Arc::new(client))
        }
    })
}

/// The order's parcel as the service is asked about it; `None` where there is none, nobody to receive it any more, or
/// a courier that the service does not know.
pub(crate) fn parcel_of(order: &Order) -> Option<Parcel<'_>> {
    let parcel = order.parcel.as_ref()?;
    Some(Parcel {
        order: order.id.as_str(),
        carrier: Carrier::find(&parcel.carrier)?,
        waybill: &parcel.waybill,
        mobile: order.personal.as_ref()?.form.notice_mobile().as_str(),
    })
}

pub(crate) fn callback_url(platform: &Platform, order: &OrderId) -> String {
    format!("{}{CALLBACK_PATH}/{order}", platform.settings.public_url)
}
