//! A device for a test, made with PINs that are worth nothing.
#![allow(dead_code, reason = "each test binary uses a part")]
#![allow(clippy::unwrap_used, reason = "a failed set-up fails the test")]
use std::{path::Path, process::Command};

use tempfile::TempDir;
use yinxin_pki::Zeroizing;
use yinxin_softskf::{
    Cost, Handle, Library, NewApplication, NewDevice, Pin, PinKind, Sar, Settings, make_device,
};

pub const SERIAL: &str = "SOFT0001";
pub const LABEL: &str = "Test token";
pub const APPLICATION: &str = "Yinxin";
pub const CONTAINER: &str = "first";
/// Test PINs.
pub const USER_PIN: &str = "123456";
pub const ADMIN_PIN: &str = "admin-pin-1";
/// A test key.
pub const AUTH_KEY: [u8; 16] = *b"1234567812345678";
/// `SECURE_USER_ACCOUNT`.
pub const USER: u32 = 0x10;
/// `SGD_SM2_1`.
pub const SM2_1: u32 = 0x0002_0200;
pub const TRIES: u32 = 6;

pub fn pin(text: &str) -> Pin {
    Pin::new(Zeroizing::new(text.to_owned())).unwrap()
}

/// A directory with one device, whose PINs are cheap to try.
pub fn device() -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    make(directory.path(), SERIAL);
    directory
}

pub fn make(directory: &Path, serial: &str) {
    let new = NewDevice {
        label: LABEL,
        serial: Some(serial),
        auth_key: Some(AUTH_KEY),
        cost: Cost::new(10).unwrap(),
        application: Some(NewApplication {
            name: APPLICATION,
            admin_pin: &pin(ADMIN_PIN),
            admin_tries: TRIES,
            user_pin: &pin(USER_PIN),
            user_tries: TRIES,
            create_rights: USER,
        }),
    };
    assert_eq!(
        make_device(&Settings::new(directory), &new).as_deref(),
        Ok(serial)
    );
}

/// A library and what it has open.
pub struct Open {
    pub library: Library,
    pub device: Handle,
    pub application: Handle,
}

impl Open {
    pub fn new(directory: &Path) -> Self {
        Self::with(Settings::new(directory))
    }

    pub fn with(settings: Settings) -> Self {
        let library = Library::new(settings);
        let device = library.connect(SERIAL).unwrap();
        let application = library.open_application(device, APPLICATION).unwrap();
        Self {
            library,
            device,
            application,
        }
    }

    pub fn verify(&self, text: &str) -> (Result<(), Sar>, u32) {
        let mut left = u32::MAX;
        let answer = self
            .library
            .verify_pin(self.application, PinKind::User, &pin(text), &mut left);
        (answer, left)
    }

    pub fn log_in(&self) {
        assert_eq!(self.verify(USER_PIN), (Ok(()), TRIES));
    }

    /// A container with a signing key, logged in.
    pub fn container(&self) -> Handle {
        self.log_in();
        let container = self
            .library
            .create_container(self.application, CONTAINER)
            .unwrap();
        self.library.generate_key_pair(container, SM2_1).unwrap();
        container
    }
}

/// Whether tests with OpenSSL are to be skipped.
pub fn openssl_is_missing() -> bool {
    let missing = Command::new("openssl").arg("version").output().is_err();
    assert!(
        !missing || std::env::var_os("REQUIRE_OPENSSL").is_none(),
        "openssl is not installed"
    );
    missing
}

/// Runs openssl in a directory; its standard output, or what it complained about.
pub fn openssl(directory: &Path, arguments: &[&str]) -> Result<Vec<u8>, String> {
    let output = Command::new("openssl")
        .args(arguments)
        .current_dir(directory)
        .output()
        .unwrap();
    if output.status.success() {
        Ok(output.stdout)
    } else {
        Err(String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
    }
}

/// Whether OpenSSL accepts a DER signature over a message, with the usual identity.
pub fn openssl_verifies(spki_der: &[u8], message: &[u8], signature_der: &[u8]) -> bool {
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| std::fs::write(directory.path().join(name), bytes).unwrap();
    write("key.der", spki_der);
    write("message", message);
    write("signature", signature_der);
    #[rustfmt::skip]
    let arguments = [
        "pkeyutl", "-verify", "-rawin", "-digest", "sm3", "-pubin", "-keyform", "DER", "-inkey", "key.der",
        "-pkeyopt", "distid:1234567812345678", "-in", "message", "-sigfile", "signature",
    ];
    openssl(directory.path(), &arguments).is_ok()
}
