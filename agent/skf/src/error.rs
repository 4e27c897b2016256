//! Why a token did not do it, by what the caller can do about it.
use std::{fmt, path::PathBuf};

use crate::abi::{SAR_BUFFER_TOO_SMALL, Ulong};

/// Which call failed, and with what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failure {
    /// The function's name in the standard.
    pub call: &'static str,
    /// `SAR_*`; `None` when the library has no such function.
    pub code: Option<u32>,
}

/// Why a token did not do it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Try another PIN; a try is gone.
    #[error("the PIN is wrong [{failure}]")]
    WrongPin {
        /// Tries left, where the library says it.
        left: Option<u32>,
        /// The call.
        failure: Failure,
    },
    /// Unblock the PIN, or exchange the token.
    #[error("the PIN is locked [{0}]")]
    PinLocked(Failure),
    /// Choose a PIN of another length.
    #[error("the token does not take such a PIN [{0}]")]
    PinRefused(Failure),
    /// Verify the PIN first.
    #[error("the PIN has to be verified first [{0}]")]
    NotLoggedIn(Failure),
    /// Plug the token in again, and start over.
    #[error("the token is not plugged in any more [{0}]")]
    Removed(Failure),
    /// There is no such key, certificate, file or application: make it.
    #[error("the token has no such object [{0}]")]
    Absent(Failure),
    /// It is there already.
    #[error("the token has such an object already [{0}]")]
    Exists(Failure),
    /// Delete something, or take another token.
    #[error("the token is full [{0}]")]
    Full(Failure),
    /// Try again when the other program has ended.
    #[error("another program is using the token [{0}]")]
    Busy(Failure),
    /// Do it another way.
    #[error("the vendor's library does not offer this [{0}]")]
    Unsupported(Failure),
    /// The token's own reason; see the code.
    #[error("the token refused [{0}]")]
    Refused(Failure),
    /// The library does not keep to the standard, or its profile is not its own.
    #[error("the vendor's library answered outside the standard: {fault} [{call}]")]
    Misbehaved {
        /// The function.
        call: &'static str,
        /// What does not fit.
        fault: &'static str,
    },
}

/// Why a library cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The system does not load it.
    #[error("the library {} cannot be loaded", path.display())]
    Load {
        /// Where it should be.
        path: PathBuf,
        /// What the system said.
        source: libloading::Error,
    },
    /// A library, but not of GM/T 0016.
    #[error("the library {} has no function {symbol}: it is no SKF library", path.display())]
    NotSkf {
        /// Where it is.
        path: PathBuf,
        /// What is missing.
        symbol: &'static str,
    },
}

impl Error {
    /// Of a library that lacks the function.
    pub(crate) fn missing(call: &'static str) -> Self {
        Self::Unsupported(Failure { call, code: None })
    }

    pub(crate) fn misbehaved(call: &'static str, fault: &'static str) -> Self {
        Self::Misbehaved { call, fault }
    }

    /// Sorts a code (Annex A).
    pub(crate) fn of(call: &'static str, code: Ulong) -> Self {
        let failure = Failure {
            call,
            code: Some(code),
        };
        match code {
            0x0A00_0024 => Self::WrongPin { left: None, failure },
            0x0A00_0025 => Self::PinLocked(failure),
            0x0A00_0026 | 0x0A00_0027 => Self::PinRefused(failure),
            0x0A00_002D => Self::NotLoggedIn(failure),
            // Handles are only used while they are open: one that is not valid has lost its device.
            0x0A00_0005 | 0x0A00_0023 => Self::Removed(failure),
            0x0A00_001B | 0x0A00_001C | 0x0A00_002E | 0x0A00_0031 => Self::Absent(failure),
            0x0A00_002C | 0x0A00_002F => Self::Exists(failure),
            0x0A00_0030 | 0x0A00_0032 => Self::Full(failure),
            0x0A00_000F => Self::Busy(failure),
            0x0A00_0003 => Self::Unsupported(failure),
            _ => Self::Refused(failure),
        }
    }

    /// The code, where there is one.
    pub fn code(&self) -> Option<u32> {
        match self {
            Self::WrongPin { failure, .. }
            | Self::PinLocked(failure)
            | Self::PinRefused(failure)
            | Self::NotLoggedIn(failure)
            | Self::Removed(failure)
            | Self::Absent(failure)
            | Self::Exists(failure)
            | Self::Full(failure)
            | Self::Busy(failure)
            | Self::Unsupported(failure)
            | Self::Refused(failure) => failure.code,
            Self::Misbehaved { .. } => None,
        }
    }

