//! `courier`: has a service tell where mailed UKeys are, takes its messages, and tells the applicant.
//!
//! A parcel that was signed for is not a receipt: a neighbour or a mail room may have signed.
use axum::extract::DefaultBodyLimit;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use yinxin_lambda::Platform;

mod errands;
mod push;
mod recording;
mod service;
mod whereabouts;

pub use errands::Errands;
pub use service::Service;

/// What the handlers share.
#[derive(Clone)]
pub struct App {
    /// The platform.
    pub platform: Platform,
    /// The way to the courier service.
    pub service: Service,
}

impl App {
    /// The function in its deployment. Calls nobody yet.
    pub async fn from_env() -> anyhow::Result<Self> {
        let platform = Platform::from_env().await?;
        let service = Service::from_env()?;
        Ok(App { platform, service })
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
    let pushes = OpenApiRouter::new()
        .routes(routes!(push::notify_kuaidi100))
        .layer(DefaultBodyLimit::max(push::MAX_PUSH_BYTES));
    OpenApiRouter::new()
        .routes(routes!(whereabouts::show_parcel))
        .merge(pushes)
}
