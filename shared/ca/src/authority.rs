//! What every CA does for the platform.

use async_trait::async_trait;
use rand_core::CryptoRng;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::bytes;
use crate::error::CaError;
use crate::prepared::Prepared;
use crate::request::IssueRequest;

/// A vendor's certificate authority.
#[async_trait]
pub trait CertificateAuthority: Send + Sync {
    /// Decides serial numbers, encryption key pair and to-be-signed bytes, and lints them. Nothing is signed.
    /// The caller records the result, once for each request, before it asks for completion.
    fn prepare(
        &self,
        request: &IssueRequest,
        now: OffsetDateTime,
        rng: &mut dyn CryptoRng,
    ) -> Result<Prepared, CaError>;

    /// Signs exactly the recorded bytes and verifies what came out. Completing the same record again gives the
    /// same serial numbers and to-be-signed bytes.
    async fn complete(&self, prepared: &Prepared) -> Result<IssuedPair, CaError>;
}

/// A double certificate with all that its holder needs.
///
/// This type is used in stored state.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IssuedPair {
    /// The signing certificate, DER.
    #[serde(with = "bytes")]
    pub signing: Vec<u8>,
    /// The encryption certificate, DER.
    #[serde(with = "bytes")]
    pub encryption: Vec<u8>,
    /// The encryption key pair, enveloped to the signing key: DER `SM2EnvelopedKey` (GM/T 0009-2012, 7.4).
    #[serde(with = "bytes")]
    pub enveloped_key: Vec<u8>,
    /// The certificates of the CA, DER: the issuing CA first, the root last.
    #[serde(with = "bytes::list")]
    pub chain: Vec<Vec<u8>>,
}

// Certificates name people.
impl std::fmt::Debug for IssuedPair {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IssuedPair").finish_non_exhaustive()
    }
}
