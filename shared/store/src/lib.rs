//! What the platform remembers: traits by aggregate, DynamoDB and S3 behind them, and an in-memory twin.
//!
//! Every change of an order goes through [`advance()`]: decide, then one conditional transaction that writes the
//! order, its event and its effects, and again from the start where another writer was first.
pub mod advance;
pub mod audits;
pub mod authorities;
pub mod catalog;
pub mod checks;
pub mod claims;
pub mod codes;
pub mod deliveries;
pub mod documents;
pub mod dynamo;
pub mod error;
pub mod intakes;
pub mod issuances;
pub mod key_history;
pub mod ledger;
pub mod memory;
pub mod meter;
pub mod orders;
pub mod provider_states;
pub mod publications;
pub mod recoveries;
pub mod statuses;
pub mod vault;

pub use advance::{AdvanceError, advance, advance_once, advance_with};
pub use claims::Claim;
pub use error::StoreError;
