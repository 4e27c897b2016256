//! An application: its PINs, its files and its containers.
use std::{ptr, sync::Arc};

use zeroize::Zeroizing;

use crate::{
    abi::{Opened, Ulong},
    blob::{self, FILE_ATTRIBUTE_BYTES},
    call::{Number, call, closed, filled, length, sized},
    container::Container,
    device::DeviceHandle,
    error::Error,
    profile::PinTypes,
    text::{Text, read_list},
};

/// Longest list of files or containers, in bytes.
const NAMES_LIMIT_BYTES: usize = 16 * 1024;
/// Room for a `FILEATTRIBUTE` of any build.
const FILE_ATTRIBUTE_ROOM_BYTES: usize = 256;
/// `SAR_PIN_INVALID`.
const PIN_INVALID: Ulong = 0x0A00_0026;
/// What no token counts to: the library left the number alone.
const NOT_SAID: Ulong = Ulong::MAX;

/// An open application. The login belongs to it.
pub struct Application {
    handle: Arc<ApplicationHandle>,
}

/// Which PIN.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PinKind {
    /// Of whoever unblocks.
    Admin,
    /// Of the holder.
    User,
}

/// A PIN's counter (`SKF_GetPINInfo`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PinState {
    /// Wrong entries that lock it.
    pub most: u32,
    /// Wrong entries that are left.
    pub left: u32,
    /// Whether nobody has changed it since it was made.
    pub is_first: bool,
}

/// Who may do something with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileRights {
    /// `SECURE_ADM_ACCOUNT`.
    Admin,
    /// `SECURE_USER_ACCOUNT`.
    User,
    /// `SECURE_ANYONE_ACCOUNT`.
    Anyone,
}

pub(crate) struct ApplicationHandle {
    pub device: Arc<DeviceHandle>,
    pub handle: Opened,
}

impl Application {
    pub(crate) fn new(device: &Arc<DeviceHandle>, handle: Opened) -> Self {
        Self {
            handle: Arc::new(ApplicationHandle {
                device: Arc::clone(device),
                handle,
            }),
        }
    }

    /// Reads a PIN's counter; costs no try.
    pub fn pin_state(&self, kind: PinKind) -> Result<PinState, Error> {
        let (mut most, mut left, mut first) = (Number::default(), Number::default(), Number::default());
        call!(
            self.handle.device.shared,
            get_pin_info(
                self.handle.handle.0,
                self.number_of(kind),
                most.pointer(),
                left.pointer(),
                first.pointer(),
            )
        )?;
        Ok(PinState {
            most: most.value(),
            left: left.value(),
            is_first: first.value() != 0,
        })
    }

    /// Logs in (`SKF_VerifyPIN`); a wrong PIN costs a try.
    pub fn verify_pin(&self, kind: PinKind, pin: &str) -> Result<(), Error> {
        let shared = &self.handle.device.shared;
        let mut pin = secret(shared.functions.verify_pin.name, pin)?;
        let mut left = Number::of(NOT_SAID as usize);
        let verified = call!(
            shared,
            verify_pin(
                self.handle.handle.0,
                self.number_of(kind),
                pin.as_mut_ptr(),
                left.pointer(),
            )
        );
        verified.map_err(|error| with_tries(error, &left))
    }

    /// Replaces a PIN (`SKF_ChangePIN`); a wrong old one costs a try.
    pub fn change_pin(&self, kind: PinKind, old: &str, new: &str) -> Result<(), Error> {
        let shared = &self.handle.device.shared;
        let symbol = shared.functions.change_pin.name;
        let (mut old, mut new) = (secret(symbol, old)?, secret(symbol, new)?);
        let mut left = Number::of(NOT_SAID as usize);
        let changed = call!(
            shared,
            change_pin(
                self.handle.handle.0,
                self.number_of(kind),
                old.as_mut_ptr(),
                new.as_mut_ptr(),
                left.pointer(),
            )
        );
        changed.map_err(|error| with_tries(error, &left))
    }

    /// Sets a new user PIN and gives its tries back (`SKF_UnblockPIN`); a wrong admin PIN costs a try of that.
    pub fn unblock_pin(&self, admin: &str, new_user: &str) -> Result<(), Error> {
        let shared = &self.handle.device.shared;
        let symbol = shared.functions.unblock_pin.name;
        let (mut admin, mut new_user) = (secret(symbol, admin)?, secret(symbol, new_user)?);
        let mut left = Number::of(NOT_SAID as usize);
        let unblocked = call!(
            shared,
            unblock_pin(
                self.handle.handle.0,
                admin.as_mut_ptr(),
                new_user.as_mut_ptr(),
                left.pointer(),
            )
        );
        unblocked.map_err(|error| with_tries(error, &left))
    }

    /// Forgets the login (`SKF_ClearSecureState`).
    pub fn clear_secure_state(&self) -> Result<(), Error> {
        call!(
            self.handle.device.shared,
            clear_secure_state(self.handle.handle.0)
        )
    }

    /// The names of its files (`SKF_EnumFiles`).
    pub fn files(&self) -> Result<Vec<Text>, Error> {
        let shared = &self.handle.device.shared;
        let list = sized(
            shared.functions.enum_files.name,
            NAMES_LIMIT_BYTES,
            |names, size| call!(shared, enum_files(self.handle.handle.0, names, size)),
        )?;
        Ok(read_list(&list, shared.profile.strings))
    }

