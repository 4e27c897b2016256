//! Invoices that officers look after, through the function's router.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::http::Request;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use time::macros::datetime;
use time::{Duration, OffsetDateTime};
use tower::ServiceExt as _;
use yinxin_lambda::Platform;
use yinxin_lambda::serve::router_of;
use yinxin_lambda::session::{Role, Staff};
use yinxin_order::Command;
use yinxin_order::effect::Effect;
use yinxin_order::form::sample::unit;
use yinxin_order::invoice::InvoiceFormat;
use yinxin_order::order::Order;
use yinxin_order::sample::{event_of, moved, order_id, order_in, vendor};
use yinxin_order::state::State;
use yinxin_review::{App, routes};
use yinxin_store::StoreError;
use yinxin_store::documents::{Documents as _, InvoiceKey};
use yinxin_store::memory::MemoryStore;
use yinxin_store::orders::Orders as _;

const NOW: OffsetDateTime = datetime!(2026-04-07 02:00 UTC);
const NUMBER: &str = "26312000000000000009";
const PDF: &[u8] = b"%PDF-1.7 an invoice";
const OFD: &[u8] = b"PK\x03\x04 an invoice";

struct World {
    store: Arc<MemoryStore>,
    platform: Platform,
}

/// Status and body.
type Answer = (u16, Value);

fn due() -> Order {
    order_in(State::AwaitingPersonalisation, 1, unit(1), NOW)
}

fn failed() -> Order {
    let command = Command::ReportInvoiceFailure {
        reason: "E9106".to_owned(),
        detail: Some("购方名称与税号不一致".to_owned()),
    };
    moved(&due(), &command, NOW).order
}

fn upload() -> Value {
    json!({"number": NUMBER, "pdf": STANDARD.encode(PDF), "ofd": STANDARD.encode(OFD)})
}

fn problem(answer: &Answer) -> (u16, &str) {
    let kind = answer.1["type"].as_str().unwrap();
    (answer.0, kind.strip_prefix("/problems/").unwrap())
}

impl World {
    async fn with(order: Order) -> Self {
        let store = Arc::new(MemoryStore::default());
        let platform = Platform::in_memory(&store, Arc::new(|| NOW));
        let event = event_of(&order, NOW);
        store.create(&order, &event, &[]).await.unwrap();
        World { store, platform }
    }

    async fn send(&self, method: &str, action: &str, vendor: &str, role: Role, body: String) -> Answer {
        let staff = Staff {
            account: "account-1".to_owned(),
            role,
            vendor: vendor.parse().unwrap(),
        };
        let key = self.platform.session_key().await.unwrap();
        let token = key.sign(&staff, NOW, Duration::hours(1)).unwrap();
        let request = Request::builder()
            .method(method)
            .uri(format!("/api/review/orders/{}{action}", order_id(1)))
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", "application/json")
            .body(Body::from(body))
            .unwrap();
        let app = App {
            platform: self.platform.clone(),
        };
        let response = router_of(routes(app)).oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let body = to_bytes(response.into_body(), 1 << 20).await.unwrap();
        (status, serde_json::from_slice(&body).unwrap())
    }

    async fn post(&self, action: &str, body: Value) -> Answer {
        self.send("POST", action, vendor().as_str(), Role::Officer, body.to_string())
            .await
    }

    async fn kept(&self, format: InvoiceFormat) -> Result<Vec<u8>, StoreError> {
        let key = InvoiceKey {
            order: order_id(1),
            number: NUMBER.parse().unwrap(),
            format,
        };
        self.store.invoice(&key).await
    }

    fn effects(&self) -> Vec<Effect> {
        self.store
            .take_errands()
            .into_iter()
            .map(|errand| errand.effect)
            .collect()
    }
}

#[tokio::test]
async fn an_uploaded_invoice_is_issued_and_sent() {
    for order in [failed(), moved(&due(), &Command::LeaveInvoice, NOW).order] {
        let world = World::with(order).await;
        let (status, order) = world.post("/invoice", upload()).await;
        assert_eq!(status, 200, "{order}");
        assert_eq!(
            order["invoice"],
            json!({
                "status": "issued", "since": "2026-04-07T02:00:00Z", "number": NUMBER,
                "issued_at": "2026-04-07T02:00:00Z", "files": ["pdf", "ofd"],
            })
        );
        assert_eq!(world.kept(InvoiceFormat::Pdf).await.unwrap(), PDF);
        assert_eq!(world.kept(InvoiceFormat::Ofd).await.unwrap(), OFD);
        assert_eq!(world.effects(), [Effect::SendInvoice]);
        let again = world.post("/invoice", upload()).await;
        assert_eq!(problem(&again), (409, "already-recorded"));
        let another = json!({"number": "26312000000000000010", "pdf": STANDARD.encode(PDF)});
        assert_eq!(
            problem(&world.post("/invoice", another).await),
            (409, "invoice-not-due")
        );
    }
}

