//! `token init`, `list`, `show` and `unblock`.
use std::{fs, path::Path};

use serde_json::json;
use time::OffsetDateTime;

use super::{
    failure::Failure,
    output::{self, Output},
    pins::{self, Entry},
};
use crate::token::{FileToken, Token, libraries::Present, vault::Cost};

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
    Ok(output::brief(&token)?)
}

/// Lists the UKeys that are plugged in.
pub fn list(present: &Present) -> Output {
    let (mut text, mut tokens) = (String::new(), Vec::new());
    for found in &present.tokens {
        // One token that another program uses does not hide the others.
        match found.open().and_then(|token| output::brief(&token)) {
            Ok(mut brief) => {
                brief.json["library"] = found.library_name.as_str().into();
                text.push_str(&brief.text);
                tokens.push(brief.json);
            }
            Err(error) => {
                let error = Failure::from(error).chain();
                text.extend([&found.identity.to_string(), ": ", &error, "\n"]);
                tokens.push(json!({
                    "serial": found.identity.serial, "label": found.identity.label,
                    "library": found.library_name, "error": error,
                }));
            }
        }
    }
    if tokens.is_empty() {
        text.push_str("no UKey is plugged in\n");
    }
    for problem in &present.problems {
        text.extend([problem, "\n"]);
    }
    Output {
        text,
        json: json!({ "tokens": tokens, "problems": present.problems }),
    }
}

/// Lists the file token in a directory and those one level below it.
pub fn list_directory(directory: &Path) -> Result<Output, Failure> {
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
        match FileToken::open(place).and_then(|token| output::brief(&token)) {
            Ok(mut brief) => {
                brief.json["directory"] = name.as_ref().into();
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
pub fn show(token: &dyn Token) -> Result<Output, Failure> {
    Ok(output::whole(token, OffsetDateTime::now_utc())?)
}

/// Sets a new user PIN with the admin PIN.
pub fn unblock(token: &mut dyn Token, pin_file: Option<&Path>) -> Result<Output, Failure> {
    let pins = pins::both(pin_file, Entry::Known)?;
    token.unblock(&pins.admin, &pins.user)?;
    Ok(output::brief(token)?)
}
