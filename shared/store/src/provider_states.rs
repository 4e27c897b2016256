//! What a provider's clients share between processes, such as an access token of which few may be asked for.
use async_trait::async_trait;

use crate::error::StoreError;

/// A text that several processes read and replace.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProviderState {
    /// Grows by one with each replacement; 0 where nothing was written yet.
    pub revision: u64,
    /// The text; the client seals what is secret in it.
    pub text: String,
}

/// The shared states of providers' clients.
#[async_trait]
pub trait ProviderStates: Send + Sync {
    /// The state of `provider`, as it is now.
    async fn provider_state(&self, provider: &str) -> Result<ProviderState, StoreError>;

    /// Replaces the state that has `revision`; `false` where another process was first.
    async fn replace_provider_state(
        &self,
        provider: &str,
        revision: u64,
        text: &str,
    ) -> Result<bool, StoreError>;
}
