//! The file of a device: read at each call, so that what another process did is seen, and replaced as a whole under a lock.
use std::{
    ffi::OsStr,
    fs::{self, File, OpenOptions, TryLockError},
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use crate::{
    Sar,
    constants::{MAX_DEVICE_BYTES, MAX_DEVICE_NAME_BYTES},
    document::Document,
    private_file::{self, ReadError},
};

/// What a device's file is called after its name.
pub const EXTENSION: &str = "softskf";
/// Held by who writes.
const WRITE_LOCK: &str = "lock";
/// Shared by who works with the device, held alone by who has called `SKF_LockDev`.
const USE_LOCK: &str = "use";
/// How long a call waits while another process has the device for itself, which can be for as long as it likes: the standard gives a patience to
/// `SKF_LockDev` alone, and a caller who is answered soon can say so to somebody.
const USE_WAIT: Duration = Duration::from_secs(2);
/// Between two looks at a lock that another one holds.
const LOCK_POLL: Duration = Duration::from_millis(5);

/// Where a device lies.
#[derive(Debug)]
pub struct DeviceFile {
    path: PathBuf,
    lock_wait: Duration,
}

/// A lock, for as long as the value lives.
pub struct Lock {
    _file: File,
}

/// The right to change a device, and what it holds.
pub struct Writer<'a> {
    file: &'a DeviceFile,
    /// To be changed, then stored.
    pub document: Document,
    _lock: Lock,
}

/// Whether a text can be a device's name: also a file's name everywhere, and no path.
pub fn is_device_name(name: &str) -> bool {
    (1..=MAX_DEVICE_NAME_BYTES).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

/// The devices of a directory, sorted; none where there is no directory.
pub fn devices_in(directory: &Path) -> Result<Vec<String>, Sar> {
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(_) => return Err(Sar::ReadFile),
    };
    let mut names = Vec::new();
    for entry in entries {
        let path = entry.map_err(|_| Sar::ReadFile)?.path();
        let name = path
            .file_stem()
            .and_then(OsStr::to_str)
            .filter(|name| is_device_name(name));
        if path.extension() == Some(OsStr::new(EXTENSION))
            && let Some(name) = name
        {
            names.push(name.to_owned());
        }
    }
    names.sort_unstable();
    Ok(names)
}

impl DeviceFile {
    /// The place of a device, whether or not it is there.
    pub fn new(directory: &Path, name: &str, lock_wait: Duration) -> Self {
        Self {
            path: directory.join(name).with_added_extension(EXTENSION),
            lock_wait,
        }
    }

    pub fn exists(&self) -> bool {
        self.path.is_file()
    }

    /// What the device holds now.
    pub fn read(&self) -> Result<Document, Sar> {
        if let Some(directory) = self.path.parent() {
            private_file::check_directory(directory).map_err(|error| sar_of(&error))?;
        }
        let bytes =
            private_file::read(&self.path, u64::from(MAX_DEVICE_BYTES)).map_err(|error| sar_of(&error))?;
        Document::parse(&bytes)
    }

    /// Waits for the right to write, then reads.
    pub fn write(&self) -> Result<Writer<'_>, Sar> {
        // No lock files beside devices that are not there.
        if !self.exists() {
            return Err(Sar::DeviceRemoved);
        }
        let lock = self.lock(WRITE_LOCK, File::try_lock, Some(self.lock_wait))?;
        Ok(Writer {
            file: self,
            document: self.read()?,
            _lock: lock,
        })
    }

    /// Changes the device in one step.
    pub fn change<T>(&self, change: impl FnOnce(&mut Document) -> Result<T, Sar>) -> Result<T, Sar> {
        let mut writer = self.write()?;
        let done = change(&mut writer.document)?;
        writer.store()?;
        Ok(done)
    }

    /// Makes the device; there may be none of that name.
    pub fn create(&self, document: &Document) -> Result<(), Sar> {
        let _lock = self.lock(WRITE_LOCK, File::try_lock, Some(self.lock_wait))?;
        if self.path.exists() {
            return Err(Sar::Exists);
        }
        private_file::replace(&self.path, &document.to_json()?).map_err(|_| Sar::WriteFile)
    }

    /// Works beside others: waits while one of them has the device for itself.
    pub fn share(&self) -> Result<Lock, Sar> {
        if !self.exists() {
            return Err(Sar::DeviceRemoved);
        }
        let wait = self.lock_wait.min(USE_WAIT);
        self.lock(USE_LOCK, File::try_lock_shared, Some(wait))
    }

    /// Has the device for itself; without `wait` for ever if need be.
    pub fn exclude(&self, wait: Option<Duration>) -> Result<Lock, Sar> {
        if !self.exists() {
            return Err(Sar::DeviceRemoved);
        }
        self.lock(USE_LOCK, File::try_lock, wait)
    }

    fn lock(
        &self,
        extension: &str,
        attempt: impl Fn(&File) -> Result<(), TryLockError>,
        wait: Option<Duration>,
    ) -> Result<Lock, Sar> {
        let path = self.path.with_extension(extension);
        let file = private_file::open_for_writing(OpenOptions::new().create(true).truncate(false), &path)
            .map_err(|_| Sar::WriteFile)?;
        let start = Instant::now();
        loop {
            match attempt(&file) {
                Ok(()) => return Ok(Lock { _file: file }),
                Err(TryLockError::Error(_)) => return Err(Sar::WriteFile),
                Err(TryLockError::WouldBlock) if wait.is_some_and(|wait| start.elapsed() >= wait) => {
                    return Err(Sar::Timeout);
                }
                Err(TryLockError::WouldBlock) => thread::sleep(LOCK_POLL),
            }
        }
    }
}

impl Writer<'_> {
    /// Puts the document on the disk; it is there when this returns.
    pub fn store(&self) -> Result<(), Sar> {
        let bytes = self.document.to_json()?;
        if bytes.len() > MAX_DEVICE_BYTES as usize {
            return Err(Sar::NoRoom);
        }
        if !self.file.exists() {
            return Err(Sar::DeviceRemoved);
        }
        private_file::replace(&self.file.path, &bytes).map_err(|_| Sar::WriteFile)
    }
}

fn sar_of(error: &ReadError) -> Sar {
    match error {
        ReadError::Missing(_) => Sar::DeviceRemoved,
        ReadError::Exposed { .. } | ReadError::TooLong { .. } => Sar::File,
        ReadError::Io { .. } => Sar::ReadFile,
    }
}
