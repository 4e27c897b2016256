//! Identity checks in memory.
use std::collections::HashMap;

use async_trait::async_trait;
use time::OffsetDateTime;
use yinxin_order::identifiers::china_date;

use super::MemoryStore;
use crate::checks::{Checks, MAX_TRIES_PER_DAY, PassedCheck, TooManyChecks};
use crate::error::StoreError;

#[derive(Default)]
pub(super) struct Known {
    tries: HashMap<(String, String), u32>,
    passed: HashMap<String, PassedCheck>,
}

#[async_trait]
impl Checks for MemoryStore {
    async fn claim_checks(
        &self,
        subjects: &[String],
        now: OffsetDateTime,
    ) -> Result<Result<(), TooManyChecks>, StoreError> {
        let today = china_date(now).to_string();
        let mut inner = self.inner();
        let tries = &mut inner.checks.tries;
        let keys: Vec<_> = subjects
            .iter()
            .map(|subject| (subject.clone(), today.clone()))
            .collect();
        let is_used_up = |key| tries.get(key).is_some_and(|&tries| tries >= MAX_TRIES_PER_DAY);
        if keys.iter().any(is_used_up) {
            return Ok(Err(TooManyChecks));
        }
        for key in keys {
            *tries.entry(key).or_default() += 1;
        }
        Ok(Ok(()))
    }

    async fn give_back_checks(&self, subjects: &[String], now: OffsetDateTime) -> Result<(), StoreError> {
        let today = china_date(now).to_string();
        let mut inner = self.inner();
        for subject in subjects {
            let key = (subject.clone(), today.clone());
            if let Some(tries) = inner.checks.tries.get_mut(&key) {
                *tries = tries.saturating_sub(1);
            }
        }
        Ok(())
    }

    async fn passed_checks(
        &self,
        questions: &[String],
        now: OffsetDateTime,
    ) -> Result<Vec<PassedCheck>, StoreError> {
        let inner = self.inner();
        let known = questions
            .iter()
            .filter_map(|question| inner.checks.passed.get(question));
        Ok(known.filter(|passed| passed.is_good(now)).cloned().collect())
    }

    async fn keep_passed(&self, passed: &[PassedCheck]) -> Result<(), StoreError> {
        let mut inner = self.inner();
        for passed in passed {
            inner
                .checks
                .passed
                .insert(passed.question.clone(), passed.clone());
        }
        Ok(())
    }
}