#[tokio::test]
async fn an_invoice_that_the_provider_may_still_issue_is_not_uploaded() {
    let serial = "2631".to_owned();
    let issuing = moved(&due(), &Command::RecordInvoiceRequest { serial }, NOW).order;
    for order in [due(), issuing] {
        let world = World::with(order).await;
        let answer = world.post("/invoice", upload()).await;
        assert_eq!(problem(&answer), (409, "invoice-not-due"));
        assert!(
            world.kept(InvoiceFormat::Pdf).await.is_err(),
            "a file of no invoice is kept"
        );
    }
    let world = World::with(order_in(State::AwaitingReview, 1, unit(1), NOW)).await;
    let answer = world.post("/invoice", upload()).await;
    assert_eq!(problem(&answer), (409, "command-not-allowed"));
}

#[tokio::test]
async fn only_files_of_their_kind_and_size_are_taken() {
    let world = World::with(failed()).await;
    let pdf = |bytes: usize| {
        let mut pdf = PDF.to_vec();
        pdf.resize(bytes, 0);
        STANDARD.encode(pdf)
    };
    let mut ofd = OFD.to_vec();
    ofd.resize(1024 * 1024 + 1, 0);
    for (change, pointer) in [
        (json!({"pdf": STANDARD.encode("<html>")}), "/pdf"),
        (json!({"pdf": "no base64"}), "/pdf"),
        (json!({"pdf": pdf(3 * 1024 * 1024 + 1)}), "/pdf"),
        (json!({"ofd": STANDARD.encode(PDF)}), "/ofd"),
        (json!({"ofd": STANDARD.encode(ofd)}), "/ofd"),
    ] {
        let mut body = upload();
        for (name, value) in change.as_object().unwrap() {
            body[name] = value.clone();
        }
        let answer = world.post("/invoice", body).await;
        assert_eq!(
            (problem(&answer), &answer.1["pointer"]),
            ((422, "invoice-file"), &json!(pointer))
        );
    }
    let mut body = upload();
    body["number"] = json!("2631");
    assert_eq!(
        problem(&world.post("/invoice", body).await),
        (422, "malformed-invoice-number")
    );
    let mut body = upload();
    body["pdf"] = json!(pdf(4_500_000));
    assert_eq!(
        problem(&world.post("/invoice", body).await),
        (413, "body-too-large")
    );
    let mut body = upload();
    body["pdf"] = json!(pdf(3 * 1024 * 1024));
    assert_eq!(world.post("/invoice", body).await.0, 200);
}

#[tokio::test]
async fn a_failed_invoice_shows_why_and_is_asked_for_again() {
    let world = World::with(failed()).await;
    let officer = (vendor().to_string(), Role::Officer);
    let (_, seen) = world.send("GET", "", &officer.0, officer.1, String::new()).await;
    let failure = json!({"reason": "E9106", "detail": "购方名称与税号不一致"});
    assert_eq!(seen["invoice_failure"], failure);
    assert_eq!(seen["order"]["invoice"]["status"], "failed");
    assert!(
        !seen["order"].to_string().contains("税号不一致"),
        "the applicant sees the provider's words"
    );
    let (status, order) = world.post("/invoice/retry", json!({})).await;
    assert_eq!((status, &order["invoice"]["status"]), (200, &json!("due")));
    assert_eq!(world.effects(), [Effect::IssueInvoice]);
    let again = world.post("/invoice/retry", json!({})).await;
    assert_eq!(problem(&again), (409, "invoice-not-due"));
}

#[tokio::test]
async fn only_officers_of_the_orders_vendor_look_after_its_invoice() {
    let world = World::with(failed()).await;
    for (action, body) in [("/invoice", upload()), ("/invoice/retry", json!({}))] {
        let body = body.to_string();
        let other = world
            .send("POST", action, "other-ca", Role::Officer, body.clone())
            .await;
        assert_eq!(problem(&other), (404, "order-not-found"));
        let operator = world
            .send("POST", action, vendor().as_str(), Role::Operator, body)
            .await;
        assert_eq!(problem(&operator), (403, "role-missing"));
    }
    assert_eq!(world.store.load(&order_id(1)).await.unwrap(), failed());
}

#[tokio::test]
async fn the_invoice_of_an_erased_order_is_not_brought_back() {
    let completed = order_in(State::Completed, 1, unit(1), NOW);
    let mut order = moved(&completed, &Command::Erase, NOW).order;
    order.invoice = failed().invoice;
    let world = World::with(order).await;
    assert_eq!(
        problem(&world.post("/invoice", upload()).await),
        (410, "order-erased")
    );
    assert!(world.kept(InvoiceFormat::Pdf).await.is_err());
}
