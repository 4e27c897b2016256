//! Ceremonies and the trust list on a platform in memory.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::sync::Arc;

use time::macros::datetime;
use time::{Duration, OffsetDateTime};
use yinxin_ca::ceremony;
use yinxin_ca::trust_list::{CaKind, CaStatus, StoredTrustList, TrustList, key_id, verify};
use yinxin_est::EstConfig;
use yinxin_issue::authority::{PLATFORM, certificate};
use yinxin_lambda::Platform;
use yinxin_pki::Certificate;
use yinxin_store::authorities::{Authorities as _, TRUST_LIST};
use yinxin_store::memory::MemoryStore;
use yinxin_store::vault::rng;

use crate::authorities::{self, Found, KeyPlaces};
use crate::{endpoints, seed, trust_list};

const NOW: OffsetDateTime = datetime!(2026-04-07 02:00 UTC);
const BJCA: (&str, &str) = ("bjca", "北京数字认证股份有限公司");

struct World {
    store: Arc<MemoryStore>,
}

impl World {
    async fn seeded() -> World {
        let world = World {
            store: Arc::default(),
        };
        seed::run(&world.at(NOW)).await.unwrap();
        world
    }

    fn at(&self, now: OffsetDateTime) -> Platform {
        Platform::in_memory(&self.store, Arc::new(move || now))
    }

    async fn stored(&self) -> StoredTrustList {
        serde_json::from_str(&self.store.trust_list(TRUST_LIST).await.unwrap().unwrap()).unwrap()
    }

    /// What a trading system makes of the published document.
    async fn list(&self, at: OffsetDateTime) -> TrustList {
        let opened = authorities::open(&self.at(at), PLATFORM).await.unwrap();
        let root = certificate(&opened.stored.root.certificate).unwrap();
        verify(&self.stored().await.published, &[root], at).unwrap()
    }

    async fn issuing(&self, number: usize) -> Certificate {
        let opened = authorities::open(&self.at(NOW), BJCA.0).await.unwrap();
        opened.stored.generations[number - 1].certificates().unwrap()[0].clone()
    }

    async fn actions(&self, id: &str) -> Vec<String> {
        let entries = self
            .at(NOW)
            .audits
            .audit_of(&format!("authority/{id}"))
            .await
            .unwrap();
        entries.into_iter().map(|entry| entry.action).collect()
    }
}

#[tokio::test]
async fn seeding_makes_eleven_vendors_with_roots_of_their_own_and_one_list() {
    let world = World::seeded().await;
    let list = world.list(NOW).await;
    assert_eq!((list.version, list.vendors.len()), (1, 11));
    let anchors = list.anchors_at(NOW);
    let roots: std::collections::HashSet<String> = anchors
        .iter()
        .filter(|anchor| anchor.kind == CaKind::Root)
        .map(|anchor| key_id(&anchor.certificate))
        .collect();
    assert_eq!((anchors.len(), roots.len()), (22, 11));
    // Seeding again changes nothing.
    seed::run(&world.at(NOW + Duration::HOUR)).await.unwrap();
    assert_eq!(world.list(NOW).await, list);
    assert_eq!(world.actions("bjca").await, ["ca.init"]);
    assert_eq!(world.actions(PLATFORM).await, ["ca.init", "trust-list.publish"]);
}

#[tokio::test]
async fn a_rotation_is_announced_before_it_takes_over() {
    let world = World::seeded().await;
    let platform = world.at(NOW);
    let from = authorities::rotate(&platform, BJCA, Some("key-of-bjca"), None, "li")
        .await
        .unwrap();
    assert_eq!(from, NOW + Duration::days(7));
    assert_eq!(trust_list::publish(&platform, "li").await.unwrap(), 2);
    let list = world.list(NOW).await;
    let bjca = list.vendors.iter().find(|vendor| vendor.id == "bjca").unwrap();
    assert_eq!(bjca.services.len(), 3);
    let next = &bjca.services[2];
    assert_eq!((next.kind, next.issues_from), (CaKind::Issuing, Some(from)));
    assert_eq!(next.certificate, world.issuing(2).await.as_der());
    assert_eq!(world.actions("bjca").await, ["ca.init", "ca.rotate"]);
    let earlier = authorities::rotate(&platform, BJCA, None, Some(NOW), "li").await;
    assert!(earlier.is_err(), "a newer issuing CA takes over later");
}

