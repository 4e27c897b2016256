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
        let waits = self.waits_for_platform();
        let reminder = [waits.then(|| self.next_reminder()), self.password_look()]
            .into_iter()
            .flatten()
            .min()
            .map(|at| (at, Late::Remind));
        // A password that waits to be collected does not hold up the erasure: it is erased with the rest.
        let erasure = (self.state.turn() == Turn::Nobody && self.personal.is_some() && !waits)
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
            || self.awaits_password()
            || self.awaits_invoice()
    }

    /// When a password that is not on its way is looked at: whether its transfer came back, and at last to forget it.
    fn password_look(&self) -> Option<OffsetDateTime> {
        let delivery = self.password.as_ref()?;
        self.personal.as_ref()?.password.as_ref()?;
        if delivery.is_underway() {
            return None;
        }
        let check = delivery.next_return_check(self.reminded_at);
        Some(check.unwrap_or_else(|| delivery.kept_until()))
    }

    fn next_reminder(&self) -> OffsetDateTime {
        let since = self
            .payments
            .iter()
            .map(|payment| payment.started_at)
            .chain(self.revocation.as_ref().map(|revocation| revocation.at))
            .chain(self.password.as_ref().map(|delivery| delivery.since))
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
