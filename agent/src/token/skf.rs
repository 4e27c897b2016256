//! A UKey through its vendor's library (GM/T 0016).
use std::time::Duration;

use yinxin_pki::{Certificate, EnvelopedKey, EnvelopedKeyBlob, PublicKey};
use yinxin_skf::{Application, Choice, Container, Device, Error, KeyUse, Library, Text};
use zeroize::Zeroizing;

use super::{Identity, PinKind, RECORD_LIMIT_BYTES, Token, TokenError, Tries, TriesLeft, Usage};
use crate::pin::Pin;

mod current;
mod record;

use current::current;
use record::Record;

/// How long a token waits for another program to let go of it.
const LOCK_PATIENCE: Duration = Duration::from_secs(2);

/// A UKey.
pub struct SkfToken {
    library: Library,
    device_name: Text,
    identity: Identity,
    // Closed in this order.
    container: Option<Selected>,
    application: Application,
    device: Device,
}

/// The container that the calls mean.
struct Selected {
    name: Text,
    container: Container,
}

impl SkfToken {
    /// Opens a device that is plugged in. Nothing is unlocked.
    pub fn open(library: &Library, device_name: &Text) -> Result<Self, TokenError> {
        Self::opened(library, device_name).map_err(|error| match error {
            TokenError::Device(Error::Removed(_)) => TokenError::Removed,
            TokenError::Device(Error::Busy(_)) => TokenError::Busy(device_name.to_string()),
            error => error,
        })
    }

    fn opened(library: &Library, device_name: &Text) -> Result<Self, TokenError> {
        let device = library.connect(device_name).map_err(TokenError::Device)?;
        let identity = identity(&device);
        let profile = library.profile();
        let names = device.applications().map_err(TokenError::Device)?;
        let name = chosen(&names, &profile.application)
            .ok_or_else(|| TokenError::NoApplication(name_of(&profile.application)))?;
        let application = device.application(name).map_err(TokenError::Device)?;
        let container = current(&application, &profile.container, device.info().buffer_bytes)
            .and_then(|name| name.map(|name| Selected::open(&application, name)).transpose())
            .map_err(TokenError::Device)?;
        Ok(Self {
            library: library.clone(),
            device_name: device_name.clone(),
            identity,
            container,
            application,
            device,
        })
    }

    /// The selected container, if there is one.
    fn container(&self, usage: Usage) -> Result<&Container, TokenError> {
        let selected = self.container.as_ref().ok_or(TokenError::NoKey(usage))?;
        Ok(&selected.container)
    }

    /// The container, made now if there is none.
    fn ready_container(&mut self) -> Result<&Container, TokenError> {
        if self.container.is_none() {
            let profile = self.library.profile();
            let name = name_of(&profile.container).unwrap_or_else(|| profile.new_container.clone());
            self.create_container(&name)?;
        }
        self.container(Usage::Signing)
    }

    /// A container's name as the token has it.
    fn name_of_container(&self, container: &str) -> Result<Text, TokenError> {
        let names = self
            .application
            .containers()
            .map_err(|error| self.refusal(error))?;
        let mut names = names.into_iter();
        names
            .find(|name| name.as_str() == container)
            .ok_or_else(|| TokenError::NoContainer(container.to_owned()))
    }

    fn record_file(&self, name: &str) -> Record<'_> {
        Record::new(&self.application, name, self.device.info().buffer_bytes)
    }

    /// What the library's error means for whoever holds the token.
    fn refusal(&self, error: Error) -> TokenError {
        match error {
            Error::NotLoggedIn(_) => TokenError::NotLoggedIn,
            Error::Removed(_) => TokenError::Removed,
            Error::Full(_) => TokenError::Full,
            Error::PinRefused(_) => TokenError::PinRefused,
            Error::Busy(_) => TokenError::Busy(self.identity.to_string()),
            // Pulled out tokens fail with all kinds of codes: look whether it is there.
            error if self.is_plugged_in() => TokenError::Device(error),
            _ => TokenError::Removed,
        }
    }

    fn is_plugged_in(&self) -> bool {
        self.library
            .devices()
            .is_ok_and(|names| names.contains(&self.device_name))
    }

    /// The same of a call that took a PIN.
    fn pin_refusal(&self, kind: PinKind, error: Error) -> TokenError {
        match error {
            Error::WrongPin { left, .. } => match self.tries(kind) {
                Ok(tries) => TokenError::WrongPin {
                    kind,
                    left: left.map_or(tries.left, small),
                    most: tries.most,
                },
                Err(error) => error,
            },
            Error::PinLocked(_) => TokenError::PinLocked(kind),
            error => self.refusal(error),
        }
    }

    fn tries(&self, kind: PinKind) -> Result<Tries, TokenError> {
        let state = self
            .application
            .pin_state(kind.into())
            .map_err(|error| self.refusal(error))?;
        Ok(Tries {
            left: small(state.left),
            most: small(state.most),
        })
    }
}

