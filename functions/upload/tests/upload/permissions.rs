//! Who may upload what, and when.
use axum::http::Method;
use serde_json::{Value, json};
use yinxin_order::command::Command;
use yinxin_order::form::sample;

use crate::world::World;

const SHA256: &str = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";

fn announcement() -> Value {
    json!({"kind": "id_portrait", "content_type": "image/jpeg", "bytes": 1_500_000, "sha256": SHA256})
}

fn code(answer: &Value) -> &str {
    answer["type"]
        .as_str()
        .unwrap()
        .strip_prefix("/problems/")
        .unwrap()
}

#[tokio::test]
async fn a_document_that_is_needed_may_be_uploaded() {
    let world = World::new();
    let id = world.confirmed(sample::unit(1)).await;
    let (status, permission) = world.call(Method::POST, &id, &announcement()).await;
    assert_eq!(status, 201, "{permission}");
    let upload = permission["upload"].as_str().unwrap();
    assert_eq!(permission["url"], format!("memory:in/{id}/id_portrait/{upload}"));
    assert_eq!(permission["headers"], json!({"content-type": "image/jpeg"}));
    assert_eq!(permission["expires_at"], "2026-03-02T01:15:00Z");
}

#[tokio::test]
async fn what_is_announced_wrongly_is_refused() {
    let world = World::new();
    let id = world.confirmed(sample::unit(1)).await;
    for (field, value, expected) in [
        ("kind", json!("diploma"), "body-shape"),
        ("content_type", json!("application/pdf"), "document-type"),
        ("bytes", json!(1_500_001), "document-too-large"),
        ("bytes", json!(0), "document-not-an-image"),
        ("bytes", json!(-1), "body-shape"),
        ("sha256", json!("47DEQpj8"), "body-shape"),
        ("sha256", json!("not base64"), "body-shape"),
    ] {
        let mut body = announcement();
        body[field] = value;
        let (status, answer) = world.call(Method::POST, &id, &body).await;
        assert_eq!((status, code(&answer)), (422, expected));
        assert_eq!(answer["pointer"], format!("/{field}"));
    }
}

#[tokio::test]
async fn a_person_has_no_business_licence() {
    let world = World::new();
    let id = world.confirmed(sample::person(1)).await;
    let mut body = announcement();
    body["kind"] = json!("business_licence");
    let (status, answer) = world.call(Method::POST, &id, &body).await;
    assert_eq!((status, code(&answer)), (422, "document-not-needed"));
}

#[tokio::test]
async fn documents_come_after_the_confirmation() {
    let world = World::new();
    let id = world.draft(sample::unit(1), [2; 16]).await;
    let (status, answer) = world.call(Method::POST, &id, &announcement()).await;
    assert_eq!((status, code(&answer)), (409, "command-not-allowed"));
}

#[tokio::test]
async fn an_ended_order_takes_no_documents() {
    let world = World::new();
    let id = world.confirmed(sample::unit(1)).await;
    world.act(&id, &Command::Cancel).await;
    let (status, answer) = world.call(Method::POST, &id, &announcement()).await;
    assert_eq!((status, code(&answer)), (409, "command-not-allowed"));
    world.act(&id, &Command::Erase).await;
    let (status, answer) = world.call(Method::POST, &id, &announcement()).await;
    assert_eq!((status, code(&answer)), (410, "order-erased"));
}

#[tokio::test]
async fn only_the_holder_uploads_and_lists() {
    let world = World::new();
    let id = world.confirmed(sample::unit(1)).await;
    let other = world.draft(sample::unit(2), [2; 16]).await;
    let token = world.platform.vault.hashes().await.unwrap().access_token(&other);
    for method in [Method::POST, Method::GET] {
        let (status, answer) = world.call_with(&token, method, &id, &announcement()).await;
        assert_eq!((status, code(&answer)), (403, "not-your-order"));
    }
}

#[tokio::test]
async fn the_list_says_what_is_missing() {
    let world = World::new();
    let id = world.confirmed(sample::person(1)).await;
    let (status, list) = world.call(Method::GET, &id, &json!({})).await;
    assert_eq!(status, 200);
    let missing = ["id_portrait", "id_emblem", "seal_specimen"];
    assert_eq!(list, json!({"documents": [], "missing": missing}));
}
