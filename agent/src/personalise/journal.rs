//! What the token remembers of its personalisation.
use serde::{Deserialize, Serialize};
use yinxin_pki::{Certificate, sm3};

use super::PersonaliseError;
use crate::{
    platform::{Reference, SubjectAttribute},
    token::{Token, vault::PinSealed},
};

/// The token's record with the journal; names of an SKF application's files have at most 32 characters.
pub const JOURNAL_RECORD: &str = "personalisation";
/// The token's record with the CA certificates, PEM, the issuing CA first.
pub const CHAIN_RECORD: &str = "chain";

/// For which order the token is personalised, and how far that has come.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Journal {
    /// The order's id.
    pub order_id: Reference,
    /// The order's number.
    pub order_number: Reference,
    /// What has been done.
    pub state: State,
}

/// What has been done, with what the next step needs. Used in stored state.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum State {
    /// The token is taken for the order. Next: key pair and CSR.
    Started {
        /// The subject that the order asks for.
        subject: Vec<SubjectAttribute>,
    },
    /// The key pair is there. Next: the CSR goes out, these bytes and no others.
    CsrMade {
        /// PEM.
        csr: String,
    },
    /// The platform has the CSR. Next: certificates and encryption key come in.
    CsrSubmitted,
    /// They are in the token and were read back. Next: a password is drawn.
    Written {
        /// What was read back.
        fingerprints: Fingerprints,
    },
    /// The password is drawn. Next: it becomes the user PIN, and goes out.
    PasswordDrawn {
        /// What was read back.
        fingerprints: Fingerprints,
        /// 1, and one more each time that a password had to be drawn again.
        attempt: u32,
        /// The password, sealed under the PIN that the operator gave the token.
        password: PinSealed,
    },
    /// The platform has acknowledged; nobody at the vendor knows the PIN.
    Reported {
        /// What was read back.
        fingerprints: Fingerprints,
    },
}

/// SM3 of both certificates' DER, in hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprints {
    /// Of the signing certificate.
    pub signing_certificate_sm3: String,
    /// Of the encryption certificate.
    pub encryption_certificate_sm3: String,
}

impl Fingerprints {
    /// Of these two.
    pub fn of(signing: &Certificate, encryption: &Certificate) -> Self {
        Self {
            signing_certificate_sm3: hex::encode(sm3(signing.as_der())),
            encryption_certificate_sm3: hex::encode(sm3(encryption.as_der())),
        }
    }
}

impl Journal {
    /// Reads a token's journal, if it has one.
    pub fn read(token: &dyn Token) -> Result<Option<Self>, PersonaliseError> {
        let Some(bytes) = token.record(JOURNAL_RECORD)? else {
            return Ok(None);
        };
        serde_json::from_slice(&bytes)
            .map(Some)
            .map_err(|_| PersonaliseError::Journal)
    }

    /// Writes it; when this returns it is in the token.
    pub fn write(&self, token: &mut dyn Token) -> Result<(), PersonaliseError> {
        let bytes = serde_json::to_vec(self).map_err(|_| PersonaliseError::Journal)?;
        Ok(token.write_record(JOURNAL_RECORD, &bytes)?)
    }

    /// Whether it is about this order, named by number or id.
    pub fn is_for(&self, order: &Reference) -> bool {
        self.order_id == *order || self.order_number == *order
    }
}
