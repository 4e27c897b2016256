//! `up`, `down` and `demo`: the local cloud from nothing to a seeded stack.

mod services;

use std::fs::{self, File};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::{Map, Value};

use crate::interrupt;
use crate::progress::{last_step, note, step};
use crate::project::{self, cargo, check, command, output, python};
use crate::stack::process::signal;
use crate::stack::{Recorded, Stack, environment};
use crate::tools;

/// Where the outside world listens when it runs alone.
const SANDBOX_PORT: u16 = 4600;
const POLL: Duration = Duration::from_millis(200);

/// What `up` was asked for.
#[derive(Default)]
pub struct Options {
    pub port: Option<u16>,
    pub detach: bool,
    pub fresh: bool,
}

/// Brings the stack up, or updates the running one. In the foreground it stays until Ctrl-C.
pub fn up(options: &Options) -> Result<()> {
    tools::prepare()?;
    build()?;
    let stack = Stack::for_people();
    let mut running = start(&stack, options)?;
    print_addresses(&stack, &running);
    if options.detach {
        running.leave();
        println!("  stop     cargo xtask down");
        return Ok(());
    }
    if !running.ours {
        println!("\nIt was running already and has been updated. `cargo xtask down` stops it.");
        return Ok(());
    }
    println!("\nCtrl-C stops it.");
    let ended = loop {
        if interrupt::asked() {
            break None;
        }
        if let Some(reason) = running.ended() {
            break Some(reason);
        }
        std::thread::sleep(POLL);
    };
    running.stop()?;
    ended.map_or(Ok(()), |reason| bail!(reason))
}

/// Stops what a state file says is running.
pub fn down() -> Result<()> {
    let stack = Stack::for_people();
    let Some(recorded) = stack.recorded() else {
        println!("nothing is running");
        return Ok(());
    };
    Running {
        stack: &stack,
        processes: Some(recorded),
        ours: true,
    }
    .stop()
}

/// Makes sure of a stack, then lets one unit and one person order a certificate.
pub fn demo() -> Result<()> {
    up(&Options {
        detach: true,
        ..Options::default()
    })?;
    let journey = project::binaries().join("journey");
    if !journey.is_file() {
        bail!(
            "{} is missing: the package yinxin-tests has no binary `journey`",
            journey.display()
        );
    }
    let stack = Stack::for_people();
    check(
        command(journey)
            .arg("demo")
            .env("YINXIN_STATE", stack.state_file())
            .env("YINXIN_PYTHON", python()),
    )
    .with_context(|| {
        format!(
            "the logs are in {}; `cargo xtask up --fresh` starts anew",
            stack.directory().display()
        )
    })
}

/// Runs the outside world alone, in a place of its own, until Ctrl-C.
pub fn sandbox(arguments: &[&str]) -> Result<()> {
    let mut init = arguments.to_vec();
    let port = match init.iter().position(|word| *word == "--port") {
        Some(place) => {
            let port = init.get(place + 1).and_then(|port| port.parse::<u16>().ok());
            init.drain(place..(place + 2).min(init.len()));
            port.context("--port takes a number")?
        }
        None => SANDBOX_PORT,
    };
    tools::prepare()?;
    let directory = project::root().join("target/sandbox");
    fs::create_dir_all(&directory)?;
    let module = |action: &str| {
        let mut command = command(python());
        command
            .args(["-m", "sandbox", action, "--dir"])
            .arg(&directory)
            .current_dir(project::root().join("infra"))
            .env("PYTHONUNBUFFERED", "1");
        command
    };
    check(module("init").args(&init))?;
    println!(
        "\nThe secrets that fit are in {}; infra/sandbox/README.md says what listens where and how to make it fail.",
        directory.join("secrets.json").display()
    );
    let mut serving = module("serve").args(["--port", &port.to_string()]).spawn()?;
    // Ctrl-C reaches the sandbox too; a termination has to be passed on.
    loop {
        if let Some(status) = serving.try_wait()? {
            if !status.success() && !interrupt::asked() {
                bail!("the sandbox has ended with {status}");
            }
            return Ok(());
        }
        if interrupt::asked() {
            signal("TERM", serving.id())?;
            serving.wait()?;
            return Ok(());
        }
        std::thread::sleep(POLL);
    }
}

/// Runs `yinxin-admin ca` on the running stack.
pub fn ca(arguments: &[&str]) -> Result<()> {
    let stack = Stack::for_people();
    let recorded = stack
        .recorded()
        .context("nothing is running; `cargo xtask up --detach` starts it")?;
    let outputs = stack.outputs()?;
    let mut admin = admin(&stack, &recorded, &outputs);
    check(admin.arg("ca").args(arguments))
}

/// Builds every program of the workspace.
fn build() -> Result<()> {
    step("Build (several minutes the first time)", || {
        check(cargo().args(["build", "--profile", "local", "--workspace", "--bins"]))
    })
}

/// A stack that runs. Dropped without `leave`, it is stopped if it was started here: an error leaves no process behind.
pub struct Running<'a> {
    stack: &'a Stack,
    processes: Option<Recorded>,
    ours: bool,
}

impl Running<'_> {
    /// Lets the processes run on after this program.
    fn leave(&mut self) {
        self.processes = None;
    }

    /// Why the stack does not run any more, if so.
    fn ended(&mut self) -> Option<String> {
        let processes = self.processes.as_mut()?;
        [&mut processes.ministack, &mut processes.sandbox]
            .into_iter()
            .find_map(|process| {
                (!process.runs()).then(|| format!("a process has ended; {}", process.last_lines()))
            })
    }

    /// Stops the processes in order and forgets them.
    pub fn stop(&mut self) -> Result<()> {
        let Some(mut processes) = self.processes.take() else {
            return Ok(());
        };
        last_step("Stop", || {
            processes.ministack.stop()?;
            processes.sandbox.stop()?;
            self.stack.forget()
        })
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        if self.ours
            && let Err(error) = self.stop()
        {
            eprintln!("error: {error:#}");
        }
    }
}

