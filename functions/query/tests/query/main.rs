//! The query function through its router.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod application_form;
mod invoice;

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::http::Request;
use serde_json::{Value, json};
use time::macros::datetime;
use time::{Duration, OffsetDateTime};
use tower::ServiceExt;
use yinxin_lambda::serve::router_of;
use yinxin_lambda::{Function, Platform};
use yinxin_order::command::{Actor, Command};
use yinxin_order::form::{ApplicationForm, sample};
use yinxin_order::identifiers::{Fen, OrderId};
use yinxin_order::kind::Kind;
use yinxin_order::order::{NewOrder, Order, Product};
use yinxin_query::{App, routes};
use yinxin_store::advance;
use yinxin_store::catalog::{Offer, SubjectKind, Vendor};
use yinxin_store::claims::Idempotency;
use yinxin_store::intakes::Intake;
use yinxin_store::memory::MemoryStore;

const START: OffsetDateTime = datetime!(2026-03-02 01:00 UTC);
const SYSTEM: &str = "registration:test credential, public";
const OTHER_SYSTEM: &str = "other:test credential, public";

struct World {
    store: Arc<MemoryStore>,
    platform: Platform,
}

fn product() -> Product {
    Product {
        id: "unit-1y".parse().unwrap(),
        name: "单位数字证书".to_owned(),
        price: Fen::new(22_000).unwrap(),
        term_years: 1,
    }
}

impl World {
    async fn new() -> Self {
        let store = Arc::new(MemoryStore::default());
        let platform = Platform::in_memory(&store, Arc::new(|| START));
        let hashes = platform.vault.hashes().await.unwrap();
        for credential in [SYSTEM, OTHER_SYSTEM] {
            let system = credential.split(':').next().unwrap();
            let hash = hashes.lookup("system", credential);
            platform
                .catalog
                .put_system_credential(system, &hash)
                .await
                .unwrap();
        }
        World { store, platform }
    }

    fn router(&self) -> axum::Router {
        router_of(routes(App {
            platform: self.platform.clone(),
        }))
    }

