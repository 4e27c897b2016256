//! Where things are, and how commands are run in the project.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// The root of the working tree.
pub fn root() -> PathBuf {
    // Cargo names the package's directory when it runs this program; the fallback is where it was compiled.
    let package = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    Path::new(&package).parent().unwrap_or(Path::new(".")).to_owned()
}

/// Where cargo puts the executables of the profile `local`.
pub fn binaries() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    std::path::absolute(target.join("local")).unwrap_or_else(|_| target.join("local"))
}

/// The interpreter of the project's own Python environment.
pub fn python() -> PathBuf {
    root().join(".venv/bin/python")
}

/// A command that runs in the root of the tree.
pub fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.current_dir(root());
    command
}

/// Cargo, the same one that runs this program.
pub fn cargo() -> Command {
    nested(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// A command that is a cargo, or starts one.
pub fn nested(program: impl AsRef<OsStr>) -> Command {
    let mut command = command(program);
    // These describe this package; a nested cargo must not see them.
    for (name, _) in std::env::vars_os() {
        if name
            .to_str()
            .is_some_and(|name| name.starts_with("CARGO_PKG_") || name == "CARGO_MANIFEST_DIR")
        {
            command.env_remove(name);
        }
    }
    command
}

/// Runs a command to its end with the terminal's output; a failure is an error that shows the command.
pub fn check(command: &mut Command) -> Result<()> {
    let shown = show(command);
    let status = command
        .status()
        .with_context(|| format!("{shown} does not start"))?;
    if !status.success() {
        bail!("`{shown}` ended with {status}");
    }
    Ok(())
}

/// Runs a command to its end and answers its standard output; its errors go to the terminal.
pub fn output(command: &mut Command) -> Result<String> {
    let shown = show(command);
    let done = command
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("{shown} does not start"))?;
    if !done.status.success() {
        bail!("`{shown}` ended with {}", done.status);
    }
    String::from_utf8(done.stdout).with_context(|| format!("{shown} did not answer in UTF-8"))
}

fn show(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words
        .map(|word| word.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ")
}
