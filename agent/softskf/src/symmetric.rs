//! Session keys, SM4 and SM3 (GM/T 0016-2012, 7.6.15 and 7.6.24 to 7.6.37).
use std::sync::{Arc, Mutex};

use rand_core::Rng as _;
use sm3::{Digest as _, Sm3};
use yinxin_pki::PublicKey;
use zeroize::Zeroizing;

use crate::{
    CipherParameters, Delivered, Handle, Library, Sar, Usage,
    blob::EccCipher,
    constants::{MAX_BUFFER_BYTES, SGD_SM3},
    device::Connection,
    handles::{Object, lock},
    stream::{Algorithm, BLOCK_BYTES, Direction, Stream},
    vault::rng,
};

/// A symmetric key and the messages that are on their way under it.
pub struct SessionKey {
    pub connection: Arc<Connection>,
    algorithm: Algorithm,
    key: Zeroizing<[u8; BLOCK_BYTES]>,
    encrypting: Mutex<Option<Stream>>,
    decrypting: Mutex<Option<Stream>>,
}

/// A digest on its way; none when it was given out.
pub struct Digest {
    pub connection: Arc<Connection>,
    state: Mutex<Option<Sm3>>,
}

impl SessionKey {
    fn stream(&self, direction: Direction) -> &Mutex<Option<Stream>> {
        match direction {
            Direction::Encrypt => &self.encrypting,
            Direction::Decrypt => &self.decrypting,
        }
    }
}

fn within_limit(bytes: &[u8]) -> Result<(), Sar> {
    (bytes.len() <= MAX_BUFFER_BYTES as usize)
        .then_some(())
        .ok_or(Sar::DataLength)
}

impl Library {
    fn insert_key(
        &self,
        connection: Arc<Connection>,
        algorithm: Algorithm,
        key: &[u8],
    ) -> Result<Handle, Sar> {
        let key = Zeroizing::new(key.try_into().map_err(|_| Sar::DataLength)?);
        self.handles.insert(Object::Key(Arc::new(SessionKey {
            connection,
            algorithm,
            key,
            encrypting: Mutex::default(),
            decrypting: Mutex::default(),
        })))
    }

    /// `SKF_SetSymmKey`: a key in the clear, of 16 bytes.
    pub fn set_key(&self, device: Handle, algorithm: u32, key: &[u8]) -> Result<Handle, Sar> {
        let connection = self.connection(device)?;
        self.insert_key(connection, Algorithm::of(algorithm)?, key)
    }

    /// `SKF_ImportSessionKey`: opens a wrapped key with the encryption key. Needs the login.
    pub fn import_session_key(
        &self,
        container: Handle,
        algorithm: u32,
        wrapped: &EccCipher,
    ) -> Result<Handle, Sar> {
        let open = self.container(container)?;
        let algorithm = Algorithm::of(algorithm)?;
        let key = open
            .private_key(Usage::Encryption)?
            .decrypt(&wrapped.to_der())
            .map_err(|_| Sar::Data)?;
        self.insert_key(open.application.connection.clone(), algorithm, &key)
    }

    /// `SKF_ECCExportSessionKey`: makes a key and wraps it to a public key from outside.
    pub fn export_session_key(
        &self,
        container: Handle,
        algorithm: u32,
        to: &PublicKey,
    ) -> Result<(EccCipher, Handle), Sar> {
        let open = self.container(container)?;
        let algorithm = Algorithm::of(algorithm)?;
        let mut key = Zeroizing::new([0; BLOCK_BYTES]);
        rng().fill_bytes(&mut key[..]);
        let wrapped = to.encrypt(&key[..], &mut rng()).map_err(|_| Sar::Data)?;
        let handle = self.insert_key(open.application.connection.clone(), algorithm, &key[..])?;
        Ok((EccCipher::from_der(&wrapped)?, handle))
    }

