//! Walking one path from the trust anchor down: RFC 5280, 6.1.2 to 6.1.5. All checks are made, also after one has failed.

use std::collections::BTreeSet;

use const_oid::ObjectIdentifier;
use time::OffsetDateTime;

use super::names::{Breach, Constraints};
use super::policy::PolicyGraph;
use super::report::{Checks, Outcome, Rule};
use super::{Chain, Judged, Session, Signer};
use crate::algorithm::{SubjectKey, VerifyError};
use crate::certificate::Certificate;
use crate::extensions;
use crate::oid;

/// Extensions that are processed here, so that they may be critical.
const PROCESSED: [ObjectIdentifier; 12] = [
    oid::AUTHORITY_KEY_IDENTIFIER,
    oid::SUBJECT_KEY_IDENTIFIER,
    oid::KEY_USAGE,
    oid::EXTENDED_KEY_USAGE,
    oid::BASIC_CONSTRAINTS,
    oid::SUBJECT_ALT_NAME,
    oid::NAME_CONSTRAINTS,
    oid::CERTIFICATE_POLICIES,
    oid::POLICY_MAPPINGS,
    oid::POLICY_CONSTRAINTS,
    oid::INHIBIT_ANY_POLICY,
    oid::CRL_DISTRIBUTION_POINTS,
];

/// RSA with MD2, MD4 or MD5.
const BROKEN: [ObjectIdentifier; 3] = [
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.2"),
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.3"),
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.4"),
];

/// The bit keyCertSign.
const KEY_CERT_SIGN: u8 = 0x04;

/// The state variables of 6.1.2.
struct State {
    graph: PolicyGraph,
    names: Constraints,
    explicit_policy: usize,
    policy_mapping: usize,
    inhibit_any_policy: usize,
    max_path_length: usize,
    signer: Signer,
    policy_failed: bool,
}

