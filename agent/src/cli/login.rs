//! `login`: answers a site's challenge, as the service does for the site's page.
use clap::Args;
use time::OffsetDateTime;

use super::{failure::Failure, holding::Holding, output::Output};
use crate::{operations::login::Challenge, service::origin::Origin, token::Usage};

pub const EXAMPLES: &str = "\
Examples:
  yinxin-agent login --origin https://site.example --audience bidding --nonce \"$NONCE\" --json

It prints statement, signature and certificate, each as base64, for the site's server to verify. No browser states the origin here: name the
site that gave the nonce, and no other.";

/// What `login` takes.
#[derive(Args)]
pub struct Arguments {
    /// The site, as browsers write its origin.
    #[arg(long, value_name = "ORIGIN")]
    origin: Origin,
    /// What one logs in to, as the site calls it.
    #[arg(long, value_name = "TEXT")]
    audience: String,
    /// The site's random bytes, base64 of 32 to 128.
    #[arg(long, value_name = "BASE64")]
    nonce: String,
    #[command(flatten)]
    holding: Holding,
}

/// Signs the login.
pub fn run(arguments: &Arguments) -> Result<Output, Failure> {
    let challenge = Challenge::new(arguments.audience.clone(), &arguments.nonce)?;
    let answer = arguments.holding.with(Usage::Signing, |token, signer| {
        challenge.answer(
            token,
            signer,
            arguments.origin.as_str(),
            OffsetDateTime::now_utc(),
        )
    })?;
    let line = |field: &str| format!("{field:<12}{}\n", answer[field].as_str().unwrap_or_default());
    Ok(Output {
        text: ["statement", "signature", "certificate"].map(line).concat(),
        json: answer,
    })
}
