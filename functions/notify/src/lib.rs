//! The notify function: SMS, mail and bank memos to applicants, and the password for who read the memo. Only its role opens
//! one-time codes and passwords.
//!
//! A queue delivers more than once, and a provider may have sent what it did not confirm. So each message is
//! claimed before it is sent and noted after it; what is unfinished is sent again only where twice does no harm, and what
//! the provider left in doubt is not sent again at all. Whether it arrived is told later, by receipts.
mod collecting;
mod invoice;
mod memo_secret;
mod messages;
mod notifying;
mod password;
pub mod ports;
mod receipts;
mod transfer;

use std::sync::Arc;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use yinxin_lambda::Platform;

pub use memo_secret::MemoSecret;
pub use notifying::Notifying;
use ports::{BankBridge, Mails, SmsGateway};

/// What the function works with.
#[derive(Clone)]
pub struct App {
    /// Stores, keys and the clock.
    pub platform: Platform,
    /// Sends SMS.
    pub sms: Arc<dyn SmsGateway>,
    /// Sends mails.
    pub mail: Arc<dyn Mails>,
    /// Makes transfers whose memo carries a secret.
    pub bank: Arc<dyn BankBridge>,
}

impl App {
    /// The function's world as the environment names it. Calls nobody yet.
    pub async fn from_env() -> anyhow::Result<Self> {
        let platform = Platform::from_env().await?;
        Ok(App {
            sms: Arc::new(ports::Sms::from_env(platform.clone())?),
            mail: Arc::new(ports::Smtp::from_env(platform.clone())?),
            bank: Arc::new(ports::Bridge::from_env(platform.clone())?),
            platform,
        })
    }
}

/// The routes of the function, documented.
pub fn routes(app: App) -> OpenApiRouter {
    documented().with_state(app)
}

/// The documentation of the function's calls.
pub fn openapi() -> utoipa::openapi::OpenApi {
    documented().into_openapi()
}

fn documented() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(collecting::collect))
        .routes(routes!(receipts::aliyun_receipts))
        .routes(routes!(receipts::tencent_receipts))
}
