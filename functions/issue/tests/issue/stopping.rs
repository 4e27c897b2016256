//! A store that fails around one of its writes, as a process that is killed there leaves it.
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use yinxin_order::identifiers::{OrderId, RecoveryId, VendorId};
use yinxin_order::recovery::{Recovery, RecoveryMove};
use yinxin_store::StoreError;
use yinxin_store::issuances::{Issuance, Issuances};
use yinxin_store::key_history::{KeyEntry, KeyHistory};
use yinxin_store::memory::MemoryStore;
use yinxin_store::memory::saves::Interruptions;
use yinxin_store::recoveries::Recoveries;

/// A place where a run may end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    BeforeRecord,
    AfterRecord,
    BeforeProceed,
    AfterProceed,
    BeforeComplete,
    AfterComplete,
    BeforeEnter,
    AfterEnter,
    BeforeSave,
    AfterSave,
    BeforePair,
    AfterPair,
    BeforeNumber,
    AfterNumber,
    BeforeRecordList,
    AfterRecordList,
    BeforeObject,
    AfterObject,
    BeforePublish,
    AfterPublish,
    BeforeRegister,
    AfterRegister,
    BeforeRevoke,
    AfterRevoke,
    BeforeAnswers,
    AfterAnswers,
    BeforeDeliver,
    AfterDeliver,
}

impl Stop {
    /// The places of an issuing, in their order.
    pub const ISSUING: [Stop; 20] = [
        Stop::BeforePair,
        Stop::AfterPair,
        Stop::BeforeRecord,
        Stop::AfterRecord,
        Stop::BeforeComplete,
        Stop::AfterComplete,
        Stop::BeforeNumber,
        Stop::AfterNumber,
        Stop::BeforeRecordList,
        Stop::AfterRecordList,
        Stop::BeforeObject,
        Stop::AfterObject,
        Stop::BeforePublish,
        Stop::AfterPublish,
        Stop::BeforeRegister,
        Stop::AfterRegister,
        Stop::BeforeEnter,
        Stop::AfterEnter,
        Stop::BeforeSave,
        Stop::AfterSave,
    ];
    /// The places of a revocation, in their order.
    pub const REVOKING: [Stop; 14] = [
        Stop::BeforeRevoke,
        Stop::AfterRevoke,
        Stop::BeforeAnswers,
        Stop::AfterAnswers,
        Stop::BeforeNumber,
        Stop::AfterNumber,
        Stop::BeforeRecordList,
        Stop::AfterRecordList,
        Stop::BeforeObject,
        Stop::AfterObject,
        Stop::BeforePublish,
        Stop::AfterPublish,
        Stop::BeforeSave,
        Stop::AfterSave,
    ];
}

pub struct Stopping {
    pub store: Arc<MemoryStore>,
    stop: Mutex<Option<Stop>>,
    /// Whether records are not found, as by a run that looked before they were made.
    blind: Mutex<bool>,
    /// The serial numbers of every record that was tried.
    pub tried: Mutex<Vec<Vec<String>>>,
}

impl Stopping {
    pub fn new(store: Arc<MemoryStore>) -> Self {
        Stopping {
            store,
            stop: Mutex::default(),
            blind: Mutex::default(),
            tried: Mutex::default(),
        }
    }

    /// Ends the next run at `stop`.
    pub fn stop_at(&self, stop: Stop) {
        *self.stop.lock().unwrap() = Some(stop);
    }

    /// Takes a stop back that no run came to.
    pub fn go_on(&self) {
        *self.stop.lock().unwrap() = None;
    }

    pub fn go_blind(&self) {
        *self.blind.lock().unwrap() = true;
    }

    pub fn pass(&self, here: Stop) -> Result<(), StoreError> {
        let mut stop = self.stop.lock().unwrap();
        if *stop == Some(here) {
            *stop = None;
            return Err(StoreError::unavailable(std::io::Error::other(
                "the process ends here",
            )));
        }
        Ok(())
    }
}

#[async_trait]
impl Issuances for Stopping {
    async fn find(&self, request: &str) -> Result<Option<Issuance>, StoreError> {
        if *self.blind.lock().unwrap() {
            return Ok(None);
        }
        Issuances::find(self.store.as_ref(), request).await
    }

    async fn record(
        &self,
        request: &str,
        prepared: &str,
        serials: &[String],
    ) -> Result<Issuance, StoreError> {
        self.pass(Stop::BeforeRecord)?;
        self.tried.lock().unwrap().push(serials.to_vec());
        let recorded = self.store.record(request, prepared, serials).await?;
        self.pass(Stop::AfterRecord)?;
        Ok(recorded)
    }

    async fn proceed(&self, request: &str, prepared: &str, next: &str) -> Result<bool, StoreError> {
        self.pass(Stop::BeforeProceed)?;
        let done = self.store.proceed(request, prepared, next).await?;
        self.pass(Stop::AfterProceed)?;
        Ok(done)
    }

    async fn complete(&self, request: &str, issued: &str) -> Result<String, StoreError> {
        self.pass(Stop::BeforeComplete)?;
        let issued = self.store.complete(request, issued).await?;
        self.pass(Stop::AfterComplete)?;
        Ok(issued)
    }

    async fn authority(&self, vendor: &str) -> Result<String, StoreError> {
        self.store.authority(vendor).await
    }

    async fn put_authority(&self, vendor: &str, authority: &str) -> Result<bool, StoreError> {
        self.store.put_authority(vendor, authority).await
    }
}

impl Interruptions for Stopping {
    fn before_save(&self) -> Result<(), StoreError> {
        self.pass(Stop::BeforeSave)
    }

    fn after_save(&self) -> Result<(), StoreError> {
        self.pass(Stop::AfterSave)
    }
}

#[async_trait]
impl KeyHistory for Stopping {
    async fn enter_key(&self, entry: &KeyEntry) -> Result<(), StoreError> {
        self.pass(Stop::BeforeEnter)?;
        self.store.enter_key(entry).await?;
        self.pass(Stop::AfterEnter)
    }

    async fn key_of(&self, serial: &str) -> Result<Option<KeyEntry>, StoreError> {
        self.store.key_of(serial).await
    }

    async fn keys_of_order(&self, order: &OrderId) -> Result<Vec<KeyEntry>, StoreError> {
        self.store.keys_of_order(order).await
    }

    async fn keys_of_holder(&self, holder: &str, vendor: &VendorId) -> Result<Vec<KeyEntry>, StoreError> {
        self.store.keys_of_holder(holder, vendor).await
    }
}

#[async_trait]
impl Recoveries for Stopping {
    async fn recovery(&self, id: &RecoveryId) -> Result<Recovery, StoreError> {
        self.store.recovery(id).await
    }

    async fn save_recovery(&self, moved: &RecoveryMove) -> Result<(), StoreError> {
        self.pass(Stop::BeforeDeliver)?;
        self.store.save_recovery(moved).await?;
        self.pass(Stop::AfterDeliver)
    }
}
