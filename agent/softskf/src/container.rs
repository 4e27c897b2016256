//! Containers, their key pairs and certificates (GM/T 0016-2012, 7.5).
use std::sync::Arc;

use yinxin_pki::{Certificate, PublicKey, SigningKey};
use zeroize::Zeroizing;

use crate::{
    Handle, Library, Sar, Usage,
    application::{OpenApplication, new_id},
    constants::{
        CONTAINER_ECC, CONTAINER_EMPTY, MAX_CERTIFICATE_BYTES, MAX_CONTAINER_NAME_BYTES, MAX_CONTAINERS,
    },
    document::{Container, KeyPair, purpose},
    handles::Object,
    vault::Base64,
};

/// An open container.
pub struct OpenContainer {
    pub application: Arc<OpenApplication>,
    id: String,
}

impl OpenContainer {
    pub fn read(&self) -> Result<Container, Sar> {
        self.application.read()?.container(&self.id).cloned()
    }

    pub fn change<T>(&self, change: impl FnOnce(&mut Container) -> Result<T, Sar>) -> Result<T, Sar> {
        self.application
            .change(|held| change(held.container_mut(&self.id)?))
    }

    /// The public key is part of the purpose: a public key exchanged in the file is noticed.
    fn key_purpose(&self, usage: Usage, public_key: &str) -> Vec<u8> {
        let what = match usage {
            Usage::Signing => "signing key",
            Usage::Encryption => "encryption key",
        };
        purpose(
            &self.application.id,
            what,
            &[self.id.as_bytes(), public_key.as_bytes()].concat(),
        )
    }

    /// A private key; needs the login.
    pub fn private_key(&self, usage: Usage) -> Result<SigningKey, Sar> {
        let storage_key = self.application.user_key()?;
        let held = self.read()?;
        let pair = held.key_pair(usage).ok_or(Sar::KeyNotFound)?;
        let scalar = storage_key
            .open(&self.key_purpose(usage, &pair.public_key), &pair.private_key)
            .map_err(|_| Sar::File)?;
        let scalar = Zeroizing::new(<[u8; 32]>::try_from(scalar.as_slice()).map_err(|_| Sar::File)?);
        SigningKey::from_scalar(&scalar).map_err(|_| Sar::File)
    }

    /// A key pair as it is kept; needs the login.
    pub fn seal_pair(&self, usage: Usage, key: &SigningKey) -> Result<KeyPair, Sar> {
        let storage_key = self.application.user_key()?;
        let public_key = hex::encode(key.public_key().to_sec1());
        let private_key = storage_key.seal(&self.key_purpose(usage, &public_key), key.to_scalar().as_slice());
        Ok(KeyPair {
            public_key,
            private_key,
        })
    }
}

impl KeyPair {
    /// The public half.
    pub fn public_key(&self) -> Result<PublicKey, Sar> {
        let point = hex::decode(&self.public_key).map_err(|_| Sar::File)?;
        PublicKey::from_sec1(&point).map_err(|_| Sar::File)
    }
}

impl Library {
    /// `SKF_CreateContainer`; the application's rights say who may.
    pub fn create_container(&self, application: Handle, name: &str) -> Result<Handle, Sar> {
        let application = self.application(application)?;
        if name.is_empty() || name.len() > MAX_CONTAINER_NAME_BYTES {
            return Err(Sar::NameLength);
        }
        let id = application.change(|held| {
            application.allowed(held.create_rights)?;
            if held.containers.iter().any(|container| container.name == name) {
                return Err(Sar::Exists);
            }
            if held.containers.len() >= MAX_CONTAINERS {
                return Err(Sar::TooManyContainers);
            }
            let id = new_id();
            held.containers.push(Container {
                name: name.to_owned(),
                id: id.clone(),
                signing_key: None,
                encryption_key: None,
                signing_certificate: None,
                encryption_certificate: None,
            });
            Ok(id)
        })?;
        self.insert_container(application, id)
    }

    fn insert_container(&self, application: Arc<OpenApplication>, id: String) -> Result<Handle, Sar> {
        self.handles
            .insert(Object::Container(Arc::new(OpenContainer { application, id })))
    }

    /// `SKF_DeleteContainer`: with its keys and certificates.
    pub fn delete_container(&self, application: Handle, name: &str) -> Result<(), Sar> {
        let application = self.application(application)?;
        application.change(|held| {
            application.allowed(held.create_rights)?;
            let place = held
                .containers
                .iter()
                .position(|container| container.name == name);
            held.containers.remove(place.ok_or(Sar::Missing)?);
            Ok(())
        })
    }

    /// `SKF_OpenContainer`.
    pub fn open_container(&self, application: Handle, name: &str) -> Result<Handle, Sar> {
        let application = self.application(application)?;
        let held = application
            .read()?
            .containers
            .into_iter()
            .find(|container| container.name == name);
        self.insert_container(application, held.ok_or(Sar::Missing)?.id)
    }

    /// `SKF_CloseContainer`.
    pub fn close_container(&self, container: Handle) -> Result<(), Sar> {
        self.close(
            container,
            |object| matches!(object, Object::Container(_)),
            |_, _| false,
        )
    }

    /// `SKF_EnumContainer`.
    pub fn containers(&self, application: Handle) -> Result<Vec<String>, Sar> {
        let held = self.application(application)?.read()?;
        Ok(held
            .containers
            .into_iter()
            .map(|container| container.name)
            .collect())
    }

    /// `SKF_GetContainerType`.
    pub fn container_type(&self, container: Handle) -> Result<u32, Sar> {
        let held = self.container(container)?.read()?;
        let has_keys = held.signing_key.is_some() || held.encryption_key.is_some();
        Ok(if has_keys { CONTAINER_ECC } else { CONTAINER_EMPTY })
    }

    /// `SKF_ImportCertificate`, DER, in place of an earlier one; needs the login. A signing certificate has to be one for the key that is there.
    /// An encryption certificate may come before its key: both orders are common.
    pub fn import_certificate(&self, container: Handle, usage: Usage, der: &[u8]) -> Result<(), Sar> {
        let container = self.container(container)?;
        container.application.user_key()?;
        if der.len() > MAX_CERTIFICATE_BYTES as usize {
            return Err(Sar::DataLength);
        }
        let certificate = Certificate::from_der(der).map_err(|_| Sar::Data)?;
        container.change(|held| {
            if usage == Usage::Signing {
                let key = held.key_pair(usage).ok_or(Sar::KeyNotFound)?.public_key()?;
                if certificate.public_key() != Some(&key) {
                    return Err(Sar::Data);
                }
            }
            *held.certificate_mut(usage) = Some(Base64(der.to_vec()));
            Ok(())
        })
    }

    /// `SKF_ExportCertificate`, DER.
    pub fn export_certificate(&self, container: Handle, usage: Usage) -> Result<Vec<u8>, Sar> {
        let held = self.container(container)?.read()?;
        held.certificate(usage)
            .map(|der| der.0.clone())
            .ok_or(Sar::CertificateNotFound)
    }

    /// `SKF_ExportPublicKey`.
    pub fn export_public_key(&self, container: Handle, usage: Usage) -> Result<PublicKey, Sar> {
        let held = self.container(container)?.read()?;
        held.key_pair(usage).ok_or(Sar::KeyNotFound)?.public_key()
    }
}
