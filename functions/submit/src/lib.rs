//! The submit function: orders from the intake to the applicant's signature.
use std::sync::Arc;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use yinxin_lambda::Platform;
use yinxin_lambda::settings::required;
use yinxin_order::command::Actor;
use yinxin_providers::identity::{IdentityChecks, Urls};

mod captchas;
mod codes;
mod create;
mod identity;
mod intakes;
mod moves;
mod provider;

pub use intakes::{IntakeValues, RequestType};

/// What the handlers need.
#[derive(Clone)]
pub struct App {
    /// Stores, keys, clock.
    pub platform: Platform,
    /// Who checks identities.
    pub identity: Arc<dyn IdentityChecks>,
}

impl App {
    /// The function in AWS, as the environment names it. Calls nobody yet.
    pub async fn from_env() -> anyhow::Result<Self> {
        let platform = Platform::from_env().await?;
        let identity = provider::LazyIdentityChecks::new(
            platform.clone(),
            required("IDENTITY_SECRET_ID")?,
            Urls {
                cloudauth: required("CLOUDAUTH_URL")?,
                faceid: required("FACEID_URL")?,
            },
        );
        Ok(App {
            platform,
            identity: Arc::new(identity),
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
        .routes(routes!(captchas::create_captcha))
        .routes(routes!(intakes::create_intake))
        .routes(routes!(create::create_order))
        .routes(routes!(moves::edit_form))
        .routes(routes!(moves::confirm))
        .routes(routes!(moves::resubmit))
        .routes(routes!(moves::cancel))
        .routes(routes!(moves::confirm_receipt))
        .routes(routes!(codes::send_code))
        .routes(routes!(codes::sign))
}

/// Who acts in all calls with an order's access token.
const APPLICANT: Actor = Actor::Applicant;
