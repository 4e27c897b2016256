//! PINs, applications and who may do what.
#![allow(clippy::unwrap_used, reason = "a failed set-up fails the test")]
mod common;

use common::*;
use yinxin_pki::symmetric::sm4_ecb_encrypt;
use yinxin_softskf::{FileInfo, NewApplication, Pin, PinInfo, PinKind, Sar, Usage};

fn tries(open: &Open, kind: PinKind) -> PinInfo {
    open.library.pin_info(open.application, kind).unwrap()
}

#[test]
fn six_wrong_pins_lock_the_token_also_for_the_right_one_and_for_other_processes() {
    let directory = device();
    let open = Open::new(directory.path());
    for left in (1..6).rev() {
        assert_eq!(open.verify("654321"), (Err(Sar::PinIncorrect), left));
        assert_eq!(tries(&open, PinKind::User).tries_left, left);
    }
    assert_eq!(open.verify("654321"), (Err(Sar::PinLocked), 0));
    assert_eq!(open.verify(USER_PIN), (Err(Sar::PinLocked), 0));
    let other = Open::new(directory.path());
    assert_eq!(other.verify(USER_PIN), (Err(Sar::PinLocked), 0));
    assert_eq!(tries(&other, PinKind::Admin).tries_left, TRIES);
}

#[test]
fn a_right_pin_gives_all_tries_back() {
    let directory = device();
    let open = Open::new(directory.path());
    assert_eq!(open.verify("654321"), (Err(Sar::PinIncorrect), 5));
    assert_eq!(open.verify(USER_PIN), (Ok(()), 6));
    assert_eq!(open.verify("654321"), (Err(Sar::PinIncorrect), 5));
}

#[test]
fn a_try_is_paid_before_it_is_made() {
    let directory = device();
    let open = Open::new(directory.path());
    // The disk refuses the write that pays for the try: nothing is learnt about any PIN.
    std::fs::create_dir(directory.path().join(format!("{SERIAL}.softskf.new"))).unwrap();
    assert_eq!(open.verify("654321").0, Err(Sar::WriteFile));
    assert_eq!(open.verify(USER_PIN).0, Err(Sar::WriteFile));
    assert_eq!(
        open.library.create_container(open.application, "x"),
        Err(Sar::NotLoggedIn)
    );
}

#[test]
fn a_wrong_pin_ends_the_login_that_was() {
    let directory = device();
    let open = Open::new(directory.path());
    let container = open.container();
    assert!(open.library.sign(container, &[1; 32]).is_ok());
    assert_eq!(open.verify("654321").0, Err(Sar::PinIncorrect));
    assert_eq!(open.library.sign(container, &[1; 32]), Err(Sar::NotLoggedIn));
}

#[test]
fn the_login_is_of_one_handle() {
    let directory = device();
    let open = Open::new(directory.path());
    open.container();
    let other = open.library.open_application(open.device, APPLICATION).unwrap();
    let container = open.library.open_container(other, CONTAINER).unwrap();
    assert_eq!(open.library.sign(container, &[1; 32]), Err(Sar::NotLoggedIn));
}

#[test]
fn nothing_secret_works_before_login_and_after_logout() {
    let directory = device();
    let open = Open::new(directory.path());
    let container = open.container();
    open.library.clear_secure_state(open.application).unwrap();
    let library = &open.library;
    assert_eq!(library.sign(container, &[1; 32]), Err(Sar::NotLoggedIn));
    assert_eq!(library.generate_key_pair(container, SM2_1), Err(Sar::NotLoggedIn));
    assert_eq!(
        library.import_key_pair(container, &[0; 388]),
        Err(Sar::NotLoggedIn)
    );
    assert_eq!(
        library.import_certificate(container, Usage::Signing, &[0]),
        Err(Sar::NotLoggedIn)
    );
    assert_eq!(
        library.create_container(open.application, "second"),
        Err(Sar::NotLoggedIn)
    );
    assert_eq!(
        library.delete_container(open.application, CONTAINER),
        Err(Sar::NotLoggedIn)
    );
    // The public half is for everybody.
    assert!(library.export_public_key(container, Usage::Signing).is_ok());
    open.log_in();
    assert!(library.sign(container, &[1; 32]).is_ok());
}

