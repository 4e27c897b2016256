//! Every profile, the revocation list and the status answer, read by others: pkilint finds nothing, OpenSSL and BouncyCastle verify.
//! Tools that are not installed are skipped, unless `REQUIRE_OPENSSL` or `REQUIRE_PKILINT` is set.
//! `PKILINT` names pkilint's `lint_pkix_cert`, beside which the other linters stand; otherwise the repository's `.venv` is looked into.

#![allow(clippy::unwrap_used, reason = "a failed set-up fails the test")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;
use time::OffsetDateTime;
use yinxin_pki::crl::Reason;
use yinxin_pki::ocsp::{CertId, CertStatus, OcspHash, assemble_response};
use yinxin_pki::{Certificate, Crl, OcspRequest, OcspResponse, pem};

use authority::Authority;

mod authority;

const DISTID: &str = "distid:1234567812345678";

fn authority() -> Authority {
    Authority::new(OffsetDateTime::now_utc())
}

/// Writes all certificates, `request.der`, `list.der` and `.pem`, `answer.der`.
fn files(authority: &Authority) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, content: &[u8]| std::fs::write(directory.path().join(name), content).unwrap();
    for (name, party) in &authority.parties {
        write(&format!("{name}.pem"), party.certificate.to_pem().as_bytes());
        write(&format!("{name}.der"), party.certificate.as_der());
    }
    let crl = authority.crl();
    write("list.pem", crl.to_pem().as_bytes());
    write("list.der", crl.as_der());
    write("root-list.der", authority.root_crl().as_der());
    write("request.der", &authority.request());
    write("answer.der", &authority.answer(OcspHash::Sha1, Some(&[7; 32])));
    directory
}

/// Runs a tool; `None` if it is not installed and need not be.
fn run(tool: &Path, required_by: &str, directory: &Path, arguments: &[&str]) -> Option<Output> {
    match Command::new(tool).args(arguments).current_dir(directory).output() {
        Ok(output) => Some(output),
        Err(error) => {
            assert!(
                std::env::var_os(required_by).is_none(),
                "{}: {error}",
                tool.display()
            );
            None
        }
    }
}

/// What a tool printed, if it was content.
fn printed(output: &Output) -> Result<String, String> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if output.status.success() {
        Ok(text(&output.stdout))
    } else {
        Err(text(&output.stdout) + &text(&output.stderr))
    }
}

fn openssl(directory: &Path, arguments: &[&str]) -> Option<Result<String, String>> {
    run(Path::new("openssl"), "REQUIRE_OPENSSL", directory, arguments).map(|output| printed(&output))
}

fn pkilint(directory: &Path, linter: &str, arguments: &[&str]) -> Option<Result<String, String>> {
    let venv = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.venv/bin/lint_pkix_cert");
    let tool = std::env::var_os("PKILINT")
        .map_or(venv, PathBuf::from)
        .with_file_name(linter);
    run(&tool, "REQUIRE_PKILINT", directory, arguments).map(|output| printed(&output))
}

#[test]
fn pkilint_finds_nothing_in_any_profile() {
    let authority = authority();
    let directory = files(&authority);
    for (name, _) in &authority.parties {
        let file = format!("{name}.pem");
        let Some(findings) = pkilint(
            directory.path(),
            "lint_pkix_cert",
            &["lint", "-s", "WARNING", &file],
        ) else {
            return;
        };
        let findings = findings.unwrap_or_else(|found| found);
        // RFC 8813 forbids the usages of GM/T 0015 with the usual form of the key: see the decision on encryption certificates.
        let contradiction = *name == "unit-encrypt-ec";
        assert_eq!(findings.trim().is_empty(), !contradiction, "{name}: {findings}");
    }
}

#[test]
fn pkilint_finds_nothing_in_lists() {
    let directory = files(&authority());
    for (kind, file) in [("CRL", "list.der"), ("ARL", "root-list.der")] {
        let arguments = ["lint", "-t", kind, "-p", "PKIX", "-s", "WARNING", file];
        let Some(findings) = pkilint(directory.path(), "lint_crl", &arguments) else {
            return;
        };
        assert_eq!(findings.unwrap().trim(), "", "{file}");
    }
}

