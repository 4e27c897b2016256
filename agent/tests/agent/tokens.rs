//! What the agent relies on in a token, on the software token through its library.
use yinxin_agent::token::{PinKind, SkfToken, Token as _, TokenError, Usage, containers, vault::rng};
use yinxin_pki::{Certificate, EnvelopedKey, Name, SigningKey, symmetric::sm4_ecb_encrypt};

use crate::{
    authority::Authority,
    soft_token::{self, SoftToken, TRIES},
    world::{ADMIN_PIN, PIN, pin},
};

fn blank() -> (SoftToken, SkfToken) {
    let soft_token = SoftToken::new("空白 1", PIN, ADMIN_PIN);
    let token = soft_token.open();
    (soft_token, token)
}

#[test]
fn a_token_has_its_label_and_serial_number() {
    let (soft_token, token) = blank();
    assert_eq!(token.identity().label, "空白 1");
    assert_eq!(token.identity().serial, soft_token.serial);
}

#[test]
fn wrong_pins_lock_the_token_and_the_right_one_no_longer_opens_it() {
    let (_soft_token, mut token) = blank();
    for expected in (1..TRIES).rev() {
        let refused = token.login(&pin("654321"));
        assert!(
            matches!(refused, Err(TokenError::WrongPin { kind: PinKind::User, left, most: 6 }) if left == expected)
        );
        assert_eq!(token.tries_left().unwrap().user.left, expected);
    }
    // The last entry locks it: libraries call that wrong, or locked already.
    assert!(token.login(&pin("654321")).is_err());
    assert_eq!(token.tries_left().unwrap().user.left, 0);
    let refused = token.login(&pin(PIN));
    assert!(matches!(refused, Err(TokenError::PinLocked(PinKind::User))));
    assert!(matches!(
        token.generate_signing_key(),
        Err(TokenError::NotLoggedIn)
    ));
}

#[test]
fn the_admin_pin_unblocks_and_has_its_own_tries() {
    let (_soft_token, mut token) = blank();
    let refused = token.unblock(&pin("not-the-admin"), &pin("new-user"));
    assert!(matches!(
        refused,
        Err(TokenError::WrongPin {
            kind: PinKind::Admin,
            left: 5,
            ..
        })
    ));
    token.unblock(&pin(ADMIN_PIN), &pin("new-user")).unwrap();
    assert!(token.login(&pin(PIN)).is_err());
    token.login(&pin("new-user")).unwrap();
    assert_eq!(token.tries_left().unwrap().admin.left, 6);
}

#[test]
fn a_changed_pin_replaces_the_old_one() {
    let (_soft_token, mut token) = blank();
    assert!(matches!(
        token.set_user_pin(&pin("654321"), &pin("changed1")),
        Err(TokenError::WrongPin { left: 5, .. })
    ));
    token.set_user_pin(&pin(PIN), &pin("changed1")).unwrap();
    assert!(token.login(&pin(PIN)).is_err());
    token.login(&pin("changed1")).unwrap();
}

#[test]
fn both_key_pairs_work_and_are_not_written_over() {
    let (soft_token, mut token) = blank();
    token.login(&pin(PIN)).unwrap();
    assert_eq!(token.public_key(Usage::Signing).unwrap(), None);
    let signing = token.generate_signing_key().unwrap();
    assert!(matches!(
        token.generate_signing_key(),
        Err(TokenError::KeyExists(Usage::Signing))
    ));
    let encryption = SigningKey::generate(&mut rng());
    let envelope = EnvelopedKey::seal(&encryption, &signing, &mut rng());
    for _ in 0..2 {
        assert_eq!(
            token.import_enveloped_key(&envelope).unwrap(),
            *encryption.public_key()
        );
    }
    let other = EnvelopedKey::seal(&SigningKey::generate(&mut rng()), &signing, &mut rng());
    assert!(matches!(
        token.import_enveloped_key(&other),
        Err(TokenError::KeyExists(Usage::Encryption))
    ));
    drop(token);

    let mut token = soft_token.open();
    assert!(matches!(token.sign(b"message"), Err(TokenError::NotLoggedIn)));
    token.login(&pin(PIN)).unwrap();
    let signature = token.sign(b"message").unwrap();
    assert!(signing.verify(b"message", &signature).is_ok());
    let key = encryption.public_key();
    let ciphertext = key.encrypt(b"plain", &mut rng()).unwrap();
    assert_eq!(token.decrypt(&ciphertext).unwrap().as_slice(), b"plain");
    let session_key = key.encrypt(&[7; 16], &mut rng()).unwrap();
    let blocks = sm4_ecb_encrypt(&[7; 16], &[1; 32]).unwrap();
    let plaintext = token.decrypt_under(&session_key, &blocks).unwrap();
    assert_eq!(plaintext.as_slice(), [1; 32]);
    let stranger = SigningKey::generate(&mut rng());
    let ciphertext = stranger.public_key().encrypt(b"plain", &mut rng()).unwrap();
    assert!(matches!(token.decrypt(&ciphertext), Err(TokenError::Decryption)));
    assert!(matches!(token.decrypt(b"no DER"), Err(TokenError::Decryption)));
    token.logout();
    assert!(matches!(token.sign(b"message"), Err(TokenError::NotLoggedIn)));
}

