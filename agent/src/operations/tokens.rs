//! Where tokens come from: a port, so that tests choose which UKeys are plugged in.
use std::any::Any;

use crate::token::{
    Identity, Token, TokenError, TokenLibraries,
    libraries::{
        Found, Problem,
        watch::{Change, TokenWatch},
    },
};

/// The tokens of this computer. The calls may block; tokens stay on the thread that opened them.
pub trait Tokens: Send + Sync {
    /// Looks what is plugged in now.
    fn plugged(&self) -> Plugged;

    /// Tells of each UKey that is plugged in or pulled out, until the value is dropped.
    fn watch(&self, told: Box<dyn FnMut(Change) + Send>) -> Box<dyn Any + Send>;
}

/// What is plugged in.
pub struct Plugged {
    /// UKeys whose name and number are known.
    pub tokens: Vec<Box<dyn PluggedIn>>,
    /// What else is there, or could be, and cannot be looked at.
    pub problems: Vec<Problem>,
}

/// A UKey that is plugged in.
pub trait PluggedIn {
    /// Label and serial number.
    fn identity(&self) -> &Identity;

    /// Opens it. Nothing is unlocked.
    fn open(&self) -> Result<Box<dyn Token>, TokenError>;
}

impl Tokens for TokenLibraries {
    fn plugged(&self) -> Plugged {
        let present = self.present();
        let boxed = |found| Box::new(found) as Box<dyn PluggedIn>;
        Plugged {
            tokens: present.tokens.into_iter().map(boxed).collect(),
            problems: present.problems,
        }
    }

    fn watch(&self, told: Box<dyn FnMut(Change) + Send>) -> Box<dyn Any + Send> {
        Box::new(TokenWatch::start(self, told))
    }
}

impl PluggedIn for Found {
    fn identity(&self) -> &Identity {
        &self.identity
    }

    fn open(&self) -> Result<Box<dyn Token>, TokenError> {
        Ok(Box::new(Found::open(self)?))
    }
}
