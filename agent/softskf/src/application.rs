//! Applications and their PINs (GM/T 0016-2012, 7.2.4 to 7.2.8 and 7.3).
use std::sync::{Arc, Mutex};

use rand_core::Rng as _;

use crate::{
    Cost, Handle, Library, Pin, Sar,
    constants::{
        MAX_APPLICATION_NAME_BYTES, MAX_APPLICATIONS, MAX_PIN_TRIES, SECURE_ADM_ACCOUNT,
        SECURE_ANYONE_ACCOUNT, SECURE_NEVER_ACCOUNT, SECURE_USER_ACCOUNT,
    },
    device::Connection,
    document::{Application, PinKind, PinSlot, purpose},
    handles::{Object, lock},
    store::Writer,
    vault::{OpenError, PinSealed, StorageKey, rng},
};

/// Bytes of the random identifier of an application or a container.
const ID_BYTES: usize = 8;

/// An open application and who has shown a PIN through this handle.
pub struct OpenApplication {
    pub connection: Arc<Connection>,
    pub id: String,
    session: Mutex<Session>,
}

/// The storage key, for each PIN that was shown.
#[derive(Default)]
struct Session {
    user: Option<StorageKey>,
    admin: Option<StorageKey>,
}

/// What `SKF_CreateApplication` takes.
#[derive(Debug)]
pub struct NewApplication<'a> {
    /// Up to 32 bytes.
    pub name: &'a str,
    /// Unblocks the user PIN.
    pub admin_pin: &'a Pin,
    /// 1 to 15.
    pub admin_tries: u32,
    /// Signs, decrypts, imports.
    pub user_pin: &'a Pin,
    /// 1 to 15.
    pub user_tries: u32,
    /// `SECURE_…`: who may make and delete files and containers.
    pub create_rights: u32,
}

/// What `SKF_GetPINInfo` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PinInfo {
    /// After so many wrong entries it is locked.
    pub max_tries: u32,
    /// So many are left.
    pub tries_left: u32,
    /// It is still the one that the application was made with.
    pub is_first: bool,
}

impl OpenApplication {
    pub fn log_out(&self) {
        *lock(&self.session) = Session::default();
    }

    /// The storage key, when the user PIN was shown.
    pub fn user_key(&self) -> Result<StorageKey, Sar> {
        lock(&self.session).user.clone().ok_or(Sar::NotLoggedIn)
    }

    /// The storage key, whichever PIN was shown.
    pub fn any_key(&self) -> Result<StorageKey, Sar> {
        let session = lock(&self.session);
        session
            .user
            .as_ref()
            .or(session.admin.as_ref())
            .cloned()
            .ok_or(Sar::NotLoggedIn)
    }

    /// Whether rights allow what this handle's holder wants.
    pub fn allowed(&self, rights: u32) -> Result<(), Sar> {
        let session = lock(&self.session);
        let has = rights == SECURE_ANYONE_ACCOUNT
            || (rights & SECURE_USER_ACCOUNT != 0 && session.user.is_some())
            || (rights & SECURE_ADM_ACCOUNT != 0 && session.admin.is_some());
        match (has, rights) {
            (true, _) => Ok(()),
            (false, SECURE_NEVER_ACCOUNT) => Err(Sar::File),
            (false, _) => Err(Sar::NotLoggedIn),
        }
    }

    pub fn read(&self) -> Result<Application, Sar> {
        let document = self.connection.read()?;
        document.application(&self.id).cloned()
    }

    pub fn change<T>(&self, change: impl FnOnce(&mut Application) -> Result<T, Sar>) -> Result<T, Sar> {
        self.connection
            .change(|document| change(document.application_mut(&self.id)?))
    }

