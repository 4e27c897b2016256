//! A token in a directory: `token.json`, and a lock so that one program at a time works with it.
//!
//! It guards what is copied from a disk as well as a PIN can, and nothing more: who can write the file can also
//! put an old retry counter back. A UKey does not have that weakness.
use std::{
    fs::{File, OpenOptions, TryLockError},
    path::{Path, PathBuf},
};

use rand_core::Rng as _;
use yinxin_pki::{
    Certificate, EnvelopedKey, PublicKey, SigningKey,
    symmetric::{KEY_BYTES, sm4_ecb_decrypt},
};
use zeroize::Zeroizing;

use super::{
    Identity, PIN_TRIES, PinKind, RECORD_LIMIT_BYTES, Token, TokenError, Tries, TriesLeft, Usage,
    document::{Container, Document, FORMAT, KeyPair, LABEL_LIMIT_BYTES, LIMIT_BYTES, PinSlot},
    vault::{Base64, Cost, OpenError, PinSealed, StorageKey, rng},
};
use crate::{pin::Pin, private_file};

const FILE: &str = "token.json";
const LOCK: &str = "token.lock";
const SERIAL_BYTES: usize = 8;

/// A file token, locked for this program while the value lives.
pub struct FileToken {
    path: PathBuf,
    document: Document,
    /// Opens the private keys; there while logged in.
    storage_key: Option<StorageKey>,
    _lock: File,
}

impl FileToken {
    /// Whether a directory holds a token.
    pub fn is_in(directory: &Path) -> bool {
        directory.join(FILE).is_file()
    }

    /// Makes a token; the directory may be there already, a token in it may not.
    pub fn create(
        directory: &Path,
        label: &str,
        user: &Pin,
        admin: &Pin,
        cost: Cost,
    ) -> Result<Self, TokenError> {
        if label.is_empty() || label.len() > LABEL_LIMIT_BYTES || label.chars().any(char::is_control) {
            return Err(TokenError::Label);
        }
        let path = directory.join(FILE);
        private_file::create_directory(directory).map_err(|source| TokenError::Unwritable {
            path: path.clone(),
            source,
        })?;
        let lock = lock(directory)?;
        if path.exists() {
            return Err(TokenError::AlreadyThere(directory.to_owned()));
        }
        let mut serial = [0; SERIAL_BYTES];
        rng().fill_bytes(&mut serial);
        let serial = format!("YX{}", hex::encode_upper(serial));
        let storage_key = StorageKey::random();
        let slot =
            |kind, pin: &Pin| seal_slot(&serial, kind, pin, cost, &storage_key).map_err(|_| TokenError::Cost);
        let document = Document {
            format: FORMAT.to_owned(),
            label: label.to_owned(),
            user_pin: slot(PinKind::User, user)?,
            admin_pin: slot(PinKind::Admin, admin)?,
            serial,
            container: Container::default(),
            records: std::collections::BTreeMap::default(),
        };
        let mut token = Self {
            path,
            document: document.clone(),
            storage_key: None,
            _lock: lock,
        };
        token.store(document)?;
        Ok(token)
    }

    /// Opens a token. Nothing is unlocked.
    pub fn open(directory: &Path) -> Result<Self, TokenError> {
        let path = directory.join(FILE);
        private_file::check_directory(directory)?;
        if !path.exists() {
            return Err(private_file::ReadError::Missing(path).into());
        }
        let lock = lock(directory)?;
        let bytes = private_file::read(&path, LIMIT_BYTES)?;
        let document = Document::parse(&bytes).map_err(|reason| TokenError::Corrupt {
            path: path.clone(),
            reason,
        })?;
        Ok(Self {
            path,
            document,
            storage_key: None,
            _lock: lock,
        })
    }

    /// Changes the token as one step: on the disk first, then here.
    fn change(&mut self, change: impl FnOnce(&mut Document)) -> Result<(), TokenError> {
        let mut document = self.document.clone();
        change(&mut document);
        self.store(document)
    }

    fn store(&mut self, document: Document) -> Result<(), TokenError> {
        let unwritable = |source| TokenError::Unwritable {
            path: self.path.clone(),
            source,
        };
        let bytes = document.to_json().map_err(|error| unwritable(error.into()))?;
        private_file::replace(&self.path, &bytes).map_err(unwritable)?;
        self.document = document;
        Ok(())
    }

    /// Takes one try from a PIN, on the disk, BEFORE the PIN is tried: pulling the plug gives no try back.
    fn spend_try(&mut self, kind: PinKind) -> Result<u8, TokenError> {
        let left = self
            .document
            .pin(kind)
            .tries_left
            .checked_sub(1)
            .ok_or(TokenError::PinLocked(kind))?;
        self.change(|document| document.pin_mut(kind).tries_left = left)?;
        Ok(left)
    }

