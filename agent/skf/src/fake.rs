//! A library of function pointers for the tests, with the faults of real ones; each test's thread has its own.
#![allow(unsafe_code, reason = "stands for C")]
use std::{
    cell::RefCell,
    ptr,
    sync::{Arc, Condvar, Mutex},
};

use yinxin_pki::{EnvelopedKeyBlob, PublicKey, SigningKey, der};

use crate::{
    abi::{BlockCipherParam, Bool, Bytes, Functions, Handle, Ulong},
    library::{Library, Shared},
    profile::Profile,
};

pub const DEVICE: &[u8] = b"FAKE-01";
/// 印信 in GBK.
pub const LABEL: &[u8] = b"\xd3\xa1\xd0\xc5";
pub const PIN: &str = "123456";

const FAIL: Ulong = 0x0A00_0001;
const INVALID_PARAMETER: Ulong = 0x0A00_0006;
const KEY_NOT_FOUND: Ulong = 0x0A00_001B;
const DEVICE_REMOVED: Ulong = 0x0A00_0023;

/// What a library does its own way.
#[derive(Default)]
pub struct Quirks {
    /// Bytes that `SKF_GetDevInfo` writes behind the standard's 294.
    pub extra_info_bytes: usize,
    /// The number that means the user.
    pub user_type: Ulong,
    /// The only identifier of SM2 that it knows.
    pub sm2_id: Ulong,
    /// A key that is not there is a blob of zeros instead of an error.
    pub zero_keys: bool,
    /// It takes the message and adds Z.
    pub adds_z: bool,
    /// A file's bytes behind a certificate.
    pub certificate_tail: usize,
    /// It does not say how many tries are left.
    pub silent_tries: bool,
}

#[derive(Default)]
struct State {
    quirks: Quirks,
    tries: Ulong,
    logged_in: bool,
    removed: bool,
    signing: Option<SigningKey>,
    encryption: Option<SigningKey>,
    certificate: Vec<u8>,
    session: Vec<u8>,
    file: Vec<u8>,
    log: Vec<&'static str>,
}

thread_local! {
    static STATE: RefCell<State> = RefCell::default();
}

/// Starts anew with these faults.
pub fn library(quirks: Quirks, profile: Profile) -> Library {
    with(|state| {
        *state = State {
            quirks,
            tries: 3,
            file: b"a file's bytes".to_vec(),
            ..State::default()
        };
    });
    of(functions(), profile)
}

pub fn of(functions: Functions, profile: Profile) -> Library {
    Library {
        shared: Arc::new(Shared::new(functions, profile, None)),
    }
}

pub fn profile() -> Profile {
    Profile::standard("fake", "/nowhere".into())
}

/// What keeps to the standard.
pub fn standard() -> Quirks {
    Quirks {
        user_type: 1,
        sm2_id: 0x0002_0200,
        ..Quirks::default()
    }
}

/// The closing calls so far.
pub fn closed() -> Vec<&'static str> {
    with(|state| std::mem::take(&mut state.log))
}

pub fn pull_out() {
    with(|state| state.removed = true);
}

pub fn put_encryption_key(key: SigningKey) {
    with(|state| state.encryption = Some(key));
}

fn with<T>(work: impl FnOnce(&mut State) -> T) -> T {
    STATE.with_borrow_mut(work)
}

pub fn functions() -> Functions {
    let mut functions = Functions::none();
    functions.enum_dev.function = Some(enum_dev);
    functions.connect_dev.function = Some(connect);
    functions.disconnect_dev.function = Some(disconnect);
    functions.get_dev_info.function = Some(dev_info);
    functions.enum_application.function = Some(enum_names);
    functions.open_application.function = Some(open);
    functions.close_application.function = Some(close_application);
    functions.verify_pin.function = Some(verify_pin);
    functions.read_file.function = Some(read_file);
    functions.enum_container.function = Some(enum_names);
    functions.open_container.function = Some(open);
    functions.close_container.function = Some(close_container);
    functions.gen_ecc_key_pair.function = Some(generate);
    functions.export_public_key.function = Some(export_public_key);
    functions.ecc_sign_data.function = Some(sign);
    functions.import_ecc_key_pair.function = Some(import_key);
    functions.import_certificate.function = Some(import_certificate);
    functions.export_certificate.function = Some(export_certificate);
    functions.import_session_key.function = Some(import_session_key);
    functions.decrypt_init.function = Some(decrypt_init);
    functions.decrypt.function = Some(decrypt);
    functions.close_handle.function = Some(close_handle);
    functions.wait_for_dev_event.function = Some(wait);
    functions.cancel_wait_for_dev_event.function = Some(cancel);
    functions
}

/// The two-call convention; `size` and `buffer` are the caller's.
unsafe fn give(bytes: &[u8], buffer: Bytes, size: *mut Ulong) -> Ulong {
    unsafe {
        let room = *size as usize;
        *size = Ulong::try_from(bytes.len()).unwrap();
        if buffer.is_null() {
            return 0;
        }
        if room < bytes.len() {
            return 0x0A00_0020;
        }
        ptr::copy_nonoverlapping(bytes.as_ptr(), buffer, bytes.len());
    }
    0
}

