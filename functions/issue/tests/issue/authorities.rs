//! The stored CA: what opens it and what does not.
use serde_json::Value;
use yinxin_ca::ceremony::{self, Ceremony};
use yinxin_issue::authority::{Authority, AuthorityError, StoredAuthority};
use yinxin_store::issuances::Issuances as _;
use yinxin_store::memory::MemoryStore;
use yinxin_store::vault::{DataKey, MemoryVault, Purpose, Vault as _, rng};

use crate::world::NOW;

async fn data_key() -> DataKey {
    MemoryVault
        .new_data_key(Purpose::Authority, "one-ca")
        .await
        .unwrap()
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
    let opened = Authority::load(&store, &MemoryVault, "one-ca").await.unwrap();
    assert_eq!(opened.chain, made.chain());
    assert_eq!(format!("{stored:?}"), "StoredAuthority(..)");
}

#[tokio::test]
async fn keys_rest_sealed_and_the_roots_may_be_taken_away() {
    let made = made();
    let stored = StoredAuthority::seal("one-ca", &made, &data_key().await).unwrap();
    let mut json: Value = serde_json::to_value(&stored).unwrap();
    for pair in [&made.root, &made.issuing] {
        use base64::Engine as _;
        let key = pair.key.to_pkcs8_der();
        for field in ["sealed_issuing_key", "sealed_root_key"] {
            let sealed = base64::engine::general_purpose::STANDARD
                .decode(json[field].as_str().unwrap())
                .unwrap();
            assert!(
                !sealed
                    .windows(32)
                    .any(|window| key.windows(32).any(|part| part == window))
            );
        }
    }
    json.as_object_mut().unwrap().remove("sealed_root_key");
    let without: StoredAuthority = serde_json::from_value(json).unwrap();
    assert!(without.open("one-ca", data_key().await).is_ok());
}

#[tokio::test]
async fn a_ca_opens_for_its_vendor_and_purpose_only() {
    let mut stored = StoredAuthority::seal("one-ca", &made(), &data_key().await).unwrap();
    let refused = stored.open("two-ca", data_key().await);
    assert!(matches!(refused, Err(AuthorityError::Store(_))));
    // The root's key in the place of the issuing CA's.
    stored.sealed_issuing_key = stored.sealed_root_key.clone().unwrap();
    let refused = stored.open("one-ca", data_key().await);
    assert!(matches!(refused, Err(AuthorityError::Store(_))));
}

#[tokio::test]
async fn certificates_of_another_ca_do_not_fit_the_key() {
    let mut stored = StoredAuthority::seal("one-ca", &made(), &data_key().await).unwrap();
    stored.chain = StoredAuthority::seal("one-ca", &made(), &data_key().await)
        .unwrap()
        .chain;
    let refused = stored.open("one-ca", data_key().await);
    assert!(matches!(refused, Err(AuthorityError::SetUp(_))));
}

#[tokio::test]
async fn what_is_no_ca_is_unreadable() {
    let store = MemoryStore::default();
    store.put_authority("one-ca", "{}").await.unwrap();
    let refused = Authority::load(&store, &MemoryVault, "one-ca").await;
    assert!(matches!(refused, Err(AuthorityError::Unreadable(_))));
    let refused = Authority::load(&store, &MemoryVault, "two-ca").await;
    assert!(matches!(refused, Err(AuthorityError::Store(_))));
}
