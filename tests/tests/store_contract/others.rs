//! Codes and identity checks and their limits, what the CA signs.
use anyhow::{Context, Result, ensure};
use time::Duration;
use yinxin_order::effect::Effect;
use yinxin_order::identifiers::china_date;
use yinxin_order::order::Order;
use yinxin_store::StoreError;
use yinxin_store::checks::{MAX_TRIES_PER_DAY, PASSED_FOR, PassedCheck, TooManyChecks};
use yinxin_store::codes::{CodeKey, CodeRefusal, MAX_TRANSFERS_PER_DAY, MAX_TRIES, SecretKept};
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

pub async fn memo_secrets_have_limits(store: &impl Store) -> Result<()> {
    let account = random_id().as_str().to_owned();
    let (today, tomorrow) = ("2026-04-07", "2026-04-08");
    let keep = async |key: &CodeKey, hash: &str, day: &str| {
        store.put_memo_secret(key, &code(hash), &account, day).await
    };
    let mut keys = Vec::new();
    for _ in 0..MAX_TRANSFERS_PER_DAY {
        let key = memo_secret();
        ensure!(keep(&key, "secret", today).await? == SecretKept::Now);
        // A repeated errand neither counts nor replaces what is on its way.
        ensure!(keep(&key, "another", today).await? == SecretKept::Before);
        keys.push(key);
    }
    let one_more = memo_secret();
    ensure!(keep(&one_more, "secret", today).await? == SecretKept::DailyLimit);
    ensure!(store.count_try(&one_more, now()).await? == Err(CodeRefusal::Unknown));
    ensure!(keep(&keys[0], "another", today).await? == SecretKept::Before);
    ensure!(keep(&one_more, "secret", tomorrow).await? == SecretKept::Now);
    for _ in 0..MAX_TRIES {
        ensure!(store.count_try(&keys[0], now()).await? == Ok("secret".to_owned()));
    }
    ensure!(store.count_try(&keys[0], now()).await? == Err(CodeRefusal::Exhausted));
    let late = now() + Duration::minutes(6);
    ensure!(store.count_try(&keys[1], late).await? == Err(CodeRefusal::Expired));
    Ok(())
}

fn memo_secret() -> CodeKey {
    CodeKey::MemoSecret {
        order: random_id(),
        number: 1,
    }
}

/// Two sendings to one account at once: the limit counts both, or one of them is told that it lost.
pub async fn transfers_at_once_are_both_counted(store: &impl Store) -> Result<()> {
    let account = random_id().as_str().to_owned();
    let (left, right, code) = (memo_secret(), memo_secret(), code("secret"));
    let (one, other) = tokio::join!(
        store.put_memo_secret(&left, &code, &account, "2026-04-07"),
        store.put_memo_secret(&right, &code, &account, "2026-04-07"),
    );
    let mut kept = 0;
    for (done, key) in [(one, left), (other, right)] {
        match done {
            Ok(SecretKept::Now) => kept += 1,
            Err(StoreError::Conflict) => {
                let try_of = store.count_try(&key, now()).await?;
                ensure!(try_of == Err(CodeRefusal::Unknown), "a lost secret is kept");
            }
            other => anyhow::bail!("a first secret was answered {other:?}"),
        }
    }
    for _ in kept..MAX_TRANSFERS_PER_DAY {
        let done = store
            .put_memo_secret(&memo_secret(), &code, &account, "2026-04-07")
            .await?;
        ensure!(
            done == SecretKept::Now,
            "a transfer was counted that was not kept"
        );
    }
    let done = store
        .put_memo_secret(&memo_secret(), &code, &account, "2026-04-07")
        .await?;
    ensure!(done == SecretKept::DailyLimit, "a transfer was not counted");
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

pub async fn a_stale_state_of_a_provider_is_not_replaced(store: &impl Store) -> Result<()> {
    let provider = format!("contract-{}", random_id());
    let none = store.provider_state(&provider).await?;
    ensure!(
        (none.revision, none.text.as_str()) == (0, ""),
        "a state before the first one"
    );
    ensure!(store.replace_provider_state(&provider, 0, "first").await?);
    ensure!(
        !store.replace_provider_state(&provider, 0, "late").await?,
        "the first state was written twice"
    );
    ensure!(store.replace_provider_state(&provider, 1, "second").await?);
    ensure!(
        !store.replace_provider_state(&provider, 1, "late").await?,
        "a stale state was replaced"
    );
    let last = store.provider_state(&provider).await?;
    ensure!((last.revision, last.text.as_str()) == (2, "second"));
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
