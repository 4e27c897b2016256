//! Recoveries of encryption keys as officers ask for them, in process, through the router.
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
use yinxin_order::Actor;
use yinxin_order::effect::Effect;
use yinxin_order::identifiers::RecoveryId;
use yinxin_order::recovery::{Delivery, PATIENCE, RecoveryCommand};
use yinxin_order::sample::{order_id, vendor};
use yinxin_pki::csr::CsrBuilder;
use yinxin_pki::skf_blob::Layout;
use yinxin_pki::{EnvelopedKey, EnvelopedKeyBlob, Name, SigningKey, pem, sm3};
use yinxin_review::{App, routes};
use yinxin_store::audits::Audits as _;
use yinxin_store::key_history::{KeyEntry, KeyHistory as _};
use yinxin_store::memory::MemoryStore;
use yinxin_store::recoveries::{Recoveries as _, audit_subject};
use yinxin_store::vault::rng;

const NOW: OffsetDateTime = datetime!(2026-04-07 02:00 UTC);
const REASON: &str = "原介质损坏，需恢复加密密钥";

struct World {
    store: Arc<MemoryStore>,
    platform: Platform,
    /// The key in the new UKey.
    token: SigningKey,
}

struct Answer {
    status: u16,
    json: Value,
}

impl Answer {
    #[track_caller]
    fn is_problem(&self, status: u16, code: &str) {
        assert_eq!(
            (self.status, self.json["type"].as_str().unwrap_or_default()),
            (status, format!("/problems/{code}").as_str())
        );
    }
}

impl World {
    /// A holder with two keys of the samples' vendor, one of which the vendor keeps, and one key of another.
    async fn new() -> Self {
        World::at(NOW).await
    }

    async fn at(now: OffsetDateTime) -> Self {
        let store = Arc::new(MemoryStore::default());
        let platform = Platform::in_memory(&store, Arc::new(move || now));
        for (seed, vendor, is_escrowed) in [
            (1, vendor(), true),
            (2, vendor(), false),
            (3, "other-ca".parse().unwrap(), true),
        ] {
            let created_at = NOW + Duration::days(i64::from(seed));
            let entry = KeyEntry {
                holder: "a holder".to_owned(),
                vendor,
                serial: serial(seed),
                order: order_id(seed),
                request: format!("request {seed}"),
                is_escrowed,
                not_before: created_at,
                not_after: created_at + Duration::days(365),
                created_at,
            };
            store.enter_key(&entry).await.unwrap();
        }
        World {
            store,
            platform,
            token: SigningKey::generate(&mut rng()),
        }
    }

    fn csr(&self) -> String {
        let subject = Name::unit("长沙样例有限公司", None).unwrap();
        let der = CsrBuilder::new(&subject, self.token.public_key())
            .sign_with(|info| self.token.sign(info))
            .unwrap();
        pem::encode(pem::CERTIFICATE_REQUEST, &der)
    }

    fn body(&self) -> Value {
        json!({"order": order_id(1).to_string(), "reason": REASON, "csr": self.csr()})
    }

    async fn token(&self, account: &str, role: Role, vendor: &str) -> String {
        let staff = Staff {
            account: account.to_owned(),
            role,
            vendor: vendor.parse().unwrap(),
        };
        let key = self.platform.session_key().await.unwrap();
        key.sign(&staff, self.platform.now(), Duration::hours(1)).unwrap()
    }

    async fn send(&self, method: &str, path: &str, token: &str, body: Option<&Value>) -> Answer {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", "application/json")
            .body(body.map_or_else(Body::empty, |body| Body::from(body.to_string())))
            .unwrap();
        let app = App {
            platform: self.platform.clone(),
        };
        let response = router_of(routes(app)).oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let body = to_bytes(response.into_body(), 1 << 20).await.unwrap();
        Answer {
            status,
            json: serde_json::from_slice(&body).unwrap(),
        }
    }

    async fn post(&self, account: &str, path: &str, body: &Value) -> Answer {
        let token = self.token(account, Role::Officer, vendor().as_str()).await;
        self.send(
            "POST",
            &format!("/api/review/recoveries{path}"),
            &token,
            Some(body),
        )
        .await
    }

