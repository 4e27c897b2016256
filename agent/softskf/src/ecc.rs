//! SM2 (GM/T 0016-2012, 7.6.11 to 7.6.19, and the common `SKF_ECCDecrypt`).
use yinxin_pki::{
    Certificate, EnvelopedKeyBlob, PublicKey, SigningKey, enveloped_key::EnvelopeError, skf_blob::BlobError,
};
use zeroize::Zeroizing;

use crate::{
    Handle, Library, Sar, Usage,
    blob::{EccCipher, EccSignatureBlob},
    constants::{MAX_ECC_BYTES, SGD_SM2_1, SGD_SM2_1_DRAFT},
    vault::{Base64, rng},
};

/// A digest e = SM3(Z ‖ M).
const DIGEST_BYTES: usize = 32;

fn digest(bytes: &[u8]) -> Result<&[u8; DIGEST_BYTES], Sar> {
    bytes.try_into().map_err(|_| Sar::DataLength)
}

fn fits(certificate: &Base64, key: &PublicKey) -> bool {
    Certificate::from_der(&certificate.0).is_ok_and(|certificate| certificate.public_key() == Some(key))
}

impl Library {
    /// `SKF_GenECCKeyPair`: makes the signing pair, in place of an earlier one, as hardware does; its certificate goes with it. Needs the login.
    pub fn generate_key_pair(&self, container: Handle, algorithm: u32) -> Result<PublicKey, Sar> {
        let container = self.container(container)?;
        container.application.user_key()?;
        if ![SGD_SM2_1, SGD_SM2_1_DRAFT].contains(&algorithm) {
            return Err(Sar::InvalidParameter);
        }
        let key = SigningKey::generate(&mut rng());
        let pair = container.seal_pair(Usage::Signing, &key)?;
        container.change(|held| {
            held.signing_key = Some(pair);
            held.signing_certificate = None;
            Ok(())
        })?;
        Ok(key.public_key().clone())
    }

    /// `SKF_ImportECCKeyPair`: opens an `ENVELOPEDKEYBLOB` with the signing key and keeps the encryption pair, in place of an earlier one, whose
    /// certificate goes with it. Needs the login.
    pub fn import_key_pair(&self, container: Handle, blob: &[u8]) -> Result<(), Sar> {
        let container = self.container(container)?;
        let signing = container.private_key(Usage::Signing)?;
        let enveloped = EnvelopedKeyBlob::from_bytes(blob).and_then(|blob| blob.to_enveloped_key());
        let enveloped = enveloped.map_err(|error| match error {
            BlobError::Length => Sar::DataLength,
            BlobError::UnsupportedCipher => Sar::NotSupported,
            _ => Sar::Data,
        })?;
        let key = enveloped.open(&signing).map_err(|error| match error {
            EnvelopeError::UnsupportedCipher => Sar::NotSupported,
            _ => Sar::Data,
        })?;
        let pair = container.seal_pair(Usage::Encryption, &key)?;
        container.change(|held| {
            held.encryption_key = Some(pair);
            held.encryption_certificate = held
                .encryption_certificate
                .take_if(|held| fits(held, key.public_key()));
            Ok(())
        })
    }

    /// `SKF_ECCSignData`: signs e = SM3(Z ‖ M), which the caller has computed. Needs the login.
    pub fn sign(&self, container: Handle, e: &[u8]) -> Result<EccSignatureBlob, Sar> {
        let key = self.container(container)?.private_key(Usage::Signing)?;
        let signature = key.sign_digest(digest(e)?).map_err(|_| Sar::Fail)?;
        EccSignatureBlob::from_der(&signature)
    }

    /// `SKF_ECCDecrypt`: with the encryption key. Needs the login.
    pub fn decrypt(&self, container: Handle, cipher: &EccCipher) -> Result<Zeroizing<Vec<u8>>, Sar> {
        let key = self.container(container)?.private_key(Usage::Encryption)?;
        key.decrypt(&cipher.to_der()).map_err(|_| Sar::Data)
    }

    /// `SKF_ECCVerify` and `SKF_ExtECCVerify`: over e.
    pub fn verify(
        &self,
        device: Handle,
        key: &PublicKey,
        e: &[u8],
        signature: &EccSignatureBlob,
    ) -> Result<(), Sar> {
        self.connection(device)?;
        key.verify_digest(digest(e)?, &signature.to_der()?)
            .map_err(|_| Sar::HashNotEqual)
    }

    /// `SKF_ExtECCEncrypt`.
    pub fn encrypt_to(&self, device: Handle, key: &PublicKey, plaintext: &[u8]) -> Result<EccCipher, Sar> {
        self.connection(device)?;
        if plaintext.is_empty() || plaintext.len() > MAX_ECC_BYTES as usize {
            return Err(Sar::DataLength);
        }
        let der = key.encrypt(plaintext, &mut rng()).map_err(|_| Sar::Data)?;
        EccCipher::from_der(&der)
    }

    /// `SKF_ExtECCDecrypt`: with a key from outside.
    pub fn decrypt_with(
        &self,
        device: Handle,
        key: &SigningKey,
        cipher: &EccCipher,
    ) -> Result<Zeroizing<Vec<u8>>, Sar> {
        self.connection(device)?;
        key.decrypt(&cipher.to_der()).map_err(|_| Sar::Data)
    }

    /// `SKF_ExtECCSign`: with a key from outside.
    pub fn sign_with(&self, device: Handle, key: &SigningKey, e: &[u8]) -> Result<EccSignatureBlob, Sar> {
        self.connection(device)?;
        let signature = key.sign_digest(digest(e)?).map_err(|_| Sar::Fail)?;
        EccSignatureBlob::from_der(&signature)
    }
}

#[cfg(test)]
mod tests;
