//! What can go wrong with a store, by what the caller can do about it.

/// Why a store did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another writer was first: load again and decide again.
    #[error("another writer was first")]
    Conflict,
    /// A claim that the write depended on was taken: see [`crate::Claim`].
    #[error("the claim {0} is taken")]
    Claimed(&'static str),
    /// There is no such thing.
    #[error("no such item")]
    NotFound,
    /// The service behind the store did not answer, or refused: try again later.
    #[error("the store is unavailable")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// What is stored cannot be read: somebody has to look at it.
    #[error("a stored item cannot be read: {0}")]
    Corrupt(String),
}

impl StoreError {
    /// Wraps a failure of the service behind the store.
    pub fn unavailable(source: impl std::error::Error + Send + Sync + 'static) -> Self {
        StoreError::Unavailable(Box::new(source))
    }
}
