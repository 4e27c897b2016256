//! Path validation (RFC 5280, 6) for SM2, RSA, ECDSA and Ed25519 chains at a given time, with a report that says every
//! check and its reason. Bytes of any kind may come in: nothing panics, and everything is bounded.
//!
//! ```text
//! validate: build paths (build.rs) -> walk each from the anchor down (walk.rs, policy.rs, names.rs)
//!           -> ask lists and answers about each certificate (revocation.rs, lists.rs, answers.rs) -> the best report
//! ```

use std::collections::{BTreeSet, HashMap};

use const_oid::ObjectIdentifier;
use time::OffsetDateTime;

use crate::algorithm::{SubjectKey, VerifyError};
use crate::certificate::{Certificate, KeyUsage};
use crate::crl::Crl;
use crate::key::DEFAULT_ID;
use crate::name::{CanonicalName, Name};
use crate::ocsp::{BasicResponse, OcspResponse};

mod answers;
mod build;
mod lists;
mod names;
mod policy;
mod report;
mod revocation;
mod signed;
mod walk;

use lists::List;
use report::Checks;
pub use report::{Check, Outcome, Report, Rule};
pub use revocation::Revocation;
pub use signed::{validate_answer, validate_list, validate_message, validate_request};

/// Certificates between target and trust anchor, the target with them, at most.
pub const MAX_PATH: usize = 12;
/// Candidates for issuers that are looked at; more are left out, and the report says so.
pub const MAX_CANDIDATES: usize = 256;
/// Trust anchors that are looked at.
pub const MAX_ANCHORS: usize = 1024;
/// Revocation lists that are looked at.
pub const MAX_LISTS: usize = 256;
/// OCSP answers that are looked at.
pub const MAX_ANSWERS: usize = 256;
/// Paths of signers of lists and answers that are looked for.
const MAX_JUDGEMENTS: usize = 64;
/// Complete paths that are tried.
const MAX_PATHS: usize = 32;
/// Signatures that are verified for one report.
const MAX_SIGNATURES: usize = 2_000;

/// Whom the caller trusts to issue: a name and a key, mostly from a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustAnchor {
    name: Name,
    key: SubjectKey,
    certificate: Option<Certificate>,
}

impl TrustAnchor {
    /// An anchor from a certificate, self-signed or not. Its validity, its right to issue, its path length and its name
    /// constraints count too (RFC 5937).
    pub fn from_certificate(certificate: Certificate) -> Self {
        Self {
            name: certificate.subject().clone(),
            key: certificate.key().clone(),
            certificate: Some(certificate),
        }
    }

    /// An anchor of which just name and key are known.
    pub fn new(name: Name, key: SubjectKey) -> Self {
        Self {
            name,
            key,
            certificate: None,
        }
    }

    /// Its name.
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// Its key.
    pub fn key(&self) -> &SubjectKey {
        &self.key
    }

    /// Its certificate, if it has one.
    pub fn certificate(&self) -> Option<&Certificate> {
        self.certificate.as_ref()
    }
}

/// At which time, for which use and by which policies a certificate is judged.
#[derive(Debug, Clone)]
pub struct Options<'a> {
    /// The time.
    pub at: OffsetDateTime,
    /// The identity of SM2 signers.
    pub id: &'a str,
    /// user-initial-policy-set; `None` is any policy.
    pub policies: Option<BTreeSet<ObjectIdentifier>>,
    /// initial-explicit-policy: one of the policies must be there.
    pub require_explicit_policy: bool,
    /// initial-policy-mapping-inhibit.
    pub inhibit_policy_mapping: bool,
    /// initial-any-policy-inhibit.
    pub inhibit_any_policy: bool,
    /// Key usages of which the certificate must have one, if it has a key usage.
    pub key_usage: Option<KeyUsage>,
    /// The extended key usage that the certificate must allow.
    pub extended_key_usage: Option<ObjectIdentifier>,
    /// Whether and how revocation is looked at.
    pub revocation: Revocation,
    /// Revocation lists at hand, complete ones and delta lists.
    pub crls: &'a [Crl],
    /// OCSP answers at hand.
    pub ocsp: &'a [OcspResponse],
}

impl Options<'_> {
    /// Any policy, any use, the usual identity, at this time.
    pub fn at(time: OffsetDateTime) -> Self {
        Self {
            at: time,
            id: DEFAULT_ID,
            policies: None,
            require_explicit_policy: false,
            inhibit_policy_mapping: false,
            inhibit_any_policy: false,
            key_usage: None,
            extended_key_usage: None,
            revocation: Revocation::Unchecked,
            crls: &[],
            ocsp: &[],
        }
    }
}

/// Judges a certificate: builds paths over the candidates to the anchors, walks them, and reports on the best.
pub fn validate(
    target: &Certificate,
    candidates: &[Certificate],
    anchors: &[TrustAnchor],
    options: &Options<'_>,
) -> Report {
    let mut session = Session::new(target, candidates, anchors, options);
    let best = session.judge(TARGET, None, &mut Vec::new());
    session.report(best)
}

/// The target's place among the certificates of a session.
const TARGET: usize = 0;

/// Who made a signature: an anchor or a certificate, by its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Signer {
    Anchor(usize),
    Certificate(usize),
}

#[derive(Debug)]
struct Node {
    certificate: Certificate,
    subject: CanonicalName,
    issuer: CanonicalName,
}

impl Node {
    fn new(certificate: Certificate) -> Self {
        Self {
            subject: certificate.subject().canonical(),
            issuer: certificate.issuer().canonical(),
            certificate,
        }
    }

