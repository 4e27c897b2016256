//! A vendor's library: which devices it sees, and what is plugged in and pulled out.
use std::{
    mem::ManuallyDrop,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::{
    abi::{Bool, Functions},
    call::{Number, call, sized},
    device::Device,
    error::{Error, OpenError},
    profile::Profile,
    text::{Text, read_list},
};

/// Longest list of devices, in bytes.
const DEVICES_LIMIT_BYTES: usize = 16 * 1024;
/// Longest name of a device in an event, in bytes.
const EVENT_NAME_LIMIT_BYTES: usize = 1024;
/// `TRUE`: only devices that are plugged in.
const PRESENT: Bool = 1;
/// `ulEvent` of `SKF_WaitForDevEvent` (7.1.2).
const EVENT_PLUGGED_IN: u32 = 1;
const EVENT_PULLED_OUT: u32 = 2;

/// A vendor's library, loaded. Copies mean the same library.
#[derive(Clone)]
pub struct Library {
    pub(crate) shared: Arc<Shared>,
}

/// What all handles of a library have in common.
pub struct Shared {
    pub(crate) functions: Functions,
    pub(crate) profile: Profile,
    /// One call at a time.
    turn: Mutex<()>,
    /// Stays loaded to the end of the program: vendors' libraries keep threads that would run on in unloaded code.
    _library: ManuallyDrop<Option<libloading::Library>>,
}

/// What happened to a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// It was plugged in.
    PluggedIn(Text),
    /// It was pulled out.
    PulledOut(Text),
}

impl Shared {
    pub(crate) fn new(functions: Functions, profile: Profile, library: Option<libloading::Library>) -> Self {
        Self {
            functions,
            profile,
            turn: Mutex::new(()),
            _library: ManuallyDrop::new(library),
        }
    }

    /// Waits until no other call is under way.
    pub(crate) fn turn(&self) -> MutexGuard<'_, ()> {
        // There is nothing in it that a panic could have left half done.
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Library {
    /// Loads the profile's library. Its code runs with all rights of this program: the profile must come from somebody
    /// who may decide that.
    pub fn open(profile: Profile) -> Result<Self, OpenError> {
        let path = profile.library.clone();
        // SAFETY: what a library does while it is loaded cannot be known; the user chose it, as a driver is chosen.
        #[allow(unsafe_code, reason = "a library is loaded at run time")]
        let library = unsafe { libloading::Library::new(&path) }.map_err(|source| OpenError::Load {
            path: path.clone(),
            source,
        })?;
        let functions = Functions::of(&library);
        for (name, is_there) in [
            (functions.enum_dev.name, functions.enum_dev.function.is_some()),
            (
                functions.connect_dev.name,
                functions.connect_dev.function.is_some(),
            ),
            (
                functions.get_dev_info.name,
                functions.get_dev_info.function.is_some(),
            ),
        ] {
            if !is_there {
                return Err(OpenError::NotSkf { path, symbol: name });
            }
        }
        Ok(Self {
            shared: Arc::new(Shared::new(functions, profile, Some(library))),
        })
    }

    /// How the library is used.
    pub fn profile(&self) -> &Profile {
        &self.shared.profile
    }

    /// The devices that are plugged in (`SKF_EnumDev`).
    pub fn devices(&self) -> Result<Vec<Text>, Error> {
        let shared = &self.shared;
        let list = sized(
            shared.functions.enum_dev.name,
            DEVICES_LIMIT_BYTES,
            |names, size| call!(shared, enum_dev(PRESENT, names, size)),
        )?;
        Ok(read_list(&list, shared.profile.strings))
    }

    /// Connects to a device (`SKF_ConnectDev`) and reads what it is.
    pub fn connect(&self, name: &Text) -> Result<Device, Error> {
        Device::connect(&self.shared, name)
    }

    /// Waits until a device is plugged in or pulled out (`SKF_WaitForDevEvent`). Other calls go on meanwhile;
    /// [`Library::cancel_wait`] from another thread ends it with an error. [`crate::Watch`] does both.
    pub fn wait_for_event(&self) -> Result<Event, Error> {
        let symbol = &self.shared.functions.wait_for_dev_event;
        let function = symbol.function.ok_or(Error::missing(symbol.name))?;
        let mut name = vec![0; EVENT_NAME_LIMIT_BYTES];
        let (mut size, mut event) = (Number::of(EVENT_NAME_LIMIT_BYTES), Number::default());
        // SAFETY: the buffer has the length that is told; the call is made for being waited in beside others.
        #[allow(unsafe_code, reason = "C functions cannot be called otherwise")]
        let code = unsafe { function(name.as_mut_ptr(), size.pointer(), event.pointer()) };
        crate::call::check(symbol.name, code)?;
        let name = Text::read(&name, self.shared.profile.strings);
        match event.value() {
            EVENT_PLUGGED_IN => Ok(Event::PluggedIn(name)),
            EVENT_PULLED_OUT => Ok(Event::PulledOut(name)),
            _ => Err(Error::misbehaved(symbol.name, "an unknown event")),
        }
    }

    /// Ends a wait in another thread (`SKF_CancelWaitForDevEvent`).
    pub fn cancel_wait(&self) -> Result<(), Error> {
        let symbol = &self.shared.functions.cancel_wait_for_dev_event;
        let function = symbol.function.ok_or(Error::missing(symbol.name))?;
        // SAFETY: it takes nothing, and is made for being called beside the wait.
        #[allow(unsafe_code, reason = "C functions cannot be called otherwise")]
        let code = unsafe { function() };
        crate::call::check(symbol.name, code)
    }
}
