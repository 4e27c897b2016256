//! A token's containers: which one is current, and which one a certificate lies in.
//!
//! The current container signs, logs in and is shown. It is the one that the record `current` names, so that it changes
//! when one record is replaced: [`switch`]. A token without that record has the container that its profile chooses, and
//! [`pin_current`] writes the record before a second container could make that choice another one. The other
//! containers are those of earlier certificates, whose keys still decrypt, and one that may be in preparation.
use yinxin_pki::Certificate;

use super::{Token, TokenError, Usage};

/// The record with the name of the current container.
pub const CURRENT_RECORD: &str = "current";

/// Whether the record says that this container is current.
pub fn is_current(token: &dyn Token, container: &str) -> Result<bool, TokenError> {
    Ok(token.record(CURRENT_RECORD)?.as_deref() == Some(container.as_bytes()))
}

/// Records the current container, which is selected, where the record does not name it. Needs the login.
pub fn pin_current(token: &mut dyn Token) -> Result<(), TokenError> {
    match token.selected() {
        Some(container) if !is_current(token, &container)? => {
            token.write_record(CURRENT_RECORD, container.as_bytes())
        }
        _ => Ok(()),
    }
}

/// Makes a container the current one. Needs the login.
pub fn switch(token: &mut dyn Token, container: &str) -> Result<(), TokenError> {
    token.select(container)?;
    pin_current(token)
}

/// All containers, the selected one first.
pub fn selected_first(token: &dyn Token) -> Result<Vec<String>, TokenError> {
    let selected = token.selected();
    let mut names = token.containers()?;
    // Stable: the others keep their order.
    names.sort_by_key(|name| Some(name) != selected.as_ref());
    Ok(names)
}

/// Turns to the container whose certificate is one of these, the selected one before others; without any, nothing changes.
pub fn select_by_certificate(
    token: &mut dyn Token,
    usage: Usage,
    wanted: impl Fn(&Certificate) -> bool,
) -> Result<(), TokenError> {
    let before = token.selected();
    for container in selected_first(token)? {
        token.select(&container)?;
        if readable(token, usage)?.is_some_and(|certificate| wanted(&certificate)) {
            return Ok(());
        }
    }
    before.map_or(Ok(()), |before| token.select(&before))
}

/// A certificate of the selected container, if there is one that can be read: containers that others made may hold anything.
pub fn readable(token: &dyn Token, usage: Usage) -> Result<Option<Certificate>, TokenError> {
    match token.certificate(usage) {
        Err(TokenError::BadCertificate(_)) => Ok(None),
        read => read,
    }
}
