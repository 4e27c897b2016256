//! Several holders of one device: threads, other processes, locks; and devices that come, go and break off in the middle.
#![allow(clippy::unwrap_used, reason = "a failed set-up fails the test")]
mod common;

use std::{
    fs,
    sync::{Arc, Barrier},
    thread,
    time::{Duration, Instant},
};

use common::*;
use yinxin_softskf::{Delivered, Fault, Library, Sar, Settings, Slow, Usage};

#[test]
fn another_process_sees_each_change_at_once() {
    let directory = device();
    let first = Open::new(directory.path());
    // A second library has nothing in common with the first but the file, as a second process has.
    let second = Open::new(directory.path());
    let container = first.container();
    assert_eq!(
        second.library.containers(second.application).unwrap(),
        [CONTAINER]
    );
    let seen = second
        .library
        .open_container(second.application, CONTAINER)
        .unwrap();
    let key = first
        .library
        .export_public_key(container, Usage::Signing)
        .unwrap();
    assert_eq!(
        second.library.export_public_key(seen, Usage::Signing).unwrap(),
        key
    );
    assert_eq!(second.library.sign(seen, &[1; 32]), Err(Sar::NotLoggedIn));
    second.log_in();
    let signature = second.library.sign(seen, &[1; 32]).unwrap();
    assert_eq!(
        first.library.verify(first.device, &key, &[1; 32], &signature),
        Ok(())
    );
    first
        .library
        .delete_container(first.application, CONTAINER)
        .unwrap();
    assert_eq!(second.library.sign(seen, &[1; 32]), Err(Sar::InvalidHandle));
}

#[test]
fn writers_at_the_same_time_lose_nothing() {
    let directory = device();
    let start = Arc::new(Barrier::new(4));
    let writers: Vec<_> = (0..4)
        .map(|writer| {
            let (path, start) = (directory.path().to_owned(), Arc::clone(&start));
            thread::spawn(move || {
                let open = Open::new(&path);
                // Each login writes twice, so that the logins of the others come in between.
                start.wait();
                open.log_in();
                for number in 0..4 {
                    let name = format!("{writer}-{number}");
                    let container = open.library.create_container(open.application, &name).unwrap();
                    open.library.generate_key_pair(container, SM2_1).unwrap();
                }
            })
        })
        .collect();
    for writer in writers {
        writer.join().unwrap();
    }
    let open = Open::new(directory.path());
    assert_eq!(open.library.containers(open.application).unwrap().len(), 16);
    open.log_in();
    assert_eq!(
        open.library.create_container(open.application, "17"),
        Err(Sar::TooManyContainers)
    );
    for name in open.library.containers(open.application).unwrap() {
        let container = open.library.open_container(open.application, &name).unwrap();
        assert!(open.library.sign(container, &[1; 32]).is_ok(), "{name}");
    }
}

#[test]
fn wrong_pins_at_the_same_time_get_no_more_tries_than_one_after_the_other() {
    let directory = device();
    let start = Arc::new(Barrier::new(12));
    let guessers: Vec<_> = (0..12)
        .map(|_| {
            let (path, start) = (directory.path().to_owned(), Arc::clone(&start));
            thread::spawn(move || {
                let open = Open::new(&path);
                start.wait();
                open.verify("654321")
            })
        })
        .collect();
    let mut answers: Vec<_> = guessers
        .into_iter()
        .map(|guesser| guesser.join().unwrap())
        .collect();
    answers.sort_by_key(|(_, left)| *left);
    let left: Vec<u32> = answers.iter().map(|(_, left)| *left).collect();
    assert_eq!(left, [0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5]);
    assert_eq!(
        answers
            .iter()
            .filter(|(answer, _)| *answer == Err(Sar::PinLocked))
            .count(),
        7
    );
}

#[test]
fn one_library_signs_in_many_threads() {
    let directory = device();
    let open = Open::new(directory.path());
    let container = open.container();
    let key = open.library.export_public_key(container, Usage::Signing).unwrap();
    thread::scope(|scope| {
        for byte in 0..8 {
            let (open, key) = (&open, &key);
            scope.spawn(move || {
                for _ in 0..20 {
                    let signature = open.library.sign(container, &[byte; 32]).unwrap();
                    assert_eq!(
                        open.library.verify(open.device, key, &[byte; 32], &signature),
                        Ok(())
                    );
                }
            });
        }
    });
}

#[test]
fn a_locked_device_is_one_holders_until_it_is_unlocked() {
    let directory = device();
    let mut settings = Settings::new(directory.path());
    settings.lock_wait = Duration::from_millis(50);
    let (first, second) = (Open::with(settings.clone()), Open::with(settings));
    first.library.lock_device(first.device, 0).unwrap();
    first.library.lock_device(first.device, 0).unwrap();
    first.log_in();
    assert_eq!(second.verify(USER_PIN).0, Err(Sar::Timeout));
    assert_eq!(second.library.lock_device(second.device, 20), Err(Sar::Timeout));
    assert_eq!(second.library.unlock_device(second.device), Err(Sar::Fail));
    first.library.unlock_device(first.device).unwrap();
    second.log_in();
    second.library.lock_device(second.device, 0).unwrap();
    second.library.disconnect(second.device).unwrap();
    first.log_in();
}