unsafe fn take(bytes: Bytes, size: Ulong) -> Vec<u8> {
    unsafe { std::slice::from_raw_parts(bytes, size as usize) }.to_vec()
}

fn log(call: &'static str) -> Ulong {
    with(|state| state.log.push(call));
    0
}

unsafe extern "system" fn enum_dev(_: Bool, names: Bytes, size: *mut Ulong) -> Ulong {
    // One NUL, where the standard wants two.
    unsafe { give(&[DEVICE, b"\0"].concat(), names, size) }
}

unsafe extern "system" fn enum_names(_: Handle, names: Bytes, size: *mut Ulong) -> Ulong {
    unsafe { give(&[LABEL, b"\0second\0\0"].concat(), names, size) }
}

unsafe extern "system" fn connect(_: Bytes, handle: *mut Handle) -> Ulong {
    unsafe { *handle = ptr::without_provenance_mut(1) };
    0
}

unsafe extern "system" fn open(_: Handle, _: Bytes, handle: *mut Handle) -> Ulong {
    unsafe { *handle = ptr::without_provenance_mut(2) };
    0
}

unsafe extern "system" fn disconnect(_: Handle) -> Ulong {
    log("device")
}

unsafe extern "system" fn close_application(_: Handle) -> Ulong {
    log("application")
}

unsafe extern "system" fn close_container(_: Handle) -> Ulong {
    log("container")
}

unsafe extern "system" fn close_handle(_: Handle) -> Ulong {
    log("session key")
}

unsafe extern "system" fn dev_info(_: Handle, info: Bytes) -> Ulong {
    let extra = with(|state| state.quirks.extra_info_bytes);
    let mut bytes = vec![0; 294 + extra];
    bytes[130..130 + LABEL.len()].copy_from_slice(LABEL);
    bytes[162..172].copy_from_slice(b"SN00000017");
    bytes[194..198].copy_from_slice(&[3, 1, 4, 2]);
    for (at, number) in [(198, 0x402_u32), (202, 0x0002_0000), (210, 0x401), (226, 1024)] {
        bytes[at..at + 4].copy_from_slice(&number.to_le_bytes());
    }
    unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), info, bytes.len()) };
    0
}

unsafe extern "system" fn verify_pin(_: Handle, kind: Ulong, pin: Bytes, left: *mut Ulong) -> Ulong {
    let pin = unsafe { std::ffi::CStr::from_ptr(pin.cast()) };
    with(|state| {
        if state.removed {
            return DEVICE_REMOVED;
        }
        if kind != state.quirks.user_type {
            return INVALID_PARAMETER;
        }
        if state.tries == 0 {
            return 0x0A00_0025;
        }
        if pin.to_bytes() == PIN.as_bytes() {
            state.logged_in = true;
            return 0;
        }
        state.tries -= 1;
        if !state.quirks.silent_tries {
            unsafe { *left = state.tries };
        }
        0x0A00_0024
    })
}

unsafe extern "system" fn read_file(
    _: Handle,
    _: Bytes,
    offset: Ulong,
    wanted: Ulong,
    buffer: Bytes,
    size: *mut Ulong,
) -> Ulong {
    let bytes = with(|state| {
        let rest = state.file.iter().skip(offset as usize);
        rest.take(wanted as usize).copied().collect::<Vec<u8>>()
    });
    unsafe { give(&bytes, buffer, size) }
}

fn blob(key: Option<&PublicKey>) -> Vec<u8> {
    let Some(point) = key.map(PublicKey::to_sec1) else {
        return vec![0; 132];
    };
    [
        &256_u32.to_le_bytes()[..],
        &[0; 32],
        &point[1..33],
        &[0; 32],
        &point[33..],
    ]
    .concat()
}

unsafe extern "system" fn generate(_: Handle, identifier: Ulong, key: Bytes) -> Ulong {
    with(|state| {
        if identifier != state.quirks.sm2_id {
            return INVALID_PARAMETER;
        }
        let made = SigningKey::from_scalar(&[7; 32]).unwrap();
        let bytes = blob(Some(made.public_key()));
        unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), key, bytes.len()) };
        state.signing = Some(made);
        0
    })
}

unsafe extern "system" fn export_public_key(_: Handle, signing: Bool, key: Bytes, size: *mut Ulong) -> Ulong {
    with(|state| {
        let held = if signing == 1 {
            &state.signing
        } else {
            &state.encryption
        };
        match held {
            None if !state.quirks.zero_keys => KEY_NOT_FOUND,
            held => unsafe { give(&blob(held.as_ref().map(SigningKey::public_key)), key, size) },
        }
    })
}

