//! The platform's personalisation API over HTTPS: four calls, each safe to repeat.
use std::{net::IpAddr, time::Duration};

use reqwest::{Method, RequestBuilder, Response, StatusCode, Url, header, redirect};
use serde::{Serialize, de::DeserializeOwned};
use zeroize::Zeroizing;

mod messages;
mod problem;

pub use messages::{Delivery, NoReference, Order, Reference, SubjectAttribute, Written};
pub use problem::Problem;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
/// Longest answer: two certificates with their chain are some ten KiB.
const ANSWER_LIMIT_BYTES: usize = 256 * 1024;
/// Longest session token; header lines of common servers end at 8 KiB.
const SESSION_LIMIT_BYTES: usize = 4 * 1024;
/// Ending of the problem type that says a CSR for the order is there.
const CSR_ALREADY_SUBMITTED: &str = "/csr-already-submitted";

/// How long to wait between tries, and how often.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// Before the second try; then twice as long each time.
    pub first: Duration,
    /// The longest wait between two tries.
    pub longest: Duration,
    /// Tries of a call that the network or the platform did not carry out.
    pub tries: u32,
    /// Longest wait for the certificates.
    pub patience: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            first: Duration::from_secs(1),
            longest: Duration::from_secs(10),
            tries: 4,
            patience: Duration::from_mins(5),
        }
    }
}

/// Why a call did not give what was asked.
#[derive(Debug, thiserror::Error)]
pub enum PlatformError {
    /// The platform understood and said no.
    #[error("the platform refused: {0}")]
    Refused(Problem),
    /// It could not be reached, or failed on its side; the same run again may succeed.
    #[error("the platform is not available: {0}")]
    Unavailable(String),
    /// It answered something that this agent does not understand.
    #[error("the platform's answer is not understood: {0}")]
    Unintelligible(String),
}

/// Why a connection cannot be set up from what was given.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// Not a URL for this.
    #[error("the address of the API is not an https:// URL (http:// is for this computer only)")]
    Address,
    /// The session file holds something else.
    #[error("the session file does not hold one session token")]
    Session,
    /// The TLS library did not start.
    #[error("the HTTP client does not start")]
    Client(#[source] reqwest::Error),
}

/// What became of a CSR.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CsrAnswer {
    /// Taken, now or by an earlier call.
    Accepted,
    /// There is a CSR for the order already; whether it is this one shows in the certificate.
    AlreadyThere,
}

/// A staff member's session with the platform.
pub struct Platform {
    client: reqwest::Client,
    base: Url,
    authorization: header::HeaderValue,
    pace: Pace,
}

impl Platform {
    /// Sets up the client; nothing is sent yet.
    pub fn new(api: &str, session: &Zeroizing<Vec<u8>>, pace: Pace) -> Result<Self, SetupError> {
        let base = Url::parse(api).map_err(|_| SetupError::Address)?;
        let local = is_loopback(&base);
        // The session token and a password travel: in clear only inside this computer.
        if !(base.scheme() == "https" || base.scheme() == "http" && local)
            || !base.username().is_empty()
            || base.query().is_some()
            || base.fragment().is_some()
        {
            return Err(SetupError::Address);
        }
        let mut client = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(REQUEST_TIMEOUT)
            // A redirect would take the session token along to wherever it points.
            .redirect(redirect::Policy::none())
            .user_agent(concat!("yinxin-agent/", env!("CARGO_PKG_VERSION")));
        if local {
            client = client.no_proxy();
        }
        Ok(Self {
            client: client.build().map_err(SetupError::Client)?,
            base,
            authorization: bearer(session)?,
            pace,
        })
    }

    /// How the caller waits.
    pub fn pace(&self) -> Pace {
        self.pace
    }

    /// The order to personalise, by number or id.
    pub async fn order(&self, reference: &Reference) -> Result<Order, PlatformError> {
        let (_, body) = self
            .call(Method::GET, reference, &[], &Call::<()>::bare())
            .await?;
        parse(&body)
    }

    /// Hands in the CSR (PEM).
    pub async fn submit_csr(
        &self,
        order: &Reference,
        csr: &str,
        idempotency_key: &str,
    ) -> Result<CsrAnswer, PlatformError> {
        let call = Call {
            body: Some(serde_json::json!({ "csr": csr })),
            idempotency_key: Some(idempotency_key),
        };
        match self.call(Method::POST, order, &["csr"], &call).await {
            Ok(_) => Ok(CsrAnswer::Accepted),
            Err(PlatformError::Refused(problem))
                if problem.status == 409 && problem.kind.ends_with(CSR_ALREADY_SUBMITTED) =>
            {
                Ok(CsrAnswer::AlreadyThere)
            }
            Err(error) => Err(error),
        }
    }

    /// What the CA made, or `None` while it is at work.
    pub async fn certificates(&self, order: &Reference) -> Result<Option<Delivery>, PlatformError> {
        match self
            .call(Method::GET, order, &["certificates"], &Call::<()>::bare())
            .await?
        {
            (StatusCode::OK, body) => parse(&body).map(Some),
            (StatusCode::ACCEPTED, _) => Ok(None),
            (status, _) => Err(PlatformError::Unintelligible(format!(
                "status {status} for the certificates"
            ))),
        }
    }

    /// Reports what was written to the token, with the user password that it now has.
    pub async fn report_written(
        &self,
        order: &Reference,
        written: &Written<'_>,
        idempotency_key: &str,
    ) -> Result<(), PlatformError> {
        let call = Call {
            body: Some(written),
            idempotency_key: Some(idempotency_key),
        };
        self.call(Method::POST, order, &["written"], &call)
            .await
            .map(drop)
    }

