//! Recoveries take their steps one after another, each with its audit entry; keys are found in three ways.
use anyhow::{Context, Result, ensure};
use time::Duration;
use yinxin_order::Actor;
use yinxin_order::identifiers::{RecoveryId, VendorId};
use yinxin_order::issuance::SubmittedCsr;
use yinxin_order::recovery::{
    Delivery, EscrowedKey, Private, Recovery, RecoveryCommand, RecoveryMove, RecoveryState,
};
use yinxin_store::StoreError;
use yinxin_store::key_history::KeyEntry;
use yinxin_store::recoveries::{advance_recovery, audit_subject};
use yinxin_store::vault::random_bytes;

use crate::{Store, new_vendor, now, random_id};

fn officer(account: &str, vendor: &VendorId) -> Actor {
    Actor::Officer {
        account: account.to_owned(),
        vendor: vendor.clone(),
    }
}

fn requested(vendor: &VendorId) -> Result<RecoveryMove> {
    let key = EscrowedKey {
        serial: hex::encode(random_bytes::<16>()),
        order: random_id(),
        request: "contract".to_owned(),
    };
    let private = Private {
        reason: "a contract of stores needs a reason".to_owned().try_into()?,
        csr: SubmittedCsr {
            pem: "a request".to_owned(),
            key_sm3: "00".repeat(32),
        },
        rejection: None,
        delivery: None,
    };
    let id = RecoveryId::from_random(random_bytes());
    let by = officer("a", vendor);
    Ok(Recovery::request(id, vendor.clone(), key, private, &by, now())?)
}

pub async fn a_recovery_takes_each_step_once_and_leaves_an_entry(store: &impl Store) -> Result<()> {
    let vendor = new_vendor()?;
    let asked = requested(&vendor)?;
    let id = &asked.recovery.id;
    ensure!(matches!(store.recovery(id).await, Err(StoreError::NotFound)));
    store.save_recovery(&asked).await?;
    ensure!(matches!(
        store.save_recovery(&asked).await,
        Err(StoreError::Conflict)
    ));
    ensure!(
        store.recovery(id).await? == asked.recovery,
        "it came back changed"
    );

    let second = officer("b", &vendor);
    let at = now() + Duration::minutes(1);
    let approved = asked.recovery.decide(&RecoveryCommand::Approve, &second, at)?;
    store.save_recovery(&approved).await?;
    let again = asked
        .recovery
        .decide(&RecoveryCommand::Approve, &officer("c", &vendor), at)?;
    ensure!(
        matches!(store.save_recovery(&again).await, Err(StoreError::Conflict)),
        "a stale step was stored"
    );
    let delivery = Delivery {
        enveloped_key: "AA==".to_owned(),
        encryption_certificate: "a certificate".to_owned(),
    };
    let issue = Actor::platform("issue");
    let at = at + Duration::minutes(1);
    // From a stale copy: the step is decided again on what is stored.
    let command = RecoveryCommand::Deliver(delivery.clone());
    let done = advance_recovery(store, approved.recovery, &command, &issue, at).await?;
    ensure!(done.state == RecoveryState::Recovered);
    let stored = store.recovery(id).await?;
    ensure!(stored == done, "it came back changed");
    ensure!(stored.private.context("a sealed part")?.delivery == Some(delivery));

    let trail = store.audit_of(&audit_subject(&done.key.order)).await?;
    let steps: Vec<(&str, &str)> = trail
        .iter()
        .map(|entry| (entry.by.as_str(), entry.action.as_str()))
        .collect();
    let wanted = [
        ("a", "recovery.request"),
        ("b", "recovery.approve"),
        ("platform:issue", "recovery.deliver"),
    ];
    ensure!(steps == wanted, "the trail says {steps:?}");
    ensure!(
        trail
            .iter()
            .all(|entry| entry.detail.get("recovery").map(String::as_str) == Some(id.as_str())),
        "an entry names no recovery"
    );
    Ok(())
}

pub async fn keys_are_found_by_serial_order_and_holder(store: &impl Store) -> Result<()> {
    let (vendor, other) = (new_vendor()?, new_vendor()?);
    let holder = hex::encode(random_bytes::<32>());
    let entry = |vendor: &VendorId, minutes: i64| KeyEntry {
        holder: holder.clone(),
        vendor: vendor.clone(),
        serial: hex::encode(random_bytes::<16>()),
        order: random_id(),
        request: "contract".to_owned(),
        is_escrowed: true,
        not_before: now(),
        not_after: now() + Duration::days(365),
        created_at: now() + Duration::minutes(minutes),
    };
    let (first, second, foreign) = (entry(&vendor, 0), entry(&vendor, 1), entry(&other, 2));
    ensure!(store.key_of(&first.serial).await?.is_none());
    for key in [&second, &first, &foreign] {
        store.enter_key(key).await?;
    }
    // Entered again by a run that was repeated.
    store.enter_key(&first).await?;
    ensure!(store.key_of(&first.serial).await? == Some(first.clone()));
    ensure!(store.keys_of_order(&first.order).await? == std::slice::from_ref(&first));
    ensure!(store.keys_of_order(&random_id()).await?.is_empty());
    ensure!(store.keys_of_holder(&holder, &vendor).await? == [second, first]);
    ensure!(store.keys_of_holder(&holder, &other).await? == [foreign]);
    Ok(())
}
