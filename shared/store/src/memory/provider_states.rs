//! What providers' clients share, in memory.
use async_trait::async_trait;

use super::MemoryStore;
use crate::error::StoreError;
use crate::provider_states::{ProviderState, ProviderStates};

#[async_trait]
impl ProviderStates for MemoryStore {
    async fn provider_state(&self, provider: &str) -> Result<ProviderState, StoreError> {
        let found = self.inner().provider_states.get(provider).cloned();
        Ok(found.unwrap_or_default())
    }

    async fn replace_provider_state(
        &self,
        provider: &str,
        revision: u64,
        text: &str,
    ) -> Result<bool, StoreError> {
        let mut inner = self.inner();
        let known = inner.provider_states.entry(provider.to_owned()).or_default();
        if known.revision != revision {
            return Ok(false);
        }
        *known = ProviderState {
            revision: revision + 1,
            text: text.to_owned(),
        };
        Ok(true)
    }
}
