//! SM4 and SM3 (GM/T 0016-2012, 7.6.25 to 7.6.37 and 7.6.42).
use super::{In, InBytes, Out, OutBytes, Ulong, functions, pointer::hand_out};
use crate::{
    CipherParameters, Handle, Sar,
    blob::{BlockCipherParam, EccPublicKeyBlob},
    constants::{MAX_BUFFER_BYTES, MAX_ID_BYTES},
    stream::{
        Direction::{Decrypt, Encrypt},
        KEY_LENGTH,
    },
};

functions! {
    /// 7.6.25: a key in the clear, of 16 bytes: nothing beside it says how long it is.
    fn SKF_SetSymmKey(device: Handle, key: InBytes, algorithm: Ulong, session_key: Out<Handle>) |library| {
        let place = session_key.check()?;
        hand_out(place, library.set_key(device, algorithm, &key.read(KEY_LENGTH, KEY_LENGTH)?)?);
        Ok(())
    }

    /// 7.6.26: starts to encrypt.
    fn SKF_EncryptInit(key: Handle, parameters: BlockCipherParam) |library| {
        library.cipher_init(key, Encrypt, &CipherParameters::of(&parameters)?)
    }

    /// 7.6.27: encrypts the last, or only, piece.
    fn SKF_Encrypt(key: Handle, data: InBytes, length: Ulong, out: OutBytes, out_len: Out<Ulong>) |library| {
        let (data, room) = (data.read(length, MAX_BUFFER_BYTES)?, out_len.check()?);
        library.cipher_finish(key, Encrypt, &data, |bytes| out.deliver(room, bytes))
    }

    /// 7.6.28: encrypts a piece.
    fn SKF_EncryptUpdate(key: Handle, data: InBytes, length: Ulong, out: OutBytes, out_len: Out<Ulong>) |library| {
        let (data, room) = (data.read(length, MAX_BUFFER_BYTES)?, out_len.check()?);
        library.cipher_update(key, Encrypt, &data, |bytes| out.deliver(room, bytes))
    }

    /// 7.6.29: ends it.
    fn SKF_EncryptFinal(key: Handle, out: OutBytes, out_len: Out<Ulong>) |library| {
        let room = out_len.check()?;
        library.cipher_finish(key, Encrypt, &[], |bytes| out.deliver(room, bytes))
    }

    /// 7.6.30: starts to decrypt.
    fn SKF_DecryptInit(key: Handle, parameters: BlockCipherParam) |library| {
        library.cipher_init(key, Decrypt, &CipherParameters::of(&parameters)?)
    }

    /// 7.6.31: decrypts the last, or only, piece.
    fn SKF_Decrypt(key: Handle, data: InBytes, length: Ulong, out: OutBytes, out_len: Out<Ulong>) |library| {
        let (data, room) = (data.read(length, MAX_BUFFER_BYTES)?, out_len.check()?);
        library.cipher_finish(key, Decrypt, &data, |bytes| out.deliver(room, bytes))
    }

    /// 7.6.32: decrypts a piece.
    fn SKF_DecryptUpdate(key: Handle, data: InBytes, length: Ulong, out: OutBytes, out_len: Out<Ulong>) |library| {
        let (data, room) = (data.read(length, MAX_BUFFER_BYTES)?, out_len.check()?);
        library.cipher_update(key, Decrypt, &data, |bytes| out.deliver(room, bytes))
    }

    /// 7.6.33: ends it.
    fn SKF_DecryptFinal(key: Handle, out: OutBytes, out_len: Out<Ulong>) |library| {
        let room = out_len.check()?;
        library.cipher_finish(key, Decrypt, &[], |bytes| out.deliver(room, bytes))
    }

    /// 7.6.34: starts a digest; over Z first when there is a signer with an identity.
    fn SKF_DigestInit(device: Handle, algorithm: Ulong, key: In<EccPublicKeyBlob>, id: InBytes, id_len: Ulong, digest: Out<Handle>) |library| {
        let place = digest.check()?;
        let id = id.read(id_len, MAX_ID_BYTES)?;
        let id = std::str::from_utf8(&id).map_err(|_| Sar::InvalidParameter)?;
        let key = key.optional().filter(|_| !id.is_empty()).map(|blob| blob.key()).transpose()?;
        hand_out(place, library.digest_init(device, algorithm, key.as_ref().map(|key| (key, id)))?);
        Ok(())
    }

    /// 7.6.35: takes the last, or only, piece and gives the digest.
    fn SKF_Digest(digest: Handle, data: InBytes, length: Ulong, out: OutBytes, out_len: Out<Ulong>) |library| {
        let (data, room) = (data.read(length, MAX_BUFFER_BYTES)?, out_len.check()?);
        library.digest_finish(digest, &data, |bytes| out.deliver(room, bytes))
    }

    /// 7.6.36: takes a piece.
    fn SKF_DigestUpdate(digest: Handle, data: InBytes, length: Ulong) |library| {
        library.digest_update(digest, &data.read(length, MAX_BUFFER_BYTES)?)
    }

    /// 7.6.37: gives the digest.
    fn SKF_DigestFinal(digest: Handle, out: OutBytes, out_len: Out<Ulong>) |library| {
        let room = out_len.check()?;
        library.digest_finish(digest, &[], |bytes| out.deliver(room, bytes))
    }

    /// 7.6.42: closes a session key or a digest.
    fn SKF_CloseHandle(handle: Handle) |library| {
        library.close_handle(handle)
    }
}
