//! What the file of a device holds, as JSON; nothing secret is in clear but the device authentication key.
use serde::{Deserialize, Serialize};

use crate::{
    Cost, Sar,
    constants::{
        ADMIN_TYPE, DEVICE_AUTH_TRIES, MAX_APPLICATIONS, MAX_CONTAINERS, MAX_DEVICE_NAME_BYTES, MAX_FILES,
        MAX_LABEL_BYTES, MAX_PIN_TRIES, USER_TYPE,
    },
    vault::{Base64, PinSealed},
};

/// The only format there has been.
pub const FORMAT: &str = "yinxin-softskf/1";
/// Bytes of a device authentication key, which is one of SM4.
pub const AUTH_KEY_BYTES: usize = 16;

/// Which of a container's two key pairs, and its certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Usage {
    /// The pair made in the token, which signs.
    Signing,
    /// The pair that came enveloped, which decrypts.
    Encryption,
}

/// Which PIN.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PinKind {
    /// `ADMIN_TYPE`: unblocks the holder's.
    Admin,
    /// `USER_TYPE`: the holder's; signs, decrypts, imports.
    User,
}

/// Everything that a device keeps.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Document {
    pub format: String,
    pub label: String,
    pub serial: String,
    /// What new PINs cost to try.
    pub scrypt_log_n: Cost,
    pub auth: DeviceAuth,
    pub applications: Vec<Application>,
}

/// The key that allows to make and delete applications. It cannot be sealed: the device has to compute with it before any PIN.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeviceAuth {
    pub tries_left: u8,
    pub key: Base64,
}

/// An application: two PINs, containers, files.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Application {
    pub name: String,
    /// Random, so that a handle does not get hold of another application with the same name.
    pub id: String,
    /// Who may make and delete files and containers.
    pub create_rights: u32,
    pub user_pin: PinSlot,
    pub admin_pin: PinSlot,
    pub containers: Vec<Container>,
    pub files: Vec<File>,
}

/// A PIN's counter, and the application's storage key sealed under the PIN: it opens when the PIN is right.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PinSlot {
    pub max_tries: u8,
    pub tries_left: u8,
    /// Nobody has changed it since the application was made.
    pub is_first: bool,
    pub storage_key: PinSealed,
}

/// Two key pairs and their certificates.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Container {
    pub name: String,
    /// Random, as an application's.
    pub id: String,
    pub signing_key: Option<KeyPair>,
    pub encryption_key: Option<KeyPair>,
    /// DER.
    pub signing_certificate: Option<Base64>,
    /// DER.
    pub encryption_certificate: Option<Base64>,
}

/// A key pair whose private half is sealed under the storage key.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyPair {
    /// 04 ‖ X ‖ Y in hexadecimal.
    pub public_key: String,
    pub private_key: Base64,
}

/// A file with its rights.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    pub name: String,
    pub size: u32,
    pub read_rights: u32,
    pub write_rights: u32,
    pub content: Content,
}

/// A file's bytes: sealed under the storage key unless anybody may read them.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Content {
    /// Nothing was written: zeros.
    Empty,
    /// Readable without a PIN.
    Clear(Base64),
    /// Readable after a PIN.
    Sealed(Base64),
}

impl Document {
    /// Reads the file's bytes. What does not fit is not said: a caller of C could not read it anyway.
    pub fn parse(bytes: &[u8]) -> Result<Self, Sar> {
        let document: Self = serde_json::from_slice(bytes).map_err(|_| Sar::File)?;
        let sound = document.format == FORMAT
            && !document.serial.is_empty()
            && document.serial.len() <= MAX_DEVICE_NAME_BYTES
            && document.label.len() <= MAX_LABEL_BYTES
            && document.auth.tries_left <= DEVICE_AUTH_TRIES
            && document.auth.key.0.len() == AUTH_KEY_BYTES
            && document.applications.len() <= MAX_APPLICATIONS
            && document.applications.iter().all(Application::is_sound);
        sound.then_some(document).ok_or(Sar::File)
    }

    /// The file's bytes.
    pub fn to_json(&self) -> Result<Vec<u8>, Sar> {
        let mut bytes = serde_json::to_vec_pretty(self).map_err(|_| Sar::Fail)?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    /// The application that a handle was opened for.
    pub fn application(&self, id: &str) -> Result<&Application, Sar> {
        let mut all = self.applications.iter();
        all.find(|application| application.id == id)
            .ok_or(Sar::ApplicationMissing)
    }

    /// The same, to be changed.
    pub fn application_mut(&mut self, id: &str) -> Result<&mut Application, Sar> {
        let mut all = self.applications.iter_mut();
        all.find(|application| application.id == id)
            .ok_or(Sar::ApplicationMissing)
    }
}

impl Application {
    fn is_sound(&self) -> bool {
        let pins = [&self.user_pin, &self.admin_pin];
        pins.iter()
            .all(|pin| pin.tries_left <= pin.max_tries && u32::from(pin.max_tries) <= MAX_PIN_TRIES)
            && self.containers.len() <= MAX_CONTAINERS
            && self.files.len() <= MAX_FILES
    }

    /// A PIN.
    pub fn pin(&self, kind: PinKind) -> &PinSlot {
        match kind {
            PinKind::Admin => &self.admin_pin,
            PinKind::User => &self.user_pin,
        }
    }

    /// A PIN, to be changed.
    pub fn pin_mut(&mut self, kind: PinKind) -> &mut PinSlot {
        match kind {
            PinKind::Admin => &mut self.admin_pin,
            PinKind::User => &mut self.user_pin,
        }
    }

    /// The container that a handle was opened for; deleted with its application or alone, the handle is worth nothing.
    pub fn container(&self, id: &str) -> Result<&Container, Sar> {
        let mut all = self.containers.iter();
        all.find(|container| container.id == id).ok_or(Sar::InvalidHandle)
    }

    /// The same, to be changed.
    pub fn container_mut(&mut self, id: &str) -> Result<&mut Container, Sar> {
        let mut all = self.containers.iter_mut();
        all.find(|container| container.id == id).ok_or(Sar::InvalidHandle)
    }
}

impl Container {
    /// A key pair.
    pub fn key_pair(&self, usage: Usage) -> Option<&KeyPair> {
        match usage {
            Usage::Signing => self.signing_key.as_ref(),
            Usage::Encryption => self.encryption_key.as_ref(),
        }
    }

    /// A certificate, DER.
    pub fn certificate(&self, usage: Usage) -> Option<&Base64> {
        match usage {
            Usage::Signing => self.signing_certificate.as_ref(),
            Usage::Encryption => self.encryption_certificate.as_ref(),
        }
    }

    /// A certificate's place.
    pub fn certificate_mut(&mut self, usage: Usage) -> &mut Option<Base64> {
        match usage {
            Usage::Signing => &mut self.signing_certificate,
            Usage::Encryption => &mut self.encryption_certificate,
        }
    }
}

impl PinKind {
    /// By its number in the standard.
    pub fn of(number: u32) -> Result<Self, Sar> {
        match number {
            ADMIN_TYPE => Ok(Self::Admin),
            USER_TYPE => Ok(Self::User),
            _ => Err(Sar::UserType),
        }
    }
}

/// What GCM binds sealed bytes to: this application, and what they are in it.
pub fn purpose(application: &str, what: &str, rest: &[u8]) -> Vec<u8> {
    [FORMAT.as_bytes(), application.as_bytes(), what.as_bytes(), rest].join(&0)
}
