//! `inspect` and `verify` as processes: what they say, and what their exit codes say.
use std::{
    path::PathBuf,
    process::{Command, Output, Stdio},
};

use serde_json::Value;
use time::{Duration, OffsetDateTime, format_description::well_known::Rfc3339};
use yinxin_agent::token::vault::rng;
use yinxin_pki::{
    Certificate, Csr, CsrBuilder, Name, SigningKey, crl::Reason, der, key::signature_to_raw,
    ocsp::CertStatus, oid, sm3,
};

use crate::authority::{Authority, Parts};

const ORGANIZATION: &str = "示例建筑有限公司";

/// A folder with a root in `trust`, and what it has issued beside it.
struct Bench {
    folder: tempfile::TempDir,
    key: SigningKey,
    authority: Authority,
    parts: Parts,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let key = SigningKey::generate(&mut rng());
        let subject = Name::unit(ORGANIZATION, None).unwrap();
        let request = CsrBuilder::new(&subject, key.public_key())
            .sign_with(|info| key.sign(info))
            .unwrap();
        let authority = Authority::new();
        let parts = authority.issue(&Csr::from_der(&request).unwrap());
        let bench = Self {
            folder,
            key,
            authority,
            parts,
        };
        std::fs::create_dir(bench.path("trust")).unwrap();
        let [issuing, root] = &bench.parts.chain[..] else {
            panic!("a chain of two")
        };
        bench.write("trust/root.cer", root.as_der());
        bench.write("trust/readme.txt", b"no certificate");
        bench.write("issuing.pem", issuing.to_pem().as_bytes());
        bench.write("signing.cer", bench.parts.signing.as_der());
        let chain = bench.parts.signing.to_pem() + &issuing.to_pem();
        bench.write("chain.pem", chain.as_bytes());
        bench.write("request.csr", &request);
        bench.write("key.der", bench.parts.enveloped_key.as_der());
        bench
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, content: &[u8]) {
        std::fs::write(self.path(name), content).unwrap();
    }

    fn agent(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_yinxin-agent"))
            .args(arguments)
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    /// Exit code and JSON of `verify` with the root trusted.
    fn verify(&self, arguments: &[&str]) -> (i32, Value) {
        let output = self.agent(&[&["verify", "--trust", "trust", "--json"], arguments].concat());
        let json = serde_json::from_slice(&output.stdout).unwrap_or(Value::Null);
        (output.status.code().unwrap(), json)
    }

    fn inspect(&self, file: &str) -> (i32, Value) {
        let output = self.agent(&["inspect", "--json", file]);
        (
            output.status.code().unwrap(),
            serde_json::from_slice(&output.stdout).unwrap(),
        )
    }

    /// A signed message (GM/T 0010) over a content, with the signer's certificate.
    fn message(&self, signature: &[u8], content: &[u8]) -> Vec<u8> {
        let certificate: &Certificate = &self.parts.signing;
        let algorithm = |oid| der::sequence(&[&der::oid(oid), &der::null()]);
        let signer = der::sequence(&[
            &der::integer(&[1]),
            &der::sequence(&[
                certificate.issuer().as_der(),
                &der::tlv(der::tag::INTEGER, certificate.serial_content()),
            ]),
            &algorithm(oid::SM3),
            &algorithm(oid::SM2_SIGN),
            &der::octet_string(signature),
        ]);
        let content = der::explicit(0, &der::octet_string(content));
        let data = der::sequence(&[
            &der::integer(&[1]),
            &der::set(&[&algorithm(oid::SM3)]),
            &der::sequence(&[&der::oid(oid::GM_DATA), &content]),
            &der::explicit(0, certificate.as_der()),
            &der::set(&[&signer]),
        ]);
        der::sequence(&[&der::oid(oid::GM_SIGNED_DATA), &der::explicit(0, &data)])
    }
}

