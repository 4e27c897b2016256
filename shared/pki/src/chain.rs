//! Verifying certificates against their issuers: one link, and the short chain the platform issues.

use time::OffsetDateTime;

use crate::certificate::{Certificate, KeyUsage};
use crate::oid;

/// Extensions that the platform understands and may therefore meet marked critical.
const KNOWN: [oid::ObjectIdentifier; 5] = [
    oid::AUTHORITY_KEY_IDENTIFIER,
    oid::SUBJECT_KEY_IDENTIFIER,
    oid::KEY_USAGE,
    oid::BASIC_CONSTRAINTS,
    oid::CERTIFICATE_POLICIES,
];

/// Certificates between the leaf and the root that are accepted at most.
const MAX_ISSUERS: usize = 4;

/// Why a chain does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ChainError {
    /// There is no issuer, or there are too many.
    #[error("the chain has no issuer or too many")]
    Length,
    /// The issuer's subject is not the certificate's issuer, or the key identifiers differ.
    #[error("the certificate names another issuer")]
    Issuer,
    /// The issuer may not sign certificates, or not at this depth.
    #[error("the issuer may not sign this certificate")]
    NotAnIssuer,
    /// The signature does not verify.
    #[error("the certificate's signature does not verify")]
    Signature,
    /// The certificate is not yet, or no longer, valid at the time.
    #[error("the certificate is not valid at this time")]
    Expired,
    /// A critical extension is not understood.
    #[error("the certificate has a critical extension that is not understood")]
    CriticalExtension,
    /// The last certificate does not sign itself.
    #[error("the chain does not end in a root")]
    Root,
}

/// Verifies that `issuer` issued `certificate`: names, identifiers, right to sign, signature. Not the time.
pub fn verify_link(certificate: &Certificate, issuer: &Certificate) -> Result<(), ChainError> {
    if certificate.issuer() != issuer.subject() {
        return Err(ChainError::Issuer);
    }
    if let (Some(named), Some(held)) = (
        certificate.tbs().authority_key_identifier(),
        issuer.subject_key_identifier(),
    ) && named != held
    {
        return Err(ChainError::Issuer);
    }
    let may_sign = issuer.key_usage().is_some_and(|usage| usage.0 & 0x04 != 0);
    if !issuer.is_ca() || !may_sign {
        return Err(ChainError::NotAnIssuer);
    }
    certificate
        .verify_signature(issuer.key())
        .map_err(|_| ChainError::Signature)
}

/// Verifies a leaf against its issuers, nearest first, self-signed root last, all valid at `at`.
/// Whether the root is trusted is the caller's to know.
pub fn verify_chain(
    leaf: &Certificate,
    issuers: &[Certificate],
    at: OffsetDateTime,
) -> Result<(), ChainError> {
    let root = issuers.last().ok_or(ChainError::Length)?;
    if issuers.len() > MAX_ISSUERS {
        return Err(ChainError::Length);
    }
    let mut certificate = leaf;
    for (depth, issuer) in issuers.iter().enumerate() {
        check_alone(certificate, at)?;
        verify_link(certificate, issuer)?;
        if issuer
            .tbs()
            .path_length()
            .is_some_and(|limit| depth > usize::from(limit))
        {
            return Err(ChainError::NotAnIssuer);
        }
        certificate = issuer;
    }
    check_alone(root, at)?;
    verify_link(root, root).map_err(|_| ChainError::Root)
}

/// Whether a pair is a double certificate: same subject and issuer, one key signs, the other only decrypts.
pub fn is_pair(signing: &Certificate, encryption: &Certificate) -> bool {
    signing.subject() == encryption.subject()
        && signing.issuer() == encryption.issuer()
        && signing.serial() != encryption.serial()
        && signing.key() != encryption.key()
        && signing.key_usage().is_some_and(KeyUsage::signs)
        && encryption.key_usage().is_some_and(KeyUsage::only_decrypts)
}

fn check_alone(certificate: &Certificate, at: OffsetDateTime) -> Result<(), ChainError> {
    if at < certificate.not_before() || at > certificate.not_after() {
        return Err(ChainError::Expired);
    }
    let understood =
        |extension: &crate::certificate::Extension| !extension.critical || KNOWN.contains(&extension.oid);
    if certificate.tbs().extensions().iter().all(understood) {
        Ok(())
    } else {
        Err(ChainError::CriticalExtension)
    }
}
