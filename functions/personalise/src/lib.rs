//! The personalise function: what operators' agents need to turn an approved order into a UKey on its way.
//!
//! The request comes from the UKey, the certificates go to it, what was read back confirms them. Every call may be
//! repeated: an agent that lost an answer asks again.
mod orders;
mod requests;
mod ticket_keys;
mod tickets;
mod tokens;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use yinxin_lambda::Platform;

pub use ticket_keys::{PrivateKey, TicketKey, TicketKeys, TicketSecret};

/// What the function works with.
#[derive(Clone)]
pub struct App {
    /// Stores, keys and the clock.
    pub platform: Platform,
    /// What signs tickets, and for which sites.
    pub tickets: TicketKeys,
}

impl App {
    /// The function's world as the environment names it. Calls nobody yet.
    pub async fn from_env() -> anyhow::Result<Self> {
        let platform = Platform::from_env().await?;
        let tickets = TicketKeys::from_env(&platform)?;
        Ok(App { platform, tickets })
    }
}

/// The function's routes with their description.
pub fn routes(app: App) -> OpenApiRouter {
    documented().with_state(app)
}

/// The documentation of the function's calls.
pub fn openapi() -> utoipa::openapi::OpenApi {
    documented().into_openapi()
}

fn documented() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(orders::list))
        .routes(routes!(orders::show))
        .routes(routes!(tickets::issue))
        .routes(routes!(requests::submit_csr))
        .routes(routes!(requests::certificates))
        .routes(routes!(tokens::confirm_written))
        .routes(routes!(tokens::dispatch))
}