/// The rules of the first file that did not pass.
fn problems(report: &Value) -> Vec<String> {
    let checks = report["files"][0]["checks"].as_array().unwrap();
    let problems = checks.iter().filter(|check| check["outcome"] != "passed");
    problems
        .map(|check| check["rule"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn a_good_chain_ends_with_zero_and_says_every_check() {
    let bench = Bench::new();
    for files in [&["signing.cer", "issuing.pem"][..], &["chain.pem"]] {
        let (code, report) = bench.verify(files);
        assert_eq!((code, &report["verdict"]), (0, &"passed".into()), "{report:#}");
        let file = &report["files"][0];
        assert_eq!(file["kind"], "certificate");
        assert_eq!(file["path"].as_array().unwrap().len(), 2);
        assert!(
            file["path"][0]["subject"]
                .as_str()
                .unwrap()
                .contains(ORGANIZATION)
        );
        assert_eq!(file["trust_anchor"], "C=CN, O=Test Root, CN=Test Root");
        assert!(
            file["notes"][0]
                .as_str()
                .unwrap()
                .contains("revocation was not checked")
        );
        let rules: Vec<&str> = file["checks"]
            .as_array()
            .unwrap()
            .iter()
            .map(|check| check["rule"].as_str().unwrap())
            .collect();
        for rule in [
            "path",
            "trust-anchor",
            "signature",
            "validity",
            "basic-constraints",
            "policy",
        ] {
            assert!(rules.contains(&rule), "{rule}");
        }
        assert!(problems(&report).is_empty());
    }
    let text = bench.agent(&["verify", "chain.pem", "--trust", "trust"]);
    let text = String::from_utf8(text.stdout).unwrap();
    assert!(
        text.contains(ORGANIZATION) && text.ends_with("passed\n"),
        "{text}"
    );
}

#[test]
fn what_does_not_hold_ends_with_one() {
    let bench = Bench::new();
    let (code, report) = bench.verify(&["signing.cer"]);
    assert_eq!((code, problems(&report)), (1, vec!["path".to_owned()]));
    let late = OffsetDateTime::now_utc() + Duration::days(365 * 40);
    let (code, report) = bench.verify(&["chain.pem", "--at", &late.format(&Rfc3339).unwrap()]);
    assert_eq!(code, 1);
    assert!(problems(&report).contains(&"validity".to_owned()));
    let (code, report) = bench.verify(&["chain.pem", "--id", "ALICE"]);
    assert_eq!(code, 1);
    assert_eq!(problems(&report), ["signature", "signature"]);
    bench.write("noise", b"nothing that anybody knows");
    let (code, report) = bench.verify(&["noise", "chain.pem"]);
    assert_eq!((code, &report["files"][0]["kind"]), (1, &"unreadable".into()));
    assert_eq!(report["files"][1]["verdict"], "passed");
    let mut damaged = bench.parts.signing.as_der().to_vec();
    *damaged.last_mut().unwrap() ^= 1;
    bench.write("damaged.cer", &damaged);
    let (code, report) = bench.verify(&["damaged.cer", "issuing.pem"]);
    assert_eq!((code, problems(&report)), (1, vec!["signature".to_owned()]));
}

#[test]
fn a_list_that_does_not_fit_ends_with_two() {
    let bench = Bench::new();
    let other = SigningKey::generate(&mut rng());
    let name = Name::unit("Somebody else", None).unwrap();
    let now = OffsetDateTime::now_utc();
    let tbs = der::sequence(&[
        &der::sequence(&[&der::oid(oid::SM2_WITH_SM3)]),
        name.as_der(),
        &der::write_time(now),
        &der::write_time(now + Duration::DAY),
    ]);
    let signature = other.sign(&tbs).unwrap();
    bench.write("other.crl", &yinxin_pki::profile::assemble(&tbs, &signature));
    let (code, report) = bench.verify(&["chain.pem", "--crl", "other.crl"]);
    assert_eq!((code, &report["verdict"]), (2, &"indeterminate".into()));
    assert_eq!(problems(&report), ["revocation"]);
    // The list itself: nobody at hand has signed it.
    let (code, report) = bench.verify(&["other.crl"]);
    assert_eq!(
        (code, &report["files"][0]["kind"]),
        (2, &"revocation-list".into())
    );
    assert_eq!(problems(&report), ["signer"]);
}

#[test]
fn a_list_tells_of_a_revocation_and_is_judged_itself() {
    let bench = Bench::new();
    // With the issuing CA as the trust its own list is the only one that is needed.
    std::fs::create_dir(bench.path("issuers")).unwrap();
    bench.write("issuers/issuing.cer", bench.parts.chain[0].as_der());
    bench.write("good.crl", bench.authority.list(&[]).as_der());
    bench.write(
        "revoked.crl",
        bench.authority.list(&[&bench.parts.signing]).to_pem().as_bytes(),
    );
    let verify = |arguments: &[&str]| {
        let output = bench.agent(&[&["verify", "--trust", "issuers", "--json"], arguments].concat());
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        (output.status.code().unwrap(), report)
    };
    assert_eq!(verify(&["signing.cer", "--crl", "good.crl"]).0, 0);
    // A CA that names no list needs none, on the path as well as among the files.
    let both = bench.verify(&["signing.cer", "issuing.pem", "--crl", "good.crl"]);
    assert_eq!(both.0, 0, "{:#}", both.1);
    let (code, report) = verify(&["signing.cer", "--crl", "revoked.crl"]);
    assert_eq!((code, problems(&report)), (1, vec!["revocation".to_owned()]));
    let reason = report["files"][0]["checks"].as_array().unwrap().last().unwrap()["reason"].clone();
    assert!(reason.as_str().unwrap().contains("keyCompromise"), "{reason}");
    assert_eq!(verify(&["revoked.crl", "good.crl"]).0, 0);
    let late = OffsetDateTime::now_utc() + Duration::days(3);
    let (code, report) = verify(&["good.crl", "--at", &late.format(&Rfc3339).unwrap()]);
    assert_eq!((code, problems(&report)), (1, vec!["freshness".to_owned()]));
    let shown = bench.inspect("revoked.crl").1["objects"][0].clone();
    assert_eq!(
        (&shown["kind"], &shown["revoked_count"]),
        (&"revocation-list".into(), &1.into())
    );
    assert_eq!(shown["revoked"][0]["reason"], "keyCompromise");
}

#[test]
fn an_answer_tells_of_a_revocation_and_is_judged_itself() {
    let bench = Bench::new();
    let (signing, now) = (&bench.parts.signing, OffsetDateTime::now_utc());
    let revoked = CertStatus::Revoked {
        at: now - Duration::MINUTE,
        reason: Some(Reason::KeyCompromise),
    };
    let answers = [
        ("good", signing, CertStatus::Good, now),
        ("revoked", signing, revoked, now),
        ("unknown", signing, CertStatus::Unknown, now),
        ("stale", signing, CertStatus::Good, now - Duration::days(3)),
        ("another", &bench.parts.encryption, CertStatus::Good, now),
    ];
    for (name, about, status, from) in answers {
        bench.write(name, bench.authority.answer(about, status, from).as_der());
    }
    // The same question, answered by a CA that has not issued the certificate.
    let stranger = Authority::new().answer(signing, CertStatus::Good, now);
    bench.write("stranger", stranger.as_der());
    let mut damaged = std::fs::read(bench.path("good")).unwrap();
    *damaged.last_mut().unwrap() ^= 1;
    bench.write("damaged", &damaged);

    let (code, report) = bench.verify(&["chain.pem", "--ocsp", "good"]);
    assert_eq!((code, &report["verdict"]), (0, &"passed".into()), "{report:#}");
    let (code, report) = bench.verify(&["chain.pem", "--ocsp", "revoked"]);
    assert_eq!((code, problems(&report)), (1, vec!["revocation".to_owned()]));
    let reason = report["files"][0]["checks"].as_array().unwrap().last().unwrap()["reason"].clone();
    assert!(reason.as_str().unwrap().contains("keyCompromise"), "{reason}");
    for file in ["unknown", "stale", "another", "stranger", "damaged"] {
        let (code, report) = bench.verify(&["chain.pem", "--ocsp", file]);
        assert_eq!(
            (code, &report["verdict"]),
            (2, &"indeterminate".into()),
            "{file}: {report:#}"
        );
        assert_eq!(problems(&report), ["revocation"], "{file}");
    }
    // A revocation counts whatever the others say, in any order.
    for files in [["good", "revoked"], ["revoked", "good"]] {
        let (code, _) = bench.verify(&["chain.pem", "--ocsp", files[0], "--ocsp", files[1]]);
        assert_eq!(code, 1);
    }

    let (code, report) = bench.verify(&["good", "issuing.pem"]);
    let kind = &report["files"][0]["kind"];
    assert_eq!((code, kind), (0, &"ocsp-answer".into()), "{report:#}");
    let (code, report) = bench.verify(&["damaged", "issuing.pem"]);
    assert_eq!((code, problems(&report)), (1, vec!["signature".to_owned()]));
    let (code, report) = bench.verify(&["stale", "issuing.pem"]);
    assert_eq!((code, problems(&report)), (1, vec!["freshness".to_owned()]));
}

#[test]
fn requests_and_messages_are_judged() {
    let bench = Bench::new();
    let (code, report) = bench.verify(&["request.csr"]);
    assert_eq!(
        (code, &report["files"][0]["kind"]),
        (0, &"certificate-request".into())
    );
    let mut damaged = std::fs::read(bench.path("request.csr")).unwrap();
    *damaged.last_mut().unwrap() ^= 1;
    bench.write("damaged.csr", &damaged);
    let (code, report) = bench.verify(&["damaged.csr"]);
    assert_eq!((code, problems(&report)), (1, vec!["possession".to_owned()]));

    let signature = bench.key.sign(b"content").unwrap();
    bench.write("message.p7", &bench.message(&signature, b"content"));
    bench.write(
        "raw.p7",
        &bench.message(&signature_to_raw(&signature).unwrap(), b"content"),
    );
    bench.write("other.p7", &bench.message(&signature, b"another"));
    for file in ["message.p7", "raw.p7"] {
        let (code, report) = bench.verify(&[file, "issuing.pem"]);
        assert_eq!(
            (code, &report["files"][0]["kind"]),
            (0, &"signed-message".into()),
            "{report:#}"
        );
    }
    let (code, report) = bench.verify(&["other.p7", "issuing.pem"]);
    assert_eq!((code, problems(&report)), (1, vec!["signature".to_owned()]));
    let (code, report) = bench.verify(&["message.p7"]);
    assert_eq!((code, problems(&report)), (1, vec!["path".to_owned()]));
}

#[test]
fn wrong_use_ends_with_64() {
    let bench = Bench::new();
    std::fs::create_dir(bench.path("empty")).unwrap();
    for arguments in [
        &["verify", "chain.pem"][..],
        &["verify", "--trust", "trust"],
        &["verify", "chain.pem", "--trust", "nowhere"],
        &["verify", "chain.pem", "--trust", "empty"],
        &["verify", "missing.cer", "--trust", "trust"],
        &["verify", "chain.pem", "--trust", "trust", "--at", "yesterday"],
        &["verify", "chain.pem", "--trust", "trust", "--crl", "chain.pem"],
        &["verify", "chain.pem", "--trust", "trust", "--ocsp", "missing"],
        &["inspect"],
        &["inspect", "missing.cer"],
    ] {
        let output = bench.agent(arguments);
        assert_eq!(output.status.code(), Some(64), "{arguments:?}");
        assert!(
            output.stdout.is_empty() && !output.stderr.is_empty(),
            "{arguments:?}"
        );
    }
    for command in ["inspect", "verify"] {
        let help = bench.agent(&[command, "--help"]);
        assert_eq!(help.status.code(), Some(0));
        assert!(String::from_utf8(help.stdout).unwrap().contains("Examples:"));
    }
}

#[test]
fn inspect_shows_what_is_in_a_file_and_judges_nothing() {
    let bench = Bench::new();
    let (code, shown) = bench.inspect("chain.pem");
    assert_eq!((code, shown["objects"].as_array().unwrap().len()), (0, 2));
    let certificate = &shown["objects"][0];
    assert_eq!(certificate["kind"], "certificate");
    assert!(certificate["subject"].as_str().unwrap().contains(ORGANIZATION));
    assert_eq!(certificate["key"]["algorithm"], "SM2");
    assert_eq!(certificate["signature_algorithm"], "SM2 with SM3");
    assert_eq!(certificate["key_usage"][0], "digitalSignature");
    assert_eq!(certificate["sm3"], hex::encode(sm3(bench.parts.signing.as_der())));
    assert_eq!(
        bench.inspect("request.csr").1["objects"][0]["kind"],
        "certificate-request"
    );
    assert_eq!(bench.inspect("key.der").1["objects"][0]["kind"], "enveloped-key");
    bench.write("message.p7", &bench.message(b"no signature", b"content"));
    let message = bench.inspect("message.p7").1["objects"][0].clone();
    assert_eq!(message["kind"], "signed-message");
    assert_eq!(message["content_bytes"], 7);
    bench.write("noise", &[0xff; 40]);
    let (code, shown) = bench.inspect("noise");
    assert_eq!((code, &shown["objects"][0]["kind"]), (1, &"unreadable".into()));
    let text = bench.agent(&["inspect", "signing.cer"]);
    assert!(String::from_utf8(text.stdout).unwrap().contains(ORGANIZATION));
}
