//! A courier service on the loopback address: it keeps subscriptions, and signs pushes with their salts.
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use md5::{Digest as _, Md5};
use serde_json::{Value, json};
use tokio::net::TcpListener;

#[derive(Default)]
pub struct Inner {
    /// What was subscribed to.
    pub subscriptions: Vec<Value>,
    /// What was asked about.
    pub queries: Vec<Value>,
    /// The code of the answer to a subscription.
    pub code: String,
    /// The state that a query tells.
    pub state: String,
    pub is_down: bool,
}

#[derive(Clone)]
pub struct Service(Arc<Mutex<Inner>>);

impl Service {
    pub fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap()
    }

    pub async fn start() -> (Service, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let service = Service(Arc::new(Mutex::new(Inner {
            code: "200".to_owned(),
            state: "0".to_owned(),
            ..Inner::default()
        })));
        let router = Router::new()
            .route("/poll", post(subscribe))
            .route("/poll/query.do", post(query))
            .with_state(service.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        (service, url)
    }

    /// The signed body of a push.
    pub fn push(&self, param: &Value) -> String {
        let salt = self.inner().subscriptions[0]["parameters"]["salt"]
            .as_str()
            .unwrap()
            .to_owned();
        let sign = hex::encode(Md5::digest(format!("{param}{salt}").as_bytes())).to_ascii_uppercase();
        body(param, &sign)
    }
}

pub fn body(param: &Value, sign: &str) -> String {
    form_urlencoded::Serializer::new(String::new())
        .append_pair("sign", sign)
        .append_pair("param", &param.to_string())
        .finish()
}

/// What the service tells of a parcel whose last event was at this time in China.
pub fn told(waybill: &str, state: &str, time: &str) -> Value {
    let data = json!([
        {"time": time, "context": "【长沙市】快件由 某某（13800000000） 派送"},
        {"time": "2026-04-07 08:00:00", "context": "已揽收"},
    ]);
    json!({"status": "polling", "lastResult": {"state": state, "nu": waybill, "com": "ems", "data": data}})
}

fn param(form: &str) -> Value {
    let values: BTreeMap<String, String> = form_urlencoded::parse(form.as_bytes()).into_owned().collect();
    serde_json::from_str(&values["param"]).unwrap()
}

async fn subscribe(State(service): State<Service>, form: String) -> Result<String, StatusCode> {
    let mut inner = service.inner();
    if inner.is_down {
        return Err(StatusCode::INTERNAL_SERVER_ERROR);
    }
    inner.subscriptions.push(param(&form));
    Ok(json!({"result": inner.code == "200", "returnCode": inner.code, "message": "…"}).to_string())
}

async fn query(State(service): State<Service>, form: String) -> Result<String, StatusCode> {
    let mut inner = service.inner();
    if inner.is_down {
        return Err(StatusCode::INTERNAL_SERVER_ERROR);
    }
    let param = param(&form);
    let answer = told(
        param["num"].as_str().unwrap(),
        &inner.state,
        "2026-04-07 09:00:00",
    );
    inner.queries.push(param);
    Ok(answer["lastResult"].to_string())
}