    /// Tries a PIN; what is left of its tries goes to `left`, also when the answer is an error. Each try is paid, on the disk, BEFORE it is made:
    /// pulling the plug gives none back. `done` changes what the right PIN may change, in the same step that gives the tries back.
    fn try_pin(
        &self,
        kind: PinKind,
        pin: &Pin,
        left: &mut u32,
        done: impl FnOnce(&mut Application, &StorageKey) -> Result<(), Sar>,
    ) -> Result<StorageKey, Sar> {
        self.connection.write(|writer: &mut Writer<'_>| {
            let slot = writer.document.application_mut(&self.id)?.pin_mut(kind);
            *left = 0;
            slot.tries_left = slot.tries_left.checked_sub(1).ok_or(Sar::PinLocked)?;
            *left = slot.tries_left.into();
            let sealed = slot.storage_key.clone();
            writer.store()?;
            let bytes = match sealed.open(pin.bytes(), &slot_purpose(&self.id, kind)) {
                Ok(bytes) => bytes,
                Err(OpenError::Refused) if *left == 0 => return Err(Sar::PinLocked),
                Err(OpenError::Refused) => return Err(Sar::PinIncorrect),
                Err(OpenError::Malformed) => return Err(Sar::File),
            };
            let key = StorageKey::from_bytes(&bytes).map_err(|_| Sar::File)?;
            let application = writer.document.application_mut(&self.id)?;
            let slot = application.pin_mut(kind);
            slot.tries_left = slot.max_tries;
            *left = slot.max_tries.into();
            done(application, &key)?;
            writer.store()?;
            Ok(key)
        })
    }
}

impl Library {
    /// `SKF_CreateApplication`; needs the device authentication.
    pub fn create_application(&self, device: Handle, new: &NewApplication<'_>) -> Result<Handle, Sar> {
        let connection = self.connection(device)?;
        connection.needs_authentication()?;
        let id = connection.change(|document| {
            let application = new_application(new, document.scrypt_log_n)?;
            if document.applications.iter().any(|held| held.name == new.name) {
                return Err(Sar::ApplicationExists);
            }
            if document.applications.len() >= MAX_APPLICATIONS {
                return Err(Sar::NoRoom);
            }
            let id = application.id.clone();
            document.applications.push(application);
            Ok(id)
        })?;
        self.insert_application(connection, id)
    }

    fn insert_application(&self, connection: Arc<Connection>, id: String) -> Result<Handle, Sar> {
        self.handles.insert(Object::Application(Arc::new(OpenApplication {
            connection,
            id,
            session: Mutex::default(),
        })))
    }

    /// `SKF_EnumApplication`.
    pub fn applications(&self, device: Handle) -> Result<Vec<String>, Sar> {
        let document = self.connection(device)?.read()?;
        Ok(document
            .applications
            .into_iter()
            .map(|application| application.name)
            .collect())
    }

    /// `SKF_DeleteApplication`; needs the device authentication.
    pub fn delete_application(&self, device: Handle, name: &str) -> Result<(), Sar> {
        let connection = self.connection(device)?;
        connection.needs_authentication()?;
        connection.change(|document| {
            let held = document.applications.iter().position(|held| held.name == name);
            document.applications.remove(held.ok_or(Sar::ApplicationMissing)?);
            Ok(())
        })
    }

    /// `SKF_OpenApplication`.
    pub fn open_application(&self, device: Handle, name: &str) -> Result<Handle, Sar> {
        let connection = self.connection(device)?;
        let document = connection.read()?;
        let held = document.applications.into_iter().find(|held| held.name == name);
        self.insert_application(connection, held.ok_or(Sar::ApplicationMissing)?.id)
    }

    /// `SKF_CloseApplication`: logs out, and closes its containers too.
    pub fn close_application(&self, application: Handle) -> Result<(), Sar> {
        self.close(
            application,
            |object| matches!(object, Object::Application(_)),
            |object, closed| match (object, closed) {
                (Object::Container(container), Object::Application(closed)) => {
                    Arc::ptr_eq(&container.application, closed)
                }
                _ => false,
            },
        )
    }

    /// `SKF_VerifyPIN`. Wrong or right, `left` says how many tries there are now. A wrong one also ends the login that was.
    pub fn verify_pin(
        &self,
        application: Handle,
        kind: PinKind,
        pin: &Pin,
        left: &mut u32,
    ) -> Result<(), Sar> {
        let application = self.application(application)?;
        let set = |key| match kind {
            PinKind::User => lock(&application.session).user = key,
            PinKind::Admin => lock(&application.session).admin = key,
        };
        set(None);
        set(Some(application.try_pin(kind, pin, left, |_, _| Ok(()))?));
        Ok(())
    }