#[tokio::test]
async fn of_two_ceremonies_at_once_one_fails() {
    let world = World::seeded().await;
    let platform = world.at(NOW);
    let slow = authorities::open(&platform, "bjca").await.unwrap();
    authorities::rotate(&platform, BJCA, None, None, "li")
        .await
        .unwrap();
    let refused = authorities::replace(&platform, "bjca", &slow).await;
    assert!(refused.unwrap_err().to_string().contains("was faster"));
    let opened = authorities::open(&platform, "bjca").await.unwrap();
    assert_eq!(opened.stored.generations.len(), 2, "no key was lost");
}

#[tokio::test]
async fn a_recorded_version_is_signed_before_another_is_made() {
    let world = World::seeded().await;
    // A run that stopped between its record and its signature.
    let mut stored = world.stored().await;
    let before = serde_json::to_string(&stored).unwrap();
    stored.record(NOW + Duration::HOUR).unwrap();
    let recorded = serde_json::to_string(&stored).unwrap();
    let replaced = world
        .store
        .replace_trust_list(TRUST_LIST, Some(&before), &recorded)
        .await;
    assert!(replaced.unwrap());
    let later = NOW + Duration::DAY;
    assert_eq!(trust_list::publish(&world.at(later), "li").await.unwrap(), 2);
    let list = world.list(later).await;
    assert_eq!((list.version, list.issued_at), (2, NOW + Duration::HOUR));
    assert_eq!(trust_list::publish(&world.at(later), "li").await.unwrap(), 3);
}

#[tokio::test]
async fn the_list_is_signed_anew_by_itself_before_it_ends() {
    let world = World::seeded().await;
    let refresh = async |at| {
        yinxin_issue::trust_list::refresh(&world.at(at), at)
            .await
            .unwrap();
    };
    refresh(NOW + Duration::days(3)).await;
    assert_eq!(world.list(NOW + Duration::days(3)).await.version, 1);
    let later = NOW + Duration::days(4);
    refresh(later).await;
    refresh(later).await;
    let list = world.list(later).await;
    assert_eq!((list.version, list.issued_at), (2, later));
}

#[tokio::test]
async fn a_withdrawn_ca_issues_no_more_and_the_list_says_since_when() {
    let world = World::seeded().await;
    let issuing = key_id(&world.issuing(1).await);
    let which = ("bjca", Some(issuing.as_str()));
    let at = NOW + Duration::DAY;
    let platform = world.at(at);
    let version = trust_list::change(&platform, which, CaStatus::Withdrawn, "key lost", "li").await;
    assert_eq!(version.unwrap(), 2);
    let list = world.list(at).await;
    assert_eq!((list.anchors_at(NOW).len(), list.anchors_at(at).len()), (22, 21));
    let opened = authorities::open(&platform, "bjca").await.unwrap();
    assert_eq!(opened.stored.generations[0].retired, Some(at));
    for reason in ["", " "] {
        let refused = trust_list::change(&platform, which, CaStatus::Granted, reason, "li").await;
        assert!(refused.is_err(), "no change without a reason");
    }
    trust_list::change(&platform, which, CaStatus::Granted, "found", "li")
        .await
        .unwrap();
    let opened = authorities::open(&platform, "bjca").await.unwrap();
    assert_eq!(opened.stored.generations[0].retired, None);
    assert_eq!(
        world.actions("bjca").await,
        ["ca.init", "ca.withdraw", "ca.grant"]
    );
}

