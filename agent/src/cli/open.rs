//! `open`: has the running service open its overview.
use std::{path::PathBuf, thread, time::Duration};

use clap::Args;
use serde_json::json;

use super::{failure::Failure, output::Output};
use crate::{private_file, service::OPEN_REQUEST};

/// How long the service has to take the request; it may be starting.
const TRIES: u32 = 50;
const PAUSE: Duration = Duration::from_millis(100);

pub const EXAMPLES: &str = "\
Examples:
  yinxin-agent open
  yinxin-agent open --state ./agent

It leaves a file in the service's directory, which is the user's alone; nothing goes over the network, and no address is printed. Exit codes: 0 the
service has taken it, 1 none is running.";

/// What `open` takes.
#[derive(Args)]
pub struct Arguments {
    /// Directory of the service [default: in the user's data directory]
    #[arg(long, value_name = "DIR", env = "YINXIN_AGENT_STATE")]
    state: Option<PathBuf>,
}

/// Asks, and waits until the service has taken it.
pub fn run(arguments: Arguments) -> Result<Output, Failure> {
    let state = super::state_directory(arguments.state)?;
    let unwritable = |error| Failure::Unwritable(state.display().to_string(), error);
    private_file::create_directory(&state).map_err(unwritable)?;
    private_file::check_directory(&state)?;
    let request = state.join(OPEN_REQUEST);
    private_file::replace(&request, b"").map_err(unwritable)?;
    for _ in 0..TRIES {
        if !request.exists() {
            return Ok(Output {
                text: "The agent opens its page.\n".to_owned(),
                json: json!({ "opened": true }),
            });
        }
        thread::sleep(PAUSE);
    }
    // Not left for a service that starts tomorrow; it may have been taken at the last moment.
    match std::fs::remove_file(&request) {
        Ok(()) | Err(_) => Err(Failure::NotRunning),
    }
}
