//! The kit: passes a vendor that keeps the contract, and finds every fault.
use std::process::{Command, Output};

use serde_json::Value;
use yinxin_est::check::{Verdict, run};

use crate::vendor::Vendor;

fn binary(vendor: &Vendor, more: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_yinxin-vendor-check"))
        .args(["--url", &vendor.config.url, "--years", "1", "--client-cert"])
        .arg(vendor.file("client.pem"))
        .arg("--client-key")
        .arg(vendor.file("client-key.pem"))
        .arg("--server-ca")
        .arg(vendor.file("server-ca.pem"))
        .arg("--vendor-root")
        .arg(vendor.file("vendor-root.pem"))
        .args(more)
        .output()
        .unwrap()
}

#[tokio::test]
async fn a_vendor_that_keeps_the_contract_passes_every_case() {
    for faults in [&[][..], &["gm_oids"], &["pending=1"]] {
        let Some(vendor) = Vendor::start(faults) else {
            return;
        };
        let report = run(&vendor.target()).await.unwrap();
        assert!(report.conforms(), "{faults:?}\n{report}");
        assert!(
            report.cases.iter().all(|case| case.verdict == Verdict::Passed),
            "{report}"
        );
        assert_eq!(report.cases.len(), 14);
    }
}

#[tokio::test]
async fn every_fault_of_the_endpoint_fails_its_case() {
    assert_found(&[
        ("pending", &["enroll", "slow"]),
        ("slow", &["enroll", "slow"]),
        ("drop", &["enroll", "lost-reply"]),
        ("down", &["enroll"]),
        ("unauthorized", &["enroll"]),
        ("bad_multipart", &["server-key"]),
        ("bad_base64", &["ca-certificates", "enroll"]),
        ("huge", &["ca-certificates", "enroll"]),
    ])
    .await;
}

#[tokio::test]
async fn every_fault_of_a_certificate_fails_its_case() {
    assert_found(&[
        ("wrong_chain", &["chain", "server-key"]),
        ("wrong_subject", &["subject", "server-key"]),
        ("clock_ahead", &["clock", "server-key"]),
        ("too_long", &["clock", "server-key"]),
        ("wrong_usage", &["key-usage", "server-key"]),
        ("wrong_signing_key", &["enroll"]),
        ("wrong_key", &["server-key"]),
    ])
    .await;
}

#[tokio::test]
async fn every_fault_of_memory_and_access_fails_its_case() {
    assert_found(&[
        ("another", &["duplicate", "lost-reply"]),
        ("refuse_repeat", &["duplicate", "lost-reply"]),
        ("accept_bad_proof", &["bad-proof"]),
        ("accept_anyone", &["foreign-client", "no-client"]),
    ])
    .await;
}

/// That the kit fails these cases at a vendor with this fault.
async fn assert_found(faults: &[(&str, &[&str])]) {
    for (fault, cases) in faults {
        let Some(vendor) = Vendor::start(&[fault]) else {
            return;
        };
        let report = run(&vendor.target()).await.unwrap();
        assert!(!report.conforms(), "{fault}\n{report}");
        for case in *cases {
            assert_eq!(
                report.verdict(case),
                Some(Verdict::Failed),
                "{fault}, {case}\n{report}"
            );
        }
    }
}

#[test]
fn the_exit_status_says_what_was_found() {
    let Some(vendor) = Vendor::start(&[]) else { return };
    let passed = binary(&vendor, &["--json"]);
    assert_eq!(passed.status.code(), Some(0));
    let json: Value = serde_json::from_slice(&passed.stdout).unwrap();
    assert_eq!(json["cases"][1]["case"], "enroll");
    assert_eq!(json["cases"][1]["verdict"], "passed");
    let Some(faulty) = Vendor::start(&["wrong_subject"]) else {
        return;
    };
    let failed = binary(&faulty, &[]);
    assert_eq!(failed.status.code(), Some(1));
    assert!(
        String::from_utf8(failed.stdout)
            .unwrap()
            .contains("FAILED   subject")
    );
    for wrong in [&["--years", "eleven"][..], &["--label", "a/b"], &["--what"]] {
        let wrong = binary(&vendor, wrong);
        assert_eq!(wrong.status.code(), Some(64));
        assert!(wrong.stdout.is_empty());
    }
}

#[test]
fn the_help_has_an_example() {
    let help = Command::new(env!("CARGO_BIN_EXE_yinxin-vendor-check"))
        .arg("--help")
        .output()
        .unwrap();
    assert!(help.status.success());
    assert!(String::from_utf8(help.stdout).unwrap().contains("Example:"));
}
