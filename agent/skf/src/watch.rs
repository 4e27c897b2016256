//! Being told of each device that is plugged in or pulled out, until one no longer wants to know.
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use crate::{
    error::Error,
    library::{Event, Library},
};

/// How long a watch waits for its thread when it ends; a library that cannot cancel keeps the thread.
const END_LIMIT: Duration = Duration::from_secs(2);
/// A cancel that comes before the wait has begun cancels nothing: it is repeated.
const CANCEL_PAUSE: Duration = Duration::from_millis(5);

/// A thread that waits for events; it ends when this is dropped.
pub struct Watch {
    library: Library,
    ends: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Watch {
    /// Calls `told` for each event, in the watch's thread. An error is told too and ends the watch: the library cannot
    /// wait, and the caller has to look for devices by itself.
    pub fn start(library: &Library, mut told: impl FnMut(Result<Event, Error>) + Send + 'static) -> Self {
        let ends = Arc::new(AtomicBool::new(false));
        let thread = thread::spawn({
            let (library, ends) = (library.clone(), Arc::clone(&ends));
            move || {
                loop {
                    let event = library.wait_for_event();
                    if ends.load(Ordering::Acquire) {
                        return;
                    }
                    let failed = event.is_err();
                    told(event);
                    if failed {
                        return;
                    }
                }
            }
        });
        Self {
            library: library.clone(),
            ends,
            thread: Some(thread),
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::Release);
        let Some(thread) = self.thread.take() else {
            return;
        };
        let begun = Instant::now();
        while !thread.is_finished() {
            let cancelled = self.library.cancel_wait();
            if matches!(cancelled, Err(Error::Unsupported(_))) || begun.elapsed() > END_LIMIT {
                // It ends with its next event, and tells nothing.
                return;
            }
            thread::sleep(CANCEL_PAUSE);
        }
        // A panic of the callback has been printed by its thread.
        drop(thread.join());
    }
}
