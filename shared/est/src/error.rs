//! Why an endpoint gave no certificate, by who must act.

use yinxin_ca::{CaError, RequestError, VendorFault};

/// Why there is no usable answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EstError {
    /// No answer came: the connection failed, broke, or took too long. Whether the endpoint acted is not known.
    #[error("the endpoint gave no answer")]
    NoAnswer,
    /// The endpoint says that it cannot work now; later it may.
    #[error("the endpoint cannot work now: HTTP status {0}")]
    Busy(u16),
    /// The endpoint does not accept this client, or is not where it should be: the set-up must be mended.
    #[error("the endpoint refuses the client with HTTP status {0}")]
    Refused(u16),
    /// The endpoint does not grant this request.
    #[error("the endpoint rejects the request with HTTP status {0}")]
    Rejected(u16),
    /// The answer is not in the form of RFC 7030: the vendor must mend it.
    #[error("{0}")]
    Form(&'static str),
}

impl From<EstError> for CaError {
    fn from(error: EstError) -> Self {
        match error {
            EstError::NoAnswer | EstError::Busy(_) => Self::Unavailable,
            EstError::Refused(status) => Self::Refused(status),
            EstError::Rejected(_) => Self::Request(RequestError::Refused),
            EstError::Form(what) => Self::Vendor(VendorFault::Form(what)),
        }
    }
}
