//! Renewed certificates: written beside the old ones, judged, and only then put in their place.
//!
//! For new keys "beside" is a container of its own: [`request()`] makes it with the new signing key, [`Renewal::write`] fills it
//! and makes it current, which is the replacement of one record. The old container stays, so that its key decrypts what was
//! encrypted to it.
//!
//! For the same keys a container holds one certificate for each key: "beside" is a record, and the switch is two imports.
//!
//! What was begun is in the token ([`journal`]), and the same call again goes on with it.
use time::OffsetDateTime;
use yinxin_pki::{
    Certificate, EnvelopedKey,
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
    token::{Token, TokenError, Usage, containers},
};

pub mod journal;
mod request;

pub use journal::RENEWAL_RECORD;
use journal::{Journal, State, Written};
pub use request::request;

/// Bytes that are signed once, to show that the key belongs to the new certificate.
const CHALLENGE: &[u8] = b"YINXIN-RENEWAL-1\nThe key of a renewed certificate works.";
/// Most CA certificates that a token keeps; those of the oldest certificates go.
const CHAIN_RECORD_LIMIT: usize = 16;

/// A renewed pair of certificates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Renewal {
    /// For the signing key.
    pub signing: Certificate,
    /// For the encryption key.
    pub encryption: Certificate,
    /// The issuing CA first, the root last.
    pub chain: Vec<Certificate>,
    /// The new encryption key; `None` where the certificates are for the keys that the token has.
    pub enveloped_key: Option<EnvelopedKey>,
}

/// Why a renewal is refused; the old certificates stand.
#[derive(Debug, thiserror::Error)]
pub enum RenewalError {
    /// For other keys than the token's.
    #[error("the renewed certificates are for other keys than those that the UKey has for them")]
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
    /// The enveloped key does not open with the new signing key, or is not what it says.
    #[error("the enveloped encryption key does not open with the UKey's new signing key")]
    Envelope,
    /// The token has no new keys for this order: none were asked for, or another order came between.
    #[error("the UKey has no new keys for this order: ask it for a certificate request first")]
    NotRequested,
    /// The order's certificates are written already, or those for the same keys are about to be.
    #[error("the order's certificates have been written already")]
    Finished,
    /// The record is not readable.
    #[error("the UKey's record of its renewal is damaged")]
    Record,
}

impl Renewal {
    /// SM3 of what the ticket names: the DER of the signing certificate, the encryption certificate, the chain in its
    /// order, and of the enveloped key where there is one, one after the other. Each is a SEQUENCE with its length, and an enveloped key is
    /// not of the form of a certificate, so that no two renewals are the same bytes.
    pub fn content(&self) -> [u8; 32] {
        let parts: Vec<&[u8]> = [&self.signing, &self.encryption]
            .into_iter()
            .chain(&self.chain)
            .map(Certificate::as_der)
            .chain(self.enveloped_key.as_ref().map(EnvelopedKey::as_der))
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
        match &self.enveloped_key {
            Some(enveloped_key) => self.write_for_new_keys(enveloped_key, token, order)?,
            None => self.write_for_the_same_keys(token, order)?,
        }
        Ok(Fingerprints::of(&self.signing, &self.encryption))
    }

