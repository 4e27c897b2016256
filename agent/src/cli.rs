//! The command line: what it takes, and what its exit codes say.
use std::{
    ffi::OsString,
    io::{self, Write as _},
    path::PathBuf,
    process::ExitCode,
};

use clap::{Args, Parser, Subcommand, error::ErrorKind};

use crate::{
    configuration,
    platform::Reference,
    token::{SkfToken, TokenLibraries},
};

mod decrypt;
mod failure;
mod holding;
mod inspect;
mod login;
mod material;
mod open;
mod output;
mod personalise;
mod pins;
mod serve;
mod sign;
mod tokens;
mod verify;
mod watch;

use failure::Failure;
use output::Output;

const EXAMPLES: &str = "\
Examples:
  yinxin-agent token list
  yinxin-agent token show --token 3A0000000017 --json
  yinxin-agent personalise --order 20261123A48201937 --api https://api.example.com \\
      --session-file ~/.yinxin-session
  yinxin-agent sign contract.pdf --format cms-detached --output contract.p7s
  yinxin-agent decrypt bid.p7m --format cms --output bid.zip
  yinxin-agent serve --portal https://portal.example.com
  yinxin-agent inspect certificate.cer
  yinxin-agent verify certificate.cer --trust ./roots --crl issuing.crl

Exit codes: 0 done or passed, 1 failed, 2 refused by the platform or indeterminate, 64 wrong use.
PINs are asked for on the terminal, on the agent's own page, or read from --pin-file; they are never arguments.";

const PERSONALISE_EXAMPLES: &str = "\
Examples:
  yinxin-agent personalise --order 20261123A48201937 --api https://api.example.com \\
      --session-file ~/.yinxin-session
  yinxin-agent personalise --order 20261123A48201937 --api http://127.0.0.1:4566 \\
      --session-file session --token 3A0000000017 --pin-file pins --json

The same command again goes on where the last one stopped, with the same key and the PIN that the token had
at first. When it is done, the token's user password is a random one that only its holder is told.";

const PIN_FILE_HELP: &str =
    "File of mode 600 with the user PIN in its first line and the admin PIN in its second";

const USER_PIN_FILE_HELP: &str = "File of mode 600 with the token's user PIN in its first line";

/// Signer agent: tokens, and personalising them for orders.
#[derive(Parser)]
#[command(name = "yinxin-agent", version, about, after_help = EXAMPLES)]
struct Cli {
    /// Print one JSON object instead of text; errors too, on standard error.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// List, show, watch, check and unblock UKeys, change their PINs.
    Token {
        #[command(subcommand)]
        command: TokenCommand,
    },
    /// Make a token's key, fetch its certificates and write them, for an order.
    #[command(after_help = PERSONALISE_EXAMPLES)]
    Personalise(PersonaliseArguments),
    /// Serve sites on 127.0.0.1: login, signatures, decryption, each with the holder's consent and PIN.
    #[command(after_help = serve::EXAMPLES)]
    Serve(serve::Arguments),
    /// Have the running service open its page in the browser.
    #[command(after_help = open::EXAMPLES)]
    Open(open::Arguments),
    /// Sign a message, or its digest.
    #[command(after_help = sign::EXAMPLES)]
    Sign(sign::Arguments),
    /// Decrypt what is encrypted to the token's encryption certificate.
    #[command(after_help = decrypt::EXAMPLES)]
    Decrypt(decrypt::Arguments),
    /// Sign a login for a site.
    #[command(after_help = login::EXAMPLES)]
    Login(login::Arguments),
    /// Show what is in a file: certificate, request, revocation list, OCSP message, signed or enveloped message, enveloped key.
    #[command(after_help = inspect::EXAMPLES)]
    Inspect(inspect::Arguments),
    /// Judge certificates, requests, revocation lists, OCSP answers and signed messages against trusted CAs.
    #[command(after_help = verify::EXAMPLES)]
    Verify(verify::Arguments),
}

#[derive(Subcommand)]
enum TokenCommand {
    /// List the UKeys that are plugged in.
    #[command(after_help = "Example:\n  yinxin-agent token list")]
    List {
        #[command(flatten)]
        place: Place,
    },
    /// Show a token: certificates, validity, days left, tries left.
    #[command(after_help = "Example:\n  yinxin-agent token show --json")]
    Show {
        #[command(flatten)]
        place: Place,
    },
    /// Say which UKeys are plugged in and pulled out, until Ctrl-C.
    #[command(after_help = watch::EXAMPLES)]
    Watch {
        #[command(flatten)]
        place: Place,
        /// End with the first one.
        #[arg(long)]
        once: bool,
    },
    /// Log in, and let both keys of a token work once.
    #[command(after_help = "Example:\n  yinxin-agent token check --pin-file pins")]
    Check {
        #[command(flatten)]
        place: Place,
        #[arg(long, value_name = "FILE", help = USER_PIN_FILE_HELP)]
        pin_file: Option<PathBuf>,
    },
    /// Replace the user PIN.
    #[command(
        after_help = "Example:\n  yinxin-agent token change-pin\n  yinxin-agent token change-pin --pin-file old --new-pin-file new"
    )]
    ChangePin {
        #[command(flatten)]
        place: Place,
        #[arg(long, value_name = "FILE", help = USER_PIN_FILE_HELP)]
        pin_file: Option<PathBuf>,
        /// File of mode 600 with the new user PIN in its first line
        #[arg(long, value_name = "FILE")]
        new_pin_file: Option<PathBuf>,
    },
    /// Set a new user PIN with the admin PIN, after too many wrong entries.
    #[command(after_help = "Example:\n  yinxin-agent token unblock --token 3A0000000017")]
    Unblock {
        #[command(flatten)]
        place: Place,
        #[arg(long, value_name = "FILE", help = PIN_FILE_HELP)]
        pin_file: Option<PathBuf>,
    },
}

