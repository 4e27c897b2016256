//! Orders: created once, saved in turn, claims taken once, lists.
use std::sync::Arc;

use anyhow::{Context, Result, bail, ensure};
use time::Duration;
use yinxin_order::command::{Actor, Command};
use yinxin_order::decide;
use yinxin_order::effect::Effect;
use yinxin_order::identifiers::OrderId;
use yinxin_order::state::State;
use yinxin_store::claims::{Claim, Idempotency};
use yinxin_store::codes::{CodeKey, CodeRefusal};
use yinxin_store::intakes::Intake;
use yinxin_store::orders::Orders;
use yinxin_store::{StoreError, advance};

use crate::{Store, code, confirmed, created, document, new_number, new_order, new_vendor, now, random_id};

pub async fn an_order_is_created_once(store: &impl Store) -> Result<()> {
    let (order, event) = new_order(&new_vendor()?, None, now())?;
    let idempotency = Idempotency {
        key: random_id().as_str().to_owned(),
        body: "body".to_owned(),
        made: order.id.as_str().to_owned(),
        expires_at: (now() + Duration::days(1)).unix_timestamp(),
    };
    ensure!(store.made_before(&idempotency.key).await?.is_none());
    ensure!(matches!(store.load(&order.id).await, Err(StoreError::NotFound)));
    let claims = [Claim::Idempotency(idempotency.clone())];
    store.create(&order, &event, &claims).await?;
    ensure!(
        store.load(&order.id).await? == order,
        "an order is not loaded as it was created"
    );
    ensure!(store.events(&order.id).await? == std::slice::from_ref(&event));
    ensure!(store.made_before(&idempotency.key).await? == Some(idempotency));
    ensure!(matches!(
        store.create(&order, &event, &[]).await,
        Err(StoreError::Conflict)
    ));
    let (other, event) = new_order(&new_vendor()?, None, now())?;
    let again = store.create(&other, &event, &claims).await;
    ensure!(
        matches!(again, Err(StoreError::Claimed("idempotency"))),
        "a key made two orders"
    );
    ensure!(
        matches!(store.load(&other.id).await, Err(StoreError::NotFound)),
        "a refused creation left an order"
    );
    Ok(())
}

pub async fn a_stale_version_is_not_saved(store: &impl Store) -> Result<()> {
    let order = created(store).await?;
    let first = confirmed(&order, &new_number())?;
    store
        .save(&first.order, &first.event, &[Effect::AskCa], &[])
        .await?;
    ensure!(store.load(&order.id).await? == first.order);
    let second = confirmed(&order, &new_number())?;
    let saved = store
        .save(&second.order, &second.event, &second.effects, &[])
        .await;
    ensure!(
        matches!(saved, Err(StoreError::Conflict)),
        "two writers wrote one version"
    );
    ensure!(store.load(&order.id).await? == first.order);
    ensure!(
        store.events(&order.id).await?.len() == 2,
        "a refused save left an event"
    );
    Ok(())
}

pub async fn claims_are_taken_once(store: &impl Store) -> Result<()> {
    let (one, other) = (created(store).await?, created(store).await?);
    let number = new_number();
    ensure!(matches!(
        Orders::find(store, &number).await,
        Err(StoreError::NotFound)
    ));
    let claims = [Claim::Number(number.clone())];
    let moved = confirmed(&one, &number)?;
    store
        .save(&moved.order, &moved.event, &moved.effects, &claims)
        .await?;
    let refused = confirmed(&other, &number)?;
    let saved = store
        .save(&refused.order, &refused.event, &refused.effects, &claims)
        .await;
    ensure!(
        matches!(saved, Err(StoreError::Claimed("number"))),
        "two orders have one number"
    );
    ensure!(Orders::find(store, &number).await? == one.id);
    ensure!(
        store.load(&other.id).await? == other,
        "a refused claim changed an order"
    );

    let key = CodeKey::Captcha(random_id().as_str().to_owned());
    let moved = confirmed(&other, &new_number())?;
    let claims = [Claim::Code(key.clone())];
    let saved = store.save(&moved.order, &moved.event, &[], &claims).await;
    ensure!(
        matches!(saved, Err(StoreError::Claimed("code"))),
        "a code that nobody was sent was used"
    );
    store.put_captcha(&key, &code("hash")).await?;
    store.save(&moved.order, &moved.event, &[], &claims).await?;
    let next = decide(&moved.order, &document(&moved.order), Actor::Applicant, now())?;
    let saved = store.save(&next.order, &next.event, &[], &claims).await;
    ensure!(
        matches!(saved, Err(StoreError::Claimed("code"))),
        "a code was used twice"
    );
    ensure!(store.count_try(&key, now()).await? == Err(CodeRefusal::Used));
    Ok(())
}

