//! `cargo xtask differential`: our SM2 signatures judged by OpenSSL and BouncyCastle, and theirs by us. A job of minutes, like a benchmark.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;

use anyhow::{Context, Result, bail, ensure};

use crate::progress::{note, step};
use crate::project::{binaries, cargo, check, command};

const SOURCES: &str = "shared/pki/examples/differential";
/// Where Debian and Ubuntu put BouncyCastle (packages libbcprov-java and default-jdk-headless).
const BOUNCY_CASTLE: &str = "/usr/share/java/bcprov.jar";

/// How much is compared.
pub struct Options {
    /// Signatures that we make; the others make a fifth of that.
    pub pairs: u32,
    /// Keys, messages and changes all follow from it.
    pub seed: String,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            pairs: 1_000_000,
            seed: "yinxin".into(),
        }
    }
}

impl Options {
    /// From the words of the command line.
    pub fn parse(words: &[&str]) -> Result<Self> {
        let mut options = Self::default();
        for pair in words.chunks(2) {
            match *pair {
                ["--pairs", pairs] => options.pairs = pairs.parse().context("--pairs takes a number")?,
                ["--seed", seed] => options.seed = seed.into(),
                _ => bail!("`differential` takes --pairs NUMBER and --seed TEXT"),
            }
        }
        ensure!(options.pairs >= 100, "--pairs takes a number from 100 on");
        Ok(options)
    }
}

/// Builds all sides, then lets them judge each other; the two others at the same time.
pub fn run(options: &Options) -> Result<()> {
    ensure!(
        Path::new(BOUNCY_CASTLE).exists(),
        "{BOUNCY_CASTLE} is missing: install libbcprov-java and default-jdk-headless"
    );
    let directory = binaries().with_file_name("differential");
    let openssl = directory.join("openssl-side");
    step("Build", || {
        check(cargo().args([
            "build",
            "--release",
            "--package",
            "yinxin-pki",
            "--example",
            "differential",
        ]))?;
        fs::create_dir_all(&directory)?;
        let source = format!("{SOURCES}/openssl.c");
        check(
            command("cc")
                .args(["-O2", "-Wall", "-o"])
                .arg(&openssl)
                .args([&source, "-l:libcrypto.so.3"]),
        )
    })?;
    let ours = |words: &[&str]| {
        let mut command = command(binaries().with_file_name("release").join("examples/differential"));
        command.args(words);
        command
    };
    let theirs: [&(dyn Fn(&str) -> Command + Sync); 2] = [
        &|action| {
            let mut command = command(&openssl);
            command.arg(action);
            command
        },
        &|action| {
            let mut command = command("java");
            command.args([
                "-cp",
                BOUNCY_CASTLE,
                &format!("{SOURCES}/BouncyCastle.java"),
                action,
            ]);
            command
        },
    ];
    let (pairs, fifth) = (options.pairs.to_string(), (options.pairs / 5).to_string());
    note(format!("seed {}", options.seed));
    step(&format!("{pairs} of our signatures, judged by both"), || {
        both(&theirs, |their| {
            vec![ours(&["sign", &pairs, &options.seed]), their("verify")]
        })
    })?;
    step(&format!("{fifth} signatures of each, judged by us"), || {
        both(&theirs, |their| {
            vec![
                ours(&["jobs", &fifth, &options.seed]),
                their("sign"),
                ours(&["verify"]),
            ]
        })
    })
}

/// One pipe for each of the two others, at the same time.
fn both(
    theirs: &[&(dyn Fn(&str) -> Command + Sync); 2],
    commands: impl Fn(&dyn Fn(&str) -> Command) -> Vec<Command> + Sync,
) -> Result<()> {
    let commands = &commands;
    thread::scope(|scope| {
        let running = theirs.map(|their| scope.spawn(move || pipe(commands(&their))));
        let mut results = running.into_iter().map(|pipe| match pipe.join() {
            Ok(result) => result,
            Err(panic) => std::panic::resume_unwind(panic),
        });
        // Both to their ends, whatever the first one says.
        results.by_ref().collect::<Vec<_>>().into_iter().collect()
    })
}

/// Runs commands of which each reads what the one before writes; all have to succeed.
fn pipe(commands: Vec<Command>) -> Result<()> {
    let last = commands.len() - 1;
    let mut children: Vec<(String, Child)> = Vec::new();
    for (at, mut command) in commands.into_iter().enumerate() {
        let name = command.get_program().to_string_lossy().into_owned();
        if let Some(output) = children.last_mut().and_then(|(_, child)| child.stdout.take()) {
            command.stdin(output);
        }
        if at < last {
            command.stdout(Stdio::piped());
        }
        let child = command
            .spawn()
            .with_context(|| format!("{name} does not start"))?;
        children.push((name, child));
    }
    let mut failed = Vec::new();
    for (name, mut child) in children {
        let status = child.wait()?;
        if !status.success() {
            failed.push(format!("{name} ended with {status}"));
        }
    }
    ensure!(failed.is_empty(), "{}", failed.join(", "));
    Ok(())
}
