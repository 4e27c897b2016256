//! Tests of the file token: what its counters, its file and its keys stand.
use std::fs;

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};

use super::*;

const COST: u8 = 10;

fn pin(text: &str) -> Pin {
    Pin::new(Zeroizing::new(text.to_owned())).unwrap()
}

fn made() -> (tempfile::TempDir, FileToken) {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path().join("token");
    let token = FileToken::create(
        &place,
        "Test",
        &pin("123456"),
        &pin("administrator"),
        Cost::new(COST).unwrap(),
    )
    .unwrap();
    (directory, token)
}

fn reopened(directory: &tempfile::TempDir, token: FileToken) -> FileToken {
    drop(token);
    FileToken::open(&directory.path().join("token")).unwrap()
}

fn user_tries(token: &FileToken) -> u8 {
    token.tries_left().unwrap().user.left
}

#[test]
fn six_wrong_pins_lock_the_token_and_the_right_one_no_longer_opens_it() {
    let (directory, mut token) = made();
    for left in (0..PIN_TRIES).rev() {
        let refused = token.login(&pin("654321"));
        assert!(
            matches!(refused, Err(TokenError::WrongPin { kind: PinKind::User, left: l, .. }) if l == left)
        );
        token = reopened(&directory, token);
    }
    assert!(matches!(
        token.login(&pin("123456")),
        Err(TokenError::PinLocked(PinKind::User))
    ));
    assert!(matches!(
        token.generate_signing_key(),
        Err(TokenError::NotLoggedIn)
    ));
}

#[test]
fn a_right_pin_gives_all_tries_back() {
    let (directory, mut token) = made();
    assert!(token.login(&pin("654321")).is_err());
    assert_eq!(user_tries(&token), 5);
    token.login(&pin("123456")).unwrap();
    assert_eq!(user_tries(&reopened(&directory, token)), PIN_TRIES);
}

#[test]
fn a_crash_between_the_count_and_the_check_costs_the_try() {
    let (directory, mut token) = made();
    for left in (0..PIN_TRIES).rev() {
        assert_eq!(token.spend_try(PinKind::User).unwrap(), left);
        token = reopened(&directory, token);
        assert_eq!(user_tries(&token), left);
    }
    assert!(matches!(
        token.login(&pin("123456")),
        Err(TokenError::PinLocked(PinKind::User))
    ));
}

#[cfg(unix)]
#[test]
fn a_pin_is_not_tried_when_its_try_cannot_be_written_down() {
    let (directory, mut token) = made();
    // A directory in the place of the new file stops the write, for root too.
    fs::create_dir(directory.path().join("token/token.json.new")).unwrap();
    assert!(matches!(
        token.login(&pin("123456")),
        Err(TokenError::Unwritable { .. })
    ));
    assert!(matches!(token.sign(b"message"), Err(TokenError::NotLoggedIn)));
}

#[test]
fn the_admin_pin_unblocks_and_the_keys_stay() {
    let (directory, mut token) = made();
    token.login(&pin("123456")).unwrap();
    let key = token.generate_signing_key().unwrap();
    for _ in 0..PIN_TRIES {
        assert!(token.login(&pin("654321")).is_err());
    }
    token.unblock(&pin("administrator"), &pin("new-pin")).unwrap();
    let mut token = reopened(&directory, token);
    assert!(matches!(
        token.login(&pin("123456")),
        Err(TokenError::WrongPin { left: 5, .. })
    ));
    token.login(&pin("new-pin")).unwrap();
    let signature = token.sign(b"message").unwrap();
    assert!(key.verify(b"message", &signature).is_ok());
}

#[test]
fn the_admin_pin_has_its_own_six_tries() {
    let (_directory, mut token) = made();
    for _ in 0..PIN_TRIES {
        let refused = token.unblock(&pin("wrong-admin"), &pin("new-pin"));
        assert!(matches!(
            refused,
            Err(TokenError::WrongPin {
                kind: PinKind::Admin,
                ..
            })
        ));
    }
    let refused = token.unblock(&pin("administrator"), &pin("new-pin"));
    assert!(matches!(refused, Err(TokenError::PinLocked(PinKind::Admin))));
    token.login(&pin("123456")).unwrap();
}

#[test]
fn a_changed_pin_replaces_the_old_one() {
    let (directory, mut token) = made();
    assert!(token.set_user_pin(&pin("654321"), &pin("changed")).is_err());
    token.set_user_pin(&pin("123456"), &pin("changed")).unwrap();
    let mut token = reopened(&directory, token);
    assert!(token.login(&pin("123456")).is_err());
    token.login(&pin("changed")).unwrap();
}

#[test]
fn both_key_pairs_work_after_reopening() {
    let (directory, mut token) = made();
    token.login(&pin("123456")).unwrap();
    let signing = token.generate_signing_key().unwrap();
    let encryption = SigningKey::generate(&mut rng());
    let envelope = EnvelopedKey::seal(&encryption, &signing, &mut rng());
    token.import_enveloped_key(&envelope).unwrap();
    token.import_enveloped_key(&envelope).unwrap();
    let mut token = reopened(&directory, token);
    assert!(matches!(token.sign(b"message"), Err(TokenError::NotLoggedIn)));
    token.login(&pin("123456")).unwrap();
    assert_eq!(
        token.public_key(Usage::Encryption).unwrap().as_ref(),
        Some(encryption.public_key())
    );
    assert!(
        signing
            .verify(b"message", &token.sign(b"message").unwrap())
            .is_ok()
    );
    let ciphertext = encryption.public_key().encrypt(b"plain", &mut rng()).unwrap();
    assert_eq!(token.decrypt(&ciphertext).unwrap().as_slice(), b"plain");
}

