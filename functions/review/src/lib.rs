//! `review`: a vendor's officers see the orders that wait for them, look at one, approve it or send it back, look after invoices that
//! no provider issues, revoke what was issued, and have a password sent again; two of them recover a holder's encryption key to a new token.
use axum::extract::DefaultBodyLimit;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use yinxin_lambda::Platform;

mod decision;
mod holders;
mod invoice;
mod order;
mod password;
mod queue;
mod recoveries;
mod recovery_view;
mod revocation;

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
    documented().into_openapi()
}

fn documented() -> OpenApiRouter<App> {
    let uploads = OpenApiRouter::new()
        .routes(routes!(invoice::upload))
        .layer(DefaultBodyLimit::max(invoice::MAX_UPLOAD_BYTES));
    OpenApiRouter::new()
        .routes(routes!(queue::waiting))
        .routes(routes!(order::show))
        .routes(routes!(decision::approve))
        .routes(routes!(decision::reject))
        .routes(routes!(invoice::retry))
        .merge(uploads)
        .routes(routes!(revocation::revoke))
        .routes(routes!(password::resend))
        .routes(routes!(recoveries::request))
        .routes(routes!(recoveries::show))
        .routes(routes!(recoveries::approve))
        .routes(routes!(recoveries::reject))
        .routes(routes!(holders::keys))
}