#[tokio::test]
async fn list_signers_and_responders_are_renewed() {
    let world = World::seeded().await;
    let later = NOW + Duration::days(300);
    let platform = world.at(later);
    assert_eq!(authorities::renew(&platform, BJCA, "li").await.unwrap(), [1]);
    assert!(
        authorities::renew(&platform, BJCA, "li")
            .await
            .unwrap()
            .is_empty()
    );
    let own = (PLATFORM, authorities::PLATFORM_NAME);
    authorities::rotate(&platform, own, None, None, "li")
        .await
        .unwrap();
    assert_eq!(trust_list::publish(&platform, "li").await.unwrap(), 2);
    assert_eq!(world.list(later).await.version, 2);
}

/// A vendor's root, and an endpoint under it that nobody asks anything.
fn endpoint() -> (Certificate, EstConfig) {
    let made = ceremony::init("estca", "样例厂商认证有限公司", NOW, &mut rng()).unwrap();
    let root = made.root.certificate;
    let est = EstConfig {
        url: "https://est.example".to_owned(),
        label: None,
        client_secret: "vendor-est".to_owned(),
        server_ca: root.to_pem(),
        vendor_root: root.to_pem(),
    };
    (root, est)
}

#[tokio::test]
async fn a_vendor_with_an_endpoint_is_announced_by_its_root_and_has_no_other_ca() {
    let world = World::seeded().await;
    let platform = world.at(NOW);
    let (root, est) = endpoint();
    let mut vendor = platform.catalog.vendor(&"bjca".parse().unwrap()).await.unwrap();
    let refused = endpoints::init(&platform, &vendor.id, est.clone(), "li").await;
    assert!(refused.unwrap_err().to_string().contains("has a CA"));
    assert_eq!(world.actions("bjca").await, ["ca.init"]);

    vendor.id = "estca".parse().unwrap();
    platform.catalog.put_vendor(&vendor).await.unwrap();
    endpoints::init(&platform, &vendor.id, est.clone(), "li")
        .await
        .unwrap();
    assert_eq!(world.actions("estca").await, ["ca.est"]);
    assert!(
        endpoints::init(&platform, &vendor.id, est, "li").await.is_err(),
        "once is enough"
    );
    let made = authorities::init(&platform, &vendor, &KeyPlaces::default(), "li").await;
    assert!(!made.unwrap(), "it has its CA");
    let who = ("estca", "estca");
    let renewed = authorities::renew(&platform, who, "li").await;
    assert!(renewed.unwrap().is_empty());
    assert!(
        authorities::rotate(&platform, who, None, None, "li")
            .await
            .is_err()
    );

    trust_list::publish(&platform, "li").await.unwrap();
    let list = world.list(NOW).await;
    let listed = list.vendors.iter().find(|vendor| vendor.id == "estca").unwrap();
    let [service] = &listed.services[..] else {
        panic!("an endpoint is announced by its root alone");
    };
    assert_eq!((service.kind, &service.key_id), (CaKind::Root, &key_id(&root)));
}

#[tokio::test]
async fn a_vendor_that_was_connected_first_keeps_its_endpoint_when_it_is_seeded() {
    let world = World {
        store: Arc::default(),
    };
    let (root, est) = endpoint();
    let platform = world.at(NOW);
    endpoints::init(&platform, &"bjca".parse().unwrap(), est, "li")
        .await
        .unwrap();
    seed::run(&platform).await.unwrap();
    assert_eq!(world.actions("bjca").await, ["ca.est"]);
    let list = world.list(NOW).await;
    let bjca = list.vendors.iter().find(|vendor| vendor.id == "bjca").unwrap();
    assert_eq!(list.vendors.len(), 11);
    assert_eq!(list.anchors_at(NOW).len(), 21);
    assert_eq!(bjca.services[0].key_id, key_id(&root));
}

