//! The one HTTP client: explicit limits on time and size, no redirects, no reused connections, a circuit breaker, and
//! a second try only where the caller says that it does no harm.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use reqwest::header::HeaderMap;
use reqwest::{Client, RequestBuilder, redirect, retry};
use thiserror::Error;
use tracing::debug;

use crate::breaker::Breaker;
use crate::observe::{Told, observed};

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

/// The pause before the second try of a call that may be repeated.
const PAUSE: Duration = Duration::from_millis(200);

/// The way to one provider; cloning is cheap, and clones share the circuit breaker.
#[derive(Clone, Debug)]
pub struct Http {
    provider: &'static str,
    client: Client,
    answer_bytes: usize,
    breaker: Arc<Breaker>,
}

/// The client cannot be made: the host has no usable TLS roots.
#[derive(Debug, Error)]
#[error("the HTTP client cannot be made")]
pub struct SetupError(#[source] reqwest::Error);

/// No usable answer came; [`Failure::may_have_acted`] says whether the provider may have done something.
#[derive(Debug, Error)]
pub enum Failure {
    /// The provider failed too often just now, so nothing was sent.
    #[error("nothing was sent: the provider did not answer the last calls")]
    CircuitOpen,
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

impl Failure {
    /// Whether the request may have reached the provider.
    pub fn may_have_acted(&self) -> bool {
        match self {
            Self::CircuitOpen => false,
            Self::Connection(error) => !error.is_connect(),
            Self::Timeout | Self::TooLarge => true,
        }
    }

    /// One word for metrics.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::CircuitOpen => "circuit_open",
            Self::Timeout => "timeout",
            Self::Connection(_) => "connection",
            Self::TooLarge => "too_large",
        }
    }
}

/// An answer whose body was read whole.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Http {
    /// The way to `provider`, a word for metrics, with the default limits.
    pub fn new(provider: &'static str) -> Result<Self, SetupError> {
        Self::with_limits(provider, Limits::default())
    }

    /// The way to `provider` with other limits.
    pub fn with_limits(provider: &'static str, limits: Limits) -> Result<Self, SetupError> {
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
            provider,
            client,
            answer_bytes: limits.answer_bytes,
            breaker: Arc::default(),
        })
    }

    /// Runs one operation at the provider and tells the metrics how it went.
    pub(crate) async fn observed<T: Told>(
        &self,
        operation: &'static str,
        call: impl Future<Output = T>,
    ) -> T {
        observed(self.provider, operation, call).await
    }

    pub(crate) fn get(&self, url: &str) -> RequestBuilder {
        self.client.get(url)
    }

    pub(crate) fn post(&self, url: &str) -> RequestBuilder {
        self.client.post(url)
    }

    /// Sends once.
    pub(crate) async fn send(&self, request: RequestBuilder) -> Result<Answer, Failure> {
        if !self.breaker.lets_through(Instant::now()) {
            return Err(Failure::CircuitOpen);
        }
        let answer = self.exchange(request).await;
        match &answer {
            Ok(Answer { status, .. }) if *status < 500 => self.breaker.answered(),
            Err(Failure::TooLarge) => self.breaker.answered(),
            _ => self.breaker.failed(Instant::now()),
        }
        answer
    }

    /// Sends, and once more where the connection broke or the gateway was not there: for calls that do the same
    /// however often they are made. `make` writes the request anew, since a signature's nonce is good for one.
    pub(crate) async fn send_repeatable(&self, make: impl Fn() -> RequestBuilder) -> Result<Answer, Failure> {
        let first = self.send(make()).await;
        let again = match &first {
            Ok(answer) => matches!(answer.status, 502..=504),
            // Who waited in vain has no time for waiting again.
            Err(failure) => matches!(failure, Failure::Connection(_)),
        };
        if !again {
            return first;
        }
        tokio::time::sleep(PAUSE).await;
        self.send(make()).await
    }

    /// Reads the body up to the limit.
    async fn exchange(&self, request: RequestBuilder) -> Result<Answer, Failure> {
        let mut response = request.send().await.map_err(Failure::from)?;
        let status = response.status().as_u16();
        let headers = std::mem::take(response.headers_mut());
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
        Ok(Answer {
            status,
            headers,
            body,
        })
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
