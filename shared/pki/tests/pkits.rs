//! The Public Key Interoperability Test Suite of NIST (PKITS 1.0.1): a case is passed when the verdict, and for a refusal the rule, is
//! the expected one. The certificates come with the Python package `cryptography-vectors`; `PKITS` names another folder
//! with `certs` and `crls`. Skipped where they are not found, unless `REQUIRE_PKITS` is set.

#![allow(clippy::unwrap_used, reason = "a failed set-up fails the test")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use time::macros::datetime;
use yinxin_pki::oid::ObjectIdentifier;
use yinxin_pki::path::{Options, Outcome, Report, Revocation, TrustAnchor, validate};
use yinxin_pki::{Certificate, Crl};

#[path = "pkits/table.rs"]
mod table;

use table::{CASES, Case};

/// What is not readable: the signatures end inside an octet. It is refused before anything is verified.
const UNREADABLE: [&str; 2] = ["BadSignedCACert", "BadCRLSignatureCACRL"];

struct Suite {
    folder: PathBuf,
    anchor: [TrustAnchor; 1],
}

impl Suite {
    fn find() -> Option<Self> {
        let folder = std::env::var_os("PKITS").map(PathBuf::from).or_else(installed);
        let folder = folder.filter(|folder| folder.join("certs/TrustAnchorRootCertificate.crt").is_file());
        assert!(
            folder.is_some() || std::env::var_os("REQUIRE_PKITS").is_none(),
            "the certificates of PKITS are not found"
        );
        let mut suite = Self {
            folder: folder?,
            anchor: [TrustAnchor::new(
                yinxin_pki::Name::new([]).unwrap(),
                yinxin_pki::SubjectKey::Ed25519(Vec::new()),
            )],
        };
        suite.anchor = [TrustAnchor::from_certificate(
            suite.certificate("TrustAnchorRootCertificate").unwrap(),
        )];
        Some(suite)
    }

    fn certificate(&self, name: &str) -> Option<Certificate> {
        let path = self.folder.join(format!("certs/{name}.crt"));
        let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let read = Certificate::from_der(&bytes);
        assert_eq!(read.is_err(), UNREADABLE.contains(&name), "{name}");
        read.ok()
    }

    fn list(&self, name: &str) -> Option<Crl> {
        let bytes = std::fs::read(self.folder.join(format!("crls/{name}.crl"))).ok()?;
        let read = Crl::from_der(&bytes);
        assert_eq!(read.is_err(), UNREADABLE.contains(&name), "{name}");
        read.ok()
    }

    /// The certificates and lists of the case's description, nothing else.
    fn run(&self, case: &Case) -> Option<Report> {
        let issuers: Vec<Certificate> = case
            .issuers
            .iter()
            .filter_map(|issuer| self.certificate(&format!("{issuer}Cert")))
            .collect();
        // A CA's list has its name; those that have other names, or are somebody else's, stand in the table.
        let mut lists = vec![self.list("TrustAnchorRootCRL").unwrap()];
        lists.extend(
            case.issuers
                .iter()
                .filter_map(|issuer| self.list(&format!("{issuer}CRL"))),
        );
        lists.extend(case.lists.iter().map(|list| self.list(list).unwrap()));
        self.judge(case, &issuers, &lists)
    }

    fn judge(&self, case: &Case, issuers: &[Certificate], lists: &[Crl]) -> Option<Report> {
        let target = self.certificate(case.target)?;
        let options = Options {
            policies: case.policies.map(|policies| {
                policies
                    .iter()
                    .map(|number| policy(*number))
                    .collect::<BTreeSet<_>>()
            }),
            require_explicit_policy: case.explicit,
            inhibit_policy_mapping: case.inhibit_mapping,
            inhibit_any_policy: case.inhibit_any,
            revocation: Revocation::Required,
            crls: lists,
            ..Options::at(datetime!(2020-01-01 00:00:00 UTC))
        };
        Some(validate(&target, issuers, &self.anchor, &options))
    }
}

/// NIST-test-policy-1 and the others.
fn policy(number: u32) -> ObjectIdentifier {
    ObjectIdentifier::new_unwrap("2.16.840.1.101.3.2.1.48")
        .push_arc(number)
        .unwrap()
}

/// Where `pip` puts the vectors.
fn installed() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2)?;
    let libraries = std::fs::read_dir(root.join(".venv/lib")).ok()?;
    libraries
        .filter_map(Result::ok)
        .map(|python| {
            python
                .path()
                .join("site-packages/cryptography_vectors/x509/PKITS_data")
        })
        .find(|folder| folder.is_dir())
}

/// What is wrong with a report.
fn objection(case: &Case, report: Option<Report>) -> Option<String> {
    let Some(report) = report else {
        return case
            .because
            .is_none()
            .then(|| format!("{} is not readable", case.number));
    };
    let problems: Vec<String> = report
        .problems()
        .map(|check| {
            format!(
                "{:?} {} {}: {}",
                check.certificate, check.rule, check.outcome, check.reason
            )
        })
        .collect();
    let as_expected = match case.because {
        None => report.verdict == Outcome::Passed,
        Some((outcome, rule)) => {
            report.verdict == outcome && report.problems().any(|check| check.rule == rule)
        }
    };
    (!as_expected).then(|| {
        format!(
            "{} {}: {} instead of {:?}; {problems:?} {:?}",
            case.number, case.target, report.verdict, case.because, report.notes
        )
    })
}

#[test]
fn every_case_that_applies_passes() {
    let Some(suite) = Suite::find() else { return };
    let objections: Vec<String> = CASES
        .iter()
        .filter_map(|case| objection(case, suite.run(case)))
        .collect();
    assert!(
        objections.is_empty(),
        "{}\n{}",
        objections.len(),
        objections.join("\n")
    );
}

#[test]
fn the_table_has_every_case_but_dsa() {
    let numbers: BTreeSet<&str> = CASES
        .iter()
        .map(|case| case.number.split(' ').next().unwrap())
        .collect();
    let sections = [3, 8, 11, 21, 8, 17, 5, 20, 8, 14, 11, 10, 38, 35, 10, 2];
    for (section, count) in (1..).zip(sections) {
        for number in 1..=count {
            let number = format!("4.{section}.{number}");
            assert!(numbers.contains(number.as_str()), "{number}");
        }
    }
    assert_eq!(numbers.len(), 221);
    assert_eq!(CASES.len(), 247);
}

#[test]
fn paths_are_found_among_all_certificates_and_lists() {
    let Some(suite) = Suite::find() else { return };
    let names = |folder: &str, end: &str| -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(suite.folder.join(folder))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter_map(|name| name.strip_suffix(end).map(str::to_owned))
            .collect();
        names.sort();
        names
    };
    let issuers: Vec<Certificate> = names("certs", "Cert.crt")
        .iter()
        .filter_map(|name| suite.certificate(&format!("{name}Cert")))
        .collect();
    let lists: Vec<Crl> = names("crls", ".crl")
        .iter()
        .filter_map(|name| suite.list(name))
        .collect();
    let objections: Vec<String> = CASES
        .iter()
        .filter_map(|case| objection(case, suite.judge(case, &issuers, &lists)))
        .collect();
    assert!(
        objections.is_empty(),
        "{}\n{}",
        objections.len(),
        objections.join("\n")
    );
}
