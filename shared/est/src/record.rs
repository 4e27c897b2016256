//! What is recorded about a request to a vendor over EST.

use std::fmt;

use rand_core::CryptoRng;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use yinxin_ca::{CaError, SealError, Sealer, bytes};
use yinxin_pki::digest::sm3_parts;
use yinxin_pki::{SigningKey, Zeroizing};

/// What will be sent, what must come back, and what has come so far.
///
/// This type is used in stored state. `kind` keeps it apart from the records of other CAs.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EstRecord {
    pub(crate) kind: Kind,
    /// The request's id.
    pub request_id: String,
    /// The vendor.
    pub vendor: String,
    /// The request that is sent, DER: always these bytes, because by them the vendor knows it again.
    #[serde(with = "bytes")]
    pub csr: Vec<u8>,
    /// The subject that the certificates must bear, DER.
    #[serde(with = "bytes")]
    pub subject: Vec<u8>,
    /// The credit code that must stand in them, where they name one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credit_code: Option<String>,
    /// When it was prepared.
    #[serde(with = "time::serde::rfc3339")]
    pub asked_at: OffsetDateTime,
    /// The term in whole years.
    pub term_years: u8,
    /// How far it has come.
    pub step: Step,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    Est,
}

/// What has come so far. Each step is stored before the next one is taken.
///
/// This type is used in stored state.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "snake_case", deny_unknown_fields)]
pub enum Step {
    /// Nothing: the signing certificate is asked for.
    Asking,
    /// The signing certificate: it is never asked for again. The encryption key is asked for.
    Enrolled {
        /// The signing certificate, DER.
        #[serde(with = "bytes")]
        signing: Vec<u8>,
    },
    /// Everything.
    Delivered {
        /// The signing certificate, DER.
        #[serde(with = "bytes")]
        signing: Vec<u8>,
        /// The encryption certificate, DER.
        #[serde(with = "bytes")]
        encryption: Vec<u8>,
        /// The issuers, DER: nearest first, the root last.
        #[serde(with = "bytes::list")]
        chain: Vec<Vec<u8>>,
        /// The encryption key pair, enveloped to the signing key, DER.
        #[serde(with = "bytes")]
        enveloped_key: Vec<u8>,
        /// The encryption private key (32 bytes) in escrow, sealed under a digest of the record.
        #[serde(with = "bytes")]
        sealed_key: Vec<u8>,
    },
}

impl EstRecord {
    /// Puts the encryption private key into escrow: the sealed key.
    pub(crate) fn seal(
        &self,
        encryption: &[u8],
        key: &SigningKey,
        sealer: &dyn Sealer,
        rng: &mut dyn CryptoRng,
    ) -> Result<Vec<u8>, CaError> {
        sealer
            .seal(&self.context(encryption), &key.to_scalar()[..], rng)
            .map_err(CaError::Escrow)
    }

    /// The encryption private key out of escrow; for completing, and for recovery to a new token.
    pub fn escrowed_key(&self, sealer: &dyn Sealer) -> Result<SigningKey, CaError> {
        let Step::Delivered {
            encryption,
            sealed_key,
            ..
        } = &self.step
        else {
            return Err(CaError::Record);
        };
        let secret = sealer
            .open(&self.context(encryption), sealed_key)
            .map_err(|error| match error {
                SealError::Refused => CaError::Record,
                SealError::Unavailable => CaError::Escrow(error),
            })?;
        let scalar = <[u8; 32]>::try_from(secret.as_slice()).map_err(|_| CaError::Record)?;
        SigningKey::from_scalar(&Zeroizing::new(scalar)).map_err(|_| CaError::Record)
    }

    /// What the escrowed key is bound to. Each field stands with its length, so that none can run into the next.
    fn context(&self, encryption: &[u8]) -> [u8; 32] {
        let fields = [
            self.request_id.as_bytes(),
            self.vendor.as_bytes(),
            &self.csr,
            &self.subject,
            encryption,
        ];
        let lengths = fields.map(|field| field.len().to_be_bytes());
        let mut parts: Vec<&[u8]> = vec![b"yinxin est 1"];
        for (length, field) in lengths.iter().zip(fields) {
            parts.extend([&length[..], field]);
        }
        sm3_parts(&parts)
    }
}

// Requests and certificates name people.
impl fmt::Debug for EstRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let step = match self.step {
            Step::Asking => "asking",
            Step::Enrolled { .. } => "enrolled",
            Step::Delivered { .. } => "delivered",
        };
        f.debug_struct("EstRecord")
            .field("request_id", &self.request_id)
            .field("vendor", &self.vendor)
            .field("step", &step)
            .finish_non_exhaustive()
    }
}
