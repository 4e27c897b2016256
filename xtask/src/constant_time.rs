//! `cargo xtask constant-time`: valgrind watches that no branch and no address depends on a secret of the SM2 arithmetic.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::progress::step;
use crate::project::{binaries, cargo, check, command};
use crate::tools;

const EXAMPLES: &str = "shared/sm2/examples";

/// The compiler's choices depend on its level: 3 is what is set for the crate, "s" what the whole program may be linked with.
const LEVELS: [&str; 4] = ["1", "2", "\"s\"", "3"];

/// Builds the example as for AWS, but with symbols, and runs it under valgrind; then once more with a branch on a secret, which must be
/// found.
pub fn run() -> Result<()> {
    ensure!(
        tools::available("valgrind"),
        "valgrind is missing: install the package valgrind"
    );
    let directory = binaries().with_file_name("constant-time");
    fs::create_dir_all(&directory)?;
    let poison = directory.join("poison.so");
    step("Build what marks secrets", || {
        check(
            command("cc")
                .args(["-shared", "-fPIC", "-o"])
                .arg(&poison)
                .arg(format!("{EXAMPLES}/poison.c")),
        )
    })?;
    let secrets = directory.join("release/examples/secrets");
    for level in LEVELS {
        step(
            &format!("No branch and no address depends on a secret, level {level}"),
            || {
                // Apart from other builds: symbols would make cargo build everything anew.
                check(
                    cargo()
                        .args(["build", "--quiet", "--release", "--package", "yinxin-sm2"])
                        .args(["--example", "secrets", "--target-dir"])
                        .arg(&directory)
                        .arg("--config")
                        .arg(format!("profile.release.package.yinxin-sm2.opt-level={level}"))
                        .env("CARGO_PROFILE_RELEASE_DEBUG", "1")
                        .env("CARGO_PROFILE_RELEASE_STRIP", "none"),
                )?;
                check(&mut watched(&secrets, &poison, &[]))
            },
        )?;
    }
    step("A branch on a secret is found", || {
        let output = watched(&secrets, &poison, &["control"])
            .output()
            .context("valgrind does not start")?;
        ensure!(
            output.status.code() == Some(FOUND),
            "valgrind does not see the branch of the control case"
        );
        Ok(())
    })
}

/// What valgrind ends with where it found something.
const FOUND: i32 = 9;

fn watched(secrets: &Path, poison: &Path, arguments: &[&str]) -> Command {
    let mut command = command("valgrind");
    command
        .args(["--quiet", "--read-inline-info=yes"])
        .arg(format!("--suppressions={EXAMPLES}/declassified.supp"))
        .arg(format!("--error-exitcode={FOUND}"))
        .arg(secrets)
        .args(arguments)
        .env("LD_PRELOAD", poison);
    command
}
