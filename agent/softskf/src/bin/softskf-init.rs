//! Makes a device of the software token, with one application in it.
use std::{
    io::{self, Write as _},
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Parser;
use yinxin_keep::private_file::{self, ReadError};
use yinxin_softskf::{
    Cost, NewApplication, NewDevice, Pin, Sar, Settings,
    constants::{MAX_PIN_BYTES, MAX_PIN_TRIES, MIN_PIN_BYTES, SECURE_USER_ACCOUNT},
    make_device,
};
use zeroize::Zeroizing;

/// Two PINs or a key, and line ends.
const FILE_LIMIT_BYTES: u64 = 256;

const EXAMPLES: &str = "\
Examples:
  softskf-init --label 'Blank 17'
  softskf-init --label 'Test token' --serial TEST0001 --dir ./tokens --pin-file pins --scrypt-log-n 10

The device is a file in --dir, else in $YINXIN_SOFTSKF_DIR, else in $XDG_DATA_HOME/yinxin/softskf. Its serial number is printed.
PINs are asked for on the terminal or read from --pin-file; they are never arguments.

Exit codes: 0 done, 1 failed, 64 wrong use.";

/// Makes a device of the software token: a file that takes the place of a UKey, without a UKey's protection.
#[derive(Parser)]
#[command(name = "softskf-init", version, after_help = EXAMPLES)]
struct Arguments {
    /// Name for people, up to 32 bytes.
    #[arg(long)]
    label: String,
    /// Serial number and name of the device, of letters, digits, - and _; random without it.
    #[arg(long)]
    serial: Option<String>,
    /// Directory of the devices.
    #[arg(long)]
    dir: Option<PathBuf>,
    /// Name of the application.
    #[arg(long, default_value = "Yinxin")]
    application: String,
    /// Wrong entries after which a PIN is locked.
    #[arg(long, default_value_t = 6, value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_PIN_TRIES)))]
    tries: u32,
    /// File of mode 600 with the user PIN in its first line and the admin PIN in its second.
    #[arg(long)]
    pin_file: Option<PathBuf>,
    /// File of mode 600 with the device authentication key, 32 hexadecimal digits; without it nobody can make or delete applications.
    #[arg(long)]
    auth_key_file: Option<PathBuf>,
    /// What one try of a PIN costs: 2^N KiB of memory. 10 is for tests and protects nothing.
    #[arg(long, default_value_t = u8::from(Cost::STANDARD))]
    scrypt_log_n: u8,
}

/// Why no device was made.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("{0}")]
    Use(&'static str),
    #[error("{0}")]
    Settings(#[from] yinxin_softskf::BadSettings),
    #[error("{0}")]
    File(#[from] ReadError),
    #[error("no PIN can be asked for here; name a --pin-file")]
    NoTerminal(#[source] io::Error),
    #[error("the {0} PIN has not {MIN_PIN_BYTES} to {MAX_PIN_BYTES} letters, digits and ASCII signs")]
    Pin(&'static str),
    #[error("a device of that serial number is there already")]
    AlreadyThere,
    #[error("no device was made: {0} ({code:08X})", code = .0.code())]
    Device(Sar),
    #[error("the serial number cannot be printed")]
    Output(#[source] io::Error),
}

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version are no errors; there is nowhere left to say that printing failed.
            let code = if error.use_stderr() { 64 } else { 0 };
            return error.print().map_or(ExitCode::FAILURE, |()| ExitCode::from(code));
        }
    };
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("softskf-init: {failure}");
            ExitCode::from(if matches!(failure, Failure::Use(_)) { 64 } else { 1 })
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), Failure> {
    let settings = match &arguments.dir {
        Some(directory) => Settings::new(directory),
        None => Settings::from_env()?,
    };
    let cost = Cost::new(arguments.scrypt_log_n).ok_or(Failure::Use("--scrypt-log-n is from 10 to 20"))?;
    let auth_key = arguments.auth_key_file.as_deref().map(auth_key).transpose()?;
    let (user_pin, admin_pin) = match &arguments.pin_file {
        Some(file) => pins(file)?,
        None => (ask("user")?, ask("admin")?),
    };
    let new = NewDevice {
        label: &arguments.label,
        serial: arguments.serial.as_deref(),
        auth_key,
        cost,
        application: Some(NewApplication {
            name: &arguments.application,
            admin_pin: &admin_pin,
            admin_tries: arguments.tries,
            user_pin: &user_pin,
            user_tries: arguments.tries,
            create_rights: SECURE_USER_ACCOUNT,
        }),
    };
    let serial = make_device(&settings, &new).map_err(|error| match error {
        Sar::Exists => Failure::AlreadyThere,
        Sar::NameLength => Failure::Use("a label has 1 to 32 bytes and no control characters"),
        Sar::InvalidParameter => Failure::Use("a serial number has 1 to 32 letters, digits, - and _"),
        Sar::ApplicationName => {
            Failure::Use("an application's name has 1 to 32 bytes and no control characters")
        }
        other => Failure::Device(other),
    })?;
    writeln!(io::stdout(), "{serial}").map_err(Failure::Output)
}

fn lines(file: &Path) -> Result<Zeroizing<String>, Failure> {
    let bytes = private_file::read(file, FILE_LIMIT_BYTES)?;
    let text =
        std::str::from_utf8(&bytes).map_err(|_| Failure::Use("a file of PINs or a key is not text"))?;
    Ok(Zeroizing::new(text.to_owned()))
}

fn auth_key(file: &Path) -> Result<[u8; 16], Failure> {
    let mut key = [0; 16];
    let text = lines(file)?;
    hex::decode_to_slice(text.trim_end(), &mut key)
        .map_err(|_| Failure::Use("a device authentication key has 32 hexadecimal digits"))?;
    Ok(key)
}

fn pins(file: &Path) -> Result<(Pin, Pin), Failure> {
    let text = lines(file)?;
    let mut lines = text.lines();
    let mut next = |which| judged(Zeroizing::new(lines.next().unwrap_or_default().to_owned()), which);
    Ok((next("user")?, next("admin")?))
}

fn ask(which: &'static str) -> Result<Pin, Failure> {
    let prompt = |text: String| {
        rpassword::prompt_password(text)
            .map(Zeroizing::new)
            .map_err(Failure::NoTerminal)
    };
    let first = prompt(format!("New {which} PIN: "))?;
    if first != prompt(format!("New {which} PIN again: "))? {
        return Err(Failure::Use("the two entries differ"));
    }
    judged(first, which)
}

fn judged(text: Zeroizing<String>, which: &'static str) -> Result<Pin, Failure> {
    Pin::new(text).map_err(|_| Failure::Pin(which))
}