    async fn get(&self, path: &str, bearer: Option<&str>) -> (u16, Value) {
        let mut request = Request::builder().uri(path);
        if let Some(token) = bearer {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let request = request.body(Body::empty()).unwrap();
        let response = self.router().oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let bytes = to_bytes(response.into_body(), 1 << 20).await.unwrap();
        (status, serde_json::from_slice(&bytes).unwrap())
    }

    async fn order(&self, form: ApplicationForm, intake: Option<&str>, minutes: i64) -> OrderId {
        let new = NewOrder {
            id: OrderId::from_random([u8::try_from(minutes).unwrap(); 16]),
            kind: Kind::New,
            vendor: "example-ca".parse().unwrap(),
            product: product(),
            form,
            checks: Vec::new(),
            intake: intake.map(ToOwned::to_owned),
        };
        let at = START + Duration::minutes(minutes);
        let (order, event) = Order::create(new, Actor::Applicant, at);
        self.platform.orders.create(&order, &event, &[]).await.unwrap();
        order.id
    }

    async fn intake(&self, uid: &str) {
        let intake = Intake {
            uid: uid.to_owned(),
            system: "registration".to_owned(),
            values: json!({"request_type": "new", "unit_name": "长沙样例建设有限公司"}).to_string(),
            expires_at: i64::MAX,
        };
        let idempotency = Idempotency {
            key: uid.to_owned(),
            body: String::new(),
            made: uid.to_owned(),
            expires_at: i64::MAX,
        };
        self.platform
            .intakes
            .put_intake(&intake, &idempotency)
            .await
            .unwrap();
    }
}

fn code(answer: &Value) -> &str {
    answer["type"]
        .as_str()
        .unwrap()
        .strip_prefix("/problems/")
        .unwrap()
}

#[tokio::test]
async fn health_names_the_version() {
    let (status, health) = World::new().await.get("/api/health", None).await;
    assert_eq!(status, 200);
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(health, json!({"status": "ok", "version": version}));
}

#[tokio::test]
async fn vendors_are_shown_with_their_products() {
    let world = World::new().await;
    let vendor = Vendor {
        id: "example-ca".parse().unwrap(),
        name: "示例认证机构".to_owned(),
        notice: "办理前请阅读".to_owned(),
        practice_statement: "3.2".to_owned(),
        products: vec![Offer {
            subject: SubjectKind::Unit,
            product: product(),
        }],
    };
    world.platform.catalog.put_vendor(&vendor).await.unwrap();
    let (status, vendors) = world.get("/api/vendors", None).await;
    assert_eq!(status, 200);
    let expected = json!({"vendors": [{
        "id": "example-ca", "name": "示例认证机构", "notice": "办理前请阅读", "practice_statement": "3.2",
        "products": [{"subject": "unit", "id": "unit-1y", "name": "单位数字证书", "price_fen": 22_000, "term_years": 1}],
    }]});
    assert_eq!(vendors, expected);
}

#[tokio::test]
async fn an_order_is_shown_to_its_holder_masked() {
    let world = World::new().await;
    let form = sample::unit(1);
    let id = world.order(form.clone(), None, 0).await;
    let token = world.platform.vault.hashes().await.unwrap().access_token(&id);
    let (status, view) = world.get(&format!("/api/orders/{id}"), Some(&token)).await;
    assert_eq!(status, 200);
    assert_eq!(
        (&view["state"], &view["turn"]),
        (&json!("draft"), &json!("applicant"))
    );
    assert!(!view.to_string().contains(form.holder_number()));
    assert!(!view.to_string().contains(form.notice_mobile().as_str()));
}

#[tokio::test]
async fn nobody_else_sees_an_order_or_that_there_is_one() {
    let world = World::new().await;
    let id = world.order(sample::unit(1), None, 0).await;
    let other = world.order(sample::unit(2), None, 1).await;
    let token = world.platform.vault.hashes().await.unwrap().access_token(&other);
    let nobodys = OrderId::from_random([9; 16]);
    for order in [id.as_str(), nobodys.as_str(), "x"] {
        let path = format!("/api/orders/{order}");
        let (status, problem) = world.get(&path, Some(&token)).await;
        assert_eq!((status, code(&problem)), (403, "not-your-order"));
    }
    let (status, problem) = world.get(&format!("/api/orders/{id}"), None).await;
    assert_eq!((status, code(&problem)), (401, "token-missing"));
}

#[tokio::test]
async fn progress_lists_the_orders_of_an_intake() {
    let world = World::new().await;
    let uid = "a".repeat(32);
    world.intake(&uid).await;
    let form = sample::unit(1);
    world.order(sample::unit(2), Some(&uid), 2).await;
    let first = world.order(form.clone(), Some(&uid), 1).await;
    world.order(sample::unit(3), Some("another"), 3).await;
    for command in [Command::Cancel, Command::Erase] {
        advance(world.store.as_ref(), &first, &command, &Actor::Applicant, START)
            .await
            .unwrap();
    }
    let path = format!("/api/intakes/{uid}/orders");
    let (status, progress) = world.get(&path, Some(SYSTEM)).await;
    assert_eq!(status, 200);
    let second = sample::unit(2);
    let expected = json!({"orders": [
        {
            "no": 1, "handler_name": null, "handler_id_number": null, "subject": null,
            "request_type": "new", "state": "cancelled", "created_at": "2026-03-02T01:01:00Z",
        },
        {
            "no": 2, "handler_name": second.contact_name().as_str(),
            "handler_id_number": second.contact_document().masked(), "subject": "unit",
            "request_type": "new", "state": "draft", "created_at": "2026-03-02T01:02:00Z",
        },
    ]});
    assert_eq!(progress, expected);
}

#[tokio::test]
async fn progress_is_for_the_system_that_handed_over() {
    let world = World::new().await;
    let uid = "a".repeat(32);
    world.intake(&uid).await;
    let path = format!("/api/intakes/{uid}/orders");
    let (status, problem) = world.get(&path, Some("registration:guess")).await;
    assert_eq!((status, code(&problem)), (401, "credential-invalid"));
    let (status, problem) = world.get(&path, Some(OTHER_SYSTEM)).await;
    assert_eq!((status, code(&problem)), (422, "no-such-intake"));
    let unknown = format!("/api/intakes/{}/orders", "b".repeat(32));
    let (status, problem) = world.get(&unknown, Some(SYSTEM)).await;
    assert_eq!((status, code(&problem)), (422, "no-such-intake"));
}

#[tokio::test]
async fn the_sample_event_is_answered() {
    let world = World::new().await;
    let event: Value =
        serde_json::from_str(include_str!("../../../../events/http-query-health.json")).unwrap();
    let function = Function::new("query").http(world.router());
    let answer = function.answer(event, true).await.unwrap();
    assert_eq!(answer["statusCode"], 200);
    assert_eq!(answer["headers"]["content-type"], "application/json");
}

#[tokio::test]
async fn what_has_no_route_is_a_problem() {
    let (status, problem) = World::new().await.get("/api/nothing", None).await;
    assert_eq!((status, code(&problem)), (404, "no-such-route"));
}
