//! Which tokens are plugged in, over all vendors' libraries, and the one that is meant.
use yinxin_skf::{Library, Profile, Text};

use super::{Identity, SkfToken, TokenError, skf::identity};

/// Most devices of one library that are looked at.
const DEVICES_LIMIT: usize = 64;

/// The libraries that could be loaded.
pub struct TokenLibraries {
    libraries: Vec<Library>,
    problems: Vec<String>,
}

/// A token that is plugged in.
pub struct Found {
    /// Label and serial number.
    pub identity: Identity,
    /// The name of its library's profile.
    pub library_name: String,
    /// As the library names it.
    pub device_name: Text,
    library: Library,
    manufacturer: Text,
}

/// What is plugged in, and what could not be looked at.
pub struct Present {
    /// In the order of the libraries.
    pub tokens: Vec<Found>,
    /// Libraries and devices that cannot be used, for people.
    pub problems: Vec<String>,
}

impl TokenLibraries {
    /// Loads each profile's library. One that cannot be loaded does not stand in the way of the others.
    pub fn load(profiles: impl IntoIterator<Item = Profile>) -> Self {
        let (mut libraries, mut problems) = (Vec::new(), Vec::new());
        for profile in profiles {
            let name = profile.name.clone();
            match Library::open(profile) {
                Ok(library) => libraries.push(library),
                Err(error) => problems.push(format!("{name}: {}", chain(&error))),
            }
        }
        Self { libraries, problems }
    }

    /// The libraries, to watch what is plugged in.
    pub fn libraries(&self) -> &[Library] {
        &self.libraries
    }

    /// Looks what is plugged in now.
    pub fn present(&self) -> Present {
        let (mut tokens, mut problems) = (Vec::<Found>::new(), self.problems.clone());
        for library in &self.libraries {
            let profile = &library.profile().name;
            let names = match library.devices() {
                Ok(names) => names,
                Err(error) => {
                    problems.push(format!("{profile}: {error}"));
                    continue;
                }
            };
            for name in names.into_iter().take(DEVICES_LIMIT) {
                match Found::look(library, name.clone()) {
                    // A token that two libraries know is one token.
                    Ok(found) if tokens.iter().any(|known| known.is(&found)) => {}
                    Ok(found) => tokens.push(found),
                    Err(error) => problems.push(format!("{profile}, {name}: {error}")),
                }
            }
        }
        Present { tokens, problems }
    }

    /// Opens the one token that is plugged in, or the one with this serial number.
    pub fn one(&self, serial: Option<&str>) -> Result<SkfToken, TokenError> {
        let Present { mut tokens, problems } = self.present();
        let identities = |tokens: &[Found]| tokens.iter().map(|found| found.identity.clone()).collect();
        if let Some(serial) = serial {
            let present = identities(&tokens);
            tokens.retain(|found| found.identity.serial == serial);
            if tokens.is_empty() {
                return Err(TokenError::NoSuchToken {
                    serial: serial.to_owned(),
                    present,
                });
            }
        }
        match &tokens[..] {
            [] => Err(TokenError::NoToken { problems }),
            [found] => found.open(),
            several => Err(TokenError::SeveralTokens(identities(several))),
        }
    }
}

impl Found {
    /// Opens it; it may have been pulled out since.
    pub fn open(&self) -> Result<SkfToken, TokenError> {
        SkfToken::open(&self.library, &self.device_name)
    }

    fn look(library: &Library, device_name: Text) -> Result<Self, yinxin_skf::Error> {
        let device = library.connect(&device_name)?;
        Ok(Self {
            identity: identity(&device),
            library_name: library.profile().name.clone(),
            device_name,
            library: library.clone(),
            manufacturer: device.info().manufacturer.clone(),
        })
    }

    fn is(&self, other: &Self) -> bool {
        !self.identity.serial.is_empty()
            && self.identity.serial == other.identity.serial
            && self.manufacturer == other.manufacturer
    }
}

/// An error with its causes, in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}
