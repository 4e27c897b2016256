//! The record between deciding and signing.

use std::fmt;

use rand_core::CryptoRng;
use serde::{Deserialize, Serialize};
use yinxin_pki::digest::sm3_parts;
use yinxin_pki::{PublicKey, SigningKey, Zeroizing};

use crate::bytes;
use crate::error::CaError;
use crate::sealer::{SealError, Sealer};

/// All that was decided about one request: recorded before anything is signed, and enough to complete it.
///
/// The escrowed key is sealed under a digest of all the other fields: a record of which anything was changed does
/// not open, and is not signed.
///
/// This type is used in stored state.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prepared {
    /// The request's id.
    pub request_id: String,
    /// The vendor.
    pub vendor: String,
    /// Serial number of the signing certificate, lower-case hexadecimal, 32 characters.
    pub signing_serial: String,
    /// Serial number of the encryption certificate, likewise.
    pub encryption_serial: String,
    /// To-be-signed bytes of the signing certificate, DER.
    #[serde(with = "bytes")]
    pub signing_tbs: Vec<u8>,
    /// To-be-signed bytes of the encryption certificate, DER.
    #[serde(with = "bytes")]
    pub encryption_tbs: Vec<u8>,
    /// The encryption key pair, enveloped to the signing key, DER.
    #[serde(with = "bytes")]
    pub enveloped_key: Vec<u8>,
    /// SM3 of the request that proved possession, 32 bytes.
    #[serde(with = "bytes")]
    pub csr_sm3: Vec<u8>,
    /// The encryption private key (32 bytes) in escrow, sealed.
    #[serde(with = "bytes")]
    pub sealed_key: Vec<u8>,
}

impl Prepared {
    /// Puts the encryption private key into escrow.
    pub(crate) fn seal(
        &mut self,
        key: &SigningKey,
        sealer: &dyn Sealer,
        rng: &mut dyn CryptoRng,
    ) -> Result<(), CaError> {
        let context = self.context();
        self.sealed_key = sealer
            .seal(&context, &key.to_scalar()[..], rng)
            .map_err(CaError::Escrow)?;
        Ok(())
    }

    /// The encryption private key out of escrow; for completing, and for recovery to a new token.
    pub fn escrowed_key(&self, sealer: &dyn Sealer) -> Result<SigningKey, CaError> {
        let secret = sealer
            .open(&self.context(), &self.sealed_key)
            .map_err(|error| match error {
                SealError::Refused => CaError::Record,
                SealError::Unavailable => CaError::Escrow(error),
            })?;
        let scalar = <[u8; 32]>::try_from(secret.as_slice()).map_err(|_| CaError::Record)?;
        SigningKey::from_scalar(&Zeroizing::new(scalar)).map_err(|_| CaError::Record)
    }

    /// The escrowed key enveloped to another signing key, DER: the holder got a new token.
    pub fn envelope_again(
        &self,
        signing: &PublicKey,
        sealer: &dyn Sealer,
        rng: &mut dyn CryptoRng,
    ) -> Result<Vec<u8>, CaError> {
        let key = self.escrowed_key(sealer)?;
        Ok(yinxin_pki::EnvelopedKey::seal(&key, signing, rng)
            .as_der()
            .to_vec())
    }

    /// What the escrowed key is bound to. Each field stands with its length, so that none can run into the next.
    fn context(&self) -> [u8; 32] {
        let fields: [&[u8]; 8] = [
            self.request_id.as_bytes(),
            self.vendor.as_bytes(),
            self.signing_serial.as_bytes(),
            self.encryption_serial.as_bytes(),
            &self.signing_tbs,
            &self.encryption_tbs,
            &self.enveloped_key,
            &self.csr_sm3,
        ];
        let lengths = fields.map(|field| field.len().to_be_bytes());
        let mut parts: Vec<&[u8]> = vec![b"yinxin prepared 1"];
        for (length, field) in lengths.iter().zip(fields) {
            parts.extend([&length[..], field]);
        }
        sm3_parts(&parts)
    }
}

// To-be-signed bytes name people.
impl fmt::Debug for Prepared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prepared")
            .field("request_id", &self.request_id)
            .field("vendor", &self.vendor)
            .field("signing_serial", &self.signing_serial)
            .field("encryption_serial", &self.encryption_serial)
            .finish_non_exhaustive()
    }
}
