//! UKeys that are plugged in and pulled out, over all vendors' libraries.
//!
//! A library that can wait (`SKF_WaitForDevEvent`) says when something happens, any other is asked again and again. What happened is found
//! by comparing the names of the devices: events get lost, come twice, and differ between libraries.
use std::{
    sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender, TrySendError},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use yinxin_skf::{Error, HotPlug, Library, Text, Watch};

use super::{DEVICES_LIMIT, Found, TokenLibraries};
use crate::token::Identity;

/// Between two looks at a library that cannot wait, or must not be let wait.
const POLL: Duration = Duration::from_millis(500);
/// Between two looks at the others: a UKey may come before their first wait begins.
const SWEEP: Duration = Duration::from_secs(5);
/// After an event, before the look: libraries tell of devices that they do not list yet. And none of them keeps this thread spinning.
const SETTLE: Duration = Duration::from_millis(20);
/// How long the start waits for the first look, which a library may hold up.
const START_LIMIT: Duration = Duration::from_secs(3);

/// What happened to a UKey.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// It was plugged in.
    PluggedIn(Seen),
    /// It was pulled out.
    PulledOut(Seen),
}

/// A UKey, as far as it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// The name of its library's profile.
    pub library_name: String,
    /// As the library names it.
    pub device_name: String,
    /// `None` where it did not say: busy, or broken.
    pub identity: Option<Identity>,
}

/// Threads that watch; they end when this is dropped.
pub struct TokenWatch {
    nudge: Option<SyncSender<Nudge>>,
    thread: Option<JoinHandle<()>>,
}

/// Why to look.
enum Nudge {
    /// A library told of an event.
    Event,
    /// A library, by its number, cannot wait.
    CannotWait(usize),
    /// The end.
    End,
}

impl TokenWatch {
    /// Calls `told` for each change from now on, in a thread of its own.
    pub fn start(libraries: &TokenLibraries, told: impl FnMut(Change) + Send + 'static) -> Self {
        // One nudge that waits is as good as many.
        let (nudge, nudges) = mpsc::sync_channel(libraries.libraries().len() + 1);
        let (ready, begun) = mpsc::channel();
        let libraries = libraries.libraries().to_vec();
        let thread = thread::spawn({
            let nudge = nudge.clone();
            move || {
                let watched = libraries.into_iter().map(Watched::new).collect();
                // Where nobody waits any longer, the watch begins all the same.
                ready.send(()).unwrap_or_default();
                watch(watched, &nudge, &nudges, told);
            }
        });
        begun.recv_timeout(START_LIMIT).unwrap_or_default();
        Self {
            nudge: Some(nudge),
            thread: Some(thread),
        }
    }
}

impl Drop for TokenWatch {
    fn drop(&mut self) {
        let ended = self
            .nudge
            .take()
            .is_none_or(|nudge| nudge.send(Nudge::End).is_err());
        if let Some(thread) = self.thread.take()
            && !ended
        {
            // A panic of the callback has been printed by its thread.
            drop(thread.join());
        }
    }
}

fn watch(
    mut watched: Vec<Watched>,
    nudge: &SyncSender<Nudge>,
    nudges: &Receiver<Nudge>,
    mut told: impl FnMut(Change),
) {
    let waiting: Vec<Watch> = watched
        .iter()
        .enumerate()
        .filter(|(_, watched)| waits(&watched.library))
        .map(|(number, watched)| wait(number, &watched.library, nudge.clone()))
        .collect();
    loop {
        let now = Instant::now();
        let next = watched.iter().map(|watched| watched.due).min();
        let wait = next.map_or(SWEEP, |due| due.saturating_duration_since(now));
        match nudges.recv_timeout(wait) {
            Ok(Nudge::Event) => {
                thread::sleep(SETTLE);
                for library in &mut watched {
                    library.due = now;
                }
            }
            Ok(Nudge::CannotWait(number)) => watched[number].pause = POLL,
            Err(RecvTimeoutError::Timeout) => {}
            Ok(Nudge::End) | Err(RecvTimeoutError::Disconnected) => break,
        }
        for number in 0..watched.len() {
            if watched[number].due > Instant::now() {
                continue;
            }
            for change in watched[number].look() {
                if !known_elsewhere(&watched, number, &change) {
                    told(change);
                }
            }
        }
    }
    drop(waiting);
}

fn wait(number: usize, library: &Library, nudge: SyncSender<Nudge>) -> Watch {
    Watch::start(library, move |event| {
        let sent = match event {
            Ok(_) => nudge.try_send(Nudge::Event),
            // Must not get lost; the place for it is kept free by the one that reads.
            Err(_) => return nudge.send(Nudge::CannotWait(number)).unwrap_or_default(),
        };
        match sent {
            // Full: a look is due anyway. Gone: nobody wants to know.
            Ok(()) | Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {}
        }
    })
}

/// Whether a library may be let wait.
fn waits(library: &Library) -> bool {
    library.profile().hot_plug == HotPlug::Events
}

/// Whether another library sees the same UKey: it is one UKey, which comes with the first and goes with the last.
fn known_elsewhere(watched: &[Watched], number: usize, change: &Change) -> bool {
    let (Change::PluggedIn(seen) | Change::PulledOut(seen)) = change;
    let Some(identity) = seen
        .identity
        .as_ref()
        .filter(|identity| !identity.serial.is_empty())
    else {
        return false;
    };
    let others = watched.iter().enumerate().filter(|(other, _)| *other != number);
    others
        .flat_map(|(_, watched)| &watched.devices)
        .any(|(_, other)| other.as_ref() == Some(identity))
}

/// One library, and what it had at the last look.
struct Watched {
    library: Library,
    devices: Vec<(Text, Option<Identity>)>,
    pause: Duration,
    due: Instant,
}

impl Watched {
    fn new(library: Library) -> Self {
        let mut watched = Self {
            pause: if waits(&library) { SWEEP } else { POLL },
            library,
            devices: Vec::new(),
            due: Instant::now(),
        };
        // What is there at the start is no change. The next look is soon: the library's own wait begins only now.
        drop(watched.look());
        watched.due = Instant::now() + POLL;
        watched
    }

    fn look(&mut self) -> Vec<Change> {
        self.due = Instant::now() + self.pause;
        let mut names = match self.library.devices() {
            Ok(names) => names,
            // How some say that there are none.
            Err(Error::Removed(_) | Error::Absent(_)) => Vec::new(),
            // A library that fails for a moment has lost no device.
            Err(_) => return Vec::new(),
        };
        names.truncate(DEVICES_LIMIT);
        let mut changes = Vec::new();
        let gone = self.devices.extract_if(.., |(name, _)| !names.contains(name));
        for (name, identity) in gone {
            changes.push(Change::PulledOut(seen(&self.library, &name, identity)));
        }
        for (name, identity) in &mut self.devices {
            // Busy when it came: perhaps it says by now who it is.
            if identity.is_none() {
                *identity = identify(&self.library, name);
            }
        }
        for name in names {
            if self.devices.iter().all(|(known, _)| *known != name) {
                let identity = identify(&self.library, &name);
                changes.push(Change::PluggedIn(seen(&self.library, &name, identity.clone())));
                self.devices.push((name, identity));
            }
        }
        changes
    }
}

fn identify(library: &Library, name: &Text) -> Option<Identity> {
    Found::look(library, name.clone())
        .ok()
        .map(|found| found.identity)
}

fn seen(library: &Library, name: &Text, identity: Option<Identity>) -> Seen {
    Seen {
        library_name: library.profile().name.clone(),
        device_name: name.to_string(),
        identity,
    }
}
