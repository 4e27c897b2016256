//! What every store promises, checked on the twin in memory and on the deployed tables.
use std::sync::Arc;

use anyhow::{Context, Result, bail, ensure};
use time::{Duration, OffsetDateTime};
use yinxin_order::command::{Actor, Command};
use yinxin_order::document::{Document, DocumentKind, Verdict};
use yinxin_order::effect::Effect;
use yinxin_order::form::sample;
use yinxin_order::identifiers::{Fen, OrderId, OrderNumber, VendorId, china_date};
use yinxin_order::kind::Kind;
use yinxin_order::order::{Event, NewOrder, Order, Product};
use yinxin_order::state::State;
use yinxin_order::{Move, decide};
use yinxin_store::claims::{Claim, Idempotency};
use yinxin_store::codes::{CodeKey, CodeRefusal, Codes, MAX_TRIES, StoredCode};
use yinxin_store::deliveries::{Claimed, Deliveries};
use yinxin_store::intakes::{Intake, Intakes};
use yinxin_store::issuances::Issuances;
use yinxin_store::memory::MemoryStore;
use yinxin_store::orders::{Errand, Orders};
use yinxin_store::vault::random_bytes;
use yinxin_store::{StoreError, advance};
use yinxin_tests::journey::{Stage, new_seed};

/// All stores that one deployment has.
trait Store: Orders + Codes + Deliveries + Issuances + Intakes + 'static {}
impl<T: Orders + Codes + Deliveries + Issuances + Intakes + 'static> Store for T {}

#[tokio::test]
async fn the_twin_in_memory_keeps_the_contract() -> Result<()> {
    let mut store = MemoryStore::default();
    store.retention = Duration::days(1825);
    keeps_the_contract(Arc::new(store)).await
}

#[tokio::test]
async fn the_deployed_tables_keep_the_contract() -> Result<()> {
    let stage = Stage::open().await?;
    keeps_the_contract(Arc::new(stage.cloud.stores()?)).await
}

async fn keeps_the_contract(store: Arc<impl Store>) -> Result<()> {
    an_order_is_created_once(&*store).await.context("create")?;
    a_stale_version_is_not_saved(&*store).await.context("save")?;
    claims_are_taken_once(&*store).await.context("claims")?;
    racing_moves_are_all_kept(store.clone()).await.context("races")?;
    waiting_orders_come_in_pages(&*store).await.context("waiting")?;
    late_orders_are_found(&*store).await.context("late")?;
    codes_have_limits(&*store).await.context("codes")?;
    mobiles_have_limits(&*store).await.context("mobiles")?;
    what_is_signed_is_recorded_once(&*store)
        .await
        .context("issuances")?;
    messages_are_claimed(&*store).await.context("deliveries")?;
    intakes_find_their_orders(&*store).await.context("intakes")
}

/// A whole second: what stores keep.
fn now() -> OffsetDateTime {
    let now = OffsetDateTime::now_utc();
    now.replace_nanosecond(0).unwrap_or(now)
}

fn random_id() -> OrderId {
    OrderId::from_random(random_bytes())
}

fn new_vendor() -> Result<VendorId> {
    Ok(format!("contract-{}", &random_id().as_str()[..12]).parse()?)
}

fn new_order(vendor: &VendorId, intake: Option<&str>, at: OffsetDateTime) -> Result<(Order, Event)> {
    let new = NewOrder {
        id: random_id(),
        kind: Kind::New,
        vendor: vendor.clone(),
        product: Product {
            id: "unit-1y".parse()?,
            name: "单位数字证书".to_owned(),
            price: Fen::new(22_000)?,
            term_years: 1,
        },
        form: sample::unit(new_seed()),
        checks: Vec::new(),
        intake: intake.map(str::to_owned),
    };
    Ok(Order::create(new, Actor::Applicant, at))
}

async fn created(store: &impl Store) -> Result<Order> {
    let (order, event) = new_order(&new_vendor()?, None, now())?;
    store.create(&order, &event, &[]).await?;
    Ok(order)
}

fn new_number() -> OrderNumber {
    OrderNumber::new(china_date(now()), u64::from(new_seed()) * 1_000 + 7)
}

fn confirmed(order: &Order, number: &OrderNumber) -> Result<Move> {
    let command = Command::Confirm {
        number: number.clone(),
    };
    Ok(decide(order, &command, Actor::Applicant, now())?)
}

fn document(order: &Order) -> Command {
    Command::RecordDocument {
        document: Document {
            kind: DocumentKind::IdPortrait,
            upload: random_id().as_str().to_owned(),
            verdict: Verdict::Accepted {
                content_type: "image/png".to_owned(),
                bytes: order.version,
            },
            judged_at: now(),
        },
    }
}

async fn an_order_is_created_once(store: &impl Store) -> Result<()> {
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

async fn a_stale_version_is_not_saved(store: &impl Store) -> Result<()> {
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

async fn claims_are_taken_once(store: &impl Store) -> Result<()> {
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

async fn racing_moves_are_all_kept(store: Arc<impl Store>) -> Result<()> {
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

async fn waiting_orders_come_in_pages(store: &impl Store) -> Result<()> {
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

async fn late_orders_are_found(store: &impl Store) -> Result<()> {
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

fn code(hash: &str) -> StoredCode {
    StoredCode {
        hash: hash.to_owned(),
        expires_at: now() + Duration::minutes(5),
        tries: 0,
        used: false,
    }
}

async fn codes_have_limits(store: &impl Store) -> Result<()> {
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

async fn mobiles_have_limits(store: &impl Store) -> Result<()> {
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

async fn what_is_signed_is_recorded_once(store: &impl Store) -> Result<()> {
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
    ensure!(store.complete(&request, "issued").await? == "issued");
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

async fn messages_are_claimed(store: &impl Store) -> Result<()> {
    let message = format!("{}#2#0#sms", random_id());
    let began = now();
    ensure!(store.claim(&message, began, None).await? == Claimed::Mine);
    let later = began + Duration::minutes(1);
    ensure!(store.claim(&message, later, None).await? == Claimed::Unfinished { since: began });
    ensure!(store.claim(&message, later, Some(began)).await? == Claimed::Unfinished { since: began });
    ensure!(store.claim(&message, later, Some(later)).await? == Claimed::Mine);
    ensure!(store.claim(&message, later, None).await? == Claimed::Unfinished { since: later });
    store.sent(&message, "receipt").await?;
    ensure!(store.claim(&message, later, Some(later + Duration::DAY)).await? == Claimed::Sent);
    Ok(())
}

async fn intakes_find_their_orders(store: &impl Store) -> Result<()> {
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
