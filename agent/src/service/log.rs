//! The log of operations: who asked for what, when, and how it ended. No messages, no names, no secrets.
use std::{
    collections::VecDeque,
    fs::OpenOptions,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::private_file::{self, ReadError};

/// Longest file; then it becomes `.old` in place of the one before.
const FILE_LIMIT_BYTES: u64 = 1024 * 1024;
/// Entries that the page shows.
const SHOWN: usize = 50;

/// One operation. Used in stored state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// When it ended.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// The site's origin; `None` for the holder's own.
    pub origin: Option<String>,
    /// Its name.
    pub operation: String,
    /// Serial number of the token.
    pub token: Option<String>,
    /// The order of its ticket.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<String>,
    /// `done`, or the code of the refusal.
    pub outcome: String,
}

/// The log.
pub struct Log {
    path: PathBuf,
    latest: VecDeque<Entry>,
}

impl Log {
    /// Reads the latest entries of the file, which may be missing. A line that is no entry is left out: a crash can cut one short.
    pub fn open(path: &Path) -> Result<Self, ReadError> {
        let bytes = match private_file::read(path, 2 * FILE_LIMIT_BYTES) {
            Ok(bytes) => bytes,
            Err(ReadError::Missing(_)) => zeroize::Zeroizing::default(),
            Err(error) => return Err(error),
        };
        let mut log = Self {
            path: path.to_owned(),
            latest: VecDeque::new(),
        };
        for entry in bytes
            .split(|byte| *byte == b'\n')
            .filter_map(|line| serde_json::from_slice(line).ok())
        {
            log.remember(entry);
        }
        Ok(log)
    }

    /// Adds an entry, at the end of the file too.
    pub fn add(&mut self, entry: Entry) -> io::Result<()> {
        let mut line = serde_json::to_vec(&entry)?;
        line.push(b'\n');
        self.remember(entry);
        let mut file =
            private_file::open_for_writing(OpenOptions::new().append(true).create(true), &self.path)?;
        if file.metadata()?.len() > FILE_LIMIT_BYTES {
            std::fs::rename(&self.path, self.path.with_added_extension("old"))?;
            file = private_file::open_for_writing(OpenOptions::new().append(true).create(true), &self.path)?;
        }
        file.write_all(&line)
    }

    /// The latest entries, newest first.
    pub fn latest(&self) -> impl Iterator<Item = &Entry> {
        self.latest.iter().rev()
    }

    fn remember(&mut self, entry: Entry) {
        self.latest.push_back(entry);
        if self.latest.len() > SHOWN {
            self.latest.pop_front();
        }
    }
}
