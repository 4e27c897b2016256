//! SM2 (GM/T 0016-2012, 7.6.11 to 7.6.19 and 7.6.23).
use super::{Bool, In, InBytes, Out, OutBytes, Ulong, container::usage, functions, pointer::hand_out};
use crate::{
    Handle, Sar,
    blob::{
        CIPHER_HEADER_BYTES, ENVELOPED_HEADER_BYTES, EccCipher, EccPrivateKeyBlob, EccPublicKeyBlob,
        EccSignatureBlob,
    },
    constants::{MAX_BUFFER_BYTES, MAX_ECC_BYTES},
};
use yinxin_pki::SigningKey;
use zeroize::Zeroizing;

/// An `ECCCIPHERBLOB` as it comes from C: its header says how long it is.
fn cipher(blob: InBytes) -> Result<EccCipher, Sar> {
    let header = blob.read(CIPHER_HEADER_BYTES, CIPHER_HEADER_BYTES)?;
    let length = EccCipher::announced(header.as_slice().try_into().map_err(|_| Sar::Fail)?)?;
    EccCipher::from_blob(&blob.read(CIPHER_HEADER_BYTES + length, CIPHER_HEADER_BYTES + MAX_ECC_BYTES)?)
}

/// A private key from outside; the copy of its blob is wiped.
fn private_key(blob: In<EccPrivateKeyBlob>) -> Result<SigningKey, Sar> {
    Zeroizing::new(blob.read()?).key()
}

functions! {
    /// 7.6.11: makes the signing key pair.
    fn SKF_GenECCKeyPair(container: Handle, algorithm: Ulong, blob: Out<EccPublicKeyBlob>) |library| {
        let place = blob.check()?;
        place.write(EccPublicKeyBlob::new(&library.generate_key_pair(container, algorithm)?));
        Ok(())
    }

    /// 7.6.12: opens and keeps the encryption key pair.
    fn SKF_ImportECCKeyPair(container: Handle, blob: InBytes) |library| {
        let header = blob.read(ENVELOPED_HEADER_BYTES, ENVELOPED_HEADER_BYTES)?;
        let (_, length) = header.split_last_chunk::<4>().ok_or(Sar::Fail)?;
        let length = u32::from_le_bytes(*length);
        if length > MAX_ECC_BYTES {
            return Err(Sar::DataLength);
        }
        library.import_key_pair(container, &blob.read(ENVELOPED_HEADER_BYTES + length, ENVELOPED_HEADER_BYTES + MAX_ECC_BYTES)?)
    }

    /// 7.6.13: signs e.
    fn SKF_ECCSignData(container: Handle, digest: InBytes, length: Ulong, signature: Out<EccSignatureBlob>) |library| {
        let place = signature.check()?;
        place.write(library.sign(container, &digest.read(length, MAX_BUFFER_BYTES)?)?);
        Ok(())
    }

    /// Not in the standard but common: decrypts with the encryption key.
    fn SKF_ECCDecrypt(container: Handle, blob: InBytes, plaintext: OutBytes, length: Out<Ulong>) |library| {
        let room = length.check()?;
        plaintext.deliver(room, &library.decrypt(container, &cipher(blob)?)?).map(|_| ())
    }

    /// 7.6.14: verifies over e.
    fn SKF_ECCVerify(device: Handle, key: In<EccPublicKeyBlob>, digest: InBytes, length: Ulong, signature: In<EccSignatureBlob>) |library| {
        let (key, signature) = (key.read()?.key()?, signature.read()?);
        library.verify(device, &key, &digest.read(length, MAX_BUFFER_BYTES)?, &signature)
    }

    /// 7.6.15: makes a session key and wraps it.
    fn SKF_ECCExportSessionKey(
        container: Handle,
        algorithm: Ulong,
        key: In<EccPublicKeyBlob>,
        wrapped: OutBytes,
        session_key: Out<Handle>,
    ) |library| {
        let (wrapped, place) = (wrapped.check()?, session_key.check()?);
        let (cipher, handle) = library.export_session_key(container, algorithm, &key.read()?.key()?)?;
        wrapped.write(&cipher.to_blob()?);
        hand_out(place, handle);
        Ok(())
    }

    /// 7.6.16: encrypts to a key from outside; the caller has room for 164 bytes and as many as there are to encrypt.
    fn SKF_ExtECCEncrypt(device: Handle, key: In<EccPublicKeyBlob>, plaintext: InBytes, length: Ulong, blob: OutBytes) |library| {
        let place = blob.check()?;
        let plaintext = plaintext.read(length, MAX_ECC_BYTES)?;
        place.write(&library.encrypt_to(device, &key.read()?.key()?, &plaintext)?.to_blob()?);
        Ok(())
    }

    /// 7.6.17: decrypts with a key from outside.
    fn SKF_ExtECCDecrypt(device: Handle, key: In<EccPrivateKeyBlob>, blob: InBytes, plaintext: OutBytes, length: Out<Ulong>) |library| {
        let room = length.check()?;
        plaintext.deliver(room, &library.decrypt_with(device, &private_key(key)?, &cipher(blob)?)?).map(|_| ())
    }

    /// 7.6.18: signs e with a key from outside.
    fn SKF_ExtECCSign(device: Handle, key: In<EccPrivateKeyBlob>, digest: InBytes, length: Ulong, signature: Out<EccSignatureBlob>) |library| {
        let place = signature.check()?;
        let digest = digest.read(length, MAX_BUFFER_BYTES)?;
        place.write(library.sign_with(device, &private_key(key)?, &digest)?);
        Ok(())
    }

    /// 7.6.19: the same as 7.6.14.
    fn SKF_ExtECCVerify(device: Handle, key: In<EccPublicKeyBlob>, digest: InBytes, length: Ulong, signature: In<EccSignatureBlob>) |library| {
        let (key, signature) = (key.read()?.key()?, signature.read()?);
        library.verify(device, &key, &digest.read(length, MAX_BUFFER_BYTES)?, &signature)
    }

    /// 7.6.23: a public key.
    fn SKF_ExportPublicKey(container: Handle, sign: Bool, blob: OutBytes, length: Out<Ulong>) |library| {
        let room = length.check()?;
        let key = library.export_public_key(container, usage(sign))?;
        blob.deliver(room, &EccPublicKeyBlob::new(&key).to_bytes()).map(|_| ())
    }

    /// 7.6.24: opens a wrapped session key with the encryption key.
    fn SKF_ImportSessionKey(container: Handle, algorithm: Ulong, wrapped: InBytes, length: Ulong, session_key: Out<Handle>) |library| {
        let place = session_key.check()?;
        let wrapped = EccCipher::from_blob(&wrapped.read(length, MAX_BUFFER_BYTES)?)?;
        hand_out(place, library.import_session_key(container, algorithm, &wrapped)?);
        Ok(())
    }
}
