//! Errors by what the caller can do about them.

use yinxin_pki::chain::ChainError;
use yinxin_pki::lint::Finding;
use yinxin_pki::name::NameError;

use crate::sealer::SealError;
use crate::signer::SignerError;

/// Why no certificates came out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CaError {
    /// The request can never be granted as it stands: it goes back to a person.
    #[error("the certificate request cannot be granted")]
    Request(#[source] RequestError),
    /// The to-be-signed bytes break rules. Nothing was signed; the CA's set-up or code must be mended.
    #[error("the to-be-signed bytes break {} rule(s), first {}", .0.len(), .0.first().map_or("?", |finding| finding.rule))]
    Lint(Vec<Finding>),
    /// The record is not what was prepared: it was changed, or belongs to another CA or key. Nothing was signed.
    #[error("the prepared record is not what this CA prepared")]
    Record,
    /// The escrowed key could not be sealed or opened; it may work later.
    #[error("the escrow key is not available")]
    Escrow(#[source] SealError),
    /// The certificate authority does not answer; it may work later.
    #[error("the certificate authority is not available")]
    Unavailable,
    /// The CA's own certificates and key do not fit together; its set-up must be mended.
    #[error("the certificates and the key of the CA do not fit together")]
    SetUp,
    /// A signature just made does not verify: a fault of the machine. It was thrown away.
    #[error("a certificate just signed does not verify")]
    Signature(#[source] ChainError),
    /// The vendor does not accept this platform, or its endpoint is another than was agreed; its set-up must be mended.
    #[error("the vendor refuses the platform (HTTP status {0})")]
    Refused(u16),
    /// The vendor answered with something else than was asked for: it was thrown away, the vendor must mend it.
    #[error("the vendor's answer is not what was asked for")]
    Vendor(#[source] VendorFault),
}

/// What is wrong with a vendor's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum VendorFault {
    /// It is not in the agreed form.
    #[error("{0}")]
    Form(&'static str),
    /// There is no certificate for the key, or the private key is not that of the certificate.
    #[error("key and certificate do not belong together")]
    Key,
    /// The certificate names somebody else.
    #[error("the certificate names another subject")]
    Subject,
    /// The key usage is not that of a double certificate.
    #[error("the key usage is not that of a signing and an encryption certificate")]
    Usage,
    /// The certificate does not lead to the vendor's root.
    #[error("the certificate does not lead to the vendor's root")]
    Chain(#[source] ChainError),
    /// The validity begins too early or too late, or has not the length that was asked for.
    #[error("the validity is not what was asked for")]
    Validity,
    /// The two certificates are no double certificate.
    #[error("the two certificates are not a pair")]
    Pair,
    /// The same request was answered with another certificate than before.
    #[error("the same request was answered with another certificate")]
    Another,
}

/// What is wrong with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// It is meant for another vendor.
    #[error("the request is for another vendor")]
    Vendor,
    /// The request id is empty or longer than 64 characters.
    #[error("the request id is empty or too long")]
    RequestId,
    /// The name does not fit into a certificate.
    #[error("the subject's name does not fit into a certificate")]
    Name(#[source] NameError),
    /// The credit code or document number has characters that a certificate cannot hold.
    #[error("the subject's number does not fit into a certificate")]
    Number,
    /// The key is not a usable SM2 key.
    #[error("the subject's key is not a usable SM2 key")]
    Key,
    /// The term is not between one year and the profile's limit.
    #[error("the term is out of range")]
    Term,
    /// The certificate request asks for another subject than the order, or is not the one that proved possession.
    #[error("the certificate request does not fit the order")]
    Csr,
    /// The vendor refuses it.
    #[error("the vendor refuses the certificate request")]
    Refused,
}

impl From<SignerError> for CaError {
    fn from(error: SignerError) -> Self {
        match error {
            SignerError::Unavailable => Self::Unavailable,
            SignerError::Faulty => Self::Signature(ChainError::Signature),
        }
    }
}

impl From<RequestError> for CaError {
    fn from(error: RequestError) -> Self {
        Self::Request(error)
    }
}
