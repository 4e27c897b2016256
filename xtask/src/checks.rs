//! Tests, lints, formatting and benchmarks.

use std::process::Command;

use anyhow::Result;

use crate::local;
use crate::progress::{note, step};
use crate::project::{binaries, cargo, check, command, python, root};
use crate::stack::Stack;
use crate::tools;

/// The signer agent's client for sites, in TypeScript.
const CLIENT: &str = "agent/client";
const TEMPLATE: &str = "infra/template.yaml";

/// Everything that is tested: units, template, then the journeys through a deployed stack of their own.
pub fn test(interop: bool, filters: &[&str]) -> Result<()> {
    tools::prepare()?;
    tools::prepare_browser()?;
    if interop {
        tools::prepare_interop()?;
    }
    // All commands below name the whole workspace: with fewer packages or without tests cargo would choose other features for the
    // dependencies, and compile them once more.
    step("Build with tests (several minutes the first time)", || {
        check(workspace("build").args(["--lib", "--bins", "--tests", "--examples"]))
    })?;
    step("Unit tests", || {
        check(workspace("test").args(["--lib", "--bins"]))
    })?;
    step("Examples in the documentation", || {
        check(workspace("test").args(["--doc", "--quiet"]))
    })?;
    step("Template: cfn-lint and the project's rules", || {
        lint_template()?;
        unit_tests("infra/local/tests")
    })?;
    step("Sandbox", || unit_tests("infra/sandbox/tests"))?;
    step("Packages of the agent's client", client_packages)?;
    step("The agent's client", || check(&mut client("test")))?;
    step("The agent in a browser", || check(&mut client("test:browser")))?;
    let stack = Stack::for_tests();
    let mut running = local::start(
        &stack,
        &local::Options {
            fresh: true,
            ..local::Options::default()
        },
    )?;
    let journeys = step("Integration tests and journeys", || {
        let mut tests = workspace("test");
        tests
            .args(["--test", "*"])
            .env("YINXIN_STATE", stack.state_file())
            .env("YINXIN_PYTHON", python())
            // Without these a comparison whose tool is missing would be passed over.
            .env("REQUIRE_OPENSSL", "1")
            .env("REQUIRE_PKILINT", "1")
            .env("REQUIRE_PKITS", "1")
            .env("REQUIRE_SANDBOX", "1");
        if interop {
            tests.env("YINXIN_INTEROP", "1");
        }
        tests.arg("--").args(filters);
        if interop {
            tests.arg("--include-ignored");
        }
        check(&mut tests)
    });
    if journeys.is_err() {
        note(format!(
            "the functions' and the emulator's logs are in {}",
            stack.directory().display()
        ));
    }
    running.stop()?;
    journeys
}

/// A cargo command on the whole workspace with the profile of local builds.
fn workspace(action: &str) -> Command {
    let mut command = cargo();
    command.args([action, "--profile", "local", "--workspace"]);
    command
}

/// Brings the client's pinned packages.
fn client_packages() -> Result<()> {
    let mut npm = command("npm");
    npm.args(["ci", "--no-audit", "--no-fund"])
        .current_dir(root().join(CLIENT));
    check(&mut npm)
}

/// A script of the client's package, against the agent that was built.
fn client(script: &str) -> Command {
    let mut npm = command("npm");
    npm.args(["run", "--silent", script])
        .current_dir(root().join(CLIENT))
        .env("YINXIN_AGENT", binaries().join("yinxin-agent"));
    npm
}

/// Formatting, clippy, documentation, the template and, where cargo-deny is installed, licences and advisories.
pub fn lint() -> Result<()> {
    tools::prepare()?;
    step("Formatting", || check(cargo().args(["fmt", "--all", "--check"])))?;
    step("Clippy", || {
        check(workspace("clippy").args(["--all-targets", "--", "--deny", "warnings"]))
    })?;
    step("Documentation", || {
        check(
            workspace("doc")
                .args(["--no-deps", "--quiet"])
                .env("RUSTDOCFLAGS", "-Dwarnings"),
        )
    })?;
    step("Template", lint_template)?;
    if tools::available("cargo-deny") {
        step("Licences and sources", || {
            check(cargo().args(["deny", "check", "bans", "licenses", "sources"]))
        })?;
    } else {
        note("cargo-deny is not installed: licences are not checked");
    }
    Ok(())
}

/// Formats the Rust code.
pub fn format() -> Result<()> {
    check(cargo().args(["fmt", "--all"]))
}

/// Writes what is generated from the code.
pub fn generate() -> Result<()> {
    check(cargo().args([
        "run",
        "--quiet",
        "--profile",
        "local",
        "--package",
        "yinxin-generate",
    ]))
}

/// Runs the benchmarks: the cryptography optimised as for AWS; what stands on the AWS SDK as local builds are, which have it compiled.
pub fn bench(arguments: &[&str]) -> Result<()> {
    let packages = ["--package", "yinxin-sm2", "--package", "yinxin-ca"];
    check(
        cargo()
            .arg("bench")
            .args(packages)
            .arg("--benches")
            .args(arguments),
    )?;
    check(
        workspace("bench")
            .args([
                "--bench",
                "errand",
                "--bench",
                "revoking",
                "--bench",
                "signatures",
            ])
            .args(arguments),
    )
}

fn lint_template() -> Result<()> {
    check(command(python().with_file_name("cfn-lint")).arg(TEMPLATE))
}

/// Python's own test runner on a directory; a part without tests is none.
fn unit_tests(tests: &str) -> Result<()> {
    if !root().join(tests).is_dir() {
        note(format!("no {tests}"));
        return Ok(());
    }
    check(command(python()).args(["-m", "unittest", "discover", "--start-directory", tests]))
}
