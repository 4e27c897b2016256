//! `sign`, `decrypt`, `login` and `token change-pin` as a program, with a personalised token; its signatures are judged by OpenSSL.
use std::{
    fs,
    path::PathBuf,
    process::{Command, Output, Stdio},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::Value;
use time::OffsetDateTime;
use yinxin_agent::{
    operations::login::{self, Expected},
    token::vault::rng,
};
use yinxin_pki::{Certificate, algorithm::SubjectKey, cms::Cms, cms_envelope, key::DEFAULT_ID, sm3};

use crate::{
    authority::{Authority, Parts},
    second_library::profile,
    service::bench::{PIN, personalised},
    soft_token::{SoftToken, library_file},
    world::ADMIN_PIN,
};

const CONTRACT: &str = "一份合同";
const SITE: &str = "https://site.example";
const NEW_PIN: &str = "another-1";

struct Desk {
    directory: tempfile::TempDir,
    parts: Parts,
    _token: SoftToken,
}

impl Desk {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let token = SoftToken::new("UKey", PIN, ADMIN_PIN);
        let parts = personalised(&mut token.open(), &Authority::new());
        let token = token.moved_to(&directory.path().join("plugged"));
        profile(directory.path(), "softskf", &library_file());
        let desk = Self {
            directory,
            parts,
            _token: token,
        };
        desk.file("pin", PIN.as_bytes());
        desk.file("contract", CONTRACT.as_bytes());
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn file(&self, name: &str, bytes: &[u8]) {
        yinxin_keep::private_file::replace(&self.path(name), bytes).unwrap();
    }

    fn agent(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_yinxin-agent"))
            .args(arguments)
            .current_dir(self.directory.path())
            .env("YINXIN_SOFTSKF_DIR", self.path("plugged"))
            .env("YINXIN_TOKEN_PROFILES", "softskf.toml")
            .env_remove("YINXIN_TOKEN")
            .env_remove("YINXIN_AGENT_STATE")
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    /// The JSON of a command that succeeds with the right PIN.
    fn value(&self, arguments: &[&str]) -> Value {
        let output = self.agent(&[arguments, &["--pin-file", "pin", "--json"]].concat());
        assert_eq!(
            output.status.code(),
            Some(0),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        serde_json::from_slice(&output.stdout).unwrap()
    }

    fn code(&self, arguments: &[&str]) -> i32 {
        let output = self.agent(&[arguments, &["--pin-file", "pin"]].concat());
        output.status.code().unwrap()
    }

    /// Whether OpenSSL accepts a signature in a file, over a message in a file.
    fn openssl_verifies(&self, message: &str, signature: &str) -> bool {
        let key = self.parts.signing.public_key().unwrap().to_spki_der();
        self.file("key.der", &key);
        #[rustfmt::skip]
        let arguments = [
            "pkeyutl", "-verify", "-rawin", "-digest", "sm3", "-pubin", "-keyform", "DER", "-inkey", "key.der",
            "-pkeyopt", "distid:1234567812345678", "-in", message, "-sigfile", signature,
        ];
        let openssl = Command::new("openssl")
            .args(arguments)
            .current_dir(self.directory.path())
            .output()
            .expect("OpenSSL is installed");
        openssl.status.success()
    }
}

fn bytes(value: &Value) -> Vec<u8> {
    STANDARD.decode(value.as_str().unwrap()).unwrap()
}

#[test]
fn a_signed_file_is_verified_by_openssl() {
    let desk = Desk::new();
    let written = desk.agent(&[
        "sign",
        "contract",
        "--format",
        "raw",
        "--output",
        "signature",
        "--pin-file",
        "pin",
    ]);
    assert_eq!(written.status.code(), Some(0));
    desk.file("changed", "一份合伙".as_bytes());
    assert!(desk.openssl_verifies("contract", "signature"));
    assert!(!desk.openssl_verifies("changed", "signature"));
    let signed = desk.value(&["sign", "contract", "--format", "raw"]);
    desk.file("second", &bytes(&signed["signature"]));
    assert!(desk.openssl_verifies("contract", "second"));
    assert_eq!(bytes(&signed["certificate"]), desk.parts.signing.as_der());
    // Of a digest, the digest is the message.
    let digest = sm3(CONTRACT.as_bytes());
    let signed = desk.value(&["sign", "--digest", &hex::encode(digest), "--format", "raw"]);
    desk.file("digest", &digest);
    desk.file("third", &bytes(&signed["signature"]));
    assert!(desk.openssl_verifies("digest", "third"));
}

#[test]
fn signed_messages_have_their_content_or_not() {
    let desk = Desk::new();
    let key = SubjectKey::Sm2(desk.parts.signing.public_key().unwrap().clone());
    let digest = hex::encode(sm3(CONTRACT.as_bytes()));
    for (arguments, attached) in [
        (&["sign", "contract", "--format", "cms-attached"][..], true),
        (&["sign", "contract", "--format", "cms-detached"], false),
        (&["sign", "--digest", &digest, "--format", "cms-detached"], false),
    ] {
        let signed = desk.value(arguments);
        let Ok(Cms::Signed(message)) = Cms::from_der(&bytes(&signed["cms"])) else {
            panic!("no signed message");
        };
        assert_eq!(message.content.is_some(), attached);
        let verify = |content: &[u8]| message.signers[0].verify(content, &key, DEFAULT_ID);
        assert_eq!(verify(CONTRACT.as_bytes()), Ok(()));
        assert!(verify(b"another contract").is_err());
    }
}

#[test]
fn both_forms_of_ciphertext_are_decrypted() {
    let desk = Desk::new();
    let encryption = &desk.parts.encryption;
    let sm2 = encryption
        .public_key()
        .unwrap()
        .encrypt(b"secret", &mut rng())
        .unwrap();
    desk.file("sm2", &sm2);
    desk.file(
        "cms",
        &cms_envelope::seal(b"secret", encryption, &mut rng()).unwrap(),
    );
    for format in ["sm2", "cms"] {
        let opened = desk.value(&["decrypt", format, "--format", format]);
        assert_eq!(bytes(&opened["plaintext"]), b"secret");
        assert_eq!(
            desk.code(&["decrypt", format, "--format", format, "--output", "plain"]),
            0
        );
        assert_eq!(fs::read(desk.path("plain")).unwrap(), b"secret");
    }
    // For another token; and what is no ciphertext.
    let stranger =
        Authority::new().issue_for(encryption.subject(), desk.parts.encryption.public_key().unwrap());
    desk.file(
        "other",
        &cms_envelope::seal(b"secret", &stranger.encryption, &mut rng()).unwrap(),
    );
    assert_eq!(desk.code(&["decrypt", "other", "--format", "cms"]), 1);
    assert_eq!(desk.code(&["decrypt", "contract", "--format", "cms"]), 64);
}

#[test]
fn a_server_believes_a_login_from_the_command_line() {
    let desk = Desk::new();
    let nonce = [7; 32];
    let answer = desk.value(&[
        "login",
        "--origin",
        SITE,
        "--audience",
        "bidding",
        "--nonce",
        &STANDARD.encode(nonce),
    ]);
    let certificate = Certificate::from_der(&bytes(&answer["certificate"])).unwrap();
    let expected = |origin| Expected {
        origin,
        audience: "bidding",
        nonce: &nonce,
        issuers: &desk.parts.chain,
        now: OffsetDateTime::now_utc(),
    };
    let verify = |origin| {
        login::verify(
            &bytes(&answer["statement"]),
            &bytes(&answer["signature"]),
            &certificate,
            &expected(origin),
        )
        .map(|_| ())
    };
    assert_eq!(verify(SITE), Ok(()));
    assert!(verify("https://other.example").is_err());
}

#[test]
fn the_user_pin_is_changed() {
    let desk = Desk::new();
    desk.file("new", NEW_PIN.as_bytes());
    let change = &["token", "change-pin", "--new-pin-file", "new"];
    assert_eq!(desk.value(change)["changed"], true);
    // The old PIN no longer does, and that costs a try.
    assert_eq!(desk.code(change), 1);
    assert_eq!(desk.code(&["token", "check"]), 1);
    desk.file("pin", NEW_PIN.as_bytes());
    assert_eq!(desk.code(&["token", "check"]), 0);
    assert_eq!(desk.code(change), 64, "the new PIN is the old one");
}

#[test]
fn wrong_use_of_the_keys_ends_with_64_and_a_wrong_pin_with_1() {
    let desk = Desk::new();
    let ticket = "YINXIN-TICKET-1\n{}";
    desk.file("ticket", ticket.as_bytes());
    desk.file("empty", b"");
    let nonce = STANDARD.encode([7; 32]);
    for arguments in [
        &["sign", "ticket", "--format", "raw"][..],
        &["sign", "empty", "--format", "raw"],
        &["sign", "missing", "--format", "raw"],
        &["sign", "contract"],
        &["sign", "--format", "raw"],
        &["sign", "--digest", "00", "--format", "raw"],
        &["sign", "--digest", &"00".repeat(32), "--format", "cms-attached"],
        &[
            "login",
            "--origin",
            "site.example",
            "--audience",
            "bidding",
            "--nonce",
            &nonce,
        ],
        &[
            "login",
            "--origin",
            SITE,
            "--audience",
            "bidding",
            "--nonce",
            "AA==",
        ],
    ] {
        assert_eq!(desk.code(arguments), 64, "{arguments:?}");
    }
    desk.file("pin", b"not-the-pin");
    let wrong = desk.agent(&[
        "sign",
        "contract",
        "--format",
        "raw",
        "--pin-file",
        "pin",
        "--json",
    ]);
    assert_eq!(wrong.status.code(), Some(1));
    assert!(wrong.stdout.is_empty());
    let error: Value = serde_json::from_slice(&wrong.stderr).unwrap();
    assert_eq!(
        error["error"]["message"],
        "the user PIN is wrong, 5 of 6 tries left"
    );
}

#[test]
fn without_a_terminal_and_a_file_there_is_no_pin() {
    let desk = Desk::new();
    let asked = desk.agent(&["sign", "contract", "--format", "raw"]);
    assert_eq!(asked.status.code(), Some(64));
    assert!(String::from_utf8_lossy(&asked.stderr).contains("--pin-file"));
}

#[test]
fn without_a_service_open_says_so_and_leaves_no_request() {
    let desk = Desk::new();
    let opened = desk.agent(&["open", "--state", "state"]);
    assert_eq!(opened.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&opened.stderr).contains("no agent is running"));
    assert_eq!(fs::read_dir(desk.path("state")).unwrap().count(), 0);
}