#[test]
fn a_file_that_is_taken_away_is_a_token_that_is_pulled() {
    let directory = device();
    let open = Open::new(directory.path());
    let container = open.container();
    let path = directory.path().join(format!("{SERIAL}.softskf"));
    let away = directory.path().join("away");
    fs::rename(&path, &away).unwrap();
    assert_eq!(open.library.devices(true).unwrap(), [""; 0]);
    assert_eq!(open.library.device_state(SERIAL), Ok(0));
    assert_eq!(open.library.sign(container, &[1; 32]), Err(Sar::DeviceRemoved));
    fs::rename(&away, &path).unwrap();
    assert_eq!(open.library.device_state(SERIAL), Ok(1));
    // Who had it open has to begin again.
    assert_eq!(open.library.sign(container, &[1; 32]), Err(Sar::DeviceRemoved));
    assert_eq!(open.library.close_container(container), Err(Sar::DeviceRemoved));
    assert_eq!(open.library.close_container(container), Err(Sar::InvalidHandle));
    let again = Open::new(directory.path());
    again.log_in();
}

#[test]
fn a_file_that_others_can_read_or_that_is_damaged_is_no_token() {
    let directory = device();
    let path = directory.path().join(format!("{SERIAL}.softskf"));
    let library = Library::new(Settings::new(directory.path()));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert_eq!(library.connect(SERIAL), Err(Sar::File));
        assert_eq!(library.device_state(SERIAL), Ok(2));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    }
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("\"tries_left\": 6", "\"tries_left\": 200")).unwrap();
    assert_eq!(library.connect(SERIAL), Err(Sar::File));
    for name in ["", "../SOFT0001", "SOFT0001.softskf", "no such"] {
        assert_eq!(library.connect(name), Err(Sar::DeviceRemoved), "{name}");
    }
}

#[test]
fn events_tell_what_came_and_went() {
    let directory = device();
    let library = Library::new(Settings::new(directory.path()));
    let next = || {
        let mut told = None;
        let answer = library.wait_for_event(|name, event| {
            told = Some((name.to_owned(), event));
            Ok(Delivered::Bytes)
        });
        answer.map(|()| told.unwrap())
    };
    thread::scope(|scope| {
        let first = scope.spawn(next);
        while library.waiters() == 0 {
            thread::yield_now();
        }
        make(directory.path(), "SOFT0002");
        assert_eq!(first.join().unwrap(), Ok(("SOFT0002".to_owned(), 1)));
    });
    // What happens while nobody waits is told later, once it was taken.
    fs::remove_file(directory.path().join("SOFT0001.softskf")).unwrap();
    let small = library.wait_for_event(|_, _| Err(Sar::BufferTooSmall));
    assert_eq!(small, Err(Sar::BufferTooSmall));
    assert_eq!(next(), Ok(("SOFT0001".to_owned(), 2)));

    thread::scope(|scope| {
        let waiting = [scope.spawn(next), scope.spawn(next)];
        while library.waiters() < 2 {
            thread::yield_now();
        }
        library.cancel_wait();
        for wait in waiting {
            assert_eq!(wait.join().unwrap(), Err(Sar::NoEvent));
        }
    });
    assert_eq!(library.waiters(), 0);
}

fn with_fault(directory: &std::path::Path, fault: &str) -> Open {
    let mut settings = Settings::new(directory);
    settings.faults = vec![Fault::parse(fault).unwrap()];
    Open::with(settings)
}

/// The containers that are there after a fault at the second creation, and what that call answered.
fn second_creation(fault: &str) -> (Result<(), Sar>, usize) {
    let directory = device();
    let open = with_fault(directory.path(), fault);
    open.log_in();
    let create = |name: &str| {
        let call = |library: &Library| library.create_container(open.application, name).map(|_| ());
        open.library.call("SKF_CreateContainer", call)
    };
    assert_eq!(create("one"), Ok(()));
    let answer = create("two");
    assert_eq!(open.library.containers(open.application), Err(Sar::DeviceRemoved));
    assert_eq!(open.library.connect(SERIAL), Err(Sar::DeviceRemoved));
    assert_eq!(open.library.devices(true).unwrap(), [""; 0]);
    assert_eq!(open.library.devices(false).unwrap(), [SERIAL]);
    // Another process does not share the fault.
    let other = Open::new(directory.path());
    let count = other.library.containers(other.application).unwrap().len();
    fs::remove_file(directory.path().join("pulled")).unwrap();
    assert_eq!(open.library.containers(open.application), Err(Sar::DeviceRemoved));
    assert!(open.library.connect(SERIAL).is_ok());
    (answer, count)
}

#[test]
fn a_fault_pulls_the_token_before_or_after_the_call_or_loses_its_answer() {
    assert_eq!(
        second_creation("SKF_CreateContainer:2"),
        (Err(Sar::DeviceRemoved), 1)
    );
    assert_eq!(second_creation("SKF_CreateContainer:2:after"), (Ok(()), 2));
    assert_eq!(
        second_creation("SKF_CreateContainer:2:lost"),
        (Err(Sar::DeviceRemoved), 2)
    );
}

#[test]
fn a_slow_token_is_slow() {
    let directory = device();
    let mut settings = Settings::new(directory.path());
    settings.slow = Slow::parse("SKF_EnumDev:60").unwrap();
    let library = Library::new(settings);
    let start = Instant::now();
    library
        .call("SKF_EnumDev", |library| library.devices(true))
        .unwrap();
    assert!(start.elapsed() >= Duration::from_millis(60));
}