#[test]
fn keys_are_not_written_over() {
    let (_directory, mut token) = made();
    token.login(&pin("123456")).unwrap();
    let signing = token.generate_signing_key().unwrap();
    assert!(matches!(
        token.generate_signing_key(),
        Err(TokenError::KeyExists(Usage::Signing))
    ));
    let sealed = || EnvelopedKey::seal(&SigningKey::generate(&mut rng()), &signing, &mut rng());
    token.import_enveloped_key(&sealed()).unwrap();
    let refused = token.import_enveloped_key(&sealed());
    assert!(matches!(refused, Err(TokenError::KeyExists(Usage::Encryption))));
}

#[test]
fn an_envelope_for_another_key_is_refused() {
    let (_directory, mut token) = made();
    token.login(&pin("123456")).unwrap();
    token.generate_signing_key().unwrap();
    let other = SigningKey::generate(&mut rng());
    let envelope = EnvelopedKey::seal(&SigningKey::generate(&mut rng()), other.public_key(), &mut rng());
    assert!(matches!(
        token.import_enveloped_key(&envelope),
        Err(TokenError::Envelope(_))
    ));
    assert_eq!(token.public_key(Usage::Encryption).unwrap(), None);
}

#[test]
fn an_exchanged_public_key_is_noticed() {
    let (directory, mut token) = made();
    token.login(&pin("123456")).unwrap();
    let key = token.generate_signing_key().unwrap();
    drop(token);
    let path = directory.path().join("token").join(FILE);
    let other = SigningKey::generate(&mut rng());
    let text = fs::read_to_string(&path).unwrap().replace(
        &hex::encode(key.to_sec1()),
        &hex::encode(other.public_key().to_sec1()),
    );
    fs::write(&path, text).unwrap();
    let mut token = FileToken::open(&directory.path().join("token")).unwrap();
    token.login(&pin("123456")).unwrap();
    assert!(matches!(token.sign(b"message"), Err(TokenError::Corrupt { .. })));
}

#[test]
fn a_damaged_file_is_refused_without_showing_what_is_in_it() {
    let (directory, token) = made();
    drop(token);
    let place = directory.path().join("token");
    let whole = fs::read_to_string(place.join(FILE)).unwrap();
    let half = whole[..whole.len() / 2].to_owned();
    for damaged in [
        String::new(),
        half,
        "[]".to_owned(),
        whole.replace("token/1", "token/2"),
        whole.replace("\"tries_left\": 6", "\"tries_left\": 200"),
        whole.replace("\"scrypt_log_n\": 10", "\"scrypt_log_n\": 40"),
        whole.replace("\"serial\": \"", "\"serial\": \"../"),
    ] {
        fs::write(place.join(FILE), damaged).unwrap();
        let Err(error) = FileToken::open(&place) else {
            panic!("a damaged token was opened")
        };
        assert!(matches!(error, TokenError::Corrupt { .. }), "{error:?}");
        assert!(!error.to_string().contains("storage_key"));
    }
    fs::write(place.join(FILE), whole).unwrap();
    assert!(FileToken::open(&place).is_ok());
}

#[cfg(unix)]
#[test]
fn a_token_that_others_can_read_or_replace_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let (directory, token) = made();
    drop(token);
    let place = directory.path().join("token");
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&place), mode(&place.join(FILE))), (0o700, 0o600));
    fs::set_permissions(place.join(FILE), fs::Permissions::from_mode(0o644)).unwrap();
    let exposed = |result: Result<FileToken, TokenError>| {
        matches!(
            result,
            Err(TokenError::Unreadable(private_file::ReadError::Exposed { .. }))
        )
    };
    assert!(exposed(FileToken::open(&place)));
    fs::set_permissions(place.join(FILE), fs::Permissions::from_mode(0o600)).unwrap();
    fs::set_permissions(&place, fs::Permissions::from_mode(0o777)).unwrap();
    assert!(exposed(FileToken::open(&place)));
}

#[test]
fn one_program_at_a_time_works_with_a_token() {
    let (directory, token) = made();
    let place = directory.path().join("token");
    assert!(matches!(FileToken::open(&place), Err(TokenError::Busy(_))));
    drop(token);
    assert!(FileToken::open(&place).is_ok());
}

#[test]
fn a_token_is_not_made_over_another() {
    let (directory, token) = made();
    drop(token);
    let again = FileToken::create(
        &directory.path().join("token"),
        "Again",
        &pin("123456"),
        &pin("administrator"),
        Cost::new(COST).unwrap(),
    );
    assert!(matches!(again, Err(TokenError::AlreadyThere(_))));
}

#[test]
fn the_file_holds_no_secret_in_clear() {
    let (directory, mut token) = made();
    token.login(&pin("123456")).unwrap();
    token.generate_signing_key().unwrap();
    let scalar = token.private_key(Usage::Signing).unwrap().to_scalar();
    let storage_key = token.storage_key.clone().unwrap();
    let text = fs::read_to_string(directory.path().join("token").join(FILE)).unwrap();
    for secret in [scalar.as_slice(), storage_key.expose()] {
        assert!(!text.contains(&hex::encode(secret)));
        assert!(!text.contains(&STANDARD_NO_PAD.encode(secret)));
    }
    assert!(!text.contains("123456") && !text.contains("administrator"));
}
