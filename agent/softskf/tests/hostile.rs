//! Arguments that no caller should pass, through the shared library itself: they are refused, and the process lives.
#![allow(clippy::unwrap_used, reason = "a failed set-up fails the test")]
#![allow(unsafe_code, reason = "the functions of C are called")]
mod common;

use std::{
    collections::BTreeSet,
    ffi::c_void,
    fs,
    path::Path,
    ptr,
    sync::{Mutex, OnceLock, PoisonError},
};

use common::*;
use libloading::Library;
use proptest::prelude::*;
use tempfile::TempDir;

type Address = *mut c_void;
/// As many integers or pointers as any of the functions takes, each in a register's width: the functions that take fewer do not see the others.
type Function =
    unsafe extern "C" fn(Address, Address, Address, Address, Address, Address, Address, Address) -> u32;

const NOT_SUPPORTED: u32 = 0x0A00_0003;
const INVALID_HANDLE: u32 = 0x0A00_0005;

struct Loaded {
    library: Library,
    /// Handles of every kind, and numbers that are none.
    handles: Vec<usize>,
    _directory: TempDir,
}

// SAFETY: handles are numbers, and the library may be called from any thread.
unsafe impl Send for Loaded {}

/// Functions whose first argument is a handle, and their pointers and numbers: `h` handle, `n` number, `p` room for 8 KiB, `t` text.
const FUNCTIONS: &[(&str, &str)] = &[
    ("SKF_EnumDev", "npp"),
    ("SKF_ConnectDev", "tp"),
    ("SKF_GetDevState", "tp"),
    ("SKF_SetLabel", "ht"),
    ("SKF_GetDevInfo", "hp"),
    ("SKF_UnlockDev", "h"),
    ("SKF_Transmit", "hpnpp"),
    ("SKF_ChangeDevAuthKey", "hpn"),
    ("SKF_DevAuth", "hpn"),
    ("SKF_ChangePIN", "hnttp"),
    ("SKF_GetPINInfo", "hnppp"),
    ("SKF_VerifyPIN", "hntp"),
    ("SKF_UnblockPIN", "http"),
    ("SKF_ClearSecureState", "h"),
    ("SKF_CreateApplication", "httntnnp"),
    ("SKF_EnumApplication", "hpp"),
    ("SKF_DeleteApplication", "ht"),
    ("SKF_OpenApplication", "htp"),
    ("SKF_CreateFile", "htnnn"),
    ("SKF_DeleteFile", "ht"),
    ("SKF_EnumFiles", "hpp"),
    ("SKF_GetFileInfo", "htp"),
    ("SKF_ReadFile", "htnnpp"),
    ("SKF_WriteFile", "htnpn"),
    ("SKF_CreateContainer", "htp"),
    ("SKF_DeleteContainer", "ht"),
    ("SKF_OpenContainer", "htp"),
    ("SKF_EnumContainer", "hpp"),
    ("SKF_GetContainerType", "hp"),
    ("SKF_ImportCertificate", "hnpn"),
    ("SKF_ExportCertificate", "hnpp"),
    ("SKF_GenRandom", "hpn"),
    ("SKF_GenExtRSAKey", "hnp"),
    ("SKF_GenRSAKeyPair", "hnp"),
    ("SKF_ImportRSAKeyPair", "hnpnpn"),
    ("SKF_RSASignData", "hpnpp"),
    ("SKF_RSAVerify", "hppnpn"),
    ("SKF_RSAExportSessionKey", "hnpppp"),
    ("SKF_ExtRSAPubKeyOperation", "hppnpp"),
    ("SKF_ExtRSAPriKeyOperation", "hppnpp"),
    ("SKF_GenECCKeyPair", "hnp"),
    ("SKF_ImportECCKeyPair", "hp"),
    ("SKF_ECCSignData", "hpnp"),
    ("SKF_ECCDecrypt", "hppp"),
    ("SKF_ECCVerify", "hppnp"),
    ("SKF_ECCExportSessionKey", "hnppp"),
    ("SKF_ExtECCEncrypt", "hppnp"),
    ("SKF_ExtECCDecrypt", "hpppp"),
    ("SKF_ExtECCSign", "hppnp"),
    ("SKF_ExtECCVerify", "hppnp"),
    ("SKF_GenerateAgreementDataWithECC", "hnppnp"),
    ("SKF_GenerateKeyWithECC", "hppppp"),
    ("SKF_ExportPublicKey", "hnpp"),
    ("SKF_ImportSessionKey", "hnpnp"),
    ("SKF_SetSymmKey", "hpnp"),
    ("SKF_Encrypt", "hpnpp"),
    ("SKF_EncryptUpdate", "hpnpp"),
    ("SKF_EncryptFinal", "hpp"),
    ("SKF_Decrypt", "hpnpp"),
    ("SKF_DecryptUpdate", "hpnpp"),
    ("SKF_DecryptFinal", "hpp"),
    ("SKF_DigestInit", "hnppnp"),
    ("SKF_Digest", "hpnpp"),
    ("SKF_DigestUpdate", "hpn"),
    ("SKF_DigestFinal", "hpp"),
    ("SKF_MacInit", "hpp"),
    ("SKF_Mac", "hpnpp"),
    ("SKF_MacUpdate", "hpn"),
    ("SKF_MacFinal", "hpp"),
    ("SKF_CloseHandle", "h"),
    ("SKF_CloseContainer", "h"),
    ("SKF_CloseApplication", "h"),
    ("SKF_DisConnectDev", "h"),
];