    /// Tries a PIN. The caller gives the tries back, in the same write as what it wants to change.
    fn try_pin(&mut self, kind: PinKind, pin: &Pin) -> Result<StorageKey, TokenError> {
        let left = self.spend_try(kind)?;
        let purpose = purpose(&self.document.serial, &kind.to_string(), &[]);
        match self.document.pin(kind).storage_key.open(pin, &purpose) {
            Ok(bytes) => StorageKey::from_bytes(&bytes).map_err(|_| self.corrupt("its storage key")),
            Err(OpenError::Refused) => Err(TokenError::WrongPin {
                kind,
                left,
                most: PIN_TRIES,
            }),
            Err(OpenError::Malformed) => Err(self.corrupt("a PIN's entry")),
        }
    }

    fn private_key(&self, usage: Usage) -> Result<SigningKey, TokenError> {
        let storage_key = self.storage_key.as_ref().ok_or(TokenError::NotLoggedIn)?;
        let pair = self.document.key_pair(usage).ok_or(TokenError::NoKey(usage))?;
        let damaged = || self.corrupt("a private key does not open");
        let scalar = storage_key
            .open(&self.key_purpose(usage, &pair.public_key), &pair.private_key)
            .map_err(|_| damaged())?;
        let scalar = Zeroizing::new(<[u8; 32]>::try_from(scalar.as_slice()).map_err(|_| damaged())?);
        SigningKey::from_scalar(&scalar).map_err(|_| damaged())
    }

    fn seal_pair(&self, usage: Usage, key: &SigningKey) -> Result<KeyPair, TokenError> {
        let storage_key = self.storage_key.as_ref().ok_or(TokenError::NotLoggedIn)?;
        let public_key = hex::encode(key.public_key().to_sec1());
        let private_key = storage_key.seal(&self.key_purpose(usage, &public_key), key.to_scalar().as_slice());
        Ok(KeyPair {
            public_key,
            private_key,
        })
    }

    /// The public key is part of the purpose: a public key exchanged in the file is noticed.
    fn key_purpose(&self, usage: Usage, public_key: &str) -> Vec<u8> {
        purpose(
            &self.document.serial,
            &format!("{usage} key"),
            public_key.as_bytes(),
        )
    }

    fn corrupt(&self, reason: &str) -> TokenError {
        TokenError::Corrupt {
            path: self.path.clone(),
            reason: reason.to_owned(),
        }
    }

    fn needs_login(&self) -> Result<(), TokenError> {
        self.storage_key
            .as_ref()
            .map(|_| ())
            .ok_or(TokenError::NotLoggedIn)
    }
}

impl Token for FileToken {
    fn identity(&self) -> Identity {
        Identity {
            label: self.document.label.clone(),
            serial: self.document.serial.clone(),
        }
    }

    /// It is since it was opened.
    fn lock(&mut self) -> Result<(), TokenError> {
        Ok(())
    }

    fn tries_left(&self) -> Result<TriesLeft, TokenError> {
        let tries = |left| Tries {
            left,
            most: PIN_TRIES,
        };
        Ok(TriesLeft {
            user: tries(self.document.user_pin.tries_left),
            admin: tries(self.document.admin_pin.tries_left),
        })
    }

    fn login(&mut self, pin: &Pin) -> Result<(), TokenError> {
        self.logout();
        let storage_key = self.try_pin(PinKind::User, pin)?;
        self.change(|document| document.user_pin.tries_left = PIN_TRIES)?;
        self.storage_key = Some(storage_key);
        Ok(())
    }

    fn logout(&mut self) {
        self.storage_key = None;
    }

    fn set_user_pin(&mut self, old: &Pin, new: &Pin) -> Result<(), TokenError> {
        let storage_key = self.try_pin(PinKind::User, old)?;
        let cost = self.document.user_pin.storage_key.cost();
        let slot = seal_slot(&self.document.serial, PinKind::User, new, cost, &storage_key)
            .map_err(|_| TokenError::Cost)?;
        self.change(|document| document.user_pin = slot)
    }

    fn unblock(&mut self, admin: &Pin, new_user: &Pin) -> Result<(), TokenError> {
        let storage_key = self.try_pin(PinKind::Admin, admin)?;
        let cost = self.document.user_pin.storage_key.cost();
        let slot = seal_slot(&self.document.serial, PinKind::User, new_user, cost, &storage_key)
            .map_err(|_| TokenError::Cost)?;
        self.change(|document| {
            document.admin_pin.tries_left = PIN_TRIES;
            document.user_pin = slot;
        })
    }

