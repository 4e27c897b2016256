//! Where the devices lie, and the switches for tests: from the environment.
use std::{env, ffi::OsString, path::PathBuf, time::Duration};

use crate::Fault;

/// The directory of the devices.
pub const DIRECTORY: &str = "YINXIN_SOFTSKF_DIR";
/// For tests: when the token is pulled.
pub const FAULT: &str = "YINXIN_SOFTSKF_FAULT";
/// For tests: how much longer calls take.
pub const SLOW: &str = "YINXIN_SOFTSKF_SLOW_MS";
/// A call waits so long for another writer, who never takes longer than a few derivations of keys.
const LOCK_WAIT: Duration = Duration::from_secs(20);
/// The slowest that a call can be made.
const MAX_DELAY_MS: u64 = 60_000;

/// What a [`crate::Library`] works with.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Each device is a file in it.
    pub directory: PathBuf,
    /// For tests.
    pub faults: Vec<Fault>,
    /// For tests.
    pub slow: Slow,
    /// How long a call waits for another process that writes, or that has locked the device.
    pub lock_wait: Duration,
}

/// The settings cannot be used; every call fails, as a fault that is silently not there would make a test pass that should not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadSettings {
    /// Neither variable names a directory, and there is no home.
    #[error("set {DIRECTORY}: there is no home directory")]
    NoDirectory,
    /// Not of the form that docs/softskf.md describes.
    #[error("{FAULT} is not a list of CALL:N, CALL:N:after or CALL:N:lost")]
    Fault,
    /// Not of the form that docs/softskf.md describes.
    #[error("{SLOW} is not a list of MS or CALL:MS, each up to {MAX_DELAY_MS}")]
    Slow,
}

/// How long calls are held up before they do anything.
#[derive(Debug, Clone, Default)]
pub struct Slow(Vec<(Option<String>, Duration)>);

impl Settings {
    /// Without faults.
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self {
            directory: directory.into(),
            faults: Vec::new(),
            slow: Slow::default(),
            lock_wait: LOCK_WAIT,
        }
    }

    /// From the environment.
    pub fn from_env() -> Result<Self, BadSettings> {
        let text = |name| env::var_os(name).map(|value| value.into_string().unwrap_or_default());
        let mut settings = Self::new(directory_from_env()?);
        if let Some(faults) = text(FAULT).filter(|text| !text.is_empty()) {
            settings.faults = faults
                .split(',')
                .map(Fault::parse)
                .collect::<Option<_>>()
                .ok_or(BadSettings::Fault)?;
        }
        if let Some(slow) = text(SLOW).filter(|text| !text.is_empty()) {
            settings.slow = Slow::parse(&slow).ok_or(BadSettings::Slow)?;
        }
        Ok(settings)
    }
}

/// As the XDG base directory specification has it.
fn directory_from_env() -> Result<PathBuf, BadSettings> {
    let named = |name| {
        env::var_os(name)
            .filter(|value: &OsString| !value.is_empty())
            .map(PathBuf::from)
    };
    if let Some(directory) = named(DIRECTORY) {
        return Ok(directory);
    }
    let data = named("XDG_DATA_HOME")
        .filter(|path| path.is_absolute())
        .or_else(|| {
            env::home_dir()
                .filter(|home| !home.as_os_str().is_empty())
                .map(|home| home.join(".local/share"))
        });
    data.map(|data| data.join("yinxin/softskf"))
        .ok_or(BadSettings::NoDirectory)
}

impl Slow {
    /// From `MS` or `CALL:MS`, several separated by commas.
    pub fn parse(text: &str) -> Option<Self> {
        let entry = |entry: &str| {
            let (call, ms) = match entry.split_once(':') {
                Some((call, ms)) if !call.is_empty() => (Some(call.to_owned()), ms),
                Some(_) => return None,
                None => (None, entry),
            };
            let ms = ms.parse().ok().filter(|ms| *ms <= MAX_DELAY_MS)?;
            Some((call, Duration::from_millis(ms)))
        };
        text.split(',').map(entry).collect::<Option<_>>().map(Self)
    }

    /// What holds up a call: all that is said about it and about all calls.
    pub fn of(&self, call: &str) -> Duration {
        let applies = |named: &Option<String>| named.as_deref().is_none_or(|named| named == call);
        self.0
            .iter()
            .filter(|(named, _)| applies(named))
            .map(|(_, delay)| *delay)
            .sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_of_a_call_and_of_all_add_up() {
        let slow = Slow::parse("20,SKF_VerifyPIN:100").unwrap();
        assert_eq!(slow.of("SKF_VerifyPIN"), Duration::from_millis(120));
        assert_eq!(slow.of("SKF_EnumDev"), Duration::from_millis(20));
    }

    #[test]
    fn a_delay_that_is_none_is_refused() {
        for text in ["fast", ":5", "SKF_EnumDev:", "60001", "5,"] {
            assert!(Slow::parse(text).is_none(), "{text}");
        }
    }
}
