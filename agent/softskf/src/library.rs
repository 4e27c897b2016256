//! One process's view of the devices: the safe layer under the functions of the standard.
use std::{
    sync::{Arc, Mutex},
    thread,
};

use crate::{
    Handle, Moment, Sar, Settings,
    application::OpenApplication,
    container::OpenContainer,
    device::Connection,
    events::Events,
    fault::Faults,
    handles::{Handles, Object, lock},
    symmetric::{Digest, SessionKey},
};

/// All that a process has to do with the devices of a directory. Its methods may be called from several threads.
pub struct Library {
    pub(crate) settings: Settings,
    pub(crate) handles: Handles,
    pub(crate) events: Events,
    faults: Mutex<Faults>,
}

/// What became of an answer that was offered to a caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivered {
    /// The caller only asked how long it is; the call that takes it is still to come.
    Length,
    /// The caller has it.
    Bytes,
}

impl Library {
    /// A library of its own.
    pub fn new(settings: Settings) -> Self {
        Self {
            faults: Mutex::new(Faults::new(settings.faults.clone(), &settings.directory)),
            handles: Handles::new(),
            events: Events::new(),
            settings,
        }
    }

    /// Makes one call under the name that it has in the standard: with the delays and faults of the settings.
    pub fn call<T>(&self, name: &str, call: impl FnOnce(&Self) -> Result<T, Sar>) -> Result<T, Sar> {
        let due = lock(&self.faults).count(name);
        let delay = self.settings.slow.of(name);
        if !delay.is_zero() {
            thread::sleep(delay);
        }
        if due == Some(Moment::Before) {
            self.pull();
        }
        let answer = call(self);
        match due {
            Some(Moment::After) => self.pull(),
            Some(Moment::Lost) => {
                self.pull();
                return Err(Sar::DeviceRemoved);
            }
            Some(Moment::Before) | None => {}
        }
        answer
    }

    fn pull(&self) {
        lock(&self.faults).pull();
        for object in self.handles.all() {
            self.forget(object.connection());
        }
    }

    pub(crate) fn is_pulled(&self) -> bool {
        lock(&self.faults).is_pulled()
    }

    /// The device of a connection is gone: what was unlocked is erased, and putting it back brings nothing back.
    fn forget(&self, connection: &Arc<Connection>) {
        connection.remove();
        for object in self.handles.all() {
            if let Object::Application(application) = object
                && Arc::ptr_eq(&application.connection, connection)
            {
                application.log_out();
            }
        }
    }

    fn live(&self, handle: Handle) -> Result<Object, Sar> {
        let object = self.handles.get(handle)?;
        let connection = object.connection();
        if connection.is_removed() {
            return Err(Sar::DeviceRemoved);
        }
        if self.is_pulled() || !connection.file.exists() {
            self.forget(connection);
            return Err(Sar::DeviceRemoved);
        }
        Ok(object)
    }

    pub(crate) fn connection(&self, handle: Handle) -> Result<Arc<Connection>, Sar> {
        match self.live(handle)? {
            Object::Connection(connection) => Ok(connection),
            _ => Err(Sar::InvalidHandle),
        }
    }

    pub(crate) fn application(&self, handle: Handle) -> Result<Arc<OpenApplication>, Sar> {
        match self.live(handle)? {
            Object::Application(application) => Ok(application),
            _ => Err(Sar::InvalidHandle),
        }
    }

    pub(crate) fn container(&self, handle: Handle) -> Result<Arc<OpenContainer>, Sar> {
        match self.live(handle)? {
            Object::Container(container) => Ok(container),
            _ => Err(Sar::InvalidHandle),
        }
    }

    pub(crate) fn session_key(&self, handle: Handle) -> Result<Arc<SessionKey>, Sar> {
        match self.live(handle)? {
            Object::Key(key) => Ok(key),
            _ => Err(Sar::InvalidHandle),
        }
    }

    pub(crate) fn digest_object(&self, handle: Handle) -> Result<Arc<Digest>, Sar> {
        match self.live(handle)? {
            Object::Digest(digest) => Ok(digest),
            _ => Err(Sar::InvalidHandle),
        }
    }

    /// Closes a handle and what hangs on it; that the device is gone is said, but the handle is closed all the same.
    pub(crate) fn close(
        &self,
        handle: Handle,
        is_kind: impl Fn(&Object) -> bool,
        hangs_on: impl Fn(&Object, &Object) -> bool,
    ) -> Result<(), Sar> {
        let closed = self.handles.get(handle)?;
        if !is_kind(&closed) {
            return Err(Sar::InvalidHandle);
        }
        let gone = self.live(handle).err();
        for object in self
            .handles
            .remove(|number, object| number == handle.0 || hangs_on(object, &closed))
        {
            match object {
                Object::Application(application) => application.log_out(),
                Object::Connection(connection) => connection.unlock(),
                Object::Container(_) | Object::Key(_) | Object::Digest(_) => {}
            }
        }
        gone.map_or(Ok(()), Err)
    }
}
