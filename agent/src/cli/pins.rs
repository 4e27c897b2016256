//! Where PINs come from: the terminal, or a private file; never an argument, which every process list shows.
use std::path::Path;

use zeroize::Zeroizing;

use super::failure::Failure;
use crate::{pin::Pin, private_file};

/// Two PINs and their line ends.
const PIN_FILE_LIMIT_BYTES: u64 = 256;

/// The PINs of a new or an unblocked token.
pub struct Pins {
    /// The holder's.
    pub user: Pin,
    /// The vendor's.
    pub admin: Pin,
}

/// Asks for both PINs; new ones twice.
pub fn both(file: Option<&Path>, admin: Entry) -> Result<Pins, Failure> {
    let pins = if let Some(file) = file {
        let lines = Lines::read(file)?;
        Pins {
            user: lines.pin(0, "user")?,
            admin: lines.pin(1, "admin")?,
        }
    } else {
        let admin = ask("admin", admin)?;
        Pins {
            user: ask("user", Entry::New)?,
            admin,
        }
    };
    if pins.user.reveal() == pins.admin.reveal() {
        return Err(Failure::SamePins);
    }
    Ok(pins)
}

/// Asks for the user PIN that a token has.
pub fn user(file: Option<&Path>) -> Result<Pin, Failure> {
    match file {
        Some(file) => Lines::read(file)?.pin(0, "user"),
        None => ask("user", Entry::Known),
    }
}

/// Asks for the user PIN that a token has, and for the new one twice.
pub fn change(file: Option<&Path>, new: Option<&Path>) -> Result<(Pin, Pin), Failure> {
    let old = user(file)?;
    let new = match new {
        Some(file) => Lines::read(file)?.pin(0, "user")?,
        None => ask("user", Entry::New)?,
    };
    if new.reveal() == old.reveal() {
        return Err(Failure::OldPin);
    }
    Ok((old, new))
}

/// Whether a PIN is made or only entered.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Entry {
    /// Typed twice.
    New,
    /// Typed once.
    Known,
}

struct Lines(Zeroizing<Vec<u8>>);

impl Lines {
    fn read(file: &Path) -> Result<Self, Failure> {
        Ok(Self(private_file::read(file, PIN_FILE_LIMIT_BYTES)?))
    }

    fn pin(&self, line: usize, which: &'static str) -> Result<Pin, Failure> {
        let text = std::str::from_utf8(&self.0).map_err(|_| Failure::PinFile(which))?;
        let line = text
            .lines()
            .nth(line)
            .filter(|line| !line.is_empty())
            .ok_or(Failure::PinFile(which))?;
        judged(Zeroizing::new(line.to_owned()), which)
    }
}

fn ask(which: &'static str, entry: Entry) -> Result<Pin, Failure> {
    let prompt = |text: String| {
        rpassword::prompt_password(text)
            .map(Zeroizing::new)
            .map_err(Failure::NoTerminal)
    };
    let new = if entry == Entry::New { "New " } else { "" };
    let typed = prompt(format!("{new}{which} PIN: "))?;
    if entry == Entry::New && *prompt(format!("{new}{which} PIN again: "))? != *typed {
        return Err(Failure::Mistyped);
    }
    judged(typed, which)
}

fn judged(text: Zeroizing<String>, which: &'static str) -> Result<Pin, Failure> {
    Pin::new(text).map_err(|reason| Failure::Pin { which, reason })
}
