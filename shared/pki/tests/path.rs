//! Path validation against chains of other makers (OpenSSL: RSA, ECDSA, Ed25519, SM2), and against damage of every kind.
//! What needs `openssl` is skipped where it is not installed, unless `REQUIRE_OPENSSL` is set.

#![allow(clippy::unwrap_used, reason = "a failed set-up fails the test")]

use time::{Duration, OffsetDateTime};
use yinxin_pki::path::{Options, Outcome, Report, Revocation, Rule, TrustAnchor, validate};
use yinxin_pki::{Certificate, Crl, OcspResponse, SubjectKey};

#[path = "path/openssl.rs"]
mod openssl;

use openssl::{Authority, Kind, is_missing};

fn judge(target: &Certificate, authority: &Authority, options: &Options<'_>) -> Report {
    let anchor = TrustAnchor::from_certificate(authority.root.clone());
    validate(
        target,
        std::slice::from_ref(&authority.issuing),
        &[anchor],
        options,
    )
}

fn now() -> OffsetDateTime {
    OffsetDateTime::now_utc() + Duration::MINUTE
}

/// The outcomes of a rule, from the anchor down.
fn outcomes(report: &Report, rule: Rule) -> Vec<Outcome> {
    let of_rule = report.checks.iter().filter(|check| check.rule == rule);
    of_rule.map(|check| check.outcome).collect()
}

#[test]
fn chains_of_every_algorithm_pass_and_a_damaged_signature_fails() {
    if is_missing() {
        return;
    }
    for kind in Kind::ALL {
        let authority = Authority::new(kind);
        let target = authority.issue("good", &[]);
        let report = judge(&target, &authority, &Options::at(now()));
        assert_eq!(
            report.verdict,
            Outcome::Passed,
            "{kind:?} {:?}",
            report.problems().collect::<Vec<_>>()
        );
        assert_eq!((report.path.len(), report.anchor), (2, Some(0)));
        assert_eq!(outcomes(&report, Rule::Signature), [Outcome::Passed; 2]);
        assert_eq!(report.notes.len(), 1, "revocation was not checked");

        let mut damaged = target.as_der().to_vec();
        *damaged.last_mut().unwrap() ^= 1;
        let damaged = Certificate::from_der(&damaged).unwrap();
        let report = judge(&damaged, &authority, &Options::at(now()));
        assert_eq!(report.failed(), [Rule::Signature], "{kind:?}");
    }
}

#[test]
fn another_identity_of_sm2_signers_counts_only_if_it_is_given() {
    if is_missing() {
        return;
    }
    let authority = Authority::new(Kind::Sm2As("ALICE"));
    let target = authority.issue("good", &[]);
    assert_eq!(
        judge(&target, &authority, &Options::at(now())).failed(),
        [Rule::Signature, Rule::Signature]
    );
    let alice = Options {
        id: "ALICE",
        ..Options::at(now())
    };
    assert_eq!(judge(&target, &authority, &alice).verdict, Outcome::Passed);
}

#[test]
fn sha1_fails_although_the_signature_verifies() {
    if is_missing() {
        return;
    }
    for kind in [Kind::RsaSha1, Kind::EcSha1] {
        let authority = Authority::new(kind);
        let report = judge(&authority.issue("good", &[]), &authority, &Options::at(now()));
        assert_eq!(
            report.failed(),
            [Rule::WeakSignature, Rule::WeakSignature],
            "{kind:?}"
        );
        assert_eq!(outcomes(&report, Rule::Signature), [Outcome::Passed; 2]);
    }
}

#[test]
fn the_time_the_trust_and_the_issuer_are_told_apart() {
    if is_missing() {
        return;
    }
    let (authority, other) = (Authority::new(Kind::P256), Authority::new(Kind::P256));
    let target = authority.issue("good", &[]);
    let late = Options::at(target.not_after() + Duration::SECOND);
    assert_eq!(judge(&target, &authority, &late).failed(), [Rule::Validity]);
    let early = Options::at(target.not_before() - Duration::HOUR);
    assert!(
        judge(&target, &authority, &early)
            .failed()
            .contains(&Rule::Validity)
    );
    // The other root has the same name and another key: the path is there, and the signature is not its.
    assert_eq!(
        judge(&target, &other, &Options::at(now())).failed(),
        [Rule::Signature]
    );
    let nobody = validate(&target, &[], &[], &Options::at(now()));
    assert_eq!((nobody.failed(), nobody.anchor), (vec![Rule::Path], None));
    // A subscriber issues nothing.
    let child = authority.issue_by("good", "child");
    let anchor = [TrustAnchor::from_certificate(authority.root.clone())];
    let candidates = [target.clone(), authority.issuing.clone()];
    let report = validate(&child, &candidates, &anchor, &Options::at(now()));
    assert!(report.failed().contains(&Rule::BasicConstraints));
    // Trust in an issuing CA alone is enough, and a certificate that is trusted itself needs no issuer.
    let issuing = [TrustAnchor::from_certificate(authority.issuing.clone())];
    assert_eq!(
        validate(&target, &[], &issuing, &Options::at(now())).verdict,
        Outcome::Passed
    );
    let itself = validate(&authority.root, &[], &anchor, &Options::at(now()));
    assert_eq!((itself.verdict, itself.path.len()), (Outcome::Passed, 0));
}

