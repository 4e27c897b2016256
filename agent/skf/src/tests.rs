//! What this crate makes of libraries that keep to the standard, and of those that do not.
use std::sync::mpsc;

use time::OffsetDateTime;
use yinxin_pki::{
    Certificate, EnvelopedKey, EnvelopedKeyBlob, KeyForm, Name, SigningKey,
    profile::{Content, Issuer, Profile::RootCa, Serial, Services, Validity, assemble},
    skf_blob::Layout,
    symmetric::sm4_ecb_encrypt,
};

use crate::{
    Application, Container, Device, Error, Event, KeyUse, OpenError, PinKind, PinTypes, Profile, SignInput,
    Watch,
    abi::Functions,
    fake::{self, Quirks, TestRandom, profile, standard},
    library::Library,
};

fn device(library: &Library) -> Device {
    let names = library.devices().unwrap();
    library.connect(&names[0]).unwrap()
}

fn application(library: &Library) -> Application {
    let device = device(library);
    let names = device.applications().unwrap();
    device.application(&names[0]).unwrap()
}

fn container(library: &Library) -> Container {
    let application = application(library);
    let names = application.containers().unwrap();
    application.container(&names[0]).unwrap()
}

fn keyed(quirks: Quirks, profile: Profile) -> Container {
    let container = container(&fake::library(quirks, profile));
    container.generate_signing_key().unwrap();
    container
}

#[test]
fn a_device_is_found_and_says_what_it_is() {
    let library = fake::library(standard(), profile());
    let names = library.devices().unwrap();
    assert_eq!(names.len(), 1);
    let device = library.connect(&names[0]).unwrap();
    let info = device.info();
    assert_eq!(
        (info.label.as_str(), info.serial.as_str()),
        ("印信", "SN00000017")
    );
    assert_eq!((info.hardware.major, info.firmware.minor), (3, 2));
    assert_eq!((info.authentication, info.buffer_bytes), (0x401, 1024));
    let names: Vec<String> = device
        .applications()
        .unwrap()
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(names, ["印信", "second"]);
}

#[test]
fn a_library_with_a_wide_ulong_is_refused() {
    let quirks = Quirks {
        extra_info_bytes: 32,
        ..standard()
    };
    let library = fake::library(quirks, profile());
    let refused = library.connect(&library.devices().unwrap()[0]);
    assert!(matches!(refused, Err(Error::Misbehaved { fault, .. }) if fault.contains("64 bits")));
    // The device is not kept.
    assert_eq!(fake::closed(), ["device"]);
}

#[test]
fn handles_close_from_the_inside_out_however_they_are_dropped() {
    let library = fake::library(standard(), profile());
    let device = device(&library);
    let application = device.application(&device.applications().unwrap()[0]).unwrap();
    let container = application
        .container(&application.containers().unwrap()[0])
        .unwrap();
    drop(device);
    drop(application);
    assert!(fake::closed().is_empty());
    drop(container);
    assert_eq!(fake::closed(), ["container", "application", "device"]);
}

#[test]
fn a_wrong_pin_says_how_many_tries_are_left_until_it_is_locked() {
    let application = application(&fake::library(standard(), profile()));
    for expected in [2, 1, 0] {
        let refused = application.verify_pin(PinKind::User, "654321");
        assert!(matches!(refused, Err(Error::WrongPin { left: Some(left), .. }) if left == expected));
    }
    let refused = application.verify_pin(PinKind::User, fake::PIN);
    assert!(matches!(refused, Err(Error::PinLocked(_))));
}

#[test]
fn tries_that_a_library_does_not_tell_are_not_made_up() {
    let quirks = Quirks {
        silent_tries: true,
        ..standard()
    };
    let application = application(&fake::library(quirks, profile()));
    let refused = application.verify_pin(PinKind::User, "654321");
    assert!(matches!(refused, Err(Error::WrongPin { left: None, .. })));
}

#[test]
fn swapped_types_of_pins_are_a_matter_of_the_profile() {
    for (user_type, pin_types) in [(1, PinTypes::Standard), (0, PinTypes::Swapped)] {
        let quirks = || Quirks {
            user_type,
            ..standard()
        };
        let profile = |pin_types| Profile {
            pin_types,
            ..profile()
        };
        let fitting = application(&fake::library(quirks(), profile(pin_types)));
        fitting.verify_pin(PinKind::User, fake::PIN).unwrap();
        assert!(fitting.verify_pin(PinKind::Admin, fake::PIN).is_err());
    }
}

