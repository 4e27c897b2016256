//! Tickets (`yinxin_ticket`), and which of them were used here.
pub mod used;

pub use yinxin_ticket::{
    MAX_LIFE, Platform, PlatformCertificatesError, Presented, Ticket, TicketRefusal, TicketedOperation,
};
