//! What `sign`, `decrypt` and `login` have in common: the holder's token, what is read, and what is written.
use std::{
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use clap::Args;
use serde_json::Value;
use yinxin_pki::Certificate;

use super::{Place, USER_PIN_FILE_HELP, failure::Failure, output::Output, pins};
use crate::{
    operations::OperationError,
    token::{Token, Usage},
};

/// Longest message or ciphertext.
const INPUT_LIMIT_BYTES: u64 = 64 * 1024 * 1024;

/// Which token, and its PIN.
#[derive(Args)]
pub struct Holding {
    #[command(flatten)]
    place: Place,
    #[arg(long, value_name = "FILE", help = USER_PIN_FILE_HELP)]
    pin_file: Option<PathBuf>,
}

impl Holding {
    /// Works with the token and one of its certificates, logged in; the token is locked for this program until the end.
    pub fn with(
        &self,
        usage: Usage,
        work: impl FnOnce(&mut dyn Token, &Certificate) -> Result<Value, OperationError>,
    ) -> Result<Value, Failure> {
        let mut token = self.place.open()?;
        let certificate = token
            .certificate(usage)?
            .ok_or(OperationError::NoCertificate(usage))?;
        let pin = pins::user(self.pin_file.as_deref())?;
        token.lock()?;
        token.login(&pin)?;
        let done = work(&mut token, &certificate);
        token.logout();
        Ok(done?)
    }
}

/// The bytes of a file, or of standard input for `-`.
pub fn input(path: &Path) -> Result<Vec<u8>, Failure> {
    let name = path.display().to_string();
    let read = |from: &mut dyn Read| {
        let mut bytes = Vec::new();
        from.take(INPUT_LIMIT_BYTES + 1)
            .read_to_end(&mut bytes)
            .map(|_| bytes)
    };
    let bytes = if path == Path::new("-") {
        read(&mut io::stdin().lock())
    } else {
        File::open(path).and_then(|mut file| read(&mut file))
    };
    match bytes {
        Ok(bytes) if bytes.is_empty() => Err(Failure::Material(name, "is empty")),
        Ok(bytes) if bytes.len() as u64 > INPUT_LIMIT_BYTES => {
            Err(Failure::Material(name, "is longer than 64 MiB"))
        }
        bytes => bytes.map_err(|error| Failure::Unreadable(name, error)),
    }
}

/// A result whose field of base64 is printed, or written to a file as bytes.
pub fn given(value: Value, field: &str, file: Option<&Path>) -> Result<Output, Failure> {
    let base64 = value[field].as_str().unwrap_or_default();
    let text = match file {
        Some(file) => {
            let name = file.display().to_string();
            let bytes = STANDARD.decode(base64).unwrap_or_default();
            fs::write(file, bytes).map_err(|error| Failure::Unwritable(name.clone(), error))?;
            format!("Written to {name}.\n")
        }
        None => format!("{base64}\n"),
    };
    Ok(Output { text, json: value })
}