#[test]
fn an_envelope_for_another_key_is_refused() {
    let (_soft_token, mut token) = blank();
    token.login(&pin(PIN)).unwrap();
    token.generate_signing_key().unwrap();
    let stranger = SigningKey::generate(&mut rng());
    let envelope = EnvelopedKey::seal(&stranger, stranger.public_key(), &mut rng());
    assert!(matches!(
        token.import_enveloped_key(&envelope),
        Err(TokenError::Envelope(_))
    ));
    assert_eq!(token.public_key(Usage::Encryption).unwrap(), None);
}

#[test]
fn a_certificate_is_kept_for_the_tokens_own_key_only() {
    let (_soft_token, mut token) = blank();
    token.login(&pin(PIN)).unwrap();
    let key = token.generate_signing_key().unwrap();
    assert_eq!(token.certificate(Usage::Signing).unwrap(), None);
    let authority = Authority::new();
    let name = Name::unit("示例建筑有限公司", None).unwrap();
    let stranger = SigningKey::generate(&mut rng());
    let others = authority.issue_for(&name, stranger.public_key()).signing;
    assert!(matches!(
        token.import_certificate(Usage::Signing, &others),
        Err(TokenError::CertificateMismatch(Usage::Signing))
    ));
    for _ in 0..2 {
        let certificate = authority.issue_for(&name, &key).signing;
        token.import_certificate(Usage::Signing, &certificate).unwrap();
        assert_eq!(token.certificate(Usage::Signing).unwrap(), Some(certificate));
    }
}

#[test]
fn a_record_grows_and_shrinks_and_leaves_nothing_of_the_one_before() {
    let (soft_token, mut token) = blank();
    assert!(matches!(
        token.write_record("journal", b"x"),
        Err(TokenError::NotLoggedIn)
    ));
    token.login(&pin(PIN)).unwrap();
    assert_eq!(token.record("journal").unwrap(), None);
    for length in [10_usize, 5000, 32 * 1024, 0, 900, 1100, 3] {
        let record = vec![0x5A; length];
        token.write_record("journal", &record).unwrap();
        assert_eq!(token.record("journal").unwrap(), Some(record));
    }
    assert!(matches!(
        token.write_record("journal", &vec![0; 32 * 1024 + 1]),
        Err(TokenError::RecordTooLong)
    ));
    token
        .write_record("journal", b"the sealed password of before")
        .unwrap();
    token.write_record("journal", b"done").unwrap();
    drop(token);
    assert_eq!(soft_token.open().record("journal").unwrap().unwrap(), b"done");
    // The library keeps files as base64, in groups of three bytes from the file's start.
    let file = std::fs::read_to_string(soft_token.file()).unwrap();
    assert!(!file.contains(&hidden(b"the sealed password of before")));
    let mut token = soft_token.open();
    token.login(&pin(PIN)).unwrap();
    token
        .write_record("journal", b"the sealed password of before")
        .unwrap();
    let file = std::fs::read_to_string(soft_token.file()).unwrap();
    assert!(
        file.contains(&hidden(b"the sealed password of before")),
        "the search finds it"
    );
}

