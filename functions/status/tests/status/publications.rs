//! Revocation lists and CA certificates.
use serde_json::json;
use time::Duration;
use yinxin_ca::status::Window;
use yinxin_order::sample::vendor;
use yinxin_pki::crl::Crl;
use yinxin_store::publications::{Publication, Publications as _};
use yinxin_store::statuses::{ListKey, PublishedList, RevocationLists as _};

use crate::world::{NOW, World};

/// Publishes a list with this number, as `issue` does.
async fn publish(world: &World, number: u64) {
    let list = ListKey {
        authority: world.authority.clone(),
        shard: 3,
    };
    let window = Window {
        from: NOW,
        until: NOW + Duration::days(7),
    };
    let tbs = world
        .signing
        .list(number, window, "http://127.0.0.1/3.crl", &[])
        .unwrap();
    let signed = world.signing.sign_list(&tbs).await.unwrap();
    let object = Publication::List(list.clone(), number);
    world.store.put(&object, signed).await.unwrap();
    let published = PublishedList {
        vendor: vendor(),
        number,
        this_update: window.from,
        next_update: window.until,
        due: NOW + Duration::days(1),
    };
    world.store.publish(&list, &published).await.unwrap();
}

#[tokio::test]
async fn the_newest_list_of_a_shard_is_given() {
    let world = World::new().await;
    let path = format!("/api/crl/{}/3.crl", world.authority);
    assert_eq!(world.get(&path).await.status, 404);
    for (number, newest) in [(2, 2), (1, 2), (3, 3)] {
        publish(&world, number).await;
        let answer = world.get(&path).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("content-type"), Some("application/pkix-crl"));
        let list = Crl::from_der(&answer.body).unwrap();
        list.verify_signature(world.issuing.key()).unwrap();
        assert_eq!(list.number(), Some(&[newest][..]));
    }
}

#[tokio::test]
async fn a_list_is_kept_for_half_a_minute() {
    let world = World::new().await;
    publish(&world, 1).await;
    let path = format!("/api/crl/{}/3.crl", world.authority);
    let answer = world.get(&path).await;
    assert_eq!(
        answer.header("cache-control"),
        Some("max-age=30, public, no-transform, must-revalidate")
    );
    let tag = answer.header("etag").unwrap();
    let known = world.get_with(&path, &json!({"if-none-match": tag})).await;
    assert_eq!(known.status, 304);
}

#[tokio::test]
async fn a_cas_certificate_is_given() {
    let world = World::new().await;
    let object = Publication::Authority(world.authority.clone());
    let der = world.issuing.as_der().to_vec();
    world.store.put(&object, der.clone()).await.unwrap();
    let answer = world.get(&format!("/api/ca/{}.cer", world.authority)).await;
    assert_eq!((answer.status, &answer.body), (200, &der));
    assert_eq!(answer.header("content-type"), Some("application/pkix-cert"));
}

#[tokio::test]
async fn what_is_not_published_does_not_exist() {
    let world = World::new().await;
    let authority = &world.authority;
    for path in [
        "/api/ca/00.cer".to_owned(),
        "/api/ca/..%2f..%2fcrl.cer".to_owned(),
        format!("/api/ca/{authority}"),
        format!("/api/crl/{authority}/4.crl"),
        format!("/api/crl/{authority}/-1.crl"),
        format!("/api/crl/{authority}/+1.crl"),
        format!("/api/crl/{authority}/.crl"),
        format!("/api/crl/{authority}/3"),
        format!("/api/crl/{authority}/99999999999999999999.crl"),
        "/api/crl/..%2F..%2Fca/3.crl".to_owned(),
    ] {
        let answer = world.get(&path).await;
        assert_eq!(answer.status, 404, "{path}");
        assert_eq!(answer.header("content-type"), Some("application/problem+json"));
        let problem = String::from_utf8(answer.body).unwrap();
        assert!(problem.contains("no-such-publication"), "{path}: {problem}");
    }
}