/// Label and serial number of a connected device.
pub(super) fn identity(device: &Device) -> Identity {
    Identity {
        label: device.info().label.to_string(),
        serial: device.info().serial.to_string(),
    }
}

impl Token for SkfToken {
    fn identity(&self) -> Identity {
        self.identity.clone()
    }

    fn containers(&self) -> Result<Vec<String>, TokenError> {
        let names = self
            .application
            .containers()
            .map_err(|error| self.refusal(error))?;
        Ok(names.iter().map(ToString::to_string).collect())
    }

    fn selected(&self) -> Option<String> {
        let selected = self.container.as_ref()?;
        Some(selected.name.to_string())
    }

    fn select(&mut self, container: &str) -> Result<(), TokenError> {
        if self.selected().as_deref() == Some(container) {
            return Ok(());
        }
        let name = self.name_of_container(container)?;
        let opened = Selected::open(&self.application, name);
        self.container = Some(opened.map_err(|error| self.refusal(error))?);
        Ok(())
    }

    fn create_container(&mut self, container: &str) -> Result<(), TokenError> {
        let name = Text::new(container, self.library.profile().strings);
        let made = self.application.create_container(&name);
        self.container = Some(Selected {
            container: made.map_err(|error| self.refusal(error))?,
            name,
        });
        Ok(())
    }

    fn delete_container(&mut self, container: &str) -> Result<(), TokenError> {
        let name = self.name_of_container(container)?;
        self.application
            .delete_container(&name)
            .map_err(|error| self.refusal(error))
    }

    fn lock(&mut self) -> Result<(), TokenError> {
        match self.device.lock(LOCK_PATIENCE) {
            // Without, nothing keeps two programs apart but the people who start them.
            Ok(()) | Err(Error::Unsupported(_)) => Ok(()),
            Err(error) => Err(self.refusal(error)),
        }
    }

    fn tries_left(&self) -> Result<TriesLeft, TokenError> {
        Ok(TriesLeft {
            user: self.tries(PinKind::User)?,
            admin: self.tries(PinKind::Admin)?,
        })
    }

    fn login(&mut self, pin: &Pin) -> Result<(), TokenError> {
        // A second login over a first is an error in some libraries.
        self.logout();
        self.application
            .verify_pin(PinKind::User.into(), pin.reveal())
            .map_err(|error| self.pin_refusal(PinKind::User, error))
    }

    fn logout(&mut self) {
        match self.application.clear_secure_state() {
            // A token that is gone has forgotten the login; one that cannot forget it does so when it is closed.
            Ok(()) | Err(_) => {}
        }
    }

    fn set_user_pin(&mut self, old: &Pin, new: &Pin) -> Result<(), TokenError> {
        self.application
            .change_pin(PinKind::User.into(), old.reveal(), new.reveal())
            .map_err(|error| self.pin_refusal(PinKind::User, error))
    }

    fn unblock(&mut self, admin: &Pin, new_user: &Pin) -> Result<(), TokenError> {
        self.application
            .unblock_pin(admin.reveal(), new_user.reveal())
            .map_err(|error| self.pin_refusal(PinKind::Admin, error))
    }

    fn generate_signing_key(&mut self) -> Result<PublicKey, TokenError> {
        if self.public_key(Usage::Signing)?.is_some() {
            return Err(TokenError::KeyExists(Usage::Signing));
        }
        let made = self.ready_container()?.generate_signing_key();
        made.map_err(|error| self.refusal(error))
    }

    fn public_key(&self, usage: Usage) -> Result<Option<PublicKey>, TokenError> {
        let Ok(container) = self.container(usage) else {
            return Ok(None);
        };
        container
            .public_key(usage.into())
            .map_err(|error| self.refusal(error))
    }

    fn sign(&mut self, message: &[u8]) -> Result<Vec<u8>, TokenError> {
        let no_key = TokenError::NoKey(Usage::Signing);
        let key = self.public_key(Usage::Signing)?.ok_or(no_key)?;
        let signature = self
            .container(Usage::Signing)?
            .sign(&key, message)
            .map_err(|error| self.refusal(error))?;
        // What others would find out much later: a library that hashes another way than its profile says.
        key.verify(message, &signature)
            .map_err(|_| TokenError::BadSignature)?;
        Ok(signature)
    }

