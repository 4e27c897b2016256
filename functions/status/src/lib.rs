//! `status`: tells everybody what became of certificates, in signed answers and lists that `issue` made. It signs nothing and
//! writes nothing.
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use yinxin_lambda::Platform;

mod answer;
mod ocsp;
mod publications;

/// What the handlers share.
#[derive(Clone)]
pub struct App {
    /// The platform.
    pub platform: Platform,
}

impl App {
    /// The function in its deployment. Calls nobody yet.
    pub async fn from_env() -> anyhow::Result<Self> {
        Ok(App {
            platform: Platform::from_env().await?,
        })
    }
}

/// The routes of the function, documented.
pub fn routes(app: App) -> OpenApiRouter {
    documented().with_state(app)
}

/// The documentation of the function's calls.
pub fn openapi() -> utoipa::openapi::OpenApi {
    let mut document = documented().into_openapi();
    // The question is the rest of the address, slashes and all; OpenAPI has no word for that.
    if let Some(item) = document.paths.paths.remove("/api/ocsp/{authority}/{*request}") {
        let path = "/api/ocsp/{authority}/{request}".to_owned();
        document.paths.paths.insert(path, item);
    }
    document
}

fn documented() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(ocsp::ask_by_post))
        .routes(routes!(ocsp::ask_by_get))
        .routes(routes!(publications::list))
        .routes(routes!(publications::authority))
}
