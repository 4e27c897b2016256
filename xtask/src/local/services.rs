//! The two processes of a local cloud: MiniStack by its launcher, and the sandbox that plays the outside world.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::project::{self, check, python};
use crate::stack::process::Process;
use crate::stack::{CREDENTIALS, Ports, Recorded, Stack};

const START_LIMIT: Duration = Duration::from_mins(1);
const PROBE_LIMIT: Duration = Duration::from_secs(2);
const CHECKPOINT_SECONDS: &str = "5";

/// Starts both and waits until they answer. When the second does not, the first is stopped again.
pub fn start(stack: &Stack, ports: Ports) -> Result<Recorded> {
    let mut ministack = ministack(stack, ports)?;
    let sandbox = match ministack
        .wait_until(START_LIMIT, || ministack_answers(ports))
        .and_then(|()| sandbox(stack, ports))
    {
        Ok(sandbox) => sandbox,
        Err(error) => {
            ministack.stop()?;
            return Err(error);
        }
    };
    Ok(Recorded {
        ports,
        ministack,
        sandbox,
    })
}

/// Whether both answer.
pub fn healthy(ports: Ports) -> bool {
    ministack_answers(ports) && sandbox_answers(ports)
}

/// The parameters of the template for a local run.
pub fn parameters(ports: Ports) -> Vec<(&'static str, String)> {
    let sandbox = format!("http://127.0.0.1:{}", ports.sandbox);
    vec![
        ("PublicUrl", format!("http://127.0.0.1:{}", ports.aws)),
        ("StatusUrl", format!("http://127.0.0.1:{}", ports.aws)),
        ("AlipayGatewayUrl", format!("{sandbox}/alipay/gateway.do")),
        ("WechatUrl", format!("{sandbox}/wechat")),
        ("SmsUrl", format!("{sandbox}/aliyun/")),
        ("TencentSmsUrl", format!("{sandbox}/tencent/")),
        ("CloudauthUrl", format!("{sandbox}/aliyun/")),
        ("NuonuoUrl", format!("{sandbox}/nuonuo/open/v1/services")),
        ("NuonuoTokenUrl", format!("{sandbox}/nuonuo/accessToken")),
        ("Kuaidi100Url", format!("{sandbox}/kuaidi100")),
        ("FaceidUrl", format!("{sandbox}/tencent/")),
        ("BankUrl", sandbox),
    ]
}

/// Removes the data of earlier runs on the port, and the sandbox's.
pub fn erase(stack: &Stack, port: u16) -> Result<()> {
    for directory in [stack.data(port), sandbox_directory(stack)] {
        match fs::remove_dir_all(&directory) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("{} cannot be removed", directory.display()));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Where the sandbox keeps its keys and the secrets that the platform gets.
pub fn sandbox_directory(stack: &Stack) -> PathBuf {
    stack.directory().join("sandbox")
}

fn ministack(stack: &Stack, ports: Ports) -> Result<Process> {
    let data = stack.data(ports.aws);
    let temporary = data.join("tmp");
    fs::create_dir_all(&temporary)?;
    let mut command = clean(&python());
    command
        .arg(project::root().join("infra/local/launch.py"))
        .arg(stack.directory())
        .current_dir(&data)
        .env("GATEWAY_PORT", ports.aws.to_string())
        // MiniStack's default is every interface.
        .env("BIND_HOST", "127.0.0.1")
        .env("AWS_ENDPOINT_URL", format!("http://localhost:{}", ports.aws))
        // Each function runs with its own role's rights, as on AWS.
        .env("AUTH", "true")
        .env("STATE_DIR", data.join("state"))
        .env("S3_DATA_DIR", data.join("s3"))
        .env("TMPDIR", &temporary)
        .env("SFTP_ENABLED", "0")
        .env("IOT_MTLS_ENABLED", "0")
        .envs(CREDENTIALS);
    if stack.durable() {
        command
            .env("PERSIST_STATE", "1")
            .env("S3_PERSIST", "1")
            .env("CHECKPOINT_SECONDS", CHECKPOINT_SECONDS);
    }
    Process::start(
        "ministack",
        &mut command,
        "launch.py",
        stack.directory(),
        stack.log("ministack"),
    )
}

fn sandbox(stack: &Stack, ports: Ports) -> Result<Process> {
    let directory = sandbox_directory(stack);
    fs::create_dir_all(&directory)?;
    let module = |action: &str| {
        let mut command = clean(&python());
        command
            .args(["-m", "sandbox", action, "--dir"])
            .arg(&directory)
            .args(["--smtp-port", &ports.smtp.to_string()])
            .current_dir(project::root().join("infra"));
        command
    };
    check(&mut module("init"))?;
    let mut command = module("serve");
    command.args(["--port", &ports.sandbox.to_string()]);
    let mut process = Process::start(
        "sandbox",
        &mut command,
        "sandbox",
        stack.directory(),
        stack.log("sandbox"),
    )?;
    if let Err(error) = process.wait_until(START_LIMIT, || sandbox_answers(ports)) {
        process.stop()?;
        return Err(error);
    }
    Ok(process)
}

/// A command with next to nothing of this environment: MiniStack hands its own whole environment on to every function.
fn clean(program: &std::path::Path) -> Command {
    let mut command = Command::new(program);
    command
        .env_clear()
        .env("LANG", "C.UTF-8")
        .env("PYTHONUNBUFFERED", "1");
    for name in ["PATH", "HOME"] {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    command
}

fn ministack_answers(ports: Ports) -> bool {
    answers(ports.aws, "localhost", "/_ministack/health")
}

fn sandbox_answers(ports: Ports) -> bool {
    answers(ports.sandbox, "127.0.0.1", "/messages.json")
}

/// Whether a GET on the port is answered with 200.
fn answers(port: u16, host: &str, path: &str) -> bool {
    let ask = || -> std::io::Result<bool> {
        let mut stream = TcpStream::connect_timeout(&SocketAddr::from(([127, 0, 0, 1], port)), PROBE_LIMIT)?;
        stream.set_read_timeout(Some(PROBE_LIMIT))?;
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n"
        )?;
        let mut start = [0; 12];
        stream.read_exact(&mut start)?;
        Ok(&start == b"HTTP/1.1 200")
    };
    ask().unwrap_or(false)
}
