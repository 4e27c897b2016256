//! The query function: reads for holders and for the registration platform.
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use yinxin_lambda::Platform;

mod application_form;
mod catalog;
mod health;
mod intakes;
mod invoice;
mod orders;

/// What the handlers need.
#[derive(Clone)]
pub struct App {
    /// Stores, keys, clock.
    pub platform: Platform,
}

impl App {
    /// The function in AWS, as the environment names it. Calls nobody yet.
    pub async fn from_env() -> anyhow::Result<Self> {
        Ok(App {
            platform: Platform::from_env().await?,
        })
    }
}

/// The routes, documented.
pub fn routes(app: App) -> OpenApiRouter {
    documented().with_state(app)
}

/// The documentation of the function's calls.
pub fn openapi() -> utoipa::openapi::OpenApi {
    documented().into_openapi()
}

fn documented() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(health::health))
        .routes(routes!(catalog::vendors))
        .routes(routes!(orders::order))
        .routes(routes!(application_form::application_form))
        .routes(routes!(invoice::invoice))
        .routes(routes!(intakes::orders_of_intake))
}