#[test]
fn a_pin_with_a_nul_is_not_cut_off_and_tried() {
    let application = application(&fake::library(standard(), profile()));
    let refused = application.verify_pin(PinKind::User, "123456\0abc");
    assert!(matches!(refused, Err(Error::PinRefused(_))));
}

#[test]
fn a_token_that_is_pulled_out_is_told_from_one_that_refuses() {
    let application = application(&fake::library(standard(), profile()));
    fake::pull_out();
    let refused = application.verify_pin(PinKind::User, fake::PIN);
    assert!(matches!(refused, Err(Error::Removed(_))));
}

#[test]
fn either_identifier_of_sm2_makes_a_key() {
    for sm2_id in [0x0002_0200, 0x0002_0100] {
        let quirks = Quirks { sm2_id, ..standard() };
        let container = container(&fake::library(quirks, profile()));
        let key = container.generate_signing_key().unwrap();
        assert_eq!(container.public_key(KeyUse::Signing).unwrap(), Some(key));
    }
    let quirks = Quirks {
        sm2_id: 0x0002_0800,
        ..standard()
    };
    let refused = container(&fake::library(quirks, profile())).generate_signing_key();
    assert_eq!(refused.unwrap_err().code(), Some(0x0A00_0006));
}

#[test]
fn a_key_that_is_not_there_is_none_whether_told_by_an_error_or_by_zeros() {
    for zero_keys in [false, true] {
        let quirks = Quirks {
            zero_keys,
            ..standard()
        };
        let container = container(&fake::library(quirks, profile()));
        assert_eq!(container.public_key(KeyUse::Signing), Ok(None));
        assert_eq!(container.public_key(KeyUse::Encryption), Ok(None));
    }
}

#[test]
fn a_signature_holds_over_z_and_the_message_whoever_adds_z() {
    for (adds_z, sign_input) in [(false, SignInput::Digest), (true, SignInput::Message)] {
        let quirks = Quirks { adds_z, ..standard() };
        let profile = Profile {
            sign_input,
            ..profile()
        };
        let container = keyed(quirks, profile);
        let key = container.public_key(KeyUse::Signing).unwrap().unwrap();
        let signature = container.sign(&key, b"message").unwrap();
        assert!(key.verify(b"message", &signature).is_ok());
        assert!(key.verify(b"another", &signature).is_err());
    }
}

#[test]
fn an_enveloped_key_is_imported_and_opens_a_session_key() {
    let container = keyed(standard(), profile());
    let signing = container.public_key(KeyUse::Signing).unwrap().unwrap();
    let encryption = SigningKey::from_scalar(&[9; 32]).unwrap();
    let mut random = fake_random();
    let enveloped = EnvelopedKey::seal(&encryption, &signing, &mut random);
    let blob = EnvelopedKeyBlob::new(&enveloped, Layout::RightAligned).unwrap();
    container.import_enveloped_key(&blob).unwrap();
    let held = container.public_key(KeyUse::Encryption).unwrap().unwrap();
    assert_eq!(&held, encryption.public_key());
    let session = held.encrypt(&[5; 16], &mut random).unwrap();
    let blocks = sm4_ecb_encrypt(&[5; 16], b"thirty-two bytes of a letter ...").unwrap();
    let plain = container.decrypt_under(&session, &blocks).unwrap().unwrap();
    assert_eq!(plain.as_slice(), b"thirty-two bytes of a letter ...");
    // More than the device takes in one call comes in parts.
    let letter: Vec<u8> = (0..=250).cycle().take(160 * 16).collect();
    let blocks = sm4_ecb_encrypt(&[5; 16], &letter).unwrap();
    let plain = container.decrypt_under(&session, &blocks).unwrap().unwrap();
    assert_eq!(plain.as_slice(), letter);
    assert_eq!(fake::closed(), ["session key", "session key"]);
}

#[test]
fn an_enveloped_key_for_another_token_is_refused() {
    let container = keyed(standard(), profile());
    let stranger = SigningKey::from_scalar(&[8; 32]).unwrap();
    let enveloped = EnvelopedKey::seal(&stranger, stranger.public_key(), &mut fake_random());
    let blob = EnvelopedKeyBlob::new(&enveloped, Layout::RightAligned).unwrap();
    let refused = container.import_enveloped_key(&blob);
    assert!(matches!(refused, Err(Error::Refused(_))));
}

