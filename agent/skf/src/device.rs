//! A device: what it is, random bytes, and its applications.
use std::{
    ptr,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use yinxin_pki::symmetric::sm4_ecb_encrypt;
use zeroize::Zeroizing;

use crate::{
    abi::{Opened, SGD_SM4_ECB},
    application::{Application, FileRights, secret},
    blob::{DEVICE_INFO_BYTES, number},
    call::{call, closed, length, sized},
    error::Error,
    library::Shared,
    text::{Text, read_list},
};

/// Room for a `DEVINFO` of any build; what stands behind the standard's shows what the library was built for.
const DEVICE_INFO_ROOM_BYTES: usize = 1024;
/// Nothing that a library would write there.
const UNTOUCHED: u8 = 0xA5;
/// Longest list of applications, in bytes.
const APPLICATIONS_LIMIT_BYTES: usize = 16 * 1024;
/// Most random bytes in one call.
const RANDOM_LIMIT_BYTES: usize = 1024;
/// Random bytes of `SKF_DevAuth`; zeros fill the block (6.5 of the 2012 edition's procedure).
const CHALLENGE_BYTES: usize = 8;
const BLOCK_BYTES: usize = 16;

/// A connected device.
pub struct Device {
    handle: Arc<DeviceHandle>,
    info: DeviceInfo,
}

/// What a device says about itself (`DEVINFO`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceInfo {
    /// Who made it.
    pub manufacturer: Text,
    /// Who issued it.
    pub issuer: Text,
    /// For people.
    pub label: Text,
    /// Unique for its maker.
    pub serial: Text,
    /// Of the hardware.
    pub hardware: Version,
    /// Of the firmware.
    pub firmware: Version,
    /// Algorithm of the device authentication.
    pub authentication: u32,
    /// Bytes that are left for files and containers.
    pub free_bytes: u32,
    /// Most bytes in one call, 0 where it does not say.
    pub buffer_bytes: u32,
}

/// `VERSION`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Version {
    /// Before the dot.
    pub major: u8,
    /// Behind it.
    pub minor: u8,
}

/// An application that is to be made (`SKF_CreateApplication`).
pub struct NewApplication<'a> {
    /// Its name.
    pub name: &'a Text,
    /// Its first admin PIN.
    pub admin_pin: &'a str,
    /// Its first user PIN.
    pub user_pin: &'a str,
    /// Wrong entries that lock either.
    pub pin_tries: u32,
    /// Who may make files and containers in it.
    pub create_rights: FileRights,
}

pub(crate) struct DeviceHandle {
    pub shared: Arc<Shared>,
    pub handle: Opened,
    locked: AtomicBool,
    /// What the device said that it takes in one call.
    pub buffer_bytes: OnceLock<u32>,
}

impl Device {
    pub(crate) fn connect(shared: &Arc<Shared>, name: &Text) -> Result<Self, Error> {
        let mut handle = ptr::null_mut();
        let mut name = name.to_c();
        call!(shared, connect_dev(name.as_mut_ptr(), &raw mut handle))?;
        let handle = Arc::new(DeviceHandle {
            shared: Arc::clone(shared),
            handle: Opened(handle),
            locked: AtomicBool::new(false),
            buffer_bytes: OnceLock::new(),
        });
        let info = DeviceInfo::read(&handle)?;
        handle.buffer_bytes.get_or_init(|| info.buffer_bytes);
        Ok(Self { handle, info })
    }

    /// What the device said when it was connected.
    pub fn info(&self) -> &DeviceInfo {
        &self.info
    }

    /// Keeps other programs from the device until this value is dropped (`SKF_LockDev`).
    pub fn lock(&self, patience: Duration) -> Result<(), Error> {
        let timeout_ms = u32::try_from(patience.as_millis()).unwrap_or(u32::MAX - 1);
        call!(self.handle.shared, lock_dev(self.handle.handle.0, timeout_ms))?;
        self.handle.locked.store(true, Ordering::Release);
        Ok(())
    }

    /// Gives the device a name for people (`SKF_SetLabel`).
    pub fn set_label(&self, label: &Text) -> Result<(), Error> {
        let mut label = label.to_c();
        call!(
            self.handle.shared,
            set_label(self.handle.handle.0, label.as_mut_ptr())
        )
    }

    /// Random bytes of the device (`SKF_GenRandom`), at most 1024.
    pub fn random(&self, bytes: usize) -> Result<Zeroizing<Vec<u8>>, Error> {
        let mut random = Zeroizing::new(vec![0; bytes.min(RANDOM_LIMIT_BYTES)]);
        let wanted = length(&random);
        call!(
            self.handle.shared,
            gen_random(self.handle.handle.0, random.as_mut_ptr(), wanted)
        )?;
        Ok(random)
    }

