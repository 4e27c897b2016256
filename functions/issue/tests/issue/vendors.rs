//! A vendor's CA that answers in steps and takes its time.
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use time::OffsetDateTime;
use yinxin_ca::{
    Answer, CaError, CertificateAuthority, DataKeySealer, IssueRequest, Preparation, Prepared, Record,
    SoftCa, SoftCaConfig, SoftwareKey, ceremony,
};
use yinxin_order::due::Late;
use yinxin_order::sample::vendor;
use yinxin_order::state::State;
use yinxin_pki::Csr;
use yinxin_pki::rand_core::CryptoRng;
use yinxin_store::issuances::Issuances as _;
use yinxin_store::vault::rng;
use zeroize::Zeroizing;

use crate::stopping::Stop;
use crate::world::{NOW, World};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    Pending,
    Progress,
    Down,
}

/// Takes its turns, then issues as a software CA does.
struct Slow {
    ca: SoftCa,
    turns: Mutex<VecDeque<Turn>>,
    asked: Mutex<Vec<Prepared>>,
}

impl Slow {
    fn new(turns: impl IntoIterator<Item = Turn>) -> Arc<Self> {
        let vendor = vendor();
        let made = ceremony::init(vendor.as_str(), "样例电子认证有限公司", NOW, &mut rng()).unwrap();
        let ca = SoftCa::new(
            vendor.as_str(),
            made.chain(),
            Arc::new(SoftwareKey::new(made.issuing.key.clone())),
            SoftCaConfig::default(),
            Arc::new(DataKeySealer::new(Zeroizing::new([7; 16]))),
        )
        .unwrap();
        Arc::new(Self {
            ca,
            turns: Mutex::new(turns.into_iter().collect()),
            asked: Mutex::default(),
        })
    }
}

#[async_trait]
impl CertificateAuthority for Slow {
    fn prepare(
        &self,
        request: &IssueRequest,
        csr: &Csr,
        now: OffsetDateTime,
        rng: &mut dyn CryptoRng,
    ) -> Result<Preparation, CaError> {
        CertificateAuthority::prepare(&self.ca, request, csr, now, rng)
    }

    async fn complete(
        &self,
        record: &Record,
        now: OffsetDateTime,
        rng: &mut (dyn CryptoRng + Send),
    ) -> Result<Answer, CaError> {
        self.asked.lock().unwrap().push(record.read()?);
        let turn = self.turns.lock().unwrap().pop_front();
        match turn {
            Some(Turn::Pending) => Ok(Answer::Pending {
                retry_after: Duration::from_mins(1),
            }),
            Some(Turn::Progress) => Ok(Answer::Progress(record.clone())),
            Some(Turn::Down) => Err(CaError::Unavailable),
            None => CertificateAuthority::complete(&self.ca, record, now, rng).await,
        }
    }
}

#[tokio::test]
async fn a_ca_that_has_not_decided_is_asked_again_with_the_same_record() {
    let world = World::without_authority();
    let ca = Slow::new([Turn::Pending, Turn::Pending]);
    world.keep(ca.clone()).await;
    world.put_unit(1).await;
    for _ in 0..2 {
        // No failure: nothing of it becomes a dead letter.
        world.ask(1).await.unwrap();
        let order = world.order(1).await;
        assert_eq!(order.state, State::Issuing);
        // The sweep asks again.
        assert_eq!(order.due(time::Duration::days(90)).unwrap().1, Late::Remind);
    }
    world.ask(1).await.unwrap();
    world.assert_one_pair(1).await;
    let asked = ca.asked.lock().unwrap();
    assert_eq!(asked.len(), 3);
    assert!(asked.iter().all(|record| *record == asked[0]));
}

#[tokio::test]
async fn a_ca_that_is_down_fails_the_errand_and_keeps_the_record() {
    let world = World::without_authority();
    world.keep(Slow::new([Turn::Down])).await;
    world.put_unit(1).await;
    world.ask(1).await.unwrap_err();
    assert_eq!(world.order(1).await.state, State::Issuing);
    world.ask(1).await.unwrap();
    world.assert_one_pair(1).await;
    assert_eq!(world.stopping.tried.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn steps_are_recorded_and_a_run_that_stops_between_them_goes_on() {
    for stop in [None, Some(Stop::BeforeProceed), Some(Stop::AfterProceed)] {
        let world = World::without_authority();
        world.keep(Slow::new([Turn::Progress, Turn::Progress])).await;
        world.put_unit(1).await;
        if let Some(stop) = stop {
            world.stopping.stop_at(stop);
            world.ask(1).await.unwrap_err();
        }
        world.ask(1).await.unwrap();
        world.assert_one_pair(1).await;
        assert_eq!(world.stopping.tried.lock().unwrap().len(), 1);
    }
}

#[tokio::test]
async fn a_ca_without_an_end_fails_the_errand() {
    let world = World::without_authority();
    world.keep(Slow::new([Turn::Progress; 100])).await;
    world.put_unit(1).await;
    world.ask(1).await.unwrap_err();
    let request = world.request(1).await;
    assert!(
        world
            .stopping
            .find(&request)
            .await
            .unwrap()
            .unwrap()
            .issued
            .is_none()
    );
}
