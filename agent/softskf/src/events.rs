//! Devices that come and go (GM/T 0016-2012, 7.1.2 to 7.1.3): a file that is put into the directory, or taken out of it.
use std::{
    collections::BTreeSet,
    sync::{Condvar, Mutex},
    time::Duration,
};

use crate::{
    Delivered, Library, Sar,
    constants::{EVENT_INSERTED, EVENT_REMOVED},
    handles::lock,
};

/// Between two looks at the directory.
const POLL: Duration = Duration::from_millis(100);

/// What the waiters know.
pub struct Events {
    state: Mutex<State>,
    cancelled: Condvar,
}

#[derive(Default)]
struct State {
    /// The devices that were there, as far as waiters were told; none before the first wait.
    known: Option<BTreeSet<String>>,
    waiters: usize,
    /// How often a wait was cancelled.
    cancels: u64,
}

impl Events {
    pub fn new() -> Self {
        Self {
            state: Mutex::default(),
            cancelled: Condvar::new(),
        }
    }
}

impl Library {
    /// `SKF_WaitForDevEvent`: waits until a device comes or goes that came or went since the last event, or since the first wait. The event counts
    /// as told when its name was delivered.
    pub fn wait_for_event(
        &self,
        deliver: impl FnOnce(&str, u32) -> Result<Delivered, Sar>,
    ) -> Result<(), Sar> {
        let mut state = lock(&self.events.state);
        let cancels = state.cancels;
        state.waiters += 1;
        let event = loop {
            let present = match self.devices(true) {
                Ok(names) => BTreeSet::from_iter(names),
                Err(error) => break Err(error),
            };
            let known = state.known.get_or_insert_with(|| present.clone());
            // What went is told first: who pulls one token and puts in another is told in this order.
            let gone = known
                .difference(&present)
                .next()
                .map(|name| (name.clone(), EVENT_REMOVED));
            let event = gone.or_else(|| {
                present
                    .difference(known)
                    .next()
                    .map(|name| (name.clone(), EVENT_INSERTED))
            });
            if let Some(event) = event {
                break Ok(event);
            }
            state = match self.events.cancelled.wait_timeout(state, POLL) {
                Ok((state, _)) => state,
                Err(poisoned) => poisoned.into_inner().0,
            };
            if state.cancels != cancels {
                break Err(Sar::NoEvent);
            }
        };
        state.waiters -= 1;
        let (name, event) = event?;
        if deliver(&name, event)? == Delivered::Bytes
            && let Some(known) = &mut state.known
        {
            match event {
                EVENT_REMOVED => known.remove(&name),
                _ => known.insert(name),
            };
        }
        Ok(())
    }

    /// `SKF_CancelWaitForDevEvent`: every wait of this process ends now; later ones are not touched.
    pub fn cancel_wait(&self) {
        lock(&self.events.state).cancels += 1;
        self.events.cancelled.notify_all();
    }

    /// How many threads wait for an event.
    pub fn waiters(&self) -> usize {
        lock(&self.events.state).waiters
    }
}
