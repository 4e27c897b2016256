//! Devices: finding, connecting, describing, locking and authenticating (GM/T 0016-2012, 7.1 and 7.2.2 to 7.2.3).
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use yinxin_pki::{constant_time_eq, symmetric::sm4_ecb_encrypt};

use crate::{
    Handle, Library, Sar,
    constants::{
        DEV_ABSENT_STATE, DEV_PRESENT_STATE, DEV_UNKNOWN_STATE, DEVICE_AUTH_TRIES, LOCK_FOREVER,
        MAX_BUFFER_BYTES, MAX_DEVICE_BYTES, MAX_LABEL_BYTES,
    },
    document::{AUTH_KEY_BYTES, Document},
    handles::{Object, lock},
    store::{self, DeviceFile, Lock, Writer},
    vault::Base64,
};

/// Random bytes of which the device authentication is made; shorter requests leave zeros behind them.
const CHALLENGE_BYTES: usize = 16;

/// A connected device.
pub struct Connection {
    pub file: DeviceFile,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    is_removed: bool,
    is_authenticated: bool,
    challenge: Option<[u8; CHALLENGE_BYTES]>,
    exclusive: Option<Lock>,
}

/// What `SKF_GetDevInfo` says about this device and no other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceInfo {
    /// For people.
    pub label: String,
    /// Unique.
    pub serial: String,
    /// Bytes left.
    pub free_bytes: u32,
}

impl Connection {
    /// Beside others, unless this connection has the device for itself.
    fn share(&self) -> Result<Option<Lock>, Sar> {
        if lock(&self.state).exclusive.is_some() {
            return Ok(None);
        }
        self.file.share().map(Some)
    }

    pub fn read(&self) -> Result<Document, Sar> {
        let _shared = self.share()?;
        self.file.read()
    }

    pub fn change<T>(&self, change: impl FnOnce(&mut Document) -> Result<T, Sar>) -> Result<T, Sar> {
        let _shared = self.share()?;
        self.file.change(change)
    }

    /// For steps that store more than once.
    pub fn write<T>(&self, steps: impl FnOnce(&mut Writer<'_>) -> Result<T, Sar>) -> Result<T, Sar> {
        let _shared = self.share()?;
        steps(&mut self.file.write()?)
    }

    pub fn is_removed(&self) -> bool {
        lock(&self.state).is_removed
    }

    pub fn remove(&self) {
        *lock(&self.state) = State {
            is_removed: true,
            ..State::default()
        };
    }

    pub fn unlock(&self) {
        lock(&self.state).exclusive = None;
    }

    pub fn needs_authentication(&self) -> Result<(), Sar> {
        lock(&self.state)
            .is_authenticated
            .then_some(())
            .ok_or(Sar::NoAuthentication)
    }
}

impl Library {
    /// `SKF_EnumDev`: the names of the devices; with `present_only` not of those that a test has pulled.
    pub fn devices(&self, present_only: bool) -> Result<Vec<String>, Sar> {
        if present_only && self.is_pulled() {
            return Ok(Vec::new());
        }
        store::devices_in(&self.settings.directory)
    }

    fn device_file(&self, name: &str) -> DeviceFile {
        DeviceFile::new(&self.settings.directory, name, self.settings.lock_wait)
    }

    /// `SKF_ConnectDev`. A name that no device has is a device that is not there.
    pub fn connect(&self, name: &str) -> Result<Handle, Sar> {
        if !store::is_device_name(name) || self.is_pulled() {
            return Err(Sar::DeviceRemoved);
        }
        let file = self.device_file(name);
        file.read()?;
        self.handles.insert(Object::Connection(Arc::new(Connection {
            file,
            state: Mutex::default(),
        })))
    }

    /// `SKF_DisConnectDev`: closes all that hangs on the connection too.
    pub fn disconnect(&self, device: Handle) -> Result<(), Sar> {
        self.close(
            device,
            |object| matches!(object, Object::Connection(_)),
            |object, closed| Arc::ptr_eq(object.connection(), closed.connection()),
        )
    }

    /// `SKF_GetDevState`.
    pub fn device_state(&self, name: &str) -> Result<u32, Sar> {
        if !store::is_device_name(name) || self.is_pulled() {
            return Ok(DEV_ABSENT_STATE);
        }
        match self.device_file(name).read() {
            Ok(_) => Ok(DEV_PRESENT_STATE),
            Err(Sar::DeviceRemoved) => Ok(DEV_ABSENT_STATE),
            Err(_) => Ok(DEV_UNKNOWN_STATE),
        }
    }

