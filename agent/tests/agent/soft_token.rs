//! Software tokens for the tests: `yinxin-softskf`, loaded as any vendor's library is.
use std::{
    fs,
    path::{Path, PathBuf},
    sync::OnceLock,
};

use yinxin_agent::token::SkfToken;
use yinxin_skf::{Library, Profile};
use yinxin_softskf::{Cost, NewApplication, NewDevice, Pin, Settings, make_device};
use zeroize::Zeroizing;

/// `SECURE_USER_ACCOUNT`: the user makes files and containers.
const USER_MAKES: u32 = 0x10;
pub const TRIES: u8 = 6;

/// A blank token among the software tokens; gone with this value.
pub struct SoftToken {
    pub serial: String,
    directory: PathBuf,
}

impl SoftToken {
    /// Makes one where this process's library looks.
    pub fn new(label: &str, user: &str, admin: &str) -> Self {
        Self::made_in(&directory(), label, user, admin)
    }

    /// Makes one that its vendor has not prepared.
    pub fn bare_in(directory: &Path, label: &str) -> Self {
        let new = NewDevice {
            label,
            serial: None,
            auth_key: None,
            cost: Cost::new(10).unwrap(),
            application: None,
        };
        Self {
            serial: make_device(&Settings::new(directory), &new).unwrap(),
            directory: directory.to_owned(),
        }
    }

    /// Makes one anywhere.
    pub fn made_in(directory: &Path, label: &str, user: &str, admin: &str) -> Self {
        let pin = |text: &str| Pin::new(Zeroizing::new(text.to_owned())).unwrap();
        let (admin_pin, user_pin) = (pin(admin), pin(user));
        let new = NewDevice {
            label,
            serial: None,
            auth_key: None,
            cost: Cost::new(10).unwrap(),
            application: Some(NewApplication {
                name: "Yinxin",
                admin_pin: &admin_pin,
                admin_tries: TRIES.into(),
                user_pin: &user_pin,
                user_tries: TRIES.into(),
                create_rights: USER_MAKES,
            }),
        };
        Self {
            serial: make_device(&Settings::new(directory), &new).unwrap(),
            directory: directory.to_owned(),
        }
    }

    /// The same UKey in another directory, which is another computer's.
    pub fn moved_to(self, directory: &Path) -> Self {
        fs::create_dir_all(directory).unwrap();
        let moved = Self {
            serial: self.serial.clone(),
            directory: directory.to_owned(),
        };
        fs::copy(self.file(), moved.file()).unwrap();
        moved
    }

    /// Opens it through the library.
    pub fn open(&self) -> SkfToken {
        opened(&self.serial)
    }

    /// The file that it is.
    pub fn file(&self) -> PathBuf {
        self.directory.join(&self.serial).with_extension("softskf")
    }
}

impl Drop for SoftToken {
    fn drop(&mut self) {
        for extension in ["softskf", "lock", "use"] {
            // It is being tidied up; what is not there needs none of it.
            drop(fs::remove_file(self.file().with_extension(extension)));
        }
    }
}

/// Opens a token of this process's library.
pub fn opened(serial: &str) -> SkfToken {
    let names = library().devices().unwrap();
    let name = names.iter().find(|name| name.as_str() == serial).unwrap();
    SkfToken::open(library(), name).unwrap()
}

/// The library of this process; it has read its directory from the environment.
pub fn library() -> &'static Library {
    static LIBRARY: OnceLock<Library> = OnceLock::new();
    LIBRARY.get_or_init(|| Library::open(Profile::standard("softskf", library_file())).unwrap())
}

/// Cargo builds it beside the tests.
pub fn library_file() -> PathBuf {
    let file = format!(
        "{}yinxin_softskf{}",
        std::env::consts::DLL_PREFIX,
        std::env::consts::DLL_SUFFIX
    );
    std::env::current_exe().unwrap().with_file_name(file)
}

/// Where this process's library looks.
pub fn directory() -> PathBuf {
    std::env::var_os("YINXIN_SOFTSKF_DIR")
        .map(PathBuf::from)
        .expect("cargo sets YINXIN_SOFTSKF_DIR (.cargo/config.toml): run the tests through it")
}
