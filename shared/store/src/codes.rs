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
/// The most codes to one mobile within any hour: one more than this, and the provider refuses, which takes longer.
pub const MAX_CODES_PER_HOUR: usize = 5;
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
    /// Unix seconds of the codes of the last hour, oldest first, the last one among them.
    pub of_last_hour: Vec<i64>,
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
    /// The mobile had its codes of the hour.
    #[error("the next code can be sent in {retry_after_s} seconds, as the mobile had its codes of the hour")]
    HourlyLimit {
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
        let hour_ago = now.unix_timestamp() - Duration::HOUR.whole_seconds();
        let mut of_last_hour: Vec<i64> = self
            .of_last_hour
            .iter()
            .copied()
            .filter(|&sent| sent > hour_ago)
            .collect();
        if let [oldest, ..] = of_last_hour[..]
            && of_last_hour.len() >= MAX_CODES_PER_HOUR
        {
            return Err(LimitReached::HourlyLimit {
                retry_after_s: oldest - hour_ago,
            });
        }
        of_last_hour.push(now.unix_timestamp());
        Ok(MobileUse {
            day: today.to_owned(),
            count: sent_today + 1,
            last_sent: now.unix_timestamp(),
            of_last_hour,
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

#[cfg(test)]
mod tests {
    use time::macros::datetime;
    use time::{Duration, OffsetDateTime};
    use yinxin_order::identifiers::china_date;

    use super::{LimitReached, MAX_CODES_PER_DAY, MAX_CODES_PER_HOUR, MobileUse};

    const NOON: OffsetDateTime = datetime!(2026-04-07 12:00 +8);

    fn one_more(used: &MobileUse, at: OffsetDateTime) -> Result<MobileUse, LimitReached> {
        used.after_one_more(at, &china_date(at).to_string())
    }

    /// A mobile that had `count` codes, one every `every`, and the time of the next.
    fn used(count: usize, every: Duration) -> (MobileUse, OffsetDateTime) {
        let (mut used, mut at) = (MobileUse::default(), NOON);
        for _ in 0..count {
            used = one_more(&used, at).unwrap();
            at += every;
        }
        (used, at)
    }

    #[test]
    fn a_code_a_minute_is_sent_and_not_more() {
        let (used, at) = used(1, Duration::seconds(59));
        assert_eq!(
            one_more(&used, at),
            Err(LimitReached::TooSoon { retry_after_s: 1 })
        );
        assert!(one_more(&used, at + Duration::SECOND).is_ok());
    }

    #[test]
    fn any_hour_has_five_codes_also_one_that_begins_in_the_middle() {
        let (used, at) = used(MAX_CODES_PER_HOUR, Duration::minutes(10));
        // Fifty minutes after the first.
        assert_eq!(
            one_more(&used, at),
            Err(LimitReached::HourlyLimit { retry_after_s: 600 })
        );
        let last_second = NOON + Duration::HOUR - Duration::SECOND;
        assert_eq!(
            one_more(&used, last_second),
            Err(LimitReached::HourlyLimit { retry_after_s: 1 })
        );
        let sixth = one_more(&used, NOON + Duration::HOUR).unwrap();
        assert_eq!(sixth.of_last_hour.len(), MAX_CODES_PER_HOUR);
        // The second one is the oldest now.
        assert_eq!(
            one_more(&sixth, NOON + Duration::minutes(65)),
            Err(LimitReached::HourlyLimit { retry_after_s: 300 })
        );
    }

    #[test]
    fn ten_codes_are_a_day_s_and_the_day_is_china_s() {
        let (used, at) = used(MAX_CODES_PER_DAY as usize, Duration::minutes(15));
        assert_eq!(one_more(&used, at), Err(LimitReached::DailyLimit));
        let before_midnight = datetime!(2026-04-07 23:59:59 +8);
        assert_eq!(one_more(&used, before_midnight), Err(LimitReached::DailyLimit));
        let midnight = before_midnight + Duration::SECOND;
        assert_eq!(one_more(&used, midnight).unwrap().count, 1);
    }

    #[test]
    fn what_was_stored_before_hours_were_counted_still_counts_for_the_day() {
        let old = MobileUse {
            day: china_date(NOON).to_string(),
            count: MAX_CODES_PER_DAY - 1,
            last_sent: (NOON - Duration::minutes(2)).unix_timestamp(),
            of_last_hour: Vec::new(),
            revision: 9,
        };
        let tenth = one_more(&old, NOON).unwrap();
        assert_eq!((tenth.count, tenth.of_last_hour.len()), (10, 1));
        assert_eq!(
            one_more(&tenth, NOON + Duration::minutes(2)),
            Err(LimitReached::DailyLimit)
        );
    }
}
