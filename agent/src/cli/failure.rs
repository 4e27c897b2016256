//! Why a command did not do its work, for people, for programs, and as an exit code.
use std::{error::Error, io};

use serde_json::{Value, json};

use crate::{
    configuration::ConfigurationError,
    operations::{OperationError, login::ChallengeRefusal, signing::Confusable},
    personalise::PersonaliseError,
    pin::PinRefusal,
    platform::{PlatformError, SetupError},
    private_file::ReadError,
    service::StartError,
    ticket::PlatformCertificatesError,
    token::TokenError,
};

/// `EX_USAGE` of sysexits.
pub const USAGE: u8 = 64;
const REFUSED: u8 = 2;
const FAILED: u8 = 1;

/// Why a command did not do its work.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The token's refusal.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// Personalising stopped.
    #[error(transparent)]
    Personalise(#[from] PersonaliseError),
    /// The platform cannot be called with what was given.
    #[error(transparent)]
    Setup(#[from] SetupError),
    /// A file that was named cannot be used.
    #[error(transparent)]
    File(#[from] ReadError),
    /// A PIN that breaks the rules.
    #[error("the {which} PIN is refused: {reason}")]
    Pin {
        /// Which PIN.
        which: &'static str,
        /// The rule.
        reason: PinRefusal,
    },
    /// Both PINs the same: the vendor would know the holder's.
    #[error("the user PIN and the admin PIN are to differ")]
    SamePins,
    /// Typed twice, not the same.
    #[error("the two entries differ")]
    Mistyped,
    /// The PIN file has not the lines it should.
    #[error(
        "the PIN file has no {0} PIN: the user PIN stands in its first line, the admin PIN in its second"
    )]
    PinFile(&'static str),
    /// No terminal to ask on.
    #[error("there is no terminal to ask for PINs: use --pin-file")]
    NoTerminal(#[source] io::Error),
    /// It is not known which libraries to load.
    #[error(transparent)]
    Configuration(#[from] ConfigurationError),
    /// No place for what the service keeps.
    #[error("there is no home directory: name the service's with --state")]
    NoDirectory,
    /// A file or folder that was named cannot be read.
    #[error("{0} cannot be read")]
    Unreadable(String, #[source] io::Error),
    /// A file or folder that was named is not what it should be.
    #[error("{0} {1}")]
    Material(String, &'static str),
    /// The result cannot be printed.
    #[error("the result cannot be printed")]
    Output(#[source] io::Error),
    /// The service does not start.
    #[error("the agent does not start")]
    Start(#[from] StartError),
    /// The certificates of the platform cannot be used.
    #[error("{0} cannot be used")]
    PlatformCertificates(String, #[source] PlatformCertificatesError),
    /// No page can be opened.
    #[error("the browser cannot be started")]
    Browser(#[source] io::Error),
    /// The operation did not come about.
    #[error(transparent)]
    Operation(OperationError),
    /// A message that means something else when it is signed.
    #[error(transparent)]
    Confusable(#[from] Confusable),
    /// A challenge is not acceptable.
    #[error(transparent)]
    Challenge(#[from] ChallengeRefusal),
    /// The new PIN is the old one.
    #[error("the new PIN is to differ from the old one")]
    OldPin,
    /// A file cannot be written.
    #[error("{0} cannot be written")]
    Unwritable(String, #[source] io::Error),
    /// Nobody takes a request.
    #[error(
        "no agent is running: start it with `systemctl --user start yinxin-agent`, or `yinxin-agent serve --open`"
    )]
    NotRunning,
    /// The program's own start.
    #[error("the program cannot start its work")]
    Runtime(#[source] io::Error),
}

impl From<OperationError> for Failure {
    fn from(error: OperationError) -> Self {
        match error {
            OperationError::Token(error) => Self::Token(error),
            error => Self::Operation(error),
        }
    }
}

impl Failure {
    /// What the process ends with.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Personalise(PersonaliseError::Platform(PlatformError::Refused(_))) => REFUSED,
            Self::Pin { .. }
            | Self::SamePins
            | Self::OldPin
            | Self::Confusable(_)
            | Self::Challenge(_)
            | Self::PinFile(_)
            | Self::NoTerminal(_)
            | Self::Configuration(_)
            | Self::NoDirectory
            | Self::Unreadable(..)
            | Self::Material(..)
            | Self::PlatformCertificates(..)
            | Self::Setup(SetupError::Address | SetupError::Session)
            | Self::Token(TokenError::SeveralTokens(_)) => USAGE,
            _ => FAILED,
        }
    }

    /// Shows it on standard error. When even that fails there is no one left to tell; the exit code stands.
    pub fn print(&self, json: bool) {
        if json {
            eprintln!("{}", self.to_json());
        } else {
            eprintln!("error: {}", self.chain());
        }
    }

    fn to_json(&self) -> Value {
        match self {
            Self::Personalise(PersonaliseError::Platform(PlatformError::Refused(problem))) => {
                json!({ "error": {
                    "message": self.chain(), "type": problem.kind, "title": problem.title,
                    "detail": problem.detail, "status": problem.status,
                }})
            }
            _ => json!({ "error": { "message": self.chain() } }),
        }
    }

    /// The message with its causes, in one line.
    pub fn chain(&self) -> String {
        Self::chain_of(self)
    }

    /// The same of any error.
    pub fn chain_of(error: &dyn Error) -> String {
        let mut text = error.to_string();
        let mut source = error.source();
        while let Some(error) = source {
            text = format!("{text}: {error}");
            source = error.source();
        }
        text
    }
}
