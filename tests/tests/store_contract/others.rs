//! Codes and identity checks and their limits, what the CA signs.
use anyhow::{Context, Result, ensure};
use time::Duration;
use yinxin_order::effect::Effect;
use yinxin_order::identifiers::china_date;
use yinxin_order::order::Order;
use yinxin_store::StoreError;
use yinxin_store::checks::{MAX_TRIES_PER_DAY, PASSED_FOR, PassedCheck, TooManyChecks};
use yinxin_store::codes::{CodeKey, CodeRefusal, MAX_TRIES};
use yinxin_store::issuances::Issuances;
use yinxin_store::orders::Errand;
use yinxin_tests::journey::new_seed;

use crate::{Store, code, created, now, random_id};

pub async fn codes_have_limits(store: &impl Store) -> Result<()> {
    let captcha = CodeKey::Captcha(random_id().as_str().to_owned());
    ensure!(store.count_try(&captcha, now()).await? == Err(CodeRefusal::Unknown));
    store.put_captcha(&captcha, &code("one")).await?;
    ensure!(matches!(
        store.put_captcha(&captcha, &code("two")).await,
        Err(StoreError::Conflict)
    ));
    ensure!(store.count_try(&captcha, now()).await? == Ok("one".to_owned()));
    ensure!(store.count_try(&captcha, now()).await? == Err(CodeRefusal::Exhausted));

    let old = CodeKey::Captcha(random_id().as_str().to_owned());
    store.put_captcha(&old, &code("old")).await?;
    let late = now() + Duration::minutes(6);
    ensure!(store.count_try(&old, late).await? == Err(CodeRefusal::Expired));

    let order = created(store).await?;
    let signature = CodeKey::Signature(order.id.clone());
    put_sms(store, &order, &signature, random_id().as_str(), "sms").await?;
    for _ in 0..MAX_TRIES {
        ensure!(store.count_try(&signature, now()).await? == Ok("sms".to_owned()));
    }
    ensure!(store.count_try(&signature, now()).await? == Err(CodeRefusal::Exhausted));
    // A new code is a new chance.
    put_sms(store, &order, &signature, random_id().as_str(), "new").await?;
    ensure!(store.count_try(&signature, now()).await? == Ok("new".to_owned()));
    Ok(())
}

async fn put_sms(
    store: &impl Store,
    order: &Order,
    key: &CodeKey,
    mobile: &str,
    hash: &str,
) -> Result<(), StoreError> {
    let used = store.mobile_use(mobile).await?;
    let Ok(next) = used.after_one_more(now(), &china_date(now()).to_string()) else {
        return Err(StoreError::Conflict);
    };
    store
        .put_sms(key, &code(hash), mobile, &next, &errand(order))
        .await
}

/// An errand that its function finds nothing to do for: the order is not being issued.
fn errand(order: &Order) -> Errand {
    Errand {
        order: order.id.clone(),
        version: order.version,
        seq: 1_000 + new_seed() % 1_000_000,
        effect: Effect::AskCa,
    }
}

pub async fn mobiles_have_limits(store: &impl Store) -> Result<()> {
    let order = created(store).await?;
    let key = CodeKey::Signature(order.id.clone());
    let mobile = random_id().as_str().to_owned();
    let today = china_date(now()).to_string();
    let none = store.mobile_use(&mobile).await?;
    ensure!(none.revision == 0 && none.count == 0);
    let once = none.after_one_more(now(), &today)?;
    store
        .put_sms(&key, &code("one"), &mobile, &once, &errand(&order))
        .await?;
    ensure!(store.mobile_use(&mobile).await? == once);
    let stale = store
        .put_sms(&key, &code("two"), &mobile, &once, &errand(&order))
        .await;
    ensure!(
        matches!(stale, Err(StoreError::Conflict)),
        "two codes were sent at once"
    );
    ensure!(
        store.count_try(&key, now()).await? == Ok("one".to_owned()),
        "a refused code replaced the one that was sent"
    );
    let twice = once.after_one_more(now() + Duration::minutes(2), &today)?;
    store
        .put_sms(&key, &code("two"), &mobile, &twice, &errand(&order))
        .await?;
    ensure!(store.mobile_use(&mobile).await? == twice);
    Ok(())
}

