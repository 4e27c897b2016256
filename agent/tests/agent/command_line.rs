//! The program itself: exit codes, JSON, and nothing secret in what it prints.
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use serde_json::{Value, json};

use crate::platform::{FakePlatform, ORDER_NUMBER, SESSION};

const USER_PIN: &str = "operator1";
const ADMIN_PIN: &str = "vendor-admin";

struct Desk {
    directory: tempfile::TempDir,
}

impl Desk {
    fn new() -> Self {
        let desk = Self {
            directory: tempfile::tempdir().unwrap(),
        };
        desk.private_file("pins", &format!("{USER_PIN}\n{ADMIN_PIN}\n"));
        desk.private_file("session", &format!("{SESSION}\n"));
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn private_file(&self, name: &str, text: &str) {
        yinxin_agent::private_file::replace(&self.path(name), text.as_bytes()).unwrap();
    }

    fn agent(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_yinxin-agent"))
            .args(arguments)
            .current_dir(self.directory.path())
            .env_remove("YINXIN_TOKEN_DIR")
            .env_remove("YINXIN_API")
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    fn init(&self) -> Output {
        self.agent(&[
            "token",
            "init",
            "--dir",
            "token",
            "--label",
            "Blank",
            "--pin-file",
            "pins",
            "--json",
        ])
    }

    fn personalise(&self, api: &str) -> Output {
        self.agent(&[
            "personalise",
            "--order",
            ORDER_NUMBER,
            "--api",
            api,
            "--session-file",
            "session",
            "--dir",
            "token",
            "--pin-file",
            "pins",
            "--json",
        ])
    }
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn result(output: &Output) -> Value {
    assert_eq!(code(output), 0, "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn printed(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

#[test]
fn a_token_is_made_personalised_and_shown_without_printing_a_secret() {
    let desk = Desk::new();
    let platform = FakePlatform::start();
    let made = desk.init();
    let serial = result(&made)["serial"].as_str().unwrap().to_owned();
    assert_eq!(result(&made)["personalised"], false);
    let personalised = desk.personalise(&platform.url());
    assert_eq!(result(&personalised)["order"]["number"], ORDER_NUMBER);
    assert_eq!(result(&personalised)["token_serial"], serial.as_str());
    let again = desk.personalise(&platform.url());
    assert_eq!(result(&again), result(&personalised));
    let shown = desk.agent(&["token", "show", "--dir", "token", "--json"]);
    let show = result(&shown);
    assert_eq!(
        show["signing_certificate"]["sm3"],
        result(&personalised)["signing_certificate_sm3"]
    );
    assert_eq!(
        show["encryption_certificate"]["sm3"],
        result(&personalised)["encryption_certificate_sm3"]
    );
    assert_eq!(
        show["signing_certificate"]["subject"],
        "C=CN, O=示例建筑有限公司, CN=示例建筑有限公司"
    );
    assert!((363..=365).contains(&show["signing_certificate"]["days_left"].as_i64().unwrap()));
    assert_eq!(show["user_pin_tries_left"], 6);
    assert_eq!(
        yinxin_pki::pem::decode_chain(show["chain"].as_str().unwrap())
            .unwrap()
            .len(),
        2
    );
    let text = desk.agent(&["token", "show", "--dir", "token"]);
    assert!(printed(&text).contains("User PIN    6 of 6 tries left"));
    let listed = desk.agent(&["token", "list", "--dir", ".", "--json"]);
    assert_eq!(result(&listed)["tokens"][0]["serial"], serial.as_str());

    let password = platform.records().reports[0]["password"]
        .as_str()
        .unwrap()
        .to_owned();
    for output in [&made, &personalised, &again, &shown, &text, &listed] {
        for secret in [USER_PIN, ADMIN_PIN, SESSION, &password] {
            assert!(!printed(output).contains(secret));
        }
    }
    assert!(
        !fs::read_to_string(desk.path("token/token.json"))
            .unwrap()
            .contains(&password)
    );
}

#[test]
fn a_refusal_of_the_platform_ends_with_two() {
    let desk = Desk::new();
    let platform = FakePlatform::start();
    platform.records().refusal = Some((
        409,
        json!({ "type": "https://yinxin.example/problems/order-state", "title": "Wrong state",
                "detail": "the order waits for review", "status": 409 }),
    ));
    assert_eq!(code(&desk.init()), 0);
    let refused = desk.personalise(&platform.url());
    assert_eq!(code(&refused), 2);
    let error: Value = serde_json::from_slice(&refused.stderr).unwrap();
    assert_eq!(
        error["error"]["type"],
        "https://yinxin.example/problems/order-state"
    );
    assert_eq!(error["error"]["status"], 409);
    assert!(refused.stdout.is_empty());
}

#[test]
fn wrong_use_ends_with_64() {
    let desk = Desk::new();
    assert_eq!(code(&desk.agent(&["token", "burn"])), 64);
    assert_eq!(code(&desk.agent(&["personalise", "--order", "../x"])), 64);
    desk.private_file("pins", "12345\nvendor-admin\n");
    assert_eq!(code(&desk.init()), 64);
    desk.private_file("pins", "operator1\noperator1\n");
    assert_eq!(code(&desk.init()), 64);
    desk.private_file("pins", "operator1\n");
    assert_eq!(code(&desk.init()), 64);
    desk.private_file("pins", &format!("{USER_PIN}\n{ADMIN_PIN}\n"));
    assert_eq!(code(&desk.init()), 0);
    assert_eq!(code(&desk.personalise("http://api.example.com")), 64);
}

#[test]
fn what_fails_ends_with_one() {
    let desk = Desk::new();
    assert_eq!(code(&desk.agent(&["token", "show", "--dir", "nowhere"])), 1);
    assert_eq!(code(&desk.init()), 0);
    assert_eq!(code(&desk.init()), 1, "a second token in the same place");
    desk.private_file("pins", "not-the-pin\nvendor-admin\n");
    let wrong = desk.personalise("http://127.0.0.1:9");
    assert_eq!(code(&wrong), 1);
    assert!(printed(&wrong).contains("the user PIN is wrong, 5 of 6 tries left"));
}

#[test]
fn a_locked_token_is_unblocked_with_the_admin_pin() {
    let desk = Desk::new();
    assert_eq!(code(&desk.init()), 0);
    desk.private_file("pins", "new-user\nvendor-admin\n");
    let unblocked = desk.agent(&[
        "token",
        "unblock",
        "--dir",
        "token",
        "--pin-file",
        "pins",
        "--json",
    ]);
    assert_eq!(result(&unblocked)["user_pin_tries_left"], 6);
}

#[cfg(unix)]
#[test]
fn a_session_file_that_others_can_read_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let desk = Desk::new();
    assert_eq!(code(&desk.init()), 0);
    fs::set_permissions(desk.path("session"), fs::Permissions::from_mode(0o644)).unwrap();
    let refused = desk.personalise("http://127.0.0.1:9");
    assert_eq!(code(&refused), 1);
    assert!(printed(&refused).contains("chmod 600"));
}

#[test]
fn help_has_examples_and_no_option_takes_a_pin() {
    let desk = Desk::new();
    for arguments in [
        &["--help"][..],
        &["personalise", "--help"],
        &["token", "init", "--help"],
    ] {
        let help = desk.agent(arguments);
        assert_eq!(code(&help), 0);
        assert!(printed(&help).contains("Example"));
        assert!(!printed(&help).contains("--pin "));
    }
    assert!(!Path::new("token").exists());
}
