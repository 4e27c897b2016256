//! How fast certificates are issued and status questions answered, beside OpenSSL on the same machine in the same run.
//!
//! `cargo xtask bench` runs it; docs/performance.md keeps the ratios. Each figure is the fastest of short rounds, ours and theirs, so that other
//! work on the machine falls out. OpenSSL's side is `openssl.c`, which is compiled here.
#![allow(
    clippy::unwrap_used,
    missing_docs,
    reason = "a failed set-up ends the measurement"
)]

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use getrandom::SysRng;
use rand_core::UnwrapErr;
use time::OffsetDateTime;
use yinxin_ca::ceremony::Ceremony;
use yinxin_ca::{DataKeySealer, IssueRequest, SoftCa, SoftCaConfig, SoftwareKey, Subject, ceremony};
use yinxin_pki::ocsp::{
    CertId, CertStatus, OcspHash, OcspRequest, ResponderId, ResponseContent, SingleResponse,
    assemble_response,
};
use yinxin_pki::profile::{Content, Issuer, Profile, Serial, Services, Validity, assemble};
use yinxin_pki::{Certificate, Csr, CsrBuilder, KeyForm, Name, SigningKey, Zeroizing};

const ROUNDS: u32 = 15;
const ROUND: Duration = Duration::from_millis(100);

/// Operations per second in the fastest round.
fn measure(name: &str, mut operation: impl FnMut()) -> f64 {
    operation();
    let rate = (0..ROUNDS)
        .map(|_| {
            let (start, mut count) = (Instant::now(), 0_u32);
            while start.elapsed() < ROUND {
                operation();
                count += 1;
            }
            f64::from(count) / start.elapsed().as_secs_f64()
        })
        .fold(0.0, f64::max);
    println!("{name:<64}{rate:>9.0}/s");
    rate
}

/// (certificates, OCSP answers) per second of OpenSSL; `None` where it cannot be compiled or has no SM2.
fn openssl() -> Option<(f64, f64)> {
    let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join("openssl-issuing");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/openssl.c");
    let compiled = Command::new("cc")
        .args(["-O2", "-o"])
        .args([&program, &source])
        .arg("-l:libcrypto.so.3")
        .status()
        .ok()?;
    if !compiled.success() {
        return None;
    }
    let output = Command::new(program)
        .args([ROUNDS.to_string(), ROUND.as_millis().to_string()])
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let figure = |name: &str| {
        text.lines()
            .find_map(|line| line.strip_prefix(name)?.trim().parse().ok())
    };
    Some((figure("issue")?, figure("ocsp")?))
}

/// Request in, certificate out: what OpenSSL's side does too.
fn issue(issuer: &Issuer, key: &SigningKey, csr: &[u8], services: &Services, now: OffsetDateTime) -> Vec<u8> {
    let csr = Csr::from_der(csr).unwrap();
    let tbs = Profile::Signing.to_tbs(&Content {
        serial: &Serial::random(&mut UnwrapErr(SysRng)),
        issuer,
        validity: Validity::years(now, 1).unwrap(),
        subject: csr.subject(),
        public_key: csr.public_key(),
        key_form: KeyForm::EcPublicKey,
        identity: None,
        services,
    });
    assemble(&tbs, &key.sign(&tbs).unwrap())
}

/// Question in, answer out: what OpenSSL's side does too.
fn answer(responder: &ResponderId, key: &SigningKey, question: &[u8], now: OffsetDateTime) -> Vec<u8> {
    let question = OcspRequest::from_der(question).unwrap();
    let single = SingleResponse {
        cert_id: question.cert_ids()[0].clone(),
        status: CertStatus::Good,
        this_update: now,
        next_update: None,
        unknown_critical: false,
    };
    let tbs = ResponseContent {
        responder,
        produced_at: now,
        responses: &[single],
        nonce: None,
    }
    .to_tbs();
    assemble_response(&tbs, &key.sign(&tbs).unwrap(), &[])
}

/// The soft CA as it stands in `issue`: both certificates with their lints, the encryption key with its escrow, each signature checked.
fn issue_pairs(ceremony: &Ceremony, key: &SigningKey, now: OffsetDateTime) -> f64 {
    let rng = &mut UnwrapErr(SysRng);
    let ca = SoftCa::new(
        "bench",
        ceremony.chain(),
        Arc::new(SoftwareKey::new(ceremony.issuing.key.clone())),
        SoftCaConfig::default(),
        Arc::new(DataKeySealer::new(Zeroizing::new([7; 16]))),
    )
    .unwrap();
    let request = IssueRequest {
        request_id: "bench".into(),
        vendor: "bench".into(),
        subject: Subject::Unit {
            name: "测试公司".into(),
            credit_code: "91430100MA4L00003Q".into(),
            region: None,
        },
        public_key: key.public_key().to_spki_der(),
        csr_sm3: vec![0; 32],
        term_years: 1,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    measure(
        "pair of certificates: prepare, lint, escrow, lint, sign, check",
        || {
            let prepared = ca.prepare(&request, now, rng).unwrap();
            assert!(runtime.block_on(ca.complete(&prepared)).is_ok());
        },
    )
}

fn main() {
    let (rng, now) = (&mut UnwrapErr(SysRng), OffsetDateTime::now_utc());
    let ceremony = ceremony::init("bench", "测试数字证书认证有限公司", now, rng).unwrap();
    let (issuing, issuing_key) = (&ceremony.issuing.certificate, &ceremony.issuing.key);
    let holder = SigningKey::generate(rng);
    let csr = CsrBuilder::new(&Name::unit("测试公司", None).unwrap(), holder.public_key())
        .sign_with(|tbs| holder.sign(tbs))
        .unwrap();
    let services = Services {
        crl: Some("http://ca.example/testca/1.crl".into()),
        ocsp: Some("http://ca.example/testca/ocsp".into()),
        ..Services::default()
    };
    println!(
        "One thread, the fastest of {ROUNDS} rounds of {} ms.\n",
        ROUND.as_millis()
    );
    measure("certificate request: read and check proof", || {
        assert!(Csr::from_der(&csr).is_ok());
    });
    let signer = Issuer::of(issuing);
    let issued = issue(&signer, issuing_key, &csr, &services, now);
    let one = measure("certificate: read request, check proof, write, sign", || {
        issue(&signer, issuing_key, &csr, &services, now);
    });
    let issued = Certificate::from_der(&issued).unwrap();
    let question = OcspRequest::new(
        vec![CertId::of(issuing, issued.serial_content(), OcspHash::Sha1)],
        None,
    );
    let responder = ResponderId::key_of(issuing);
    let ocsp = measure("OCSP answer: read question, write, sign", || {
        answer(&responder, issuing_key, question.as_der(), now);
    });
    issue_pairs(&ceremony, &holder, now);
    match openssl() {
        Some((their_issue, their_ocsp)) => {
            println!("\nOpenSSL: certificates {their_issue:.0}/s, OCSP answers {their_ocsp:.0}/s");
            println!(
                "ratio to OpenSSL: certificates {:.2}, OCSP answers {:.2}",
                one / their_issue,
                ocsp / their_ocsp
            );
        }
        None => println!("\nno C compiler, or no libcrypto 3 with SM2: no comparison"),
    }
}
