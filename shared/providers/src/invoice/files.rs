//! Files of invoices, from the addresses that a provider names.

use reqwest::Url;
use thiserror::Error;

use crate::http::{Failure, Http};
use crate::observe::Told;

/// The most bytes of one file.
pub const MAX_FILE_BYTES: usize = 3 * 1024 * 1024;

/// Why a file was not fetched.
#[derive(Debug, Error)]
pub enum FileError {
    /// The address is not one that is called.
    #[error("the address of an invoice's file is not https")]
    Address,
    /// No answer.
    #[error("an invoice's file cannot be fetched")]
    Transport(#[from] Failure),
    /// Another answer than the file.
    #[error("an invoice's file was answered with HTTP status {0}")]
    Status(u16),
}

impl Told for Result<Vec<u8>, FileError> {
    fn outcome(&self) -> &'static str {
        match self {
            Ok(_) => "ok",
            Err(FileError::Address) => "refused",
            Err(FileError::Transport(failure)) => failure.word(),
            Err(FileError::Status(_)) => "unknown",
        }
    }
}

/// Fetches a file over https. An address on this machine would be one of ours, so it is called only where the provider
/// itself is on this machine.
pub(super) async fn fetch(http: &Http, url: &str, is_provider_local: bool) -> Result<Vec<u8>, FileError> {
    let url = Url::parse(url).map_err(|_| FileError::Address)?;
    let is_called = match url.scheme() {
        "https" => !is_loopback(&url) || is_provider_local,
        "http" => is_loopback(&url) && is_provider_local,
        _ => false,
    };
    if !is_called {
        return Err(FileError::Address);
    }
    let answer = http.send_repeatable(|| http.get(url.as_str())).await?;
    match answer.status {
        200 => Ok(answer.body),
        status => Err(FileError::Status(status)),
    }
}

/// Whether an address names this machine.
pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host_str() {
        Some("localhost") => true,
        Some(host) => {
            let host = host.trim_start_matches('[').trim_end_matches(']');
            host.parse::<std::net::IpAddr>()
                .is_ok_and(|address| address.is_loopback())
        }
        None => false,
    }
}
