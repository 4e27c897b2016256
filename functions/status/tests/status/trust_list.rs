//! The trust list as trading systems fetch it.
use std::sync::Arc;

use yinxin_ca::ceremony::{self, Above};
use yinxin_ca::trust_list::{ListSigner, StoredTrustList, sign, verify};
use yinxin_ca::{Signer, SoftwareKey};
use yinxin_pki::SigningKey;
use yinxin_pki::profile::Profile;
use yinxin_store::authorities::{Authorities as _, TRUST_LIST};
use yinxin_store::vault::rng;

use crate::world::{NOW, World};

#[tokio::test]
async fn the_published_list_and_the_root_are_given() {
    let world = World::new().await;
    for path in ["/api/trust-list", "/api/trust-list/root.cer"] {
        assert_eq!(world.get(path).await.status, 404, "nothing was published");
    }
    let made = ceremony::init("platform", "印信平台", NOW, &mut rng()).unwrap();
    let key: Arc<dyn Signer> = Arc::new(SoftwareKey::new(SigningKey::generate(&mut rng())));
    let above = Above {
        certificate: &made.root.certificate,
        key: &SoftwareKey::new(made.root.key.clone()),
    };
    let name = ceremony::name("印信平台", "trust list signer").unwrap();
    let profile = Profile::TrustListSigner;
    let certificate = ceremony::certify(profile, &name, key.public_key(), &above, NOW, 5, &mut rng())
        .await
        .unwrap();
    let mut stored = StoredTrustList::new(NOW);
    stored.record(NOW).unwrap();
    let recorded = stored.recorded.clone().unwrap();
    let signer = ListSigner { certificate, key };
    let document = sign(&signer, &recorded.content, recorded.signing_time)
        .await
        .unwrap();
    stored.publish(document.clone(), &made.root.certificate);
    let json = serde_json::to_string(&stored).unwrap();
    let put = world.store.replace_trust_list(TRUST_LIST, None, &json).await;
    assert!(put.unwrap());

    let answer = world.get("/api/trust-list").await;
    assert_eq!((answer.status, &answer.body), (200, &document));
    assert_eq!(answer.header("content-type"), Some("application/pkcs7-mime"));
    assert!(answer.header("etag").is_some());
    let list = verify(&answer.body, std::slice::from_ref(&made.root.certificate), NOW).unwrap();
    assert_eq!(list.version, 1);
    let root = world.get("/api/trust-list/root.cer").await;
    assert_eq!(root.body, made.root.certificate.as_der());
    assert_eq!(root.header("content-type"), Some("application/pkix-cert"));
}
