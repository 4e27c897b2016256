//! When `sweep` has to look at an order, and what it then does.
use time::{Duration, OffsetDateTime};

use crate::order::Order;
use crate::payment::Payment;
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

/// The pause before the first reminder; the next one is twice as long.
const REMINDER: Duration = Duration::minutes(2);
/// From this many reminders on the pause stays as it is: some four hours.
const DOUBLINGS: u32 = 7;

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
        // Also where the order went on or ended: somebody may still scan an old code.
        let silent_payment = self.payments.iter().any(Payment::is_open);
        self.state == State::Issuing
            || silent_payment
            || self.ledger().refund_due > 0
            || self.awaits_revocation()
            || self.awaits_invoice()
    }

    fn next_reminder(&self) -> OffsetDateTime {
        let since = self
            .payments
            .iter()
            .map(|payment| payment.started_at)
            .chain(self.revocation.as_ref().map(|revocation| revocation.at))
            .chain(
                self.invoice
                    .as_ref()
                    .filter(|invoice| invoice.is_pending())
                    .map(|invoice| invoice.since),
            )
            .chain(self.reminded_at)
            .fold(self.entered_at, OffsetDateTime::max);
        since + REMINDER * 2_i32.pow(self.reminders.min(DOUBLINGS))
    }
}