#[test]
fn pkilint_finds_nothing_in_an_answer() {
    let directory = files(&authority());
    let arguments = ["lint", "-s", "WARNING", "answer.der"];
    if let Some(findings) = pkilint(directory.path(), "lint_ocsp_response", &arguments) {
        assert_eq!(findings.unwrap().trim(), "");
    }
}

#[test]
fn openssl_verifies_every_profile() {
    let authority = authority();
    let directory = files(&authority);
    for (name, _) in &authority.parties {
        let issuer = match *name {
            "root" | "issuing" => "root.pem",
            _ => "issuing.pem",
        };
        let file = format!("{name}.pem");
        // OpenSSL applies the identity to the target only: one link at a time.
        let arguments = [
            "verify",
            "-partial_chain",
            "-x509_strict",
            "-vfyopt",
            DISTID,
            "-CAfile",
            issuer,
            &file,
        ];
        let Some(verdict) = openssl(directory.path(), &arguments) else {
            return;
        };
        verdict.unwrap();
    }
    let purpose = |purpose, file| {
        let arguments = [
            "verify",
            "-partial_chain",
            "-vfyopt",
            DISTID,
            "-purpose",
            purpose,
            "-CAfile",
            "issuing.pem",
            file,
        ];
        openssl(directory.path(), &arguments).unwrap()
    };
    purpose("timestampsign", "stamp.pem").unwrap();
    purpose("sslclient", "officer.pem").unwrap();
    purpose("smimesign", "officer.pem").unwrap();
    purpose("timestampsign", "officer.pem").unwrap_err();
    purpose("sslclient", "stamp.pem").unwrap_err();
}

/// OpenSSL's verdict on a signature over extracted bytes, for the commands that know no identity.
fn openssl_verifies(
    directory: &Path,
    signer: &Certificate,
    message: &[u8],
    signature: &[u8],
) -> Option<bool> {
    let write = |name: &str, content: &[u8]| std::fs::write(directory.join(name), content).unwrap();
    write(
        "signer.pem",
        pem::encode("PUBLIC KEY", signer.tbs().spki()).as_bytes(),
    );
    write("signed", message);
    write("signature", signature);
    let arguments = [
        "pkeyutl",
        "-verify",
        "-rawin",
        "-digest",
        "sm3",
        "-pubin",
        "-inkey",
        "signer.pem",
        "-in",
        "signed",
        "-sigfile",
        "signature",
        "-pkeyopt",
        DISTID,
    ];
    openssl(directory, &arguments).map(|verdict| verdict.is_ok())
}

#[test]
fn openssl_reads_and_verifies_the_list() {
    let authority = authority();
    let directory = files(&authority);
    let arguments = ["crl", "-in", "list.pem", "-noout", "-text"];
    let Some(text) = openssl(directory.path(), &arguments) else {
        return;
    };
    let text = text.unwrap();
    let serial = authority
        .party("person-sign")
        .certificate
        .serial_hex()
        .to_uppercase();
    for expected in [
        serial.as_str(),
        "4142434445464748",
        "Key Compromise",
        "Invalidity Date",
        authority::CRL_URL,
        "SM2-with-SM3",
    ] {
        assert!(text.contains(expected), "{expected} is not in {text}");
    }
    let (crl, issuing) = (authority.crl(), &authority.party("issuing").certificate);
    let directory = directory.path();
    let verdict = openssl_verifies(directory, issuing, crl.tbs_der(), crl.signature());
    assert_eq!(verdict, Some(true));
    let root = &authority.party("root").certificate;
    let verdict = openssl_verifies(directory, root, crl.tbs_der(), crl.signature());
    assert_eq!(verdict, Some(false));
}

