//! Tickets: the platform's permission for an operator's agent to work on one UKey for an order. What was permitted stands
//! in the event of the move, who and when beside it; the order keeps only how many.
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::order::Order;
use crate::refusal::Refusal;

/// The most tickets while an order stands in one state: each try costs one, and so does each UKey that breaks.
pub const MAX_TICKETS: u32 = 20;

/// What a ticket of an order permits.
///
/// This type is used in stored state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TicketOperation {
    /// Making the key and writing the certificates.
    Personalise,
}

/// A ticket that was issued.
///
/// This type is used in stored state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct IssuedTicket {
    /// Its random id.
    pub id: String,
    /// What it permits.
    pub operation: TicketOperation,
    /// The serial number of the UKey that it is for.
    pub token_serial: String,
    /// The site that may use it.
    pub origin: String,
}

/// Counts one more.
pub(crate) fn count(order: &mut Order) -> Result<(), Refusal> {
    if order.tickets >= MAX_TICKETS {
        return Err(Refusal::TooManyTickets);
    }
    order.tickets += 1;
    Ok(())
}