pub async fn racing_moves_are_all_kept(store: Arc<impl Store>) -> Result<()> {
    const WRITERS: u64 = 4;
    let order = created(&*store).await?;
    let moved = confirmed(&order, &new_number())?;
    store.save(&moved.order, &moved.event, &[], &[]).await?;
    let mut writers = Vec::new();
    for _ in 0..WRITERS {
        let (store, id, command) = (store.clone(), order.id.clone(), document(&order));
        writers.push(tokio::spawn(async move {
            advance(&*store, &id, &command, &Actor::Applicant, now()).await
        }));
    }
    for writer in writers {
        writer.await??;
    }
    let stored = store.load(&order.id).await?;
    ensure!(
        stored.version == moved.order.version + WRITERS,
        "a move was lost: version {}",
        stored.version
    );
    let versions: Vec<u64> = store
        .events(&order.id)
        .await?
        .iter()
        .map(|event| event.version)
        .collect();
    ensure!(
        versions == (1..=stored.version).collect::<Vec<_>>(),
        "the events are {versions:?}"
    );
    Ok(())
}

pub async fn waiting_orders_come_in_pages(store: &impl Store) -> Result<()> {
    let vendor = new_vendor()?;
    let mut ids = Vec::new();
    // The later ones first, so that the order of writing is not the order of waiting.
    for minutes in 1..=5 {
        let (order, event) = new_order(&vendor, None, now() - Duration::minutes(minutes))?;
        store.create(&order, &event, &[]).await?;
        ids.insert(0, order.id);
    }
    let mut found = Vec::new();
    let mut cursor: Option<String> = None;
    let mut pages = 0;
    loop {
        let page = store.waiting(&vendor, State::Draft, cursor.as_deref(), 2).await?;
        ensure!(page.items.len() <= 2, "a page is longer than asked for");
        found.extend(page.items.into_iter().map(|order| order.id));
        pages += 1;
        cursor = page.cursor;
        if cursor.is_none() {
            break;
        }
        ensure!(pages < 10, "the pages do not end");
    }
    ensure!(
        found == ids,
        "not the longest waiting first, or not all: {found:?}"
    );
    ensure!(
        store
            .waiting(&new_vendor()?, State::Draft, None, 2)
            .await?
            .items
            .is_empty(),
        "another vendor sees the orders"
    );
    let first = store.load(&ids[0]).await?;
    let moved = confirmed(&first, &new_number())?;
    store.save(&moved.order, &moved.event, &[], &[]).await?;
    let still: Vec<OrderId> = store
        .waiting(&vendor, State::Draft, None, 10)
        .await?
        .items
        .into_iter()
        .map(|order| order.id)
        .collect();
    ensure!(still == ids[1..], "an order that moved on is still listed");
    ensure!(
        store
            .waiting(&vendor, State::Draft, Some("no cursor"), 2)
            .await
            .is_err(),
        "any text is a cursor"
    );
    Ok(())
}

pub async fn late_orders_are_found(store: &impl Store) -> Result<()> {
    // Late tomorrow: after the real sweep of a deployed stack, and before nearly all its other orders.
    let at = now() - Duration::days(29);
    let (order, event) = new_order(&new_vendor()?, None, at)?;
    store.create(&order, &event, &[]).await?;
    let patience = State::Draft.patience().context("a draft waits only so long")?;
    let early = store.late(at + patience - Duration::SECOND).await?;
    ensure!(!early.contains(&order.id), "an order is late before its time");
    let late = store.late(at + patience).await?;
    ensure!(late.contains(&order.id), "a late order is not found");
    let moved = decide(&order, &Command::Cancel, Actor::Applicant, at + Duration::days(1))?;
    store
        .save(&moved.order, &moved.event, &moved.effects, &[])
        .await?;
    ensure!(
        !store.late(at + patience).await?.contains(&order.id),
        "a cancelled order still expires"
    );
    Ok(())
}

pub async fn intakes_find_their_orders(store: &impl Store) -> Result<()> {
    let uid = random_id().as_str().to_owned();
    let intake = Intake {
        uid: uid.clone(),
        system: "contract".to_owned(),
        values: r#"{"unit_name":"样例"}"#.to_owned(),
        expires_at: (now() + Duration::days(1)).unix_timestamp(),
    };
    let idempotency = Idempotency {
        key: random_id().as_str().to_owned(),
        body: "body".to_owned(),
        made: uid.clone(),
        expires_at: intake.expires_at,
    };
    ensure!(matches!(store.intake(&uid).await, Err(StoreError::NotFound)));
    store.put_intake(&intake, &idempotency).await?;
    match store.put_intake(&intake, &idempotency).await {
        Err(StoreError::Claimed("idempotency") | StoreError::Conflict) => {}
        other => bail!("an intake was made twice: {other:?}"),
    }
    ensure!(
        store.intake(&uid).await? == intake,
        "an intake is not read as it was written"
    );
    let vendor = new_vendor()?;
    let mut ids = Vec::new();
    for minutes in [3, 2, 1] {
        let (order, event) = new_order(&vendor, Some(&uid), now() - Duration::minutes(minutes))?;
        store.create(&order, &event, &[]).await?;
        ids.push(order.id);
    }
    let found: Vec<OrderId> = store
        .of_intake(&uid)
        .await?
        .into_iter()
        .map(|order| order.id)
        .collect();
    ensure!(found == ids, "not the oldest first, or not all");
    Ok(())
}
