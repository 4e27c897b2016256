//! A container: two SM2 key pairs and their certificates.
use std::sync::Arc;

use yinxin_pki::{
    Certificate, EnvelopedKeyBlob, PublicKey,
    der::{DerError, Reader},
};
use zeroize::Zeroizing;

use crate::{
    abi::{BlockCipherParam, Bool, Handle, Opened, SGD_SM4_ECB},
    application::ApplicationHandle,
    blob::{self, PUBLIC_KEY_BYTES, SIGNATURE_BYTES},
    call::{call, closed, filled, length, sized},
    error::Error,
    library::Shared,
    profile::{KeyLayout, SignInput},
};

/// Longest certificate, in bytes.
const CERTIFICATE_LIMIT_BYTES: usize = 16 * 1024;
/// Longest public key blob, in bytes.
const PUBLIC_KEY_LIMIT_BYTES: usize = 1024;
/// Longest message that is encrypted to a token's key directly; more goes under a session key.
const PLAINTEXT_LIMIT_BYTES: usize = 1024;
/// Longest text under a session key.
const CONTENT_LIMIT_BYTES: usize = 4 * 1024 * 1024;
const SM4_BLOCK_BYTES: usize = 16;
/// What one call decrypts, unless the device takes less.
const PART_BYTES: usize = 64 * 1024;
/// The same for a device that does not say what it takes.
const UNSAID_PART_BYTES: usize = 1024;
/// Room behind the standard's structures, for libraries that write longer ones.
const SLACK_BYTES: usize = 256;

/// An open container.
pub struct Container {
    application: Arc<ApplicationHandle>,
    handle: Opened,
}

/// Which of a container's key pairs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyUse {
    /// Made in the token.
    Signing,
    /// Imported.
    Encryption,
}

impl Container {
    pub(crate) fn new(application: &Arc<ApplicationHandle>, handle: Opened) -> Self {
        Self {
            application: Arc::clone(application),
            handle,
        }
    }

    /// Makes the signing pair (`SKF_GenECCKeyPair`), with the first identifier of SM2 that the library knows.
    pub fn generate_signing_key(&self) -> Result<PublicKey, Error> {
        let shared = self.shared();
        let name = shared.functions.gen_ecc_key_pair.name;
        let mut last = Error::missing(name);
        for &identifier in &shared.profile.sm2_signing_ids {
            let mut bytes = [0; PUBLIC_KEY_BYTES + SLACK_BYTES];
            match call!(
                shared,
                gen_ecc_key_pair(self.handle.0, identifier, bytes.as_mut_ptr())
            ) {
                Ok(()) => {
                    return blob::public_key(name, &bytes[..PUBLIC_KEY_BYTES])?
                        .ok_or(Error::misbehaved(name, "it made no key"));
                }
                Err(error) if error.is_about_parameters() => last = error,
                Err(error) => return Err(error),
            }
        }
        Err(last)
    }