    /// One call, tried again while only the network or the platform's health stands in the way. That is safe
    /// for the POSTs too: they carry an idempotency key.
    async fn call(
        &self,
        method: Method,
        order: &Reference,
        rest: &[&str],
        call: &Call<'_, impl Serialize>,
    ) -> Result<(StatusCode, Zeroizing<Vec<u8>>), PlatformError> {
        let mut wait = self.pace.first;
        let mut tries_left = self.pace.tries;
        loop {
            tries_left = tries_left.saturating_sub(1);
            let request = self.request(method.clone(), order, rest, call)?;
            match answer(request).await {
                Err(PlatformError::Unavailable(_)) if tries_left > 0 => {
                    tokio::time::sleep(wait).await;
                    wait = (wait * 2).min(self.pace.longest);
                }
                other => return other,
            }
        }
    }

    fn request(
        &self,
        method: Method,
        order: &Reference,
        rest: &[&str],
        call: &Call<'_, impl Serialize>,
    ) -> Result<RequestBuilder, PlatformError> {
        let mut url = self.base.clone();
        url.path_segments_mut()
            .map_err(|()| PlatformError::Unintelligible("the address takes no path".to_owned()))?
            .pop_if_empty()
            .extend(["api", "personalise", "orders", order.as_str()])
            .extend(rest);
        let mut request = self
            .client
            .request(method, url)
            .header(header::AUTHORIZATION, self.authorization.clone())
            .header(header::ACCEPT, "application/json, application/problem+json");
        if let Some(key) = call.idempotency_key {
            request = request.header("Idempotency-Key", key);
        }
        if let Some(body) = &call.body {
            request = request.json(body);
        }
        Ok(request)
    }
}

struct Call<'a, B> {
    body: Option<B>,
    idempotency_key: Option<&'a str>,
}

impl<B> Call<'_, B> {
    fn bare() -> Self {
        Self {
            body: None,
            idempotency_key: None,
        }
    }
}

async fn answer(request: RequestBuilder) -> Result<(StatusCode, Zeroizing<Vec<u8>>), PlatformError> {
    // Without the URL: it names the order, and the cause is what the operator needs.
    let lost = |error: reqwest::Error| PlatformError::Unavailable(cause(&error.without_url()));
    let response = request.send().await.map_err(lost)?;
    let status = response.status();
    let body = read_body(response).await?;
    if status.is_success() {
        return Ok((status, body));
    }
    let problem = Problem::read(status, &body);
    if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
        return Err(PlatformError::Unavailable(problem.to_string()));
    }
    if status.is_client_error() {
        return Err(PlatformError::Refused(problem));
    }
    Err(PlatformError::Unintelligible(format!("status {status}")))
}

async fn read_body(mut response: Response) -> Result<Zeroizing<Vec<u8>>, PlatformError> {
    let mut body = Zeroizing::new(Vec::new());
    while let Some(chunk) = response
        .chunk()
        .await
        .map_err(|error| PlatformError::Unavailable(cause(&error.without_url())))?
    {
        if body.len() + chunk.len() > ANSWER_LIMIT_BYTES {
            return Err(PlatformError::Unintelligible(format!(
                "longer than {ANSWER_LIMIT_BYTES} bytes"
            )));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// A library's error in one line: its message is general, the reason stands at the end of its sources.
fn cause(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, PlatformError> {
    serde_json::from_slice(body).map_err(|error| {
        // Line and column, not the message: it can quote the body.
        PlatformError::Unintelligible(format!(
            "JSON at line {}, column {}",
            error.line(),
            error.column()
        ))
    })
}

fn bearer(session: &Zeroizing<Vec<u8>>) -> Result<header::HeaderValue, SetupError> {
    let token = std::str::from_utf8(session)
        .map_err(|_| SetupError::Session)?
        .trim();
    if token.is_empty()
        || token.len() > SESSION_LIMIT_BYTES
        || !token.bytes().all(|byte| byte.is_ascii_graphic())
    {
        return Err(SetupError::Session);
    }
    let text = Zeroizing::new(format!("Bearer {token}"));
    let mut value = header::HeaderValue::from_str(&text).map_err(|_| SetupError::Session)?;
    value.set_sensitive(true);
    Ok(value)
}

/// `localhost` and what ends in it never leave the computer (RFC 6761, 6.3).
fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    host == "localhost"
        || host.ends_with(".localhost")
        || host
            .trim_matches(['[', ']'])
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn platform(api: &str) -> Result<Platform, SetupError> {
        Platform::new(api, &Zeroizing::new(b"token\n".to_vec()), Pace::default())
    }

    #[test]
    fn the_session_token_goes_in_clear_to_this_computer_only() {
        assert!(platform("http://127.0.0.1:4566").is_ok());
        assert!(platform("http://[::1]:4566/").is_ok());
        assert!(platform("http://abc.execute-api.localhost:4566").is_ok());
        assert!(platform("https://api.example.com/prod").is_ok());
        for refused in [
            "http://api.example.com",
            "http://127.0.0.1.example.com",
            "ftp://127.0.0.1",
            "127.0.0.1",
        ] {
            assert!(matches!(platform(refused), Err(SetupError::Address)), "{refused}");
        }
    }

    #[test]
    fn a_session_file_holds_one_token() {
        for refused in ["", "\n", "two words", "a\nb"] {
            let session = Zeroizing::new(refused.as_bytes().to_vec());
            let made = Platform::new("http://127.0.0.1", &session, Pace::default());
            assert!(matches!(made, Err(SetupError::Session)), "{refused:?}");
        }
    }
}
