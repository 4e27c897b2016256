//! A token's containers: which one is current, and which one decrypts what was encrypted to a certificate.
//!
//! The current container signs, logs in and is shown. It is the one that the record `current` names, so that it changes
//! when one record is replaced: [`switch`]. A token without that record has the container that its profile chooses, and
//! [`pin_current`] writes the record before a second container could make that choice another one. The other
//! containers are those of earlier certificates, whose keys still decrypt, and one that may be in preparation.
use yinxin_pki::{Certificate, pem};

use super::{Token, TokenError, Usage};

/// The record with the name of the current container.
pub const CURRENT_RECORD: &str = "current";
/// The record with encryption certificates that were replaced by others for the same keys, PEM.
pub const REPLACED_RECORD: &str = "replaced";
/// Most certificates that it keeps; the oldest go.
const REPLACED_LIMIT: usize = 8;

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

/// Turns to the container with the encryption key of a certificate that is wanted, be it an earlier one, and gives that
/// certificate; the selected container goes before others. Without any, nothing changes.
pub fn select_addressee(
    token: &mut dyn Token,
    wanted: impl Fn(&Certificate) -> bool,
) -> Result<Option<Certificate>, TokenError> {
    let before = token.selected();
    let containers = selected_first(token)?;
    for container in &containers {
        token.select(container)?;
        let held = readable(token, Usage::Encryption)?;
        if let Some(held) = held.filter(|held| wanted(held)) {
            return Ok(Some(held));
        }
    }
    // A certificate that was replaced by one for the same key is in no container any more.
    for replaced in replaced(token)?.into_iter().filter(wanted) {
        for container in &containers {
            token.select(container)?;
            if token.public_key(Usage::Encryption)?.as_ref() == replaced.public_key() {
                return Ok(Some(replaced));
            }
        }
    }
    before.map_or(Ok(()), |before| token.select(&before))?;
    Ok(None)
}

/// The encryption certificates that were replaced by others for the same keys, the latest first.
pub fn replaced(token: &dyn Token) -> Result<Vec<Certificate>, TokenError> {
    let record = token.record(REPLACED_RECORD)?.unwrap_or_default();
    // Nobody but this program writes the record; without it only those certificates are missed.
    Ok(pem::decode_chain(&String::from_utf8_lossy(&record)).unwrap_or_default())
}

/// Keeps an encryption certificate that is about to be replaced: what was encrypted to it names it and not its key. Needs
/// the login.
pub fn keep_replaced(token: &mut dyn Token, certificate: Certificate) -> Result<(), TokenError> {
    let mut all = replaced(token)?;
    if all.contains(&certificate) {
        return Ok(());
    }
    all.insert(0, certificate);
    all.truncate(REPLACED_LIMIT);
    token.write_record(REPLACED_RECORD, pem::encode_chain(&all).as_bytes())
}

/// A certificate of the selected container, if there is one that can be read: containers that others made may hold anything.
pub fn readable(token: &dyn Token, usage: Usage) -> Result<Option<Certificate>, TokenError> {
    match token.certificate(usage) {
        Err(TokenError::BadCertificate(_)) => Ok(None),
        read => read,
    }
}
