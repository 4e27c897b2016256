//! Lints on to-be-signed bytes: the last look before a signature makes a mistake permanent.
//!
//! They read the bytes with a reader of their own making and share no code with the writer's decisions, so that one
//! mistake does not excuse the other.

use crate::certificate::{Certificate, TbsCertificate};
use crate::profile::Profile;

mod encoding;
mod extensions;
mod fields;
mod identity;
mod purposes;
mod revocation_list;
mod status;

pub use revocation_list::lint_crl;
pub use status::lint_ocsp;

/// One broken rule. It names no subject, so that it can be logged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The rule, as a stable identifier.
    pub rule: &'static str,
    /// What is wrong.
    pub detail: &'static str,
}

/// The findings so far.
#[derive(Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn require(&mut self, holds: bool, rule: &'static str, detail: &'static str) {
        if !holds {
            self.0.push(Finding { rule, detail });
        }
    }
}

/// Checks to-be-signed bytes against their profile and, unless it is a root, the certificate of the issuer.
/// Signs nothing, changes nothing; an empty list means that the bytes may be signed.
pub fn lint(profile: Profile, tbs: &[u8], issuer: Option<&Certificate>) -> Vec<Finding> {
    let mut findings = Findings::default();
    encoding::check_certificate(&mut findings, tbs);
    match TbsCertificate::from_der(tbs) {
        Ok(parsed) => {
            fields::check(&mut findings, profile, &parsed);
            extensions::check(&mut findings, profile, &parsed);
            purposes::check(&mut findings, profile, &parsed);
            identity::check(&mut findings, profile, &parsed);
            check_issuer(&mut findings, profile, &parsed, issuer);
        }
        Err(_) => findings.require(
            false,
            "structure",
            "the bytes are not a TBSCertificate with an SM2 key",
        ),
    }
    findings.0
}

fn check_issuer(
    findings: &mut Findings,
    profile: Profile,
    tbs: &TbsCertificate,
    issuer: Option<&Certificate>,
) {
    let Some(issuer) = issuer else {
        findings.require(
            profile == Profile::RootCa,
            "issuer-known",
            "the issuer's certificate is not given",
        );
        findings.require(
            tbs.issuer == tbs.subject,
            "root-names-itself",
            "issuer and subject differ",
        );
        findings.require(
            tbs.authority_key_identifier() == tbs.subject_key_identifier(),
            "root-key-identifiers",
            "the key identifiers of a root differ",
        );
        return;
    };
    findings.require(
        profile != Profile::RootCa,
        "root-names-itself",
        "a root has no other issuer",
    );
    findings.require(
        &tbs.issuer == issuer.subject(),
        "issuer-name",
        "the issuer has another name",
    );
    findings.require(
        tbs.authority_key_identifier() == issuer.subject_key_identifier(),
        "authority-key-identifier",
        "the issuer has another key identifier",
    );
    findings.require(
        issuer.not_before() <= tbs.not_before && tbs.not_after <= issuer.not_after(),
        "validity-nested",
        "the validity goes beyond the issuer's",
    );
    let signs_certificates = issuer.key_usage().is_some_and(|usage| usage.0 & 0x04 != 0);
    findings.require(
        issuer.is_ca() && signs_certificates,
        "issuer-is-ca",
        "the issuer is not a CA",
    );
    findings.require(
        !profile.is_ca() || issuer.tbs().path_length() != Some(0),
        "issuer-path-length",
        "the issuer may have no CA under it",
    );
    findings.require(tbs.key != *issuer.key(), "own-key", "the key is the issuer's own");
}

#[cfg(test)]
mod tests;
