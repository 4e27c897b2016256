//! Changes of CAs, the trust list and the audit trail, in memory.
use async_trait::async_trait;

use super::MemoryStore;
use crate::audits::{AuditEntry, Audits};
use crate::authorities::Authorities;
use crate::error::StoreError;

#[async_trait]
impl Authorities for MemoryStore {
    async fn replace_authority(&self, vendor: &str, before: &str, after: &str) -> Result<bool, StoreError> {
        match self.inner().authorities.get_mut(vendor) {
            Some(stored) if stored == before => {
                after.clone_into(stored);
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    async fn trust_list(&self, name: &str) -> Result<Option<String>, StoreError> {
        Ok(self.inner().trust_lists.get(name).cloned())
    }

    async fn replace_trust_list(
        &self,
        name: &str,
        before: Option<&str>,
        after: &str,
    ) -> Result<bool, StoreError> {
        let lists = &mut self.inner().trust_lists;
        if lists.get(name).map(String::as_str) != before {
            return Ok(false);
        }
        lists.insert(name.to_owned(), after.to_owned());
        Ok(true)
    }
}

#[async_trait]
impl Audits for MemoryStore {
    async fn audit(&self, entry: &AuditEntry) -> Result<(), StoreError> {
        self.inner().audits.push(entry.clone());
        Ok(())
    }

    async fn audit_of(&self, subject: &str) -> Result<Vec<AuditEntry>, StoreError> {
        let inner = self.inner();
        let mut entries: Vec<AuditEntry> = inner
            .audits
            .iter()
            .filter(|entry| entry.subject == subject)
            .cloned()
            .collect();
        entries.sort_by_key(|entry| entry.at);
        Ok(entries)
    }
}
