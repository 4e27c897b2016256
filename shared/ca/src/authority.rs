//! What every CA does for the platform: the contract behind which a vendor's CA stands (docs/vendors.md).

use std::time::Duration;

use async_trait::async_trait;
use rand_core::CryptoRng;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use yinxin_pki::{Certificate, Csr};

use crate::bytes;
use crate::error::CaError;
use crate::record::Record;
use crate::request::IssueRequest;

/// A vendor's certificate authority.
#[async_trait]
pub trait CertificateAuthority: Send + Sync {
    /// Decides all that is decided here and lints it. Nothing is signed and nothing is sent. `csr` is the request
    /// that proved possession of the signing key. The caller records the result, once for each request, before it
    /// asks for completion.
    fn prepare(
        &self,
        request: &IssueRequest,
        csr: &Csr,
        now: OffsetDateTime,
        rng: &mut dyn CryptoRng,
    ) -> Result<Preparation, CaError>;

    /// Takes the next step from a record and verifies what came out. Completing the same record again never makes
    /// other certificates.
    async fn complete(
        &self,
        record: &Record,
        now: OffsetDateTime,
        rng: &mut (dyn CryptoRng + Send),
    ) -> Result<Answer, CaError>;

    /// Revokes a certificate that this CA issued. Repeating it is harmless.
    async fn revoke(&self, _request: &RevocationRequest<'_>) -> Result<Revocation, CaError> {
        Ok(Revocation::NotOffered)
    }

    /// The status of a certificate that this CA issued.
    async fn status(&self, _certificate: &Certificate) -> Result<CertificateStatus, CaError> {
        Ok(CertificateStatus::NotOffered)
    }
}

/// What is recorded before anything is signed or sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preparation {
    /// The record.
    pub record: Record,
    /// Serial numbers that were chosen here, lower-case hexadecimal; none where the vendor chooses them.
    pub serials: Vec<String>,
}

/// What comes of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The double certificate.
    Issued(Box<IssuedPair>),
    /// The CA has done a part that must not be lost or repeated: this record takes the place of the one before, and then
    /// it is completed.
    Progress(Record),
    /// The CA took the request and has not decided. The same record is completed later.
    Pending {
        /// How long the CA wants to be left alone.
        retry_after: Duration,
    },
}

/// A certificate that is to be revoked.
#[derive(Debug, Clone, Copy)]
pub struct RevocationRequest<'a> {
    /// The certificate.
    pub certificate: &'a Certificate,
    /// `CRLReason` (RFC 5280, 5.3.1).
    pub reason: u8,
    /// Since when the key is not to be trusted.
    pub invalid_since: Option<OffsetDateTime>,
}

/// What comes of asking for a revocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Revocation {
    /// The certificate is revoked.
    Revoked,
    /// The CA took the request and has not decided.
    Pending {
        /// How long the CA wants to be left alone.
        retry_after: Duration,
    },
    /// This way to the CA has no revocation. A software CA's certificates are revoked in the platform's own register; a
    /// vendor whose protocol has none is told in its own way.
    NotOffered,
}

/// Whether a certificate is revoked, as its CA says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CertificateStatus {
    /// It is not.
    Good,
    /// It is.
    Revoked {
        /// Since when.
        at: OffsetDateTime,
        /// `CRLReason`, if the CA gives one.
        reason: Option<u8>,
    },
    /// The CA does not know the certificate.
    Unknown,
    /// This way to the CA has no status: the certificate's OCSP responder or CRL says it.
    NotOffered,
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