unsafe extern "system" fn sign(_: Handle, input: Bytes, size: Ulong, signature: Bytes) -> Ulong {
    let input = unsafe { take(input, size) };
    with(|state| {
        let Some(key) = &state.signing else {
            return KEY_NOT_FOUND;
        };
        let e = match (state.quirks.adds_z, input.first_chunk::<32>()) {
            (true, _) => key.public_key().message_digest(&input),
            (false, Some(e)) if input.len() == 32 => *e,
            _ => return 0x0A00_0010,
        };
        let made = key.sign_digest(&e).unwrap();
        let mut numbers = der::Tlv::whole(&made).unwrap().reader();
        let mut bytes = [0; 128];
        for at in [0, 64] {
            let number = der::unsigned(numbers.any().unwrap()).unwrap();
            bytes[at + 64 - number.len()..at + 64].copy_from_slice(number);
        }
        unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), signature, bytes.len()) };
        0
    })
}

unsafe extern "system" fn import_key(_: Handle, blob: Bytes) -> Ulong {
    let bytes = unsafe { take(blob, 388) };
    with(|state| {
        let enveloped = EnvelopedKeyBlob::from_bytes(&bytes)
            .unwrap()
            .to_enveloped_key()
            .unwrap();
        match state.signing.as_ref().map(|key| enveloped.open(key)) {
            None => KEY_NOT_FOUND,
            Some(Err(_)) => FAIL,
            Some(Ok(key)) => {
                state.encryption = Some(key);
                0
            }
        }
    })
}

unsafe extern "system" fn import_certificate(_: Handle, _: Bool, der: Bytes, size: Ulong) -> Ulong {
    let bytes = unsafe { take(der, size) };
    with(|state| state.certificate = bytes);
    0
}

unsafe extern "system" fn export_certificate(_: Handle, _: Bool, der: Bytes, size: *mut Ulong) -> Ulong {
    with(|state| {
        let mut bytes = state.certificate.clone();
        if !bytes.is_empty() {
            bytes.resize(bytes.len() + state.quirks.certificate_tail, 0);
        }
        unsafe { give(&bytes, der, size) }
    })
}

unsafe extern "system" fn import_session_key(
    _: Handle,
    algorithm: Ulong,
    cipher: Bytes,
    size: Ulong,
    key: *mut Handle,
) -> Ulong {
    let bytes = unsafe { take(cipher, size) };
    with(|state| {
        if algorithm != 0x401 {
            return INVALID_PARAMETER;
        }
        let cipher = der::sequence(&[
            &der::integer(&bytes[32..64]),
            &der::integer(&bytes[96..128]),
            &der::octet_string(&bytes[128..160]),
            &der::octet_string(&bytes[164..]),
        ]);
        match state.encryption.as_ref().map(|key| key.decrypt(&cipher)) {
            Some(Ok(session)) => {
                state.session = session.to_vec();
                unsafe { *key = ptr::without_provenance_mut(3) };
                0
            }
            _ => FAIL,
        }
    })
}

unsafe extern "system" fn decrypt_init(_: Handle, parameters: BlockCipherParam) -> Ulong {
    if parameters.padding == 0 && parameters.iv == [0; 32] {
        0
    } else {
        INVALID_PARAMETER
    }
}

unsafe extern "system" fn decrypt(
    _: Handle,
    data: Bytes,
    size: Ulong,
    text: Bytes,
    came: *mut Ulong,
) -> Ulong {
    let blocks = unsafe { take(data, size) };
    // Its DEVINFO says so.
    if blocks.len() > 1024 {
        return FAIL;
    }
    with(|state| {
        let key = state.session.first_chunk().unwrap();
        match yinxin_pki::symmetric::sm4_ecb_decrypt(key, &blocks) {
            Some(plain) => unsafe { give(&plain, text, came) },
            None => FAIL,
        }
    })
}

/// Events that wait to be told, and whether the wait is cancelled; of all threads.
static EVENTS: Mutex<(Vec<Ulong>, bool)> = Mutex::new((Vec::new(), false));
static CHANGED: Condvar = Condvar::new();

pub fn plug(event: Ulong) {
    EVENTS.lock().unwrap().0.push(event);
    CHANGED.notify_all();
}

unsafe extern "system" fn wait(name: Bytes, size: *mut Ulong, event: *mut Ulong) -> Ulong {
    let mut events = EVENTS.lock().unwrap();
    loop {
        if std::mem::take(&mut events.1) {
            return 0x0A00_0022;
        }
        if !events.0.is_empty() {
            unsafe { *event = events.0.remove(0) };
            return unsafe { give(&[DEVICE, b"\0"].concat(), name, size) };
        }
        events = CHANGED.wait(events).unwrap();
    }
}

unsafe extern "system" fn cancel() -> Ulong {
    EVENTS.lock().unwrap().1 = true;
    CHANGED.notify_all();
    0
}

/// Enough for envelopes of known keys; not for keys.
pub struct TestRandom(pub u8);

impl yinxin_pki::rand_core::TryRng for TestRandom {
    type Error = std::convert::Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        Ok(7)
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        Ok(7)
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
        for byte in bytes {
            self.0 = self.0.wrapping_mul(5).wrapping_add(3);
            *byte = self.0;
        }
        Ok(())
    }
}

impl yinxin_pki::rand_core::TryCryptoRng for TestRandom {}
