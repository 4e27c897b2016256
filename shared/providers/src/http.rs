//! The one HTTP client: explicit limits on time and size, no redirects, no retries, no reused connections.

use std::time::Duration;

use reqwest::{Client, RequestBuilder, redirect, retry};
use thiserror::Error;
use tracing::debug;

const USER_AGENT: &str = concat!("yinxin/", env!("CARGO_PKG_VERSION"));

/// How long and how much a provider may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Until the connection stands.
    pub connect: Duration,
    /// From the call to the last byte of the answer.
    pub total: Duration,
    /// Of an answer's body.
    pub answer_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(3),
            total: Duration::from_secs(8),
            answer_bytes: 256 * 1024,
        }
    }
}

/// The shared client; cloning is cheap.
#[derive(Clone, Debug)]
pub struct Http {
    client: Client,
    answer_bytes: usize,
}

/// The client cannot be made: the host has no usable TLS roots.
#[derive(Debug, Error)]
#[error("the HTTP client cannot be made")]
pub struct SetupError(#[source] reqwest::Error);

/// No usable answer came; whether the provider acted is not known.
#[derive(Debug, Error)]
pub enum Failure {
    /// The request or its answer took too long.
    #[error("the provider did not answer in time")]
    Timeout,
    /// The connection failed or broke.
    #[error("the connection to the provider failed")]
    Connection(#[source] reqwest::Error),
    /// The answer is larger than [`Limits::answer_bytes`].
    #[error("the provider's answer is too large")]
    TooLarge,
}

/// An answer whose body was read whole.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
}

impl Http {
    /// A client with the default limits.
    pub fn new() -> Result<Self, SetupError> {
        Self::with_limits(Limits::default())
    }

    /// A client with other limits.
    pub fn with_limits(limits: Limits) -> Result<Self, SetupError> {
        let client = Client::builder()
            .user_agent(USER_AGENT)
            .connect_timeout(limits.connect)
            .timeout(limits.total)
            .redirect(redirect::Policy::none())
            // Sending an SMS or a transfer twice is worse than not knowing.
            .retry(retry::never())
            // A function that was frozen wakes up with dead connections; a fresh one costs one handshake.
            .pool_max_idle_per_host(0)
            .no_proxy()
            .build()
            .map_err(SetupError)?;
        Ok(Self {
            client,
            answer_bytes: limits.answer_bytes,
        })
    }

    pub(crate) fn get(&self, url: &str) -> RequestBuilder {
        self.client.get(url)
    }

    pub(crate) fn post(&self, url: &str) -> RequestBuilder {
        self.client.post(url)
    }

    /// Sends once and reads the body up to the limit.
    pub(crate) async fn send(&self, request: RequestBuilder) -> Result<Answer, Failure> {
        let mut response = request.send().await.map_err(Failure::from)?;
        let status = response.status().as_u16();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(Failure::from)? {
            if body.len() + chunk.len() > self.answer_bytes {
                return Err(Failure::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        debug!(
            status,
            bytes = body.len(),
            "a provider answered with status {status}"
        );
        Ok(Answer { status, body })
    }
}

impl From<reqwest::Error> for Failure {
    fn from(error: reqwest::Error) -> Self {
        if error.is_timeout() {
            Self::Timeout
        } else {
            // The URL's query may hold names and numbers of people.
            Self::Connection(error.without_url())
        }
    }
}
