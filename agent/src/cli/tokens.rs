//! `token list`, `show`, `check`, `change-pin` and `unblock`.
use std::path::Path;

use serde_json::json;
use time::OffsetDateTime;

use super::{
    failure::Failure,
    output::{self, Output},
    pins::{self, Entry},
};
use crate::{
    personalise,
    token::{Token, TokenError, Usage, libraries::Present},
};

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
    let problems: Vec<String> = present.problems.iter().map(ToString::to_string).collect();
    for problem in &problems {
        text.extend([problem, "\n"]);
    }
    Output {
        text,
        json: json!({ "tokens": tokens, "problems": problems }),
    }
}

/// Shows a token.
pub fn show(token: &mut dyn Token) -> Result<Output, Failure> {
    Ok(output::whole(token, OffsetDateTime::now_utc())?)
}

/// Logs in and lets both keys work once.
pub fn check(token: &mut dyn Token, pin_file: Option<&Path>) -> Result<Output, Failure> {
    let pin = pins::user(pin_file)?;
    token.login(&pin)?;
    let key = |usage| token.public_key(usage)?.ok_or(TokenError::NoKey(usage));
    let (signing, encryption) = (key(Usage::Signing)?, key(Usage::Encryption)?);
    personalise::prove_keys(token, &signing, &encryption)?;
    token.logout();
    let serial = token.identity().serial;
    Ok(Output {
        text: format!("Token {serial}: the user PIN is right, and both keys work.\n"),
        json: json!({ "serial": serial, "keys_work": true }),
    })
}

/// Replaces the user PIN.
pub fn change_pin(
    token: &mut dyn Token,
    pin_file: Option<&Path>,
    new_pin_file: Option<&Path>,
) -> Result<Output, Failure> {
    let (old, new) = pins::change(pin_file, new_pin_file)?;
    token.lock()?;
    token.set_user_pin(&old, &new)?;
    token.logout();
    let serial = token.identity().serial;
    Ok(Output {
        text: format!("Token {serial} has the new user PIN.\n"),
        json: json!({ "serial": serial, "changed": true }),
    })
}

/// Sets a new user PIN with the admin PIN.
pub fn unblock(token: &mut dyn Token, pin_file: Option<&Path>) -> Result<Output, Failure> {
    let pins = pins::both(pin_file, Entry::Known)?;
    token.unblock(&pins.admin, &pins.user)?;
    Ok(output::brief(token)?)
}