/// Room behind each pointer; numbers up to it are honest lengths, numbers far above are refused before anything is read.
const ROOM: usize = 8192;

impl Loaded {
    fn function(&self, name: &str) -> Function {
        // SAFETY: all of these functions take integers and pointers, at most eight that matter here.
        *unsafe { self.library.get::<Function>(name.as_bytes()) }.unwrap()
    }

    fn call(&self, name: &str, arguments: &[usize]) -> u32 {
        let mut all = [0; 8];
        all[..arguments.len()].copy_from_slice(arguments);
        let all = all.map(ptr::with_exposed_provenance_mut::<c_void>);
        // SAFETY: pointers are NULL or have the room that the numbers beside them name, or the numbers are above every limit.
        unsafe { self.function(name)(all[0], all[1], all[2], all[3], all[4], all[5], all[6], all[7]) }
    }

    fn log_in(&self) {
        let (_pin, pin) = text(USER_PIN);
        let mut tries = 0_u32;
        let tries = (&raw mut tries).expose_provenance();
        assert_eq!(self.call("SKF_VerifyPIN", &[self.handles[1], 1, pin, tries]), 0);
    }

    fn opened(&self, name: &str, before: &[usize]) -> usize {
        let mut handle = 0_usize;
        let arguments = [before, &[(&raw mut handle).expose_provenance()]].concat();
        assert_eq!(self.call(name, &arguments), 0, "{name}");
        handle
    }
}

fn text(text: &str) -> (Vec<u8>, usize) {
    let bytes = [text.as_bytes(), &[0]].concat();
    let address = bytes.as_ptr().expose_provenance();
    (bytes, address)
}

fn loaded() -> &'static Mutex<Loaded> {
    static LOADED: OnceLock<Mutex<Loaded>> = OnceLock::new();
    LOADED.get_or_init(|| {
        let directory = device();
        // SAFETY: once, before the library reads it, and this binary's other threads wait here.
        unsafe { std::env::set_var("YINXIN_SOFTSKF_DIR", directory.path()) };
        let name = if cfg!(target_os = "macos") {
            "libyinxin_softskf.dylib"
        } else {
            "libyinxin_softskf.so"
        };
        let path = std::env::current_exe().unwrap().with_file_name(name);
        // SAFETY: loading it runs no code of its own.
        let library = unsafe { Library::new(path) }.unwrap();
        let mut loaded = Loaded {
            library,
            handles: Vec::new(),
            _directory: directory,
        };
        let (_serial, serial) = text(SERIAL);
        let (_application, name) = text(APPLICATION);
        let (_container, first) = text(CONTAINER);
        let device = loaded.opened("SKF_ConnectDev", &[serial]);
        let application = loaded.opened("SKF_OpenApplication", &[device, name]);
        loaded.handles = vec![device, application];
        loaded.log_in();
        let container = loaded.opened("SKF_CreateContainer", &[application, first]);
        let key = [7_u8; 16];
        let session = loaded.opened(
            "SKF_SetSymmKey",
            &[device, key.as_ptr().expose_provenance(), 0x401],
        );
        let digest = loaded.opened("SKF_DigestInit", &[device, 1, 0, 0, 0]);
        loaded.handles = vec![
            device,
            application,
            container,
            session,
            digest,
            0,
            1,
            usize::MAX,
            0x5F00_0000,
        ];
        Mutex::new(loaded)
    })
}

/// The words of a text that are names of functions, each before a parenthesis.
fn names(text: &str) -> BTreeSet<String> {
    let word = |rest: &str| {
        let end = rest.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_')?;
        rest[end..].starts_with('(').then(|| rest[..end].to_owned())
    };
    text.match_indices("SKF_")
        .filter_map(|(at, _)| word(&text[at..]))
        .collect()
}

