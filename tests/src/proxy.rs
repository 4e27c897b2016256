//! A way to DynamoDB that can be slow or throttled: for one function, whose environment is pointed at it.
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::Result;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Method, Response, StatusCode, Uri};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// What happens to calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weather {
    /// They pass.
    Fair,
    /// They pass after so long.
    Slow(Duration),
    /// They are refused as DynamoDB refuses what is beyond its throughput.
    Throttled,
}

/// A proxy on the loopback address; it ends when it is dropped.
pub struct Proxy {
    port: u16,
    weather: Arc<Mutex<Weather>>,
    serving: JoinHandle<std::io::Result<()>>,
}

#[derive(Clone)]
struct Way {
    http: reqwest::Client,
    to: String,
    weather: Arc<Mutex<Weather>>,
}

impl Proxy {
    /// Starts a proxy to the AWS endpoint `to`.
    pub async fn start(to: &str) -> Result<Proxy> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let port = listener.local_addr()?.port();
        let weather = Arc::new(Mutex::new(Weather::Fair));
        let way = Way {
            http: reqwest::Client::builder().no_proxy().build()?,
            to: to.trim_end_matches('/').to_owned(),
            weather: Arc::clone(&weather),
        };
        let router = Router::new().fallback(pass).with_state(way);
        // It ends with the test.
        let serving = tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Proxy {
            port,
            weather,
            serving,
        })
    }

    /// Its address. By name: by number the local cloud takes a call for one of the API's.
    pub fn url(&self) -> String {
        format!("http://localhost:{}", self.port)
    }

    /// From now on calls go like this.
    pub fn set(&self, weather: Weather) {
        *self
            .weather
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner) = weather;
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn pass(
    State(way): State<Way>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let weather = *way
        .weather
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    match weather {
        Weather::Fair => {}
        Weather::Slow(pause) => tokio::time::sleep(pause).await,
        Weather::Throttled => return throttled(),
    }
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    // The signature covers the headers, the host among them: they go on as they came.
    let sent = way
        .http
        .request(method, format!("{}{path}", way.to))
        .headers(headers)
        .body(body)
        .send()
        .await;
    let answered = match sent {
        Ok(response) => {
            let (status, headers) = (response.status(), response.headers().clone());
            response.bytes().await.map(|body| (status, headers, body))
        }
        Err(error) => Err(error),
    };
    match answered {
        Ok((status, headers, body)) => {
            let mut response = Response::new(Body::from(body));
            *response.status_mut() = status;
            for name in ["content-type", "x-amzn-requestid", "x-amz-crc32"] {
                if let Some(value) = headers.get(name) {
                    response.headers_mut().insert(name, value.clone());
                }
            }
            response
        }
        Err(_) => problem(StatusCode::BAD_GATEWAY, "{}"),
    }
}

fn throttled() -> Response<Body> {
    problem(
        StatusCode::BAD_REQUEST,
        r#"{"__type":"com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException","message":"The level of configured provisioned throughput for the table was exceeded."}"#,
    )
}

fn problem(status: StatusCode, body: &'static str) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let json = axum::http::HeaderValue::from_static("application/x-amz-json-1.0");
    response.headers_mut().insert("content-type", json);
    response
}
