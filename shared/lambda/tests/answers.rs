//! What every function answers: requests by the adapter, values by the JSON edge, sessions, batches.
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use axum::extract::{Query, RawQuery};
use axum::routing::{get, post};
use serde::Deserialize;
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};
use utoipa_axum::router::OpenApiRouter;
use yinxin_lambda::json::{MAX_BODY_BYTES, parse};
use yinxin_lambda::serve::{Batch, BatchError, router_of};
use yinxin_lambda::session::{MAX_SESSION, Role, SessionKey, Staff};
use yinxin_lambda::{Function, Json, Problem};
use yinxin_order::identifiers::{CreditCode, Mobile};
use yinxin_store::orders::Errand;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only whether it can be parsed counts")]
struct Body {
    credit_code: CreditCode,
    inner: Inner,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only whether it can be parsed counts")]
struct Inner {
    mobile: Mobile,
}

fn refused(body: &str) -> Problem {
    parse::<Body>(body.as_bytes()).err().expect("the body is refused")
}

#[test]
fn a_malformed_value_is_refused_by_its_own_type_with_a_pointer_and_without_the_value() {
    let problem = refused(r#"{"credit_code":"91430100MA4L00003Q","inner":{"mobile":"23800138000"}}"#);
    assert_eq!((problem.status, problem.code()), (422, "malformed-mobile"));
    assert_eq!(problem.pointer.as_deref(), Some("/inner/mobile"));
    assert!(!format!("{problem:?}").contains("23800138000"));
    let problem = refused(r#"{"credit_code":"91430100MA4L00003A","inner":{"mobile":"13800138000"}}"#);
    assert_eq!(
        (problem.code(), problem.pointer.as_deref()),
        ("malformed-credit-code", Some("/credit_code"))
    );
}

#[test]
fn a_wrong_shape_names_fields_and_never_values() {
    let problem =
        refused(r#"{"credit_code":"91430100MA4L00003Q","inner":{"mobile":"13800138000","pin":"123456"}}"#);
    assert_eq!(problem.code(), "body-shape");
    assert!(
        problem
            .detail
            .as_deref()
            .is_some_and(|detail| detail.contains("unknown field `pin`"))
    );
    let problem = refused(r#"{"credit_code":["张三"],"inner":{}}"#);
    assert_eq!(problem.code(), "body-shape");
    assert!(!format!("{problem:?}").contains("张三"));
    for broken in ["", "{", "{} {}", "\u{feff}{}"] {
        assert!(
            ["not-json", "body-shape"].contains(&refused(broken).code()),
            "{broken:?}"
        );
    }
}

fn function() -> Function {
    let routes = OpenApiRouter::new()
        .route(
            "/api/echo",
            post(|Json(value): Json<Value>| async { Json(value) }),
        )
        .route(
            "/api/query",
            get(|RawQuery(query): RawQuery, _: Query<Value>| async move { Json(json!(query)) }),
        )
        .route("/api/bytes", get(|| async { vec![0xff_u8, 0xfe] }));
    Function::new("test").http(router_of(routes))
}

async fn call(method: &str, path: &str, query: &str, headers: Value, body: Option<String>) -> Value {
    let event = json!({
        "version": "2.0", "routeKey": format!("{method} {path}"), "rawPath": path, "rawQueryString": query,
        "headers": headers, "isBase64Encoded": false, "body": body,
        "requestContext": {"http": {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1", "userAgent": "test"},
            "accountId": "1", "apiId": "a", "domainName": "d", "domainPrefix": "d", "requestId": "r",
            "routeKey": "$default", "stage": "$default", "time": "23/Nov/2026:11:40:59 +0000", "timeEpoch": 1}
    });
    function()
        .answer(event, false)
        .await
        .expect("HTTP events are always answered")
}

#[tokio::test]
async fn requests_and_answers_pass_the_adapter_whole() {
    let json_type = json!({"content-type": "application/json; charset=utf-8"});
    let answer = call(
        "POST",
        "/api/echo",
        "",
        json_type,
        Some(r#"{"名":"值"}"#.to_owned()),
    )
    .await;
    assert_eq!(answer["statusCode"], 200);
    assert_eq!(
        serde_json::from_str::<Value>(answer["body"].as_str().expect("text")).expect("JSON"),
        json!({"名": "值"})
    );
    assert_eq!(answer["headers"]["cache-control"], "no-store");
    let answer = call("GET", "/api/query", "a=1&b=%E5%80%BC", json!({}), None).await;
    assert_eq!(answer["body"], "\"a=1&b=%E5%80%BC\"");
    let answer = call("GET", "/api/bytes", "", json!({}), None).await;
    assert_eq!(
        (&answer["isBase64Encoded"], &answer["body"]),
        (&json!(true), &json!("//4="))
    );
}

#[tokio::test]
async fn what_is_too_large_or_unknown_is_a_problem() {
    let json_type = json!({"content-type": "application/json"});
    let large = format!("\"{}\"", "x".repeat(MAX_BODY_BYTES));
    for (answer, status, code) in [
        (
            call("POST", "/api/echo", "", json_type.clone(), Some(large)).await,
            413,
            "body-too-large",
        ),
        (
            call("POST", "/api/echo", "", json!({}), Some("{}".to_owned())).await,
            400,
            "not-json",
        ),
        (
            call("POST", "/api/echo", "", json_type, Some("{".to_owned())).await,
            400,
            "not-json",
        ),
        (
            call("GET", "/api/none", "", json!({}), None).await,
            404,
            "no-such-route",
        ),
        (
            call("GET", "/api/echo", "", json!({}), None).await,
            405,
            "method-not-allowed",
        ),
    ] {
        assert_eq!(answer["statusCode"], status, "{answer}");
        assert_eq!(answer["headers"]["content-type"], "application/problem+json");
        let problem: Problem =
            serde_json::from_str(answer["body"].as_str().expect("text")).expect("a problem");
        assert_eq!(problem.code(), code);
    }
}

#[derive(Clone, Default)]
struct Picky(Arc<Mutex<Vec<u32>>>);

#[async_trait]
impl Batch for Picky {
    async fn errand(&self, errand: Errand) -> Result<(), BatchError> {
        self.0.lock().expect("one thread").push(errand.seq);
        if errand.seq == 2 {
            Err("not this one".into())
        } else {
            Ok(())
        }
    }

    async fn object(&self, key: &str) -> Result<(), BatchError> {
        if key == "in/a b/值.png" {
            Ok(())
        } else {
            Err("another key".into())
        }
    }
}

#[tokio::test]
async fn a_failed_message_comes_again_and_the_others_do_not() {
    let batch = Picky::default();
    let body = |seq: u32| {
        json!({"order": "0".repeat(32), "version": 3, "seq": seq, "effect": {"type": "ask_ca"}}).to_string()
    };
    let mut records: Vec<Value> = (1..4)
        .map(|seq| json!({"messageId": format!("m{seq}"), "eventSource": "aws:sqs", "body": body(seq)}))
        .collect();
    records.push(json!({"messageId": "m4", "eventSource": "aws:sqs", "body": "no errand"}));
    let function = Function::new("test").batch(batch.clone());
    let answer = function
        .answer(json!({"Records": records}), false)
        .await
        .expect("a batch is answered");
    assert_eq!(
        answer["batchItemFailures"],
        json!([{"itemIdentifier": "m2"}, {"itemIdentifier": "m4"}])
    );
    assert_eq!(*batch.0.lock().expect("one thread"), [1, 2, 3]);
}

#[tokio::test]
async fn an_object_that_was_not_looked_at_fails_the_invocation() {
    let function = Function::new("test").batch(Picky::default());
    let event = |key: &str| json!({"Records": [{"eventSource": "aws:s3", "s3": {"object": {"key": key}}}]});
    assert!(
        function
            .answer(event("in/a+b/%E5%80%BC.png"), false)
            .await
            .is_ok()
    );
    assert!(function.answer(event("in/other"), false).await.is_err());
}

#[test]
fn a_session_is_good_for_its_key_and_its_time_only() {
    let now = OffsetDateTime::from_unix_timestamp(1_800_000_000).expect("a time");
    let staff = Staff {
        account: "officer-1".to_owned(),
        role: Role::Officer,
        vendor: "example-ca".parse().expect("a slug"),
    };
    let key = SessionKey::new("a test secret, public");
    let token = key.sign(&staff, now, Duration::hours(1)).expect("a session");
    assert_eq!(
        key.verify(&token, now + Duration::minutes(59))
            .expect("it is good"),
        staff
    );
    assert!(
        key.verify(&token, now + Duration::hours(1)).is_err(),
        "it has ended"
    );
    assert!(
        SessionKey::new("another secret").verify(&token, now).is_err(),
        "another key"
    );
    let (head, claims) = token
        .rsplit_once('.')
        .map(|(signed, _)| signed.split_once('.').expect("two parts"))
        .expect("three");
    for forged in [
        format!("{head}.{claims}."),
        format!("eyJhbGciOiJub25lIn0.{claims}."),
        String::new(),
    ] {
        assert!(key.verify(&forged, now).is_err(), "{forged}");
    }
    let long = key.sign(&staff, now, Duration::days(30)).expect("a session");
    assert!(
        key.verify(&long, now + MAX_SESSION).is_err(),
        "no session lasts longer than the limit"
    );
}
