//! A platform on the loopback address that keeps the contract of the personalisation API, and breaks on demand.
use std::{
    collections::{HashMap, VecDeque},
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard},
    thread,
};

use axum::{
    Json, Router,
    body::Bytes,
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde_json::{Value, json};
use tokio::sync::oneshot;
use yinxin_pki::Csr;

use crate::authority::{Authority, Parts};

pub const ORDER_ID: &str = "01JDB3TESTORDER";
pub const ORDER_NUMBER: &str = "20261123A48201937";
pub const SESSION: &str = "session-token-of-an-operator";

/// The four calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    Order,
    Csr,
    Certificates,
    Written,
}

/// What a call meets instead of its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing was done.
    LostRequest(Route),
    /// It was done, and nobody heard.
    LostAnswer(Route),
}

/// What the platform remembers, and what it was told to do.
#[derive(Default)]
pub struct Records {
    pub csrs: Vec<Csr>,
    pub reports: Vec<Value>,
    /// Things that an agent that keeps the contract never does.
    pub violations: Vec<String>,
    pub calls: usize,
    pub faults: VecDeque<Fault>,
    /// Answers 202 so often.
    pub polls_before_ready: usize,
    /// Answered to every call.
    pub refusal: Option<(u16, Value)>,
    /// Answered with a redirect.
    pub redirect: bool,
    /// As after a day: keys of calls are forgotten.
    pub forgets_keys: bool,
    /// Exchanges parts of the delivery.
    pub tamper: Option<fn(&mut Parts, &Authority)>,
    delivery: Option<Value>,
    keys: HashMap<String, (Vec<u8>, StatusCode)>,
}

/// The running platform; stops when dropped.
pub struct FakePlatform {
    pub address: SocketAddr,
    shared: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

struct Shared {
    records: Mutex<Records>,
    authority: Authority,
}

impl FakePlatform {
    pub fn start() -> Self {
        let shared = Arc::new(Shared {
            records: Mutex::default(),
            authority: Authority::new(),
        });
        let router = Router::new()
            .route("/api/personalise/orders/{order}", get(order))
            .route("/api/personalise/orders/{order}/csr", post(csr))
            .route("/api/personalise/orders/{order}/certificates", get(certificates))
            .route("/api/personalise/orders/{order}/written", post(written))
            .with_state(shared.clone());
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let thread = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                tokio::select! {
                    served = axum::serve(listener, router) => served.unwrap(),
                    _ = stopped => {}
                }
            });
        });
        Self {
            address,
            shared,
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn records(&self) -> MutexGuard<'_, Records> {
        self.shared.records.lock().unwrap()
    }
}

impl Drop for FakePlatform {
    fn drop(&mut self) {
        // The other end hears that this one is gone.
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let ended = thread.join();
            assert!(thread::panicking() || ended.is_ok());
        }
    }
}

type Call = (State<Arc<Shared>>, Path<String>, HeaderMap);

async fn order((State(shared), Path(order), headers): Call) -> Response {
    shared.answer(Route::Order, &order, &headers, &[], |_, _| {
        (
            StatusCode::OK,
            json!({
                "id": ORDER_ID,
                "number": ORDER_NUMBER,
                "product": "Unit certificate, 1 year",
                "subject": [
                    { "type": "C", "value": "CN" },
                    { "type": "O", "value": "示例建筑有限公司" },
                    { "type": "CN", "value": "示例建筑有限公司" },
                ],
            }),
        )
    })
}

async fn csr(state: State<Arc<Shared>>, order: Path<String>, headers: HeaderMap, body: Bytes) -> Response {
    state.answer(Route::Csr, &order, &headers, &body, |records, authority| {
        let body: Value = serde_json::from_slice(&body).unwrap();
        let csr = Csr::from_pem(body["csr"].as_str().unwrap()).unwrap();
        if records.delivery.is_some() {
            return problem(409, "csr-already-submitted", "A request is there already");
        }
        let mut parts = authority.issue(&csr);
        if let Some(tamper) = records.tamper {
            tamper(&mut parts, authority);
        }
        records.delivery = Some(parts.to_json());
        records.csrs.push(csr);
        (StatusCode::ACCEPTED, json!({}))
    })
}

