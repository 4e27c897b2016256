//! `yinxin-agent serve` as a process: where it listens, where its pages are printed, how it ends.
use std::{
    fs,
    io::{BufRead as _, BufReader},
    net::TcpListener,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::{
    bench::{PIN, SITE, Site, Window},
    raw::answer,
    tickets::Issuer,
};
use crate::{soft_token::SoftToken, world::ADMIN_PIN};

const PATIENCE: Duration = Duration::from_mins(1);

pub struct Program {
    child: Child,
    pub port: u16,
    token: SoftToken,
    directory: tempfile::TempDir,
    pages: std::path::PathBuf,
    output: BufReader<std::process::ChildStdout>,
}

fn serve(directory: &std::path::Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_yinxin-agent"));
    command
        .args(["serve", "--profile", "softskf", "--state", "state", "--json"])
        .args(arguments)
        .current_dir(directory)
        .env("YINXIN_SOFTSKF_DIR", directory.join("plugged"))
        .env_remove("YINXIN_TOKEN_PROFILES")
        .env_remove("YINXIN_AGENT_CONFIGURATION")
        .env_remove("YINXIN_TOKEN")
        .env_remove("YINXIN_API")
        .env_remove("YINXIN_PORTAL")
        .env_remove("YINXIN_AGENT_STATE")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

pub fn plug(directory: &std::path::Path) -> SoftToken {
    SoftToken::made_in(&directory.join("plugged"), "UKey", PIN, ADMIN_PIN)
}

impl Program {
    fn start(arguments: &[&str]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let token = plug(directory.path());
        Self::start_in(directory, token, arguments, &[])
    }

    /// With a token of the directory, and settings of the software token.
    pub fn start_in(
        directory: tempfile::TempDir,
        token: SoftToken,
        arguments: &[&str],
        environment: &[(&str, &str)],
    ) -> Self {
        let pages = directory.path().join("pages.txt");
        let mut arguments = arguments.to_vec();
        arguments.extend(["--print-pages", "pages.txt"]);
        let mut command = serve(directory.path(), &arguments);
        let mut child = command.envs(environment.iter().copied()).spawn().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        let first: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(first["listening"]["address"], "127.0.0.1");
        Self {
            child,
            port: u16::try_from(first["listening"]["port"].as_u64().unwrap()).unwrap(),
            token,
            directory,
            pages,
            output,
        }
    }

    /// The address of the page that was printed as number `count`.
    pub fn page(&self, count: usize) -> String {
        let begun = Instant::now();
        loop {
            let text = fs::read_to_string(&self.pages).unwrap_or_default();
            if let Some(line) = text.lines().nth(count).filter(|_| text.ends_with('\n')) {
                return line.to_owned();
            }
            assert!(begun.elapsed() < PATIENCE, "no page was printed");
            thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Program {
    /// Where its UKeys are.
    pub fn plugged(&self) -> std::path::PathBuf {
        self.directory.path().join("plugged")
    }

    /// Its first UKey.
    pub fn token(&self) -> &SoftToken {
        &self.token
    }

    /// A site that the holder has approved, by the page that was printed as number `page`.
    pub fn approved(&self, page: usize) -> Site {
        let site = Site {
            port: self.port,
            origin: SITE.to_owned(),
            token: String::new(),
        };
        let mut asking = site.begin("/v1/pairing", &json!({}));
        Window::open(&self.page(page)).press("approve");
        let token = answer(&mut asking).value()["token"].as_str().unwrap().to_owned();
        Site { token, ..site }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[test]
fn the_program_serves_prints_its_pages_and_ends_by_a_signal() {
    let mut program = Program::start(&["--port", "0", "--open"]);
    let overview = Window::open(&program.page(0));
    assert!(overview.html().contains("UKey"));
    let site = program.approved(1);
    let tokens = site.call("/v1/tokens", &json!({})).value();
    assert_eq!(tokens["tokens"][0]["serial"], program.token.serial);
    assert_eq!(tokens["tokens"][0]["signing_certificate"], Value::Null);
    let message = json!({ "message": "5LiA5Lu95ZCI5ZCM", "format": "raw" });
    site.call("/v1/sign", &message)
        .assert_refused(409, "no-certificate");
    // What is plugged in counts at each call.
    let another = plug(program.directory.path());
    site.call("/v1/sign", &message)
        .assert_refused(409, "several-ukeys");
    let tokens = site.call("/v1/tokens", &json!({})).value();
    assert_eq!(tokens["tokens"].as_array().unwrap().len(), 2);
    drop(another);
    site.call("/v1/sign", &message)
        .assert_refused(409, "no-certificate");

    let second = serve(program.pages.parent().unwrap(), &["--port", "0"])
        .output()
        .unwrap();
    assert_eq!(second.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&second.stderr).contains("another agent is running"));

    #[cfg(unix)]
    {
        let ended = Command::new("kill")
            .args(["-TERM", &program.child.id().to_string()])
            .status()
            .unwrap();
        assert!(ended.success());
        assert_eq!(program.child.wait().unwrap().code(), Some(0));
        let mut rest = String::new();
        std::io::Read::read_to_string(&mut program.output, &mut rest).unwrap();
        let last: Value = serde_json::from_str(&rest).unwrap();
        assert_eq!(last["ended"], true);
    }
}

#[test]
fn the_user_opens_the_overview_of_the_running_service() {
    let program = Program::start(&["--port", "0"]);
    let opened = Command::new(env!("CARGO_BIN_EXE_yinxin-agent"))
        .args(["open", "--state", "state", "--json"])
        .current_dir(program.directory.path())
        .output()
        .unwrap();
    assert_eq!(opened.status.code(), Some(0));
    // The page's address goes to the browser alone.
    let told: Value = serde_json::from_slice(&opened.stdout).unwrap();
    assert_eq!(told, json!({ "opened": true }));
    assert!(Window::open(&program.page(0)).html().contains("证书助手"));
}

#[test]
fn a_port_that_is_taken_is_a_failure_when_it_was_asked_for() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let directory = tempfile::tempdir().unwrap();
    let output = serve(directory.path(), &["--port", &port, "--print-pages"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("no port is free"));
}

#[test]
fn without_a_port_one_of_the_known_ten_is_taken() {
    let first = Program::start(&[]);
    let second = Program::start(&[]);
    assert_ne!(first.port, second.port);
    for port in [first.port, second.port] {
        assert!((17816..=17825).contains(&port), "{port}");
    }
}

#[test]
fn wrong_use_of_serve_ends_with_64() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    let issuer = Issuer::new();
    let chain: String = issuer
        .pem()
        .split_inclusive("-----END CERTIFICATE-----\n")
        .skip(1)
        .collect();
    fs::write(path("no-leaf.pem"), chain).unwrap();
    fs::write(path("empty.pem"), "").unwrap();
    for arguments in [
        &["--port", "70000"][..],
        &["--host", "0.0.0.0"],
        &["--pin", "123456"],
        &["--portal", "http://portal.example"],
        &["--portal", "javascript:alert(1)"],
        &["--portal", "https://portal.example/?next=x"],
        &["--api", "ftp://api.example"],
        &["--platform-certificates", "missing.pem"],
        &["--platform-certificates", "empty.pem"],
        &["--platform-certificates", "no-leaf.pem"],
    ] {
        let output = serve(directory.path(), arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(64), "{arguments:?}");
    }
}

#[test]
fn the_help_of_serve_has_examples_and_no_option_for_a_pin_or_an_address() {
    let directory = tempfile::tempdir().unwrap();
    let output = serve(directory.path(), &["--help"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(text.contains("Examples:") && text.contains("--print-pages"));
    assert!(!text.contains("--pin") && !text.contains("--address") && !text.contains("--host"));
}
