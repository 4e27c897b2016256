//! A token that is pulled out at each call of its library in turn, and the run after it.
//!
//! The software token reads from the environment when it is to be pulled, so the run that loses its token is a program of
//! its own: this one, asked for one of its tests.
use std::{
    process::{Command, Output},
    sync::{Mutex, PoisonError},
};

use yinxin_agent::{
    personalise::journal::CHAIN_RECORD,
    token::{SkfToken, Token as _, TokenError, Usage},
};
use yinxin_pki::{Certificate, Name};

use crate::{
    authority::Authority,
    platform::ORDER_NUMBER,
    soft_token::{self, SoftToken},
    world::{ADMIN_PIN, PIN, World, personalise, pin},
};

const URL: &str = "YINXIN_TEST_PLATFORM";
const SERIAL: &str = "YINXIN_TEST_SERIAL";
const CERTIFICATE: &str = "YINXIN_TEST_CERTIFICATE";
const RESULT: &str = "RESULT: ";

/// Each function that a personalisation calls.
pub const CALLS: [&str; 27] = [
    "SKF_EnumDev",
    "SKF_ConnectDev",
    "SKF_GetDevInfo",
    "SKF_LockDev",
    "SKF_EnumApplication",
    "SKF_OpenApplication",
    "SKF_EnumContainer",
    "SKF_CreateContainer",
    "SKF_OpenContainer",
    "SKF_GetPINInfo",
    "SKF_VerifyPIN",
    "SKF_ChangePIN",
    "SKF_ClearSecureState",
    "SKF_GetFileInfo",
    "SKF_CreateFile",
    "SKF_ReadFile",
    "SKF_WriteFile",
    "SKF_DeleteFile",
    "SKF_GenECCKeyPair",
    "SKF_ExportPublicKey",
    "SKF_ECCSignData",
    "SKF_ImportECCKeyPair",
    "SKF_ImportCertificate",
    "SKF_ExportCertificate",
    "SKF_ImportSessionKey",
    "SKF_DecryptInit",
    "SKF_Decrypt",
];

/// Those that change a token. Losing it after any other is losing it before the next.
pub const CHANGES: [&str; 10] = [
    "SKF_CreateContainer",
    "SKF_DeleteContainer",
    "SKF_VerifyPIN",
    "SKF_ChangePIN",
    "SKF_CreateFile",
    "SKF_WriteFile",
    "SKF_DeleteFile",
    "SKF_GenECCKeyPair",
    "SKF_ImportECCKeyPair",
    "SKF_ImportCertificate",
];

/// Those that a blank token need not meet.
const RARE: [&str; 2] = ["SKF_OpenContainer", "SKF_DeleteFile"];

/// The faults of the software token are of its directory: one test at a time.
pub static ALONE: Mutex<()> = Mutex::new(());

#[tokio::test]
#[ignore = "run by the tests below as a program of its own"]
async fn one_run_of_the_agent() {
    if std::env::var_os(SERIAL).is_none() {
        return;
    }
    let result = match open() {
        Some(Ok(mut token)) => {
            let url = std::env::var(URL).unwrap();
            let run = personalise(&url, &mut token, ORDER_NUMBER, PIN).await;
            run.map(drop).map_err(|error| error.to_string())
        }
        Some(Err(error)) => Err(error.to_string()),
        None => Err("the token is not there".to_owned()),
    };
    tell(&result);
}

#[test]
#[ignore = "run by the tests below as a program of its own"]
fn one_exchange_of_a_certificate() {
    let Ok(certificate) = std::env::var(CERTIFICATE) else {
        return;
    };
    let certificate = Certificate::from_pem(&certificate).unwrap();
    let result = match open() {
        Some(token) => token.and_then(|mut token| {
            token.login(&pin(PIN))?;
            token.import_certificate(Usage::Signing, &certificate)?;
            token.write_record(CHAIN_RECORD, b"the new chain")
        }),
        None => return,
    };
    tell(&result.map_err(|error| error.to_string()));
}

pub fn open() -> Option<Result<SkfToken, TokenError>> {
    let serial = std::env::var(SERIAL).unwrap();
    let names = soft_token::library().devices().unwrap_or_default();
    let name = names.into_iter().find(|name| name.as_str() == serial)?;
    Some(SkfToken::open(soft_token::library(), &name))
}

