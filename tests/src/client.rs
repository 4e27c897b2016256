//! The API over HTTP, as a browser or another system calls it.
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};

const TIMEOUT: Duration = Duration::from_mins(1);
const PROBLEM_TYPE: &str = "application/problem+json";
const PROBLEM_BASE: &str = "/problems/";

/// Whether a call that the platform did not carry out is made again, with the same idempotency key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Persistence {
    /// A failure of the platform is a failure.
    Once,
    /// Failures of the platform are outlasted.
    Stubborn,
}

/// How often a stubborn caller tries, and its pause between two tries.
const TRIES: u32 = 60;
const PAUSE: Duration = Duration::from_millis(300);

/// The API with one bearer token, or none.
#[derive(Clone)]
pub struct Api {
    http: Client,
    base: String,
    token: Option<String>,
    persistence: Persistence,
}

/// What was answered.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body as JSON; a text where it is none.
    pub body: Value,
    /// Whether it is a problem document.
    pub is_problem: bool,
    /// How many tries failed before this one.
    pub failed_tries: u32,
    called: String,
}

impl Api {
    /// The API at `base`, called by nobody in particular.
    pub fn new(base: &str) -> Result<Api> {
        let http = Client::builder().timeout(TIMEOUT).no_proxy().build()?;
        Ok(Api {
            http,
            base: base.to_owned(),
            token: None,
            persistence: Persistence::Once,
        })
    }

    /// The same API with a bearer token.
    #[must_use]
    pub fn with_token(&self, token: &str) -> Api {
        Api {
            token: Some(token.to_owned()),
            ..self.clone()
        }
    }

    /// The same API, called so persistently.
    #[must_use]
    pub fn with_persistence(&self, persistence: Persistence) -> Api {
        Api {
            persistence,
            ..self.clone()
        }
    }

    /// Whether failures are outlasted.
    pub fn is_stubborn(&self) -> bool {
        self.persistence == Persistence::Stubborn
    }

    /// The address of a path.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// Reads.
    pub async fn get(&self, path: &str) -> Result<Answer> {
        self.send(Method::GET, path, None, None).await
    }

    /// Reads a file: its media type and its bytes.
    pub async fn download(&self, path: &str) -> Result<(String, Vec<u8>)> {
        let mut request = self.http.get(self.url(path));
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        let response = request.send().await?;
        ensure!(
            response.status() == StatusCode::OK,
            "GET {path} was answered with {}",
            response.status()
        );
        let kind = response
            .headers()
            .get("content-type")
            .context("a file has a media type")?;
        let kind = kind.to_str()?.to_owned();
        Ok((kind, response.bytes().await?.to_vec()))
    }

    /// Posts a body.
    pub async fn post(&self, path: &str, body: &Value) -> Result<Answer> {
        self.send(Method::POST, path, Some(body), None).await
    }

    /// Posts a body under an idempotency key: for calls that create.
    pub async fn create(&self, path: &str, body: &Value, key: &str) -> Result<Answer> {
        self.send(Method::POST, path, Some(body), Some(key)).await
    }

    /// Puts a body.
    pub async fn put(&self, path: &str, body: &Value) -> Result<Answer> {
        self.send(Method::PUT, path, Some(body), None).await
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        key: Option<&str>,
    ) -> Result<Answer> {
        let mut failed_tries = 0;
        loop {
            let last = self.persistence == Persistence::Once || failed_tries + 1 == TRIES;
            match self.try_once(method.clone(), path, body, key).await {
                Ok(answer) if answer.status < 500 || last => {
                    return Ok(Answer {
                        failed_tries,
                        ..answer
                    });
                }
                Err(error) if last => return Err(error),
                Ok(_) | Err(_) => {}
            }
            failed_tries += 1;
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn try_once(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        key: Option<&str>,
    ) -> Result<Answer> {
        let called = format!("{method} {path}");
        let mut request = self.http.request(method, self.url(path));
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request
            .send()
            .await
            .with_context(|| format!("{called} is not answered"))?;
        let status = response.status().as_u16();
        let is_problem = response
            .headers()
            .get("content-type")
            .is_some_and(|value| value.as_bytes().starts_with(PROBLEM_TYPE.as_bytes()));
        let text = response
            .text()
            .await
            .with_context(|| format!("the answer to {called} breaks off"))?;
        let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
        Ok(Answer {
            status,
            body,
            is_problem,
            failed_tries: 0,
            called,
        })
    }

    /// Posts a form as a payment provider does.
    pub async fn post_form(&self, path: &str, fields: &[(String, String)]) -> Result<Answer> {
        let response = self.http.post(self.url(path)).form(fields).send().await?;
        let status = response.status().as_u16();
        let is_problem = response
            .headers()
            .get("content-type")
            .is_some_and(|value| value.as_bytes().starts_with(PROBLEM_TYPE.as_bytes()));
        let text = response.text().await?;
        Ok(Answer {
            status,
            body: serde_json::from_str(&text).unwrap_or(Value::String(text)),
            is_problem,
            failed_tries: 0,
            called: format!("POST {path}"),
        })
    }

    /// Puts bytes where a presigned address allows it; the store's status and text.
    pub async fn upload(&self, url: &str, headers: &Value, bytes: Vec<u8>) -> Result<(StatusCode, String)> {
        let mut request = self.http.put(url);
        for (name, value) in headers.as_object().context("an upload's headers are an object")? {
            request = request.header(name, value.as_str().context("a header is a text")?);
        }
        let response = request.body(bytes).send().await?;
        Ok((response.status(), response.text().await?))
    }
}

impl Answer {
    /// The body of a success.
    pub fn ok(self) -> Result<Value> {
        if (200..300).contains(&self.status) {
            return Ok(self.body);
        }
        bail!("{} was answered {}: {}", self.called, self.status, self.body)
    }

    /// The last part of the problem's type.
    pub fn problem(&self) -> Option<&str> {
        if !self.is_problem {
            return None;
        }
        self.body.get("type")?.as_str()?.strip_prefix(PROBLEM_BASE)
    }

    /// That the call was refused with this problem, and that the document is a whole one.
    pub fn refused(&self, status: u16, problem: &str) -> Result<()> {
        let called = &self.called;
        ensure!(
            self.problem() == Some(problem) && self.status == status,
            "{called} was answered {} {}, not {status} {problem}",
            self.status,
            self.body
        );
        ensure!(
            self.body["status"] == json!(status)
                && self.body["title"].is_string()
                && self.body["title_zh"].is_string(),
            "the problem of {called} is not whole: {}",
            self.body
        );
        Ok(())
    }

    /// A text member of the body.
    pub fn text(&self, name: &str) -> Result<String> {
        text(&self.body, name)
    }
}

/// A text member of an object.
pub fn text(object: &Value, name: &str) -> Result<String> {
    object[name]
        .as_str()
        .map(str::to_owned)
        .with_context(|| format!("no text {name} in {object}"))
}

/// A new idempotency key.
pub fn new_key() -> String {
    let mut bytes = [0; 16];
    // Without random numbers a key that is only unlikely to be new would make a test hard to understand.
    getrandom::fill(&mut bytes).expect("the system gives random bytes");
    hex::encode(bytes)
}