pub async fn what_is_signed_is_recorded_once(store: &impl Store) -> Result<()> {
    let request = format!("{}#key", random_id());
    let serial = || random_id().as_str().to_owned();
    ensure!(Issuances::find(store, &request).await?.is_none());
    let unrecorded = store.complete(&request, "issued").await;
    ensure!(unrecorded.is_err(), "what was never recorded was completed");
    let serials = [serial(), serial()];
    let first = store.record(&request, "prepared", &serials).await?;
    ensure!((first.prepared.as_str(), first.issued.as_deref()) == ("prepared", None));
    let second = store.record(&request, "another", &[serial(), serial()]).await?;
    ensure!(second.prepared == "prepared", "one request was prepared twice");
    let other = format!("{}#key", random_id());
    let taken = store
        .record(&other, "other", &[serial(), serials[1].clone()])
        .await;
    ensure!(
        matches!(taken, Err(StoreError::Conflict)),
        "one serial number was given twice"
    );
    ensure!(Issuances::find(store, &other).await?.is_none());
    ensure!(store.proceed(&request, "prepared", "asked").await?);
    ensure!(
        !store.proceed(&request, "prepared", "asked by another").await?,
        "a record that was replaced was replaced again"
    );
    let found = Issuances::find(store, &request)
        .await?
        .context("it is recorded")?;
    ensure!(found.prepared == "asked");
    ensure!(store.proceed(&other, "other", "asked").await.is_err());
    ensure!(store.complete(&request, "issued").await? == "issued");
    ensure!(
        !store.proceed(&request, "asked", "asked again").await?,
        "a complete request went on"
    );
    ensure!(
        store.complete(&request, "issued again").await? == "issued",
        "a request was completed twice"
    );
    let found = Issuances::find(store, &request)
        .await?
        .context("it is recorded")?;
    ensure!(found.issued.as_deref() == Some("issued"));
    Ok(())
}

pub async fn checks_have_limits(store: &impl Store) -> Result<()> {
    let subject = || random_id().as_str().to_owned();
    let (number, mobile, other) = (subject(), subject(), subject());
    let both = [number.clone(), mobile.clone()];
    for _ in 0..MAX_TRIES_PER_DAY {
        ensure!(store.claim_checks(&both, now()).await?.is_ok());
    }
    // One that is used up refuses all, and none of them is counted.
    let mixed = [other.clone(), mobile.clone()];
    for _ in 0..MAX_TRIES_PER_DAY {
        ensure!(store.claim_checks(&mixed, now()).await? == Err(TooManyChecks));
    }
    ensure!(store.claim_checks(&[other], now()).await?.is_ok());
    store.give_back_checks(&both, now()).await?;
    ensure!(store.claim_checks(&both, now()).await?.is_ok());
    ensure!(store.claim_checks(&both, now()).await? == Err(TooManyChecks));
    let tomorrow = now() + Duration::DAY;
    ensure!(store.claim_checks(&both, tomorrow).await?.is_ok());
    ensure!(store.claim_checks(&[], now()).await?.is_ok());
    Ok(())
}

pub async fn passed_checks_are_known_for_a_day(store: &impl Store) -> Result<()> {
    let passed = |request_id: &str| PassedCheck {
        question: random_id().as_str().to_owned(),
        check: "phone3".to_owned(),
        request_id: request_id.to_owned(),
        checked_at: now(),
    };
    let (first, second, unknown) = (passed("r-1"), passed("r-2"), passed("r-3"));
    let questions = [&first, &second, &unknown].map(|passed| passed.question.clone());
    ensure!(store.passed_checks(&questions, now()).await?.is_empty());
    store.keep_passed(&[first.clone(), second.clone()]).await?;
    store.keep_passed(&[]).await?;
    let mut found = store.passed_checks(&questions, now()).await?;
    found.sort_by(|left, right| left.request_id.cmp(&right.request_id));
    ensure!(found == [first.clone(), second]);
    ensure!(store.passed_checks(&[], now()).await?.is_empty());
    let later = first.checked_at + PASSED_FOR;
    ensure!(store.passed_checks(&questions, later).await?.is_empty());
    Ok(())
}
