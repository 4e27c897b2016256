//! `inspect`: what is in a file, without judging it.
use std::{path::PathBuf, process::ExitCode};

use clap::Args;
use serde_json::json;

use super::{
    failure::Failure,
    material::{self, Object},
    output::Output,
};

mod certificate;
mod lists;
mod messages;
mod shown;

use shown::Shown;
pub use shown::{china, utc};

pub const EXAMPLES: &str = "\
Examples:
  yinxin-agent inspect certificate.cer
  yinxin-agent inspect chain.pem --json
  yinxin-agent inspect seal-signature.p7b

The kind is told by the content, not by the name: PEM, DER or bare base64. Nothing is verified.
Exit codes: 0 everything was read, 1 something was not, 64 wrong use.";

/// Longest hexadecimal text of an unknown value, in bytes of the value.
const MAX_HEX_BYTES: usize = 64;

#[derive(Args)]
pub struct Arguments {
    /// The file.
    file: PathBuf,
}

/// Shows all objects of a file.
pub fn run(arguments: &Arguments) -> Result<(Output, ExitCode), Failure> {
    let found = material::read(&arguments.file)?;
    let all_read = found.iter().all(Result::is_ok);
    let shown: Vec<Shown> = found
        .iter()
        .map(|found| match found {
            Ok(object) => show(object),
            Err(reason) => Shown::fields([
                ("kind", Shown::text("unreadable")),
                ("reason", Shown::text(reason)),
            ]),
        })
        .collect();
    let texts: Vec<String> = shown.iter().map(Shown::to_text).collect();
    let objects: Vec<serde_json::Value> = shown.iter().map(Shown::to_json).collect();
    let output = Output {
        text: texts.join("\n"),
        json: json!({ "file": arguments.file.display().to_string(), "objects": objects }),
    };
    let code = if all_read {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    };
    Ok((output, code))
}

fn show(object: &Object) -> Shown {
    let kind = ("kind", Shown::text(object.kind()));
    let fields = match object {
        Object::Certificate(certificate) => certificate::fields(certificate),
        Object::Request(request) => certificate::request_fields(request),
        Object::Crl(crl) => lists::crl_fields(crl),
        Object::OcspRequest(request) => lists::request_fields(request),
        Object::OcspResponse(answer) => lists::answer_fields(answer),
        Object::Cms(message) => messages::fields(message),
        Object::EnvelopedKey(key) => messages::key_fields(key),
    };
    Shown::Fields([kind].into_iter().chain(fields).collect())
}

/// Hexadecimal, cut where it becomes long.
fn hex(bytes: &[u8]) -> String {
    match bytes.get(..MAX_HEX_BYTES) {
        Some(head) if bytes.len() > MAX_HEX_BYTES => {
            format!("{}... ({} bytes)", hex::encode(head), bytes.len())
        }
        _ => hex::encode(bytes),
    }
}
