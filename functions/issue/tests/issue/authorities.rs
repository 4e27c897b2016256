//! The stored CA: what opens it and what does not.
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use yinxin_ca::ceremony::{self, Ceremony};
use yinxin_issue::authority::{Authority, AuthorityError, AuthorityKeys, StoredAuthority};
use yinxin_lambda::Platform;
use yinxin_store::issuances::Issuances as _;
use yinxin_store::memory::MemoryStore;
use yinxin_store::vault::{DataKey, MemoryVault, Purpose, Vault, rng};

use crate::world::NOW;

pub async fn data_key() -> DataKey {
    MemoryVault
        .new_data_key(Purpose::Authority, "one-ca")
        .await
        .unwrap()
}

async fn keys(vendor: &str) -> AuthorityKeys {
    AuthorityKeys::sealed(vendor, data_key().await)
}

pub fn vault() -> Arc<dyn Vault> {
    Arc::new(MemoryVault)
}

fn over(store: MemoryStore) -> Platform {
    Platform::in_memory(&Arc::new(store), Arc::new(|| NOW))
}

fn made() -> Ceremony {
    ceremony::init("one-ca", "样例电子认证有限公司", NOW, &mut rng()).unwrap()
}

#[tokio::test]
async fn a_stored_ca_opens_with_its_chain() {
    let made = made();
    let stored = StoredAuthority::seal("one-ca", &made, &data_key().await).unwrap();
    let json = serde_json::to_string(&stored).unwrap();
    let store = MemoryStore::default();
    assert!(store.put_authority("one-ca", &json).await.unwrap());
    let opened = Authority::load(&over(store), "one-ca").await.unwrap();
    assert_eq!(opened.chain, made.chain());
    assert_eq!(format!("{stored:?}"), "StoredAuthority(..)");
}

#[tokio::test]
async fn keys_rest_sealed_and_the_roots_may_be_taken_away() {
    let made = made();
    let stored = StoredAuthority::seal("one-ca", &made, &data_key().await).unwrap();
    let mut json: Value = serde_json::to_value(&stored).unwrap();
    let rests = [
        &json["root"]["key"]["sealed"],
        &json["generations"][0]["key"]["sealed"],
    ];
    for (pair, sealed) in [&made.root, &made.issuing].into_iter().zip(rests) {
        let key = pair.key.to_pkcs8_der();
        let sealed = STANDARD.decode(sealed.as_str().unwrap()).unwrap();
        assert!(
            !sealed
                .windows(32)
                .any(|window| key.windows(32).any(|part| part == window))
        );
    }
    json["root"].as_object_mut().unwrap().remove("key");
    let without = StoredAuthority::from_json(&json.to_string()).unwrap();
    assert!(without.open(&keys("one-ca").await).is_ok());
}

#[tokio::test]
async fn what_was_stored_before_there_were_generations_opens() {
    let made = made();
    let stored = StoredAuthority::seal("one-ca", &made, &data_key().await).unwrap();
    let new = serde_json::to_value(&stored).unwrap();
    let first = json!({
        "chain": new["generations"][0]["chain"],
        "wrapped_key": new["wrapped_key"],
        "sealed_issuing_key": new["generations"][0]["key"]["sealed"],
        "sealed_root_key": new["root"]["key"]["sealed"],
    });
    let read = StoredAuthority::from_json(&first.to_string()).unwrap();
    assert!(read == stored);
    let opened = read.open(&keys("one-ca").await).unwrap();
    assert_eq!(opened.chain, made.chain());
}

#[tokio::test]
async fn a_ca_opens_for_its_vendor_and_purpose_only() {
    let mut stored = StoredAuthority::seal("one-ca", &made(), &data_key().await).unwrap();
    let refused = stored.open(&keys("two-ca").await);
    assert!(matches!(refused, Err(AuthorityError::Store(_))));
    // The root's key in the place of the issuing CA's.
    stored.generations[0].key = stored.root.key.clone().unwrap();
    let refused = stored.open(&keys("one-ca").await);
    assert!(matches!(refused, Err(AuthorityError::Store(_))));
}

#[tokio::test]
async fn certificates_of_another_ca_do_not_fit_the_key() {
    let mut stored = StoredAuthority::seal("one-ca", &made(), &data_key().await).unwrap();
    let other = StoredAuthority::seal("one-ca", &made(), &data_key().await).unwrap();
    stored.generations[0].chain = other.generations[0].chain.clone();
    let refused = stored.open(&keys("one-ca").await);
    assert!(matches!(refused, Err(AuthorityError::SetUp(_))));
}

#[tokio::test]
async fn what_is_no_ca_is_unreadable() {
    let store = MemoryStore::default();
    store.put_authority("one-ca", "{}").await.unwrap();
    let platform = over(store);
    let refused = Authority::load(&platform, "one-ca").await;
    assert!(matches!(refused, Err(AuthorityError::Unreadable(_))));
    let refused = Authority::load(&platform, "two-ca").await;
    assert!(matches!(refused, Err(AuthorityError::Store(_))));
}
