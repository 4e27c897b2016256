//! `payment`: starts attempts to pay, takes the provider's notifications, and does refunds, closings and queries.
//!
//! Money is credited in one place, `credit`, whoever tells of it.
use std::sync::Arc;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use yinxin_lambda::Platform;

mod cashier;
mod credit;
mod errands;
mod inbox;
mod notification;
mod qr;
pub mod reconcile;
mod start;

pub use cashier::Cashier;
pub use errands::Errands;
pub use inbox::{Inbox, Letter, NotKept, SqsInbox};

/// What the handlers share.
#[derive(Clone)]
pub struct App {
    /// The platform.
    pub platform: Platform,
    /// The ways to the payment providers.
    pub cashier: Cashier,
    /// Keeps notifications until they are credited.
    pub inbox: Arc<dyn Inbox>,
}

impl App {
    /// The function in its deployment. Calls nobody yet.
    pub async fn from_env() -> anyhow::Result<Self> {
        let platform = Platform::from_env().await?;
        Ok(App {
            cashier: Cashier::from_env(&platform)?,
            inbox: Arc::new(SqsInbox::from_env().await?),
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
        .routes(routes!(start::start_payment))
        .routes(routes!(notification::notify_alipay))
        .routes(routes!(notification::notify_wechat))
}