pub fn tell(result: &Result<(), String>) {
    match result {
        Ok(()) => println!("{RESULT}done"),
        Err(error) => println!("{RESULT}{error}"),
    }
}

/// Lets the program that does one of the above lose its token; whether it did lose it, and what it told.
pub fn lose(test: &str, serial: &str, fault: &str, variables: &[(&str, &str)]) -> (bool, String) {
    let marker = soft_token::directory().join("pulled");
    let output: Output = Command::new(std::env::current_exe().unwrap())
        .args([test, "--exact", "--ignored", "--nocapture"])
        .env("YINXIN_SOFTSKF_FAULT", fault)
        .env(SERIAL, serial)
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{fault}: {printed}");
    let told = printed
        .lines()
        .find_map(|line| line.split_once(RESULT))
        .map(|(_, told)| told.to_owned());
    let was_pulled = marker.exists();
    if was_pulled {
        // Back in.
        std::fs::remove_file(marker).unwrap();
    }
    (was_pulled, told.unwrap_or_default())
}

#[test]
fn a_token_pulled_at_any_call_is_completed_by_the_next_run() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let mut pulled = 0;
    for call in CALLS {
        let after = CHANGES.contains(&call).then_some(":lost");
        for moment in std::iter::once("").chain(after) {
            for number in 1.. {
                let world = World::new();
                let fault = format!("{call}:{number}{moment}");
                let (was_pulled, told) = lose(
                    "pulled::one_run_of_the_agent",
                    world.serial(),
                    &fault,
                    &[(URL, &world.platform.url())],
                );
                if !was_pulled {
                    assert_eq!(told, "done", "{fault}");
                    assert!(number > 1 || RARE.contains(&call), "{call} is never called");
                    break;
                }
                pulled += 1;
                // What it was doing after the platform had acknowledged it need not have failed.
                let is_plain = ["done", "the token is not there"].contains(&told.as_str());
                assert!(is_plain || told.contains("pulled out"), "{fault}: {told}");
                runtime
                    .block_on(world.run())
                    .unwrap_or_else(|error| panic!("{fault}: {error}"));
                world.assert_personalised();
            }
        }
    }
    assert!(pulled > 120, "only {pulled} calls were lost");
}

#[test]
fn a_certificate_whose_exchange_is_interrupted_is_the_old_one_or_the_new_one() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let authority = Authority::new();
    let name = Name::unit("示例建筑有限公司", None).unwrap();
    let mut seen = [0, 0];
    for call in ["SKF_ImportCertificate", "SKF_CreateFile", "SKF_WriteFile"] {
        for moment in ["", ":after", ":lost"] {
            for number in 1.. {
                let blank = SoftToken::new("Old", PIN, ADMIN_PIN);
                let mut token = blank.open();
                token.login(&pin(PIN)).unwrap();
                let key = token.generate_signing_key().unwrap();
                let [old, new] = [(); 2].map(|()| authority.issue_for(&name, &key).signing);
                token.import_certificate(Usage::Signing, &old).unwrap();
                token.write_record(CHAIN_RECORD, b"the old chain").unwrap();
                drop(token);
                let fault = format!("{call}:{number}{moment}");
                let (was_pulled, _) = lose(
                    "pulled::one_exchange_of_a_certificate",
                    &blank.serial,
                    &fault,
                    &[(CERTIFICATE, &new.to_pem())],
                );
                let mut token = blank.open();
                let held = token.certificate(Usage::Signing).unwrap().unwrap();
                assert!(held == old || held == new, "{fault}");
                seen[usize::from(held == new)] += 1;
                let chain = token.record(CHAIN_RECORD).unwrap().unwrap();
                assert!(chain == b"the old chain" || chain == b"the new chain", "{fault}");
                token.login(&pin(PIN)).unwrap();
                let signature = token.sign(b"message").unwrap();
                assert!(held.public_key().unwrap().verify(b"message", &signature).is_ok());
                if !was_pulled {
                    assert_eq!((held, chain.as_slice()), (new, &b"the new chain"[..]));
                    break;
                }
            }
        }
    }
    assert!(seen.iter().all(|&times| times > 0), "{seen:?}");
}
