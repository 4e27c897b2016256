//! Changes of stored CAs, and the trust list: each write names what it replaces, so that of two at once one fails
//! and no key is lost.
use async_trait::async_trait;

use crate::error::StoreError;

/// The name of the one trust list that a deployment publishes.
pub const TRUST_LIST: &str = "platform";

/// Changes of CAs, and the trust list. [`crate::issuances::Issuances`] reads CAs and keeps new ones.
#[async_trait]
pub trait Authorities: Send + Sync {
    /// Replaces a stored CA, if `before` is still what is stored; `false` where it is not.
    async fn replace_authority(&self, vendor: &str, before: &str, after: &str) -> Result<bool, StoreError>;

    /// The trust list of this name as it is stored, JSON.
    async fn trust_list(&self, name: &str) -> Result<Option<String>, StoreError>;

    /// Replaces the trust list, if `before` is still what is stored (`None`: nothing is); `false` where it is not.
    async fn replace_trust_list(
        &self,
        name: &str,
        before: Option<&str>,
        after: &str,
    ) -> Result<bool, StoreError>;
}