#[test]
fn the_header_and_the_library_have_the_same_functions() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let header = names(&fs::read_to_string(root.join("include/skf.h")).unwrap());
    assert_eq!(header.len(), 79);
    let mut written = BTreeSet::new();
    for entry in fs::read_dir(root.join("src/abi")).unwrap() {
        written.extend(names(&fs::read_to_string(entry.unwrap().path()).unwrap()));
    }
    assert_eq!(header, written);
    let loaded = loaded().lock().unwrap_or_else(PoisonError::into_inner);
    for name in &header {
        loaded.function(name);
    }
    // What the tests here leave out takes structures by value, more arguments, or time.
    let tried = FUNCTIONS.iter().map(|(name, _)| (*name).to_owned()).collect();
    let left_out: Vec<&String> = header.difference(&tried).collect();
    assert_eq!(
        left_out,
        [
            "SKF_CancelWaitForDevEvent",
            "SKF_DecryptInit",
            "SKF_EncryptInit",
            "SKF_GenerateAgreementDataAndKeyWithECC",
            "SKF_LockDev",
            "SKF_WaitForDevEvent"
        ]
    );
}

#[test]
fn every_function_refuses_nothing_but_zeros() {
    let loaded = loaded().lock().unwrap_or_else(PoisonError::into_inner);
    for (name, shape) in FUNCTIONS {
        let answer = loaded.call(name, &vec![0; shape.len()]);
        assert!(answer & 0xFFFF_FF00 == 0x0A00_0000, "{name}: {answer:08X}");
    }
}

#[test]
fn a_handle_that_was_never_given_out_is_no_handle() {
    let loaded = loaded().lock().unwrap_or_else(PoisonError::into_inner);
    let room = vec![0_u8; ROOM];
    let address = room.as_ptr().expose_provenance();
    for (name, shape) in FUNCTIONS.iter().filter(|(_, shape)| shape.starts_with('h')) {
        let argument = |kind| match kind {
            'h' => 0x7FFF_FFF0,
            'n' => 1,
            't' => c"123456".as_ptr().expose_provenance(),
            _ => address,
        };
        let arguments: Vec<usize> = shape.chars().map(argument).collect();
        let answer = loaded.call(name, &arguments);
        // Some look at their other arguments first.
        let looked = ["ECC", "ImportSessionKey", "DigestInit"]
            .iter()
            .any(|part| name.contains(part));
        assert!(
            answer == INVALID_HANDLE || answer == NOT_SUPPORTED || (looked && answer >> 8 == 0x000A_0000),
            "{name}: {answer:08X}"
        );
    }
}

/// An argument by its place in a list, or a number.
#[derive(Debug, Clone)]
enum Argument {
    Null,
    Room(u8),
    Length(u32),
    Handle(usize),
}

fn argument() -> impl Strategy<Value = Argument> {
    prop_oneof![
        Just(Argument::Null),
        any::<u8>().prop_map(Argument::Room),
        (0..=64_u32).prop_map(Argument::Length),
        Just(Argument::Length(0x401)),
        Just(Argument::Length(u32::MAX)),
        Just(Argument::Length(0x8000_0000)),
        (0..9_usize).prop_map(Argument::Handle),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Closing and waiting are left out: what is open is to stay open, and nobody would end the wait.
    #[test]
    fn random_arguments_are_answered(
        function in 0..FUNCTIONS.len() - 4,
        arguments in proptest::collection::vec(argument(), 8),
    ) {
        let loaded = loaded().lock().unwrap_or_else(PoisonError::into_inner);
        let (name, shape) = FUNCTIONS[function];
        let mut rooms: Vec<Vec<u8>> = Vec::new();
        let arguments: Vec<usize> = shape.chars().zip(&arguments).map(|(kind, argument)| match (kind, argument) {
            ('h', Argument::Handle(at)) => loaded.handles[*at],
            ('h' | 'n', Argument::Length(number)) => *number as usize,
            ('n', Argument::Room(number)) => usize::from(*number),
            ('t' | 'p', Argument::Room(byte)) => {
                let mut room = vec![*byte; ROOM];
                // A text ends somewhere, and a length that is read from here is an honest one.
                room[usize::from(*byte % 40)..][..4].fill(0);
                room[160..164].fill(0);
                room[368..372].fill(0);
                rooms.push(room);
                rooms[rooms.len() - 1].as_ptr().expose_provenance()
            }
            _ => 0,
        }).collect();
        let answer = loaded.call(name, &arguments);
        if ["SKF_VerifyPIN", "SKF_ChangePIN", "SKF_UnblockPIN", "SKF_ClearSecureState"].contains(&name) {
            loaded.log_in();
        }
        prop_assert!(answer == 0 || answer >> 8 == 0x000A_0000, "{name}: {answer:08X}");
    }
}
