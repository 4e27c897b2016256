//! The function in process, and an order that takes documents.
use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::http::{Method, Request};
use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::macros::datetime;
use tower::ServiceExt;
use yinxin_lambda::serve::router_of;
use yinxin_lambda::{Function, Platform};
use yinxin_order::command::{Actor, Command};
use yinxin_order::document::DocumentKind;
use yinxin_order::form::ApplicationForm;
use yinxin_order::identifiers::{Fen, OrderId, OrderNumber};
use yinxin_order::kind::Kind;
use yinxin_order::order::{NewOrder, Order, Product};
use yinxin_store::advance;
use yinxin_store::documents::UploadKey;
use yinxin_store::memory::MemoryStore;
use yinxin_upload::{App, Arrivals, routes};

pub const START: OffsetDateTime = datetime!(2026-03-02 01:00 UTC);

pub struct World {
    pub store: Arc<MemoryStore>,
    pub platform: Platform,
}

impl World {
    pub fn new() -> Self {
        let store = Arc::new(MemoryStore::default());
        let platform = Platform::in_memory(&store, Arc::new(|| START));
        World { store, platform }
    }

    /// A draft of `form`.
    pub async fn draft(&self, form: ApplicationForm, id: [u8; 16]) -> OrderId {
        let new = NewOrder {
            id: OrderId::from_random(id),
            kind: Kind::New,
            vendor: "example-ca".parse().unwrap(),
            product: Product {
                id: "unit-1y".parse().unwrap(),
                name: "数字证书".to_owned(),
                price: Fen::new(22_000).unwrap(),
                term_years: 1,
            },
            form,
            checks: Vec::new(),
            intake: None,
        };
        let (order, event) = Order::create(new, Actor::Applicant, START);
        self.platform.orders.create(&order, &event, &[]).await.unwrap();
        order.id
    }

    /// A confirmed order of `form`.
    pub async fn confirmed(&self, form: ApplicationForm) -> OrderId {
        let id = self.draft(form, [1; 16]).await;
        let number = OrderNumber::new(START.date(), 1);
        self.act(&id, &Command::Confirm { number }).await;
        id
    }

    pub async fn act(&self, id: &OrderId, command: &Command) {
        advance(self.store.as_ref(), id, command, &Actor::Applicant, START)
            .await
            .unwrap();
    }

    pub async fn call(&self, method: Method, order: &OrderId, body: &Value) -> (u16, Value) {
        let token = self.platform.vault.hashes().await.unwrap().access_token(order);
        self.call_with(&token, method, order, body).await
    }

    pub async fn call_with(
        &self,
        token: &str,
        method: Method,
        order: &OrderId,
        body: &Value,
    ) -> (u16, Value) {
        let app = App {
            platform: self.platform.clone(),
        };
        let request = Request::builder()
            .method(method)
            .uri(format!("/api/orders/{order}/documents"))
            .header("content-type", "application/json")
            .header("authorization", format!("Bearer {token}"))
            .body(Body::from(body.to_string()))
            .unwrap();
        let response = router_of(routes(app)).oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let bytes = to_bytes(response.into_body(), 1 << 20).await.unwrap();
        (status, serde_json::from_slice(&bytes).unwrap())
    }

    /// What S3 tells of these objects.
    pub async fn tell(&self, keys: &[String]) -> Result<Value, lambda_runtime::Error> {
        let records: Vec<_> = keys
            .iter()
            .map(|key| json!({"eventSource": "aws:s3", "s3": {"object": {"key": key}}}))
            .collect();
        self.invoke(json!({"Records": records})).await
    }

    pub async fn invoke(&self, event: Value) -> Result<Value, lambda_runtime::Error> {
        let function = Function::new("upload").batch(Arrivals::new(self.platform.clone()));
        function.answer(event, false).await
    }

    /// Lets `content` arrive and be judged; what the list then says of it.
    pub async fn judged(&self, key: &UploadKey, content: Vec<u8>) -> Value {
        self.store.arrive(key, content);
        self.tell(&[key.arrival()]).await.unwrap();
        let (_, list) = self.call(Method::GET, &key.order, &json!({})).await;
        let documents = list["documents"].as_array().unwrap().clone();
        documents
            .into_iter()
            .find(|document| document["upload"] == key.upload)
            .unwrap_or_default()
    }
}

/// A place for an upload.
pub fn upload(order: &OrderId, kind: DocumentKind, digit: char) -> UploadKey {
    UploadKey {
        order: order.clone(),
        kind,
        upload: digit.to_string().repeat(32),
    }
}

/// A picture with something to see.
pub fn picture(width: u32, height: u32, format: ImageFormat) -> Vec<u8> {
    let shade = |x: u32, y: u32| u8::try_from((x * 7 + y * 13) % 256).unwrap();
    let picture = RgbImage::from_fn(width, height, |x, y| Rgb([shade(x, y), shade(y, x), 90]));
    let mut bytes = std::io::Cursor::new(Vec::new());
    DynamicImage::from(picture).write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}
