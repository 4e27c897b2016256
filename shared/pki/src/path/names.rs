//! Name constraints along a path (RFC 5280, 4.2.1.10 and 6.1.3 b and c).

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::certificate::Certificate;
use crate::extensions::{self, GeneralName, NameConstraints};
use crate::name::{CanonicalName, Name};
use crate::oid;

/// Comparisons of a name with a subtree that one path may cost.
const MAX_COMPARISONS: usize = 20_000;

/// Why a certificate's names are not acceptable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Breach {
    /// A name lies in an excluded subtree.
    Excluded,
    /// A name lies in none of the permitted subtrees of its form.
    NotPermitted,
    /// A form is constrained that cannot be compared, or a name cannot be read.
    Unsupported,
    /// Comparing all would take too long.
    TooMany,
}

/// All constraints of the CAs walked so far. Each CA's permitted subtrees must hold, which is their intersection.
#[derive(Debug)]
pub(super) struct Constraints {
    permitted: Vec<Vec<Subtree>>,
    excluded: Vec<Subtree>,
    comparisons_left: usize,
}

/// A constraint, or a name to be held against one.
#[derive(Debug)]
enum Subtree {
    Directory(CanonicalName),
    Other(GeneralName),
}

impl Subtree {
    fn new(name: &GeneralName) -> Self {
        match name {
            GeneralName::Directory(name) => Self::Directory(name.canonical()),
            other => Self::Other(other.clone()),
        }
    }

    fn same_form(&self, other: &Self) -> bool {
        use GeneralName as G;
        match (self, other) {
            (Self::Directory(_), Self::Directory(_)) => true,
            (Self::Other(one), Self::Other(two)) => match (one, two) {
                (G::Rfc822(_), G::Rfc822(_))
                | (G::Dns(_), G::Dns(_))
                | (G::Uri(_), G::Uri(_))
                | (G::Ip(_), G::Ip(_)) => true,
                (G::Other(one, _), G::Other(two, _)) => one == two,
                _ => false,
            },
            _ => false,
        }
    }

    /// Whether a name lies within this subtree of the same form; `None` if that cannot be told.
    fn holds(&self, name: &Self) -> Option<bool> {
        use GeneralName as G;
        match (self, name) {
            (Self::Directory(base), Self::Directory(name)) => Some(name.is_within(base)),
            (Self::Other(base), Self::Other(name)) => match (base, name) {
                (G::Rfc822(base), G::Rfc822(name)) => mailbox_within(name, base),
                (G::Dns(base), G::Dns(name)) => Some(host_within(name, base)),
                (G::Uri(base), G::Uri(name)) => Some(uri_host_within(uri_host(name)?, base)),
                (G::Ip(base), G::Ip(name)) => address_within(name, base),
                _ => None,
            },
            _ => Some(false),
        }
    }
}

impl Constraints {
    pub(super) fn new() -> Self {
        Self {
            permitted: Vec::new(),
            excluded: Vec::new(),
            comparisons_left: MAX_COMPARISONS,
        }
    }

    /// Whether no CA has constrained anything.
    pub(super) fn is_empty(&self) -> bool {
        self.permitted.is_empty() && self.excluded.is_empty()
    }

    /// Adds a CA's constraints (6.1.4 g).
    pub(super) fn add(&mut self, constraints: &NameConstraints) {
        if !constraints.permitted.is_empty() {
            self.permitted
                .push(constraints.permitted.iter().map(Subtree::new).collect());
        }
        self.excluded
            .extend(constraints.excluded.iter().map(Subtree::new));
    }

    /// Holds all names of a certificate against the constraints.
    pub(super) fn check(&mut self, certificate: &Certificate) -> Result<(), Breach> {
        if self.is_empty() {
            return Ok(());
        }
        for name in names(certificate)? {
            self.check_name(&Subtree::new(&name))?;
        }
        Ok(())
    }

    fn check_name(&mut self, name: &Subtree) -> Result<(), Breach> {
        let mut left = self.comparisons_left;
        let mut holds = |subtree: &Subtree| {
            left = left.checked_sub(1).ok_or(Breach::TooMany)?;
            subtree.holds(name).ok_or(Breach::Unsupported)
        };
        for subtree in self.excluded.iter().filter(|subtree| subtree.same_form(name)) {
            if holds(subtree)? {
                return Err(Breach::Excluded);
            }
        }
        for group in &self.permitted {
            let (mut constrained, mut permitted) = (false, false);
            for subtree in group.iter().filter(|subtree| subtree.same_form(name)) {
                constrained = true;
                if holds(subtree)? {
                    permitted = true;
                    break;
                }
            }
            if constrained && !permitted {
                return Err(Breach::NotPermitted);
            }
        }
        self.comparisons_left = left;
        Ok(())
    }
}

