//! A circuit breaker: a provider that does not answer is left alone for a while, so that callers do not wait for nothing.
//!
//! It lives in a function's process. Each process of a function finds out for itself, with a few calls.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// So many calls in a row must fail before the circuit opens.
const FAILURES: u32 = 5;
/// So long nothing is sent; then one call tries.
const OPEN_FOR: Duration = Duration::from_secs(20);

/// The state of one provider's circuit.
#[derive(Debug, Default)]
pub(crate) struct Breaker(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    failures: u32,
    /// Until when nothing is sent.
    open_until: Option<Instant>,
}

impl Breaker {
    /// Whether a call may be sent now. Where the pause is over, one caller tries while the others still wait.
    pub(crate) fn lets_through(&self, now: Instant) -> bool {
        let mut state = self.state();
        match state.open_until {
            Some(until) if now < until => false,
            Some(_) => {
                state.open_until = Some(now + OPEN_FOR);
                true
            }
            None => true,
        }
    }

    /// The provider answered.
    pub(crate) fn answered(&self) {
        *self.state() = State::default();
    }

    /// The provider did not answer, or only that it cannot.
    pub(crate) fn failed(&self, now: Instant) {
        let mut state = self.state();
        state.failures += 1;
        if state.failures >= FAILURES {
            state.open_until = Some(now + OPEN_FOR);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing here panics while it holds the lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::{Breaker, FAILURES, OPEN_FOR};

    fn opened(now: Instant) -> Breaker {
        let breaker = Breaker::default();
        for _ in 0..FAILURES {
            assert!(breaker.lets_through(now));
            breaker.failed(now);
        }
        breaker
    }

    #[test]
    fn failures_in_a_row_open_the_circuit_for_a_while() {
        let now = Instant::now();
        let breaker = opened(now);
        assert!(!breaker.lets_through(now));
        let later = now + OPEN_FOR;
        assert!(breaker.lets_through(later), "one call tries");
        assert!(!breaker.lets_through(later), "the others wait for it");
        breaker.answered();
        assert!(breaker.lets_through(later) && breaker.lets_through(later));
    }

    #[test]
    fn a_try_that_fails_opens_it_again() {
        let now = Instant::now();
        let breaker = opened(now);
        let later = now + OPEN_FOR;
        assert!(breaker.lets_through(later));
        breaker.failed(later);
        assert!(!breaker.lets_through(later + OPEN_FOR / 2));
    }

    #[test]
    fn an_answer_between_failures_keeps_it_closed() {
        let now = Instant::now();
        let breaker = Breaker::default();
        for _ in 0..FAILURES * 3 {
            breaker.failed(now);
            breaker.answered();
        }
        assert!(breaker.lets_through(now));
    }
}
