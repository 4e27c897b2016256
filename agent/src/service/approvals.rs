//! The sites that the holder approved: a file with each site's origin and the digest of its token.
use std::{
    io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};
use zeroize::Zeroizing;

use super::{origin::Origin, secret};
use crate::private_file::{self, ReadError};

/// How long an approval lasts.
pub const LIFE: Duration = Duration::days(90);
/// Most sites that are approved at once.
pub const LIMIT: usize = 64;
const FILE_LIMIT_BYTES: u64 = 64 * 1024;

/// One approved site. Used in stored state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// Which.
    pub origin: Origin,
    /// SM3 of its token, in hexadecimal.
    token_sm3: String,
    /// Since when.
    #[serde(with = "time::serde::rfc3339")]
    pub approved_at: OffsetDateTime,
    /// Until when.
    #[serde(with = "time::serde::rfc3339")]
    pub expires_at: OffsetDateTime,
}

/// Whether a site may call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Approved, and the token is its own.
    Approved,
    /// Approved, with another token or none.
    WrongToken,
    /// Not approved, or no longer.
    Stranger,
}

/// Why a site was not approved.
#[derive(Debug, thiserror::Error)]
pub enum ApproveError {
    /// There are as many as there may be.
    #[error("{LIMIT} sites are approved: revoke one first")]
    Full,
    /// It could not be kept.
    #[error("the approved sites cannot be written")]
    Unwritable(#[from] io::Error),
}

/// The approved sites.
pub struct Approvals {
    path: PathBuf,
    sites: Vec<Approval>,
}

impl Approvals {
    /// Reads the file, which may be missing.
    pub fn open(path: &Path) -> Result<Self, ReadError> {
        let sites = match private_file::read(path, FILE_LIMIT_BYTES) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| ReadError::Io {
                path: path.to_owned(),
                source: error.into(),
            })?,
            Err(ReadError::Missing(_)) => Vec::new(),
            Err(error) => return Err(error),
        };
        Ok(Self {
            path: path.to_owned(),
            sites,
        })
    }

    /// Those that are approved now.
    pub fn list(&self, now: OffsetDateTime) -> Vec<Approval> {
        self.sites
            .iter()
            .filter(|site| site.expires_at > now)
            .cloned()
            .collect()
    }

    /// Whether a site may know of this agent.
    pub fn knows(&self, origin: &Origin, now: OffsetDateTime) -> bool {
        self.find(origin, now).is_some()
    }

    /// Whether a site may call with this token.
    pub fn standing(&self, origin: &Origin, token: Option<&str>, now: OffsetDateTime) -> Standing {
        let Some(site) = self.find(origin, now) else {
            return Standing::Stranger;
        };
        let mut digest = [0; 32];
        let readable = hex::decode_to_slice(&site.token_sm3, &mut digest).is_ok();
        match token {
            Some(token) if readable && secret::matches(token, &digest) => Standing::Approved,
            _ => Standing::WrongToken,
        }
    }

    /// Approves a site and gives its token, which nobody can read again. An earlier token of the site ends.
    pub fn approve(
        &mut self,
        origin: &Origin,
        now: OffsetDateTime,
    ) -> Result<(Zeroizing<String>, OffsetDateTime), ApproveError> {
        let token = secret::fresh();
        let mut sites = self.list(now);
        sites.retain(|site| site.origin != *origin);
        if sites.len() >= LIMIT {
            return Err(ApproveError::Full);
        }
        let expires_at = now + LIFE;
        sites.push(Approval {
            origin: origin.clone(),
            token_sm3: hex::encode(secret::hashed(&token)),
            approved_at: now,
            expires_at,
        });
        self.store(sites)?;
        Ok((token, expires_at))
    }

    /// Takes an approval back; whether there was one.
    pub fn revoke(&mut self, origin: &Origin) -> io::Result<bool> {
        let mut sites = self.sites.clone();
        sites.retain(|site| site.origin != *origin);
        let found = sites.len() < self.sites.len();
        self.store(sites)?;
        Ok(found)
    }

    fn find(&self, origin: &Origin, now: OffsetDateTime) -> Option<&Approval> {
        self.sites
            .iter()
            .find(|site| site.origin == *origin && site.expires_at > now)
    }

    fn store(&mut self, sites: Vec<Approval>) -> io::Result<()> {
        let bytes = serde_json::to_vec_pretty(&sites).map_err(io::Error::from)?;
        private_file::replace(&self.path, &bytes)?;
        self.sites = sites;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_good_for_its_site_until_it_expires_or_is_revoked() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("sites.json");
        let now = OffsetDateTime::UNIX_EPOCH;
        let site: Origin = "https://site.example".parse().unwrap();
        let other: Origin = "https://other.example".parse().unwrap();
        let mut approvals = Approvals::open(&path).unwrap();
        let (token, until) = approvals.approve(&site, now).unwrap();
        assert_eq!(until, now + LIFE);
        let written = std::fs::read_to_string(&path).unwrap();
        assert!(!written.contains(token.as_str()), "only its digest is kept");
        let mut approvals = Approvals::open(&path).unwrap();
        let standing = |approvals: &Approvals, site, at| approvals.standing(site, Some(&token), at);
        assert_eq!(standing(&approvals, &site, now), Standing::Approved);
        assert_eq!(standing(&approvals, &other, now), Standing::Stranger);
        assert_eq!(standing(&approvals, &site, until), Standing::Stranger);
        assert_eq!(approvals.standing(&site, None, now), Standing::WrongToken);
        let (second, _) = approvals.approve(&site, now).unwrap();
        assert_eq!(standing(&approvals, &site, now), Standing::WrongToken);
        assert!(approvals.revoke(&site).unwrap());
        assert_eq!(approvals.standing(&site, Some(&second), now), Standing::Stranger);
        assert!(!Approvals::open(&path).unwrap().knows(&site, now));
    }
}
