//! Orders: subjects, forms, kinds, states, commands, effects and `decide`; no I/O, no clock, no async.
//!
//! Start at [`table`]: which command moves which state where, on one page. [`decide`](decide::decide) reads it,
//! checks the guards that depend on an order's contents, and answers with the next order, the event to record
//! and the effects to do. Whoever stores the answer stores the three together.
pub mod command;
pub mod decide;
pub mod diagram;
pub mod document;
pub mod due;
pub mod effect;
pub mod form;
pub mod identifiers;
pub mod invoice;
pub mod issuance;
pub mod kind;
pub mod order;
pub mod parcel;
pub mod password;
pub mod payment;
pub mod recovery;
pub mod refusal;
pub mod revocation;
#[cfg(any(test, feature = "samples"))]
pub mod sample;
pub mod state;
pub mod table;
pub mod ticket;

pub use command::{Actor, Command};
pub use decide::{Move, decide};
pub use effect::{Effect, Notice, Queue, Sealed};
pub use order::Order;
pub use recovery::Recovery;
pub use refusal::Refusal;
pub use state::State;
