//! Status on request (RFC 6960, RFC 5019): the answer that was signed for the certificate before anybody asked.
//!
//! Nonces are not answered: an answer signed before the question cannot bear one (RFC 9654, 2.1 lets a responder leave it out).
use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, PathRejection};
use axum::extract::{Path, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use tracing::{error, info};
use yinxin_lambda::telemetry::causes;
use yinxin_pki::ocsp::{CertId, OcspHash, OcspRequest, OcspResponse, ResponseStatus, error_response};
use yinxin_store::StoreError;
use yinxin_store::statuses::CertificateKey;

use crate::App;
use crate::answer::Signed;

/// The largest question that is read: one certificate needs about a hundred bytes, a signature or a nonce some more.
const MAX_QUESTION_BYTES: usize = 4 * 1024;
const CONTENT: &str = "application/ocsp-response";

/// Padding may be there or not: it is lost on the way of many an address.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Answers a question in the body.
#[utoipa::path(
    post,
    path = "/api/ocsp/{authority}",
    tag = "status",
    params(("authority" = String, Path, description = "The issuing CA's subject key identifier, lower-case hexadecimal")),
    request_body(content = Vec<u8>, content_type = "application/ocsp-request"),
    responses(
        (status = 200, body = Vec<u8>, content_type = "application/ocsp-response", description = "A signed answer, or an unsigned error of RFC 6960: `malformedRequest`, `tryLater`, `unauthorized`, `internalError`"),
        (status = 404, body = yinxin_lambda::Problem, content_type = "application/problem+json", description = "`no-such-route`"),
    )
)]
pub(crate) async fn ask_by_post(
    State(app): State<App>,
    Path(authority): Path<String>,
    headers: HeaderMap,
    question: Result<Bytes, BytesRejection>,
) -> Response {
    match question {
        Ok(question) => answer(&app, &authority, &question, &headers).await,
        Err(_) => refused(ResponseStatus::MalformedRequest),
    }
}

/// Answers a question in the address (RFC 6960, A.1): base64, and that percent-encoded or not.
#[utoipa::path(
    get,
    path = "/api/ocsp/{authority}/{*request}",
    tag = "status",
    params(
        ("authority" = String, Path, description = "The issuing CA's subject key identifier, lower-case hexadecimal"),
        ("request" = String, Path, description = "The base64 of a DER `OCSPRequest`, percent-encoded"),
    ),
    responses(
        (status = 200, body = Vec<u8>, content_type = "application/ocsp-response", description = "As by POST"),
        (status = 304, description = "The caller has this answer"),
        (status = 404, body = yinxin_lambda::Problem, content_type = "application/problem+json", description = "`no-such-route`"),
    )
)]
pub(crate) async fn ask_by_get(
    State(app): State<App>,
    question: Result<Path<(String, String)>, PathRejection>,
    headers: HeaderMap,
) -> Response {
    let Ok(Path((authority, question))) = question else {
        return refused(ResponseStatus::MalformedRequest);
    };
    // Some gateways decode an address before they hand it on, some do not, and a plus sign may have become a space.
    let question = question
        .replace("%2B", "+")
        .replace("%2F", "/")
        .replace("%3D", "=");
    let question = question
        .replace("%2b", "+")
        .replace("%2f", "/")
        .replace("%3d", "=");
    match BASE64.decode(question.replace(' ', "+")) {
        Ok(question) => answer(&app, &authority, &question, &headers).await,
        Err(_) => refused(ResponseStatus::MalformedRequest),
    }
}

async fn answer(app: &App, authority: &str, question: &[u8], headers: &HeaderMap) -> Response {
    if question.len() > MAX_QUESTION_BYTES {
        return refused(ResponseStatus::MalformedRequest);
    }
    let Ok(request) = OcspRequest::from_der(question) else {
        return refused(ResponseStatus::MalformedRequest);
    };
    // Answers are made for one certificate each (RFC 5019, 2.1.1).
    let ([asked], false) = (request.cert_ids(), request.unknown_critical()) else {
        return refused(ResponseStatus::Unauthorized);
    };
    match stored(app, authority, asked).await {
        Ok(Ok(signed)) => signed.respond(headers, app.platform.now()),
        Ok(Err(status)) => refused(status),
        Err(failure) => {
            error!(error = causes(&failure), "a status cannot be read");
            refused(match failure {
                StoreError::Unavailable(_) | StoreError::Conflict => ResponseStatus::TryLater,
                _ => ResponseStatus::InternalError,
            })
        }
    }
}

/// The answer that was signed for the certificate, if it still holds.
async fn stored(
    app: &App,
    authority: &str,
    asked: &CertId,
) -> Result<Result<Signed, ResponseStatus>, StoreError> {
    let now = app.platform.now();
    let hash = match OcspHash::from_oid(asked.hash_algorithm()) {
        Some(OcspHash::Sha1) => "sha1",
        Some(OcspHash::Sha256) => "sha256",
        Some(OcspHash::Sm3) => "sm3",
        None => return Ok(Err(ResponseStatus::Unauthorized)),
    };
    let serial = asked.serial_content();
    let key = CertificateKey {
        authority: authority.to_owned(),
        // As the store names it: without the octet that only keeps the number positive.
        serial: hex::encode(match serial {
            [0, rest @ ..] if !rest.is_empty() => rest,
            serial => serial,
        }),
    };
    if !is_plausible(&key) {
        return Ok(Err(ResponseStatus::Unauthorized));
    }
    let Some(status) = app.platform.statuses.status(&key).await? else {
        return Ok(Err(ResponseStatus::Unauthorized));
    };
    let ended = status.not_after < now;
    let Some(mut answers) = status.answers.filter(|answers| answers.next_update > now) else {
        // Nobody answers for a certificate that has ended; of the others an answer is being signed.
        return Ok(Err(if ended {
            ResponseStatus::Unauthorized
        } else {
            ResponseStatus::TryLater
        }));
    };
    let Some(bytes) = answers.by_hash.remove(hash) else {
        return Ok(Err(ResponseStatus::Unauthorized));
    };
    // The question names the issuer by digests of its name and key: they have to be those of the answer.
    let is_about = OcspResponse::from_der(&bytes)
        .ok()
        .and_then(|response| response.basic)
        .is_some_and(|basic| basic.responses().iter().any(|single| single.cert_id == *asked));
    if !is_about {
        return Ok(Err(ResponseStatus::Unauthorized));
    }
    Ok(Ok(Signed {
        bytes,
        content_type: CONTENT,
        this_update: answers.this_update,
        next_update: answers.next_update,
    }))
}

/// Whether a store has to be asked at all: key identifiers and serial numbers have a length.
fn is_plausible(key: &CertificateKey) -> bool {
    let is_hex = |text: &str, most: usize| {
        (1..=most).contains(&text.len()) && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    };
    // RFC 5280, 4.1.2.2: at most 20 octets.
    is_hex(&key.authority, 64) && is_hex(&key.serial, 40)
}

/// An error without a signature; never kept by anybody.
fn refused(status: ResponseStatus) -> Response {
    info!(status = ?status, "a question was refused: {status:?}");
    (
        StatusCode::OK,
        [(CONTENT_TYPE, CONTENT), (CACHE_CONTROL, "no-store")],
        error_response(status),
    )
        .into_response()
}
