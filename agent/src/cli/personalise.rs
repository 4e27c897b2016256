//! `personalise`: sets up token and platform, tells the steps on standard error.
use std::time::Duration;

use time::OffsetDateTime;

use super::{
    PersonaliseArguments,
    failure::Failure,
    output::{self, Output},
    pins,
};
use crate::{
    personalise::{Personalisation, Step, finished},
    platform::{Pace, Platform},
    private_file,
    token::vault::Cost,
};

const SESSION_FILE_LIMIT_BYTES: u64 = 4096;

/// Personalises a token for an order.
pub fn run(arguments: &PersonaliseArguments, json: bool) -> Result<Output, Failure> {
    let session = private_file::read(&arguments.session_file, SESSION_FILE_LIMIT_BYTES)?;
    let pace = Pace {
        patience: Duration::from_secs(arguments.wait),
        ..Pace::default()
    };
    let platform = Platform::new(&arguments.api, &session, pace)?;
    let mut token = arguments.place.open()?;
    if let Some(outcome) = finished(&token, &arguments.order)? {
        return Ok(output::outcome(&outcome));
    }
    let pin = pins::user(arguments.pin_file.as_deref())?;
    let mut waiting = false;
    let mut progress = |step| {
        // Said once, however often the platform is asked.
        let again = step == Step::Waiting && std::mem::replace(&mut waiting, true);
        if !json && !again {
            eprintln!("{}", sentence(step));
        }
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Failure::Runtime)?;
    let outcome = runtime.block_on(
        Personalisation {
            token: &mut token,
            platform: &platform,
            cost: Cost::STANDARD,
            clock: OffsetDateTime::now_utc,
            progress: &mut progress,
        }
        .run(&arguments.order, &pin),
    )?;
    Ok(output::outcome(&outcome))
}

fn sentence(step: Step) -> &'static str {
    match step {
        Step::SigningKey => "The signing key pair is in the token.",
        Step::CsrSubmitted => "The platform has the certificate request.",
        Step::Waiting => "Waiting for the certificates.",
        Step::Written => "The certificates and the encryption key are in the token, and were read back.",
        Step::PasswordSet => "The token has a random user password.",
        Step::Reported => "The platform has acknowledged.",
    }
}