#[tokio::test]
async fn a_vendors_endpoint_is_retired_with_its_root_and_granted_again() {
    let world = World::seeded().await;
    let platform = world.at(NOW);
    let (root, est) = endpoint();
    let mut vendor = platform.catalog.vendor(&"bjca".parse().unwrap()).await.unwrap();
    vendor.id = "estca".parse().unwrap();
    platform.catalog.put_vendor(&vendor).await.unwrap();
    endpoints::init(&platform, &vendor.id, est, "li").await.unwrap();
    trust_list::publish(&platform, "li").await.unwrap();
    let retired = async || match authorities::find(&platform, "estca").await.unwrap() {
        Some(Found::Est(_, stored)) => stored.retired,
        _ => panic!("estca has no endpoint"),
    };
    let key = key_id(&root);
    for (status, wanted) in [(CaStatus::Withdrawn, Some(NOW)), (CaStatus::Granted, None)] {
        trust_list::change(&platform, ("estca", Some(&key)), status, "licence", "li")
            .await
            .unwrap();
        assert_eq!(retired().await, wanted);
    }
}

#[tokio::test]
async fn a_vendor_is_never_the_platform() {
    let world = World::seeded().await;
    let platform = world.at(NOW);
    let mut vendor = platform.catalog.vendor(&"bjca".parse().unwrap()).await.unwrap();
    vendor.id = PLATFORM.parse().unwrap();
    assert!(
        authorities::init(&platform, &vendor, &KeyPlaces::default(), "li")
            .await
            .is_err()
    );
}

mod tickets {
    use time::Duration;
    use yinxin_personalise::{TicketKeys, TicketSecret};
    use yinxin_pki::pem::decode_chain;
    use yinxin_pki::profile::Profile;

    use super::{NOW, PLATFORM, World, authorities, certificate};
    use crate::tickets::add;

    #[tokio::test]
    async fn the_first_key_signs_at_once_and_the_next_one_when_agents_know_it() {
        let world = World::seeded().await;
        let mut secret = TicketSecret::default();
        let from = add(&world.at(NOW), &mut secret, None, "li").await.unwrap();
        assert_eq!(from, NOW);
        let later = NOW + Duration::days(900);
        let from = add(&world.at(later), &mut secret, None, "li").await.unwrap();
        assert_eq!(from, later + Duration::days(7));
        assert_eq!(secret.keys.len(), 2);
        // A third one has to wait until the second one signs; then the first one goes.
        let early = add(&world.at(later), &mut secret, None, "li").await;
        assert!(early.unwrap_err().to_string().contains("does not sign yet"));
        let second = secret.keys[1].certificates.clone();
        let then = later + Duration::days(30);
        add(&world.at(then), &mut secret, Some(then), "li").await.unwrap();
        assert_eq!((secret.keys.len(), &secret.keys[0].certificates), (2, &second));
        let renewals = world.actions(PLATFORM).await;
        let renewals = renewals.iter().filter(|action| *action == "tickets.renew");
        assert_eq!(renewals.count(), 3);
    }

    #[tokio::test]
    async fn a_ticket_key_is_certified_by_the_platforms_root_and_known_to_agents() {
        let world = World::seeded().await;
        let mut secret = TicketSecret::default();
        add(&world.at(NOW), &mut secret, None, "li").await.unwrap();
        let pem = &secret.keys[0].certificates;
        let chain = decode_chain(pem).unwrap();
        let opened = authorities::open(&world.at(NOW), PLATFORM).await.unwrap();
        assert_eq!(chain[1], certificate(&opened.stored.root.certificate).unwrap());
        assert_eq!(chain[0].key_usage(), Some(Profile::TicketSigner.key_usage()));
        assert!(yinxin_ticket::Platform::from_pem(pem).is_ok());
        assert!(TicketKeys::of(&secret, "https://portal.example").is_some());
    }
}
