//! A store and a bank that fail around one of their calls, as a process that is killed there leaves them.
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use time::OffsetDateTime;
use yinxin_notify::ports::{BankBridge, NotReady};
use yinxin_providers::bank::{Memo, OutBizNo, Payee, Submitted, Transfer};
use yinxin_store::StoreError;
use yinxin_store::codes::{CodeKey, CodeRefusal, Codes, MobileUse, SecretKept, StoredCode};
use yinxin_store::deliveries::{Claimed, Deliveries, DeliveryReceipt};
use yinxin_store::memory::MemoryStore;
use yinxin_store::memory::saves::Interruptions;
use yinxin_store::orders::Errand;

use crate::fakes::FakeBank;

/// A place where a process may end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    BeforeClaim,
    AfterClaim,
    BeforeNote,
    AfterNote,
    BeforeSecret,
    AfterSecret,
    BeforeSubmission,
    AfterSubmission,
    BeforeTry,
    AfterTry,
    BeforeSave,
    AfterSave,
}

impl Stop {
    /// The places of a password's SMS, in their order.
    pub const SMS: [Stop; 6] = [
        Stop::BeforeClaim,
        Stop::AfterClaim,
        Stop::BeforeNote,
        Stop::AfterNote,
        Stop::BeforeSave,
        Stop::AfterSave,
    ];
    /// The places of a transfer, in their order.
    pub const TRANSFER: [Stop; 6] = [
        Stop::BeforeSecret,
        Stop::AfterSecret,
        Stop::BeforeSubmission,
        Stop::AfterSubmission,
        Stop::BeforeSave,
        Stop::AfterSave,
    ];
    /// The places of a collection, in their order.
    pub const COLLECTION: [Stop; 4] = [Stop::BeforeTry, Stop::AfterTry, Stop::BeforeSave, Stop::AfterSave];
}

pub struct Stopping {
    store: Arc<MemoryStore>,
    bank: Arc<FakeBank>,
    stop: Mutex<Option<Stop>>,
}

impl Stopping {
    pub fn new(store: Arc<MemoryStore>, bank: Arc<FakeBank>) -> Self {
        Stopping {
            store,
            bank,
            stop: Mutex::default(),
        }
    }

    /// Ends the next run at `stop`.
    pub fn stop_at(&self, stop: Stop) {
        *self.stop.lock().unwrap() = Some(stop);
    }

    /// Whether a run came to the place where it was to end.
    pub fn has_stopped(&self) -> bool {
        self.stop.lock().unwrap().is_none()
    }

    fn pass(&self, here: Stop) -> Result<(), StoreError> {
        let mut stop = self.stop.lock().unwrap();
        if *stop == Some(here) {
            *stop = None;
            return Err(StoreError::unavailable(std::io::Error::other(
                "the process ends here",
            )));
        }
        Ok(())
    }

    fn pass_bank(&self, here: Stop) -> Result<(), NotReady> {
        self.pass(here)
            .map_err(|end| NotReady::new("the bank bridge", end))
    }
}

#[async_trait]
impl BankBridge for Stopping {
    async fn submit(
        &self,
        number: &OutBizNo,
        payee: Payee<'_>,
        memo: &Memo,
        now: OffsetDateTime,
    ) -> Result<Submitted, NotReady> {
        self.pass_bank(Stop::BeforeSubmission)?;
        let submitted = self.bank.submit(number, payee, memo, now).await?;
        self.pass_bank(Stop::AfterSubmission)?;
        Ok(submitted)
    }

    async fn query(&self, number: &OutBizNo, now: OffsetDateTime) -> Result<Transfer, NotReady> {
        self.bank.query(number, now).await
    }
}

#[async_trait]
impl Codes for Stopping {
    async fn put_captcha(&self, key: &CodeKey, code: &StoredCode) -> Result<(), StoreError> {
        self.store.put_captcha(key, code).await
    }

    async fn mobile_use(&self, mobile: &str) -> Result<MobileUse, StoreError> {
        self.store.mobile_use(mobile).await
    }

    async fn put_sms(
        &self,
        key: &CodeKey,
        code: &StoredCode,
        mobile: &str,
        used: &MobileUse,
        errand: &Errand,
    ) -> Result<(), StoreError> {
        self.store.put_sms(key, code, mobile, used, errand).await
    }

    async fn put_memo_secret(
        &self,
        key: &CodeKey,
        code: &StoredCode,
        account: &str,
        today: &str,
    ) -> Result<SecretKept, StoreError> {
        self.pass(Stop::BeforeSecret)?;
        let kept = self.store.put_memo_secret(key, code, account, today).await?;
        self.pass(Stop::AfterSecret)?;
        Ok(kept)
    }

    async fn count_try(
        &self,
        key: &CodeKey,
        now: OffsetDateTime,
    ) -> Result<Result<String, CodeRefusal>, StoreError> {
        self.pass(Stop::BeforeTry)?;
        let counted = self.store.count_try(key, now).await?;
        self.pass(Stop::AfterTry)?;
        Ok(counted)
    }
}

#[async_trait]
impl Deliveries for Stopping {
    async fn claim(
        &self,
        message: &str,
        now: OffsetDateTime,
        retry_unfinished_before: Option<OffsetDateTime>,
    ) -> Result<Claimed, StoreError> {
        self.pass(Stop::BeforeClaim)?;
        let claimed = self.store.claim(message, now, retry_unfinished_before).await?;
        self.pass(Stop::AfterClaim)?;
        Ok(claimed)
    }

    async fn sent(&self, message: &str, receipt: &str) -> Result<(), StoreError> {
        self.pass(Stop::BeforeNote)?;
        self.store.sent(message, receipt).await?;
        self.pass(Stop::AfterNote)
    }

    async fn not_sent(&self, message: &str) -> Result<(), StoreError> {
        self.store.not_sent(message).await
    }

    async fn doubtful(&self, message: &str) -> Result<(), StoreError> {
        self.pass(Stop::BeforeNote)?;
        self.store.doubtful(message).await?;
        self.pass(Stop::AfterNote)
    }

    async fn record_receipt(
        &self,
        provider: &str,
        number: &str,
        receipt: &DeliveryReceipt,
        now: OffsetDateTime,
    ) -> Result<bool, StoreError> {
        self.store.record_receipt(provider, number, receipt, now).await
    }

    async fn receipt(&self, provider: &str, number: &str) -> Result<Option<DeliveryReceipt>, StoreError> {
        self.store.receipt(provider, number).await
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
