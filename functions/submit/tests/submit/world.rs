//! The function in process: stores in memory, a clock that tests turn, and identity checks that answer as told.
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use axum::body::{Body, to_bytes};
use axum::http::{Method, Request};
use serde_json::{Value, json};
use time::macros::datetime;
use time::{Duration, OffsetDateTime};
use tower::ServiceExt;
use yinxin_lambda::Platform;
use yinxin_lambda::serve::router_of;
use yinxin_order::command::{Actor, Command};
use yinxin_order::document::{Document, Verdict};
use yinxin_order::effect::Effect;
use yinxin_order::form::ApplicationForm;
use yinxin_order::identifiers::{Fen, OrderId};
use yinxin_order::order::{Event, Order, Product};
use yinxin_order::state::State;
use yinxin_providers::identity::{Check, Checked, IdentityChecks, Outcome};
use yinxin_store::advance;
use yinxin_store::catalog::{Offer, SubjectKind, Vendor};
use yinxin_store::codes::{CodeKey, StoredCode};
use yinxin_store::memory::MemoryStore;
use yinxin_submit::{App, routes};

/// When tests begin: 2026-03-02, 09:00 in China.
pub const START: OffsetDateTime = datetime!(2026-03-02 01:00 UTC);
pub const VENDOR: &str = "example-ca";
pub const PRACTICE_STATEMENT: &str = "3.2";
pub const SYSTEM: &str = "registration:test credential, public";

/// Checks that match, except where a test says otherwise.
#[derive(Default)]
pub struct FakeChecks {
    outcomes: Mutex<HashMap<&'static str, Outcome>>,
    asked: Mutex<Vec<String>>,
}

impl FakeChecks {
    /// Answers checks of this name (`Phone3(..)` and so on) with `outcome`.
    pub fn answer(&self, check: &'static str, outcome: Outcome) {
        self.outcomes.lock().unwrap().insert(check, outcome);
    }

    /// What was asked since the last call.
    pub fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }
}

#[async_trait]
impl IdentityChecks for FakeChecks {
    async fn verify(&self, check: Check<'_>, _: OffsetDateTime) -> Checked {
        let name = format!("{check:?}");
        let outcome = self.outcomes.lock().unwrap().get(name.as_str()).cloned();
        self.asked.lock().unwrap().push(name);
        Checked {
            outcome: outcome.unwrap_or(Outcome::Match),
            request_id: Some("request-1".to_owned()),
        }
    }
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub retry_after: Option<String>,
    pub body: Value,
}

impl Answer {
    /// The last part of the problem's type.
    pub fn code(&self) -> &str {
        self.body["type"]
            .as_str()
            .and_then(|kind| kind.strip_prefix("/problems/"))
            .unwrap_or("none")
    }

    pub fn text(&self, field: &str) -> String {
        self.body[field]
            .as_str()
            .unwrap_or_else(|| panic!("{field} in {self:?}"))
            .to_owned()
    }

    pub fn refused(&self, status: u16, code: &str) {
        assert_eq!((self.status, self.code()), (status, code), "{self:?}");
    }
}

/// An order and its token.
pub struct Held {
    pub id: OrderId,
    pub token: String,
}

pub struct World {
    pub store: Arc<MemoryStore>,
    pub platform: Platform,
    pub checks: Arc<FakeChecks>,
    now: Arc<Mutex<OffsetDateTime>>,
    keys: Mutex<u32>,
}

impl World {
    pub async fn new() -> Self {
        let store = Arc::new(MemoryStore::default());
        let now = Arc::new(Mutex::new(START));
        let clock = now.clone();
        let platform = Platform::in_memory(&store, Arc::new(move || *clock.lock().unwrap()));
        platform.catalog.put_vendor(&vendor()).await.unwrap();
        let hash = platform.vault.hashes().await.unwrap().lookup("system", SYSTEM);
        platform
            .catalog
            .put_system_credential("registration", &hash)
            .await
            .unwrap();
        World {
            store,
            platform,
            checks: Arc::default(),
            now,
            keys: Mutex::new(0),
        }
    }

    pub fn pass(&self, time: Duration) {
        *self.now.lock().unwrap() += time;
    }

    pub fn turn_clock_to(&self, time: OffsetDateTime) {
        *self.now.lock().unwrap() = time;
    }

    /// A fresh idempotency key.
    pub fn key(&self) -> String {
        let mut keys = self.keys.lock().unwrap();
        *keys += 1;
        format!("idempotency-key-{keys:04}")
    }

    pub fn router(&self) -> axum::Router {
        router_of(routes(App {
            platform: self.platform.clone(),
            identity: self.checks.clone(),
        }))
    }

