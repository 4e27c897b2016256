//! Revocation along a path: answers and lists are asked about each certificate, the worse of both counts.

use time::OffsetDateTime;

use super::report::{Checks, Outcome, Rule};
use super::{Chain, Session, Signer};
use crate::algorithm::VerifyError;
use crate::certificate::Certificate;
use crate::{extensions, oid};

/// How deep signers of lists and answers may themselves need lists and answers.
const MAX_DEPTH: usize = 4;

/// Whether and how revocation is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Revocation {
    /// Not at all; the report has a note.
    #[default]
    Unchecked,
    /// A certificate that names no list and no responder, and about which nothing is at hand, passes.
    IfNamed,
    /// A certificate that is judged and is no CA needs proof that it was not revoked; CAs as with [`Self::IfNamed`].
    Target,
    /// Every certificate of the path needs proof that it was not revoked.
    Required,
}

/// What is known of one certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Status {
    Good(String),
    Revoked(String),
    /// Why it is not known; `None` where nothing at hand speaks of the certificate.
    Unknown(Option<String>),
}

impl Session<'_> {
    /// Checks all certificates of a path but those that are being judged already. Gives notes for the report.
    pub(super) fn check_revocation(
        &mut self,
        chain: &Chain,
        pending: &mut Vec<usize>,
        checks: &mut Checks,
    ) -> Vec<String> {
        if self.options.revocation == Revocation::Unchecked {
            return vec!["revocation was not checked: no list and no answer was given".to_owned()];
        }
        for depth in 0..chain.certificates.len() {
            let at = chain.certificates[depth];
            if pending.contains(&at) {
                continue;
            }
            pending.push(at);
            let (outcome, reason) = self.revocation_of(chain, depth, pending);
            pending.pop();
            let place = chain.certificates.len() - 1 - depth;
            checks.add(Rule::Revocation, Some(place), outcome, reason);
        }
        Vec::new()
    }

    fn revocation_of(&mut self, chain: &Chain, depth: usize, pending: &mut Vec<usize>) -> (Outcome, String) {
        let answer = self.status_by_answers(chain, depth, pending);
        let list = self.status_by_lists(chain, depth, pending);
        match (answer, list) {
            (Status::Revoked(reason), _) | (_, Status::Revoked(reason)) => (Outcome::Failed, reason),
            (Status::Good(reason), _) | (_, Status::Good(reason)) => (Outcome::Passed, reason),
            (Status::Unknown(None), Status::Unknown(None)) => {
                let certificate = &self.nodes[chain.certificates[depth]].certificate;
                let is_issuer = depth + 1 < chain.certificates.len() || certificate.is_ca();
                match (names_a_source(certificate), self.options.revocation) {
                    (false, Revocation::IfNamed) => (
                        Outcome::Passed,
                        "the certificate names no list and no responder".to_owned(),
                    ),
                    (false, Revocation::Target) if is_issuer => (
                        Outcome::Passed,
                        "the certificate names no list and no responder".to_owned(),
                    ),
                    (true, _) => (
                        Outcome::Indeterminate,
                        "no list and no answer at hand speaks of the certificate, although it names some"
                            .to_owned(),
                    ),
                    (false, _) => (
                        Outcome::Indeterminate,
                        "no list and no answer at hand speaks of the certificate".to_owned(),
                    ),
                }
            }
            (Status::Unknown(one), Status::Unknown(two)) => {
                let reasons: Vec<String> = one.into_iter().chain(two).collect();
                (Outcome::Indeterminate, reasons.join("; "))
            }
        }
    }

    /// Who is above a certificate of a path.
    pub(super) fn signer_above(chain: &Chain, depth: usize) -> Option<Signer> {
        match depth.checked_sub(1) {
            Some(above) => chain.certificates.get(above).copied().map(Signer::Certificate),
            None => chain.anchor.map(Signer::Anchor),
        }
    }

    /// The certificate of a signer; an anchor may have none.
    pub(super) fn certificate_of(&self, signer: Signer) -> Option<&Certificate> {
        match signer {
            Signer::Anchor(at) => self.anchors[at].certificate(),
            Signer::Certificate(at) => Some(&self.nodes[at].certificate),
        }
    }

    /// Whether a certificate that is not on the path is valid under the same anchor (RFC 5280, 6.3.3 f).
    pub(super) fn is_valid_signer(&mut self, at: usize, anchor: usize, pending: &mut Vec<usize>) -> Outcome {
        if pending.len() >= MAX_DEPTH || self.judgements_left == 0 {
            return Outcome::Indeterminate;
        }
        self.judgements_left -= 1;
        self.judge(at, Some(anchor), pending).checks.verdict()
    }
}

/// Whether the certificate says where its revocation would stand.
fn names_a_source(certificate: &Certificate) -> bool {
    let tbs = certificate.tbs();
    let responder = extensions::authority_info_access(tbs)
        .unwrap_or(None)
        .is_some_and(|places| places.iter().any(|(method, _)| *method == oid::AD_OCSP));
    responder || tbs.extension(oid::CRL_DISTRIBUTION_POINTS).is_some()
}

/// Whether something made at `this_update` and good until `next_update` speaks for a time. What is made later speaks too, as
/// long as it was made before the certificate expired: until then no entry is taken out (RFC 5280, 3.3).
pub(super) fn speaks_for(
    time: OffsetDateTime,
    this_update: OffsetDateTime,
    next_update: Option<OffsetDateTime>,
    certificate: &Certificate,
) -> Result<(), &'static str> {
    match next_update {
        _ if this_update > time && this_update > certificate.not_after() => {
            Err("was made after the certificate had expired")
        }
        Some(next) if next < time => Err("is stale at the time"),
        None => Err("does not say until when it is good"),
        Some(_) => Ok(()),
    }
}

/// The reason why a signature of a list or an answer does not count.
pub(super) fn signature_reason(error: VerifyError) -> &'static str {
    match error {
        VerifyError::Unsupported => "is signed with an algorithm that is not supported",
        VerifyError::OtherKey | VerifyError::BadSignature => "is not signed by whom it names",
    }
}
