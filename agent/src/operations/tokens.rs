//! Where tokens come from: a port, so that UKeys behind a vendor's library fit in beside tokens in files.
use std::{
    fs, io,
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use crate::token::{FileToken, Identity, Token, TokenError};

/// Most places that are looked into for tokens.
const PLACES_LIMIT: usize = 64;
/// How often a token that another program holds is tried again, and how long apart.
const BUSY_TRIES: u32 = 20;
const BUSY_WAIT: Duration = Duration::from_millis(50);

/// The tokens of this computer. The calls may block; tokens stay on the thread that opened them.
pub trait Tokens: Send + Sync {
    /// Those that are plugged in now.
    fn list(&self) -> Result<Vec<Identity>, TokenError>;

    /// Opens the one with this serial number; `None` when it is gone. Nothing is unlocked.
    fn open(&self, serial: &str) -> Result<Option<Box<dyn Token>>, TokenError>;
}

/// The token in a directory and those one level below it.
pub struct FileTokens {
    directory: PathBuf,
}

impl FileTokens {
    /// Looks into this directory at each call.
    pub fn new(directory: PathBuf) -> Self {
        Self { directory }
    }

    fn places(&self) -> Result<Vec<PathBuf>, TokenError> {
        let failed = |source: io::Error| {
            TokenError::Unreadable(crate::private_file::ReadError::Io {
                path: self.directory.clone(),
                source,
            })
        };
        let mut places = vec![self.directory.clone()];
        match fs::read_dir(&self.directory) {
            Ok(entries) => {
                for entry in entries {
                    places.push(entry.map_err(failed)?.path());
                }
            }
            // No token has been made yet.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(failed(error)),
        }
        places.retain(|place| FileToken::is_in(place));
        places.sort();
        places.truncate(PLACES_LIMIT);
        Ok(places)
    }
}

impl Tokens for FileTokens {
    fn list(&self) -> Result<Vec<Identity>, TokenError> {
        // A damaged token is an error and not left out: that there is only one must be certain.
        self.places()?
            .iter()
            .map(|place| open_patiently(place).map(|token| token.identity()))
            .collect()
    }

    fn open(&self, serial: &str) -> Result<Option<Box<dyn Token>>, TokenError> {
        for place in self.places()? {
            let token = open_patiently(&place)?;
            if token.identity().serial == serial {
                return Ok(Some(Box::new(token)));
            }
        }
        Ok(None)
    }
}

/// The command line holds a token for a moment only.
fn open_patiently(place: &Path) -> Result<FileToken, TokenError> {
    let mut tries_left = BUSY_TRIES;
    loop {
        match FileToken::open(place) {
            Err(TokenError::Busy(_)) if tries_left > 0 => {
                tries_left -= 1;
                thread::sleep(BUSY_WAIT);
            }
            opened => return opened,
        }
    }
}