    pub async fn call(&self, method: Method, path: &str, headers: &[(&str, &str)], body: &Value) -> Answer {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("content-type", "application/json");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::from(body.to_string())).unwrap();
        let response = self.router().oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let retry_after = response
            .headers()
            .get("retry-after")
            .map(|value| value.to_str().unwrap().to_owned());
        let bytes = to_bytes(response.into_body(), 1 << 20).await.unwrap();
        Answer {
            status,
            retry_after,
            body: serde_json::from_slice(&bytes).unwrap(),
        }
    }

    /// A call for an order by its holder.
    pub async fn post(&self, held: &Held, action: &str, body: &Value) -> Answer {
        let path = format!("/api/orders/{}/{action}", held.id);
        let bearer = format!("Bearer {}", held.token);
        self.call(Method::POST, &path, &[("authorization", &bearer)], body)
            .await
    }

    pub async fn put_form(&self, held: &Held, form: &ApplicationForm) -> Answer {
        let path = format!("/api/orders/{}/form", held.id);
        let bearer = format!("Bearer {}", held.token);
        let body = json!({"form": form});
        self.call(Method::PUT, &path, &[("authorization", &bearer)], &body)
            .await
    }

    /// A captcha whose answer the test knows.
    pub async fn captcha(&self) -> Value {
        let id = format!("{:032x}", self.key().len() + *self.keys.lock().unwrap() as usize);
        let key = CodeKey::Captcha(id.clone());
        let hashes = self.platform.vault.hashes().await.unwrap();
        let code = StoredCode {
            hash: hashes.code(&key.as_key(), "K7MP"),
            expires_at: self.platform.now() + Duration::minutes(5),
            tries: 0,
            used: false,
        };
        self.platform.codes.put_captcha(&key, &code).await.unwrap();
        json!({"captcha_id": id, "answer": "k7mp"})
    }

    /// The body of a creating call for `form`, with a good captcha.
    pub async fn new_order(&self, form: &ApplicationForm) -> Value {
        let product = match form {
            ApplicationForm::Unit(_) => "unit-1y",
            ApplicationForm::Person(_) => "person-1y",
        };
        json!({"vendor": VENDOR, "product": product, "form": form, "captcha": self.captcha().await})
    }

    pub async fn create(&self, body: &Value) -> Answer {
        let key = self.key();
        self.create_with(&key, body).await
    }

    pub async fn create_with(&self, key: &str, body: &Value) -> Answer {
        self.call(Method::POST, "/api/orders", &[("idempotency-key", key)], body)
            .await
    }

    /// A draft.
    pub async fn draft(&self, form: &ApplicationForm) -> Held {
        let body = self.new_order(form).await;
        let created = self.create(&body).await;
        assert_eq!(created.status, 201, "{created:?}");
        Held {
            id: created.text("order_id").parse().unwrap(),
            token: created.text("access_token"),
        }
    }

    /// A confirmed order whose documents were accepted.
    pub async fn with_documents(&self, form: &ApplicationForm) -> Held {
        let held = self.draft(form).await;
        let confirmed = self.post(&held, "confirm", &json!({})).await;
        assert_eq!(confirmed.status, 200, "{confirmed:?}");
        for (place, kind) in form.required_documents().iter().enumerate() {
            let command = Command::RecordDocument {
                document: Document {
                    kind: *kind,
                    upload: format!("{place:032x}"),
                    verdict: Verdict::Accepted {
                        content_type: "image/png".to_owned(),
                        bytes: 70,
                    },
                    judged_at: START,
                },
            };
            let by = Actor::platform("upload");
            advance(self.store.as_ref(), &held.id, &command, &by, START)
                .await
                .unwrap();
        }
        held
    }

    pub async fn load(&self, held: &Held) -> Order {
        self.platform.orders.load(&held.id).await.unwrap()
    }

    /// Puts an order where its journey would take it later.
    pub async fn put_into(&self, held: &Held, state: State) {
        let mut order = self.load(held).await;
        let event = Event {
            version: order.version + 1,
            at: START,
            by: Actor::platform("test"),
            command: None,
            from: Some(order.state),
            to: state,
            postings: Vec::new(),
            ticket: None,
        };
        order.version += 1;
        order.state = state;
        self.platform.orders.save(&order, &event, &[], &[]).await.unwrap();
    }

    /// The code that notify would send.
    pub async fn sent_code(&self) -> String {
        let errand = self.store.take_errands().pop().expect("an errand");
        let Effect::SendCode { sealed } = &errand.effect else {
            panic!("another errand: {errand:?}");
        };
        let code = self.platform.vault.open_secret(&errand.order, sealed).await;
        code.unwrap().to_string()
    }
}

fn vendor() -> Vendor {
    let offer = |subject, id: &str, fen| Offer {
        subject,
        product: Product {
            id: id.parse().unwrap(),
            name: "数字证书".to_owned(),
            price: Fen::new(fen).unwrap(),
            term_years: 1,
        },
    };
    Vendor {
        id: VENDOR.parse().unwrap(),
        name: "示例认证机构".to_owned(),
        notice: "办理前请阅读".to_owned(),
        practice_statement: PRACTICE_STATEMENT.to_owned(),
        products: vec![
            offer(SubjectKind::Unit, "unit-1y", 22_000),
            offer(SubjectKind::Person, "person-1y", 10_000),
        ],
    }
}
