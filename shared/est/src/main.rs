//! `yinxin-vendor-check`: a vendor tries its EST endpoint before the platform does.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::Parser;
use yinxin_est::check::{Report, Target, run};
use yinxin_est::{EstConfig, Limits};

/// Wrong arguments or files (sysexits).
const USAGE: u8 = 64;

/// Tries a vendor's EST endpoint (RFC 7030) against the contract. Every run issues a few certificates to a test unit.
#[derive(Parser)]
#[command(
    name = "yinxin-vendor-check",
    version,
    after_help = "Example:\n  yinxin-vendor-check --url https://est.ca.example --client-cert client.pem \
                  --client-key client-key.pem \\\n      --server-ca tls-ca.pem --vendor-root root.pem --years 1\n\n\
                  Exit status: 0 no case failed, 1 a case failed, 64 wrong arguments or files."
)]
struct Arguments {
    /// The endpoint: https, host, port, and a path before /.well-known if there is one.
    #[arg(long)]
    url: String,
    /// The CA label, if the endpoint serves several CAs.
    #[arg(long)]
    label: Option<String>,
    /// The client certificate that the vendor gave to the platform, PEM.
    #[arg(long)]
    client_cert: PathBuf,
    /// Its private key, PEM.
    #[arg(long)]
    client_key: PathBuf,
    /// The CA of the endpoint's TLS certificate, PEM.
    #[arg(long)]
    server_ca: PathBuf,
    /// The root under which the vendor issues, PEM.
    #[arg(long)]
    vendor_root: PathBuf,
    /// The test unit's name.
    #[arg(long, default_value = "接口一致性测试有限公司")]
    unit_name: String,
    /// The term that certificates must have, in years.
    #[arg(long, value_parser = clap::value_parser!(u8).range(1..=10))]
    years: Option<u8>,
    /// Seconds that one answer may take.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=120))]
    answer_seconds: u64,
    /// Seconds that a request may stay undecided.
    #[arg(long, default_value_t = 120, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    patience_seconds: u64,
    /// Prints the report as JSON.
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            let wrong = error.use_stderr();
            // Nothing is left to do where even this cannot be written.
            error.print().ok();
            return if wrong {
                ExitCode::from(USAGE)
            } else {
                ExitCode::SUCCESS
            };
        }
    };
    match check(&arguments) {
        Ok(report) if report.conforms() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("yinxin-vendor-check: {error:#}");
            ExitCode::from(USAGE)
        }
    }
}

fn check(arguments: &Arguments) -> anyhow::Result<Report> {
    let target = Target {
        config: EstConfig {
            url: arguments.url.clone(),
            label: arguments.label.clone(),
            client_secret: String::new(),
            server_ca: read(&arguments.server_ca)?,
            vendor_root: read(&arguments.vendor_root)?,
        },
        identity: format!(
            "{}\n{}",
            read(&arguments.client_cert)?,
            read(&arguments.client_key)?
        ),
        limits: Limits {
            total: Duration::from_secs(arguments.answer_seconds),
            ..Limits::default()
        },
        patience: Duration::from_secs(arguments.patience_seconds),
        unit_name: arguments.unit_name.clone(),
        years: arguments.years,
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let report = runtime.block_on(run(&target))?;
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        println!("{report}");
    }
    Ok(report)
}

/// The largest file that is read: a handful of certificates.
const MAX_FILE_BYTES: usize = 256 * 1024;

fn read(path: &Path) -> anyhow::Result<String> {
    let text = std::fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))?;
    if text.len() > MAX_FILE_BYTES {
        bail!("{} is too large", path.display());
    }
    Ok(text)
}
