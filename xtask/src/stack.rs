//! One local cloud on this machine: its directory, its ports, its processes, and the file that says so.

pub mod process;

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde_json::{Map, Value, json};

use crate::project;
use process::Process;

/// What MiniStack takes for the account's root user. Worth nothing anywhere else.
pub const CREDENTIALS: [(&str, &str); 4] = [
    ("AWS_ACCESS_KEY_ID", "test"),
    ("AWS_SECRET_ACCESS_KEY", "test"),
    ("AWS_REGION", "us-east-1"),
    ("AWS_DEFAULT_REGION", "us-east-1"),
];
/// How many ports after the wanted one are tried.
const PORTS_TRIED: u16 = 200;

/// A local cloud, running or not.
pub struct Stack {
    directory: PathBuf,
    state_file: PathBuf,
    first_port: u16,
    durable: bool,
}

/// The three ports of a running stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ports {
    pub aws: u16,
    pub sandbox: u16,
    pub smtp: u16,
}

/// A running stack as its state file describes it.
pub struct Recorded {
    pub ports: Ports,
    pub ministack: Process,
    pub sandbox: Process,
}

impl Stack {
    /// The one that people use: its data outlive it.
    pub fn for_people() -> Self {
        let target = project::root().join("target");
        Self {
            directory: target.join("local-cloud"),
            state_file: target.join("local/state.json"),
            first_port: 4566,
            durable: true,
        }
    }

    /// The one of the tests, beside the other and always new.
    pub fn for_tests() -> Self {
        let directory = project::root().join("target/local-cloud-test");
        Self {
            state_file: directory.join("state.json"),
            directory,
            first_port: 4666,
            durable: false,
        }
    }

    /// Logs, data and temporary files.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Where addresses, process ids and stack outputs are written.
    pub fn state_file(&self) -> &Path {
        &self.state_file
    }

    /// Whether data outlive the processes.
    pub fn durable(&self) -> bool {
        self.durable
    }

    /// The data of the emulator on one port. Its queue addresses hold the port, so another port has other data.
    pub fn data(&self, port: u16) -> PathBuf {
        self.directory.join(format!("data-{port}"))
    }

    /// The certificates with which an agent knows this platform's tickets.
    pub fn platform_certificates(&self) -> PathBuf {
        self.directory.join("platform-certificates.pem")
    }

    pub fn log(&self, name: &str) -> PathBuf {
        self.directory.join(format!("{name}.log"))
    }

    /// The stack that the state file describes, if the file is there and readable.
    pub fn recorded(&self) -> Option<Recorded> {
        let state: Value = serde_json::from_str(&fs::read_to_string(&self.state_file).ok()?).ok()?;
        let port = |name: &str| {
            state["ports"][name]
                .as_u64()
                .and_then(|port| u16::try_from(port).ok())
        };
        let process = |name: &str, program: &str| {
            let pid = state["pids"][name]
                .as_u64()
                .and_then(|pid| u32::try_from(pid).ok())?;
            Some(Process::recorded(
                name,
                pid,
                program,
                &self.directory,
                self.log(name),
            ))
        };
        Some(Recorded {
            ports: Ports {
                aws: port("aws")?,
                sandbox: port("sandbox")?,
                smtp: port("smtp")?,
            },
            ministack: process("ministack", "launch.py")?,
            sandbox: process("sandbox", "sandbox")?,
        })
    }

    /// Free ports: the wanted one or an error, without a wish the first free ones.
    pub fn choose_ports(&self, wanted: Option<u16>) -> Result<Ports> {
        let aws = match wanted {
            Some(port) if free(port) => port,
            Some(port) => {
                bail!("port {port} is taken by another program; leave --port out to get a free one")
            }
            None => next_free(self.first_port)?,
        };
        let sandbox = next_free(aws.saturating_add(1))?;
        let smtp = next_free(sandbox.saturating_add(1))?;
        Ok(Ports { aws, sandbox, smtp })
    }

