//! `payment`: starts attempts to pay, takes the provider's notifications, and does refunds, closings and queries.
//!
//! Money is credited in one place, `credit`, whoever tells of it.
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use yinxin_lambda::Platform;

mod cashier;
mod credit;
mod errands;
mod notification;
mod qr;
mod start;

pub use cashier::Cashier;
pub use errands::Errands;

/// What the handlers share.
#[derive(Clone)]
pub struct App {
    /// The platform.
    pub platform: Platform,
    /// The way to the payment provider.
    pub cashier: Cashier,
}

impl App {
    /// The function in its deployment. Calls nobody yet.
    pub async fn from_env() -> anyhow::Result<Self> {
        let platform = Platform::from_env().await?;
        let cashier = Cashier::from_env(&platform)?;
        Ok(App { platform, cashier })
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
}