impl Session<'_> {
    /// Walks a path and says all there is to say about it.
    pub(super) fn walk(&mut self, chain: Chain, pending: &mut Vec<usize>) -> Judged {
        let mut checks = Checks::default();
        let length = chain.certificates.len();
        let Some(anchor) = chain.anchor else {
            return Judged {
                chain,
                checks,
                notes: Vec::new(),
            };
        };
        let reason = match length {
            0 => "the certificate is itself a trust anchor",
            _ => "a path leads from the certificate to a trust anchor",
        };
        checks.add(Rule::Path, None, Outcome::Passed, reason);
        // What the caller asks of the certificate is not asked of signers of lists and answers.
        let asked = pending.is_empty();
        let first = |inhibited: bool| if inhibited && asked { 0 } else { length + 1 };
        let mut state = State {
            graph: PolicyGraph::new(),
            names: Constraints::new(),
            explicit_policy: first(self.options.require_explicit_policy),
            policy_mapping: first(self.options.inhibit_policy_mapping),
            inhibit_any_policy: first(self.options.inhibit_any_policy),
            max_path_length: length,
            signer: Signer::Anchor(anchor),
            policy_failed: false,
        };
        self.check_anchor(anchor, length == 0, &mut state, &mut checks);
        for (depth, certificate) in chain.certificates.iter().copied().enumerate() {
            let is_last = depth + 1 == length;
            let place = length - 1 - depth;
            self.check_one(&mut state, certificate, place, is_last, &mut checks);
            if !is_last {
                self.prepare_next(&mut state, certificate, place, &mut checks);
                state.signer = Signer::Certificate(certificate);
            }
        }
        if let Some(last) = chain.certificates.last() {
            self.wrap_up(&mut state, *last, asked, &mut checks);
        }
        let notes = self.check_revocation(&chain, pending, &mut checks);
        Judged { chain, checks, notes }
    }

    /// A trust anchor's certificate: valid at the time and, above others, one that may issue (RFC 5937).
    fn check_anchor(&self, anchor: usize, alone: bool, state: &mut State, checks: &mut Checks) {
        let Some(certificate) = self.anchors[anchor].certificate() else {
            let reason = "the trust anchor is a name and a key: nothing limits it";
            checks.add(Rule::TrustAnchor, None, Outcome::Passed, reason);
            return;
        };
        let (outcome, reason) = if !is_valid_at(certificate, self.options.at) {
            (Outcome::Failed, "the trust anchor is not valid at the time")
        } else if !alone && certificate.tbs().version >= 2 && !certificate.is_ca() {
            (Outcome::Failed, "the trust anchor is not a CA")
        } else if !alone && !may_sign_certificates(certificate) {
            (
                Outcome::Failed,
                "the trust anchor's key may not sign certificates",
            )
        } else {
            (
                Outcome::Passed,
                "the trust anchor is valid at the time and may issue",
            )
        };
        checks.add(Rule::TrustAnchor, None, outcome, reason);
        if let Some(limit) = certificate.tbs().path_length() {
            state.max_path_length = state.max_path_length.min(usize::from(limit));
        }
        if let Ok(constraints) = extensions::name_constraints(certificate.tbs()) {
            if let Some(constraints) = constraints {
                state.names.add(&constraints);
            }
        } else {
            let reason = "the trust anchor's name constraints cannot be read";
            checks.add(Rule::Structure, None, Outcome::Failed, reason);
        }
    }

    /// 6.1.3 but for revocation.
    fn check_one(&mut self, state: &mut State, at: usize, place: usize, is_last: bool, checks: &mut Checks) {
        let verified = self.verify(at, state.signer);
        let node = &self.nodes[at];
        let certificate = &node.certificate;
        check_alone(checks, place, certificate, self.options.at);
        let here = Some(place);
        let (outcome, reason) = signature_outcome(verified, self.key(state.signer));
        checks.add(Rule::Signature, here, outcome, reason);
        let issuer = match state.signer {
            Signer::Anchor(at) => &self.anchor_names[at],
            Signer::Certificate(at) => &self.nodes[at].subject,
        };
        let reasons = (
            "the issuer's name is the one above",
            "the issuer's name is not the one above",
        );
        checks.require(Rule::NameChaining, here, node.issuer == *issuer, reasons);

        // Self-issued certificates of CAs renew keys; names below them are checked with those of the last one.
        if is_last || !node.is_self_issued() {
            let (outcome, reason) = match state.names.check(certificate) {
                Ok(()) if state.names.is_empty() => {
                    (Outcome::Passed, "no CA above constrains names".to_owned())
                }
                Ok(()) => (
                    Outcome::Passed,
                    "the names keep to the constraints above".to_owned(),
                ),
                Err(breach) => breach_reason(breach),
            };
            checks.add(Rule::NameConstraints, here, outcome, reason);
        }

        // An unreadable extension has failed as structure; here it names nothing.
        let policies = extensions::certificate_policies(certificate.tbs()).unwrap_or(None);
        let any_counts = state.inhibit_any_policy > 0 || (!is_last && node.is_self_issued());
        state.graph.descend(policies.as_deref(), any_counts);
        if state.explicit_policy == 0 && state.graph.is_empty() && !state.policy_failed {
            state.policy_failed = true;
            let reason = "a policy is required and none is left in this certificate";
            checks.add(Rule::Policy, here, Outcome::Failed, reason);
        }
    }

    /// 6.1.4: what an issuer must be, and what it lays down for those below.
    fn prepare_next(&self, state: &mut State, at: usize, place: usize, checks: &mut Checks) {
        let node = &self.nodes[at];
        let certificate = &node.certificate;
        let tbs = certificate.tbs();
        let here = Some(place);
        if let Ok(Some(mappings)) = extensions::policy_mappings(tbs) {
            let any = mappings
                .iter()
                .any(|(issuer, subject)| [*issuer, *subject].contains(&oid::ANY_POLICY));
            let reasons = (
                "no mapping touches anyPolicy",
                "a mapping goes from or to anyPolicy",
            );
            checks.require(Rule::PolicyMapping, here, !any, reasons);
            state.graph.map(&mappings, state.policy_mapping > 0);
        }
        if let Ok(Some(constraints)) = extensions::name_constraints(tbs) {
            state.names.add(&constraints);
        }
        if !node.is_self_issued() {
            state.explicit_policy = state.explicit_policy.saturating_sub(1);
            state.policy_mapping = state.policy_mapping.saturating_sub(1);
            state.inhibit_any_policy = state.inhibit_any_policy.saturating_sub(1);
        }
        let lower = |variable: &mut usize, limit: Option<usize>| {
            *variable = limit.map_or(*variable, |limit| limit.min(*variable));
        };
        if let Ok(Some(constraints)) = extensions::policy_constraints(tbs) {
            lower(&mut state.explicit_policy, constraints.require_explicit_policy);
            lower(&mut state.policy_mapping, constraints.inhibit_policy_mapping);
        }
        lower(
            &mut state.inhibit_any_policy,
            extensions::inhibit_any_policy(tbs).unwrap_or(None),
        );

        let is_ca = tbs.version >= 2 && certificate.is_ca();
        checks.require(
            Rule::BasicConstraints,
            here,
            is_ca,
            ("the issuer is a CA", "the issuer is not a CA"),
        );
        if !node.is_self_issued() {
            let reasons = (
                "no more CAs follow than the path length allows",
                "more CAs follow than a path length above allows",
            );
            checks.require(Rule::PathLength, here, state.max_path_length > 0, reasons);
            state.max_path_length = state.max_path_length.saturating_sub(1);
        }
        lower(&mut state.max_path_length, tbs.path_length().map(usize::from));
        let reasons = (
            "the issuer's key may sign certificates",
            "the issuer's key may not sign certificates",
        );
        checks.require(Rule::KeyUsage, here, may_sign_certificates(certificate), reasons);
    }

    /// 6.1.5: the policies in the end, and what the certificate may be used for.
    fn wrap_up(&self, state: &mut State, at: usize, asked: bool, checks: &mut Checks) {
        let tbs = self.nodes[at].certificate.tbs();
        state.explicit_policy = state.explicit_policy.saturating_sub(1);
        if let Ok(Some(constraints)) = extensions::policy_constraints(tbs)
            && constraints.require_explicit_policy == Some(0)
        {
            state.explicit_policy = 0;
        }
        if !state.policy_failed {
            let policies = self.options.policies.as_ref().filter(|_| asked);
            let satisfied = state.graph.satisfies(policies);
            let (outcome, reason) = match (satisfied, state.explicit_policy > 0) {
                (true, _) => (Outcome::Passed, "the path has an acceptable policy"),
                (false, true) => (Outcome::Passed, "no policy is required"),
                (false, false) => (
                    Outcome::Failed,
                    "a policy is required and the path has no acceptable one",
                ),
            };
            checks.add(Rule::Policy, Some(0), outcome, reason);
        }
        if let Some(wanted) = self.options.key_usage.filter(|_| asked) {
            let fits = self.nodes[at]
                .certificate
                .key_usage()
                .is_none_or(|usage| usage.0 & wanted.0 != 0);
            let reasons = (
                "the key usage allows what the key is used for",
                "the key usage does not allow what the key is used for",
            );
            checks.require(Rule::KeyUsage, Some(0), fits, reasons);
        }
        if let Some(wanted) = self.options.extended_key_usage.filter(|_| asked) {
            let usages = extensions::extended_key_usage(tbs).unwrap_or(None);
            let fits = usages.is_none_or(|usages| {
                usages.contains(&wanted) || usages.contains(&oid::ANY_EXTENDED_KEY_USAGE)
            });
            let reasons = (
                "the extended key usage allows what the certificate is used for",
                "the extended key usage does not allow what the certificate is used for",
            );
            checks.require(Rule::ExtendedKeyUsage, Some(0), fits, reasons);
        }
    }
}