/// How a record's bytes stand in the software token's file: behind a header of 44 bytes, so from its second byte on in
/// whole groups.
fn hidden(record: &[u8]) -> String {
    use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
    let whole = &record[1..];
    STANDARD_NO_PAD.encode(&whole[..whole.len() / 3 * 3])
}

/// A token with containers `first`, `second`, …, whose signing certificates are valid for these years; 0 means none.
fn with_containers(years: &[u8]) -> (SoftToken, Vec<Option<Certificate>>) {
    let (soft_token, mut token) = blank();
    token.login(&pin(PIN)).unwrap();
    let authority = Authority::new();
    let name = Name::unit("示例建筑有限公司", None).unwrap();
    let made = years.iter().zip(NAMES).map(|(&years, container)| {
        token.create_container(container).unwrap();
        if years == 0 {
            return None;
        }
        let key = token.generate_signing_key().unwrap();
        let other = SigningKey::generate(&mut rng());
        let [signing, _] = authority.renew(&name, &key, other.public_key(), years);
        token.import_certificate(Usage::Signing, &signing).unwrap();
        Some(signing)
    });
    let made = made.collect();
    drop(token);
    (soft_token, made)
}

const NAMES: [&str; 3] = ["first", "second", "third"];

#[test]
fn of_containers_that_others_made_the_one_whose_certificate_ends_last_is_current() {
    for (years, current) in [
        (&[0, 0][..], "first"),
        (&[0, 1], "second"),
        (&[1, 0, 0], "first"),
        (&[1, 3, 2], "second"),
        (&[2], "first"),
    ] {
        let (soft_token, made) = with_containers(years);
        let token = soft_token.open();
        assert_eq!(token.selected().as_deref(), Some(current), "{years:?}");
        let place = NAMES.iter().position(|name| *name == current).unwrap();
        assert_eq!(
            token.certificate(Usage::Signing).unwrap(),
            made[place],
            "{years:?}"
        );
        assert_eq!(token.containers().unwrap(), NAMES[..years.len()]);
    }
}

#[test]
fn the_record_says_which_container_is_current() {
    let (soft_token, _) = with_containers(&[1, 3, 2]);
    for name in NAMES {
        let mut token = soft_token.open();
        token.login(&pin(PIN)).unwrap();
        containers::switch(&mut token, name).unwrap();
        assert_eq!(soft_token.open().selected().as_deref(), Some(name));
    }
    let mut token = soft_token.open();
    token.login(&pin(PIN)).unwrap();
    // A container that somebody deleted is not missed.
    token.select("first").unwrap();
    token.delete_container("third").unwrap();
    assert_eq!(soft_token.open().selected().as_deref(), Some("second"));
    assert!(matches!(
        token.select("third"),
        Err(TokenError::NoContainer(name)) if name == "third"
    ));
    assert_eq!(token.selected().as_deref(), Some("first"));
}

#[test]
fn the_command_line_shows_every_container() {
    let (soft_token, made) = with_containers(&[1, 3, 0]);
    let directory = tempfile::tempdir().unwrap();
    let profile = directory.path().join("softskf.toml");
    let library = soft_token::library_file();
    std::fs::write(
        &profile,
        format!("name = 'softskf'\nlibrary = '{}'\n", library.display()),
    )
    .unwrap();
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_yinxin-agent"))
        .args([
            "token",
            "show",
            "--json",
            "--token",
            &soft_token.serial,
            "--profile",
        ])
        .arg(&profile)
        .output()
        .unwrap();
    let shown: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let pem = |place: usize| made[place].as_ref().unwrap().to_pem();
    assert_eq!(shown["signing_certificate"]["pem"], pem(1));
    let others = shown["other_containers"].as_array().unwrap();
    assert_eq!(others.len(), 2);
    assert_eq!(others[0]["container"], "first");
    assert_eq!(others[0]["signing_certificate"]["pem"], pem(0));
    assert_eq!(others[1]["signing_certificate"], serde_json::Value::Null);
    assert_eq!(others[1]["signing_key"], false);
}

#[test]
fn a_token_that_another_program_has_locked_is_busy() {
    let (soft_token, mut token) = blank();
    let mut second = soft_token.open();
    token.lock().unwrap();
    assert!(matches!(second.lock(), Err(TokenError::Busy(_))));
    drop(token);
    second.lock().unwrap();
}
