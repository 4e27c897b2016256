//! The sandbox's vendor as a process of its own, on a free port, with the faults that are wanted.
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use time::OffsetDateTime;
use yinxin_ca::{DataKeySealer, IssueRequest, Subject};
use yinxin_est::check::Target;
use yinxin_est::{EstAuthority, EstConfig, Limits};
use yinxin_pki::{Csr, CsrBuilder, Name, SigningKey, Zeroizing, sm3};

pub const UNIT: &str = "南京测试有限公司";

pub struct Vendor {
    process: Child,
    directory: TempDir,
    /// Whether it is known to keep its client waiting for good: then nobody waits long.
    dawdles: bool,
    pub config: EstConfig,
    pub identity: String,
}

impl Vendor {
    /// `None` if Python or its packages are missing and need not be there.
    pub fn start(faults: &[&str]) -> Option<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let python =
            std::env::var_os("YINXIN_PYTHON").map_or_else(|| root.join(".venv/bin/python"), PathBuf::from);
        let directory = tempfile::tempdir().unwrap();
        let started = Command::new(python)
            .arg(root.join("infra/sandbox"))
            .args(["est", "--port", "0", "--dir"])
            .arg(directory.path())
            .args(faults.iter().flat_map(|fault| ["--fault", fault]))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        let mut process = match started {
            Ok(process) => process,
            Err(error) => return missing(&error.to_string()),
        };
        let mut line = String::new();
        BufReader::new(process.stdout.as_mut().unwrap())
            .read_line(&mut line)
            .unwrap();
        let Some(url) = line.trim().strip_prefix("est ready on ") else {
            let mut text = String::new();
            process.stderr.take().unwrap().read_to_string(&mut text).unwrap();
            process.wait().unwrap();
            assert!(
                text.contains("ModuleNotFoundError"),
                "the vendor does not start: {text}"
            );
            return missing(&text);
        };
        let read = |name: &str| std::fs::read_to_string(directory.path().join(name)).unwrap();
        Some(Self {
            config: EstConfig {
                url: url.to_owned(),
                label: None,
                client_secret: "vendor-est".into(),
                server_ca: read("server-ca.pem"),
                vendor_root: read("vendor-root.pem"),
            },
            identity: read("client.pem") + &read("client-key.pem"),
            process,
            directory,
            dawdles: faults.iter().any(|fault| ["slow", "pending"].contains(fault)),
        })
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub fn authority(&self) -> EstAuthority {
        let sealer = Arc::new(DataKeySealer::new(Zeroizing::new([7; 16])));
        EstAuthority::new("testca", &self.config, &self.identity, self.limits(), sealer).unwrap()
    }

    pub fn target(&self) -> Target {
        Target {
            config: self.config.clone(),
            identity: self.identity.clone(),
            limits: self.limits(),
            patience: Duration::from_millis(if self.dawdles { 2500 } else { 60_000 }),
            unit_name: UNIT.into(),
            years: Some(1),
        }
    }

    fn limits(&self) -> Limits {
        Limits {
            // A busy machine may take long to answer; an answer that never comes is not waited for.
            total: Duration::from_secs(if self.dawdles { 2 } else { 30 }),
            ..Limits::default()
        }
    }
}

impl Drop for Vendor {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

fn missing(why: &str) -> Option<Vendor> {
    assert!(
        std::env::var_os("REQUIRE_SANDBOX").is_none(),
        "the sandbox is missing: {why}"
    );
    eprintln!("skipped: the sandbox's Python is not there");
    None
}

/// A token's key, its request, and what an order asks for with it.
pub fn request() -> (SigningKey, Csr, IssueRequest) {
    let key = SigningKey::generate(&mut rand_core::UnwrapErr(getrandom::SysRng));
    let subject = Name::unit(UNIT, None).unwrap();
    let csr = CsrBuilder::new(&subject, key.public_key())
        .sign_with(|info| key.sign(info))
        .unwrap();
    let csr = Csr::from_der(&csr).unwrap();
    let request = IssueRequest {
        request_id: "20261123A00000001".into(),
        vendor: "testca".into(),
        subject: Subject::Unit {
            name: UNIT.into(),
            credit_code: "91320100MA1TEST00X".into(),
            region: None,
        },
        public_key: key.public_key().to_spki_der(),
        csr_sm3: sm3(csr.as_der()).to_vec(),
        term_years: 1,
    };
    (key, csr, request)
}

pub fn now() -> OffsetDateTime {
    OffsetDateTime::now_utc()
}

pub fn rng() -> rand_core::UnwrapErr<getrandom::SysRng> {
    rand_core::UnwrapErr(getrandom::SysRng)
}