    /// Proves knowledge of the device's key, which making an application needs (`SKF_DevAuth`). Only devices that
    /// authenticate with SM4 are supported: the other algorithms are not public.
    pub fn authenticate(&self, key: &[u8; BLOCK_BYTES]) -> Result<(), Error> {
        let name = self.handle.shared.functions.dev_auth.name;
        if self.info.authentication != SGD_SM4_ECB {
            return Err(Error::missing(name));
        }
        let mut block = [0; BLOCK_BYTES];
        block[..CHALLENGE_BYTES].copy_from_slice(&self.random(CHALLENGE_BYTES)?);
        let mut answer = sm4_ecb_encrypt(key, &block)
            .ok_or(Error::misbehaved(name, "a challenge that is not of 16 bytes"))?;
        let size = length(&answer);
        call!(
            self.handle.shared,
            dev_auth(self.handle.handle.0, answer.as_mut_ptr(), size)
        )
    }

    /// The names of its applications (`SKF_EnumApplication`).
    pub fn applications(&self) -> Result<Vec<Text>, Error> {
        let shared = &self.handle.shared;
        let list = sized(
            shared.functions.enum_application.name,
            APPLICATIONS_LIMIT_BYTES,
            |names, size| call!(shared, enum_application(self.handle.handle.0, names, size)),
        )?;
        Ok(read_list(&list, shared.profile.strings))
    }

    /// Opens an application (`SKF_OpenApplication`).
    pub fn application(&self, name: &Text) -> Result<Application, Error> {
        let mut handle = ptr::null_mut();
        let mut name = name.to_c();
        call!(
            self.handle.shared,
            open_application(self.handle.handle.0, name.as_mut_ptr(), &raw mut handle)
        )?;
        Ok(Application::new(&self.handle, Opened(handle)))
    }

    /// Makes an application (`SKF_CreateApplication`); the device wants [`Device::authenticate`] first.
    pub fn create_application(&self, new: &NewApplication<'_>) -> Result<Application, Error> {
        let shared = &self.handle.shared;
        let symbol = shared.functions.create_application.name;
        let mut handle = ptr::null_mut();
        let mut name = new.name.to_c();
        let (mut admin, mut user) = (secret(symbol, new.admin_pin)?, secret(symbol, new.user_pin)?);
        call!(
            shared,
            create_application(
                self.handle.handle.0,
                name.as_mut_ptr(),
                admin.as_mut_ptr(),
                new.pin_tries,
                user.as_mut_ptr(),
                new.pin_tries,
                new.create_rights.number(),
                &raw mut handle,
            )
        )?;
        Ok(Application::new(&self.handle, Opened(handle)))
    }
}

impl DeviceInfo {
    fn read(device: &DeviceHandle) -> Result<Self, Error> {
        let shared = &device.shared;
        let name = shared.functions.get_dev_info.name;
        let mut bytes = vec![0; DEVICE_INFO_ROOM_BYTES];
        bytes[DEVICE_INFO_BYTES..].fill(UNTOUCHED);
        call!(shared, get_dev_info(device.handle.0, bytes.as_mut_ptr()))?;
        let (info, behind) = bytes.split_at(DEVICE_INFO_BYTES);
        // `ULONG` was `unsigned long` when the library was built: the structure is longer, or the upper halves are zero.
        let upper_halves = [202, 210, 218, 226];
        if behind.iter().any(|&byte| byte != UNTOUCHED)
            || number(info, 198) != 0 && upper_halves.iter().all(|&at| number(info, at) == 0)
        {
            return Err(Error::misbehaved(name, "it was built with a ULONG of 64 bits"));
        }
        let text = |from: usize, bytes: usize| Text::read(&info[from..from + bytes], shared.profile.strings);
        let version = |at: usize| Version {
            major: info[at],
            minor: info[at + 1],
        };
        Ok(Self {
            manufacturer: text(2, 64),
            issuer: text(66, 64),
            label: text(130, 32),
            serial: text(162, 32),
            hardware: version(194),
            firmware: version(196),
            authentication: number(info, 210),
            free_bytes: number(info, 218),
            buffer_bytes: number(info, 226),
        })
    }
}

impl Drop for DeviceHandle {
    // A device that is gone cannot be told so; the library's answers help nobody here.
    fn drop(&mut self) {
        if *self.locked.get_mut() {
            closed(&call!(self.shared, unlock_dev(self.handle.0)));
        }
        closed(&call!(self.shared, disconnect_dev(self.handle.0)));
    }
}
