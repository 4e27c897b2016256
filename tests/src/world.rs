//! The running stack as its state file describes it, and the programs that were built with this one.
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;

/// Names the state file of the stack that is meant.
pub const STATE_VARIABLE: &str = "YINXIN_STATE";
const DEFAULT_STATE: &str = "target/local/state.json";

/// A running stack.
#[derive(Debug, Clone, Deserialize)]
pub struct World {
    /// Base address of the API.
    pub api: String,
    /// Base address of the sandbox that plays the outside world.
    pub sandbox: String,
    /// Where AWS is.
    pub aws_endpoint: String,
    /// Logs and data of the stack.
    pub directory: PathBuf,
    /// The certificates with which an agent knows the platform's tickets.
    pub platform_certificates: PathBuf,
    /// The environment of programs that work on the stack from outside.
    pub env: BTreeMap<String, String>,
    /// The outputs of the stack.
    pub outputs: BTreeMap<String, String>,
    python: PathBuf,
    #[serde(skip)]
    state_file: PathBuf,
}

impl World {
    /// Reads the state file.
    pub fn open() -> Result<World> {
        let path = std::env::var_os(STATE_VARIABLE).map_or_else(|| root().join(DEFAULT_STATE), PathBuf::from);
        let hint = || {
            format!(
                "no running stack: {} cannot be read; start one with `cargo xtask up --detach`, or run the tests \
                 with `cargo xtask test`",
                path.display()
            )
        };
        let text = std::fs::read_to_string(&path).with_context(hint)?;
        let mut world: World = serde_json::from_str(&text)
            .with_context(|| format!("{} is not a state file of this version", path.display()))?;
        ensure!(
            !world.outputs.is_empty(),
            "the stack of {} is still coming up",
            path.display()
        );
        world.state_file = path;
        Ok(world)
    }

    /// An output of the stack.
    pub fn output(&self, name: &str) -> Result<&str> {
        self.outputs
            .get(name)
            .map(String::as_str)
            .with_context(|| format!("the stack has no output {name}"))
    }

    /// A program of this workspace, ready to work on the stack.
    pub fn program(&self, name: &str) -> Result<Command> {
        let mut command = Command::new(binary(name)?);
        command
            .envs(&self.env)
            .env(STATE_VARIABLE, &self.state_file)
            .current_dir(root());
        Ok(command)
    }

    /// A script of `infra/local`, ready to work on the stack.
    pub fn script(&self, name: &str) -> Command {
        let python = std::env::var_os("YINXIN_PYTHON").map_or_else(|| self.python.clone(), PathBuf::from);
        let mut command = Command::new(python);
        command
            .arg(root().join("infra/local").join(name))
            .env(STATE_VARIABLE, &self.state_file)
            .env("AWS_ENDPOINT_URL", &self.aws_endpoint)
            .current_dir(root());
        command
    }

    /// A program of the project's Python environment.
    pub fn python_tool(&self, name: &str) -> PathBuf {
        self.python.with_file_name(name)
    }

    /// How to read a function's log, for error messages.
    pub fn log_hint(&self, functions: &[&str]) -> String {
        let commands: Vec<String> = functions
            .iter()
            .map(|function| {
                format!(
                    "  {}={} {} infra/local/cloud.py logs --function {function}",
                    STATE_VARIABLE,
                    self.state_file.display(),
                    self.python.display()
                )
            })
            .collect();
        format!(
            "look at\n{}\n  {}/ (messages, trades)\n  {}/ministack.log",
            commands.join("\n"),
            self.sandbox,
            self.directory.display()
        )
    }
}

/// The root of the working tree.
pub fn root() -> PathBuf {
    let package = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    Path::new(&package)
        .ancestors()
        .find(|directory| directory.join("infra/template.yaml").is_file())
        .unwrap_or(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/..")))
        .to_owned()
}

/// Built programs lie beside this one; tests lie one directory below.
fn binary(name: &str) -> Result<PathBuf> {
    let here = std::env::current_exe().context("this program does not know where it is")?;
    let found = here
        .ancestors()
        .skip(1)
        .take(2)
        .map(|directory| directory.join(name))
        .find(|path| path.is_file());
    match found {
        Some(path) => Ok(path),
        None => bail!(
            "the program {name} is not built beside {}: cargo build --profile local --workspace --bins",
            here.display()
        ),
    }
}

/// Runs a program to its end off the runtime's thread; its standard output, or what it complained about.
pub async fn run(mut command: Command) -> Result<String> {
    let shown = command.get_program().display().to_string();
    let done = tokio::task::spawn_blocking(move || command.output())
        .await?
        .with_context(|| format!("{shown} does not start"))?;
    ensure!(
        done.status.success(),
        "{shown} ended with {}: {}",
        done.status,
        String::from_utf8_lossy(&done.stderr).trim()
    );
    String::from_utf8(done.stdout).with_context(|| format!("{shown} did not answer in UTF-8"))
}
