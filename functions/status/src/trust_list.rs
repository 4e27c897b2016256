//! The trust list and the platform's root.
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use yinxin_ca::trust_list::StoredTrustList;
use yinxin_lambda::Problem;
use yinxin_lambda::problem::Code;
use yinxin_store::StoreError;
use yinxin_store::authorities::TRUST_LIST;

use crate::App;
use crate::answer::Signed;

/// All vendors' CAs with their status, signed by the platform.
#[utoipa::path(
    get,
    path = "/api/trust-list",
    tag = "status",
    responses(
        (status = 200, body = Vec<u8>, content_type = "application/pkcs7-mime", description = "GM/T 0010 `SignedData` around JSON"),
        (status = 304, description = "The caller has this list"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "`no-such-publication`"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "`busy`"),
    )
)]
pub(crate) async fn list(State(app): State<App>, headers: HeaderMap) -> Result<Response, Problem> {
    let stored = stored(&app).await?;
    let signed = Signed {
        bytes: stored.published,
        content_type: "application/pkcs7-mime",
        this_update: stored.list.issued_at,
        next_update: stored.list.next_update,
    };
    Ok(signed.respond(&headers, app.platform.now()))
}

/// The platform's root, to be compared with the one that a trading system was given another way.
#[utoipa::path(
    get,
    path = "/api/trust-list/root.cer",
    tag = "status",
    responses(
        (status = 200, body = Vec<u8>, content_type = "application/pkix-cert"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "`no-such-publication`"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "`busy`"),
    )
)]
pub(crate) async fn root(State(app): State<App>) -> Result<Response, Problem> {
    let headers = [
        (CONTENT_TYPE, "application/pkix-cert"),
        (CACHE_CONTROL, "public, max-age=300"),
    ];
    Ok((headers, stored(&app).await?.root).into_response())
}

/// What was published last; nothing before the first publication.
async fn stored(app: &App) -> Result<StoredTrustList, Problem> {
    let missing = || Problem::new(Code::NoSuchPublication);
    let json = app.platform.authorities.trust_list(TRUST_LIST).await?;
    let json = json.ok_or_else(missing)?;
    let stored: StoredTrustList = serde_json::from_str(&json)
        .map_err(|_| StoreError::Corrupt("the stored trust list cannot be read".to_owned()))?;
    if stored.published.is_empty() {
        return Err(missing());
    }
    Ok(stored)
}
