//! Claims: conditions that a write of an order takes with it into its transaction.
use yinxin_order::identifiers::OrderNumber;

use crate::codes::CodeKey;

/// Something that may be had only once.
#[derive(Debug, Clone)]
pub enum Claim {
    /// An order number.
    Number(OrderNumber),
    /// A one-time code that was entered rightly.
    Code(CodeKey),
    /// The answer to a creating call, under its idempotency key.
    Idempotency(Idempotency),
}

/// The memory of a creating call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Idempotency {
    /// A keyed hash of scope and key.
    pub key: String,
    /// A keyed hash of the request's body.
    pub body: String,
    /// What the call made: an id from which the answer is made again.
    pub made: String,
    /// Unix time in seconds after which the key is forgotten.
    pub expires_at: i64,
}

impl Claim {
    /// The name that [`crate::StoreError::Claimed`] carries.
    pub fn name(&self) -> &'static str {
        match self {
            Claim::Number(_) => "number",
            Claim::Code(_) => "code",
            Claim::Idempotency(_) => "idempotency",
        }
    }
}
