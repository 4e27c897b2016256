//! One-time codes: captchas, SMS codes and memo secrets, kept as keyed hashes, with their limits.
use async_trait::async_trait;
use time::{Duration, OffsetDateTime};
use yinxin_order::identifiers::OrderId;

use crate::error::StoreError;
use crate::orders::Errand;

/// How long a code is good.
pub const CODE_LIFETIME: Duration = Duration::minutes(5);
/// How often a code may be tried.
pub const MAX_TRIES: u32 = 5;
/// The pause between two codes to one mobile.
pub const RESEND_AFTER: Duration = Duration::seconds(60);
/// The most codes to one mobile on one day (China time).
pub const MAX_CODES_PER_DAY: u32 = 10;

/// How long the secret in a transfer's memo (口令领取码) is good: banks may need some days, and many people read memos.
pub const MEMO_SECRET_LIFETIME: Duration = Duration::days(7);
/// The most transfers to one account on one day (China time): each costs money.
pub const MAX_TRANSFERS_PER_DAY: u32 = 3;

/// Which code is meant.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum CodeKey {
    /// A captcha, by its random id.
    Captcha(String),
    /// The code that stands for the application signature of an order.
    Signature(OrderId),
    /// The secret in the memo of a transfer.
    MemoSecret {
        /// The order whose password it opens.
        order: OrderId,
        /// Which sending of the password.
        number: u8,
    },
}

impl CodeKey {
    /// The key as stored.
    pub fn as_key(&self) -> String {
        match self {
            CodeKey::Captcha(id) => format!("CAPTCHA#{id}"),
            CodeKey::Signature(order) => format!("SIGNATURE#{}", order.as_str()),
            CodeKey::MemoSecret { order, number } => format!("MEMO#{}#{number}", order.as_str()),
        }
    }

    /// How often this kind of code may be tried.
    pub fn max_tries(&self) -> u32 {
        match self {
            CodeKey::Captcha(_) => 1,
            CodeKey::Signature(_) | CodeKey::MemoSecret { .. } => MAX_TRIES,
        }
    }
}

/// A code as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredCode {
    /// A keyed hash of the code, bound to its key.
    pub hash: String,
    /// When it ends.
    pub expires_at: OffsetDateTime,
    /// How often it was tried.
    pub tries: u32,
    /// Whether it was used.
    pub used: bool,
}

/// What a mobile was sent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MobileUse {
    /// The China-time day that `count` belongs to, `YYYY-MM-DD`.
    pub day: String,
    /// Codes sent on that day.
    pub count: u32,
    /// Unix seconds of the last code.
    pub last_sent: i64,
    /// Grows with each change; 0 where nothing is stored.
    pub revision: u64,
}

/// Why no code was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LimitReached {
    /// The last code is too young.
    #[error("the next code can be sent in {retry_after_s} seconds")]
    TooSoon {
        /// Seconds to wait.
        retry_after_s: i64,
    },
    /// The mobile had its codes of the day.
    #[error("no more codes can be sent to this mobile today")]
    DailyLimit,
}

impl MobileUse {
    /// The use after one more code, or why there is none.
    pub fn after_one_more(&self, now: OffsetDateTime, today: &str) -> Result<MobileUse, LimitReached> {
        let waited = now.unix_timestamp() - self.last_sent;
        let pause = RESEND_AFTER.whole_seconds();
        if waited < pause {
            return Err(LimitReached::TooSoon {
                retry_after_s: pause - waited,
            });
        }
        let sent_today = if self.day == today { self.count } else { 0 };
        if sent_today >= MAX_CODES_PER_DAY {
            return Err(LimitReached::DailyLimit);
        }
        Ok(MobileUse {
            day: today.to_owned(),
            count: sent_today + 1,
            last_sent: now.unix_timestamp(),
            revision: self.revision + 1,
        })
    }
}

/// The transfers that went to an account.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AccountUse {
    /// The China-time day that `count` belongs to, `YYYY-MM-DD`.
    pub day: String,
    /// Transfers of that day.
    pub count: u32,
    /// Grows with each change; 0 where nothing is stored.
    pub revision: u64,
}

impl AccountUse {
    /// The use after one more transfer; `None` where the account had its transfers of the day.
    pub fn after_one_more(&self, today: &str) -> Option<AccountUse> {
        let today_before = if self.day == today { self.count } else { 0 };
        (today_before < MAX_TRANSFERS_PER_DAY).then(|| AccountUse {
            day: today.to_owned(),
            count: today_before + 1,
            revision: self.revision + 1,
        })
    }
}

/// Whether a memo secret is kept, so that its transfer may be submitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretKept {
    /// Since this call; the account's limit counts the transfer.
    Now,
    /// Since an earlier call. Nothing was changed or counted.
    Before,
    /// It is not: the account had its transfers of the day.
    DailyLimit,
}

/// Why a code was not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CodeRefusal {
    /// No code was asked for, or it is long gone.
    #[error("no code was sent, or it has expired")]
    Unknown,
    /// The code was used.
    #[error("the code was used")]
    Used,
    /// The code is too old.
    #[error("the code has expired")]
    Expired,
    /// The code was tried too often.
    #[error("the code was tried too often")]
    Exhausted,
    /// The code is another one.
    #[error("the code is wrong")]
    Wrong,
}

impl StoredCode {
    /// Whether one more try may be counted.
    pub fn may_be_tried(&self, key: &CodeKey, now: OffsetDateTime) -> Result<(), CodeRefusal> {
        if self.used {
            Err(CodeRefusal::Used)
        } else if now >= self.expires_at {
            Err(CodeRefusal::Expired)
        } else if self.tries >= key.max_tries() {
            Err(CodeRefusal::Exhausted)
        } else {
            Ok(())
        }
    }
}

/// Codes and what mobiles were sent.
#[async_trait]
pub trait Codes: Send + Sync {
    /// Keeps a captcha.
    async fn put_captcha(&self, key: &CodeKey, code: &StoredCode) -> Result<(), StoreError>;

    /// What a mobile, given by its keyed hash, was sent.
    async fn mobile_use(&self, mobile: &str) -> Result<MobileUse, StoreError>;

    /// Keeps a new SMS code, the mobile's new use and the errand that sends it, in one transaction.
    /// `Conflict` where the mobile's use is not the one before `used`.
    async fn put_sms(
        &self,
        key: &CodeKey,
        code: &StoredCode,
        mobile: &str,
        used: &MobileUse,
        errand: &Errand,
    ) -> Result<(), StoreError>;

    /// Keeps a memo secret and counts its transfer against the limit of the account, given by its keyed hash, in one
    /// transaction. `Conflict` where another transfer to the account was first.
    async fn put_memo_secret(
        &self,
        key: &CodeKey,
        code: &StoredCode,
        account: &str,
        today: &str,
    ) -> Result<SecretKept, StoreError>;

    /// Counts one try. `Ok(Err(..))` where the code may not be tried; `Ok(Ok(hash))` to compare with.
    async fn count_try(
        &self,
        key: &CodeKey,
        now: OffsetDateTime,
    ) -> Result<Result<String, CodeRefusal>, StoreError>;
}