#[derive(Args)]
struct Place {
    /// Serial number of the UKey, where several are plugged in.
    #[arg(long, value_name = "SERIAL", env = "YINXIN_TOKEN")]
    token: Option<String>,
    /// Profile of a UKey library: "softskf" or a file; may be repeated [default: those of the configuration]
    #[arg(
        long = "profile",
        value_name = "PROFILE",
        env = "YINXIN_TOKEN_PROFILES",
        value_delimiter = ','
    )]
    profiles: Vec<String>,
    /// Configuration that names the UKey libraries [default: yinxin/agent.toml in the user's configuration directory]
    #[arg(long, value_name = "FILE", env = "YINXIN_AGENT_CONFIGURATION")]
    configuration: Option<PathBuf>,
}

#[derive(Args)]
struct PersonaliseArguments {
    /// Number or id of the order.
    #[arg(long, value_name = "ORDER")]
    order: Reference,
    /// Base address of the platform's API.
    #[arg(long, value_name = "URL", env = "YINXIN_API")]
    api: String,
    /// File of mode 600 with the staff session token.
    #[arg(long, value_name = "FILE")]
    session_file: PathBuf,
    #[command(flatten)]
    place: Place,
    #[arg(long, value_name = "FILE", help = USER_PIN_FILE_HELP)]
    pin_file: Option<PathBuf>,
    /// Longest wait for the certificates, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 300, value_parser = clap::value_parser!(u64).range(1..=3600))]
    wait: u64,
}

impl Place {
    /// The libraries of UKeys.
    fn libraries(&self) -> Result<TokenLibraries, Failure> {
        let profiles = configuration::profiles(&self.profiles, self.configuration.as_deref())?;
        Ok(TokenLibraries::load(profiles))
    }

    /// Opens the token that is meant.
    fn open(&self) -> Result<SkfToken, Failure> {
        Ok(self.libraries()?.one(self.token.as_deref())?)
    }
}

/// Runs one command and gives its exit code.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            let asked = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
            let printed = error.print().is_ok();
            return if asked && printed {
                ExitCode::SUCCESS
            } else {
                ExitCode::from(failure::USAGE)
            };
        }
    };
    let json = cli.json;
    let passed = |output| (output, ExitCode::SUCCESS);
    let done = match cli.command {
        Command::Token { command } => run_token(command, json).map(passed),
        Command::Personalise(arguments) => personalise::run(&arguments, json).map(passed),
        Command::Serve(arguments) => serve::run(arguments, json).map(passed),
        Command::Open(arguments) => open::run(arguments).map(passed),
        Command::Sign(arguments) => sign::run(&arguments).map(passed),
        Command::Decrypt(arguments) => decrypt::run(&arguments).map(passed),
        Command::Login(arguments) => login::run(&arguments).map(passed),
        Command::Inspect(arguments) => inspect::run(&arguments),
        Command::Verify(arguments) => verify::run(&arguments),
    };
    match done.and_then(|(output, code)| print(&output, json).map(|()| code)) {
        Ok(code) => code,
        Err(failure) => {
            failure.print(json);
            ExitCode::from(failure.exit_code())
        }
    }
}

fn run_token(command: TokenCommand, json: bool) -> Result<Output, Failure> {
    match command {
        TokenCommand::List { place } => Ok(tokens::list(&place.libraries()?.present())),
        TokenCommand::Show { place } => tokens::show(&mut place.open()?),
        TokenCommand::Watch { place, once } => watch::run(&place.libraries()?, once, json),
        TokenCommand::Check { place, pin_file } => tokens::check(&mut place.open()?, pin_file.as_deref()),
        TokenCommand::ChangePin {
            place,
            pin_file,
            new_pin_file,
        } => tokens::change_pin(&mut place.open()?, pin_file.as_deref(), new_pin_file.as_deref()),
        TokenCommand::Unblock { place, pin_file } => tokens::unblock(&mut place.open()?, pin_file.as_deref()),
    }
}

fn print(output: &Output, json: bool) -> Result<(), Failure> {
    // What was printed line by line is not printed again.
    let text = if json && output.json.is_null() {
        String::new()
    } else if json {
        format!("{:#}\n", output.json)
    } else {
        output.text.clone()
    };
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        // The reader has seen enough (`| head`).
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result.map_err(Failure::Output),
    }
}

/// Where the service keeps what it keeps.
fn state_directory(named: Option<PathBuf>) -> Result<PathBuf, Failure> {
    named
        .or_else(|| data_directory().map(|data| data.join("yinxin/agent")))
        .ok_or(Failure::NoDirectory)
}

fn data_directory() -> Option<PathBuf> {
    let absolute = |name| {
        std::env::var_os(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    if cfg!(windows) {
        absolute("LOCALAPPDATA")
    } else {
        absolute("XDG_DATA_HOME").or_else(|| absolute("HOME").map(|home| home.join(".local/share")))
    }
}