    /// A pair's public key (`SKF_ExportPublicKey`), `None` if the pair is not there.
    pub fn public_key(&self, usage: KeyUse) -> Result<Option<PublicKey>, Error> {
        let shared = self.shared();
        let name = shared.functions.export_public_key.name;
        let exported = sized(name, PUBLIC_KEY_LIMIT_BYTES, |bytes, size| {
            call!(
                shared,
                export_public_key(self.handle.0, usage.is_signing(), bytes, size)
            )
        });
        match exported {
            Ok(bytes) if bytes.is_empty() => Ok(None),
            Ok(bytes) => blob::public_key(name, &bytes),
            Err(Error::Absent(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Signs a message, DER `SM2Signature` (`SKF_ECCSignData`); `key` is the signing pair's. Z is added here, or by the
    /// library where its profile says so.
    pub fn sign(&self, key: &PublicKey, message: &[u8]) -> Result<Vec<u8>, Error> {
        match self.shared().profile.sign_input {
            SignInput::Digest => self.sign_input(&key.message_digest(message)),
            SignInput::Message => self.sign_input(message),
        }
    }

    fn sign_input(&self, input: &[u8]) -> Result<Vec<u8>, Error> {
        let shared = self.shared();
        let mut input = input.to_vec();
        let size = length(&input);
        let mut bytes = [0; SIGNATURE_BYTES + SLACK_BYTES];
        call!(
            shared,
            ecc_sign_data(self.handle.0, input.as_mut_ptr(), size, bytes.as_mut_ptr())
        )?;
        let name = shared.functions.ecc_sign_data.name;
        match bytes.first_chunk() {
            Some(signature) => blob::signature(name, signature),
            None => Err(Error::misbehaved(name, "a signature that is too short")),
        }
    }

    /// Opens an enveloped key with the signing pair and keeps it as the encryption pair (`SKF_ImportECCKeyPair`).
    pub fn import_enveloped_key(&self, enveloped: &EnvelopedKeyBlob) -> Result<(), Error> {
        let mut bytes = enveloped.as_bytes().to_vec();
        bytes.resize(bytes.len() + SLACK_BYTES, 0);
        call!(
            self.shared(),
            import_ecc_key_pair(self.handle.0, bytes.as_mut_ptr())
        )
    }

    /// Keeps a pair's certificate, in place of an earlier one (`SKF_ImportCertificate`).
    pub fn import_certificate(&self, usage: KeyUse, certificate: &Certificate) -> Result<(), Error> {
        let mut der = certificate.as_der().to_vec();
        let size = length(&der);
        call!(
            self.shared(),
            import_certificate(self.handle.0, usage.is_signing(), der.as_mut_ptr(), size)
        )
    }

    /// A pair's certificate, DER (`SKF_ExportCertificate`), `None` if there is none.
    pub fn certificate(&self, usage: KeyUse) -> Result<Option<Vec<u8>>, Error> {
        let shared = self.shared();
        let name = shared.functions.export_certificate.name;
        let exported = sized(name, CERTIFICATE_LIMIT_BYTES, |bytes, size| {
            call!(
                shared,
                export_certificate(self.handle.0, usage.is_signing(), bytes, size)
            )
        });
        match exported {
            Ok(bytes) if bytes.is_empty() => Ok(None),
            // Some tokens give back the whole file that it lies in.
            Ok(bytes) => match Reader::new(&bytes).any() {
                Ok(certificate) => Ok(Some(certificate.raw.to_vec())),
                Err(_) => Err(Error::misbehaved(name, "a certificate that is not DER")),
            },
            Err(Error::Absent(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Decrypts a DER `SM2Cipher` with the encryption pair (`SKF_ECCDecrypt`, which is no function of the standard but
    /// in most libraries). The outer error says that the ciphertext is malformed, or longer than a kilobyte.
    pub fn decrypt(&self, ciphertext: &[u8]) -> Result<Result<Zeroizing<Vec<u8>>, Error>, DerError> {
        let shared = self.shared();
        let (mut cipher, plaintext_bytes) = blob::cipher(ciphertext, PLAINTEXT_LIMIT_BYTES)?;
        let name = shared.functions.ecc_decrypt.name;
        Ok(filled(name, plaintext_bytes, |plaintext, size| {
            call!(
                shared,
                ecc_decrypt(self.handle.0, cipher.as_mut_ptr(), plaintext, size)
            )
        }))
    }

    /// Decrypts whole blocks, SM4-ECB, under a session key that is encrypted to the encryption pair (DER `SM2Cipher`):
    /// the standard's own way, in which no plaintext key leaves the token (`SKF_ImportSessionKey`, `SKF_Decrypt`).
    pub fn decrypt_under(
        &self,
        session_key: &[u8],
        blocks: &[u8],
    ) -> Result<Result<Zeroizing<Vec<u8>>, Error>, DerError> {
        let (cipher, _) = blob::cipher(session_key, PLAINTEXT_LIMIT_BYTES)?;
        if blocks.len() > CONTENT_LIMIT_BYTES {
            return Err(DerError::Value);
        }
        Ok(self
            .session(cipher)
            .and_then(|session| session.decrypt(blocks, self.part_bytes())))
    }

    fn session(&self, mut cipher: Vec<u8>) -> Result<SessionKey<'_>, Error> {
        let mut handle = std::ptr::null_mut();
        let size = length(&cipher);
        call!(
            self.shared(),
            import_session_key(
                self.handle.0,
                SGD_SM4_ECB,
                cipher.as_mut_ptr(),
                size,
                &raw mut handle
            )
        )?;
        Ok(SessionKey {
            shared: self.shared(),
            handle,
        })
    }

    /// How much of a content one call takes: whole blocks, and no more than the device says.
    fn part_bytes(&self) -> usize {
        let most = match self.application.device.buffer_bytes.get() {
            None | Some(0) => UNSAID_PART_BYTES,
            Some(&bytes) => (bytes as usize).clamp(SM4_BLOCK_BYTES, PART_BYTES),
        };
        most - most % SM4_BLOCK_BYTES
    }

    fn shared(&self) -> &Shared {
        &self.application.device.shared
    }
}

/// A session key in the token.
struct SessionKey<'a> {
    shared: &'a Shared,
    handle: Handle,
}

impl SessionKey<'_> {
    /// The blocks stand each for itself, so each part is a message of its own.
    fn decrypt(&self, blocks: &[u8], part_bytes: usize) -> Result<Zeroizing<Vec<u8>>, Error> {
        // Room for all of it from the start: a buffer that grows leaves copies behind.
        let mut plaintext = Zeroizing::new(Vec::with_capacity(blocks.len()));
        for part in blocks.chunks(part_bytes) {
            plaintext.extend_from_slice(&self.decrypt_part(part)?);
        }
        Ok(plaintext)
    }

    fn decrypt_part(&self, blocks: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
        let no_padding = BlockCipherParam {
            iv: [0; 32],
            iv_bytes: 0,
            padding: 0,
            feed_bits: 0,
        };
        call!(self.shared, decrypt_init(self.handle, no_padding))?;
        let mut blocks = blocks.to_vec();
        let size = length(&blocks);
        let name = self.shared.functions.decrypt.name;
        filled(name, blocks.len(), |plaintext, came| {
            call!(
                self.shared,
                decrypt(self.handle, blocks.as_mut_ptr(), size, plaintext, came)
            )
        })
    }
}

impl Drop for SessionKey<'_> {
    fn drop(&mut self) {
        closed(&call!(self.shared, close_handle(self.handle)));
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        closed(&call!(self.shared(), close_container(self.handle.0)));
    }
}

impl KeyUse {
    /// `bSignFlag`.
    fn is_signing(self) -> Bool {
        Bool::from(self == Self::Signing)
    }
}

impl From<KeyLayout> for yinxin_pki::skf_blob::Layout {
    fn from(layout: KeyLayout) -> Self {
        match layout {
            KeyLayout::Right => Self::RightAligned,
            KeyLayout::Left => Self::LeftAligned,
        }
    }
}