#[test]
fn a_certificate_loses_what_the_token_has_behind_it() {
    for certificate_tail in [0, 300] {
        let quirks = Quirks {
            certificate_tail,
            ..standard()
        };
        let container = container(&fake::library(quirks, profile()));
        assert_eq!(container.certificate(KeyUse::Signing), Ok(None));
        let certificate = certificate();
        container
            .import_certificate(KeyUse::Signing, &certificate)
            .unwrap();
        let read = container.certificate(KeyUse::Signing).unwrap().unwrap();
        assert_eq!(read, certificate.as_der());
    }
}

#[test]
fn a_function_that_a_library_lacks_is_unsupported_and_named() {
    let container = keyed(standard(), profile());
    let key = SigningKey::from_scalar(&[9; 32]).unwrap();
    fake::put_encryption_key(key.clone());
    let cipher = key.public_key().encrypt(b"text", &mut fake_random()).unwrap();
    let refused = container.decrypt(&cipher).unwrap().unwrap_err();
    assert!(matches!(refused, Error::Unsupported(_)));
    assert!(refused.to_string().contains("SKF_ECCDecrypt is missing"));
}

#[test]
fn a_part_of_a_file_is_read_up_to_its_end() {
    let application = application(&fake::library(standard(), profile()));
    let name = application.containers().unwrap().remove(0);
    assert_eq!(application.read_file(&name, 2, 4).unwrap(), b"file");
    assert_eq!(application.read_file(&name, 9, 100).unwrap(), b"bytes");
    assert_eq!(application.read_file(&name, 100, 10).unwrap(), b"");
}

#[test]
fn a_watch_tells_events_and_ends_when_it_is_dropped() {
    let library = fake::of(fake::functions(), profile());
    let (tell, told) = mpsc::channel();
    let watch = Watch::start(&library, move |event| tell.send(event).unwrap());
    fake::plug(1);
    fake::plug(2);
    let name = |event| match event {
        Event::PluggedIn(name) => format!("in {name}"),
        Event::PulledOut(name) => format!("out {name}"),
    };
    assert_eq!(name(told.recv().unwrap().unwrap()), "in FAKE-01");
    assert_eq!(name(told.recv().unwrap().unwrap()), "out FAKE-01");
    drop(watch);
    // The thread is gone, and has told nothing more.
    assert!(told.recv().is_err());
}

#[test]
fn a_library_that_cannot_wait_says_so_once() {
    let library = fake::of(Functions::none(), profile());
    let (tell, told) = mpsc::channel();
    let watch = Watch::start(&library, move |event| tell.send(event).unwrap());
    assert!(matches!(told.recv().unwrap(), Err(Error::Unsupported(_))));
    drop(watch);
    assert!(told.recv().is_err());
}

#[test]
fn what_is_no_skf_library_is_not_opened() {
    let refused = Library::open(Profile::standard("none", "/nowhere/libnone.so".into()));
    assert!(matches!(refused.err(), Some(OpenError::Load { .. })));
    let libc = if cfg!(target_os = "linux") {
        "libc.so.6"
    } else {
        return;
    };
    let refused = Library::open(Profile::standard("libc", libc.into()));
    assert!(matches!(
        refused.err(),
        Some(OpenError::NotSkf {
            symbol: "SKF_EnumDev",
            ..
        })
    ));
}

fn fake_random() -> TestRandom {
    TestRandom(1)
}

/// A root's certificate for itself.
fn certificate() -> Certificate {
    let key = SigningKey::from_scalar(&[6; 32]).unwrap();
    let name = Name::unit("Test Root", None).unwrap();
    let tbs = RootCa.to_tbs(&Content {
        serial: &Serial::random(&mut fake_random()),
        issuer: &Issuer::itself(name.clone(), key.public_key()),
        validity: Validity::years(OffsetDateTime::UNIX_EPOCH, 1).unwrap(),
        subject: &name,
        public_key: key.public_key(),
        key_form: KeyForm::EcPublicKey,
        identity: None,
        services: &Services::default(),
    });
    Certificate::from_der(&assemble(&tbs, &key.sign(&tbs).unwrap())).unwrap()
}