#[test]
fn openssl_reads_and_verifies_the_answer() {
    let authority = authority();
    let directory = files(&authority);
    let status = |certificate, digest| {
        let arguments = [
            "ocsp",
            "-respin",
            "answer.der",
            "-issuer",
            "issuing.pem",
            digest,
            "-cert",
            certificate,
            "-noverify",
        ];
        openssl(directory.path(), &arguments)
    };
    let Some(good) = status("unit-sign.pem", "-sha1") else {
        return;
    };
    assert!(good.unwrap().contains("unit-sign.pem: good"));
    let revoked = status("person-sign.pem", "-sha1").unwrap().unwrap();
    assert!(
        revoked.contains("person-sign.pem: revoked") && revoked.contains("keyCompromise"),
        "{revoked}"
    );
    // The digests name the issuer differently: OpenSSL finds no answer then.
    let other = status("unit-sign.pem", "-sha256").unwrap();
    assert!(!other.is_ok_and(|text| text.contains("good")));
    for hash in [OcspHash::Sha256, OcspHash::Sm3] {
        std::fs::write(directory.path().join("answer.der"), authority.answer(hash, None)).unwrap();
        let option = if hash == OcspHash::Sm3 { "-sm3" } else { "-sha256" };
        let good = status("unit-sign.pem", option).unwrap().unwrap();
        assert!(good.contains("unit-sign.pem: good"), "{good}");
    }
    let answer = OcspResponse::from_der(&authority.answer(OcspHash::Sha1, None)).unwrap();
    let basic = answer.basic.unwrap();
    let responder = &authority.party("responder").certificate;
    let verdict = openssl_verifies(directory.path(), responder, basic.tbs_der(), basic.signature());
    assert_eq!(verdict, Some(true));
}

#[test]
fn requests_travel_both_ways_with_openssl() {
    let authority = authority();
    let directory = files(&authority);
    let (issuing, unit) = (
        &authority.party("issuing").certificate,
        &authority.party("unit-sign").certificate,
    );
    for (option, hash) in [
        ("-sha1", OcspHash::Sha1),
        ("-sha256", OcspHash::Sha256),
        ("-sm3", OcspHash::Sm3),
    ] {
        let arguments = [
            "ocsp",
            "-issuer",
            "issuing.pem",
            option,
            "-cert",
            "unit-sign.pem",
            "-reqout",
            "query.der",
        ];
        let Some(made) = openssl(directory.path(), &arguments) else {
            return;
        };
        made.unwrap();
        let bytes = std::fs::read(directory.path().join("query.der")).unwrap();
        let request = OcspRequest::from_der(&bytes).unwrap();
        let expected = CertId::of(issuing, unit.serial_content(), hash);
        assert_eq!(request.cert_ids(), std::slice::from_ref(&expected));
        assert!(request.nonce().is_some() && !request.unknown_critical());
        let own = OcspRequest::new(vec![expected], Some(&[0x5a; 16]));
        std::fs::write(directory.path().join("own.der"), own.as_der()).unwrap();
        let arguments = ["ocsp", "-reqin", "own.der", "-req_text"];
        let text = openssl(directory.path(), &arguments).unwrap().unwrap();
        assert!(
            text.contains(&unit.serial_hex().to_uppercase()) && text.contains("5A5A5A5A"),
            "{text}"
        );
    }
}

const CONFIGURATION: &str = "[ca]\ndefault_ca=it\n[it]\ndatabase=index.txt\ncrlnumber=number\ndefault_md=sha256\n\
    default_crl_days=7\ncrl_extensions=list\n[list]\nauthorityKeyIdentifier=keyid\n";