    pub(crate) fn is_too_small(&self) -> bool {
        self.code() == Some(SAR_BUFFER_TOO_SMALL)
    }

    /// Whether the library did not know the parameter: another form of it may be taken.
    pub(crate) fn is_about_parameters(&self) -> bool {
        matches!(self, Self::Unsupported(_)) || matches!(self.code(), Some(0x0A00_0006 | 0x0A00_000A))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.code {
            None => write!(formatter, "{} is missing", self.call),
            Some(code) => write!(formatter, "{}: {} {code:#010X}", self.call, name(code)),
        }
    }
}

/// Annex A, without `SAR_`; the spelling is that of the headers.
const NAMES: [&str; 0x33] = [
    "OK",
    "FAIL",
    "UNKNOWNERR",
    "NOTSUPPORTYETERR",
    "FILEERR",
    "INVALIDHANDLEERR",
    "INVALIDPARAMERR",
    "READFILEERR",
    "WRITEFILEERR",
    "NAMELENERR",
    "KEYUSAGEERR",
    "MODULUSLENERR",
    "NOTINITIALIZEERR",
    "OBJERR",
    "MEMORYERR",
    "TIMEOUTERR",
    "INDATALENERR",
    "INDATAERR",
    "GENRANDERR",
    "HASHOBJERR",
    "HASHERR",
    "GENRSAKEYERR",
    "RSAMODULUSLENERR",
    "CSPIMPRTPUBKEYERR",
    "RSAENCERR",
    "RSADECERR",
    "HASHNOTEQUALERR",
    "KEYNOTFOUNTERR",
    "CERTNOTFOUNTERR",
    "NOTEXPORTERR",
    "DECRYPTPADERR",
    "MACLENERR",
    "BUFFER_TOO_SMALL",
    "KEYINFOTYPEERR",
    "NOT_EVENTERR",
    "DEVICE_REMOVED",
    "PIN_INCORRECT",
    "PIN_LOCKED",
    "PIN_INVALID",
    "PIN_LEN_RANGE",
    "USER_ALREADY_LOGGED_IN",
    "USER_PIN_NOT_INITIALIZED",
    "USER_TYPE_INVALID",
    "APPLICATION_NAME_INVALID",
    "APPLICATION_EXISTS",
    "USER_NOT_LOGGED_IN",
    "APPLICATION_NOT_EXISTS",
    "FILE_ALREADY_EXIST",
    "NO_ROOM",
    "FILE_NOT_EXIST",
    "REACH_MAX_CONTAINER_COUNT",
];

/// First code of Annex A; `SAR_OK` is 0 and never an error.
const FIRST_CODE: u32 = 0x0A00_0000;

fn name(code: u32) -> String {
    code.checked_sub(FIRST_CODE)
        .and_then(|number| NAMES.get(number as usize))
        .map_or_else(|| "vendor's code".to_owned(), |name| format!("SAR_{name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_shows_with_its_call_and_its_name() {
        let error = Error::of("SKF_ImportECCKeyPair", 0x0A00_001E);
        assert_eq!(
            error.to_string(),
            "the token refused [SKF_ImportECCKeyPair: SAR_DECRYPTPADERR 0x0A00001E]"
        );
        assert_eq!(
            Error::of("SKF_LockDev", 0x0B00_0033).to_string(),
            "the token refused [SKF_LockDev: vendor's code 0x0B000033]"
        );
    }

    #[test]
    fn the_names_stand_at_their_numbers() {
        for (code, expected) in [
            (0x0A00_0001, "SAR_FAIL"),
            (0x0A00_000A, "SAR_KEYUSAGEERR"),
            (0x0A00_0010, "SAR_INDATALENERR"),
            (0x0A00_001B, "SAR_KEYNOTFOUNTERR"),
            (0x0A00_0024, "SAR_PIN_INCORRECT"),
            (0x0A00_002D, "SAR_USER_NOT_LOGGED_IN"),
            (0x0A00_0032, "SAR_REACH_MAX_CONTAINER_COUNT"),
        ] {
            assert_eq!(name(code), expected);
        }
    }
}
