//! A vendor's CA over EST (RFC 7030) with mutual TLS: the client, the adapter behind
//! [`yinxin_ca::CertificateAuthority`], and the kit with which a vendor tries its endpoint (docs/vendors.md).

mod authority;
mod certs_only;
pub mod check;
mod client;
mod config;
mod error;
mod multipart;
mod record;
pub mod verify;

pub use authority::EstAuthority;
pub use certs_only::certificates_of;
pub use client::{EstClient, Limits, Operation, Reply, ServerKey};
pub use config::{EstConfig, SetUpError};
pub use error::EstError;
pub use multipart::parts_of;
pub use record::EstRecord;
pub use verify::{Expected, Use};
