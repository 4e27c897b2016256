//! The certificate authority of the platform: a trait for every vendor's CA, and a CA in software.
//!
//! Issuing is two steps. [`CertificateAuthority::prepare`] decides everything, serial numbers and to-be-signed bytes
//! included, and signs nothing; the caller records what it gives. [`CertificateAuthority::complete`] signs exactly
//! what was recorded. A crash between or after the two is repaired by completing the record again: the same
//! certificates come out, never another serial number.

mod authority;
pub mod bytes;
pub mod ceremony;
mod error;
mod of_form;
mod prepared;
mod record;
mod request;
mod sealer;
mod signer;
mod soft;
pub mod status;

pub use authority::{
    Answer, CertificateAuthority, CertificateStatus, IssuedPair, Preparation, Revocation, RevocationRequest,
};
pub use error::{CaError, RequestError, VendorFault};
pub use prepared::Prepared;
pub use record::Record;
pub use request::{IdDocument, IdDocumentKind, IssueRequest, Subject};
pub use sealer::{DataKeySealer, SealError, Sealer};
pub use signer::{Signer, SignerError, SoftwareKey};
pub use soft::{SoftCa, SoftCaConfig};
