//! What ceremonies stored before there were generations: one root, one issuing CA.
use serde::Deserialize;

use super::{AuthorityError, StoredAuthority, StoredGeneration, StoredKey, StoredRoot, certificate};

/// This type is used in stored state; it is read and never written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FirstForm {
    chain: Vec<String>,
    wrapped_key: String,
    sealed_issuing_key: String,
    #[serde(default)]
    sealed_root_key: Option<String>,
}

impl TryFrom<FirstForm> for StoredAuthority {
    type Error = AuthorityError;

    fn try_from(first: FirstForm) -> Result<Self, AuthorityError> {
        let (Some(issuing), Some(root)) = (first.chain.first(), first.chain.last()) else {
            return Err(AuthorityError::Unreadable("there is no certificate"));
        };
        Ok(StoredAuthority {
            wrapped_key: first.wrapped_key,
            root: StoredRoot {
                certificate: root.clone(),
                key: first.sealed_root_key.map(|sealed| StoredKey::Software { sealed }),
            },
            generations: vec![StoredGeneration {
                number: 1,
                issues_from: certificate(issuing)?.not_before(),
                chain: first.chain,
                key: StoredKey::Software {
                    sealed: first.sealed_issuing_key,
                },
                retired: None,
                responder: None,
            }],
            list_signers: Vec::new(),
        })
    }
}