    /// `SKF_GetDevInfo`.
    pub fn device_info(&self, device: Handle) -> Result<DeviceInfo, Sar> {
        let document = self.connection(device)?.read()?;
        let used = u32::try_from(document.to_json()?.len()).map_err(|_| Sar::Fail)?;
        Ok(DeviceInfo {
            label: document.label,
            serial: document.serial,
            free_bytes: MAX_DEVICE_BYTES.saturating_sub(used),
        })
    }

    /// `SKF_SetLabel`.
    pub fn set_label(&self, device: Handle, label: &str) -> Result<(), Sar> {
        let connection = self.connection(device)?;
        if !is_label(label) {
            return Err(Sar::NameLength);
        }
        connection.change(|document| {
            label.clone_into(&mut document.label);
            Ok(())
        })
    }

    /// `SKF_LockDev`: nobody else, in this process or another, gets at the device until it is unlocked or disconnected.
    pub fn lock_device(&self, device: Handle, timeout_ms: u32) -> Result<(), Sar> {
        let connection = self.connection(device)?;
        if lock(&connection.state).exclusive.is_some() {
            return Ok(());
        }
        let wait = (timeout_ms != LOCK_FOREVER).then(|| Duration::from_millis(timeout_ms.into()));
        let exclusive = connection.file.exclude(wait)?;
        lock(&connection.state).exclusive = Some(exclusive);
        Ok(())
    }

    /// `SKF_UnlockDev`.
    pub fn unlock_device(&self, device: Handle) -> Result<(), Sar> {
        let connection = self.connection(device)?;
        let held = lock(&connection.state).exclusive.take();
        held.map(drop).ok_or(Sar::Fail)
    }

    /// `SKF_GenRandom`; the last one is also what `SKF_DevAuth` is about.
    pub fn random(&self, device: Handle, length: u32) -> Result<Vec<u8>, Sar> {
        let connection = self.connection(device)?;
        if length > MAX_BUFFER_BYTES {
            return Err(Sar::DataLength);
        }
        let mut random = vec![0; length as usize];
        getrandom::fill(&mut random).map_err(|_| Sar::Random)?;
        let mut challenge = [0; CHALLENGE_BYTES];
        let used = random.len().min(CHALLENGE_BYTES);
        challenge[..used].copy_from_slice(&random[..used]);
        // Fewer than the standard's eight bytes could be guessed.
        lock(&connection.state).challenge = (used >= 8).then_some(challenge);
        Ok(random)
    }

    /// `SKF_DevAuth`: the last random bytes, with zeros behind them up to a block, under the authentication key. They serve once.
    pub fn authenticate(&self, device: Handle, proof: &[u8]) -> Result<(), Sar> {
        let connection = self.connection(device)?;
        let challenge = lock(&connection.state).challenge.take();
        let challenge = challenge.ok_or(Sar::NoAuthentication)?;
        if proof.len() != CHALLENGE_BYTES {
            return Err(Sar::DataLength);
        }
        let is_right = connection.write(|writer| {
            let auth = &mut writer.document.auth;
            auth.tries_left = auth.tries_left.checked_sub(1).ok_or(Sar::NoAuthentication)?;
            let key = <[u8; AUTH_KEY_BYTES]>::try_from(auth.key.0.as_slice()).map_err(|_| Sar::File)?;
            writer.store()?;
            let wanted = sm4_ecb_encrypt(&key, &challenge).ok_or(Sar::Fail)?;
            let is_right = constant_time_eq(&wanted, proof);
            if is_right {
                writer.document.auth.tries_left = DEVICE_AUTH_TRIES;
                writer.store()?;
            }
            Ok(is_right)
        })?;
        lock(&connection.state).is_authenticated = is_right;
        is_right.then_some(()).ok_or(Sar::NoAuthentication)
    }

    /// `SKF_ChangeDevAuthKey`.
    pub fn change_auth_key(&self, device: Handle, key: &[u8]) -> Result<(), Sar> {
        let connection = self.connection(device)?;
        connection.needs_authentication()?;
        if key.len() != AUTH_KEY_BYTES {
            return Err(Sar::DataLength);
        }
        connection.change(|document| {
            document.auth.key = Base64(key.to_vec());
            document.auth.tries_left = DEVICE_AUTH_TRIES;
            Ok(())
        })
    }
}

/// Whether a text can be a device's label.
pub fn is_label(label: &str) -> bool {
    (1..=MAX_LABEL_BYTES).contains(&label.len()) && !label.chars().any(char::is_control)
}