    /// Fills the container that was prepared, lets both of its keys work once, and makes it current.
    fn write_for_new_keys(
        &self,
        enveloped_key: &EnvelopedKey,
        token: &mut dyn Token,
        order: &str,
    ) -> Result<(), OperationError> {
        let journal = Journal::read(token)?.filter(|journal| journal.order == order);
        let container = journal.as_ref().and_then(Journal::container);
        let container = container.ok_or(RenewalError::NotRequested)?.to_owned();
        match token.select(&container) {
            Err(TokenError::NoContainer(_)) => return Err(RenewalError::NotRequested.into()),
            selected => selected?,
        }
        let fits = self.signing.public_key() == token.public_key(Usage::Signing)?.as_ref()
            && self.encryption.public_key() == Some(enveloped_key.public_key());
        if !fits {
            return Err(RenewalError::OtherKeys.into());
        }
        token
            .import_enveloped_key(enveloped_key)
            .map_err(|error| match error {
                TokenError::Envelope(_) => RenewalError::Envelope.into(),
                TokenError::KeyExists(_) => RenewalError::OtherKeys.into(),
                error => OperationError::Token(error),
            })?;
        put_in_place(token, &self.signing, &self.encryption, &self.chain)?;
        self.prove(token)?;
        containers::switch(token, &container)?;
        if !containers::is_current(token, &container)? {
            return Err(OperationError::ReadBack);
        }
        let state = State::Switched {
            container: Some(container),
        };
        let order = order.to_owned();
        Journal { order, state }.write(token)
    }

    fn write_for_the_same_keys(&self, token: &mut dyn Token, order: &str) -> Result<(), OperationError> {
        for (usage, renewed) in self.certificates() {
            let held = token.public_key(usage)?.ok_or(TokenError::NoKey(usage))?;
            if renewed.public_key() != Some(&held) {
                return Err(RenewalError::OtherKeys.into());
            }
        }
        let begun = journal::settled(token, order)?;
        journal::give_up_new_keys(token, begun)?;
        let mut journal = Journal {
            order: order.to_owned(),
            state: State::Beside(Written::of(&self.signing, &self.encryption, &self.chain)),
        };
        journal.write(token)?;
        // Both keys work, and are those of the new certificates, before the old ones go.
        self.prove(token)?;
        put_in_place(token, &self.signing, &self.encryption, &self.chain)?;
        journal.state = State::Switched { container: None };
        journal.write(token)
    }

    fn certificates(&self) -> [(Usage, &Certificate); 2] {
        [
            (Usage::Signing, &self.signing),
            (Usage::Encryption, &self.encryption),
        ]
    }

    /// Judges them against the current certificates.
    fn check(&self, token: &dyn Token, now: OffsetDateTime) -> Result<(), OperationError> {
        if !is_pair(&self.signing, &self.encryption) {
            return Err(RenewalError::NoPair.into());
        }
        for (usage, renewed) in self.certificates() {
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

/// Puts certificates into the selected container, and reads them back. The CA certificates come first: at every moment the
/// token has those above each certificate that it holds.
fn put_in_place(
    token: &mut dyn Token,
    signing: &Certificate,
    encryption: &Certificate,
    chain: &[Certificate],
) -> Result<(), OperationError> {
    add_to_chain(token, chain)?;
    for (usage, certificate) in [(Usage::Signing, signing), (Usage::Encryption, encryption)] {
        let held = token.certificate(usage)?;
        if held.as_ref() != Some(certificate) {
            if let (Usage::Encryption, Some(held)) = (usage, held) {
                containers::keep_replaced(token, held)?;
            }
            token.import_certificate(usage, certificate)?;
        }
        if token.certificate(usage)?.as_ref() != Some(certificate) {
            return Err(OperationError::ReadBack);
        }
    }
    Ok(())
}

/// The new chain, and behind it what the token had besides.
fn add_to_chain(token: &mut dyn Token, chain: &[Certificate]) -> Result<(), OperationError> {
    let held = token.record(CHAIN_RECORD)?;
    let text = held.as_deref().map(String::from_utf8_lossy).unwrap_or_default();
    let mut all = chain.to_vec();
    // What is no chain is replaced.
    for certificate in pem::decode_chain(&text).unwrap_or_default() {
        if !all.contains(&certificate) {
            all.push(certificate);
        }
    }
    all.truncate(CHAIN_RECORD_LIMIT);
    let all = pem::encode_chain(&all);
    if held.as_deref() != Some(all.as_bytes()) {
        token.write_record(CHAIN_RECORD, all.as_bytes())?;
    }
    Ok(())
}