    fn generate_signing_key(&mut self) -> Result<PublicKey, TokenError> {
        self.needs_login()?;
        if self.document.container.signing_key.is_some() {
            return Err(TokenError::KeyExists(Usage::Signing));
        }
        let key = SigningKey::generate(&mut rng());
        let pair = self.seal_pair(Usage::Signing, &key)?;
        self.change(|document| document.container.signing_key = Some(pair))?;
        Ok(key.public_key().clone())
    }

    fn public_key(&self, usage: Usage) -> Result<Option<PublicKey>, TokenError> {
        let Some(pair) = self.document.key_pair(usage) else {
            return Ok(None);
        };
        let damaged = || self.corrupt("a public key is malformed");
        let point = hex::decode(&pair.public_key).map_err(|_| damaged())?;
        PublicKey::from_sec1(&point).map(Some).map_err(|_| damaged())
    }

    fn sign(&mut self, message: &[u8]) -> Result<Vec<u8>, TokenError> {
        self.private_key(Usage::Signing)?
            .sign_hedged(message, &mut rng())
            .map_err(TokenError::Signature)
    }

    fn decrypt(&mut self, ciphertext: &[u8]) -> Result<Zeroizing<Vec<u8>>, TokenError> {
        self.private_key(Usage::Encryption)?
            .decrypt(ciphertext)
            .map_err(|_| TokenError::Decryption)
    }

    fn decrypt_under(&mut self, session_key: &[u8], blocks: &[u8]) -> Result<Zeroizing<Vec<u8>>, TokenError> {
        let session_key = self.decrypt(session_key)?;
        session_key
            .first_chunk()
            .filter(|_| session_key.len() == KEY_BYTES)
            .and_then(|key| sm4_ecb_decrypt(key, blocks))
            .ok_or(TokenError::Decryption)
    }

    fn import_enveloped_key(&mut self, envelope: &EnvelopedKey) -> Result<PublicKey, TokenError> {
        let key = envelope
            .open(&self.private_key(Usage::Signing)?)
            .map_err(|error| TokenError::Envelope(error.into()))?;
        match self.public_key(Usage::Encryption)? {
            Some(held) if held != *key.public_key() => return Err(TokenError::KeyExists(Usage::Encryption)),
            Some(held) => return Ok(held),
            None => {}
        }
        let pair = self.seal_pair(Usage::Encryption, &key)?;
        self.change(|document| document.container.encryption_key = Some(pair))?;
        Ok(key.public_key().clone())
    }

    fn import_certificate(&mut self, usage: Usage, certificate: &Certificate) -> Result<(), TokenError> {
        self.needs_login()?;
        let held = self.public_key(usage)?.ok_or(TokenError::NoKey(usage))?;
        if Some(&held) != certificate.public_key() {
            return Err(TokenError::CertificateMismatch(usage));
        }
        self.change(|document| *document.certificate_mut(usage) = Some(certificate.to_pem()))
    }

    fn certificate(&self, usage: Usage) -> Result<Option<Certificate>, TokenError> {
        self.document
            .certificate(usage)
            .map(|pem| Certificate::from_pem(pem).map_err(|_| self.corrupt("a certificate is malformed")))
            .transpose()
    }

    fn record(&self, name: &str) -> Result<Option<Vec<u8>>, TokenError> {
        Ok(self.document.records.get(name).map(|record| record.0.clone()))
    }

    fn write_record(&mut self, name: &str, bytes: &[u8]) -> Result<(), TokenError> {
        self.needs_login()?;
        if bytes.len() > RECORD_LIMIT_BYTES {
            return Err(TokenError::RecordTooLong);
        }
        self.change(|document| {
            document.records.insert(name.to_owned(), Base64(bytes.to_vec()));
        })
    }
}

/// What GCM binds sealed bytes to: this token, and what they are in it.
fn purpose(serial: &str, what: &str, rest: &[u8]) -> Vec<u8> {
    [FORMAT.as_bytes(), serial.as_bytes(), what.as_bytes(), rest].join(&0)
}

fn seal_slot(
    serial: &str,
    kind: PinKind,
    pin: &Pin,
    cost: Cost,
    storage_key: &StorageKey,
) -> Result<PinSlot, OpenError> {
    let purpose = purpose(serial, &kind.to_string(), &[]);
    Ok(PinSlot {
        tries_left: PIN_TRIES,
        storage_key: PinSealed::seal(pin, cost, &purpose, storage_key.expose())?,
    })
}

/// A second program would work with a counter that this one is about to change.
fn lock(directory: &Path) -> Result<File, TokenError> {
    let path = directory.join(LOCK);
    let unwritable = |source| TokenError::Unwritable {
        path: path.clone(),
        source,
    };
    let file = private_file::open_for_writing(OpenOptions::new().create(true).truncate(false), &path)
        .map_err(unwritable)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(TokenError::Busy(directory.display().to_string())),
        Err(TryLockError::Error(source)) => Err(unwritable(source)),
    }
}

#[cfg(test)]
mod tests;
