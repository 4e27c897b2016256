//! What becomes of uploads.
use axum::http::Method;
use image::ImageFormat;
use serde_json::{Value, json};
use yinxin_order::command::Command;
use yinxin_order::document::DocumentKind;
use yinxin_order::form::sample;
use yinxin_store::documents::UploadKey;

use crate::world::{World, picture, upload};

const KIND: DocumentKind = DocumentKind::IdPortrait;

impl World {
    async fn lies_in_arrivals(&self, key: &UploadKey) -> bool {
        self.platform.documents.arrived(key, 1).await.unwrap().is_some()
    }
}

#[tokio::test]
async fn a_picture_is_accepted_under_its_true_type() {
    let world = World::new();
    let id = world.confirmed(sample::unit(1)).await;
    for (digit, format, media_type) in [
        ('a', ImageFormat::Gif, "image/gif"),
        ('b', ImageFormat::Jpeg, "image/jpeg"),
        ('c', ImageFormat::Png, "image/png"),
    ] {
        let key = upload(&id, KIND, digit);
        let content = picture(120, 80, format);
        let bytes = content.len();
        let judged = world.judged(&key, content).await;
        assert_eq!(judged["verdict"], "accepted", "{judged}");
        assert_eq!(judged["content_type"], media_type);
        assert_eq!(judged["bytes"], bytes);
        assert!(!world.lies_in_arrivals(&key).await);
    }
    let (_, list) = world.call(Method::GET, &id, &json!({})).await;
    assert_eq!(
        list["documents"].as_array().unwrap().len(),
        1,
        "the latest of a kind counts"
    );
    assert_eq!(
        list["missing"],
        json!(["business_licence", "id_emblem", "seal_specimen"])
    );
}

#[tokio::test]
async fn what_is_no_whole_picture_is_refused() {
    let world = World::new();
    let id = world.confirmed(sample::unit(1)).await;
    let cut = |format: ImageFormat| {
        let mut content = picture(120, 80, format);
        content.truncate(content.len() * 3 / 4);
        content
    };
    let mut corrupt = picture(120, 80, ImageFormat::Png);
    let middle = corrupt.len() / 2;
    corrupt[middle] ^= 0xff;
    let mut large = picture(120, 80, ImageFormat::Png);
    large.resize(1_500_001, 0);
    for (digit, content, code) in [
        ('0', Vec::new(), "document-not-an-image"),
        ('1', b"%PDF-1.7 not a picture".to_vec(), "document-not-an-image"),
        ('2', b"<svg xmlns='x'/>".to_vec(), "document-not-an-image"),
        ('3', b"\x89PNG\r\n\x1a\n".to_vec(), "document-undecodable"),
        ('4', vec![0xff, 0xd8, 0xff, 0xe0], "document-undecodable"),
        ('5', cut(ImageFormat::Png), "document-undecodable"),
        ('6', cut(ImageFormat::Jpeg), "document-undecodable"),
        ('7', cut(ImageFormat::Gif), "document-undecodable"),
        ('8', corrupt, "document-undecodable"),
        ('9', large, "document-too-large"),
        ('a', bomb(), "document-undecodable"),
    ] {
        let key = upload(&id, KIND, digit);
        let judged = world.judged(&key, content).await;
        assert_eq!(judged["verdict"], "refused", "{digit}: {judged}");
        assert_eq!(judged["code"], code, "{digit}");
        assert!(!world.lies_in_arrivals(&key).await);
    }
}

/// A small PNG that says it has 90 million pixels.
fn bomb() -> Vec<u8> {
    let mut content = picture(8, 8, ImageFormat::Png);
    let mut header = b"IHDR".to_vec();
    header.extend(15_000_u32.to_be_bytes());
    header.extend(6_000_u32.to_be_bytes());
    header.extend(&content[24..29]);
    content[12..29].copy_from_slice(&header);
    content[29..33].copy_from_slice(&crc32(&header).to_be_bytes());
    content
}

