//! How many pairs of certificates the whole errand issues in a second: request checked, record before the signature, lints, escrow, both
//! signatures, status answers signed, history, and the order's move with its event, which is the audit trail of an order.
//!
//! The store is the one in memory: what is measured is the work of `issue`, not the way to a table.
#![allow(clippy::unwrap_used, missing_docs, reason = "a bench that cannot go on fails")]

use std::sync::Arc;
use std::time::Instant;

use time::OffsetDateTime;
use yinxin_ca::ceremony;
use yinxin_issue::authority::StoredAuthority;
use yinxin_issue::{App, Issuing};
use yinxin_lambda::Platform;
use yinxin_lambda::serve::Batch as _;
use yinxin_order::command::Command;
use yinxin_order::effect::Effect;
use yinxin_order::issuance::SubmittedCsr;
use yinxin_order::sample::{event_of, moved, order_id, order_in, vendor};
use yinxin_order::state::State;
use yinxin_pki::csr::CsrBuilder;
use yinxin_pki::{Name, SigningKey, pem, sm3};
use yinxin_store::issuances::Issuances as _;
use yinxin_store::memory::MemoryStore;
use yinxin_store::orders::{Errand, Orders as _};
use yinxin_store::vault::{MemoryVault, Purpose, Vault as _, rng};

const ROUNDS: u32 = 11;
const ORDERS_IN_A_ROUND: u32 = 100;

/// An order whose request lies with the CA.
async fn put(store: &MemoryStore, seed: u32, token: &SigningKey, now: OffsetDateTime) {
    let form = yinxin_order::form::sample::unit(seed);
    let der = CsrBuilder::new(&Name::unit(form.holder_name(), None).unwrap(), token.public_key())
        .sign_with(|info| token.sign(info))
        .unwrap();
    let csr = SubmittedCsr {
        pem: pem::encode(pem::CERTIFICATE_REQUEST, &der),
        key_sm3: hex::encode(sm3(&token.public_key().to_spki_der())),
    };
    let approved = order_in(State::AwaitingPersonalisation, seed, form, now);
    let order = moved(&approved, &Command::SubmitCsr { csr }, now).order;
    let event = event_of(&order, now);
    store.create(&order, &event, &[]).await.unwrap();
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let now = OffsetDateTime::now_utc().replace_nanosecond(0).unwrap();
    let (store, vendor) = (Arc::new(MemoryStore::default()), vendor());
    let made = ceremony::init(vendor.as_str(), "样例电子认证有限公司", now, &mut rng()).unwrap();
    let key = MemoryVault
        .new_data_key(Purpose::Authority, vendor.as_str())
        .await
        .unwrap();
    let stored = StoredAuthority::seal(vendor.as_str(), &made, &key).unwrap();
    let json = serde_json::to_string(&stored).unwrap();
    store.put_authority(vendor.as_str(), &json).await.unwrap();
    let issuing = Issuing::new(App::new(Platform::in_memory(&store, Arc::new(move || now))));
    let token = SigningKey::generate(&mut rng());

    let mut rates = Vec::new();
    for round in 0..ROUNDS {
        let seeds = round * ORDERS_IN_A_ROUND + 1..=(round + 1) * ORDERS_IN_A_ROUND;
        for seed in seeds.clone() {
            put(&store, seed, &token, now).await;
        }
        let began = Instant::now();
        for seed in seeds {
            let errand = Errand {
                order: order_id(seed),
                version: 9,
                seq: 0,
                effect: Effect::AskCa,
            };
            issuing.errand(errand).await.unwrap();
        }
        rates.push(f64::from(ORDERS_IN_A_ROUND) / began.elapsed().as_secs_f64());
    }
    let last = store.load(&order_id(ROUNDS * ORDERS_IN_A_ROUND)).await.unwrap();
    assert_eq!(last.state, State::AwaitingWriting, "the last order was issued");
    rates.sort_by(f64::total_cmp);
    let (median, best) = (rates[rates.len() / 2], rates[rates.len() - 1]);
    println!(
        "pairs of certificates, whole errand: {median:.0}/s in the median round, {best:.0}/s in the fastest"
    );
}
