//! `sign`: a message, or its digest, with the token's signing key.
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use time::OffsetDateTime;

use super::{
    failure::Failure,
    holding::{Holding, given, input},
    output::Output,
};
use crate::{
    operations::{DigestFormat, SignFormat, signing},
    token::Usage,
};

pub const EXAMPLES: &str = "\
Examples:
  yinxin-agent sign contract.pdf --format cms-detached --output contract.p7s
  yinxin-agent sign - --format raw --pin-file pin --json < message
  yinxin-agent sign --digest 66c7f0f4… --format cms-detached --output contract.p7s

raw is a DER SM2Signature over e = SM3(Z ‖ message), of a digest over e = SM3(Z ‖ digest); cms-attached and cms-detached are
GM/T 0010 SignedData. Without --output the result is printed as base64. What means something else when it is signed raw (a login, signed
attributes, a certificate request) is refused.";

/// What `sign` takes.
#[derive(Args)]
pub struct Arguments {
    /// File with the message; - for standard input.
    #[arg(value_name = "FILE", required_unless_present = "digest")]
    message: Option<PathBuf>,
    /// SM3 of the message, without Z, in hexadecimal.
    #[arg(long, value_name = "HEX", conflicts_with = "message", value_parser = digest)]
    digest: Option<Digest>,
    /// Form of the signature.
    #[arg(long, value_enum)]
    format: Format,
    /// Where the signature goes, DER.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    holding: Holding,
}

#[derive(Clone, Copy)]
struct Digest([u8; 32]);

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Raw,
    CmsAttached,
    CmsDetached,
}

/// Signs.
pub fn run(arguments: &Arguments) -> Result<Output, Failure> {
    let now = OffsetDateTime::now_utc();
    let holding = &arguments.holding;
    let signed = match (arguments.digest, &arguments.message) {
        (Some(Digest(digest)), _) => {
            let format = match arguments.format {
                Format::Raw => DigestFormat::Raw,
                Format::CmsDetached => DigestFormat::CmsDetached,
                Format::CmsAttached => {
                    return Err(Failure::Material(
                        "--format cms-attached".to_owned(),
                        "needs the message",
                    ));
                }
            };
            holding.with(Usage::Signing, |token, signer| {
                signing::digest(token, signer, &digest, format, now)
            })?
        }
        (None, Some(path)) => {
            let message = input(path)?;
            let format = match arguments.format {
                Format::Raw => {
                    signing::refuse_confusable(&message)?;
                    SignFormat::Raw
                }
                Format::CmsAttached => SignFormat::CmsAttached,
                Format::CmsDetached => SignFormat::CmsDetached,
            };
            holding.with(Usage::Signing, |token, signer| {
                signing::message(token, signer, &message, format, now)
            })?
        }
        // The parser of arguments asks for one of them.
        (None, None) => return Err(Failure::Material("FILE".to_owned(), "is missing")),
    };
    let field = if arguments.format == Format::Raw {
        "signature"
    } else {
        "cms"
    };
    given(signed, field, arguments.output.as_deref())
}

fn digest(text: &str) -> Result<Digest, &'static str> {
    let mut digest = [0; 32];
    hex::decode_to_slice(text, &mut digest).map_err(|_| "32 bytes in hexadecimal are expected")?;
    Ok(Digest(digest))
}
