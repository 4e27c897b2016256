//! What a trading system keeps: the last list it believed, and the rules for the next one.

use time::OffsetDateTime;
use yinxin_pki::Certificate;

use super::signed::{verify, verify_whenever};
use super::{TrustList, TrustListError};

/// Why a downloaded document does not replace the kept one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CacheError {
    /// It does not verify.
    #[error("the downloaded trust list does not verify")]
    Refused(#[source] TrustListError),
    /// It is older than the kept one: somebody wants a withdrawal to be forgotten.
    #[error("the downloaded trust list is older than the kept one")]
    Rollback,
    /// It has the kept one's number and says something else.
    #[error("two trust lists have the same version")]
    TwoOfOneVersion,
}

/// A document that was verified when it came.
#[derive(Clone)]
pub struct CachedTrustList {
    document: Vec<u8>,
    list: TrustList,
}

impl CachedTrustList {
    /// The first document, on a system that has none.
    pub fn first(document: &[u8], roots: &[Certificate], at: OffsetDateTime) -> Result<Self, CacheError> {
        let list = verify(document, roots, at).map_err(CacheError::Refused)?;
        Ok(Self {
            document: document.to_vec(),
            list,
        })
    }

    /// Takes a kept document up again after a restart. Its time may be over, so that its number still guards against
    /// older ones; [`CachedTrustList::usable`] says so.
    pub fn again(document: &[u8], roots: &[Certificate]) -> Result<Self, CacheError> {
        let list = verify_whenever(document, roots).map_err(CacheError::Refused)?;
        Ok(Self {
            document: document.to_vec(),
            list,
        })
    }

    /// Replaces the kept document by a downloaded one. Where this fails, the kept one stays.
    pub fn update(
        &mut self,
        document: &[u8],
        roots: &[Certificate],
        at: OffsetDateTime,
    ) -> Result<(), CacheError> {
        let next = Self::first(document, roots, at)?;
        if next.list.version < self.list.version {
            return Err(CacheError::Rollback);
        }
        if next.list.version == self.list.version && next.document != self.document {
            return Err(CacheError::TwoOfOneVersion);
        }
        *self = next;
        Ok(())
    }

    /// The list, while its time is not over.
    pub fn usable(&self, at: OffsetDateTime) -> Result<&TrustList, TrustListError> {
        if self.list.next_update < at {
            Err(TrustListError::Expired)
        } else {
            Ok(&self.list)
        }
    }

    /// The signed bytes, to keep on disk.
    pub fn document(&self) -> &[u8] {
        &self.document
    }
}