/// Starts the emulator and the outside world unless they run, deploys, and seeds.
pub fn start<'a>(stack: &'a Stack, options: &Options) -> Result<Running<'a>> {
    fs::create_dir_all(stack.directory())?;
    // Two of these at once would start two of everything.
    let lock = File::create(stack.directory().join("lock"))?;
    if lock.try_lock().is_err() {
        note("waiting for another `cargo xtask` that starts the same stack");
        lock.lock()?;
    }
    let running = processes(stack, options)?;
    let recorded = running
        .processes
        .as_ref()
        .context("the stack has just been started")?;
    let outputs = step("Deploy", || deploy(stack, recorded))?;
    step("Providers' secrets", || {
        local_tool("cloud.py", recorded)
            .arg("put-secrets")
            .arg(services::sandbox_directory(stack).join("secrets.json"))
            .stdout(std::process::Stdio::null())
            .status()
            .map_err(Into::into)
            .and_then(|status| {
                if status.success() {
                    Ok(())
                } else {
                    bail!("the secrets were not taken")
                }
            })
    })?;
    stack.record(recorded, &outputs)?;
    step("Seed: vendors, products, staff", || {
        seed(stack, recorded, &outputs)
    })?;
    Ok(running)
}

/// The processes: those that run, or new ones.
fn processes<'a>(stack: &'a Stack, options: &Options) -> Result<Running<'a>> {
    if let Some(mut recorded) = stack.recorded() {
        let asked = options.port.is_none_or(|port| port == recorded.ports.aws);
        let whole = recorded.ministack.runs() && recorded.sandbox.runs();
        if whole && asked && !options.fresh && services::healthy(recorded.ports) {
            note(format!(
                "using the stack that runs on port {}",
                recorded.ports.aws
            ));
            return Ok(Running {
                stack,
                processes: Some(recorded),
                ours: false,
            });
        }
        let mut old = Running {
            stack,
            processes: Some(recorded),
            ours: true,
        };
        old.stop().context("the old stack does not stop")?;
    }
    let ports = stack.choose_ports(options.port)?;
    if options.fresh || !stack.durable() {
        services::erase(stack, ports.aws)?;
    }
    let recorded = step("Start the emulator and the outside world", || {
        services::start(stack, ports)
    })?;
    let running = Running {
        stack,
        processes: Some(recorded),
        ours: true,
    };
    if let Some(recorded) = &running.processes {
        stack.record(recorded, &Map::new())?;
    }
    Ok(running)
}

/// A script of infra/local with the stack's endpoint.
fn local_tool(script: &str, recorded: &Recorded) -> std::process::Command {
    let mut tool = command(python());
    tool.arg(project::root().join("infra/local").join(script));
    tool.env(
        "AWS_ENDPOINT_URL",
        format!("http://localhost:{}", recorded.ports.aws),
    );
    tool
}

fn deploy(stack: &Stack, recorded: &Recorded) -> Result<Map<String, Value>> {
    let mut deploy = local_tool("deploy.py", recorded);
    deploy.arg("--binaries").arg(project::binaries());
    for (name, value) in services::parameters(recorded.ports) {
        deploy.arg("--parameter").arg(format!("{name}={value}"));
    }
    let answer = output(&mut deploy).with_context(|| {
        format!(
            "see {}; data of an older version may be the cause: `cargo xtask up --fresh` starts without them",
            stack.log("ministack").display()
        )
    })?;
    serde_json::from_str(&answer).context("deploy.py did not answer with the stack's outputs")
}

fn seed(stack: &Stack, recorded: &Recorded, outputs: &Map<String, Value>) -> Result<()> {
    check(admin(stack, recorded, outputs).arg("seed"))?;
    let certificates = output(admin(stack, recorded, outputs).args(["tickets", "certificates"]))?;
    fs::write(stack.platform_certificates(), certificates)?;
    Ok(())
}

/// The administration commands with the stack's environment.
fn admin(stack: &Stack, recorded: &Recorded, outputs: &Map<String, Value>) -> std::process::Command {
    let mut admin = command(project::binaries().join("yinxin-admin"));
    admin.env("YINXIN_STATE", stack.state_file());
    for (name, value) in environment(recorded.ports, outputs) {
        if let Some(value) = value.as_str() {
            admin.env(name, value);
        }
    }
    admin
}

fn print_addresses(stack: &Stack, running: &Running<'_>) {
    let Some(Recorded { ports, .. }) = &running.processes else {
        return;
    };
    println!("\nYinxin runs:");
    println!("  API      http://127.0.0.1:{}/api/health", ports.aws);
    println!(
        "  sandbox  http://127.0.0.1:{}/  (SMS, mail and memos that were sent)",
        ports.sandbox
    );
    println!(
        "  AWS      http://localhost:{}   (AWS_ENDPOINT_URL; key id and secret: test)",
        ports.aws
    );
    println!(
        "  agent    yinxin-agent serve --api http://127.0.0.1:{} --platform-certificates {}",
        ports.aws,
        stack.platform_certificates().display()
    );
    println!("  state    {}", stack.state_file().display());
    println!("  logs     {}/*.log", stack.directory().display());
}
