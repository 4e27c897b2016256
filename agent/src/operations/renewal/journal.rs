//! What a token remembers of its renewal.
use serde::{Deserialize, Serialize};
use yinxin_pki::{Certificate, pem, sm3};

use super::{RenewalError, put_in_place};
use crate::{
    operations::OperationError,
    token::{Token, containers},
};

/// The record in which a renewal is kept.
pub const RENEWAL_RECORD: &str = "renewal";
/// Bytes of the SM3 of an order that name its container.
const CONTAINER_TAG_BYTES: usize = 8;

/// For which order the certificates are renewed, and how far that has come. Used in stored state.
#[derive(Debug, Serialize, Deserialize)]
pub struct Journal {
    /// As the ticket names it.
    pub order: String,
    /// What has been done.
    #[serde(flatten)]
    pub state: State,
}

/// What has been done. Used in stored state.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum State {
    /// For the same keys: the new certificates are in this record. The old ones may be in the container, or one of each.
    Beside(Written),
    /// For new keys: the container is taken for the order, and may be there.
    Begun {
        /// Its name.
        container: String,
    },
    /// For new keys: the container has the signing key; it may have certificates, and may be current.
    Requested {
        /// Its name.
        container: String,
        /// PEM; an SM2 signature is random, and a repeated call has to answer the same bytes.
        csr: String,
    },
    /// The new certificates are those of the current container.
    Switched {
        /// The container that was prepared, if there was one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        container: Option<String>,
    },
}

/// Certificates as the record has them.
#[derive(Debug, Serialize, Deserialize)]
pub struct Written {
    /// PEM.
    signing_certificate: String,
    /// PEM.
    encryption_certificate: String,
    /// PEM, the issuing CA first.
    chain: String,
}

impl Written {
    /// Of these.
    pub fn of(signing: &Certificate, encryption: &Certificate, chain: &[Certificate]) -> Self {
        Self {
            signing_certificate: signing.to_pem(),
            encryption_certificate: encryption.to_pem(),
            chain: pem::encode_chain(chain),
        }
    }

    /// Puts them into the selected container.
    fn put_in_place(&self, token: &mut dyn Token) -> Result<(), OperationError> {
        let read = |pem| Certificate::from_pem(pem).map_err(|_| RenewalError::Record);
        let chain = pem::decode_chain(&self.chain).map_err(|_| RenewalError::Record)?;
        put_in_place(
            token,
            &read(&self.signing_certificate)?,
            &read(&self.encryption_certificate)?,
            &chain,
        )
    }
}

impl Journal {
    /// Reads a token's journal, if it has one.
    pub fn read(token: &dyn Token) -> Result<Option<Self>, OperationError> {
        token
            .record(RENEWAL_RECORD)?
            .map(|bytes| serde_json::from_slice(&bytes).map_err(|_| RenewalError::Record.into()))
            .transpose()
    }

    /// Writes it; when this returns it is in the token.
    pub fn write(&self, token: &mut dyn Token) -> Result<(), OperationError> {
        let bytes = serde_json::to_vec(self).map_err(|_| RenewalError::Record)?;
        token.write_record(RENEWAL_RECORD, &bytes)?;
        if token.record(RENEWAL_RECORD)?.as_ref() == Some(&bytes) {
            Ok(())
        } else {
            Err(OperationError::ReadBack)
        }
    }

    /// The container that was made for it.
    pub fn container(&self) -> Option<&str> {
        match &self.state {
            State::Begun { container } | State::Requested { container, .. } => Some(container),
            State::Switched { container } => container.as_deref(),
            State::Beside(_) => None,
        }
    }
}

/// The name of an order's container: letters and digits, well below any token's limit, the same at a second run.
pub fn container_of(order: &str) -> String {
    format!(
        "renewal{}",
        hex::encode(&sm3(order.as_bytes())[..CONTAINER_TAG_BYTES])
    )
}

/// The journal, if it is this order's. What another order left unfinished does not stand in the way: certificates that may be
/// half in place are put there, and a container that never became current is given up. Needs the login.
pub fn settled(token: &mut dyn Token, order: &str) -> Result<Option<Journal>, OperationError> {
    let Some(mut journal) = Journal::read(token)? else {
        return Ok(None);
    };
    mark_switched(token, &mut journal)?;
    if journal.order == order {
        return Ok(Some(journal));
    }
    match &journal.state {
        State::Beside(written) => {
            written.put_in_place(token)?;
            journal.state = State::Switched { container: None };
            journal.write(token)?;
        }
        State::Begun { container } | State::Requested { container, .. } => give_up(token, container)?,
        State::Switched { .. } => {}
    }
    Ok(None)
}

/// The container that is being prepared, if there is one: it is neither current nor an earlier one.
pub fn in_preparation(token: &dyn Token) -> Result<Option<String>, OperationError> {
    match Journal::read(token) {
        Ok(Some(Journal {
            state: State::Begun { container } | State::Requested { container, .. },
            ..
        })) => Ok(Some(container)),
        // What cannot be read stops a renewal; it does not hide a token.
        Ok(_) | Err(OperationError::Renewal(RenewalError::Record)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The record `current` is what switches; where the journal could not follow, it does now.
fn mark_switched(token: &mut dyn Token, journal: &mut Journal) -> Result<(), OperationError> {
    let container = match &journal.state {
        State::Begun { container } | State::Requested { container, .. } => container.clone(),
        State::Beside(_) | State::Switched { .. } => return Ok(()),
    };
    if containers::is_current(token, &container)? {
        journal.state = State::Switched {
            container: Some(container),
        };
        journal.write(token)?;
    }
    Ok(())
}

/// Gives up the new keys of this very order, whose certificates come for the same keys after all.
pub fn give_up_new_keys(token: &mut dyn Token, journal: Option<Journal>) -> Result<(), OperationError> {
    match journal.map(|journal| journal.state) {
        Some(State::Begun { container } | State::Requested { container, .. }) => give_up(token, &container),
        Some(State::Beside(_) | State::Switched { .. }) | None => Ok(()),
    }
}

/// Deletes a container that never became current. The record names another one then; without the record nobody knows, and the
/// container stays.
fn give_up(token: &mut dyn Token, container: &str) -> Result<(), OperationError> {
    let is_known = token.record(containers::CURRENT_RECORD)?.is_some();
    let is_selected = token.selected().as_deref() == Some(container);
    if is_known && !is_selected && token.containers()?.iter().any(|held| held == container) {
        token.delete_container(container)?;
    }
    Ok(())
}