    fn is_self_issued(&self) -> bool {
        self.subject == self.issuer
    }
}

/// A path: an anchor, then certificates from below it down to the target.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Chain {
    anchor: Option<usize>,
    certificates: Vec<usize>,
}

/// A path with what was found out about it.
#[derive(Debug)]
struct Judged {
    chain: Chain,
    checks: Checks,
    notes: Vec<String>,
}

/// Everything for one report: certificates with prepared names, results of signatures, and what may still be spent.
#[derive(Debug)]
struct Session<'a> {
    nodes: Vec<Node>,
    anchors: &'a [TrustAnchor],
    anchor_names: Vec<CanonicalName>,
    options: &'a Options<'a>,
    lists: Vec<List<'a>>,
    answers: &'a [OcspResponse],
    verified: HashMap<(usize, Signer), Result<(), VerifyError>>,
    lists_verified: HashMap<(usize, Signer), Result<(), VerifyError>>,
    signatures_left: usize,
    judgements_left: usize,
    notes: Vec<String>,
}

impl<'a> Session<'a> {
    fn new(
        target: &Certificate,
        candidates: &[Certificate],
        anchors: &'a [TrustAnchor],
        options: &'a Options<'a>,
    ) -> Self {
        let mut remarks = Vec::new();
        let mut nodes = vec![Node::new(target.clone())];
        let mut known = BTreeSet::from([target.as_der()]);
        let limit = |given: usize, most: usize, what: &str, notes: &mut Vec<String>| {
            if given > most {
                notes.push(format!("just the first {most} {what} were looked at"));
            }
            given.min(most)
        };
        let ocsp = &options.ocsp[..limit(options.ocsp.len(), MAX_ANSWERS, "OCSP answers", &mut remarks)];
        let crls = &options.crls[..limit(options.crls.len(), MAX_LISTS, "revocation lists", &mut remarks)];
        let anchors = &anchors[..limit(anchors.len(), MAX_ANCHORS, "trust anchors", &mut remarks)];
        // Responders send their certificates along.
        let sent = ocsp
            .iter()
            .filter_map(|answer| answer.basic.as_ref())
            .flat_map(BasicResponse::certificates);
        for candidate in candidates.iter().chain(sent) {
            if nodes.len() > MAX_CANDIDATES {
                remarks.push(format!(
                    "just the first {MAX_CANDIDATES} candidate issuers were looked at"
                ));
                break;
            }
            if known.insert(candidate.as_der()) {
                nodes.push(Node::new(candidate.clone()));
            }
        }
        Self {
            nodes,
            anchors,
            anchor_names: anchors.iter().map(|anchor| anchor.name.canonical()).collect(),
            options,
            answers: ocsp,
            lists: crls.iter().map(List::new).collect(),
            verified: HashMap::new(),
            lists_verified: HashMap::new(),
            signatures_left: MAX_SIGNATURES,
            judgements_left: MAX_JUDGEMENTS,
            notes: remarks,
        }
    }

    /// The best path of a certificate. `anchor` limits the anchors to one; `pending` are the certificates that are being
    /// judged already, about whose revocation nothing is asked again.
    fn judge(&mut self, target: usize, anchor: Option<usize>, pending: &mut Vec<usize>) -> Judged {
        let mut best: Option<Judged> = None;
        for chain in self.paths(target, anchor) {
            let judged = self.walk(chain, pending);
            let rank = |judged: &Judged| (judged.checks.verdict(), judged.checks.problems());
            if best.as_ref().is_none_or(|best| rank(&judged) < rank(best)) {
                best = Some(judged);
            }
            if best
                .as_ref()
                .is_some_and(|best| best.checks.verdict() == Outcome::Passed)
            {
                break;
            }
        }
        best.unwrap_or_else(|| self.without_anchor(target))
    }

    /// No path: what can be said about the certificate alone.
    fn without_anchor(&mut self, target: usize) -> Judged {
        let mut checks = Checks::default();
        let reason = "no path leads from the certificate to a trust anchor";
        checks.add(Rule::Path, None, Outcome::Failed, reason);
        let certificate = &self.nodes[target].certificate;
        walk::check_alone(&mut checks, 0, certificate, self.options.at);
        Judged {
            chain: Chain {
                anchor: None,
                certificates: vec![target],
            },
            checks,
            notes: Vec::new(),
        }
    }

    fn key(&self, signer: Signer) -> &SubjectKey {
        match signer {
            Signer::Anchor(at) => &self.anchors[at].key,
            Signer::Certificate(at) => self.nodes[at].certificate.key(),
        }
    }

    /// Verifies a certificate's signature once; `None` when this report has cost enough.
    fn verify(&mut self, certificate: usize, signer: Signer) -> Option<Result<(), VerifyError>> {
        if let Some(known) = self.verified.get(&(certificate, signer)) {
            return Some(*known);
        }
        self.signatures_left = self.signatures_left.checked_sub(1)?;
        let child = &self.nodes[certificate].certificate;
        let result = self.key(signer).verify_as(
            self.options.id,
            child.signature_algorithm(),
            child.tbs().as_der(),
            child.signature(),
        );
        self.verified.insert((certificate, signer), result);
        Some(result)
    }

    fn report(self, judged: Judged) -> Report {
        let path = judged.chain.certificates.iter().rev();
        Report {
            verdict: judged.checks.verdict(),
            path: path.map(|at| self.nodes[*at].certificate.clone()).collect(),
            anchor: judged.chain.anchor,
            checks: judged.checks.list,
            notes: [self.notes, judged.notes].concat(),
        }
    }
}
