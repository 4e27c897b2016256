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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use yinxin_pki::{CsrBuilder, EnvelopedKey, Name, SigningKey};

    use super::*;

    fn show_all(bytes: &[u8]) {
        for found in material::recognise(bytes) {
            if let Ok(object) = found {
                let shown = show(&object);
                assert!(!shown.to_text().is_empty() && shown.to_json().is_object());
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]

        #[test]
        fn arbitrary_bytes_are_shown_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            show_all(&bytes);
            show_all(&yinxin_pki::der::sequence(&[&yinxin_pki::der::sequence(&[&bytes])]));
            show_all(&[b"-----BEGIN CERTIFICATE-----\n", &bytes[..], b"-----END"].concat());
        }

        #[test]
        fn damaged_objects_are_shown_or_refused(at in 0_usize..2000, octet in any::<u8>()) {
            let key = SigningKey::from_scalar(&[3; 32]).unwrap();
            let subject = Name::unit("测试", None).unwrap();
            let request = CsrBuilder::new(&subject, key.public_key()).sign_with(|info| key.sign(info)).unwrap();
            let envelope = EnvelopedKey::seal(&key, key.public_key(), &mut crate::token::vault::rng());
            for whole in [request, envelope.as_der().to_vec()] {
                let mut damaged = whole;
                let at = at % damaged.len();
                damaged[at] = octet;
                show_all(&damaged);
                show_all(&damaged[..at]);
            }
        }
    }

    #[test]
    fn a_text_cannot_rewrite_the_terminal() {
        let shown = Shown::fields([("name", Shown::text("a\u{1b}[2Jb\nkind forged"))]);
        assert_eq!(shown.to_text().lines().count(), 1);
        assert!(!shown.to_text().contains('\u{1b}'));
    }
}
