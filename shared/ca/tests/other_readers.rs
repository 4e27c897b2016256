//! What the soft CA issues, read by others: OpenSSL verifies it link by link, pkilint finds nothing.
//! Tools that are not installed are skipped, unless `REQUIRE_OPENSSL` or `REQUIRE_PKILINT` is set.
//! `PKILINT` names the linter; otherwise the repository's `.venv` is looked into.

#![allow(clippy::unwrap_used, reason = "a failed set-up fails the test")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;

use getrandom::SysRng;
use rand_core::UnwrapErr;
use time::OffsetDateTime;
use yinxin_ca::{
    DataKeySealer, IdDocument, IdDocumentKind, IssueRequest, SoftCa, SoftCaConfig, SoftwareKey, Subject,
    ceremony,
};
use yinxin_pki::profile::Services;
use yinxin_pki::{Certificate, SigningKey, Zeroizing, sm3};

/// Writes root.pem, issuing.pem and, of a unit and of a person, `*-sign.pem` and `*-encrypt.pem`.
async fn issue_into(directory: &Path) {
    let (rng, now) = (&mut UnwrapErr(SysRng), OffsetDateTime::now_utc());
    let ceremony = ceremony::init("testca", "测试数字证书认证有限公司", now, rng).unwrap();
    let services = Services {
        crl: Some("http://ca.example/testca/issuing.crl".into()),
        ocsp: Some("http://ca.example/testca/ocsp".into()),
        ca_issuers: Some("http://ca.example/testca/issuing.cer".into()),
        policy: None,
    };
    let sealer = Arc::new(DataKeySealer::new(Zeroizing::new([7; 16])));
    let config = SoftCaConfig {
        services,
        ..SoftCaConfig::default()
    };
    let ca = SoftCa::new(
        "testca",
        ceremony.chain(),
        Arc::new(SoftwareKey::new(ceremony.issuing.key.clone())),
        config,
        sealer,
    )
    .unwrap();
    let write = |name: &str, der: &[u8]| {
        let text = Certificate::from_der(der).unwrap().to_pem();
        std::fs::write(directory.join(format!("{name}.pem")), text).unwrap();
    };
    write("root", ceremony.root.certificate.as_der());
    write("issuing", ceremony.issuing.certificate.as_der());
    let unit = Subject::Unit {
        name: "南京测试有限公司".into(),
        credit_code: "91320100MA1TEST00X".into(),
        region: Some("江苏省".into()),
    };
    let person = Subject::Person {
        name: "张三".into(),
        id_document: IdDocument {
            kind: IdDocumentKind::ResidentId,
            number: "11010519491231002X".into(),
        },
        employer: None,
    };
    for (name, subject) in [("unit", unit), ("person", person)] {
        let request = IssueRequest {
            request_id: "20261123A00000001".into(),
            vendor: "testca".into(),
            subject,
            public_key: SigningKey::generate(rng).public_key().to_spki_der(),
            csr_sm3: sm3(b"request").to_vec(),
            term_years: 3,
        };
        let prepared = ca.prepare(&request, now, rng).unwrap();
        let pair = ca.complete(&prepared).await.unwrap();
        write(&format!("{name}-sign"), &pair.signing);
        write(&format!("{name}-encrypt"), &pair.encryption);
    }
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

#[tokio::test]
async fn openssl_verifies_every_link() {
    let directory = tempfile::tempdir().unwrap();
    issue_into(directory.path()).await;
    let links = [
        ("root.pem", "root.pem"),
        ("root.pem", "issuing.pem"),
        ("issuing.pem", "unit-sign.pem"),
        ("issuing.pem", "unit-encrypt.pem"),
        ("issuing.pem", "person-sign.pem"),
        ("issuing.pem", "person-encrypt.pem"),
    ];
    for (issuer, target) in links {
        // OpenSSL applies the identity to the target only, so a whole chain cannot be given at once.
        let arguments = [
            "verify",
            "-partial_chain",
            "-vfyopt",
            "distid:1234567812345678",
            "-CAfile",
            issuer,
            target,
        ];
        let Some(output) = run(
            Path::new("openssl"),
            "REQUIRE_OPENSSL",
            directory.path(),
            &arguments,
        ) else {
            return;
        };
        assert!(
            output.status.success(),
            "{target}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
}

#[tokio::test]
async fn pkilint_finds_nothing_at_warning_or_above() {
    let directory = tempfile::tempdir().unwrap();
    issue_into(directory.path()).await;
    let venv = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.venv/bin/lint_pkix_cert");
    let tool = std::env::var_os("PKILINT").map_or(venv, PathBuf::from);
    for name in [
        "root",
        "issuing",
        "unit-sign",
        "unit-encrypt",
        "person-sign",
        "person-encrypt",
    ] {
        let file = format!("{name}.pem");
        let arguments = ["lint", "-s", "WARNING", &file];
        let Some(output) = run(&tool, "REQUIRE_PKILINT", directory.path(), &arguments) else {
            return;
        };
        let findings = String::from_utf8_lossy(&output.stdout);
        assert!(
            output.status.success() && findings.trim().is_empty(),
            "{name}: {findings}"
        );
    }
}