    async fn get(&self, path: &str) -> Answer {
        let token = self.token("officer-c", Role::Officer, vendor().as_str()).await;
        self.send("GET", path, &token, None).await
    }

    /// The id of a recovery that officer A asked for.
    async fn requested(&self) -> String {
        let answer = self.post("officer-a", "", &self.body()).await;
        assert_eq!(answer.status, 201, "{}", answer.json);
        answer.json["recovery_id"].as_str().unwrap().to_owned()
    }

    async fn approve(&self, account: &str, id: &str) -> Answer {
        self.post(account, &format!("/{id}/approve"), &json!({})).await
    }

    async fn reject(&self, account: &str, id: &str) -> Answer {
        let body = json!({"reason": "申请人身份尚未核实，请核验"});
        self.post(account, &format!("/{id}/reject"), &body).await
    }

    /// Does what `issue` does; answers with the key in escrow and its envelope.
    async fn deliver(&self, id: &str) -> (SigningKey, EnvelopedKey) {
        let key = SigningKey::generate(&mut rng());
        let enveloped = EnvelopedKey::seal(&key, self.token.public_key(), &mut rng());
        let delivery = Delivery {
            enveloped_key: STANDARD.encode(enveloped.as_der()),
            encryption_certificate: "a certificate".to_owned(),
        };
        let recovery = self.store.recovery(&id.parse().unwrap()).await.unwrap();
        let command = RecoveryCommand::Deliver(delivery);
        let moved = recovery.decide(&command, &Actor::platform("issue"), NOW).unwrap();
        self.store.save_recovery(&moved).await.unwrap();
        (key, enveloped)
    }
}

fn serial(seed: u32) -> String {
    format!("{seed:032x}")
}

#[tokio::test]
async fn two_officers_set_the_escrow_to_work() {
    let world = World::new().await;
    let id = world.requested().await;
    assert_eq!(world.store.take_errands(), []);
    let answer = world.approve("officer-b", &id).await;
    assert_eq!((answer.status, &answer.json["state"]), (200, &json!("approved")));
    let [errand] = world.store.take_errands().try_into().unwrap();
    let recovery: RecoveryId = id.parse().unwrap();
    assert_eq!(errand.order, order_id(1));
    assert_eq!(errand.effect, Effect::RecoverKey { recovery });
    let trail = world.store.audit_of(&audit_subject(&order_id(1))).await.unwrap();
    let steps: Vec<_> = trail.iter().map(|entry| (&*entry.by, &*entry.action)).collect();
    let wanted = [
        ("officer-a", "recovery.request"),
        ("officer-b", "recovery.approve"),
    ];
    assert_eq!(steps, wanted);
    // The reason may name people; the trail does not.
    assert!(!format!("{trail:?}").contains("介质"));
}