#[test]
fn the_admin_pin_unblocks_without_losing_keys_and_does_not_log_in() {
    let directory = device();
    let open = Open::new(directory.path());
    let container = open.container();
    let key = open.library.export_public_key(container, Usage::Signing).unwrap();
    for _ in 0..TRIES {
        assert!(open.verify("654321").0.is_err());
    }
    let mut left = 0;
    let unblock = |admin: &str, left: &mut u32| {
        open.library
            .unblock_pin(open.application, &pin(admin), &pin("new-user"), left)
    };
    assert_eq!(
        (unblock("wrong-admin", &mut left), left),
        (Err(Sar::PinIncorrect), 5)
    );
    assert_eq!(open.verify(USER_PIN).0, Err(Sar::PinLocked));
    assert_eq!((unblock(ADMIN_PIN, &mut left), left), (Ok(()), 6));
    assert_eq!(open.library.sign(container, &[1; 32]), Err(Sar::NotLoggedIn));
    assert_eq!(open.verify(USER_PIN), (Err(Sar::PinIncorrect), 5));
    assert_eq!(open.verify("new-user"), (Ok(()), 6));
    let signature = open.library.sign(container, &[1; 32]).unwrap();
    assert_eq!(
        open.library.verify(open.device, &key, &[1; 32], &signature),
        Ok(())
    );
}

#[test]
fn a_pin_is_changed_under_the_old_one_and_is_no_longer_the_first() {
    let directory = device();
    let open = Open::new(directory.path());
    assert!(tries(&open, PinKind::User).is_first);
    let change = |old: &str| {
        let mut left = 0;
        let answer = open.library.change_pin(
            open.application,
            PinKind::User,
            &pin(old),
            &pin("another7"),
            &mut left,
        );
        (answer, left)
    };
    assert_eq!(change("654321"), (Err(Sar::PinIncorrect), 5));
    assert!(tries(&open, PinKind::User).is_first);
    assert_eq!(change(USER_PIN), (Ok(()), 6));
    assert!(!tries(&open, PinKind::User).is_first);
    assert_eq!(open.verify(USER_PIN).0, Err(Sar::PinIncorrect));
    assert_eq!(open.verify("another7").0, Ok(()));
}

#[test]
fn the_admin_does_not_sign() {
    let directory = device();
    let open = Open::new(directory.path());
    let container = open.container();
    open.library.clear_secure_state(open.application).unwrap();
    let mut left = 0;
    open.library
        .verify_pin(open.application, PinKind::Admin, &pin(ADMIN_PIN), &mut left)
        .unwrap();
    assert_eq!(open.library.sign(container, &[1; 32]), Err(Sar::NotLoggedIn));
    assert_eq!(
        open.library.create_container(open.application, "second"),
        Err(Sar::NotLoggedIn)
    );
}

fn authenticate(open: &Open, key: &[u8; 16]) -> Result<(), Sar> {
    let mut challenge = [0; 16];
    challenge[..8].copy_from_slice(&open.library.random(open.device, 8).unwrap());
    open.library
        .authenticate(open.device, &sm4_ecb_encrypt(key, &challenge).unwrap())
}

fn create(open: &Open, name: &str, user: &Pin) -> Result<(), Sar> {
    let new = NewApplication {
        name,
        admin_pin: &pin(ADMIN_PIN),
        admin_tries: 3,
        user_pin: user,
        user_tries: 2,
        create_rights: USER,
    };
    open.library.create_application(open.device, &new).map(|_| ())
}

#[test]
fn applications_are_made_and_deleted_by_who_has_the_device_authentication_key() {
    let directory = device();
    let open = Open::new(directory.path());
    let user = pin("zzzzzz");
    assert_eq!(create(&open, "second", &user), Err(Sar::NoAuthentication));
    assert_eq!(
        open.library.delete_application(open.device, APPLICATION),
        Err(Sar::NoAuthentication)
    );
    assert_eq!(authenticate(&open, &[7; 16]), Err(Sar::NoAuthentication));
    assert_eq!(authenticate(&open, &AUTH_KEY), Ok(()));
    assert_eq!(create(&open, "second", &user), Ok(()));
    assert_eq!(create(&open, "second", &user), Err(Sar::ApplicationExists));
    assert_eq!(
        open.library.applications(open.device).unwrap(),
        [APPLICATION, "second"]
    );

    open.log_in();
    assert_eq!(open.library.delete_application(open.device, APPLICATION), Ok(()));
    assert_eq!(create(&open, APPLICATION, &user), Ok(()));
    // The handle was of the application that is gone, not of the one that has its name.
    assert_eq!(open.verify("zzzzzz").0, Err(Sar::ApplicationMissing));
    assert_eq!(
        open.library.create_container(open.application, "x"),
        Err(Sar::ApplicationMissing)
    );
}

#[test]
fn random_bytes_serve_once_and_another_authentication_key_can_be_set() {
    let directory = device();
    let open = Open::new(directory.path());
    let challenge: [u8; 16] = open.library.random(open.device, 16).unwrap().try_into().unwrap();
    let proof = sm4_ecb_encrypt(&AUTH_KEY, &challenge).unwrap();
    assert_eq!(open.library.authenticate(open.device, &proof), Ok(()));
    assert_eq!(
        open.library.authenticate(open.device, &proof),
        Err(Sar::NoAuthentication)
    );
    assert_eq!(open.library.change_auth_key(open.device, &[9; 16]), Ok(()));
    assert_eq!(authenticate(&open, &AUTH_KEY), Err(Sar::NoAuthentication));
    assert_eq!(authenticate(&open, &[9; 16]), Ok(()));
}

