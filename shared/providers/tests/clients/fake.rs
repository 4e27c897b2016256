//! A provider that records what it is asked and answers as told.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse as _, Redirect, Response};
use time::OffsetDateTime;
use time::macros::datetime;
use tokio::net::TcpListener;
use yinxin_providers::http::{Http, Limits};

pub const NOW: OffsetDateTime = datetime!(2024-05-20 02:11:12 UTC);

/// How the provider behaves.
#[derive(Clone)]
pub enum Behaviour {
    Answer(u16, Bytes),
    /// Another answer with each request; the last one for all that come after it.
    InTurn(Vec<(u16, Bytes)>),
    /// Longer than the client's limit.
    Flood,
    /// Never answers.
    Hang,
    /// Sends the client on to another address, where a good answer waits.
    RedirectTo(String),
}

/// What the provider was asked.
#[derive(Clone, Debug)]
pub struct Asked {
    pub method: Method,
    pub uri: Uri,
    pub headers: HeaderMap,
    pub body: String,
}

impl Asked {
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map(|value| value.to_str().unwrap())
            .unwrap_or_default()
    }

    /// The decoded parameters of query and form.
    pub fn parameters(&self) -> Vec<(String, String)> {
        let query = self.uri.query().unwrap_or_default();
        form_urlencoded::parse(query.as_bytes())
            .chain(form_urlencoded::parse(self.body.as_bytes()))
            .map(|(key, value)| (key.into_owned(), value.into_owned()))
            .collect()
    }

    pub fn parameter(&self, name: &str) -> String {
        let found = self.parameters().into_iter().find(|(key, _)| key == name);
        found.unwrap_or_else(|| panic!("no parameter {name}")).1
    }
}

pub struct Fake {
    pub url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Fake {
    pub async fn start(behaviour: Behaviour) -> Self {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new()
            .fallback(handle)
            .with_state((behaviour, Arc::clone(&asked)));
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, asked }
    }

    pub async fn answering(status: u16, body: impl Into<Bytes>) -> Self {
        Self::start(Behaviour::Answer(status, body.into())).await
    }

    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    pub fn asked_once(&self) -> Asked {
        let asked = self.asked();
        assert_eq!(asked.len(), 1, "asked exactly once");
        asked[0].clone()
    }
}

/// A client that loses patience quickly.
pub fn http() -> Http {
    Http::with_limits(
        "fake",
        Limits {
            total: Duration::from_millis(500),
            ..Limits::default()
        },
    )
    .unwrap()
}

/// Nothing listens here: the port was free a moment ago.
pub async fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

/// Every way of not getting an answer that says anything.
pub async fn useless() -> Vec<(&'static str, Fake)> {
    let good = Fake::answering(200, r#"{"Code":"OK","BizId":"1^0","status":"ACCEPTED"}"#).await;
    vec![
        ("500", Fake::answering(500, "{}").await),
        ("502 page", Fake::answering(502, "<html>Bad Gateway</html>").await),
        ("200 page", Fake::answering(200, "<html>maintenance</html>").await),
        ("flood", Fake::start(Behaviour::Flood).await),
        ("hang", Fake::start(Behaviour::Hang).await),
        ("redirect", Fake::start(Behaviour::RedirectTo(good.url)).await),
        (
            "nobody",
            Fake {
                url: nobody().await,
                asked: Arc::default(),
            },
        ),
    ]
}

type Recorder = (Behaviour, Arc<Mutex<Vec<Asked>>>);

async fn handle(
    State((behaviour, asked)): State<Recorder>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let body = String::from_utf8(body.to_vec()).unwrap();
    let before = {
        let mut asked = asked.lock().unwrap();
        asked.push(Asked {
            method,
            uri,
            headers,
            body,
        });
        asked.len() - 1
    };
    match behaviour {
        Behaviour::Answer(status, body) => (StatusCode::from_u16(status).unwrap(), body).into_response(),
        Behaviour::InTurn(answers) => {
            let (status, body) = answers[before.min(answers.len() - 1)].clone();
            (StatusCode::from_u16(status).unwrap(), body).into_response()
        }
        Behaviour::Flood => vec![b' '; Limits::default().answer_bytes + 1].into_response(),
        Behaviour::Hang => std::future::pending().await,
        Behaviour::RedirectTo(url) => Redirect::temporary(&url).into_response(),
    }
}
