//! Bodies: of a stated length, at most so long, and there in time.
use std::time::Duration;

use axum::{
    body::Body,
    http::{HeaderMap, header},
};
use http_body_util::BodyExt as _;
use zeroize::Zeroizing;

use super::{gate::one, refusal::Refusal};

/// Longest body of an operation: the longest message in base64, and its frame.
pub const API_LIMIT_BYTES: usize = 6 * 1024 * 1024;
/// Longest body of every other call, strangers' among them.
pub const SMALL_LIMIT_BYTES: usize = 4 * 1024;

/// Reads a body. It is wiped after use: it can hold PINs.
pub async fn read(
    headers: &HeaderMap,
    body: Body,
    limit: usize,
    patience: Duration,
) -> Result<Zeroizing<Vec<u8>>, Refusal> {
    let length = one(headers, header::CONTENT_LENGTH.as_str())
        .and_then(|length| length.parse::<usize>().ok())
        .filter(|length| *length <= limit)
        .ok_or(Refusal::TooLarge)?;
    tokio::time::timeout(patience, frames(body, length))
        .await
        .map_err(|_| Refusal::TooSlow)?
}

async fn frames(mut body: Body, length: usize) -> Result<Zeroizing<Vec<u8>>, Refusal> {
    // Room for all of it from the start: a buffer that grows leaves copies behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(length));
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Refusal::Form)?;
        let Ok(part) = frame.into_data() else {
            return Err(Refusal::Form);
        };
        if bytes.len() + part.len() > length {
            return Err(Refusal::TooLarge);
        }
        bytes.extend_from_slice(&part);
    }
    if bytes.len() == length {
        Ok(bytes)
    } else {
        Err(Refusal::Form)
    }
}
