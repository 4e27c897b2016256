//! Judging what certificates have signed: lists, answers, messages, requests. The report is the one of the signer's certificate with
//! the checks of the object itself before it.

use time::OffsetDateTime;

use super::report::{Check, Checks, Outcome, Report, Rule};
use super::{Options, TrustAnchor, lists, validate};
use crate::algorithm::{SignatureAlgorithm, SubjectKey, VerifyError};
use crate::certificate::{Certificate, KeyUsage};
use crate::cms::{SignatureFault, SignedData, SignerInfo};
use crate::crl::Crl;
use crate::extensions;
use crate::ocsp::BasicResponse;
use crate::oid;
use crate::request::CertificationRequest;

/// Certificates of the right name that are tried as signers.
const MAX_SIGNERS: usize = 32;

/// Judges a revocation list: signed by a CA with a path to the trust, and current at the time.
pub fn validate_list(
    crl: &Crl,
    candidates: &[Certificate],
    anchors: &[TrustAnchor],
    options: &Options<'_>,
) -> Report {
    let mut checks = Checks::default();
    check_digest(&mut checks, crl.signature_algorithm());
    check_times(&mut checks, options.at, crl.this_update(), crl.next_update());
    let named = |certificate: &Certificate| certificate.subject().matches(crl.issuer());
    let verify = |key: &SubjectKey| {
        key.verify_as(
            options.id,
            crl.signature_algorithm(),
            crl.tbs_der(),
            crl.signature(),
        )
    };
    let may_sign = |certificate: &Certificate| lists::may_sign_lists(certificate);
    let question = Question {
        candidates,
        anchors,
        options,
    };
    question.answer(checks, named, verify, may_sign)
}

/// Judges an OCSP answer: signed by an issuer or a responder that it appointed, with a path to the trust, and current.
pub fn validate_answer(
    answer: &BasicResponse,
    candidates: &[Certificate],
    anchors: &[TrustAnchor],
    options: &Options<'_>,
) -> Report {
    let mut checks = Checks::default();
    check_digest(&mut checks, answer.signature_algorithm());
    for single in answer.responses() {
        check_times(&mut checks, options.at, single.this_update, single.next_update);
    }
    let candidates: Vec<Certificate> = candidates.iter().chain(answer.certificates()).cloned().collect();
    let trusted = anchors.iter().filter_map(TrustAnchor::certificate);
    let all: Vec<&Certificate> = candidates.iter().chain(trusted).collect();
    let named = |certificate: &Certificate| answer.responder().names(certificate);
    let verify = |key: &SubjectKey| {
        key.verify_as(
            options.id,
            answer.signature_algorithm(),
            answer.tbs_der(),
            answer.signature(),
        )
    };
    // RFC 6960, 4.2.2.2: the issuer of every certificate that is spoken of, or appointed by it.
    let may_sign = |certificate: &Certificate| {
        let usages = extensions::extended_key_usage(certificate.tbs()).unwrap_or(None);
        let for_answers = usages.is_some_and(|usages| usages.contains(&oid::OCSP_SIGNING));
        answer.responses().iter().all(|single| {
            single.cert_id.names_issuer(certificate)
                || (for_answers
                    && all.iter().any(|issuer| {
                        single.cert_id.names_issuer(issuer)
                            && certificate.issuer().matches(issuer.subject())
                            && signed_by(certificate, issuer.key(), options.id)
                    }))
        })
    };
    let question = Question {
        candidates: &candidates,
        anchors,
        options,
    };
    question.answer(checks, named, verify, may_sign)
}

/// Judges one signer of a message: content, signature, and the path of the certificate, whose key usage must allow signatures.
/// `content` is what was kept apart from the message, if it was.
pub fn validate_message(
    message: &SignedData,
    signer: &SignerInfo,
    content: Option<&[u8]>,
    candidates: &[Certificate],
    anchors: &[TrustAnchor],
    options: &Options<'_>,
) -> Report {
    let mut checks = Checks::default();
    let Some(content) = message.content.as_deref().or(content) else {
        let reason = "the content is not in the message, so that nothing can be said of the signature";
        checks.add(Rule::Content, None, Outcome::Indeterminate, reason);
        return finish(checks, None);
    };
    let trusted = anchors.iter().filter_map(TrustAnchor::certificate);
    let others = candidates.iter().chain(trusted);
    let Some(certificate) = message.certificate_of(signer, others).cloned() else {
        let reason = "the signer's certificate is not at hand";
        checks.add(Rule::Signer, None, Outcome::Indeterminate, reason);
        return finish(checks, None);
    };
    let reason = "the signer's certificate is at hand";
    checks.add(Rule::Signer, None, Outcome::Passed, reason);
    let (rule, outcome, reason) = match signer.verify(content, certificate.key(), options.id) {
        Ok(()) => {
            let reason = "the content is the one that was signed";
            checks.add(Rule::Content, None, Outcome::Passed, reason);
            let reason = format!("the signer's {} key verifies the signature", certificate.key());
            (Rule::Signature, Outcome::Passed, reason)
        }
        Err(fault @ SignatureFault::Weak) => (Rule::WeakSignature, Outcome::Failed, fault.to_string()),
        Err(fault @ SignatureFault::Content) => (Rule::Content, Outcome::Failed, fault.to_string()),
        Err(fault @ (SignatureFault::Digest | SignatureFault::Signature(VerifyError::Unsupported))) => {
            (Rule::Signature, Outcome::Indeterminate, fault.to_string())
        }
        Err(fault) => (Rule::Signature, Outcome::Failed, fault.to_string()),
    };
    checks.add(rule, None, outcome, reason);
    let all: Vec<Certificate> = candidates.iter().chain(&message.certificates).cloned().collect();
    let options = Options {
        key_usage: Some(KeyUsage::SIGNING),
        ..options.clone()
    };
    finish(checks, Some(validate(&certificate, &all, anchors, &options)))
}

