//! What providers' clients share, in DynamoDB.
use async_trait::async_trait;

use super::item::{item, key, n, number, s, text};
use super::{DynamoStore, put_on_condition};
use crate::error::StoreError;
use crate::provider_states::{ProviderState, ProviderStates};

const STATE: &str = "STATE";

#[async_trait]
impl ProviderStates for DynamoStore {
    async fn provider_state(&self, provider: &str) -> Result<ProviderState, StoreError> {
        let found = self.get(&self.tables.codes, key(&pk(provider), STATE)).await?;
        let Some(found) = found else {
            return Ok(ProviderState::default());
        };
        Ok(ProviderState {
            revision: number(&found, "revision")?,
            text: text(&found, "state")?.to_owned(),
        })
    }

    async fn replace_provider_state(
        &self,
        provider: &str,
        revision: u64,
        text: &str,
    ) -> Result<bool, StoreError> {
        let next = item(
            &pk(provider),
            STATE,
            [("revision", n(revision + 1)), ("state", s(text))],
        );
        if revision == 0 {
            return self.put_if_absent(&self.tables.codes, next).await;
        }
        let put = self
            .client
            .put_item()
            .table_name(&self.tables.codes)
            .set_item(Some(next))
            .condition_expression("revision = :before")
            .expression_attribute_values(":before", n(revision));
        put_on_condition(put).await
    }
}

fn pk(provider: &str) -> String {
    format!("PROVIDER#{provider}")
}