/// Everything that constraints speak about: subject, alternative names, and, where no alternative name is there, the
/// e-mail addresses of the subject.
fn names(certificate: &Certificate) -> Result<Vec<GeneralName>, Breach> {
    let alternative = extensions::subject_alt_names(certificate.tbs()).map_err(|_| Breach::Unsupported)?;
    let subject = certificate.subject();
    let mut names = Vec::new();
    if !subject.is_empty() {
        names.push(GeneralName::Directory(Name::clone(subject)));
    }
    if alternative.is_none() {
        let addresses = subject
            .attributes()
            .iter()
            .filter(|attribute| attribute.oid == oid::EMAIL_ADDRESS);
        names.extend(addresses.map(|attribute| GeneralName::Rfc822(attribute.value.clone())));
    }
    names.extend(alternative.unwrap_or_default());
    Ok(names)
}

/// A mailbox, a host's mailboxes, or with a leading period those of all hosts below a domain. The local part tells case.
fn mailbox_within(mailbox: &str, base: &str) -> Option<bool> {
    let (local, host) = mailbox.rsplit_once('@')?;
    Some(if let Some((base_local, base_host)) = base.rsplit_once('@') {
        local == base_local && host.eq_ignore_ascii_case(base_host)
    } else if base.starts_with('.') {
        ends_with_ignoring_case(host, base)
    } else {
        host.eq_ignore_ascii_case(base)
    })
}

/// The domain itself and all below it; with a leading period, those below only.
fn host_within(host: &str, base: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host);
    let base = base.strip_suffix('.').unwrap_or(base);
    if base.is_empty() || host.eq_ignore_ascii_case(base) {
        return true;
    }
    if base.starts_with('.') {
        return ends_with_ignoring_case(host, base);
    }
    host.len() > base.len()
        && ends_with_ignoring_case(host, base)
        && host.as_bytes()[host.len() - base.len() - 1] == b'.'
}

/// Exactly the host; with a leading period, all below it.
fn uri_host_within(host: &str, base: &str) -> bool {
    if base.starts_with('.') {
        ends_with_ignoring_case(host, base)
    } else {
        host.eq_ignore_ascii_case(base)
    }
}

/// The host of a URI with an authority; `None` for an address or none at all, which RFC 5280 has one refuse.
fn uri_host(uri: &str) -> Option<&str> {
    let (_, rest) = uri.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    if host.starts_with('[') {
        return None;
    }
    let host = host.split(':').next()?;
    let host = host.strip_suffix('.').unwrap_or(host);
    let is_address = host.parse::<Ipv4Addr>().is_ok() || host.parse::<Ipv6Addr>().is_ok();
    (!host.is_empty() && !is_address).then_some(host)
}

/// Address against address ‖ mask of the same family.
fn address_within(address: &[u8], base: &[u8]) -> Option<bool> {
    if ![4, 16].contains(&address.len()) || ![8, 32].contains(&base.len()) {
        return None;
    }
    let (network, mask) = base.split_at(base.len() / 2);
    let within = |((address, network), mask): ((&u8, &u8), &u8)| address & mask == network & mask;
    Some(address.len() == network.len() && address.iter().zip(network).zip(mask).all(within))
}

fn ends_with_ignoring_case(text: &str, end: &str) -> bool {
    let (text, end) = (text.as_bytes(), end.as_bytes());
    text.len() >= end.len() && text[text.len() - end.len()..].eq_ignore_ascii_case(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_mailboxes_and_addresses_lie_within_their_subtrees() {
        assert!(host_within("www.Example.com", "example.com"));
        assert!(host_within("example.com", "EXAMPLE.com"));
        assert!(!host_within("badexample.com", "example.com"));
        assert!(!host_within("example.com", ".example.com"));
        assert!(host_within("a.b", ""));
        assert_eq!(mailbox_within("a@example.com", "example.com"), Some(true));
        assert_eq!(mailbox_within("a@mail.example.com", "example.com"), Some(false));
        assert_eq!(mailbox_within("a@mail.example.com", ".example.com"), Some(true));
        assert_eq!(mailbox_within("A@example.com", "a@example.com"), Some(false));
        assert_eq!(mailbox_within("nobody", "example.com"), None);
        assert_eq!(
            uri_host("http://u:p@host.example:8080/path"),
            Some("host.example")
        );
        assert_eq!(uri_host("http://192.0.2.1/"), None);
        assert_eq!(uri_host("urn:x"), None);
        assert!(uri_host_within("a.example.com", ".example.com"));
        assert!(!uri_host_within("a.example.com", "example.com"));
        let base = [192, 0, 2, 0, 255, 255, 255, 0];
        assert_eq!(address_within(&[192, 0, 2, 7], &base), Some(true));
        assert_eq!(address_within(&[192, 0, 3, 7], &base), Some(false));
        assert_eq!(address_within(&[0; 16], &base), Some(false));
        assert_eq!(address_within(&[192, 0, 2], &base), None);
    }
}