#[tokio::test]
async fn who_asked_cannot_approve() {
    let world = World::new().await;
    let id = world.requested().await;
    world
        .approve("officer-a", &id)
        .await
        .is_problem(409, "recovery-same-officer");
    assert_eq!(world.store.take_errands(), []);
    let shown = world.get(&format!("/api/review/recoveries/{id}")).await;
    assert_eq!(shown.json["state"], "requested");
    assert_eq!(shown.json["trail"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn what_was_decided_is_not_decided_again() {
    let world = World::new().await;
    let id = world.requested().await;
    assert_eq!(world.approve("officer-b", &id).await.status, 200);
    world
        .approve("officer-c", &id)
        .await
        .is_problem(409, "recovery-not-allowed");
    let answer = world.reject("officer-c", &id).await;
    assert_eq!((answer.status, &answer.json["state"]), (200, &json!("rejected")));
    assert_eq!(answer.json["rejection"], "申请人身份尚未核实，请核验");
    for account in ["officer-a", "officer-b"] {
        world
            .reject(account, &id)
            .await
            .is_problem(409, "recovery-not-allowed");
    }
}

#[tokio::test]
async fn a_request_expires_after_seven_days() {
    let world = World::new().await;
    let id = world.requested().await;
    let late = World::at(NOW + PATIENCE).await;
    let recovery = world.store.recovery(&id.parse().unwrap()).await.unwrap();
    let key = &recovery.key;
    let moved = yinxin_order::Recovery::request(
        recovery.id.clone(),
        recovery.vendor.clone(),
        key.clone(),
        recovery.private.clone().unwrap(),
        &Actor::Officer {
            account: "officer-a".to_owned(),
            vendor: vendor(),
        },
        NOW,
    );
    late.store.save_recovery(&moved.unwrap()).await.unwrap();
    late.approve("officer-b", &id)
        .await
        .is_problem(409, "recovery-expired");
    let shown = late.get(&format!("/api/review/recoveries/{id}")).await;
    assert_eq!(shown.json["state"], "expired");
}

#[tokio::test]
async fn the_recovered_key_comes_in_the_form_that_the_token_takes() {
    let world = World::new().await;
    let id = world.requested().await;
    let path = format!("/api/review/recoveries/{id}");
    assert_eq!(world.get(&path).await.json["delivery"], Value::Null);
    world.approve("officer-b", &id).await;
    let (key, enveloped) = world.deliver(&id).await;
    let shown = world.get(&path).await.json;
    assert_eq!(shown["state"], "recovered");
    assert_eq!(
        shown["token_key_sm3"],
        hex::encode(sm3(&world.token.public_key().to_spki_der()))
    );
    assert_eq!(shown["trail"].as_array().unwrap().len(), 3);
    assert_eq!(shown["delivery"]["encryption_certificate"], "a certificate");
    let bytes = |shown: &Value| {
        STANDARD
            .decode(shown["delivery"]["enveloped_key"].as_str().unwrap())
            .unwrap()
    };
    assert_eq!(shown["delivery"]["form"], "der");
    assert_eq!(bytes(&shown), enveloped.as_der());
    for (query, layout) in [
        ("form=skf", Layout::RightAligned),
        ("form=skf&variant=a", Layout::RightAligned),
        ("form=skf&variant=c", Layout::LeftAligned),
    ] {
        let shown = world.get(&format!("{path}?{query}")).await.json;
        let blob = EnvelopedKeyBlob::from_bytes(&bytes(&shown)).unwrap();
        assert_eq!(
            (blob.layout(), &shown["delivery"]["form"]),
            (layout, &json!("skf"))
        );
        let opened = blob.to_enveloped_key().unwrap().open(&world.token).unwrap();
        assert_eq!(opened.public_key(), key.public_key());
    }
    // Only who knows the session key makes variant B.
    for query in ["form=skf&variant=b", "form=pem", "variant=a", "forms=skf"] {
        world
            .get(&format!("{path}?{query}"))
            .await
            .is_problem(400, "parameter-invalid");
    }
    world
        .reject("officer-c", &id)
        .await
        .is_problem(409, "recovery-not-allowed");
}

#[tokio::test]
async fn a_request_needs_a_reason_a_key_and_a_proof() {
    let world = World::new().await;
    let refused = async |change: &dyn Fn(&mut Value), status: u16, code: &str| {
        let mut body = world.body();
        change(&mut body);
        world.post("officer-a", "", &body).await.is_problem(status, code);
    };
    for reason in [
        json!(""),
        json!("太短"),
        json!("长".repeat(501)),
        json!("a\u{7}".repeat(10)),
    ] {
        refused(&|body| body["reason"] = reason.clone(), 422, "body-shape").await;
    }
    refused(&|body| body["serial"] = json!(serial(1)), 422, "body-shape").await;
    refused(&|body| body["order"] = Value::Null, 422, "body-shape").await;
    refused(&|body| body["order"] = json!("elsewhere"), 404, "key-not-found").await;
    refused(
        &|body| body["order"] = json!(order_id(9).to_string()),
        404,
        "key-not-found",
    )
    .await;
    refused(
        &|body| body["order"] = json!(order_id(3).to_string()),
        404,
        "key-not-found",
    )
    .await;
    refused(
        &|body| body["order"] = json!(order_id(2).to_string()),
        409,
        "key-not-escrowed",
    )
    .await;
    refused(&|body| body["csr"] = json!("a request"), 422, "csr-malformed").await;
    let stolen = |body: &mut Value| {
        let mut der = pem::decode_one(pem::CERTIFICATE_REQUEST, body["csr"].as_str().unwrap()).unwrap();
        let last = der.len() - 1;
        der[last] ^= 1;
        body["csr"] = json!(pem::encode(pem::CERTIFICATE_REQUEST, &der));
    };
    refused(&stolen, 422, "csr-proof").await;
    assert_eq!(
        world.store.audit_of(&audit_subject(&order_id(1))).await.unwrap(),
        []
    );
}

#[tokio::test]
async fn a_key_is_found_by_its_serial_number_too() {
    let world = World::new().await;
    let ask = async |serial: &str| {
        let body = json!({"serial": serial, "reason": REASON, "csr": world.csr()});
        world.post("officer-a", "", &body).await
    };
    let answer = ask(&serial(1).to_uppercase()).await;
    assert_eq!(
        (answer.status, &answer.json["order_id"]),
        (201, &json!(order_id(1).to_string()))
    );
    for other in [
        serial(3),
        serial(9),
        String::new(),
        "no serial".to_owned(),
        "0".repeat(41),
    ] {
        ask(&other).await.is_problem(404, "key-not-found");
    }
}

#[tokio::test]
async fn the_history_of_a_holder_shows_the_vendors_own_keys_newest_first() {
    let world = World::new().await;
    let answer = world
        .get(&format!("/api/review/holders/keys?order={}", order_id(1)))
        .await;
    assert_eq!(answer.status, 200, "{}", answer.json);
    let keys = answer.json["keys"].as_array().unwrap();
    let serials: Vec<_> = keys.iter().map(|key| key["serial"].as_str().unwrap()).collect();
    assert_eq!(serials, [serial(2), serial(1)]);
    assert_eq!(keys[0]["is_escrowed"], false);
    assert_eq!(keys[1]["not_before"], "2026-04-08T02:00:00Z");
    assert!(!answer.json.to_string().contains("a holder"));
    for order in [order_id(3).to_string(), order_id(9).to_string(), "x".to_owned()] {
        world
            .get(&format!("/api/review/holders/keys?order={order}"))
            .await
            .is_problem(404, "key-not-found");
    }
    world
        .get("/api/review/holders/keys")
        .await
        .is_problem(400, "parameter-invalid");
}

#[tokio::test]
async fn only_officers_of_the_vendor_get_in() {
    let world = World::new().await;
    let id = world.requested().await;
    let operator = world.token("operator-1", Role::Operator, vendor().as_str()).await;
    let foreign = world.token("officer-b", Role::Officer, "other-ca").await;
    let base = format!("/api/review/recoveries/{id}");
    let reject = json!({"reason": REASON});
    let calls = [
        (
            "POST",
            "/api/review/recoveries".to_owned(),
            Some(world.body()),
            "key-not-found",
        ),
        ("GET", base.clone(), None, "recovery-not-found"),
        (
            "POST",
            format!("{base}/approve"),
            Some(json!({})),
            "recovery-not-found",
        ),
        (
            "POST",
            format!("{base}/reject"),
            Some(reject),
            "recovery-not-found",
        ),
        (
            "GET",
            format!("/api/review/holders/keys?order={}", order_id(1)),
            None,
            "key-not-found",
        ),
    ];
    for (method, path, body, hidden) in &calls {
        let answer = world.send(method, path, &operator, body.as_ref()).await;
        answer.is_problem(403, "role-missing");
        let answer = world.send(method, path, "nonsense", body.as_ref()).await;
        answer.is_problem(401, "session-invalid");
        let answer = world.send(method, path, &foreign, body.as_ref()).await;
        answer.is_problem(404, hidden);
    }
    for elsewhere in ["elsewhere".to_owned(), "0".repeat(32)] {
        world
            .get(&format!("/api/review/recoveries/{elsewhere}"))
            .await
            .is_problem(404, "recovery-not-found");
    }
    assert_eq!(world.store.take_errands(), []);
}
