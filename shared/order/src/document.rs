//! Documents that belong to an order: what was uploaded and how it was judged.
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;

pub use crate::form::DocumentKind;

/// The largest picture that is accepted, in bytes (1.5 MB).
pub const MAX_DOCUMENT_BYTES: u64 = 1_500_000;

/// One uploaded document, judged by its content.
///
/// This type is used in stored state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document {
    /// What it shows.
    pub kind: DocumentKind,
    /// The upload that brought it: 32 lower-case hex digits.
    pub upload: String,
    /// What the content was found to be.
    pub verdict: Verdict,
    /// When it was judged.
    #[serde(with = "time::serde::rfc3339")]
    pub judged_at: OffsetDateTime,
}

/// What the judgement of an upload found.
///
/// This type is used in stored state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum Verdict {
    /// A decodable picture within the limits.
    Accepted {
        /// Its media type, by content.
        content_type: String,
        /// Its length.
        bytes: u64,
    },
    /// Refused; nothing of it is kept.
    Refused {
        /// A stable code: `document-not-an-image`, `document-undecodable`, `document-too-large`.
        code: String,
    },
}

impl Document {
    /// Whether the document counts.
    pub fn is_accepted(&self) -> bool {
        matches!(self.verdict, Verdict::Accepted { .. })
    }
}