/// What a certificate shows by itself: structure, digest, validity, critical extensions.
pub(super) fn check_alone(
    checks: &mut Checks,
    place: usize,
    certificate: &Certificate,
    time: OffsetDateTime,
) {
    let here = Some(place);
    let (outcome, reason) = match structure_fault(certificate) {
        None => (Outcome::Passed, "version and extensions are in order"),
        Some(fault) => (Outcome::Failed, fault),
    };
    checks.add(Rule::Structure, here, outcome, reason);
    let algorithm = certificate.signature_algorithm();
    let weak = algorithm.is_broken()
        || matches!(algorithm, crate::SignatureAlgorithm::Unknown(oid) if BROKEN.contains(&oid));
    let (outcome, reason) = if weak {
        (
            Outcome::Failed,
            format!("signed by {algorithm}: its digest no longer resists collisions"),
        )
    } else {
        (Outcome::Passed, format!("signed by {algorithm}"))
    };
    checks.add(Rule::WeakSignature, here, outcome, reason);
    let reasons = (
        "the time lies within the validity",
        if time < certificate.not_before() {
            "the certificate is not yet valid at the time"
        } else {
            "the certificate has expired at the time"
        },
    );
    checks.require(Rule::Validity, here, is_valid_at(certificate, time), reasons);
    let unknown = certificate
        .tbs()
        .extensions()
        .iter()
        .find(|extension| extension.critical && !PROCESSED.contains(&extension.oid));
    match unknown {
        None => {
            let reason = "every critical extension is understood";
            checks.add(Rule::CriticalExtension, here, Outcome::Passed, reason);
        }
        Some(extension) => {
            let reason = format!("the critical extension {} is not understood", extension.oid);
            checks.add(Rule::CriticalExtension, here, Outcome::Failed, reason);
        }
    }
}

