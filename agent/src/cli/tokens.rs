//! `token init`, `list`, `show` and `unblock`.
use std::{fs, path::Path};

use serde_json::json;
use time::OffsetDateTime;

use super::{
    failure::Failure,
    output::{self, Output},
    pins::{self, Entry},
};
use crate::token::{FileToken, Token as _, vault::Cost};

/// Most tokens that a list opens.
const LIST_LIMIT: usize = 1000;

/// Makes a blank token.
pub fn init(directory: &Path, label: &str, pin_file: Option<&Path>) -> Result<Output, Failure> {
    // Before anyone is asked for PINs.
    if FileToken::is_in(directory) {
        return Err(crate::token::TokenError::AlreadyThere(directory.to_owned()).into());
    }
    let pins = pins::both(pin_file, Entry::New)?;
    let token = FileToken::create(directory, label, &pins.user, &pins.admin, Cost::STANDARD)?;
    Ok(output::brief(&directory.to_string_lossy(), &token)?)
}

/// Lists the token in a directory and those one level below it.
pub fn list(directory: &Path) -> Result<Output, Failure> {
    let mut places = vec![directory.to_owned()];
    match fs::read_dir(directory) {
        Ok(entries) => {
            for entry in entries {
                places.push(entry.map_err(Failure::Directory)?.path());
            }
        }
        // No token has been made yet.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(Failure::Directory(error)),
    }
    places.sort();
    let (mut text, mut tokens) = (String::new(), Vec::new());
    for place in places
        .iter()
        .filter(|place| FileToken::is_in(place))
        .take(LIST_LIMIT)
    {
        let name = place.to_string_lossy();
        // One damaged token does not hide the others.
        match FileToken::open(place).and_then(|token| output::brief(&name, &token)) {
            Ok(brief) => {
                text.push_str(&brief.text);
                tokens.push(brief.json);
            }
            Err(error) => {
                let error = Failure::from(error).chain();
                text.extend([&name, ": ", error.as_str(), "\n"]);
                tokens.push(json!({ "directory": name, "error": error }));
            }
        }
    }
    if tokens.is_empty() {
        text.push_str("no tokens\n");
    }
    Ok(Output {
        text,
        json: json!({ "tokens": tokens }),
    })
}

/// Shows a token.
pub fn show(directory: &Path) -> Result<Output, Failure> {
    let token = FileToken::open(directory)?;
    Ok(output::whole(
        &directory.to_string_lossy(),
        &token,
        OffsetDateTime::now_utc(),
    )?)
}

/// Sets a new user PIN with the admin PIN.
pub fn unblock(directory: &Path, pin_file: Option<&Path>) -> Result<Output, Failure> {
    let mut token = FileToken::open(directory)?;
    let pins = pins::both(pin_file, Entry::Known)?;
    token.unblock(&pins.admin, &pins.user)?;
    Ok(output::brief(&directory.to_string_lossy(), &token)?)
}
