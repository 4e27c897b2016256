//! Path validation: bytes are taken apart into certificates, lists, answers, messages and requests, each read if it can be, then
//! all of them are judged together.
//!
//! ```text
//! first octet: options; then pieces: a role, how many octets (two, the high one first), these octets
//! ```
#![no_main]

use libfuzzer_sys::fuzz_target;
use time::OffsetDateTime;
use yinxin_pki::cms::Cms;
use yinxin_pki::path::{
    Options, Outcome, Report, Revocation, TrustAnchor, validate, validate_answer, validate_list, validate_message,
    validate_request,
};
use yinxin_pki::request::CertificationRequest;
use yinxin_pki::{Certificate, Crl, OcspResponse};

/// 2026-11-23 08:00:30 UTC: half a minute after what the corpus starts from was made.
const AT: i64 = 1_795_420_830;

#[derive(Default)]
struct Given {
    targets: Vec<Certificate>,
    candidates: Vec<Certificate>,
    anchors: Vec<TrustAnchor>,
    lists: Vec<Crl>,
    answers: Vec<OcspResponse>,
    messages: Vec<Cms>,
    requests: Vec<CertificationRequest>,
}

impl Given {
    fn read(mut bytes: &[u8]) -> Self {
        let mut given = Self::default();
        while let [role, high, low, rest @ ..] = bytes {
            let length = usize::from(u16::from_be_bytes([*high, *low])).min(rest.len());
            let (piece, after) = rest.split_at(length);
            given.add(*role, piece);
            bytes = after;
        }
        given
    }

    fn add(&mut self, role: u8, piece: &[u8]) {
        let certificate = || Certificate::from_der(piece).ok();
        match role % 8 {
            0 => self.targets.extend(certificate()),
            1 => self.candidates.extend(certificate()),
            2 => self.anchors.extend(certificate().map(TrustAnchor::from_certificate)),
            3 => {
                let anchor = certificate().map(|it| TrustAnchor::new(it.subject().clone(), it.key().clone()));
                self.anchors.extend(anchor);
            }
            4 => self.lists.extend(Crl::from_der(piece)),
            5 => self.answers.extend(OcspResponse::from_der(piece)),
            6 => self.messages.extend(Cms::from_der(piece)),
            _ => self.requests.extend(CertificationRequest::from_der(piece)),
        }
    }
}

/// What holds for every report.
fn holds(report: &Report) {
    assert!(!report.checks.is_empty());
    assert_eq!(report.verdict == Outcome::Passed, report.problems().next().is_none());
    assert_eq!(report.verdict == Outcome::Failed, !report.failed().is_empty());
}

fuzz_target!(|bytes: &[u8]| {
    let (Some((flags, pieces)), Ok(at)) = (bytes.split_first(), OffsetDateTime::from_unix_timestamp(AT)) else {
        return;
    };
    let given = Given::read(pieces);
    let options = Options {
        revocation: match flags % 4 {
            0 => Revocation::Unchecked,
            1 => Revocation::IfNamed,
            2 => Revocation::Target,
            _ => Revocation::Required,
        },
        require_explicit_policy: flags & 4 != 0,
        inhibit_policy_mapping: flags & 8 != 0,
        inhibit_any_policy: flags & 16 != 0,
        crls: &given.lists,
        ocsp: &given.answers,
        ..Options::at(at)
    };
    let (candidates, anchors) = (&given.candidates, &given.anchors);
    for target in given.targets.iter().take(2) {
        let report = validate(target, candidates, anchors, &options);
        holds(&report);
        // Nobody is believed who is not trusted.
        assert!(report.verdict != Outcome::Passed || report.anchor.is_some_and(|at| at < anchors.len()));
        assert!(report.checks.iter().all(|check| check.certificate.is_none_or(|at| at < report.path.len())));
    }
    for list in given.lists.iter().take(2) {
        holds(&validate_list(list, candidates, anchors, &options));
    }
    for answer in given.answers.iter().filter_map(|answer| answer.basic.as_ref()).take(2) {
        holds(&validate_answer(answer, candidates, anchors, &options));
    }
    for message in &given.messages {
        if let Cms::Signed(message) | Cms::SignedAndEnveloped(_, message) = message {
            for signer in message.signers.iter().take(2) {
                holds(&validate_message(message, signer, Some(b"content"), candidates, anchors, &options));
            }
        }
    }
    for request in &given.requests {
        holds(&validate_request(request, &options));
    }
});
