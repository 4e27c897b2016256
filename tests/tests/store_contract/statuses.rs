//! What became of certificates, and their revocation lists.
use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use time::{Duration, OffsetDateTime};
use yinxin_order::identifiers::OrderId;
use yinxin_order::revocation::RevocationReason;
use yinxin_store::StoreError;
use yinxin_store::statuses::{
    Answers, CertificateKey, CertificateStatus, Due, ListKey, PublishedList, Revoked,
};

use crate::{Store, new_vendor, now, random_id};

/// A pair of an authority of its own, with answers that are due at a time.
fn pair(order: &OrderId, authority: &str, due: Option<OffsetDateTime>) -> Result<[CertificateStatus; 2]> {
    let one = || -> Result<CertificateStatus> {
        Ok(CertificateStatus {
            key: CertificateKey {
                authority: authority.to_owned(),
                serial: random_id().as_str().to_owned(),
            },
            vendor: new_vendor()?,
            order: order.clone(),
            shard: 3,
            not_after: now() + Duration::days(365),
            revoked: None,
            answers: Some(answers("good", due)),
        })
    };
    Ok([one()?, one()?])
}

fn answers(text: &str, due: Option<OffsetDateTime>) -> Answers {
    Answers {
        by_hash: BTreeMap::from(
            ["sha1", "sha256", "sm3"].map(|hash| (hash.to_owned(), format!("{text} by {hash}").into_bytes())),
        ),
        this_update: now(),
        next_update: now() + Duration::days(7),
        due,
    }
}

fn compromised(at: OffsetDateTime) -> Revoked {
    Revoked {
        at,
        reason: RevocationReason::KeyCompromise,
        invalidity_date: Some(at - Duration::days(1)),
    }
}

pub async fn pairs_are_counted(store: &impl Store) -> Result<()> {
    let authority = random_id().as_str().to_owned();
    for number in 0..3 {
        ensure!(store.next_pair(&authority).await? == number);
    }
    ensure!(store.next_pair(random_id().as_str()).await? == 0);
    Ok(())
}

pub async fn statuses_are_kept_once(store: &impl Store) -> Result<()> {
    let (order, authority) = (random_id(), random_id().as_str().to_owned());
    let pair = pair(&order, &authority, Some(now() + Duration::days(3)))?;
    ensure!(store.status(&pair[0].key).await?.is_none());
    ensure!(store.of_order(&order).await?.is_empty());
    ensure!(store.register(&pair).await?);
    ensure!(store.status(&pair[0].key).await?.as_ref() == Some(&pair[0]));
    let mut found = store.of_order(&order).await?;
    found.sort_by_key(|status| pair[0].key != status.key);
    ensure!(found == pair);
    // Whoever comes late changes nothing.
    let late = pair.clone().map(|status| CertificateStatus {
        answers: Some(answers("late", None)),
        ..status
    });
    ensure!(!store.register(&late).await?);
    ensure!(store.status(&pair[1].key).await?.as_ref() == Some(&pair[1]));
    Ok(())
}

pub async fn a_revocation_counts_once(store: &impl Store) -> Result<()> {
    let (order, authority) = (random_id(), random_id().as_str().to_owned());
    let good = pair(&order, &authority, None)?;
    store.register(&good).await?;
    let list = good[0].list();
    ensure!(store.entries(&list).await?.is_empty());
    let first = compromised(now());
    store.revoke(&good, &first).await?;
    let second = Revoked {
        reason: RevocationReason::Superseded,
        ..compromised(now() + Duration::hours(1))
    };
    store.revoke(&good, &second).await?;
    for status in &good {
        let stored = store.status(&status.key).await?.context("a status is lost")?;
        ensure!(
            stored.revoked.as_ref() == Some(&first),
            "another revocation counts"
        );
        ensure!(stored.answers.is_none(), "an answer outlived the revocation");
    }
    let entries = store.entries(&list).await?;
    let wanted = good
        .iter()
        .map(|status| (status.key.serial.clone(), first.clone()));
    ensure!(entries == wanted.collect());
    // What was signed before the revocation does not come after it.
    ensure!(!store.put_answers(&good[0], &answers("good", None)).await?);
    let revoked = store.status(&good[0].key).await?.context("a status is lost")?;
    ensure!(store.put_answers(&revoked, &answers("revoked", None)).await?);
    let answered = store.status(&good[0].key).await?.context("a status is lost")?;
    ensure!(answered.answers == Some(answers("revoked", None)));
    let other = store.status(&good[1].key).await?.context("a status is lost")?;
    ensure!(store.put_answers(&other, &answers("revoked", None)).await?);
    let unknown = pair(&order, &authority, None)?;
    ensure!(store.revoke(&unknown, &first).await.is_err());
    Ok(())
}

pub async fn the_newest_list_is_published(store: &impl Store) -> Result<()> {
    let list = ListKey {
        authority: random_id().as_str().to_owned(),
        shard: 0,
    };
    let vendor = new_vendor()?;
    let numbered = |number| PublishedList {
        vendor: vendor.clone(),
        number,
        this_update: now(),
        next_update: now() + Duration::days(7),
        due: now() + Duration::days(3650),
    };
    ensure!(store.published(&list).await?.is_none());
    let (one, two) = (
        store.next_number(&list, &vendor).await?,
        store.next_number(&list, &vendor).await?,
    );
    ensure!((one, two) == (1, 2));
    ensure!(store.published(&list).await?.is_none(), "a number is no list");
    ensure!(store.recorded_list(&list, two).await?.is_none());
    store.record_list(&list, two, "digest").await?;
    ensure!(store.recorded_list(&list, two).await?.as_deref() == Some("digest"));
    ensure!(matches!(
        store.record_list(&list, two, "other").await,
        Err(StoreError::Conflict)
    ));
    ensure!(store.publish(&list, &numbered(two)).await?);
    ensure!(
        !store.publish(&list, &numbered(one)).await?,
        "an older list replaced a newer one"
    );
    ensure!(store.published(&list).await? == Some(numbered(two)));
    Ok(())
}

pub async fn what_is_due_is_found(store: &impl Store) -> Result<()> {
    // After what the deployed stack signs by itself now, and before most of what it will.
    let tomorrow = now() + Duration::hours(20);
    let authority = random_id().as_str().to_owned();
    let pair = pair(&random_id(), &authority, Some(tomorrow))?;
    store.register(&pair).await?;
    let mine = pair.clone().map(|status| Due::Answers(status.key));
    let due = async |at| -> Result<Vec<Due>> {
        let due = store.due(at, 200).await?;
        Ok(due.into_iter().filter(|due| mine.contains(due)).collect())
    };
    ensure!(due(tomorrow - Duration::hours(1)).await?.is_empty());
    // The index may be a moment behind.
    yinxin_tests::wait::until("what is due", std::time::Duration::from_secs(10), async || {
        Ok((due(tomorrow).await?.len() == 2).then_some(()))
    })
    .await?;
    let far = now() + Duration::days(3650);
    for one in &mine {
        store.put_off(one, far).await?;
    }
    yinxin_tests::wait::until("the delay", std::time::Duration::from_secs(10), async || {
        Ok(due(tomorrow).await?.is_empty().then_some(()))
    })
    .await
}
