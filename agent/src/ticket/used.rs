//! Which tickets have been used: a file, so that a restart forgets none.
use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};

use super::{Ticket, TicketRefusal};
use crate::private_file::{self, ReadError};

/// How long an expired ticket is remembered: a clock that is set back by less revives none.
const REMEMBERED: Duration = Duration::days(7);
/// Most tickets that are remembered; with more than that in a week something is wrong, and no more are taken.
const LIMIT: usize = 10_000;
const FILE_LIMIT_BYTES: u64 = 2 * 1024 * 1024;

/// Why a ticket was not taken.
#[derive(Debug, thiserror::Error)]
pub enum TakeError {
    /// It was used before.
    #[error(transparent)]
    Refused(TicketRefusal),
    /// That it is used cannot be kept, so it is not used.
    #[error("used tickets cannot be recorded")]
    Unwritable(#[from] io::Error),
    /// Too many are remembered.
    #[error("too many tickets were used in a week")]
    Full,
}

/// The tickets that were used, by id, with their end.
pub struct UsedTickets {
    path: PathBuf,
    ids: BTreeMap<String, OffsetDateTime>,
}

/// Used in stored state.
#[derive(Serialize, Deserialize)]
struct Entry {
    id: String,
    #[serde(with = "time::serde::rfc3339")]
    expires_at: OffsetDateTime,
}

impl UsedTickets {
    /// Reads the file, which may be missing.
    pub fn open(path: &Path) -> Result<Self, ReadError> {
        let entries: Vec<Entry> = match private_file::read(path, FILE_LIMIT_BYTES) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| ReadError::Io {
                path: path.to_owned(),
                source: error.into(),
            })?,
            Err(ReadError::Missing(_)) => Vec::new(),
            Err(error) => return Err(error),
        };
        Ok(Self {
            path: path.to_owned(),
            ids: entries
                .into_iter()
                .map(|entry| (entry.id, entry.expires_at))
                .collect(),
        })
    }

    /// Uses a ticket up. When this returns that is on the disk, and the ticket may be acted upon, once.
    pub fn take(&mut self, ticket: &Ticket, now: OffsetDateTime) -> Result<(), TakeError> {
        if self.ids.contains_key(&ticket.id) {
            return Err(TakeError::Refused(TicketRefusal::Used));
        }
        let mut ids = self.ids.clone();
        ids.retain(|_, expires_at| *expires_at + REMEMBERED > now);
        if ids.len() >= LIMIT {
            return Err(TakeError::Full);
        }
        ids.insert(ticket.id.clone(), ticket.expires_at);
        let entries: Vec<Entry> = ids
            .iter()
            .map(|(id, expires_at)| Entry {
                id: id.clone(),
                expires_at: *expires_at,
            })
            .collect();
        private_file::replace(
            &self.path,
            &serde_json::to_vec(&entries).map_err(io::Error::from)?,
        )?;
        self.ids = ids;
        Ok(())
    }
}