/// Judges a request: the sender holds the private key. Nothing vouches for the name in it.
pub fn validate_request(request: &CertificationRequest, options: &Options<'_>) -> Report {
    let mut checks = Checks::default();
    check_digest(&mut checks, request.signature_algorithm());
    let (outcome, reason) = match request.verify_proof(options.id) {
        Ok(()) => (
            Outcome::Passed,
            format!("the {} key of the request has signed it", request.key()),
        ),
        Err(VerifyError::Unsupported) => (Outcome::Indeterminate, VerifyError::Unsupported.to_string()),
        Err(error) => (Outcome::Failed, error.to_string()),
    };
    checks.add(Rule::Possession, None, outcome, reason);
    finish(checks, None)
}

/// Among whom a signer is looked for.
struct Question<'a> {
    candidates: &'a [Certificate],
    anchors: &'a [TrustAnchor],
    options: &'a Options<'a>,
}

impl Question<'_> {
    /// The best report among the certificates that may have signed.
    fn answer(
        &self,
        checks: Checks,
        named: impl Fn(&Certificate) -> bool,
        verify: impl Fn(&SubjectKey) -> Result<(), VerifyError>,
        may_sign: impl Fn(&Certificate) -> bool,
    ) -> Report {
        let trusted = self.anchors.iter().filter_map(TrustAnchor::certificate);
        let signers = trusted.chain(self.candidates).filter(|signer| named(signer));
        let mut best: Option<Report> = None;
        for signer in signers.take(MAX_SIGNERS) {
            let mut checks = Checks {
                list: checks.list.clone(),
            };
            let (outcome, reason) = match verify(signer.key()) {
                Ok(()) => (
                    Outcome::Passed,
                    format!("the signer's {} key verifies the signature", signer.key()),
                ),
                Err(VerifyError::Unsupported) => {
                    (Outcome::Indeterminate, VerifyError::Unsupported.to_string())
                }
                Err(error) => (Outcome::Failed, error.to_string()),
            };
            checks.add(Rule::Signature, None, outcome, reason);
            let reasons = ("the signer may sign this", "the signer may not sign this");
            checks.require(Rule::Signer, None, may_sign(signer), reasons);
            let path = validate(signer, self.candidates, self.anchors, self.options);
            let report = finish(checks, Some(path));
            let rank = |report: &Report| (report.verdict, report.problems().count());
            if best.as_ref().is_none_or(|best| rank(&report) < rank(best)) {
                best = Some(report);
            }
        }
        best.unwrap_or_else(|| {
            let mut checks = checks;
            let reason = "the certificate of the signer is not at hand";
            checks.add(Rule::Signer, None, Outcome::Indeterminate, reason);
            finish(checks, None)
        })
    }
}

fn finish(checks: Checks, path: Option<Report>) -> Report {
    let verdict = checks.verdict();
    match path {
        None => Report {
            verdict,
            path: Vec::new(),
            anchor: None,
            checks: checks.list,
            notes: Vec::new(),
        },
        Some(path) => Report {
            verdict: verdict.max(path.verdict),
            checks: checks.list.into_iter().chain(path.checks).collect::<Vec<Check>>(),
            ..path
        },
    }
}

fn check_digest(checks: &mut Checks, algorithm: SignatureAlgorithm) {
    let (outcome, reason) = if algorithm.is_broken() {
        (
            Outcome::Failed,
            format!("signed by {algorithm}: its digest no longer resists collisions"),
        )
    } else {
        (Outcome::Passed, format!("signed by {algorithm}"))
    };
    checks.add(Rule::WeakSignature, None, outcome, reason);
}

fn check_times(
    checks: &mut Checks,
    time: OffsetDateTime,
    made: OffsetDateTime,
    next: Option<OffsetDateTime>,
) {
    let (outcome, reason) = match next {
        _ if made > time => (Outcome::Failed, format!("made {made}, after the time")),
        Some(next) if next < time => (Outcome::Failed, format!("stale at the time: good until {next}")),
        Some(next) => (Outcome::Passed, format!("made {made}, good until {next}")),
        None => (
            Outcome::Indeterminate,
            format!("made {made}, without saying until when it is good"),
        ),
    };
    checks.add(Rule::Freshness, None, outcome, reason);
}

fn signed_by(certificate: &Certificate, key: &SubjectKey, id: &str) -> bool {
    let algorithm = certificate.signature_algorithm();
    key.verify_as(id, algorithm, certificate.tbs().as_der(), certificate.signature())
        .is_ok()
}
