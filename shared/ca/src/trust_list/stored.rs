//! The trust list as the platform keeps it: what is to be signed is recorded before, with its number.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use yinxin_pki::Certificate;

use super::{SCHEMA, TrustList, VALID_FOR, whole_second};
use crate::bytes;
use crate::error::CaError;

/// The list of this deployment.
///
/// This type is used in stored state.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredTrustList {
    /// The list as it stands, published or not.
    pub list: TrustList,
    /// What is being signed, or was signed last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recorded: Option<RecordedTrustList>,
    /// The document that was published last.
    #[serde(default, with = "bytes")]
    pub published: Vec<u8>,
    /// The platform's root that it verifies against, DER: published for those who compare it with the one they were given.
    #[serde(default, with = "bytes")]
    pub root: Vec<u8>,
}

/// A list that has its number and waits for its signature.
///
/// This type is used in stored state.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedTrustList {
    /// The JSON to sign.
    #[serde(with = "bytes")]
    pub content: Vec<u8>,
    /// The signing time.
    #[serde(with = "time::serde::rfc3339")]
    pub signing_time: OffsetDateTime,
}

impl StoredTrustList {
    /// A deployment's list before its first publication.
    pub fn new(now: OffsetDateTime) -> Self {
        Self {
            list: TrustList::empty(now),
            recorded: None,
            published: Vec::new(),
            root: Vec::new(),
        }
    }

    /// Gives the list its next number and records what will be signed.
    pub fn record(&mut self, now: OffsetDateTime) -> Result<(), CaError> {
        let issued_at = whole_second(now);
        SCHEMA.clone_into(&mut self.list.schema);
        self.list.version += 1;
        self.list.issued_at = issued_at;
        self.list.next_update = issued_at + VALID_FOR;
        self.recorded = Some(RecordedTrustList {
            content: serde_json::to_vec(&self.list).map_err(|_| CaError::Record)?,
            signing_time: issued_at,
        });
        Ok(())
    }

    /// Puts the signed document in the place of the record.
    pub fn publish(&mut self, document: Vec<u8>, root: &Certificate) {
        self.root = root.as_der().to_vec();
        self.recorded = None;
        self.published = document;
    }
}