async fn certificates((State(shared), Path(order), headers): Call) -> Response {
    shared.answer(Route::Certificates, &order, &headers, &[], |records, _| {
        let Some(delivery) = records.delivery.clone() else {
            return problem(409, "no-csr", "No request is there");
        };
        if let Some(fewer) = records.polls_before_ready.checked_sub(1) {
            records.polls_before_ready = fewer;
            return (StatusCode::ACCEPTED, json!({}));
        }
        (StatusCode::OK, delivery)
    })
}

async fn written(
    state: State<Arc<Shared>>,
    order: Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    state.answer(Route::Written, &order, &headers, &body, |records, _| {
        records.reports.push(serde_json::from_slice(&body).unwrap());
        (StatusCode::NO_CONTENT, json!({}))
    })
}

impl Shared {
    fn answer(
        &self,
        route: Route,
        order: &str,
        headers: &HeaderMap,
        body: &[u8],
        work: impl FnOnce(&mut Records, &Authority) -> (StatusCode, Value),
    ) -> Response {
        let mut records = self.records.lock().unwrap();
        records.calls += 1;
        if headers
            .get(header::AUTHORIZATION)
            .is_none_or(|value| value != &format!("Bearer {SESSION}"))
        {
            return respond(problem(401, "unauthenticated", "No session"));
        }
        if records.redirect {
            let place = format!("http://127.0.0.1:1/api/personalise/orders/{order}");
            return (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, place)]).into_response();
        }
        if let Some((status, body)) = records.refusal.clone() {
            return respond((StatusCode::from_u16(status).unwrap(), body));
        }
        // By number only where the order is looked up.
        if order != ORDER_ID && !(route == Route::Order && order == ORDER_NUMBER) {
            return respond(problem(404, "order-not-found", "No such order"));
        }
        if records.faults.front() == Some(&Fault::LostRequest(route)) {
            records.faults.pop_front();
            return StatusCode::BAD_GATEWAY.into_response();
        }
        let answer = records.once(route, headers, body, |records| work(records, &self.authority));
        if records.faults.front() == Some(&Fault::LostAnswer(route)) {
            records.faults.pop_front();
            return StatusCode::BAD_GATEWAY.into_response();
        }
        respond(answer)
    }
}

impl Records {
    /// A POST is done once for its key; the same key with other bytes is the caller's fault.
    fn once(
        &mut self,
        route: Route,
        headers: &HeaderMap,
        body: &[u8],
        work: impl FnOnce(&mut Self) -> (StatusCode, Value),
    ) -> (StatusCode, Value) {
        if matches!(route, Route::Order | Route::Certificates) {
            return work(self);
        }
        let Some(key) = headers
            .get("idempotency-key")
            .and_then(|key| key.to_str().ok())
            .map(str::to_owned)
        else {
            self.violations.push(format!("{route:?} without a key"));
            return problem(400, "idempotency-key", "No key");
        };
        if let Some((first, status)) = self.keys.get(&key) {
            if first != body {
                self.violations.push(format!("{route:?}: one key, two bodies"));
            }
            return (*status, json!({}));
        }
        let answer = work(self);
        if !self.forgets_keys {
            self.keys.insert(key, (body.to_vec(), answer.0));
        }
        answer
    }
}

fn problem(status: u16, kind: &str, title: &str) -> (StatusCode, Value) {
    let body = json!({
        "type": format!("https://yinxin.example/problems/{kind}"), "title": title,
        "detail": "of the test", "status": status,
    });
    (StatusCode::from_u16(status).unwrap(), body)
}

fn respond((status, body): (StatusCode, Value)) -> Response {
    if status == StatusCode::NO_CONTENT {
        status.into_response()
    } else {
        (status, Json(body)).into_response()
    }
}
