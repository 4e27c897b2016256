//! The program that makes devices.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a failed set-up fails the test")]
mod common;

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{Command, Output},
};

use common::*;
use yinxin_softskf::{Library, PinKind, Settings};

fn init(directory: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_softskf-init"))
        .args(["--pin-file", "pins", "--scrypt-log-n", "10"])
        .args(arguments)
        .current_dir(directory)
        .env("YINXIN_SOFTSKF_DIR", directory.join("tokens"))
        .output()
        .unwrap()
}

fn work() -> tempfile::TempDir {
    let work = tempfile::tempdir().unwrap();
    let pins = work.path().join("pins");
    fs::write(&pins, format!("{USER_PIN}\n{ADMIN_PIN}\n")).unwrap();
    fs::set_permissions(&pins, fs::Permissions::from_mode(0o600)).unwrap();
    work
}

#[test]
fn a_device_that_was_made_opens_with_its_pins_and_is_private() {
    let work = work();
    let output = init(work.path(), &["--label", "Blank 17"]);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let serial = String::from_utf8(output.stdout).unwrap();
    let serial = serial.trim_end();
    let tokens = work.path().join("tokens");
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(
        (mode(&tokens), mode(&tokens.join(format!("{serial}.softskf")))),
        (0o700, 0o600)
    );

    let library = Library::new(Settings::new(&tokens));
    assert_eq!(library.devices(true).unwrap(), [serial]);
    let device = library.connect(serial).unwrap();
    assert_eq!(library.device_info(device).unwrap().label, "Blank 17");
    let application = library.open_application(device, "Yinxin").unwrap();
    let mut left = 0;
    assert_eq!(
        library.verify_pin(application, PinKind::User, &pin(USER_PIN), &mut left),
        Ok(())
    );
    assert_eq!(
        library.verify_pin(application, PinKind::Admin, &pin(ADMIN_PIN), &mut left),
        Ok(())
    );
    let text = fs::read_to_string(tokens.join(format!("{serial}.softskf"))).unwrap();
    assert!(!text.contains(USER_PIN) && !text.contains(ADMIN_PIN));
}

#[test]
fn a_second_device_of_the_same_serial_is_refused_and_the_first_stands() {
    let work = work();
    let arguments = ["--label", "One", "--serial", "TEST-1"];
    assert!(init(work.path(), &arguments).status.success());
    let path = work.path().join("tokens/TEST-1.softskf");
    let before = fs::read(&path).unwrap();
    let again = init(work.path(), &arguments);
    assert_eq!(again.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&again.stderr).contains("there already"));
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[test]
fn wrong_use_makes_nothing() {
    let work = work();
    for arguments in [
        &["--label", ""][..],
        &["--label", "x", "--serial", "../x"],
        &["--label", "x", "--tries", "16"],
        &["--label", "x", "--scrypt-log-n", "9"],
        &[],
    ] {
        assert_eq!(
            init(work.path(), arguments).status.code(),
            Some(64),
            "{arguments:?}"
        );
    }
    fs::set_permissions(work.path().join("pins"), fs::Permissions::from_mode(0o644)).unwrap();
    assert_eq!(init(work.path(), &["--label", "x"]).status.code(), Some(1));
    assert!(!work.path().join("tokens").exists());
}
