//! What a CA records about a request, in a form of its own.

use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::error::CaError;

/// What one CA decided, or learnt, about one request. Only that CA reads it; the caller seals and stores it.
///
/// This type is used in stored state. It is written as the JSON of what is inside and nothing around it, so records
/// from before there were several kinds of CA are read as they are: those of [`crate::SoftCa`] are
/// [`crate::Prepared`], others carry a `kind` that `Prepared` refuses.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Record(serde_json::Value);

impl Record {
    /// A record of this content.
    pub fn of<T: Serialize>(content: &T) -> Result<Self, CaError> {
        serde_json::to_value(content)
            .map(Self)
            .map_err(|_| CaError::Record)
    }

    /// The content, which must be of this type: a record of another CA is refused.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, CaError> {
        T::deserialize(&self.0).map_err(|_| CaError::Record)
    }
}

// Records name people.
impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Record(..)")
    }
}