    /// `SKF_ChangePIN`; a wrong old PIN costs a try. The login stands.
    pub fn change_pin(
        &self,
        application: Handle,
        kind: PinKind,
        old: &Pin,
        new: &Pin,
        left: &mut u32,
    ) -> Result<(), Sar> {
        let application = self.application(application)?;
        application.try_pin(kind, old, left, |held, key| renew(held, kind, new, key))?;
        Ok(())
    }

    /// `SKF_UnblockPIN`: a new user PIN with all its tries, and no key is lost. `left` is about the admin PIN. Nobody is logged in by it.
    pub fn unblock_pin(
        &self,
        application: Handle,
        admin: &Pin,
        new_user: &Pin,
        left: &mut u32,
    ) -> Result<(), Sar> {
        let application = self.application(application)?;
        lock(&application.session).user = None;
        application.try_pin(PinKind::Admin, admin, left, |held, key| {
            renew(held, PinKind::User, new_user, key)
        })?;
        Ok(())
    }

    /// `SKF_GetPINInfo`; costs nothing.
    pub fn pin_info(&self, application: Handle, kind: PinKind) -> Result<PinInfo, Sar> {
        let application = self.application(application)?.read()?;
        let slot = application.pin(kind);
        Ok(PinInfo {
            max_tries: slot.max_tries.into(),
            tries_left: slot.tries_left.into(),
            is_first: slot.is_first,
        })
    }

    /// `SKF_ClearSecureState`: forgets and erases.
    pub fn clear_secure_state(&self, application: Handle) -> Result<(), Sar> {
        self.application(application)?.log_out();
        Ok(())
    }
}

/// A fresh identifier.
pub fn new_id() -> String {
    let mut id = [0; ID_BYTES];
    rng().fill_bytes(&mut id);
    hex::encode(id)
}

/// An application without anything in it.
pub fn new_application(new: &NewApplication<'_>, cost: Cost) -> Result<Application, Sar> {
    if new.name.is_empty()
        || new.name.len() > MAX_APPLICATION_NAME_BYTES
        || new.name.chars().any(char::is_control)
    {
        return Err(Sar::ApplicationName);
    }
    let tries = |tries: u32| {
        let tries = Some(tries).filter(|tries| (1..=MAX_PIN_TRIES).contains(tries));
        tries
            .and_then(|tries| u8::try_from(tries).ok())
            .ok_or(Sar::InvalidParameter)
    };
    let id = new_id();
    let key = StorageKey::random();
    let slot = |kind, pin, max_tries| {
        Ok(PinSlot {
            max_tries,
            tries_left: max_tries,
            is_first: true,
            storage_key: seal_key(&id, kind, pin, cost, &key)?,
        })
    };
    Ok(Application {
        user_pin: slot(PinKind::User, new.user_pin, tries(new.user_tries)?)?,
        admin_pin: slot(PinKind::Admin, new.admin_pin, tries(new.admin_tries)?)?,
        name: new.name.to_owned(),
        create_rights: new.create_rights,
        containers: Vec::new(),
        files: Vec::new(),
        id,
    })
}

fn renew(application: &mut Application, kind: PinKind, new: &Pin, key: &StorageKey) -> Result<(), Sar> {
    let id = application.id.clone();
    let slot = application.pin_mut(kind);
    slot.storage_key = seal_key(&id, kind, new, slot.storage_key.cost(), key)?;
    slot.tries_left = slot.max_tries;
    slot.is_first = false;
    Ok(())
}

fn slot_purpose(id: &str, kind: PinKind) -> Vec<u8> {
    let what = match kind {
        PinKind::User => "user PIN",
        PinKind::Admin => "admin PIN",
    };
    purpose(id, what, &[])
}

fn seal_key(id: &str, kind: PinKind, pin: &Pin, cost: Cost, key: &StorageKey) -> Result<PinSealed, Sar> {
    PinSealed::seal(pin.bytes(), cost, &slot_purpose(id, kind), key.expose()).map_err(|_| Sar::Fail)
}
