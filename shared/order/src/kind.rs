//! What an order is for, and the stages that this takes.
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::state::State;

/// The business an order does. Renewal, unlock, replacement and change become variants with journeys of their
/// own: they skip or reorder stages, and share every row of the table.
///
/// This type is used in stored state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A new certificate on a new UKey (新办).
    New,
}

/// The stages of a new certificate, in order.
const NEW: &[State] = &[
    State::Draft,
    State::AwaitingDocuments,
    State::AwaitingPayment,
    State::AwaitingReview,
    State::AwaitingPersonalisation,
    State::Issuing,
    State::AwaitingWriting,
    State::AwaitingDispatch,
    State::AwaitingReceipt,
    State::Completed,
];

impl Kind {
    /// Every kind, for the diagram and for tests.
    pub const ALL: &'static [Kind] = &[Kind::New];

    /// The states that an undisturbed order of this kind passes, first to last.
    pub fn journey(self) -> &'static [State] {
        match self {
            Kind::New => NEW,
        }
    }

    /// The stage after `state`, where `state` is a stage of this kind and not the last.
    pub fn after(self, state: State) -> Option<State> {
        let journey = self.journey();
        let position = journey.iter().position(|&stage| stage == state)?;
        journey.get(position + 1).copied()
    }
}
