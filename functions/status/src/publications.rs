//! Revocation lists and CA certificates.
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use yinxin_lambda::Problem;
use yinxin_lambda::problem::Code;
use yinxin_store::StoreError;
use yinxin_store::publications::Publication;
use yinxin_store::statuses::ListKey;

use crate::App;
use crate::answer::Signed;

/// The newest revocation list of a shard.
#[utoipa::path(
    get,
    path = "/api/crl/{authority}/{list}",
    tag = "status",
    params(
        ("authority" = String, Path, description = "The issuing CA's subject key identifier, lower-case hexadecimal"),
        ("list" = String, Path, description = "The shard's number and `.crl`, as certificates name it"),
    ),
    responses(
        (status = 200, body = Vec<u8>, content_type = "application/pkix-crl"),
        (status = 304, description = "The caller has this list"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "`no-such-publication`"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "`busy`"),
    )
)]
pub(crate) async fn list(
    State(app): State<App>,
    Path((authority, list)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let missing = || Problem::new(Code::NoSuchPublication);
    let shard = list
        .strip_suffix(".crl")
        .filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))
        .and_then(|digits| digits.parse().ok())
        .ok_or_else(missing)?;
    let authority = identifier(&authority).ok_or_else(missing)?;
    let key = ListKey { authority, shard };
    let platform = &app.platform;
    let published = platform.lists.published(&key).await?.ok_or_else(missing)?;
    let object = Publication::List(key, published.number);
    let bytes = platform.publications.get(&object).await?;
    let bytes = bytes.ok_or_else(|| StoreError::Corrupt("a published list has no bytes".to_owned()))?;
    let signed = Signed {
        bytes,
        content_type: object.content_type(),
        this_update: published.this_update,
        next_update: published.next_update,
    };
    Ok(signed.respond(&headers, platform.now()))
}

/// The certificate of an issuing CA.
#[utoipa::path(
    get,
    path = "/api/ca/{certificate}",
    tag = "status",
    params(("certificate" = String, Path, description = "The CA's subject key identifier, lower-case hexadecimal, and `.cer`")),
    responses(
        (status = 200, body = Vec<u8>, content_type = "application/pkix-cert"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "`no-such-publication`"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "`busy`"),
    )
)]
pub(crate) async fn authority(
    State(app): State<App>,
    Path(certificate): Path<String>,
) -> Result<Response, Problem> {
    let missing = || Problem::new(Code::NoSuchPublication);
    let authority = certificate
        .strip_suffix(".cer")
        .and_then(identifier)
        .ok_or_else(missing)?;
    let object = Publication::Authority(authority);
    let bytes = app
        .platform
        .publications
        .get(&object)
        .await?
        .ok_or_else(missing)?;
    // A CA's certificate never changes.
    let headers = [
        (CONTENT_TYPE, object.content_type()),
        (CACHE_CONTROL, "public, max-age=86400, immutable"),
    ];
    Ok((headers, bytes).into_response())
}

/// A key identifier as addresses name it. Nothing else becomes part of an object's name.
fn identifier(text: &str) -> Option<String> {
    let is_hex = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    (is_hex && (2..=64).contains(&text.len())).then(|| text.to_owned())
}