    fn decrypt(&mut self, ciphertext: &[u8]) -> Result<Zeroizing<Vec<u8>>, TokenError> {
        let plaintext = self.container(Usage::Encryption)?.decrypt(ciphertext);
        self.decrypted(plaintext.map_err(|_| TokenError::Decryption)?)
    }

    fn decrypt_under(&mut self, session_key: &[u8], blocks: &[u8]) -> Result<Zeroizing<Vec<u8>>, TokenError> {
        let plaintext = self
            .container(Usage::Encryption)?
            .decrypt_under(session_key, blocks);
        self.decrypted(plaintext.map_err(|_| TokenError::Decryption)?)
    }

    fn import_enveloped_key(&mut self, envelope: &EnvelopedKey) -> Result<PublicKey, TokenError> {
        let wanted = envelope.public_key();
        match self.public_key(Usage::Encryption)? {
            Some(held) if held != *wanted => return Err(TokenError::KeyExists(Usage::Encryption)),
            Some(held) => return Ok(held),
            None => {}
        }
        let layout = self.library.profile().enveloped_key.into();
        let blob =
            EnvelopedKeyBlob::new(envelope, layout).map_err(|error| TokenError::Envelope(error.into()))?;
        let imported = self.container(Usage::Signing)?.import_enveloped_key(&blob);
        match imported.map_err(|error| self.refusal(error)) {
            Ok(()) => {}
            // It opens the envelope itself, and each token refuses in its own way.
            Err(TokenError::Device(error)) => return Err(TokenError::Envelope(error.into())),
            Err(error) => return Err(error),
        }
        match self.public_key(Usage::Encryption)? {
            Some(held) if held == *wanted => Ok(held),
            _ => Err(TokenError::Envelope(
                "the token holds another key after the import".into(),
            )),
        }
    }

    fn import_certificate(&mut self, usage: Usage, certificate: &Certificate) -> Result<(), TokenError> {
        let held = self.public_key(usage)?.ok_or(TokenError::NoKey(usage))?;
        if Some(&held) != certificate.public_key() {
            return Err(TokenError::CertificateMismatch(usage));
        }
        self.container(usage)?
            .import_certificate(usage.into(), certificate)
            .map_err(|error| self.refusal(error))
    }

    fn certificate(&self, usage: Usage) -> Result<Option<Certificate>, TokenError> {
        let Ok(container) = self.container(usage) else {
            return Ok(None);
        };
        let der = container
            .certificate(usage.into())
            .map_err(|error| self.refusal(error))?;
        der.map(|der| Certificate::from_der(&der).map_err(|_| TokenError::BadCertificate(usage)))
            .transpose()
    }

    fn record(&self, name: &str) -> Result<Option<Vec<u8>>, TokenError> {
        self.record_file(name).read().map_err(|error| self.refusal(error))
    }

    fn write_record(&mut self, name: &str, bytes: &[u8]) -> Result<(), TokenError> {
        if bytes.len() > RECORD_LIMIT_BYTES {
            return Err(TokenError::RecordTooLong);
        }
        self.record_file(name)
            .write(bytes)
            .map_err(|error| self.refusal(error))
    }
}

impl SkfToken {
    fn decrypted(
        &self,
        plaintext: Result<Zeroizing<Vec<u8>>, Error>,
    ) -> Result<Zeroizing<Vec<u8>>, TokenError> {
        plaintext.map_err(|error| match self.refusal(error) {
            TokenError::Device(Error::Refused(_)) => TokenError::Decryption,
            TokenError::Device(Error::Absent(_)) => TokenError::NoKey(Usage::Encryption),
            error => error,
        })
    }
}

impl From<Usage> for KeyUse {
    fn from(usage: Usage) -> Self {
        match usage {
            Usage::Signing => Self::Signing,
            Usage::Encryption => Self::Encryption,
        }
    }
}

impl From<PinKind> for yinxin_skf::PinKind {
    fn from(kind: PinKind) -> Self {
        match kind {
            PinKind::User => Self::User,
            PinKind::Admin => Self::Admin,
        }
    }
}

impl Selected {
    fn open(application: &Application, name: Text) -> Result<Self, Error> {
        let container = application.container(&name)?;
        Ok(Self { name, container })
    }
}

/// The one that the profile chooses.
fn chosen<'a>(names: &'a [Text], choice: &Choice) -> Option<&'a Text> {
    match choice {
        Choice::First => names.first(),
        Choice::Named(wanted) => names.iter().find(|name| name.as_str() == wanted),
    }
}

fn name_of(choice: &Choice) -> Option<String> {
    match choice {
        Choice::First => None,
        Choice::Named(name) => Some(name.clone()),
    }
}

/// No counter of a PIN is larger.
fn small(number: u32) -> u8 {
    u8::try_from(number).unwrap_or(u8::MAX)
}
