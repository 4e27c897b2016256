//! `decrypt`: what is encrypted to the token's encryption certificate.
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use yinxin_pki::cms_envelope::Envelope;

use super::{
    failure::Failure,
    holding::{Holding, given, input},
    output::Output,
};
use crate::{
    operations::{Ciphertext, perform},
    token::Usage,
};

pub const EXAMPLES: &str = "\
Examples:
  yinxin-agent decrypt bid.p7m --format cms --output bid.zip
  yinxin-agent decrypt - --format sm2 --pin-file pin --json < ciphertext

Both forms are DER: cms is GM/T 0010 EnvelopedData, sm2 an SM2Cipher. Without --output the plaintext is printed as base64.";

/// What `decrypt` takes.
#[derive(Args)]
pub struct Arguments {
    /// File with the ciphertext; - for standard input.
    #[arg(value_name = "FILE")]
    ciphertext: PathBuf,
    /// Form of the ciphertext.
    #[arg(long, value_enum)]
    format: Format,
    /// Where the plaintext goes.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    holding: Holding,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Sm2,
    Cms,
}

/// Decrypts.
pub fn run(arguments: &Arguments) -> Result<Output, Failure> {
    let bytes = input(&arguments.ciphertext)?;
    let ciphertext = match arguments.format {
        Format::Sm2 => Ciphertext::Sm2(bytes),
        Format::Cms => Ciphertext::Cms(Envelope::from_der(&bytes).map_err(|_| {
            let name = arguments.ciphertext.display().to_string();
            Failure::Material(name, "is no EnvelopedData of SM2 and SM4")
        })?),
    };
    let opened = arguments.holding.with(Usage::Encryption, |token, certificate| {
        perform::decrypt(token, certificate, &ciphertext)
    })?;
    given(opened, "plaintext", arguments.output.as_deref())
}
