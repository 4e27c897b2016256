//! A provider on the loopback address: it keeps invoices by order number, and their files.
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use yinxin_providers::invoice::Addresses;

pub const NUMBER: &str = "26312000000000000001";
pub const SERIAL: &str = "26040710000003000001";

/// What goes wrong with the next calls.
#[derive(Clone, PartialEq, Eq)]
pub enum Fault {
    None,
    /// Nothing is done.
    Down,
    /// What was asked is done, and the answer is lost.
    AnswerLost,
    /// Invoices are refused with this code.
    Refuses(&'static str),
}

pub struct Inner {
    /// Status by order number.
    pub invoices: BTreeMap<String, &'static str>,
    /// The methods that were called.
    pub asked: Vec<String>,
    /// What requests for invoices held.
    pub orders: Vec<Value>,
    pub fault: Fault,
    /// The status that a new invoice has when it is asked about.
    pub next: &'static str,
    pub files: BTreeMap<&'static str, Vec<u8>>,
    base: String,
}

#[derive(Clone)]
pub struct Provider(Arc<Mutex<Inner>>);

impl Provider {
    pub fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap()
    }

    /// How often a method was called.
    pub fn asked(&self, method: &str) -> usize {
        let asked = &self.inner().asked;
        asked.iter().filter(|known| *known == method).count()
    }

    pub async fn start() -> (Provider, Addresses) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let provider = Provider(Arc::new(Mutex::new(Inner {
            invoices: BTreeMap::new(),
            asked: Vec::new(),
            orders: Vec::new(),
            fault: Fault::None,
            next: "2",
            files: BTreeMap::from([
                ("pdf", b"%PDF-1.7 an invoice".to_vec()),
                ("ofd", b"PK\x03\x04 an invoice".to_vec()),
            ]),
            base: base.clone(),
        })));
        let router = Router::new()
            .route("/open/v1/services", post(call))
            .route("/accessToken", post(token))
            .route("/files/{format}", get(file))
            .with_state(provider.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        let addresses = Addresses {
            gateway: format!("{base}/open/v1/services"),
            token: format!("{base}/accessToken"),
        };
        (provider, addresses)
    }
}

async fn token() -> String {
    json!({"access_token": "test token, public", "expires_in": 86400}).to_string()
}

async fn file(State(provider): State<Provider>, Path(format): Path<String>) -> Result<Vec<u8>, StatusCode> {
    let inner = provider.inner();
    inner
        .files
        .get(format.as_str())
        .cloned()
        .ok_or(StatusCode::NOT_FOUND)
}

async fn call(
    State(provider): State<Provider>,
    headers: HeaderMap,
    body: String,
) -> Result<String, StatusCode> {
    let mut inner = provider.inner();
    let method = headers["method"].to_str().unwrap();
    let method = method.trim_start_matches("nuonuo.OpeMplatform.").to_owned();
    inner.asked.push(method.clone());
    let fault = inner.fault.clone();
    if fault == Fault::Down {
        return Err(StatusCode::INTERNAL_SERVER_ERROR);
    }
    let answer = inner.answer(&method, &serde_json::from_str(&body).unwrap());
    if fault == Fault::AnswerLost && method != "queryInvoiceResult" {
        return Err(StatusCode::INTERNAL_SERVER_ERROR);
    }
    Ok(answer.to_string())
}

impl Inner {
    fn answer(&mut self, method: &str, content: &Value) -> Value {
        match method {
            "requestBillingNew" => {
                if let Fault::Refuses(code) = self.fault {
                    return json!({"code": code, "describe": "购方名称与税号不一致"});
                }
                let order = content["order"].clone();
                let number = order["orderNo"].as_str().unwrap().to_owned();
                self.orders.push(order);
                let next = self.next;
                self.invoices.entry(number).or_insert(next);
                json!({"code": "E0000", "describe": "ok", "result": {"invoiceSerialNum": SERIAL}})
            }
            "reInvoice" => {
                let number = content["orderno"].as_str().unwrap().to_owned();
                self.invoices.insert(number, self.next);
                json!({"code": "E0000", "describe": "ok", "result": null})
            }
            "queryInvoiceResult" => {
                let number = content["orderNos"][0].as_str().unwrap();
                let Some(status) = self.invoices.get(number) else {
                    return json!({"code": "E9500", "describe": "未查询到"});
                };
                let url = |format: &str| format!("{}/files/{format}", self.base);
                json!({"code": "E0000", "describe": "ok", "result": [{
                    "serialNo": SERIAL, "orderNo": number, "status": status, "failCause": "购方名称与税号不一致",
                    "allElectronicInvoiceNumber": NUMBER, "invoiceTime": "1775527200000",
                    "pdfUrl": url("pdf"), "ofdUrl": url("ofd"), "xmlUrl": url("xml"),
                }]})
            }
            other => panic!("nobody asks for {other}"),
        }
    }
}
