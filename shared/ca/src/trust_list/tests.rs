//! Round trips, tampering, rollback and history.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::sync::Arc;

use getrandom::SysRng;
use rand_core::UnwrapErr;
use time::macros::datetime;
use time::{Duration, OffsetDateTime};
use yinxin_pki::profile::Profile;
use yinxin_pki::{Certificate, SigningKey};

use super::{
    CaKind, CaStatus, CacheError, CachedTrustList, ChangeError, ListSigner, StoredTrustList, TrustList,
    TrustListError, key_id, sign, verify,
};
use crate::ceremony::{self, Above};
use crate::signer::SoftwareKey;

const NOW: OffsetDateTime = datetime!(2026-04-07 02:00 UTC);

fn rng() -> UnwrapErr<SysRng> {
    UnwrapErr(SysRng)
}

struct World {
    root: Certificate,
    signer: ListSigner,
    vendor: Vec<Certificate>,
}

async fn world() -> World {
    let made = ceremony::init("platform", "印信平台", NOW, &mut rng()).unwrap();
    let vendor = ceremony::init("one-ca", "样例电子认证有限公司", NOW, &mut rng()).unwrap();
    World {
        signer: signer(&made, Profile::TrustListSigner).await,
        root: made.root.certificate,
        vendor: vendor.chain(),
    }
}

async fn signer(made: &ceremony::Ceremony, profile: Profile) -> ListSigner {
    let key = SigningKey::generate(&mut rng());
    let above = Above {
        certificate: &made.root.certificate,
        key: &SoftwareKey::new(made.root.key.clone()),
    };
    let name = ceremony::name("印信平台", "platform trust list 1").unwrap();
    let certificate = ceremony::certify(profile, &name, key.public_key(), &above, NOW, 5, &mut rng())
        .await
        .unwrap();
    ListSigner {
        certificate,
        key: Arc::new(SoftwareKey::new(key)),
    }
}

impl World {
    fn list(&self) -> TrustList {
        let mut list = TrustList::empty(NOW);
        for (kind, certificate) in [CaKind::Issuing, CaKind::Root].into_iter().zip(&self.vendor) {
            assert!(list.announce(("one-ca", "样例"), (kind, certificate), None, NOW));
        }
        list
    }

    async fn published(&self, list: TrustList, at: OffsetDateTime) -> (StoredTrustList, Vec<u8>) {
        let mut stored = StoredTrustList::new(at);
        stored.list = list;
        stored.record(at).unwrap();
        let recorded = stored.recorded.clone().unwrap();
        let document = sign(&self.signer, &recorded.content, recorded.signing_time)
            .await
            .unwrap();
        stored.publish(document.clone(), &self.root);
        (stored, document)
    }

    fn roots(&self) -> &[Certificate] {
        std::slice::from_ref(&self.root)
    }
}

#[tokio::test]
async fn a_signed_list_is_read_as_it_was_made() {
    let world = world().await;
    let (stored, document) = world.published(world.list(), NOW).await;
    let read = verify(&document, world.roots(), NOW + Duration::DAY).unwrap();
    assert_eq!(read, stored.list);
    assert_eq!((read.version, read.vendors[0].services.len()), (1, 2));
    let json = serde_json::to_string(&stored).unwrap();
    assert!(serde_json::from_str::<StoredTrustList>(&json).unwrap() == stored);
    // The same record, signed again after a crash, is the same document.
    let again = sign(&world.signer, &serde_json::to_vec(&read).unwrap(), NOW)
        .await
        .unwrap();
    assert!(again == document);
}

#[tokio::test]
async fn every_changed_byte_is_refused() {
    let world = world().await;
    let (_, document) = world.published(world.list(), NOW).await;
    for place in 0..document.len() {
        for bit in [0x01, 0x80] {
            let mut mutant = document.clone();
            mutant[place] ^= bit;
            assert!(
                verify(&mutant, world.roots(), NOW).is_err(),
                "byte {place}, bit {bit:#x}"
            );
        }
    }
    for length in 0..document.len() {
        assert!(verify(&document[..length], world.roots(), NOW).is_err());
    }
    let longer = [&document[..], &[0]].concat();
    assert!(verify(&longer, world.roots(), NOW).is_err());
}

