//! The agent's configuration: `agent.toml`, and the profiles of token libraries that it names. docs/tokens.md.
use std::path::{Path, PathBuf};

use serde::Deserialize;
use yinxin_skf::{Profile, ProfileError};

use crate::private_file::{self, ReadError};

/// The profile that needs no file: the software token that comes with the agent.
pub const SOFT_TOKEN: &str = "softskf";
/// Longest configuration or profile, in bytes.
const LIMIT_BYTES: u64 = 64 * 1024;
/// Most libraries that are loaded.
const LIBRARIES_LIMIT: usize = 16;
/// Where the software token's library lies, seen from the program; cargo leaves it in `deps`.
const SOFT_TOKEN_PLACES: [&str; 4] = ["deps", ".", "../lib", "../lib/yinxin"];

/// Why there is no list of libraries.
#[derive(Debug, thiserror::Error)]
pub enum ConfigurationError {
    /// A file that cannot be read, or that others may change: it decides which code runs.
    #[error(transparent)]
    File(#[from] ReadError),
    /// Not the configuration's fields.
    #[error("{} is no configuration of the agent", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// What does not fit.
        source: Box<toml::de::Error>,
    },
    /// Not a profile.
    #[error("{}", path.display())]
    Profile {
        /// The file.
        path: PathBuf,
        /// What does not fit.
        source: Box<ProfileError>,
    },
    /// More than anyone has.
    #[error("more than {LIBRARIES_LIMIT} token libraries are named")]
    TooMany,
    /// The software token's library is not beside the program.
    #[error("the library of the software token is not installed beside the agent")]
    NoSoftToken,
    /// Nothing is named, and the software token is not there.
    #[error("no token library is configured: name the profile of one in {}, or with --profile", .0.display())]
    NoLibrary(PathBuf),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Configuration {
    /// `softskf`, or files of profiles, absolute or beside the configuration.
    #[serde(default)]
    token_libraries: Vec<String>,
}

/// The profiles to use: those that are named, else those of the configuration, else the software token.
pub fn profiles(named: &[String], configuration: Option<&Path>) -> Result<Vec<Profile>, ConfigurationError> {
    if !named.is_empty() {
        return all(named, Path::new("."));
    }
    let place = configuration.map(Path::to_owned).or_else(default_place);
    if let Some(place) = &place {
        match private_file::read_trusted(place, LIMIT_BYTES) {
            Ok(bytes) => {
                let read = parse(place, &bytes)?;
                let directory = place.parent().unwrap_or(Path::new("."));
                return all(&read.token_libraries, directory);
            }
            Err(ReadError::Missing(_)) if configuration.is_none() => {}
            Err(error) => return Err(error.into()),
        }
    }
    match soft_token() {
        Some(profile) => Ok(vec![profile]),
        None => Err(ConfigurationError::NoLibrary(
            place.unwrap_or_else(|| "agent.toml".into()),
        )),
    }
}

fn all(names: &[String], directory: &Path) -> Result<Vec<Profile>, ConfigurationError> {
    if names.len() > LIBRARIES_LIMIT {
        return Err(ConfigurationError::TooMany);
    }
    names.iter().map(|name| profile(name, directory)).collect()
}

fn profile(name: &str, directory: &Path) -> Result<Profile, ConfigurationError> {
    if name == SOFT_TOKEN {
        return soft_token().ok_or(ConfigurationError::NoSoftToken);
    }
    let path = directory.join(name);
    let bytes = private_file::read_trusted(&path, LIMIT_BYTES)?;
    let text = String::from_utf8_lossy(&bytes);
    let beside = path.parent().unwrap_or(Path::new("."));
    Profile::parse(&text, beside).map_err(|error| ConfigurationError::Profile {
        path: path.clone(),
        source: Box::new(error),
    })
}

fn parse(path: &Path, bytes: &[u8]) -> Result<Configuration, ConfigurationError> {
    toml::from_str(&String::from_utf8_lossy(bytes)).map_err(|error| ConfigurationError::Syntax {
        path: path.to_owned(),
        source: Box::new(error),
    })
}

/// The software token's profile, if its library is installed with this program.
fn soft_token() -> Option<Profile> {
    let file = format!(
        "{}yinxin_softskf{}",
        std::env::consts::DLL_PREFIX,
        std::env::consts::DLL_SUFFIX
    );
    let program = std::env::current_exe().ok()?;
    let library = SOFT_TOKEN_PLACES
        .iter()
        .map(|place| program.with_file_name(place).join(&file))
        .find(|path| path.is_file())?;
    Some(Profile::standard(SOFT_TOKEN, library))
}

fn default_place() -> Option<PathBuf> {
    let absolute = |name| {
        std::env::var_os(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    let directory = if cfg!(windows) {
        absolute("APPDATA")
    } else {
        absolute("XDG_CONFIG_HOME").or_else(|| absolute("HOME").map(|home| home.join(".config")))
    };
    directory.map(|directory| directory.join("yinxin/agent.toml"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(directory: &Path, name: &str, text: &str) -> PathBuf {
        let path = directory.join(name);
        yinxin_keep::private_file::replace(&path, text.as_bytes()).unwrap();
        path
    }

    #[test]
    fn the_configuration_names_profiles_beside_it() {
        let directory = tempfile::tempdir().unwrap();
        written(directory.path(), "a.toml", "name = 'A'\nlibrary = 'liba.so'");
        written(directory.path(), "b.toml", "name = 'B'\nlibrary = '/opt/libb.so'");
        let place = written(
            directory.path(),
            "agent.toml",
            "token_libraries = ['a.toml', 'b.toml']",
        );
        let read = profiles(&[], Some(&place)).unwrap();
        let libraries: Vec<&Path> = read.iter().map(|profile| profile.library.as_path()).collect();
        assert_eq!(
            libraries,
            [&directory.path().join("liba.so"), Path::new("/opt/libb.so")]
        );
        // What is named on the command line counts alone.
        let named = directory.path().join("b.toml").to_string_lossy().into_owned();
        let read = profiles(&[named], Some(&place)).unwrap();
        assert_eq!((read.len(), read[0].name.as_str()), (1, "B"));
    }

    #[test]
    fn a_configuration_that_is_named_has_to_be_there_and_to_be_one() {
        let directory = tempfile::tempdir().unwrap();
        let nowhere = directory.path().join("nowhere.toml");
        assert!(matches!(
            profiles(&[], Some(&nowhere)),
            Err(ConfigurationError::File(ReadError::Missing(_)))
        ));
        let wrong = written(directory.path(), "wrong.toml", "token_library = 'a'");
        assert!(matches!(
            profiles(&[], Some(&wrong)),
            Err(ConfigurationError::Syntax { .. })
        ));
        let profile = written(directory.path(), "profile.toml", "name = 'A'");
        assert!(matches!(
            profiles(&[profile.to_string_lossy().into_owned()], None),
            Err(ConfigurationError::Profile { .. })
        ));
    }

    #[cfg(unix)]
    #[test]
    fn a_profile_that_others_can_change_loads_no_code() {
        use std::os::unix::fs::PermissionsExt as _;
        let directory = tempfile::tempdir().unwrap();
        let path = written(directory.path(), "a.toml", "name = 'A'\nlibrary = 'liba.so'");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o666)).unwrap();
        assert!(matches!(
            profiles(&[path.to_string_lossy().into_owned()], None),
            Err(ConfigurationError::File(ReadError::Exposed { .. }))
        ));
    }
}
