//! Whether the function answers, and which version it is.
use serde::Serialize;
use utoipa::ToSchema;
use yinxin_lambda::Json;

/// How the function is.
#[derive(Serialize, ToSchema)]
pub struct Health {
    /// Always `ok`.
    #[schema(example = "ok")]
    status: &'static str,
    /// The platform's version.
    version: &'static str,
}

/// Says that the function answers; asks nobody else.
#[utoipa::path(get, path = "/api/health", tag = "platform", responses((status = 200, body = Health)))]
pub async fn health() -> Json<Health> {
    Json(Health {
        status: "ok",
        version: env!("CARGO_PKG_VERSION"),
    })
}