    /// `SKF_EncryptInit`, `SKF_DecryptInit`: starts a message anew.
    pub fn cipher_init(
        &self,
        key: Handle,
        direction: Direction,
        parameters: &CipherParameters,
    ) -> Result<(), Sar> {
        let key = self.session_key(key)?;
        let stream = Stream::new(&key.key, key.algorithm, direction, parameters)?;
        *lock(key.stream(direction)) = Some(stream);
        Ok(())
    }

    /// `SKF_EncryptUpdate`, `SKF_DecryptUpdate`. The piece counts only when its answer was delivered.
    pub fn cipher_update(
        &self,
        key: Handle,
        direction: Direction,
        piece: &[u8],
        deliver: impl FnOnce(&[u8]) -> Result<Delivered, Sar>,
    ) -> Result<(), Sar> {
        let key = self.session_key(key)?;
        within_limit(piece)?;
        let mut place = lock(key.stream(direction));
        let mut stream = place.clone().ok_or(Sar::NotInitialised)?;
        let out = stream.update(piece);
        if deliver(&out)? == Delivered::Bytes {
            *place = Some(stream);
        }
        Ok(())
    }

    /// `SKF_EncryptFinal`, `SKF_DecryptFinal`; with a last piece `SKF_Encrypt`, `SKF_Decrypt`. The message ends when its answer was delivered.
    pub fn cipher_finish(
        &self,
        key: Handle,
        direction: Direction,
        piece: &[u8],
        deliver: impl FnOnce(&[u8]) -> Result<Delivered, Sar>,
    ) -> Result<(), Sar> {
        let key = self.session_key(key)?;
        within_limit(piece)?;
        let mut place = lock(key.stream(direction));
        let mut stream = place.clone().ok_or(Sar::NotInitialised)?;
        let (head, tail) = (stream.update(piece), stream.finish()?);
        // One buffer of the right size: one that grows leaves copies behind.
        let mut out = Zeroizing::new(Vec::with_capacity(head.len() + tail.len()));
        out.extend_from_slice(&head);
        out.extend_from_slice(&tail);
        if deliver(&out)? == Delivered::Bytes {
            *place = None;
        }
        Ok(())
    }

    /// `SKF_DigestInit`: SM3; with a signer, whose identity is not empty, over Z first (GM/T 0009-2012, 8.1).
    pub fn digest_init(
        &self,
        device: Handle,
        algorithm: u32,
        signer: Option<(&PublicKey, &str)>,
    ) -> Result<Handle, Sar> {
        let connection = self.connection(device)?;
        if algorithm != SGD_SM3 {
            return Err(Sar::NotSupported);
        }
        let mut state = Sm3::new();
        if let Some((key, id)) = signer.filter(|(_, id)| !id.is_empty()) {
            state.update(key.z_as(id).ok_or(Sar::DataLength)?);
        }
        self.handles.insert(Object::Digest(Arc::new(Digest {
            connection,
            state: Mutex::new(Some(state)),
        })))
    }

    /// `SKF_DigestUpdate`.
    pub fn digest_update(&self, digest: Handle, piece: &[u8]) -> Result<(), Sar> {
        let digest = self.digest_object(digest)?;
        within_limit(piece)?;
        lock(&digest.state).as_mut().ok_or(Sar::HashObject)?.update(piece);
        Ok(())
    }

    /// `SKF_DigestFinal`; with a last piece `SKF_Digest`. The digest is given once.
    pub fn digest_finish(
        &self,
        digest: Handle,
        piece: &[u8],
        deliver: impl FnOnce(&[u8]) -> Result<Delivered, Sar>,
    ) -> Result<(), Sar> {
        let digest = self.digest_object(digest)?;
        within_limit(piece)?;
        let mut place = lock(&digest.state);
        let state = place.clone().ok_or(Sar::HashObject)?;
        if deliver(&state.chain_update(piece).finalize())? == Delivered::Bytes {
            *place = None;
        }
        Ok(())
    }

    /// `SKF_CloseHandle`: of a session key or a digest.
    pub fn close_handle(&self, handle: Handle) -> Result<(), Sar> {
        self.close(
            handle,
            |object| matches!(object, Object::Key(_) | Object::Digest(_)),
            |_, _| false,
        )
    }
}
