//! Where tokens come from: a port, so that tests choose which UKeys are plugged in.
use crate::token::{Identity, Token, TokenError, TokenLibraries};

/// The tokens of this computer. The calls may block; tokens stay on the thread that opened them.
pub trait Tokens: Send + Sync {
    /// Those that are plugged in now.
    fn list(&self) -> Result<Vec<Identity>, TokenError>;

    /// Opens the one with this serial number; `None` when it is gone. Nothing is unlocked.
    fn open(&self, serial: &str) -> Result<Option<Box<dyn Token>>, TokenError>;
}

/// Over the libraries of all vendors. A library or device that cannot be used stands in nobody's way, as on the command line.
impl Tokens for TokenLibraries {
    fn list(&self) -> Result<Vec<Identity>, TokenError> {
        let tokens = self.present().tokens;
        Ok(tokens.into_iter().map(|found| found.identity).collect())
    }

    fn open(&self, serial: &str) -> Result<Option<Box<dyn Token>>, TokenError> {
        match self.one(Some(serial)) {
            Ok(token) => Ok(Some(Box::new(token))),
            // Pulled out since the list was made.
            Err(TokenError::NoSuchToken { .. } | TokenError::Removed) => Ok(None),
            Err(error) => Err(error),
        }
    }
}