    /// How long a file is (`SKF_GetFileInfo`), `None` if there is none.
    pub fn file_bytes(&self, name: &Text) -> Result<Option<usize>, Error> {
        let shared = &self.handle.device.shared;
        let mut name = name.to_c();
        let mut attribute = [0; FILE_ATTRIBUTE_ROOM_BYTES];
        let found = call!(
            shared,
            get_file_info(self.handle.handle.0, name.as_mut_ptr(), attribute.as_mut_ptr())
        );
        match found {
            Ok(()) => Ok(attribute
                .first_chunk::<FILE_ATTRIBUTE_BYTES>()
                .map(blob::file_size)),
            Err(Error::Absent(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Makes a file of a fixed length (`SKF_CreateFile`).
    pub fn create_file(
        &self,
        name: &Text,
        bytes: usize,
        read: FileRights,
        write: FileRights,
    ) -> Result<(), Error> {
        let mut name = name.to_c();
        let bytes = Ulong::try_from(bytes).unwrap_or(Ulong::MAX);
        call!(
            self.handle.device.shared,
            create_file(
                self.handle.handle.0,
                name.as_mut_ptr(),
                bytes,
                read.number(),
                write.number(),
            )
        )
    }

    /// Removes a file (`SKF_DeleteFile`).
    pub fn delete_file(&self, name: &Text) -> Result<(), Error> {
        let mut name = name.to_c();
        call!(
            self.handle.device.shared,
            delete_file(self.handle.handle.0, name.as_mut_ptr())
        )
    }

    /// Reads a part of a file (`SKF_ReadFile`); less where the file ends.
    pub fn read_file(&self, name: &Text, offset: usize, bytes: usize) -> Result<Vec<u8>, Error> {
        let shared = &self.handle.device.shared;
        let mut name = name.to_c();
        let (offset, wanted) = (
            Ulong::try_from(offset).unwrap_or(Ulong::MAX),
            Ulong::try_from(bytes).unwrap_or(Ulong::MAX),
        );
        let read = filled(shared.functions.read_file.name, bytes, |buffer, size| {
            call!(
                shared,
                read_file(
                    self.handle.handle.0,
                    name.as_mut_ptr(),
                    offset,
                    wanted,
                    buffer,
                    size
                )
            )
        })?;
        Ok(read.to_vec())
    }

    /// Writes a part of a file (`SKF_WriteFile`), as one call.
    pub fn write_file(&self, name: &Text, offset: usize, bytes: &[u8]) -> Result<(), Error> {
        let mut name = name.to_c();
        // The prototype has no `const`: the library gets bytes of its own.
        let mut bytes = Zeroizing::new(bytes.to_vec());
        let size = length(&bytes);
        call!(
            self.handle.device.shared,
            write_file(
                self.handle.handle.0,
                name.as_mut_ptr(),
                Ulong::try_from(offset).unwrap_or(Ulong::MAX),
                bytes.as_mut_ptr(),
                size,
            )
        )
    }

    /// The names of its containers (`SKF_EnumContainer`).
    pub fn containers(&self) -> Result<Vec<Text>, Error> {
        let shared = &self.handle.device.shared;
        let list = sized(
            shared.functions.enum_container.name,
            NAMES_LIMIT_BYTES,
            |names, size| call!(shared, enum_container(self.handle.handle.0, names, size)),
        )?;
        Ok(read_list(&list, shared.profile.strings))
    }

    /// Opens a container (`SKF_OpenContainer`).
    pub fn container(&self, name: &Text) -> Result<Container, Error> {
        let mut handle = ptr::null_mut();
        let mut name = name.to_c();
        call!(
            self.handle.device.shared,
            open_container(self.handle.handle.0, name.as_mut_ptr(), &raw mut handle)
        )?;
        Ok(Container::new(&self.handle, Opened(handle)))
    }

    /// Makes a container (`SKF_CreateContainer`).
    pub fn create_container(&self, name: &Text) -> Result<Container, Error> {
        let mut handle = ptr::null_mut();
        let mut name = name.to_c();
        call!(
            self.handle.device.shared,
            create_container(self.handle.handle.0, name.as_mut_ptr(), &raw mut handle)
        )?;
        Ok(Container::new(&self.handle, Opened(handle)))
    }

    /// Removes a container with its keys (`SKF_DeleteContainer`).
    pub fn delete_container(&self, name: &Text) -> Result<(), Error> {
        let mut name = name.to_c();
        call!(
            self.handle.device.shared,
            delete_container(self.handle.handle.0, name.as_mut_ptr())
        )
    }

    fn number_of(&self, kind: PinKind) -> Ulong {
        let swapped = self.handle.device.shared.profile.pin_types == PinTypes::Swapped;
        Ulong::from((kind == PinKind::User) != swapped)
    }
}

impl FileRights {
    pub(crate) fn number(self) -> Ulong {
        match self {
            Self::Admin => 0x01,
            Self::User => 0x10,
            Self::Anyone => 0xFF,
        }
    }
}

impl Drop for ApplicationHandle {
    fn drop(&mut self) {
        closed(&call!(self.device.shared, close_application(self.handle.0)));
    }
}

/// A PIN with the NUL that C wants; wiped when dropped.
pub(crate) fn secret(call: &'static str, pin: &str) -> Result<Zeroizing<Vec<u8>>, Error> {
    if pin.contains('\0') {
        return Err(Error::of(call, PIN_INVALID));
    }
    let mut bytes = Zeroizing::new(Vec::with_capacity(pin.len() + 1));
    bytes.extend(pin.as_bytes());
    bytes.push(0);
    Ok(bytes)
}

fn with_tries(error: Error, left: &Number) -> Error {
    match error {
        Error::WrongPin { failure, .. } => Error::WrongPin {
            left: Some(left.value()).filter(|&left| left != NOT_SAID),
            failure,
        },
        other => other,
    }
}