#[tokio::test]
async fn lists_of_other_signers_and_times_are_refused() {
    let world = world().await;
    let (_, document) = world.published(world.list(), NOW).await;
    let refused = |document: &[u8], roots: &[Certificate], at| verify(document, roots, at).unwrap_err();
    let other = ceremony::init("platform", "印信平台", NOW, &mut rng()).unwrap();
    let others = [other.root.certificate.clone()];
    assert_eq!(refused(&document, &others, NOW), TrustListError::Signer);
    assert_eq!(refused(&document, &[], NOW), TrustListError::Signer);
    assert_eq!(
        refused(&document, world.roots(), NOW - Duration::HOUR),
        TrustListError::NotYet
    );
    let late = NOW + Duration::days(7);
    assert!(verify(&document, world.roots(), late).is_ok());
    assert_eq!(
        refused(&document, world.roots(), late + Duration::SECOND),
        TrustListError::Expired
    );
    // Another certificate under the same root: it may sign other things, not lists.
    let officer = World {
        signer: signer(&other, Profile::SealMaker).await,
        root: other.root.certificate,
        vendor: world.vendor.clone(),
    };
    let (_, document) = officer.published(officer.list(), NOW).await;
    assert_eq!(refused(&document, &others, NOW), TrustListError::Signer);
}

#[tokio::test]
async fn a_kept_list_gives_way_to_newer_ones_alone() {
    let world = world().await;
    let (stored, first) = world.published(world.list(), NOW).await;
    let later = NOW + Duration::DAY;
    let (_, second) = world.published(stored.list.clone(), later).await;
    let (_, other_second) = world.published(stored.list.clone(), later + Duration::HOUR).await;
    let mut kept = CachedTrustList::first(&first, world.roots(), later).unwrap();
    kept.update(&first, world.roots(), later).unwrap();
    kept.update(&second, world.roots(), later).unwrap();
    assert_eq!(
        kept.update(&first, world.roots(), later),
        Err(CacheError::Rollback)
    );
    let at = later + Duration::HOUR;
    assert_eq!(
        kept.update(&other_second, world.roots(), at),
        Err(CacheError::TwoOfOneVersion)
    );
    assert_eq!(kept.usable(at).unwrap().version, 2);
    let over = later + Duration::days(8);
    assert!(kept.usable(over).is_err());
    // After a restart a list whose time is over still guards against older ones.
    let mut again = CachedTrustList::again(kept.document(), world.roots()).unwrap();
    assert!(again.usable(over).is_err());
    assert_eq!(
        again.update(&first, world.roots(), later),
        Err(CacheError::Rollback)
    );
}

#[tokio::test]
async fn a_withdrawn_ca_counts_for_what_was_signed_before() {
    let world = world().await;
    let mut list = world.list();
    let at = |day: i64| NOW + Duration::days(day);
    let issuing = key_id(&world.vendor[0]);
    let withdrawn = list
        .change("one-ca", Some(&issuing), CaStatus::Withdrawn, at(10), "key lost")
        .unwrap();
    assert_eq!(withdrawn, std::slice::from_ref(&issuing));
    list.change("one-ca", Some(&issuing), CaStatus::Granted, at(20), "a mistake")
        .unwrap();
    let counts = |day: i64, second: i64| list.anchors_at(at(day) + Duration::seconds(second)).len();
    assert_eq!(counts(0, -1), 0, "nobody was announced yet");
    assert_eq!((counts(0, 0), counts(10, -1), counts(10, 0)), (2, 2, 1));
    assert_eq!((counts(20, -1), counts(20, 0)), (1, 2));
    let mut change =
        |vendor: &str, key: Option<&str>, status, day| list.change(vendor, key, status, at(day), "");
    assert_eq!(
        change("one-ca", Some(&issuing), CaStatus::Granted, 30),
        Err(ChangeError::Unchanged)
    );
    assert_eq!(
        change("one-ca", Some(&issuing), CaStatus::Withdrawn, 15),
        Err(ChangeError::Order)
    );
    assert_eq!(
        change("two-ca", None, CaStatus::Withdrawn, 30),
        Err(ChangeError::Unknown)
    );
    assert_eq!(change("one-ca", None, CaStatus::Withdrawn, 30).unwrap().len(), 2);
}
