//! What one vendor's library does its own way: a small file beside the configuration. docs/tokens.md has the fields.
use std::path::{Path, PathBuf};

use serde::Deserialize;

/// GM/T 0006-2012 first, then the drafts that many headers still have.
const SM2_SIGNING_IDS: [u32; 2] = [0x0002_0200, 0x0002_0100];
/// Longest list of algorithm identifiers to try.
const SM2_SIGNING_IDS_LIMIT: usize = 4;

/// Where a vendor's library lies, and what it does its own way. What is not named follows the standard.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// For people: the vendor or product.
    pub name: String,
    /// The shared library, absolute or beside the profile.
    pub library: PathBuf,
    /// Which application of a token.
    #[serde(default)]
    pub application: Choice,
    /// Which container of the application.
    #[serde(default)]
    pub container: Choice,
    /// What a container is called that has to be made.
    #[serde(default = "new_container")]
    pub new_container: String,
    /// `SKF_GenECCKeyPair`: identifiers of SM2 for signing, tried in turn.
    #[serde(default = "sm2_signing_ids")]
    pub sm2_signing_ids: Vec<u32>,
    /// Which number means the user.
    #[serde(default)]
    pub pin_types: PinTypes,
    /// How names are encoded.
    #[serde(default)]
    pub strings: StringEncoding,
    /// What `SKF_ECCSignData` takes.
    #[serde(default)]
    pub sign_input: SignInput,
    /// Where an enveloped private key stands in its field.
    #[serde(default)]
    pub enveloped_key: KeyLayout,
    /// How it is known that a device came or went.
    #[serde(default)]
    pub hot_plug: HotPlug,
}

/// How it is known that a device came or went.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HotPlug {
    /// The library tells of it (`SKF_WaitForDevEvent`), where it can.
    #[default]
    Events,
    /// It is asked for its devices again and again: a library that does nothing else while it waits.
    Poll,
}

/// One of a token's applications or containers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub enum Choice {
    /// The first that the token names.
    #[default]
    First,
    /// This one.
    Named(String),
}

/// `ADMIN_TYPE` and `USER_TYPE`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PinTypes {
    /// Admin 0, user 1.
    #[default]
    Standard,
    /// Admin 1, user 0.
    Swapped,
}

/// The encoding of names; the standard has none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StringEncoding {
    /// UTF-8 where it is valid, else GBK; our own names in UTF-8.
    #[default]
    Auto,
    /// UTF-8.
    #[serde(rename = "utf-8")]
    Utf8,
    /// GBK.
    Gbk,
}

/// What `SKF_ECCSignData` is given.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SignInput {
    /// e = SM3(Z ‖ M), as the standard says.
    #[default]
    Digest,
    /// The message: the library adds Z and hashes.
    Message,
}

/// Where the 32 bytes of an enveloped private key stand among the 64 of `cbEncryptedPriKey`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyLayout {
    /// Behind 32 zeros, as all numbers of the standard's structures.
    #[default]
    Right,
    /// Before 32 zeros.
    Left,
}

/// Why a profile cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    /// Not TOML, or not these fields.
    #[error("not a profile of a token library")]
    Syntax(#[from] toml::de::Error),
    /// A value that no library can have.
    #[error("the profile's {0}")]
    Value(&'static str),
}

impl Profile {
    /// Reads a profile's text; a relative library lies in `directory`.
    pub fn parse(text: &str, directory: &Path) -> Result<Self, ProfileError> {
        let mut profile: Self = toml::from_str(text)?;
        if profile.sm2_signing_ids.is_empty() || profile.sm2_signing_ids.len() > SM2_SIGNING_IDS_LIMIT {
            return Err(ProfileError::Value("sm2_signing_ids has 1 to 4 numbers"));
        }
        if profile.name.is_empty()
            || profile.library.as_os_str().is_empty()
            || profile.new_container.is_empty()
        {
            return Err(ProfileError::Value(
                "name, library and new_container are not empty",
            ));
        }
        profile.library = directory.join(&profile.library);
        Ok(profile)
    }

    /// A library that keeps to the standard.
    pub fn standard(name: &str, library: PathBuf) -> Self {
        Self {
            name: name.to_owned(),
            library,
            application: Choice::First,
            container: Choice::First,
            new_container: new_container(),
            sm2_signing_ids: sm2_signing_ids(),
            pin_types: PinTypes::Standard,
            strings: StringEncoding::Auto,
            sign_input: SignInput::Digest,
            enveloped_key: KeyLayout::Right,
            hot_plug: HotPlug::Events,
        }
    }
}

impl From<String> for Choice {
    fn from(text: String) -> Self {
        match text.as_str() {
            "first" => Self::First,
            _ => Self::Named(text),
        }
    }
}

fn new_container() -> String {
    "yinxin".to_owned()
}

fn sm2_signing_ids() -> Vec<u32> {
    SM2_SIGNING_IDS.to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_of_two_lines_follows_the_standard() {
        let profile = Profile::parse("name = 'A'\nlibrary = 'liba.so'", Path::new("/opt/a")).unwrap();
        assert_eq!(profile, Profile::standard("A", "/opt/a/liba.so".into()));
    }

    #[test]
    fn a_profile_names_what_a_vendor_does_its_own_way() {
        let text = "name = '示例'\nlibrary = '/usr/lib/libb.so'\napplication = 'GM3000RSA'\ncontainer = 'first'\n\
                    sm2_signing_ids = [0x00020100]\npin_types = 'swapped'\nstrings = 'gbk'\n\
                    sign_input = 'message'\nenveloped_key = 'left'\nhot_plug = 'poll'";
        let profile = Profile::parse(text, Path::new("/etc")).unwrap();
        assert_eq!(profile.library, Path::new("/usr/lib/libb.so"));
        assert_eq!(profile.application, Choice::Named("GM3000RSA".to_owned()));
        assert_eq!(profile.container, Choice::First);
        assert_eq!(profile.sm2_signing_ids, [0x0002_0100]);
        assert_eq!(
            (profile.pin_types, profile.strings),
            (PinTypes::Swapped, StringEncoding::Gbk)
        );
        assert_eq!(
            (profile.sign_input, profile.enveloped_key),
            (SignInput::Message, KeyLayout::Left)
        );
        assert_eq!(profile.hot_plug, HotPlug::Poll);
    }

    #[test]
    fn a_misspelt_field_is_refused() {
        let refused = |text: &str| Profile::parse(text, Path::new("/")).is_err();
        assert!(refused("name = 'A'\nlibrary = 'a'\npin_type = 'swapped'"));
        assert!(refused("name = 'A'\nlibrary = 'a'\nstrings = 'latin-1'"));
        assert!(refused("name = 'A'\nlibrary = 'a'\nsm2_signing_ids = []"));
        assert!(refused("name = 'A'\nlibrary = ''"));
        assert!(refused("name = 'A'"));
    }
}
