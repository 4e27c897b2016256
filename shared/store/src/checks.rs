//! Identity checks: how often somebody's numbers were checked today, and which checks were passed not long ago.
//!
//! Providers bill each answer and block repeats, and a stranger who may ask without end finds out whose mobile it is.
use async_trait::async_trait;
use time::{Duration, OffsetDateTime};

use crate::error::StoreError;

/// The most tries with one identity number or one mobile on one day (China time). A try asks each question of a form once.
pub const MAX_TRIES_PER_DAY: u32 = 5;
/// How long a check that was passed need not be paid for again.
pub const PASSED_FOR: Duration = Duration::DAY;
/// The most numbers that one form has: an identity number and a mobile in each of three questions.
pub const MAX_SUBJECTS: usize = 6;
/// The most questions that one form asks.
pub const MAX_QUESTIONS: usize = 3;

/// The day's tries with a number are used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an identity number or a mobile was checked too often today")]
pub struct TooManyChecks;

/// A check that was passed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PassedCheck {
    /// A keyed hash of the question with all its values.
    pub question: String,
    /// What was checked, for example `phone3`.
    pub check: String,
    /// The provider's number of the request.
    pub request_id: String,
    /// When, to the second.
    pub checked_at: OffsetDateTime,
}

/// Identity checks, by keyed hashes alone.
#[async_trait]
pub trait Checks: Send + Sync {
    /// Counts one try today for each of `subjects`, which are different keyed hashes, at most [`MAX_SUBJECTS`]; for none
    /// of them where one had [`MAX_TRIES_PER_DAY`]. `Conflict` where somebody else counts one of them right now.
    async fn claim_checks(
        &self,
        subjects: &[String],
        now: OffsetDateTime,
    ) -> Result<Result<(), TooManyChecks>, StoreError>;

    /// Takes back what [`Checks::claim_checks`] counted a moment ago, where the provider gave no answer.
    async fn give_back_checks(&self, subjects: &[String], now: OffsetDateTime) -> Result<(), StoreError>;

    /// Those of `questions`, which are different, that were passed within [`PASSED_FOR`].
    async fn passed_checks(
        &self,
        questions: &[String],
        now: OffsetDateTime,
    ) -> Result<Vec<PassedCheck>, StoreError>;

    /// Keeps checks that were passed.
    async fn keep_passed(&self, passed: &[PassedCheck]) -> Result<(), StoreError>;
}

impl PassedCheck {
    /// Whether it still counts.
    pub fn is_good(&self, now: OffsetDateTime) -> bool {
        now < self.checked_at + PASSED_FOR
    }
}