#[test]
fn revocation_counts_from_its_time_on_and_needs_a_current_list() {
    if is_missing() {
        return;
    }
    for kind in [Kind::P256, Kind::Sm2] {
        let authority = Authority::new(kind);
        let (good, bad) = (authority.issue("good", &[]), authority.issue("bad", &[]));
        authority.revoke("bad");
        let lists = [authority.list("issuing"), authority.list("root")];
        let with = |at, crls: &[Crl], target: &Certificate| {
            let options = Options {
                revocation: Revocation::Required,
                crls,
                ..Options::at(at)
            };
            let report = judge(target, &authority, &options);
            (report.verdict, report.failed())
        };
        let after = now();
        assert_eq!(with(after, &lists, &good), (Outcome::Passed, vec![]), "{kind:?}");
        assert_eq!(
            with(after, &lists, &bad),
            (Outcome::Failed, vec![Rule::Revocation])
        );
        let before = OffsetDateTime::now_utc() - Duration::MINUTE * 30;
        assert_eq!(
            with(before, &lists, &bad),
            (Outcome::Passed, vec![]),
            "revoked after the time"
        );
        let stale = after + Duration::days(40);
        assert_eq!(with(stale, &lists, &good), (Outcome::Indeterminate, vec![]));
        assert_eq!(
            with(stale, &lists, &bad).0,
            Outcome::Failed,
            "an old list still tells of a revocation"
        );
        assert_eq!(with(after, &lists[..1], &good), (Outcome::Indeterminate, vec![]));
        assert_eq!(with(after, &[], &good), (Outcome::Indeterminate, vec![]));
        // Nobody else's list says anything.
        let other = Authority::new(kind);
        let forged = [other.list("issuing"), other.list("root")];
        assert_eq!(with(after, &forged, &good), (Outcome::Indeterminate, vec![]));
    }
}

#[test]
fn answers_of_an_appointed_responder_count_and_of_nobody_else() {
    if is_missing() {
        return;
    }
    let authority = Authority::new(Kind::P256);
    let (good, bad) = (authority.issue("good", &[]), authority.issue("bad", &[]));
    authority.issue("responder", &["extendedKeyUsage=OCSPSigning", "noCheck=ignored"]);
    authority.issue("impostor", &[]);
    authority.revoke("bad");
    let roots = [authority.list("root")];
    let with = |answer: OcspResponse, target: &Certificate| {
        let options = Options {
            revocation: Revocation::Required,
            crls: &roots,
            ocsp: &[answer],
            ..Options::at(now())
        };
        judge(target, &authority, &options).verdict
    };
    assert_eq!(
        with(authority.answer("good", "responder"), &good),
        Outcome::Passed
    );
    assert_eq!(with(authority.answer("bad", "responder"), &bad), Outcome::Failed);
    assert_eq!(with(authority.answer("good", "issuing"), &good), Outcome::Passed);
    assert_eq!(
        with(authority.answer("good", "impostor"), &good),
        Outcome::Indeterminate
    );
    assert_eq!(
        with(authority.answer("bad", "responder"), &good),
        Outcome::Indeterminate,
        "another's answer"
    );
}

#[test]
fn damaged_chains_never_panic_and_never_pass_as_something_else() {
    if is_missing() {
        return;
    }
    let authority = Authority::new(Kind::P256);
    let target = authority.issue(
        "good",
        &[
            "nameConstraints=permitted;DNS:example.com",
            "subjectAltName=DNS:a.b",
        ],
    );
    let lists = [authority.list("issuing"), authority.list("root")];
    let options = Options {
        revocation: Revocation::Required,
        crls: &lists,
        ..Options::at(now())
    };
    let whole = target.as_der();
    for at in 0..whole.len() {
        for bit in [1, 0x80] {
            let mut damaged = whole.to_vec();
            damaged[at] ^= bit;
            let Ok(damaged) = Certificate::from_der(&damaged) else {
                continue;
            };
            assert_ne!(
                judge(&damaged, &authority, &options).verdict,
                Outcome::Passed,
                "byte {at}"
            );
            // As an issuer of what it did not issue.
            let anchor = [TrustAnchor::from_certificate(damaged.clone())];
            assert_ne!(
                validate(&target, &[damaged], &anchor, &options).verdict,
                Outcome::Passed
            );
        }
    }
}

#[test]
fn a_curve_that_is_written_out_is_read_if_it_is_the_one_of_sm2() {
    if is_missing() {
        return;
    }
    let spki = openssl::explicit_curve("SM2");
    assert!(spki.len() > 200);
    assert!(matches!(SubjectKey::from_spki_der(&spki), Ok(SubjectKey::Sm2(_))));
    // Any octet of the curve's numbers changed is another curve.
    let numbers = spki.len() - 300..spki.len() - 80;
    for at in numbers {
        let mut other = spki.clone();
        other[at] ^= 1;
        assert!(
            !matches!(SubjectKey::from_spki_der(&other), Ok(SubjectKey::Sm2(_))),
            "byte {at}"
        );
    }
    assert!(SubjectKey::from_spki_der(&openssl::explicit_curve("P-256")).is_err());
}
