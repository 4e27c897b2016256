//! Statuses, revocation lists and publications in memory.
use std::collections::{BTreeMap, HashMap};

use async_trait::async_trait;
use time::OffsetDateTime;
use yinxin_order::identifiers::{OrderId, VendorId};

use super::MemoryStore;
use crate::error::StoreError;
use crate::publications::{Publication, Publications};
use crate::statuses::{
    Answers, CertificateKey, CertificateStatus, Due, ListKey, PublishedList, RevocationLists, Revoked,
    Statuses,
};

#[derive(Default)]
pub(super) struct Shards {
    pairs: HashMap<String, u64>,
    statuses: HashMap<CertificateKey, Kept>,
    of_orders: HashMap<String, Vec<CertificateKey>>,
    lists: HashMap<ListKey, List>,
    published: HashMap<String, Vec<u8>>,
}

struct Kept {
    status: CertificateStatus,
    due: Option<OffsetDateTime>,
}

#[derive(Default)]
struct List {
    number: u64,
    recorded: BTreeMap<u64, String>,
    published: Option<PublishedList>,
    due: Option<OffsetDateTime>,
    entries: BTreeMap<String, Revoked>,
}

#[async_trait]
impl Statuses for MemoryStore {
    async fn next_pair(&self, authority: &str) -> Result<u64, StoreError> {
        let mut inner = self.inner();
        let next = inner.shards.pairs.entry(authority.to_owned()).or_default();
        *next += 1;
        Ok(*next - 1)
    }

    async fn register(&self, statuses: &[CertificateStatus]) -> Result<bool, StoreError> {
        let shards = &mut self.inner().shards;
        if statuses
            .iter()
            .any(|status| shards.statuses.contains_key(&status.key))
        {
            return Ok(false);
        }
        for status in statuses {
            let kept = Kept {
                status: status.clone(),
                due: status.answers.as_ref().and_then(|answers| answers.due),
            };
            shards.statuses.insert(status.key.clone(), kept);
            let order = status.order.as_str().to_owned();
            shards
                .of_orders
                .entry(order)
                .or_default()
                .push(status.key.clone());
        }
        Ok(true)
    }

    async fn status(&self, key: &CertificateKey) -> Result<Option<CertificateStatus>, StoreError> {
        let inner = self.inner();
        Ok(inner.shards.statuses.get(key).map(|kept| kept.status.clone()))
    }

    async fn of_order(&self, order: &OrderId) -> Result<Vec<CertificateStatus>, StoreError> {
        let shards = &self.inner().shards;
        let keys = shards.of_orders.get(order.as_str());
        Ok(keys
            .into_iter()
            .flatten()
            .filter_map(|key| shards.statuses.get(key))
            .map(|kept| kept.status.clone())
            .collect())
    }

    async fn revoke(&self, statuses: &[CertificateStatus], revoked: &Revoked) -> Result<(), StoreError> {
        let shards = &mut self.inner().shards;
        let mut done = 0;
        for status in statuses {
            let kept = shards.statuses.get(&status.key).ok_or(StoreError::NotFound)?;
            done += usize::from(kept.status.revoked.is_some());
        }
        if done == statuses.len() {
            return Ok(());
        }
        if done > 0 {
            return Err(StoreError::Conflict);
        }
        for status in statuses {
            if let Some(kept) = shards.statuses.get_mut(&status.key) {
                kept.status.revoked = Some(revoked.clone());
                kept.status.answers = None;
                kept.due = Some(revoked.at);
            }
            let list = shards.lists.entry(status.list()).or_default();
            list.entries.insert(status.key.serial.clone(), revoked.clone());
        }
        Ok(())
    }

    async fn put_answers(&self, status: &CertificateStatus, answers: &Answers) -> Result<bool, StoreError> {
        let shards = &mut self.inner().shards;
        let Some(kept) = shards.statuses.get_mut(&status.key) else {
            return Ok(false);
        };
        if kept.status.revoked.is_some() != status.revoked.is_some() {
            return Ok(false);
        }
        kept.status.answers = Some(answers.clone());
        kept.due = answers.due;
        Ok(true)
    }

    async fn due(&self, now: OffsetDateTime, limit: usize) -> Result<Vec<Due>, StoreError> {
        let shards = &self.inner().shards;
        let answers = shards
            .statuses
            .iter()
            .map(|(key, kept)| (kept.due, Due::Answers(key.clone())));
        let lists = shards
            .lists
            .iter()
            .map(|(key, list)| (list.due, Due::List(key.clone())));
        let mut due: Vec<_> = answers
            .chain(lists)
            .filter_map(|(at, due)| Some((at.filter(|at| *at <= now)?, due)))
            .collect();
        due.sort();
        due.truncate(limit);
        Ok(due.into_iter().map(|(_, due)| due).collect())
    }

    async fn put_off(&self, due: &Due, until: OffsetDateTime) -> Result<(), StoreError> {
        let shards = &mut self.inner().shards;
        let place = match due {
            Due::Answers(key) => shards.statuses.get_mut(key).map(|kept| &mut kept.due),
            Due::List(key) => shards.lists.get_mut(key).map(|list| &mut list.due),
        };
        if let Some(place) = place {
            *place = Some(until);
        }
        Ok(())
    }
}

#[async_trait]
impl RevocationLists for MemoryStore {
    async fn entries(&self, list: &ListKey) -> Result<BTreeMap<String, Revoked>, StoreError> {
        let inner = self.inner();
        let list = inner.shards.lists.get(list);
        Ok(list.map(|list| list.entries.clone()).unwrap_or_default())
    }

    async fn next_number(&self, list: &ListKey, _: &VendorId) -> Result<u64, StoreError> {
        let mut inner = self.inner();
        let list = inner.shards.lists.entry(list.clone()).or_default();
        list.number += 1;
        Ok(list.number)
    }

    async fn record_list(&self, list: &ListKey, number: u64, tbs_sm3: &str) -> Result<(), StoreError> {
        let mut inner = self.inner();
        let list = inner.shards.lists.entry(list.clone()).or_default();
        if list.recorded.contains_key(&number) {
            return Err(StoreError::Conflict);
        }
        list.recorded.insert(number, tbs_sm3.to_owned());
        Ok(())
    }

    async fn recorded_list(&self, list: &ListKey, number: u64) -> Result<Option<String>, StoreError> {
        let inner = self.inner();
        let list = inner.shards.lists.get(list);
        Ok(list.and_then(|list| list.recorded.get(&number).cloned()))
    }

    async fn publish(&self, list: &ListKey, published: &PublishedList) -> Result<bool, StoreError> {
        let mut inner = self.inner();
        let list = inner.shards.lists.entry(list.clone()).or_default();
        let known = list.published.as_ref().map(|published| published.number);
        if known >= Some(published.number) {
            return Ok(false);
        }
        list.published = Some(published.clone());
        list.due = Some(published.due);
        Ok(true)
    }

    async fn published(&self, list: &ListKey) -> Result<Option<PublishedList>, StoreError> {
        let inner = self.inner();
        let list = inner.shards.lists.get(list);
        Ok(list.and_then(|list| list.published.clone()))
    }
}

#[async_trait]
impl Publications for MemoryStore {
    async fn put(&self, publication: &Publication, bytes: Vec<u8>) -> Result<(), StoreError> {
        self.inner().shards.published.insert(publication.key(), bytes);
        Ok(())
    }

    async fn get(&self, publication: &Publication) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.inner().shards.published.get(&publication.key()).cloned())
    }
}
