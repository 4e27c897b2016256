//! What a process has open: numbers in a table, never addresses, so that a wrong or stale one is only wrong.
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::{
    Sar,
    application::OpenApplication,
    constants::MAX_HANDLES,
    container::OpenContainer,
    device::Connection,
    symmetric::{Digest, SessionKey},
};

/// `HANDLE`: as wide as a pointer, and none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(transparent)]
pub struct Handle(pub usize);

/// Far from the small numbers and the addresses that a mistaken caller would hand over. It never gets back here.
const FIRST: usize = 0x5F00_0001;
/// As a caller may keep handles in 32 bits.
const LAST: usize = 0x7FFF_FFFF;

/// What a handle stands for.
#[derive(Clone)]
pub enum Object {
    Connection(Arc<Connection>),
    Application(Arc<OpenApplication>),
    Container(Arc<OpenContainer>),
    Key(Arc<SessionKey>),
    Digest(Arc<Digest>),
}

/// The table.
pub struct Handles(Mutex<Table>);

struct Table {
    next: usize,
    objects: HashMap<usize, Object>,
}

/// A lock of a value that is never half changed: a panic elsewhere does not make it worse.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Object {
    pub fn connection(&self) -> &Arc<Connection> {
        match self {
            Self::Connection(connection) => connection,
            Self::Application(application) => &application.connection,
            Self::Container(container) => &container.application.connection,
            Self::Key(key) => &key.connection,
            Self::Digest(digest) => &digest.connection,
        }
    }
}

impl Handles {
    pub fn new() -> Self {
        Self(Mutex::new(Table {
            next: FIRST,
            objects: HashMap::new(),
        }))
    }

    pub fn insert(&self, object: Object) -> Result<Handle, Sar> {
        let mut table = lock(&self.0);
        if table.objects.len() >= MAX_HANDLES || table.next > LAST {
            return Err(Sar::Memory);
        }
        let number = table.next;
        table.next += 1;
        table.objects.insert(number, object);
        Ok(Handle(number))
    }

    pub fn get(&self, handle: Handle) -> Result<Object, Sar> {
        lock(&self.0)
            .objects
            .get(&handle.0)
            .cloned()
            .ok_or(Sar::InvalidHandle)
    }

    /// Takes out what `is_gone` says, and gives it back: it is dropped outside the lock.
    pub fn remove(&self, is_gone: impl Fn(usize, &Object) -> bool) -> Vec<Object> {
        let mut table = lock(&self.0);
        let gone = table
            .objects
            .extract_if(|number, object| is_gone(*number, object));
        gone.map(|(_, object)| object).collect()
    }

    /// All that is open.
    pub fn all(&self) -> Vec<Object> {
        lock(&self.0).objects.values().cloned().collect()
    }
}
