//! What the platform asks a CA for.

use std::fmt;

use serde::{Deserialize, Serialize};
use yinxin_pki::Name;
use yinxin_pki::profile::Identity;

use crate::bytes;
use crate::error::RequestError;

const MAX_REQUEST_ID_CHARACTERS: usize = 64;

/// A request for a double certificate.
///
/// This type is used in stored state.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IssueRequest {
    /// The order's id: names the request in records and logs.
    pub request_id: String,
    /// The vendor whose CA is asked.
    pub vendor: String,
    /// Whom the certificates name.
    pub subject: Subject,
    /// The signing key: DER `SubjectPublicKeyInfo`, from a request whose proof of possession was verified.
    #[serde(with = "bytes")]
    pub public_key: Vec<u8>,
    /// SM3 of the DER of that request, 32 bytes: says later which request this was.
    #[serde(with = "bytes")]
    pub csr_sm3: Vec<u8>,
    /// The term in whole years.
    pub term_years: u8,
}

/// Whom the certificates name.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Subject {
    /// A unit.
    Unit {
        /// Its full name.
        name: String,
        /// Its unified social credit code.
        credit_code: String,
        /// Its province, if the vendor writes it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        region: Option<String>,
    },
    /// A natural person.
    Person {
        /// The person's name.
        name: String,
        /// The person's identity document.
        id_document: IdDocument,
        /// The person's employer.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        employer: Option<String>,
    },
}

/// A person's identity document.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IdDocument {
    /// Its kind.
    pub kind: IdDocumentKind,
    /// Its number.
    pub number: String,
}

/// Kinds of identity documents, as far as certificates tell them apart (GM/T 0015-2012, `IdentifyCode`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IdDocumentKind {
    /// The resident identity card.
    ResidentId,
    /// A passport.
    Passport,
    /// The military officer's card.
    MilitaryOfficer,
    /// Another document: the standard has no place for its number, so the certificate does not hold it.
    Other,
}

impl IssueRequest {
    /// Whether the request is meant for this vendor and whole.
    pub fn check(&self, vendor: &str) -> Result<(), RequestError> {
        if self.vendor != vendor {
            return Err(RequestError::Vendor);
        }
        if !(1..=MAX_REQUEST_ID_CHARACTERS).contains(&self.request_id.chars().count()) {
            return Err(RequestError::RequestId);
        }
        if self.csr_sm3.len() != 32 {
            return Err(RequestError::Key);
        }
        Ok(())
    }
}

impl Subject {
    /// The name as the certificates bear it.
    pub fn name(&self) -> Result<Name, RequestError> {
        match self {
            Self::Unit { name, region, .. } => Name::unit(name, region.as_deref()),
            Self::Person { name, employer, .. } => Name::person(name, employer.as_deref()),
        }
        .map_err(RequestError::Name)
    }

    pub(crate) fn identity(&self) -> Result<Option<Identity>, RequestError> {
        let (make, number): (fn(String) -> Identity, &String) = match self {
            Self::Unit { credit_code, .. } => (Identity::CreditCode, credit_code),
            Self::Person { id_document, .. } => match id_document.kind {
                IdDocumentKind::ResidentId => (Identity::ResidentId, &id_document.number),
                IdDocumentKind::Passport => (Identity::Passport, &id_document.number),
                IdDocumentKind::MilitaryOfficer => (Identity::MilitaryOfficer, &id_document.number),
                IdDocumentKind::Other => return Ok(None),
            },
        };
        let identity = make(number.clone());
        if identity.is_writable() {
            Ok(Some(identity))
        } else {
            Err(RequestError::Number)
        }
    }
}

// Requests hold personal data: what is printed names the order and nobody.
impl fmt::Debug for IssueRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IssueRequest")
            .field("request_id", &self.request_id)
            .field("vendor", &self.vendor)
            .field("term_years", &self.term_years)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unit { .. } => "Unit(..)",
            Self::Person { .. } => "Person(..)",
        })
    }
}

impl fmt::Debug for IdDocument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IdDocument({:?}, ..)", self.kind)
    }
}
