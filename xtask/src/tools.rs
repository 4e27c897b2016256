//! What must be on the machine: Python with venv, a C compiler, OpenSSL, for tests Node with npm and Chromium, for comparisons Java with
//! BouncyCastle; and the project's Python environment.

use std::fs;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::progress::{note, step};
use crate::project;

const REQUIREMENTS: &str = "infra/local/requirements.txt";

/// A tool, the command that shows it is there, and the packages of Debian and Ubuntu that bring it.
struct Tool {
    name: &'static str,
    probe: &'static [&'static str],
    packages: &'static [&'static str],
}

const TOOLS: [Tool; 4] = [
    Tool {
        name: "Python 3.11 or later",
        probe: &[
            "python3",
            "-c",
            "import sys; sys.exit(sys.version_info < (3, 11))",
        ],
        packages: &["python3"],
    },
    Tool {
        name: "Python's venv",
        probe: &["python3", "-c", "import venv, ensurepip"],
        packages: &["python3-venv"],
    },
    Tool {
        name: "a C compiler",
        probe: &["cc", "--version"],
        packages: &["gcc", "libc6-dev"],
    },
    Tool {
        name: "OpenSSL",
        probe: &["openssl", "version"],
        packages: &["openssl"],
    },
];

/// What the tests of the signer agent in a browser need.
const BROWSER_TOOLS: [Tool; 3] = [
    Tool {
        name: "Node 20 or later",
        probe: &[
            "node",
            "-e",
            "process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)",
        ],
        packages: &["nodejs"],
    },
    Tool {
        name: "npm",
        probe: &["npm", "--version"],
        packages: &["npm"],
    },
    Tool {
        name: "Chromium",
        probe: &[
            "sh",
            "-c",
            "command -v chromium || command -v chromium-browser || command -v google-chrome || command -v google-chrome-stable",
        ],
        packages: &["chromium"],
    },
];

/// What just the comparisons with other implementations need.
const INTEROP_TOOLS: [Tool; 3] = [
    Tool {
        name: "a Java compiler",
        probe: &["javac", "-version"],
        packages: &["default-jdk-headless"],
    },
    Tool {
        name: "Java",
        probe: &["java", "-version"],
        packages: &["default-jdk-headless"],
    },
    Tool {
        name: "BouncyCastle",
        probe: &[
            "ls",
            "/usr/share/java/bcprov.jar",
            "/usr/share/java/bcpkix.jar",
            "/usr/share/java/bcutil.jar",
        ],
        packages: &["libbcprov-java", "libbcpkix-java", "libbcutil-java"],
    },
];

/// Makes sure that everything is there that is not built here.
pub fn prepare() -> Result<()> {
    step("Tools", || install(&TOOLS))?;
    environment()
}

/// Makes sure that a browser is there and what drives it.
pub fn prepare_browser() -> Result<()> {
    step("Tools for tests in a browser", || install(&BROWSER_TOOLS))
}

/// Makes sure that the other implementations are there.
pub fn prepare_interop() -> Result<()> {
    step("Other implementations", || install(&INTEROP_TOOLS))
}

fn present(tool: &Tool) -> bool {
    let Some((program, arguments)) = tool.probe.split_first() else {
        return true;
    };
    Command::new(program)
        .args(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

fn install(tools: &[Tool]) -> Result<()> {
    let missing = || tools.iter().filter(|tool| !present(tool)).collect::<Vec<_>>();
    let absent = missing();
    if absent.is_empty() {
        return Ok(());
    }
    let mut packages: Vec<&str> = absent.iter().flat_map(|tool| tool.packages).copied().collect();
    packages.dedup();
    let advice = format!(
        "install {} (on Debian or Ubuntu: apt-get install {})",
        names(&absent),
        packages.join(" ")
    );
    if !root_user() || !available("apt-get") {
        bail!("{advice}");
    }
    note(format!("installing {}", packages.join(" ")));
    project::check(Command::new("apt-get").args(["-qq", "update"])).context(advice.clone())?;
    project::check(
        Command::new("apt-get")
            .args(["-qq", "install", "--yes", "--no-install-recommends"])
            .args(&packages)
            .env("DEBIAN_FRONTEND", "noninteractive"),
    )
    .context(advice.clone())?;
    let absent = missing();
    if !absent.is_empty() {
        bail!("{} still missing; {advice}", names(&absent));
    }
    Ok(())
}

fn names(tools: &[&Tool]) -> String {
    tools.iter().map(|tool| tool.name).collect::<Vec<_>>().join(", ")
}

fn root_user() -> bool {
    Command::new("id")
        .arg("-u")
        .output()
        .is_ok_and(|done| done.stdout.trim_ascii() == b"0")
}

/// Whether a program can be started.
pub fn available(program: &str) -> bool {
    Command::new(program)
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// Makes `.venv` with the pinned packages. A stamp of the list's content tells whether it is the right one.
fn environment() -> Result<()> {
    let root = project::root();
    let wanted = fs::read_to_string(root.join(REQUIREMENTS)).with_context(|| format!("no {REQUIREMENTS}"))?;
    let stamp = root.join(".venv/requirements.stamp");
    if project::python().is_file() && fs::read_to_string(&stamp).is_ok_and(|found| found == wanted) {
        return Ok(());
    }
    step(
        "Python packages into .venv (half a minute the first time)",
        || {
            project::check(project::command("python3").args(["-m", "venv", ".venv"]))?;
            project::check(
                project::command(project::python())
                    .args([
                        "-m",
                        "pip",
                        "install",
                        "--quiet",
                        "--disable-pip-version-check",
                        "--requirement",
                    ])
                    .arg(REQUIREMENTS),
            )?;
            fs::write(&stamp, &wanted).with_context(|| format!("{} cannot be written", stamp.display()))
        },
    )
}
