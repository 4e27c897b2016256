//! For tests: a token that is pulled at a certain call.
use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
};

/// While a pulled token is out, this file lies among the devices; who removes it puts the token back.
pub const MARKER: &str = "pulled";

/// Pulls the token at the N-th call of a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The function's name in the standard.
    pub call: String,
    /// From 1 on.
    pub number: u32,
    /// When.
    pub moment: Moment,
}

/// When, in a call, the token is pulled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// Before anything is done.
    Before,
    /// When it is done and answered.
    After,
    /// When it is done, but the answer does not come.
    Lost,
}

/// Faults to come, and whether one has happened.
pub struct Faults {
    to_come: Vec<Fault>,
    calls: HashMap<String, u32>,
    pulled: Option<Marked>,
    marker: PathBuf,
}

/// Whether the marker could be written: without it the token stays out.
#[derive(PartialEq)]
enum Marked {
    Yes,
    No,
}

impl Fault {
    /// From `CALL:N`, `CALL:N:after` or `CALL:N:lost`.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(':');
        let call = parts.next().filter(|call| call.starts_with("SKF_"))?.to_owned();
        let number = parts.next()?.parse().ok().filter(|number| *number > 0)?;
        let moment = match parts.next() {
            None => Moment::Before,
            Some("after") => Moment::After,
            Some("lost") => Moment::Lost,
            Some(_) => return None,
        };
        parts.next().is_none().then_some(Self { call, number, moment })
    }
}

impl Faults {
    pub fn new(faults: Vec<Fault>, directory: &Path) -> Self {
        Self {
            to_come: faults,
            calls: HashMap::new(),
            pulled: None,
            marker: directory.join(MARKER),
        }
    }

    /// Counts a call; what is to happen to it.
    pub fn count(&mut self, call: &str) -> Option<Moment> {
        if self.to_come.is_empty() {
            return None;
        }
        let number = self.calls.entry(call.to_owned()).or_default();
        *number += 1;
        let due = |fault: &&Fault| fault.call == call && fault.number == *number;
        self.to_come.iter().find(due).map(|fault| fault.moment)
    }

    pub fn pull(&mut self) {
        let written = fs::write(
            &self.marker,
            b"A test pulled the token. Remove this file to put it back.\n",
        );
        self.pulled = Some(if written.is_ok() { Marked::Yes } else { Marked::No });
    }

    pub fn is_pulled(&mut self) -> bool {
        if self.pulled == Some(Marked::Yes) && !self.marker.exists() {
            self.pulled = None;
        }
        self.pulled.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_names_a_call_its_number_and_the_moment() {
        let fault = Fault::parse("SKF_ImportCertificate:2:after").unwrap();
        assert_eq!(
            (fault.call.as_str(), fault.number, fault.moment),
            ("SKF_ImportCertificate", 2, Moment::After)
        );
        assert_eq!(Fault::parse("SKF_EnumDev:1").unwrap().moment, Moment::Before);
        for text in [
            "",
            "SKF_EnumDev",
            "SKF_EnumDev:0",
            "EnumDev:1",
            "SKF_EnumDev:1:soon",
            "SKF_EnumDev:1:after:",
        ] {
            assert_eq!(Fault::parse(text), None, "{text}");
        }
    }
}
