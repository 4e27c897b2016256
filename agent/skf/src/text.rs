//! Names and labels: bytes in an encoding that the vendor chose, NUL at their end.
use std::{borrow::Cow, fmt};

use encoding_rs::GBK;

use crate::profile::StringEncoding;

/// Most names in a list; a token has a handful.
pub const LIST_LIMIT: usize = 256;

/// A name as the library gave it, and as people read it.
///
/// The bytes go back to the library as they came: nothing depends on the encoding having been guessed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    raw: Vec<u8>,
    shown: String,
}

impl Text {
    /// Reads the bytes up to the first NUL.
    pub(crate) fn read(bytes: &[u8], encoding: StringEncoding) -> Self {
        let raw = bytes.split(|&byte| byte == 0).next().unwrap_or_default();
        Self {
            raw: raw.to_vec(),
            shown: shown(raw, encoding),
        }
    }

    /// A name of the caller's own.
    pub fn new(text: &str, encoding: StringEncoding) -> Self {
        let raw = match encoding {
            StringEncoding::Auto | StringEncoding::Utf8 => Cow::Borrowed(text.as_bytes()),
            StringEncoding::Gbk => GBK.encode(text).0,
        };
        Self::read(&raw, encoding)
    }

    /// For people: no control characters, nothing around it.
    pub fn as_str(&self) -> &str {
        &self.shown
    }

    /// With the NUL that C wants.
    pub(crate) fn to_c(&self) -> Vec<u8> {
        let mut bytes = self.raw.clone();
        bytes.push(0);
        bytes
    }
}

impl fmt::Display for Text {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.shown)
    }
}

/// A list of names; vendors forget the second NUL at its end.
pub fn read_list(bytes: &[u8], encoding: StringEncoding) -> Vec<Text> {
    bytes
        .split(|&byte| byte == 0)
        .filter(|name| !name.is_empty())
        .take(LIST_LIMIT)
        .map(|name| Text::read(name, encoding))
        .collect()
}

fn shown(raw: &[u8], encoding: StringEncoding) -> String {
    let text = match encoding {
        StringEncoding::Utf8 => String::from_utf8_lossy(raw),
        StringEncoding::Gbk => GBK.decode_without_bom_handling(raw).0,
        // Chinese text in GBK is hardly ever valid UTF-8, and the other way round it always would be.
        StringEncoding::Auto => match std::str::from_utf8(raw) {
            Ok(text) => Cow::Borrowed(text),
            Err(_) => GBK.decode_without_bom_handling(raw).0,
        },
    };
    let text: String = text.chars().filter(|character| !character.is_control()).collect();
    text.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LABEL_GBK: &[u8] = b"\xd3\xa1\xd0\xc5 01\0rest";

    #[test]
    fn a_label_is_read_in_gbk_and_in_utf_8() {
        assert_eq!(Text::read(LABEL_GBK, StringEncoding::Auto).as_str(), "印信 01");
        assert_eq!(Text::read(LABEL_GBK, StringEncoding::Gbk).as_str(), "印信 01");
        assert_eq!(
            Text::read("印信 01".as_bytes(), StringEncoding::Auto).as_str(),
            "印信 01"
        );
        assert_eq!(
            Text::read(b"Key\x1b[2J  ", StringEncoding::Auto).as_str(),
            "Key[2J"
        );
    }

    #[test]
    fn a_name_goes_back_as_it_came() {
        let name = Text::read(LABEL_GBK, StringEncoding::Utf8);
        assert!(name.as_str().contains('\u{fffd}'));
        assert_eq!(name.to_c(), b"\xd3\xa1\xd0\xc5 01\0");
        assert_eq!(
            Text::new("印信 01", StringEncoding::Gbk).to_c(),
            b"\xd3\xa1\xd0\xc5 01\0"
        );
    }

    #[test]
    fn a_list_needs_no_second_nul() {
        for list in [&b"one\0two\0\0"[..], b"one\0two\0", b"one\0two"] {
            let names: Vec<String> = read_list(list, StringEncoding::Auto)
                .iter()
                .map(ToString::to_string)
                .collect();
            assert_eq!(names, ["one", "two"]);
        }
        assert!(read_list(b"\0\0", StringEncoding::Auto).is_empty());
        assert_eq!(
            read_list(&b"x\0".repeat(1000), StringEncoding::Auto).len(),
            LIST_LIMIT
        );
    }
}