#[test]
fn fifteen_wrong_authentications_are_the_last() {
    let directory = device();
    let open = Open::new(directory.path());
    for _ in 0..15 {
        assert_eq!(authenticate(&open, &[7; 16]), Err(Sar::NoAuthentication));
    }
    assert_eq!(authenticate(&open, &AUTH_KEY), Err(Sar::NoAuthentication));
}

fn file(name: &str, read_rights: u32, write_rights: u32) -> FileInfo {
    FileInfo {
        name: name.to_owned(),
        size: 8,
        read_rights,
        write_rights,
    }
}

#[test]
fn files_keep_their_rights_and_what_not_everybody_may_read_is_sealed() {
    let directory = device();
    let open = Open::new(directory.path());
    let (library, application) = (&open.library, open.application);
    assert_eq!(
        library.create_file(application, &file("secret", USER, USER)),
        Err(Sar::NotLoggedIn)
    );
    open.log_in();
    assert_eq!(
        library.create_file(application, &file("secret", USER, USER)),
        Ok(())
    );
    assert_eq!(
        library.create_file(application, &file("secret", USER, USER)),
        Err(Sar::Exists)
    );
    assert_eq!(
        library.create_file(application, &file("notice", 0xFF, USER)),
        Ok(())
    );
    assert_eq!(library.create_file(application, &file("never", 0, 0)), Ok(()));
    assert_eq!(library.files(application).unwrap(), ["secret", "notice", "never"]);
    assert_eq!(
        library.file_info(application, "notice").unwrap(),
        file("notice", 0xFF, USER)
    );

    assert_eq!(library.write_file(application, "secret", 2, b"S3CRET"), Ok(()));
    assert_eq!(
        library.write_file(application, "secret", 3, b"S3CRET"),
        Err(Sar::DataLength)
    );
    assert_eq!(
        library.write_file(application, "secret", u32::MAX, b"S"),
        Err(Sar::DataLength)
    );
    assert_eq!(library.write_file(application, "notice", 0, b"for all!"), Ok(()));
    assert_eq!(library.write_file(application, "never", 0, b"x"), Err(Sar::File));
    assert_eq!(library.read_file(application, "never", 0, 1), Err(Sar::File));
    assert_eq!(
        library
            .read_file(application, "secret", 0, 100)
            .unwrap()
            .as_slice(),
        b"\0\0S3CRET"
    );
    assert_eq!(
        library.read_file(application, "secret", 4, 2).unwrap().as_slice(),
        b"CR"
    );
    assert_eq!(
        library.read_file(application, "secret", 8, 1).unwrap().as_slice(),
        b""
    );
    assert_eq!(
        library.read_file(application, "secret", 9, 1),
        Err(Sar::InvalidParameter)
    );

    library.clear_secure_state(application).unwrap();
    assert_eq!(
        library.read_file(application, "secret", 0, 1),
        Err(Sar::NotLoggedIn)
    );
    assert_eq!(
        library.read_file(application, "notice", 0, 9).unwrap().as_slice(),
        b"for all!"
    );
    assert_eq!(
        library.write_file(application, "notice", 0, b"x"),
        Err(Sar::NotLoggedIn)
    );
    assert_eq!(library.delete_file(application, "notice"), Err(Sar::NotLoggedIn));
    open.log_in();
    assert_eq!(library.delete_file(application, "notice"), Ok(()));
    assert_eq!(library.read_file(application, "notice", 0, 1), Err(Sar::Missing));
}

#[test]
fn rights_that_are_changed_in_the_file_open_nothing() {
    let directory = device();
    let open = Open::new(directory.path());
    open.log_in();
    open.library
        .create_file(open.application, &file("secret", 0x01, USER))
        .unwrap();
    open.library
        .write_file(open.application, "secret", 0, b"S3CRET")
        .unwrap();
    let path = directory.path().join(format!("{SERIAL}.softskf"));
    let text = std::fs::read_to_string(&path).unwrap();
    assert_eq!(
        open.library.read_file(open.application, "secret", 0, 8),
        Err(Sar::NotLoggedIn)
    );
    let changed = text.replace("\"read_rights\": 1,", "\"read_rights\": 16,");
    assert_ne!(changed, text);
    std::fs::write(&path, changed).unwrap();
    assert_eq!(
        open.library.read_file(open.application, "secret", 0, 8),
        Err(Sar::File)
    );
}
