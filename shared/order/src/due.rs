//! When `sweep` has to look at an order, and what it then does.
use time::{Duration, OffsetDateTime};

use crate::order::Order;
use crate::state::{State, Turn};

/// What is done to an order that is late.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Late {
    /// Waiting for the applicant ends.
    Expire,
    /// What the platform had to do is asked for again.
    Remind,
    /// Personal data is forgotten.
    Erase,
}

/// The first reminder comes after this time, each next one after twice the time.
const REMINDER: Duration = Duration::minutes(2);
/// From this many reminders on they come at a steady pace.
const DOUBLINGS: u32 = 8;
/// The steady pace.
const STEADY: Duration = Duration::hours(6);

impl Order {
    /// The next time at which the order is late, and what is done then; `None` if it never is.
    pub fn due(&self, retention: Duration) -> Option<(OffsetDateTime, Late)> {
        let expiry = self
            .state
            .patience()
            .map(|patience| (self.entered_at + patience, Late::Expire));
        let reminder = self
            .waits_for_platform()
            .then(|| (self.next_reminder(), Late::Remind));
        let erasure = (self.state.turn() == Turn::Nobody && self.personal.is_some() && reminder.is_none())
            .then(|| (self.entered_at + retention, Late::Erase));
        [expiry, reminder, erasure]
            .into_iter()
            .flatten()
            .min_by_key(|(at, _)| *at)
    }

    fn waits_for_platform(&self) -> bool {
        let silent_payment =
            self.state == State::AwaitingPayment && self.payments.iter().any(|payment| !payment.is_paid());
        self.state == State::Issuing
            || silent_payment
            || self.ledger().refund_due > 0
            || self.awaits_revocation()
    }

    fn next_reminder(&self) -> OffsetDateTime {
        let since = self
            .payments
            .iter()
            .map(|payment| payment.started_at)
            .chain(self.revocation.as_ref().map(|revocation| revocation.at))
            .fold(self.entered_at, OffsetDateTime::max);
        let doublings = self.reminders.min(DOUBLINGS);
        since + REMINDER * 2_i32.pow(doublings) + STEADY * (self.reminders - doublings)
    }
}
