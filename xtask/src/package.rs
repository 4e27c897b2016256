//! `cargo xtask package`: the agent as a Debian package, built and then looked at: what is in it, and whether it starts.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result, bail, ensure};

use crate::progress::{note, step};
use crate::project::{binaries, cargo, check, command, output};
use crate::tools;

/// A tool that writes the package (MIT); nothing of it is in it.
const CARGO_DEB: &str = "3.8.0";
const PACKAGE: &str = "yinxin-agent";

/// What has to be in the package.
const PATHS: [&str; 7] = [
    "./usr/bin/yinxin-agent",
    "./usr/lib/systemd/user/yinxin-agent.service",
    "./etc/yinxin/agent.env",
    "./usr/share/applications/yinxin-agent.desktop",
    "./usr/share/doc/yinxin-agent/agent-install.md",
    "./usr/share/doc/yinxin-agent/copyright",
    "./usr/share/doc/yinxin-agent/changelog.Debian.gz",
];

/// Builds and checks it.
pub fn run() -> Result<()> {
    if !tools::available("dpkg-deb") {
        bail!("dpkg-deb is missing: Debian packages are built on Debian or Ubuntu");
    }
    let cargo_deb = cargo_deb()?;
    step("The agent, as it is shipped (a minute or two)", || {
        check(cargo().args(["build", "--release", "--package", PACKAGE]))
    })?;
    let package = step("Package", || {
        let written = output(
            command(&cargo_deb)
                .args(["--package", PACKAGE, "--no-build", "--output"])
                .arg(directory()),
        )?;
        let path = written.lines().last().context("cargo-deb names no package")?;
        Ok(PathBuf::from(path))
    })?;
    step("What is in it", || contents(&package))?;
    step("Installed in a directory of its own, it starts and ends", || {
        starts(&package)
    })?;
    note(format!(
        "{} bytes: {}",
        fs::metadata(&package)?.len(),
        package.display()
    ));
    Ok(())
}

/// `target/package`.
fn directory() -> PathBuf {
    binaries().with_file_name("package")
}

/// The tool, installed where `cargo clean` finds it if there is none of this version.
fn cargo_deb() -> Result<PathBuf> {
    let root = directory().join("tools");
    let path = root.join("bin/cargo-deb");
    let is_there = || {
        path.is_file()
            && output(command(&path).arg("--version")).is_ok_and(|version| version.contains(CARGO_DEB))
    };
    if !is_there() {
        step("cargo-deb (once, a few minutes)", || {
            let version = [
                "install",
                "--locked",
                "cargo-deb",
                "--version",
                CARGO_DEB,
                "--root",
            ];
            check(cargo().args(version).arg(&root))
        })?;
    }
    Ok(path)
}

fn contents(package: &Path) -> Result<()> {
    let dpkg = |option: &str| output(command("dpkg-deb").arg(option).arg(package));
    let (listed, info) = (dpkg("--contents")?, dpkg("--info")?);
    for path in PATHS {
        ensure!(
            listed.lines().any(|line| line.ends_with(&format!(" {path}"))),
            "{path} is not in the package"
        );
    }
    // A file of the deployer's that an update would replace.
    ensure!(
        info.contains("conffiles"),
        "the package has no configuration files"
    );
    for field in ["Package: yinxin-agent", "Depends: libc6"] {
        ensure!(info.contains(field), "the package does not say {field}");
    }
    Ok(())
}

fn starts(package: &Path) -> Result<()> {
    let root = directory().join("root");
    if root.exists() {
        fs::remove_dir_all(&root)?;
    }
    fs::create_dir_all(&root)?;
    check(command("dpkg-deb").arg("--extract").arg(package).arg(&root))?;
    let agent = root.join("usr/bin/yinxin-agent");
    let version = output(command(&agent).arg("--version"))?;
    ensure!(version.starts_with("yinxin-agent "), "{version} is no version");
    serves(&agent, &root)?;
    verify_unit(&root)
}

/// The service says where it listens, as its first line, and is ended by its process.
fn serves(agent: &Path, root: &Path) -> Result<()> {
    // A library that is not there is told of and does not keep the service from starting.
    let profile = root.join("none.toml");
    fs::write(&profile, "name = 'none'\nlibrary = 'none.so'\n")?;
    let mut service = command(agent)
        .args(["serve", "--port", "0", "--json", "--print-pages", "--profile"])
        .arg(&profile)
        .arg("--state")
        .arg(root.join("state"))
        .stdout(Stdio::piped())
        .spawn()?;
    let mut line = String::new();
    let read = match service.stdout.take() {
        Some(stdout) => BufReader::new(stdout).read_line(&mut line).map_err(Into::into),
        None => Err(anyhow::anyhow!("the service has no output")),
    };
    service.kill()?;
    service.wait()?;
    read?;
    let first: serde_json::Value =
        serde_json::from_str(&line).context("the service's first line is no JSON")?;
    ensure!(
        first["listening"]["port"].as_u64().is_some_and(|port| port > 0),
        "the service does not say its port"
    );
    Ok(())
}

fn verify_unit(root: &Path) -> Result<()> {
    if !tools::available("systemd-analyze") {
        note("systemd is not here: the unit is not verified");
        return Ok(());
    }
    // The program that the unit names is looked for; here it lies elsewhere.
    let unit = fs::read_to_string(root.join("usr/lib/systemd/user/yinxin-agent.service"))?;
    let moved = unit.replace("/usr/bin/", &format!("{}/", root.join("usr/bin").display()));
    let path = root.join("yinxin-agent.service");
    fs::write(&path, moved)?;
    // A session's directory, which a machine without one does not have.
    let runtime = root.join("run");
    fs::create_dir_all(&runtime)?;
    check(
        command("systemd-analyze")
            .env("XDG_RUNTIME_DIR", runtime)
            .args(["--user", "verify", "--man=no"])
            .arg(path),
    )
}