/// ISO/IEC 15948, annex D.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc: u32, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            let carry = crc & 1;
            (crc >> 1) ^ (0xedb8_8320 * carry)
        })
    })
}

#[tokio::test]
async fn a_refused_upload_does_not_push_out_an_accepted_one() {
    let world = World::new();
    let id = world.confirmed(sample::unit(1)).await;
    let good = picture(10, 10, ImageFormat::Png);
    world.judged(&upload(&id, KIND, 'a'), good).await;
    world.judged(&upload(&id, KIND, 'b'), b"nothing".to_vec()).await;
    let (_, list) = world.call(Method::GET, &id, &json!({})).await;
    let verdicts: Vec<_> = list["documents"]
        .as_array()
        .unwrap()
        .iter()
        .map(|document| document["verdict"].clone())
        .collect();
    assert_eq!(verdicts, ["accepted", "refused"]);
    assert!(
        !list["missing"]
            .as_array()
            .unwrap()
            .contains(&json!("id_portrait"))
    );
}

#[tokio::test]
async fn an_event_that_comes_twice_changes_nothing() {
    let world = World::new();
    let id = world.confirmed(sample::unit(1)).await;
    let key = upload(&id, KIND, 'a');
    let content = picture(10, 10, ImageFormat::Png);
    world.judged(&key, content.clone()).await;
    let version = world.platform.orders.load(&id).await.unwrap().version;
    // Once more with the object gone, and once as if its removal had failed.
    world.tell(&[key.arrival()]).await.unwrap();
    world.judged(&key, content).await;
    let order = world.platform.orders.load(&id).await.unwrap();
    assert_eq!(order.version, version);
    assert!(!world.lies_in_arrivals(&key).await);
}

#[tokio::test]
async fn an_order_that_takes_no_documents_keeps_none() {
    let world = World::new();
    let id = world.confirmed(sample::unit(1)).await;
    world.act(&id, &Command::Cancel).await;
    let key = upload(&id, KIND, 'a');
    let judged = world.judged(&key, picture(10, 10, ImageFormat::Png)).await;
    assert_eq!(judged, Value::Null);
    assert!(!world.lies_in_arrivals(&key).await);
}

#[tokio::test]
async fn an_upload_of_no_order_is_forgotten() {
    let world = World::new();
    let key = upload(&"0".repeat(32).parse().unwrap(), KIND, 'a');
    world.store.arrive(&key, picture(10, 10, ImageFormat::Png));
    world.tell(&[key.arrival()]).await.unwrap();
    assert!(!world.lies_in_arrivals(&key).await);
}

#[tokio::test]
async fn all_records_of_an_event_are_looked_at() {
    let world = World::new();
    let id = world.confirmed(sample::unit(1)).await;
    let keys = [
        upload(&id, DocumentKind::IdPortrait, 'a'),
        upload(&id, DocumentKind::IdEmblem, 'b'),
    ];
    for key in &keys {
        world.store.arrive(key, picture(10, 10, ImageFormat::Png));
    }
    let places = ["in/elsewhere".to_owned(), keys[0].arrival(), keys[1].arrival()];
    world.tell(&places).await.unwrap();
    let order = world.platform.orders.load(&id).await.unwrap();
    assert_eq!(order.documents.len(), 2);
}

#[tokio::test]
async fn the_sample_event_is_understood() {
    let world = World::new();
    let event: Value =
        serde_json::from_str(include_str!("../../../../events/s3-document-arrived.json")).unwrap();
    let id = world.confirmed(sample::unit(1)).await;
    let key = upload(&id, KIND, 'a');
    assert_eq!(event["Records"][0]["s3"]["object"]["key"], key.arrival());
    world.store.arrive(&key, picture(10, 10, ImageFormat::Png));
    world.invoke(event).await.unwrap();
    let order = world.platform.orders.load(&id).await.unwrap();
    assert!(order.documents[0].is_accepted());
}
