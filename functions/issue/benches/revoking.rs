//! What one revocation costs with so many revoked before it: recorded, six answers signed, the shard's list signed and published.
//!
//! The store is the one in memory: what is measured is the work of `issue`, not the way to a table. The measured revocations
//! are the last ones before the figure, so the list is half full at one thousand and full from ten thousand on.
#![allow(clippy::unwrap_used, missing_docs, reason = "a bench that cannot go on fails")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use time::OffsetDateTime;
use yinxin_ca::ceremony;
use yinxin_issue::App;
use yinxin_issue::authority::StoredAuthority;
use yinxin_issue::statuses::Speaker;
use yinxin_lambda::Platform;
use yinxin_order::revocation::RevocationReason;
use yinxin_order::sample::{order_id, vendor};
use yinxin_store::issuances::Issuances as _;
use yinxin_store::memory::MemoryStore;
use yinxin_store::statuses::{CertificateKey, CertificateStatus, Revoked, SHARD_PAIRS, Statuses};
use yinxin_store::vault::{MemoryVault, Purpose, Vault as _, random_bytes, rng};

const REVOKED_BEFORE: [u64; 4] = [1_000, 10_000, 100_000, 1_000_000];
const ROUNDS: usize = 41;

struct Bench {
    store: Arc<MemoryStore>,
    app: App,
    authority: String,
    now: OffsetDateTime,
    pairs: u64,
}

impl Bench {
    async fn new() -> Self {
        let now = OffsetDateTime::now_utc().replace_nanosecond(0).unwrap();
        let store = Arc::new(MemoryStore::default());
        let vendor = vendor();
        let made = ceremony::init(vendor.as_str(), "样例电子认证有限公司", now, &mut rng()).unwrap();
        let key = MemoryVault
            .new_data_key(Purpose::Authority, vendor.as_str())
            .await
            .unwrap();
        let stored = StoredAuthority::seal(vendor.as_str(), &made, &key).unwrap();
        let json = serde_json::to_string(&stored).unwrap();
        store.put_authority(vendor.as_str(), &json).await.unwrap();
        Bench {
            app: App::new(Platform::in_memory(&store, Arc::new(move || now))),
            authority: yinxin_ca::status::authority_id(&made.issuing.certificate),
            store,
            now,
            pairs: 0,
        }
    }

    fn revoked(&self) -> Revoked {
        Revoked {
            at: self.now,
            reason: RevocationReason::KeyCompromise,
            invalidity_date: None,
        }
    }

    /// The next pair, registered.
    async fn pair(&mut self) -> Vec<CertificateStatus> {
        let shard = self.pairs / SHARD_PAIRS;
        self.pairs += 1;
        let status = || {
            // Positive, and of one length: as issued serial numbers are.
            let mut serial: [u8; 16] = random_bytes();
            serial[0] = (serial[0] & 0x3f) | 0x40;
            CertificateStatus {
                key: CertificateKey {
                    authority: self.authority.clone(),
                    serial: hex::encode(serial),
                },
                vendor: vendor(),
                order: order_id(u32::try_from(self.pairs).unwrap()),
                shard,
                not_after: self.now + time::Duration::days(365),
                revoked: None,
                answers: None,
            }
        };
        let pair = vec![status(), status()];
        assert!(self.store.register(&pair).await.unwrap());
        pair
    }

    /// One revocation as the errand does it.
    async fn revoke(&self, pair: &[CertificateStatus]) -> Duration {
        let speaker = Speaker::open(&self.app, &vendor(), &self.authority)
            .await
            .unwrap();
        let began = Instant::now();
        self.store.revoke(pair, &self.revoked()).await.unwrap();
        for status in self.store.of_order(&pair[0].order).await.unwrap() {
            assert!(speaker.refresh(&status).await.unwrap());
        }
        speaker.publish_list(&pair[0].list()).await.unwrap();
        began.elapsed()
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let mut bench = Bench::new().await;
    println!(
        "{:>16} {:>14} {:>14}",
        "revoked before", "median ms", "slowest ms"
    );
    for before in REVOKED_BEFORE {
        while bench.pairs * 2 + 2 * u64::try_from(ROUNDS).unwrap() < before {
            let pair = bench.pair().await;
            let revoked = bench.revoked();
            bench.store.revoke(&pair, &revoked).await.unwrap();
        }
        let mut times = Vec::with_capacity(ROUNDS);
        for _ in 0..ROUNDS {
            let pair = bench.pair().await;
            times.push(bench.revoke(&pair).await);
        }
        times.sort_unstable();
        let ms = |time: Duration| time.as_secs_f64() * 1000.0;
        println!(
            "{:>16} {:>14.2} {:>14.2}",
            before,
            ms(times[ROUNDS / 2]),
            ms(times[ROUNDS - 1])
        );
    }
}
