//! `cargo xtask fuzz`: the fuzz targets of the parsers, each for a bounded time. They need a nightly compiler, which nothing else does.

use std::fs;
use std::path::Path;
use std::process::Stdio;

use anyhow::{Context, Result, bail, ensure};

use crate::progress::{note, step};
use crate::project::{binaries, cargo, check, nested, root};

const FUZZ: &str = "shared/pki/fuzz";

/// A day: longer is a service, not a job.
const MAX_SECONDS: u32 = 86_400;
/// One input that takes longer counts as found.
const INPUT_SECONDS: u32 = 10;

/// Counts which edges and comparisons an input reaches, and watches memory and overflows: what libFuzzer needs of its programs.
const FLAGS: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares -Zsanitizer=address -Cdebug-assertions -Coverflow-checks \
    -Ccodegen-units=1 --cfg fuzzing";

/// Which targets, and for how long.
pub struct Options {
    /// For each target.
    pub seconds: u32,
    /// One of the targets; all if there is none.
    pub target: Option<String>,
}

impl Options {
    /// From the words of the command line.
    pub fn parse(words: &[&str]) -> Result<Self> {
        let mut options = Self {
            seconds: 20,
            target: None,
        };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            match *word {
                "--seconds" => match words.next().map(|value| value.parse()) {
                    Some(Ok(seconds)) if (1..=MAX_SECONDS).contains(&seconds) => options.seconds = seconds,
                    _ => bail!("--seconds takes a number from 1 to {MAX_SECONDS}"),
                },
                target if options.target.is_none() && !target.starts_with('-') => {
                    options.target = Some(target.into());
                }
                other => {
                    bail!("`fuzz` does not know {other}; it takes --seconds NUMBER and the name of a target")
                }
            }
        }
        Ok(options)
    }
}

/// Builds the targets, writes whole objects for them to start from, and runs them one after the other.
pub fn run(options: &Options) -> Result<()> {
    let targets = targets(options.target.as_deref())?;
    let host = nightly_host()?;
    let built = binaries().with_file_name("fuzz");
    step("Build the fuzz targets", || {
        check(
            nested("rustup")
                .args(["run", "nightly", "cargo", "build", "--quiet", "--release"])
                .args([
                    "--manifest-path",
                    &format!("{FUZZ}/Cargo.toml"),
                    "--target",
                    &host,
                ])
                .args(targets.iter().flat_map(|target| ["--bin", target]))
                .arg("--target-dir")
                .arg(&built)
                .env("RUSTFLAGS", FLAGS),
        )
    })?;
    let (corpus, artifacts) = (
        root().join(FUZZ).join("corpus"),
        root().join(FUZZ).join("artifacts"),
    );
    step("Write whole objects to start from", || {
        check(
            cargo()
                .args(["test", "--quiet", "--profile", "local", "--package", "yinxin-pki"])
                .args(["--test", "parsers", "whole_objects_are_read"])
                .env("YINXIN_FUZZ_CORPUS", &corpus),
        )
    })?;
    let programs = built.join(host).join("release");
    for target in &targets {
        step(&format!("{target}, {} s", options.seconds), || {
            let artifacts = artifacts.join(target);
            fs::create_dir_all(&artifacts)?;
            let inputs = search(
                &programs.join(target),
                &corpus.join(target),
                &artifacts,
                options.seconds,
            )?;
            note(format!("{inputs} inputs, no finding"));
            Ok(())
        })?;
    }
    Ok(())
}

/// All targets, or the one that is asked for, in the order of their names.
fn targets(wanted: Option<&str>) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(root().join(FUZZ).join("targets"))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "rs") {
            names.extend(path.file_stem().map(|name| name.to_string_lossy().into_owned()));
        }
    }
    names.sort();
    let Some(wanted) = wanted else {
        return Ok(names);
    };
    ensure!(
        names.iter().any(|name| name == wanted),
        "{wanted} is not a fuzz target; there are {}",
        names.join(", ")
    );
    Ok(vec![wanted.into()])
}

/// The platform of the nightly compiler. Build scripts are for it too, and are built without the flags only because it is named.
fn nightly_host() -> Result<String> {
    let mut ask = nested("rustup");
    ask.args(["run", "nightly", "rustc", "-vV"]).stderr(Stdio::null());
    let answer = ask.output().ok().filter(|answer| answer.status.success());
    let Some(answer) = answer else {
        bail!(
            "fuzzing needs a nightly compiler, and there is none: `rustup toolchain install nightly` brings it"
        );
    };
    let text = String::from_utf8(answer.stdout).context("rustc did not answer in UTF-8")?;
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("rustc does not say its host")?.into())
}

/// Runs one target to the end of its time and answers how many inputs it tried. What it found is an error.
fn search(program: &Path, corpus: &Path, artifacts: &Path, seconds: u32) -> Result<u64> {
    let done = nested(program)
        .arg(corpus)
        .arg(format!("-artifact_prefix={}/", artifacts.display()))
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-timeout={INPUT_SECONDS}"))
        .arg("-print_final_stats=1")
        .output()
        .with_context(|| format!("{} does not start", program.display()))?;
    let said = String::from_utf8_lossy(&done.stderr);
    if !done.status.success() {
        eprint!("{said}");
        bail!("a finding: the input is in {}", artifacts.display());
    }
    said.lines()
        .find_map(|line| line.strip_prefix("stat::number_of_executed_units:"))
        .and_then(|number| number.trim().parse().ok())
        .context("the program does not say how many inputs it tried")
}