/// What is wrong with version or extensions.
fn structure_fault(certificate: &Certificate) -> Option<&'static str> {
    let tbs = certificate.tbs();
    let mut seen = BTreeSet::new();
    if !tbs.extensions().is_empty() && tbs.version != 2 {
        return Some("there are extensions but the version is not 3");
    }
    if !tbs
        .extensions()
        .iter()
        .all(|extension| seen.insert(extension.oid))
    {
        return Some("an extension is there twice");
    }
    if certificate.issuer().is_empty() {
        return Some("the issuer's name is empty");
    }
    let key_usage = tbs.extension(oid::KEY_USAGE).is_none() || tbs.key_usage().is_some();
    let readable = key_usage
        && extensions::certificate_policies(tbs).is_ok()
        && extensions::policy_mappings(tbs).is_ok()
        && extensions::policy_constraints(tbs).is_ok()
        && extensions::inhibit_any_policy(tbs).is_ok()
        && extensions::name_constraints(tbs).is_ok()
        && extensions::subject_alt_names(tbs).is_ok()
        && extensions::extended_key_usage(tbs).is_ok()
        && extensions::crl_distribution_points(tbs).is_ok();
    (!readable).then_some("an extension cannot be read")
}

fn is_valid_at(certificate: &Certificate, time: OffsetDateTime) -> bool {
    (certificate.not_before()..=certificate.not_after()).contains(&time)
}

/// 6.1.4 n: where there is a key usage it must say so.
fn may_sign_certificates(certificate: &Certificate) -> bool {
    let absent = certificate.extension(oid::KEY_USAGE).is_none();
    absent
        || certificate
            .key_usage()
            .is_some_and(|usage| usage.0 & KEY_CERT_SIGN != 0)
}

fn signature_outcome(verified: Option<Result<(), VerifyError>>, key: &SubjectKey) -> (Outcome, String) {
    match verified {
        Some(Ok(())) => (
            Outcome::Passed,
            format!("the issuer's {key} key verifies the signature"),
        ),
        Some(Err(VerifyError::Unsupported)) => (Outcome::Indeterminate, VerifyError::Unsupported.to_string()),
        Some(Err(error)) => (Outcome::Failed, error.to_string()),
        None => (
            Outcome::Indeterminate,
            "too many signatures to verify them all".to_owned(),
        ),
    }
}

fn breach_reason(breach: Breach) -> (Outcome, String) {
    let reason = match breach {
        Breach::Excluded => "a name lies in a subtree that a CA above excludes",
        Breach::NotPermitted => "a name lies outside the subtrees that a CA above permits",
        Breach::Unsupported => "a name of a constrained form cannot be compared",
        Breach::TooMany => "there are too many names and constraints to compare them all",
    };
    (Outcome::Failed, reason.to_owned())
}
