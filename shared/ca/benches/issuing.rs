//! How fast the cryptography of issuing is, beside OpenSSL on the same machine in the same run.
//!
//! `cargo xtask bench` runs it; docs/performance.md keeps the ratios. Each figure is the median of rounds.
#![allow(
    clippy::unwrap_used,
    missing_docs,
    reason = "a failed set-up ends the measurement"
)]

use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use getrandom::SysRng;
use rand_core::UnwrapErr;
use time::OffsetDateTime;
use yinxin_ca::{DataKeySealer, IssueRequest, SoftCa, SoftCaConfig, SoftwareKey, Subject, ceremony};
use yinxin_pki::{Csr, CsrBuilder, Name, SigningKey, Zeroizing, sm3};

const ROUNDS: usize = 5;
const ROUND: Duration = Duration::from_millis(400);

/// Operations per second: the median of rounds.
fn measure(name: &str, mut operation: impl FnMut()) -> f64 {
    operation();
    let mut rates: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let (start, mut count) = (Instant::now(), 0_u32);
            while start.elapsed() < ROUND {
                operation();
                count += 1;
            }
            f64::from(count) / start.elapsed().as_secs_f64()
        })
        .collect();
    rates.sort_by(f64::total_cmp);
    println!("{name:<44}{:>12.0}/s", rates[ROUNDS / 2]);
    rates[ROUNDS / 2]
}

/// (sign, verify) per second as `openssl speed` measures them.
fn openssl() -> Option<(f64, f64)> {
    let output = Command::new("openssl")
        .args(["speed", "-seconds", "1", "sm2"])
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let line = text.lines().find(|line| line.contains("CurveSM2"))?;
    let mut words = line.split_whitespace().rev();
    let verify = words.next()?.parse().ok()?;
    Some((words.next()?.parse().ok()?, verify))
}

fn main() {
    let rng = &mut UnwrapErr(SysRng);
    let message = [7_u8; 500];
    let key = SigningKey::generate(rng);
    let public = key.public_key().clone();
    let signature = key.sign(&message).unwrap();
    println!("One thread, {ROUNDS} rounds of {} ms.\n", ROUND.as_millis());
    let sign = measure("SM2 sign, 500 bytes", || assert!(key.sign(&message).is_ok()));
    let verify = measure("SM2 verify, 500 bytes", || {
        assert!(public.verify(&message, &signature).is_ok());
    });
    measure("SM3, 16 KiB", || {
        std::hint::black_box(sm3(&[7; 16 * 1024]));
    });

    let name = Name::unit("测试公司", None).unwrap();
    let csr = CsrBuilder::new(&name, key.public_key())
        .sign_with(|tbs| key.sign(tbs))
        .unwrap();
    measure("certificate request: read and check proof", || {
        assert!(Csr::from_der(&csr).is_ok());
    });

    let now = OffsetDateTime::now_utc();
    let ceremony = ceremony::init("bench", "测试数字证书认证有限公司", now, rng).unwrap();
    let sealer = Arc::new(DataKeySealer::new(Zeroizing::new([7; 16])));
    let chain = ceremony.chain();
    let ca = SoftCa::new(
        "bench",
        chain,
        Arc::new(SoftwareKey::new(ceremony.issuing.key.clone())),
        SoftCaConfig::default(),
        sealer,
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
        public_key: public.to_spki_der(),
        csr_sm3: vec![0; 32],
        term_years: 1,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    measure("dual certificates: prepare, lint, sign, check", || {
        let prepared = ca.prepare(&request, now, rng).unwrap();
        assert!(runtime.block_on(ca.complete(&prepared)).is_ok());
    });
    match openssl() {
        Some((their_sign, their_verify)) => {
            println!("\nOpenSSL: SM2 sign {their_sign:.0}/s, verify {their_verify:.0}/s");
            println!(
                "ratio to OpenSSL: sign {:.2}, verify {:.2}",
                sign / their_sign,
                verify / their_verify
            );
        }
        None => println!("\nopenssl is not here or has no SM2: no comparison"),
    }
}
