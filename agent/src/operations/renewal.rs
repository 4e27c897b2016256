//! Renewed certificates: written beside the old ones, judged, and only then put in their place.
//!
//! A container holds one certificate for each key. So "beside" is a record, and the switch is two imports; what was
//! begun is in the record, and the same call again goes on with it. Renewal for the same keys only: another key pair
//! would need a second container, which [`Token`] does not have.
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use yinxin_pki::{
    Certificate,
    chain::{ChainError, is_pair, verify_chain},
    digest::sm3_parts,
    pem,
};

use super::OperationError;
use crate::{
    personalise::{
        PersonaliseError,
        journal::{CHAIN_RECORD, Fingerprints},
        prove_encryption_key,
    },
    token::{Token, TokenError, Usage},
};

/// The record in which a renewal is kept.
pub const RENEWAL_RECORD: &str = "renewal";
/// Bytes that are signed once, to show that the key belongs to the new certificate.
const CHALLENGE: &[u8] = b"YINXIN-RENEWAL-1\nThe key of a renewed certificate works.";

/// A renewed pair of certificates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Renewal {
    /// For the signing key.
    pub signing: Certificate,
    /// For the encryption key.
    pub encryption: Certificate,
    /// The issuing CA first, the root last.
    pub chain: Vec<Certificate>,
}

/// Why a renewal is refused; the old certificates stand.
#[derive(Debug, thiserror::Error)]
pub enum RenewalError {
    /// For other keys than the token's.
    #[error("the renewed certificates are for other keys than the UKey's: that needs a new UKey")]
    OtherKeys,
    /// Not one for signing and one for encryption of the same holder.
    #[error("the certificates are not a pair for signing and encryption")]
    NoPair,
    /// For somebody else.
    #[error("the renewed certificates are for another holder than the old ones")]
    OtherHolder,
    /// They end before the old ones do.
    #[error("the renewed certificates end before the old ones")]
    Older,
    /// They do not verify up to the root.
    #[error("the renewed certificates do not verify")]
    Chain(#[from] ChainError),
    /// Another renewal was begun and not finished.
    #[error("the renewal of order {0} was begun and is not finished")]
    Other(String),
    /// The record is not readable.
    #[error("the UKey's record of its renewal is damaged")]
    Record,
}

/// How far a renewal has come. Used in stored state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum State {
    /// The new certificates are in the record. The old ones may be in the container, or one of each.
    Beside,
    /// The new ones are in the container.
    Switched,
}

/// Used in stored state.
#[derive(Serialize, Deserialize)]
struct Journal {
    order: String,
    state: State,
    /// PEM.
    signing_certificate: String,
    /// PEM.
    encryption_certificate: String,
    /// PEM, the issuing CA first.
    chain: String,
}

impl Renewal {
    /// SM3 over the DER of all certificates, signing, encryption, chain: what the ticket names.
    pub fn content(&self) -> [u8; 32] {
        let parts: Vec<&[u8]> = [&self.signing, &self.encryption]
            .into_iter()
            .chain(&self.chain)
            .map(Certificate::as_der)
            .collect();
        sm3_parts(&parts)
    }

    /// Does what is left to do; the token is logged in.
    pub fn write(
        &self,
        token: &mut dyn Token,
        order: &str,
        now: OffsetDateTime,
    ) -> Result<Fingerprints, OperationError> {
        self.check(token, now)?;
        let begun = read(token)?;
        match &begun {
            Some(journal) if journal.state == State::Beside && journal.order != order => {
                return Err(RenewalError::Other(journal.order.clone()).into());
            }
            _ => {}
        }
        let mut journal = Journal {
            order: order.to_owned(),
            state: State::Beside,
            signing_certificate: self.signing.to_pem(),
            encryption_certificate: self.encryption.to_pem(),
            chain: pem::encode_chain(&self.chain),
        };
        journal.write(token)?;
        // Both keys work, and are those of the new certificates, before the old ones go.
        self.prove(token)?;
        token.import_certificate(Usage::Signing, &self.signing)?;
        token.import_certificate(Usage::Encryption, &self.encryption)?;
        token.write_record(CHAIN_RECORD, journal.chain.as_bytes())?;
        for (usage, certificate) in [
            (Usage::Signing, &self.signing),
            (Usage::Encryption, &self.encryption),
        ] {
            if token.certificate(usage)?.as_ref() != Some(certificate) {
                return Err(OperationError::ReadBack);
            }
        }
        journal.state = State::Switched;
        journal.write(token)?;
        Ok(Fingerprints::of(&self.signing, &self.encryption))
    }

    fn check(&self, token: &dyn Token, now: OffsetDateTime) -> Result<(), OperationError> {
        if !is_pair(&self.signing, &self.encryption) {
            return Err(RenewalError::NoPair.into());
        }
        for (usage, renewed) in [
            (Usage::Signing, &self.signing),
            (Usage::Encryption, &self.encryption),
        ] {
            let held = token.public_key(usage)?.ok_or(TokenError::NoKey(usage))?;
            if renewed.public_key() != Some(&held) {
                return Err(RenewalError::OtherKeys.into());
            }
            let old = token
                .certificate(usage)?
                .ok_or(OperationError::NoCertificate(usage))?;
            if renewed.subject() != old.subject() {
                return Err(RenewalError::OtherHolder.into());
            }
            if renewed.not_after() < old.not_after() {
                return Err(RenewalError::Older.into());
            }
            verify_chain(renewed, &self.chain, now).map_err(RenewalError::Chain)?;
        }
        Ok(())
    }

    fn prove(&self, token: &mut dyn Token) -> Result<(), OperationError> {
        super::signing::sign(token, &self.signing, CHALLENGE)?;
        let encryption = self.encryption.public_key().ok_or(RenewalError::NoPair)?;
        prove_encryption_key(token, encryption).map_err(|error| match error {
            PersonaliseError::Token(error) => OperationError::Token(error),
            PersonaliseError::Random(_) => OperationError::Fault,
            _ => OperationError::ReadBack,
        })
    }
}

impl Journal {
    fn write(&self, token: &mut dyn Token) -> Result<(), OperationError> {
        let bytes = serde_json::to_vec(self).map_err(|_| RenewalError::Record)?;
        token.write_record(RENEWAL_RECORD, &bytes)?;
        if token.record(RENEWAL_RECORD)?.as_ref() == Some(&bytes) {
            Ok(())
        } else {
            Err(OperationError::ReadBack)
        }
    }
}

fn read(token: &dyn Token) -> Result<Option<Journal>, OperationError> {
    token
        .record(RENEWAL_RECORD)?
        .map(|bytes| serde_json::from_slice(&bytes).map_err(|_| RenewalError::Record.into()))
        .transpose()
}