/// An RSA CA of OpenSSL's own whose list and answers are read here.
#[test]
fn lists_and_answers_of_openssl_are_read_and_verified() {
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, content: &str| std::fs::write(directory.path().join(name), content).unwrap();
    write("ca.conf", CONFIGURATION);
    write(
        "index.txt",
        "R\t400101000000Z\t260101000000Z,keyCompromise\t4142\tunknown\t/CN=one\nV\t400101000000Z\t\t4143\tunknown\t/CN=two\n",
    );
    write("number", "0102\n");
    let steps: [&[&str]; 4] = [
        &[
            "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "key.pem", "-out", "ca.pem", "-subj",
            "/CN=RSA", "-days", "30",
        ],
        &[
            "ca", "-config", "ca.conf", "-gencrl", "-keyfile", "key.pem", "-cert", "ca.pem", "-out",
            "list.pem",
        ],
        &[
            "ocsp",
            "-issuer",
            "ca.pem",
            "-serial",
            "0x4142",
            "-serial",
            "0x4143",
            "-reqout",
            "query.der",
        ],
        &[
            "ocsp",
            "-index",
            "index.txt",
            "-CA",
            "ca.pem",
            "-rsigner",
            "ca.pem",
            "-rkey",
            "key.pem",
            "-reqin",
            "query.der",
            "-respout",
            "answer.der",
            "-ndays",
            "1",
        ],
    ];
    for step in steps {
        let Some(done) = openssl(directory.path(), step) else {
            return;
        };
        done.unwrap();
    }
    let read = |name: &str| std::fs::read(directory.path().join(name)).unwrap();
    let text = |name: &str| String::from_utf8(read(name)).unwrap();
    let issuer = Certificate::from_pem(&text("ca.pem")).unwrap();
    let crl = Crl::from_pem(&text("list.pem")).unwrap();
    crl.verify_signature(issuer.key()).unwrap();
    assert_eq!(crl.number(), Some(&[1, 2][..]));
    assert_eq!(crl.authority_key_identifier(), issuer.subject_key_identifier());
    let serials: Vec<_> = crl
        .entries()
        .iter()
        .map(|entry| (entry.serial.clone(), entry.reason))
        .collect();
    assert_eq!(serials, [(vec![0x41, 0x42], Some(Reason::KeyCompromise))]);

    let basic = OcspResponse::from_der(&read("answer.der"))
        .unwrap()
        .basic
        .unwrap();
    basic.verify_signature(issuer.key()).unwrap();
    assert!(basic.responder().names(&issuer));
    let request = OcspRequest::from_der(&read("query.der")).unwrap();
    assert_eq!(basic.nonce(), request.nonce());
    assert!(matches!(
        basic.find(&issuer, &[0x41, 0x42]).unwrap().status,
        CertStatus::Revoked {
            reason: Some(Reason::KeyCompromise),
            ..
        }
    ));
    assert_eq!(
        basic.find(&issuer, &[0x41, 0x43]).unwrap().status,
        CertStatus::Good
    );
}

/// Where Debian's libbcprov-java, libbcpkix-java and libbcutil-java put their archives.
const BOUNCY_CASTLE: &str =
    "/usr/share/java/bcprov.jar:/usr/share/java/bcpkix.jar:/usr/share/java/bcutil.jar";

#[test]
#[ignore = "needs Java and BouncyCastle: cargo xtask test --interop"]
fn bouncy_castle_verifies_everything_and_refuses_mutants() {
    let authority = authority();
    let directory = files(&authority);
    let directory = directory.path();
    let answer = OcspResponse::from_der(&authority.answer(OcspHash::Sha1, None)).unwrap();
    let basic = answer.basic.unwrap();
    // Certificates that an answer carries are not signed by it: the mutants are made of one without.
    let bare = assemble_response(basic.tbs_der(), basic.signature(), &[]);
    std::fs::write(directory.join("bare-answer.der"), bare).unwrap();
    let java = |program: &str, arguments: &[&str]| {
        let output = Command::new(program)
            .args(arguments)
            .output()
            .unwrap_or_else(|error| panic!("{program} (Debian: default-jdk-headless): {error}"));
        printed(&output).unwrap_or_else(|text| panic!("{program}: {text}"))
    };
    let classes = directory.to_str().unwrap();
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/java/Verify.java");
    java("javac", &["-cp", BOUNCY_CASTLE, "-d", classes, source]);
    let path = format!("{classes}:{BOUNCY_CASTLE}");
    let mut arguments = vec!["-cp", path.as_str(), "Verify", classes];
    arguments.extend(authority.parties.iter().map(|(name, _)| *name));
    let text = java("java", &arguments);
    assert!(text.trim_end().ends_with("done"), "{text}");
    assert_eq!(text.matches("the others are refused").count(), 4, "{text}");
    println!("{text}");

    let request = OcspRequest::from_der(&std::fs::read(directory.join("query.der")).unwrap()).unwrap();
    let issuing = &authority.party("issuing").certificate;
    let serial = authority.party("unit-sign").certificate.serial_content();
    assert_eq!(request.cert_ids(), [CertId::of(issuing, serial, OcspHash::Sha1)]);
}
