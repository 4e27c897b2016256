//! Which of an application's containers is the current one.
use time::OffsetDateTime;
use yinxin_pki::Certificate;
use yinxin_skf::{Application, Choice, Error, KeyUse, Text};

use super::record::Record;
use crate::token::containers::CURRENT_RECORD;

/// Most containers that are looked into.
const CONTAINERS_LIMIT: usize = 64;

/// The current container: the one that the record names, else the one that the profile chooses.
pub fn current(application: &Application, choice: &Choice, buffer_bytes: u32) -> Result<Option<Text>, Error> {
    let mut names = application.containers()?;
    let recorded = match Record::new(application, CURRENT_RECORD, buffer_bytes).read() {
        Ok(recorded) => recorded,
        Err(error @ (Error::Removed(_) | Error::Busy(_))) => return Err(error),
        // A library that has its own way with files that are not there: its tokens have no such record.
        Err(_) => None,
    };
    let place = recorded
        .and_then(|name| names.iter().position(|held| held.as_str().as_bytes() == name))
        .or_else(|| match choice {
            Choice::First => latest(application, &names),
            Choice::Named(wanted) => names.iter().position(|name| name.as_str() == wanted),
        });
    Ok(place.map(|place| names.swap_remove(place)))
}

/// The container whose signing certificate ends last, the first one where none has any: of several, which others made, that is
/// the one in use.
fn latest(application: &Application, names: &[Text]) -> Option<usize> {
    if names.len() < 2 {
        return (!names.is_empty()).then_some(0);
    }
    let ends = |name| -> Option<OffsetDateTime> {
        let der = application
            .container(name)
            .ok()?
            .certificate(KeyUse::Signing)
            .ok()??;
        let certificate = Certificate::from_der(&der).ok()?;
        certificate.public_key().map(|_| certificate.not_after())
    };
    let ends: Vec<Option<OffsetDateTime>> = names.iter().take(CONTAINERS_LIMIT).map(ends).collect();
    // From behind, because of equal ones the last is taken.
    (0..ends.len()).rev().max_by_key(|&place| ends[place])
}