    /// The outputs of the running stack's deployment.
    pub fn outputs(&self) -> Result<Map<String, Value>> {
        let state: Value = serde_json::from_str(&fs::read_to_string(&self.state_file)?)?;
        match state["outputs"].as_object() {
            Some(outputs) if !outputs.is_empty() => Ok(outputs.clone()),
            _ => anyhow::bail!("the stack is still coming up"),
        }
    }

    /// Writes the state file. Without outputs the stack is still coming up, but `down` can already find it.
    pub fn record(&self, running: &Recorded, outputs: &Map<String, Value>) -> Result<()> {
        let Ports { aws, sandbox, smtp } = running.ports;
        let state = json!({
            "ready": !outputs.is_empty(),
            "api": format!("http://127.0.0.1:{aws}"),
            "sandbox": format!("http://127.0.0.1:{sandbox}"),
            "aws_endpoint": format!("http://localhost:{aws}"),
            "ports": {"aws": aws, "sandbox": sandbox, "smtp": smtp},
            "pids": {"ministack": running.ministack.pid(), "sandbox": running.sandbox.pid()},
            "directory": self.directory,
            "platform_certificates": self.platform_certificates(),
            "python": project::python(),
            "outputs": outputs,
            "env": environment(running.ports, outputs),
        });
        let parent = self
            .state_file
            .parent()
            .context("the state file has no directory")?;
        fs::create_dir_all(parent)?;
        // Readers see the old file or the new one, never half of one.
        let written = self.state_file.with_extension("json.new");
        fs::write(&written, serde_json::to_string_pretty(&state)? + "\n")?;
        fs::rename(&written, &self.state_file)
            .with_context(|| format!("{} cannot be written", self.state_file.display()))
    }

    /// Forgets a stack that does not run any more.
    pub fn forget(&self) -> Result<()> {
        match fs::remove_file(&self.state_file) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
            _ => Ok(()),
        }
    }
}

/// The environment of programs that work on the stack from outside, by the names that the functions use:
/// the output `OrdersTable` is `ORDERS_TABLE`.
pub fn environment(ports: Ports, outputs: &Map<String, Value>) -> Map<String, Value> {
    let mut environment: Map<String, Value> = CREDENTIALS
        .iter()
        .map(|(name, value)| ((*name).to_owned(), json!(value)))
        .collect();
    environment.insert(
        "AWS_ENDPOINT_URL".into(),
        json!(format!("http://localhost:{}", ports.aws)),
    );
    environment.insert(
        "PUBLIC_URL".into(),
        json!(format!("http://127.0.0.1:{}", ports.aws)),
    );
    environment.insert("ENVIRONMENT".into(), json!("local"));
    environment.extend(
        outputs
            .iter()
            .map(|(name, value)| (upper_snake(name), value.clone())),
    );
    environment
}

fn upper_snake(camel: &str) -> String {
    let mut name = String::new();
    for (at, letter) in camel.char_indices() {
        if letter.is_ascii_uppercase() && at > 0 {
            name.push('_');
        }
        name.push(letter.to_ascii_uppercase());
    }
    name
}

fn free(port: u16) -> bool {
    TcpListener::bind(("127.0.0.1", port)).is_ok()
}

fn next_free(first: u16) -> Result<u16> {
    (first..first.saturating_add(PORTS_TRIED))
        .find(|port| free(*port))
        .with_context(|| format!("no free port from {first} on"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outputs_become_the_names_of_the_functions_environment() {
        assert_eq!(upper_snake("OrdersTable"), "ORDERS_TABLE");
        assert_eq!(upper_snake("DataKeyId"), "DATA_KEY_ID");
        assert_eq!(upper_snake("Api"), "API");
    }

    #[test]
    fn a_taken_port_is_passed_over_or_refused() {
        let taken = TcpListener::bind(("127.0.0.1", 0)).expect("a port is free");
        let port = taken.local_addr().expect("it is bound").port();
        let stack = Stack::for_tests();
        assert!(stack.choose_ports(Some(port)).is_err());
        assert!(next_free(port).is_ok_and(|found| found > port));
    }
}
