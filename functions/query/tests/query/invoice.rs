//! The download of an invoice.
use axum::body::{Body, to_bytes};
use axum::http::Request;
use tower::ServiceExt as _;
use yinxin_order::command::Command;
use yinxin_order::form::sample::unit;
use yinxin_order::invoice::InvoiceFormat;
use yinxin_order::order::Order;
use yinxin_order::sample::{event_of, invoice, moved, order_in};
use yinxin_order::state::State;
use yinxin_store::documents::InvoiceKey;

use crate::{START, World};

/// Status, media type and file name, body.
type Answer = (u16, String, String, Vec<u8>);

fn invoiced() -> Order {
    let due = order_in(State::AwaitingPersonalisation, 7, unit(7), START);
    let invoice = invoice(7, START);
    moved(&due, &Command::RecordInvoice { invoice }, START).order
}

async fn world_of(order: &Order) -> World {
    let world = World::new().await;
    let event = event_of(order, START);
    world.platform.orders.create(order, &event, &[]).await.unwrap();
    for (format, bytes) in [
        (InvoiceFormat::Pdf, "%PDF-1.7"),
        (InvoiceFormat::Ofd, "PK\x03\x04"),
    ] {
        let key = InvoiceKey {
            order: order.id.clone(),
            number: invoice(7, START).number,
            format,
        };
        let bytes = bytes.as_bytes().to_vec();
        world.platform.documents.keep_invoice(&key, bytes).await.unwrap();
    }
    world
}

async fn download(world: &World, order: &Order, query: &str) -> Answer {
    let token = world
        .platform
        .vault
        .hashes()
        .await
        .unwrap()
        .access_token(&order.id);
    let request = Request::get(format!("/api/orders/{}/invoice{query}", order.id))
        .header("authorization", format!("Bearer {token}"));
    let response = world
        .router()
        .oneshot(request.body(Body::empty()).unwrap())
        .await
        .unwrap();
    let header = |name: &str| {
        let value = response.headers().get(name);
        value
            .map(|value| value.to_str().unwrap().to_owned())
            .unwrap_or_default()
    };
    let (kind, name) = (header("content-type"), header("content-disposition"));
    let status = response.status().as_u16();
    (
        status,
        kind,
        name,
        to_bytes(response.into_body(), 1 << 20).await.unwrap().to_vec(),
    )
}

async fn problem(world: &World, order: &Order, query: &str) -> (u16, String) {
    let (status, _, _, body) = download(world, order, query).await;
    let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
    (status, crate::code(&body).to_owned())
}

#[tokio::test]
async fn the_holder_downloads_each_file() {
    let order = invoiced();
    let world = world_of(&order).await;
    for (format, kind, bytes) in [
        ("pdf", "application/pdf", b"%PDF-1.7".as_slice()),
        ("ofd", "application/ofd", b"PK\x03\x04"),
    ] {
        let answer = download(&world, &order, &format!("?format={format}")).await;
        let name = format!(
            "attachment; filename=\"dzfp_{}.{format}\"",
            invoice(7, START).number
        );
        assert_eq!(answer, (200, kind.to_owned(), name, bytes.to_vec()));
    }
    assert_eq!(
        problem(&world, &order, "?format=xml").await,
        (404, "invoice-not-issued".to_owned())
    );
    for query in ["", "?format=doc", "?format=pdf&as=zip"] {
        assert_eq!(
            problem(&world, &order, query).await,
            (400, "parameter-invalid".to_owned()),
            "{query}"
        );
    }
}

#[tokio::test]
async fn what_is_not_issued_is_not_given_out() {
    let due = order_in(State::AwaitingPersonalisation, 7, unit(7), START);
    let world = world_of(&due).await;
    assert_eq!(
        problem(&world, &due, "?format=pdf").await,
        (404, "invoice-not-issued".to_owned())
    );
}

#[tokio::test]
async fn an_erased_orders_invoice_is_gone() {
    let completed = order_in(State::Completed, 7, unit(7), START);
    let erased = moved(&completed, &Command::Erase, START).order;
    let world = world_of(&erased).await;
    assert_eq!(
        problem(&world, &erased, "?format=pdf").await,
        (410, "order-erased".to_owned())
    );
    let token = world
        .platform
        .vault
        .hashes()
        .await
        .unwrap()
        .access_token(&erased.id);
    let (_, view) = world
        .get(&format!("/api/orders/{}", erased.id), Some(&token))
        .await;
    assert_eq!(view["invoice"]["files"], serde_json::json!([]));
    assert_eq!(view["invoice"]["number"], invoice(7, START).number.as_str());
}

#[tokio::test]
async fn only_the_orders_holder_downloads_its_invoice() {
    let order = invoiced();
    let world = world_of(&order).await;
    let path = format!("/api/orders/{}/invoice?format=pdf", order.id);
    let (status, refused) = world.get(&path, None).await;
    assert_eq!((status, crate::code(&refused)), (401, "token-missing"));
    let (status, refused) = world.get(&path, Some("another")).await;
    assert_eq!((status, crate::code(&refused)), (403, "not-your-order"));
}
