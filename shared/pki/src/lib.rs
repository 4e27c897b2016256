//! Chinese commercial cryptography as the platform needs it: SM2/SM3/SM4, certificate requests, certificate
//! profiles, chains and envelopes. Bytes in, types out; no I/O, no clock, no randomness of its own.

pub mod algorithm;
pub mod certificate;
pub mod chain;
pub mod cipher;
pub mod cms;
pub mod cms_envelope;
pub mod cms_write;
pub mod crl;
pub mod csr;
pub mod der;
pub mod digest;
pub mod enveloped_key;
pub mod extensions;
pub mod key;
pub mod lint;
pub mod name;
pub mod ocsp;
pub mod oid;
pub mod path;
pub mod pem;
pub mod profile;
pub mod request;
pub mod skf_blob;
pub mod symmetric;

pub use algorithm::{SignatureAlgorithm, SubjectKey};
pub use certificate::Certificate;
pub use crl::Crl;
pub use csr::{Csr, CsrBuilder};
pub use digest::{constant_time_eq, hmac_sm3, sm3};
pub use enveloped_key::EnvelopedKey;
pub use key::{BadSignature, KeyError, KeyForm, PublicKey, SigningKey};
pub use name::{Attribute, CanonicalName, Name};
pub use ocsp::{OcspRequest, OcspResponse};
pub use rand_core;
pub use skf_blob::EnvelopedKeyBlob;
pub use zeroize::Zeroizing;
