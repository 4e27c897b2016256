//! Which tokens are plugged in, over all vendors' libraries, and the one that is meant.
use std::fmt;

use yinxin_skf::{Error, Library, Profile, Text};

use super::{Identity, SkfToken, TokenError, skf::identity};

pub mod watch;

/// Most devices of one library that are looked at.
const DEVICES_LIMIT: usize = 64;

/// The libraries that could be loaded.
pub struct TokenLibraries {
    libraries: Vec<Library>,
    problems: Vec<Problem>,
}

/// A library or a device that cannot be used.
#[derive(Debug, Clone)]
pub struct Problem {
    /// The library's profile, and the device where it is one.
    pub place: String,
    /// What is wrong.
    pub trouble: Trouble,
}

/// What is wrong with a library or a device.
#[derive(Debug, Clone)]
pub enum Trouble {
    /// The library cannot be loaded; why.
    NotLoaded(String),
    /// The library does not say which devices there are.
    NoList(Error),
    /// A device is there, and does not say what it is.
    Device(Error),
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
    /// Libraries and devices that cannot be used.
    pub problems: Vec<Problem>,
}

impl TokenLibraries {
    /// Loads each profile's library. One that cannot be loaded does not stand in the way of the others.
    pub fn load(profiles: impl IntoIterator<Item = Profile>) -> Self {
        let (mut libraries, mut problems) = (Vec::new(), Vec::new());
        for profile in profiles {
            let name = profile.name.clone();
            match Library::open(profile) {
                Ok(library) => libraries.push(library),
                Err(error) => problems.push(Problem {
                    place: name,
                    trouble: Trouble::NotLoaded(chain(&error)),
                }),
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
        let mut problem = |place: String, trouble| problems.push(Problem { place, trouble });
        for library in &self.libraries {
            let profile = &library.profile().name;
            let names = match library.devices() {
                Ok(names) => names,
                Err(error) => {
                    problem(profile.clone(), Trouble::NoList(error));
                    continue;
                }
            };
            for name in names.into_iter().take(DEVICES_LIMIT) {
                match Found::look(library, name.clone()) {
                    // A token that two libraries know is one token.
                    Ok(found) if tokens.iter().any(|known| known.is(&found)) => {}
                    Ok(found) => tokens.push(found),
                    // Pulled out since the list was made.
                    Err(Error::Removed(_)) => {}
                    Err(error) => problem(format!("{profile}, {name}"), Trouble::Device(error)),
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
            [] => Err(TokenError::NoToken {
                problems: problems.iter().map(ToString::to_string).collect(),
            }),
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

impl Problem {
    /// Whether it is a device that another program uses.
    pub fn is_busy(&self) -> bool {
        matches!(self.trouble, Trouble::Device(Error::Busy(_)))
    }

    /// One sentence for a screen.
    pub fn notice(&self) -> String {
        let what = match &self.trouble {
            Trouble::NotLoaded(_) => "UKey 驱动程序无法加载",
            Trouble::NoList(_) => "UKey 驱动程序无法列出设备",
            Trouble::Device(Error::Busy(_)) => "UKey 正被其他程序使用",
            Trouble::Device(_) => "UKey 无法读取",
        };
        format!("{what}：{}", self.place)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.trouble {
            Trouble::NotLoaded(why) => write!(formatter, "{}: {why}", self.place),
            Trouble::NoList(error) | Trouble::Device(error) => write!(formatter, "{}: {error}", self.place),
        }
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
