//! `token watch` as a process, over two vendors' libraries.
use std::{
    fs,
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use serde_json::{Value, json};

use crate::{
    second_library::{Waits, profile, second_library},
    soft_token::{SoftToken, library_file},
    world::{ADMIN_PIN, PIN},
};

/// Nothing that happens takes longer to be told.
const PATIENCE: Duration = Duration::from_mins(1);
/// Longer than any library takes to tell of what has happened.
const QUIET: Duration = Duration::from_secs(2);

struct Watcher {
    child: Child,
    lines: mpsc::Receiver<String>,
}

impl Watcher {
    fn start(directory: &Path, arguments: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_yinxin-agent"))
            .args(["token", "watch", "--json"])
            .args(arguments)
            .current_dir(directory)
            .env("YINXIN_SOFTSKF_DIR", directory.join("first"))
            .env_remove("YINXIN_TOKEN_PROFILES")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let (told, lines) = mpsc::channel();
        thread::spawn(move || {
            for line in output.lines() {
                told.send(line.unwrap()).unwrap_or_default();
            }
        });
        let watcher = Self { child, lines };
        assert_eq!(watcher.next(), json!({ "event": "watching" }));
        watcher
    }

    fn next(&self) -> Value {
        serde_json::from_str(&self.lines.recv_timeout(PATIENCE).unwrap()).unwrap()
    }

    fn assert_next(&self, event: &str, token: &SoftToken, library: &str) {
        let told = self.next();
        let fields = ["event", "serial", "label", "library"].map(|field| told[field].as_str().unwrap());
        assert_eq!(fields, [event, &token.serial, "UKey", library]);
    }

    fn assert_quiet(&self) {
        let told = self.lines.recv_timeout(QUIET);
        assert_eq!(told, Err(mpsc::RecvTimeoutError::Timeout));
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn plug(directory: &Path, library: &str) -> SoftToken {
    SoftToken::made_in(&directory.join(library), "UKey", PIN, ADMIN_PIN)
}

/// Comings and goings in two libraries, of which the second waits or does not.
fn comes_and_goes(waits: Waits) {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path();
    profile(place, "first", &library_file());
    second_library(place, waits);
    let there_before = plug(place, "second");
    let profiles = ["--profile", "first.toml", "--profile", "second.toml"];
    let watcher = Watcher::start(place, &profiles);
    for library in ["first", "second", "first"] {
        let token = plug(place, library);
        watcher.assert_next("plugged-in", &token, library);
        // Taken out and put back, with the name that it had.
        let away = token.file().with_extension("away");
        fs::rename(token.file(), &away).unwrap();
        watcher.assert_next("pulled-out", &token, library);
        fs::rename(&away, token.file()).unwrap();
        watcher.assert_next("plugged-in", &token, library);
        fs::remove_file(token.file()).unwrap();
        watcher.assert_next("pulled-out", &token, library);
    }
    fs::remove_file(there_before.file()).unwrap();
    watcher.assert_next("pulled-out", &there_before, "second");
}

#[test]
fn ukeys_of_two_libraries_that_come_and_go_are_told_of() {
    comes_and_goes(Waits::Yes);
}

#[test]
fn a_library_that_cannot_wait_is_asked_again_and_again() {
    comes_and_goes(Waits::No);
}

#[test]
fn a_library_that_must_not_wait_is_never_let_wait() {
    comes_and_goes(Waits::Never);
}

#[test]
fn a_ukey_that_two_libraries_know_comes_and_goes_once() {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path();
    profile(place, "first", &library_file());
    fs::copy(library_file(), place.join("libother.so")).unwrap();
    profile(place, "other", &place.join("libother.so"));
    let watcher = Watcher::start(place, &["--profile", "first.toml", "--profile", "other.toml"]);
    let token = plug(place, "first");
    assert_eq!(watcher.next()["event"], "plugged-in");
    watcher.assert_quiet();
    fs::remove_file(token.file()).unwrap();
    let told = watcher.next();
    assert_eq!(
        (told["event"].as_str(), told["serial"].as_str()),
        (Some("pulled-out"), Some(token.serial.as_str()))
    );
    watcher.assert_quiet();
}

#[test]
fn with_once_the_first_one_is_the_last() {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path();
    profile(place, "first", &library_file());
    let mut watcher = Watcher::start(place, &["--profile", "first.toml", "--once"]);
    let token = plug(place, "first");
    watcher.assert_next("plugged-in", &token, "first");
    assert_eq!(watcher.child.wait().unwrap().code(), Some(0));
    assert_eq!(
        watcher.lines.recv_timeout(PATIENCE),
        Err(mpsc::RecvTimeoutError::Disconnected)
    );
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_the_watch() {
    let directory = tempfile::tempdir().unwrap();
    profile(directory.path(), "first", &library_file());
    let mut watcher = Watcher::start(directory.path(), &["--profile", "first.toml"]);
    let sent = Command::new("kill")
        .args(["-INT", &watcher.child.id().to_string()])
        .status()
        .unwrap();
    assert!(sent.success());
    assert_eq!(watcher.child.wait().unwrap().code(), Some(0));
}
