//! Where a cloud product is called: its URL, the host that signatures cover, and why a call gave no answer.

use reqwest::Url;
use thiserror::Error;

use crate::http::{self, Failure};

/// The configured base URL of a product cannot be used.
#[derive(Clone, Copy, Debug, Error)]
#[error("the base URL is not an http(s) URL with a host")]
pub struct UrlError;

/// The client of a product cannot be made.
#[derive(Debug, Error)]
pub enum SetupError {
    /// The configured address is wrong.
    #[error(transparent)]
    Url(#[from] UrlError),
    /// No HTTP client.
    #[error(transparent)]
    Http(#[from] http::SetupError),
}

/// A product's address.
#[derive(Clone, Debug)]
pub(crate) struct Endpoint {
    pub(crate) url: Url,
    /// The host of the request: with the port when it is not the scheme's own.
    pub(crate) host: String,
}

impl Endpoint {
    pub(crate) fn new(base_url: &str) -> Result<Self, UrlError> {
        let url = Url::parse(base_url).map_err(|_| UrlError)?;
        let host = url
            .host_str()
            .filter(|_| matches!(url.scheme(), "http" | "https"))
            .ok_or(UrlError)?;
        let host = url
            .port()
            .map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
        Ok(Self { url, host })
    }
}

/// Why a call gave no answer.
#[derive(Debug, Error)]
pub(crate) enum CallError {
    /// Nothing was sent: the clock or the random source fails.
    #[error("the clock or the random source fails")]
    Environment,
    /// Sent, perhaps.
    #[error(transparent)]
    Http(Failure),
}

/// The longest code of a provider that is kept; theirs are words, joined by dots.
const MAX_CODE_LENGTH: usize = 80;

/// A provider's code as it may be logged: a gateway that answers with a sentence, or with our data, is cut down to letters.
pub(crate) fn plain_code(code: &str) -> String {
    code.chars()
        .filter(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '_' | '-' | ':'))
        .take(MAX_CODE_LENGTH)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{Endpoint, plain_code};

    #[test]
    fn the_host_has_its_port_where_it_is_not_the_schemes_own() {
        for (url, host) in [
            ("https://sms.tencentcloudapi.com/", "sms.tencentcloudapi.com"),
            ("https://example.com:443/", "example.com"),
            ("http://127.0.0.1:4600/tencent/", "127.0.0.1:4600"),
        ] {
            assert_eq!(Endpoint::new(url).unwrap().host, host);
        }
        for url in ["", "example.com", "ftp://example.com/", "data:text/plain,"] {
            assert!(Endpoint::new(url).is_err(), "{url}");
        }
    }

    #[test]
    fn a_code_is_a_word_when_it_is_kept() {
        assert_eq!(plain_code("isv.DAY_LIMIT_CONTROL"), "isv.DAY_LIMIT_CONTROL");
        assert_eq!(plain_code("手机 138\n<a>"), "138a");
        assert_eq!(plain_code(&"x".repeat(500)).len(), 80);
    }
}
