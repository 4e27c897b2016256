//! The program itself: exit codes, JSON, and nothing secret in what it prints.
use std::{
    fs,
    path::PathBuf,
    process::{Command, Output, Stdio},
};

use serde_json::{Value, json};

use crate::{
    platform::{FakePlatform, ORDER_NUMBER, SESSION},
    soft_token::{self, SoftToken},
};

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
        let library = soft_token::library_file();
        desk.private_file(
            "softskf.toml",
            &format!("name = 'software token'\nlibrary = '{}'\n", library.display()),
        );
        desk
    }

    /// Plugs a blank token in.
    fn plug(&self) -> SoftToken {
        SoftToken::made_in(&self.path("plugged"), "Blank", USER_PIN, ADMIN_PIN)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn private_file(&self, name: &str, text: &str) {
        yinxin_keep::private_file::replace(&self.path(name), text.as_bytes()).unwrap();
    }

    fn agent(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_yinxin-agent"))
            .args(arguments)
            .current_dir(self.directory.path())
            .env("YINXIN_SOFTSKF_DIR", self.path("plugged"))
            .env("YINXIN_TOKEN_PROFILES", "softskf.toml")
            .env_remove("YINXIN_AGENT_CONFIGURATION")
            .env_remove("YINXIN_TOKEN")
            .env_remove("YINXIN_API")
            .stdin(Stdio::null())
            .output()
            .unwrap()
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
fn a_token_is_personalised_shown_and_checked_without_printing_a_secret() {
    let desk = Desk::new();
    let platform = FakePlatform::start();
    let token = desk.plug();
    let blank = desk.agent(&["token", "list", "--json"]);
    assert_eq!(result(&blank)["tokens"][0]["serial"], token.serial.as_str());
    assert_eq!(result(&blank)["tokens"][0]["personalised"], false);
    let personalised = desk.personalise(&platform.url());
    assert_eq!(result(&personalised)["order"]["number"], ORDER_NUMBER);
    assert_eq!(result(&personalised)["token_serial"], token.serial.as_str());
    let again = desk.personalise(&platform.url());
    assert_eq!(result(&again), result(&personalised));
    let shown = desk.agent(&["token", "show", "--json"]);
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
    let text = desk.agent(&["token", "show"]);
    assert!(printed(&text).contains("User PIN    6 of 6 tries left"));
    let listed = desk.agent(&["token", "list", "--json"]);
    assert_eq!(result(&listed)["tokens"][0]["personalised"], true);

    let password = platform.records().reports[0]["password"]
        .as_str()
        .unwrap()
        .to_owned();
    desk.private_file("password", &password);
    let checked = desk.agent(&["token", "check", "--pin-file", "password", "--json"]);
    assert_eq!(result(&checked)["keys_work"], true);
    let wrong = desk.agent(&["token", "check", "--pin-file", "pins"]);
    assert_eq!(code(&wrong), 1, "the operator's PIN is no longer the token's");
    for output in [
        &blank,
        &personalised,
        &again,
        &shown,
        &text,
        &listed,
        &checked,
        &wrong,
    ] {
        for secret in [USER_PIN, ADMIN_PIN, SESSION, &password] {
            assert!(!printed(output).contains(secret));
        }
    }
    assert!(!fs::read_to_string(token.file()).unwrap().contains(&password));
}

#[test]
fn exactly_one_token_is_worked_with() {
    let desk = Desk::new();
    let none = desk.agent(&["token", "show"]);
    assert_eq!(code(&none), 1);
    assert!(printed(&none).contains("no UKey is plugged in"));
    assert!(printed(&desk.agent(&["token", "list"])).contains("no UKey is plugged in"));
    let first = desk.plug();
    assert_eq!(
        result(&desk.agent(&["token", "show", "--json"]))["serial"],
        first.serial.as_str()
    );
    let second = desk.plug();
    let several = desk.personalise("http://127.0.0.1:9");
    assert_eq!(code(&several), 64);
    for told in ["2 UKeys", &first.serial, &second.serial] {
        assert!(printed(&several).contains(told), "{told}");
    }
    let chosen = desk.agent(&["token", "show", "--token", &second.serial, "--json"]);
    assert_eq!(result(&chosen)["serial"], second.serial.as_str());
    let absent = desk.agent(&["token", "show", "--token", "3A0000000017"]);
    assert_eq!(code(&absent), 1);
    assert!(printed(&absent).contains(&first.serial));
    let listed = result(&desk.agent(&["token", "list", "--json"]));
    assert_eq!(listed["tokens"].as_array().unwrap().len(), 2);
}

#[test]
fn a_library_that_cannot_be_loaded_hides_no_token_of_another() {
    let desk = Desk::new();
    let token = desk.plug();
    desk.private_file("gone.toml", "name = 'gone'\nlibrary = 'libgone.so'\n");
    desk.private_file("agent.toml", "token_libraries = ['gone.toml', 'softskf.toml']\n");
    let listed = Command::new(env!("CARGO_BIN_EXE_yinxin-agent"))
        .args(["token", "list", "--json", "--configuration", "agent.toml"])
        .current_dir(desk.directory.path())
        .env("YINXIN_SOFTSKF_DIR", desk.path("plugged"))
        .env_remove("YINXIN_TOKEN_PROFILES")
        .output()
        .unwrap();
    assert_eq!(result(&listed)["tokens"][0]["serial"], token.serial.as_str());
    assert_eq!(result(&listed)["tokens"][0]["library"], "software token");
    assert!(
        result(&listed)["problems"][0]
            .as_str()
            .unwrap()
            .contains("libgone.so")
    );
    // With no token of another it is told why there may be none.
    drop(token);
    let none = desk.agent(&[
        "token",
        "show",
        "--profile",
        "gone.toml",
        "--profile",
        "softskf.toml",
    ]);
    assert!(printed(&none).contains("libgone.so"));
}

#[test]
fn a_refusal_of_the_platform_ends_with_two() {
    let desk = Desk::new();
    let platform = FakePlatform::start();
    let _token = desk.plug();
    platform.records().refusal = Some((
        409,
        json!({ "type": "https://yinxin.example/problems/order-state", "title": "Wrong state",
                "detail": "the order waits for review", "status": 409 }),
    ));
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
    let _token = desk.plug();
    assert_eq!(code(&desk.agent(&["token", "burn"])), 64);
    assert_eq!(code(&desk.agent(&["personalise", "--order", "../x"])), 64);
    let unblock = || code(&desk.agent(&["token", "unblock", "--pin-file", "pins"]));
    for pins in ["12345\nvendor-admin\n", "operator1\noperator1\n", "operator1\n"] {
        desk.private_file("pins", pins);
        assert_eq!(unblock(), 64, "{pins:?}");
    }
    desk.private_file("pins", &format!("{USER_PIN}\n{ADMIN_PIN}\n"));
    assert_eq!(unblock(), 0);
    assert_eq!(code(&desk.personalise("http://api.example.com")), 64);
    assert_eq!(
        code(&desk.agent(&["token", "list", "--profile", "nowhere.toml"])),
        64
    );
}

#[test]
fn what_fails_ends_with_one() {
    let desk = Desk::new();
    let _token = desk.plug();
    desk.private_file("pins", "not-the-pin\nvendor-admin\n");
    let wrong = desk.personalise("http://127.0.0.1:9");
    assert_eq!(code(&wrong), 1);
    assert!(printed(&wrong).contains("the user PIN is wrong, 5 of 6 tries left"));
}

#[test]
fn a_locked_token_is_unblocked_with_the_admin_pin() {
    let desk = Desk::new();
    let _token = desk.plug();
    desk.private_file("wrong", "not-the-pin\n");
    for _ in 0..6 {
        assert_eq!(code(&desk.agent(&["token", "check", "--pin-file", "wrong"])), 1);
    }
    let locked = desk.agent(&["token", "check", "--pin-file", "pins"]);
    assert!(printed(&locked).contains("the user PIN is locked"));
    desk.private_file("pins", "new-user\nvendor-admin\n");
    let unblocked = desk.agent(&["token", "unblock", "--pin-file", "pins", "--json"]);
    assert_eq!(result(&unblocked)["user_pin_tries_left"], 6);
}

#[cfg(unix)]
#[test]
fn a_session_file_that_others_can_read_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let desk = Desk::new();
    let _token = desk.plug();
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
        &["token", "show", "--help"],
        &["token", "watch", "--help"],
        &["token", "change-pin", "--help"],
        &["sign", "--help"],
        &["decrypt", "--help"],
        &["login", "--help"],
        &["open", "--help"],
    ] {
        let help = desk.agent(arguments);
        assert_eq!(code(&help), 0);
        assert!(printed(&help).contains("Example"));
        assert!(!printed(&help).contains("--pin "));
    }
}
