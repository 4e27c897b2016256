//! What the page shows of a message: its beginning as text, where it is text; otherwise its first bytes.
use std::fmt::Write as _;

/// Most characters of a text that are shown.
const TEXT_LIMIT_CHARACTERS: usize = 2000;
/// Most bytes of other messages that are shown.
const BYTES_LIMIT: usize = 256;

/// The beginning of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// What it looks like.
    pub beginning: Beginning,
    /// Whether there is more of it.
    pub cut: bool,
}

/// What a message looks like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Beginning {
    /// Text.
    Text(String),
    /// Bytes, in hexadecimal.
    Bytes(String),
}

/// What is shown of this message.
pub fn shown(message: &[u8]) -> Shown {
    match as_text(message) {
        Some(text) => Shown {
            beginning: Beginning::Text(visible(text.chars().take(TEXT_LIMIT_CHARACTERS))),
            cut: text.chars().nth(TEXT_LIMIT_CHARACTERS).is_some(),
        },
        None => Shown {
            beginning: Beginning::Bytes(hex::encode(&message[..message.len().min(BYTES_LIMIT)])),
            cut: message.len() > BYTES_LIMIT,
        },
    }
}

/// The message as text: UTF-8 without control characters but line ends and tabs.
pub fn as_text(message: &[u8]) -> Option<&str> {
    std::str::from_utf8(message).ok().filter(|text| {
        !text
            .chars()
            .any(|character| character.is_control() && !matches!(character, '\n' | '\r' | '\t'))
    })
}

/// The text with a visible name in place of each character that hides or turns round others: what is read on the
/// page must be what is signed.
pub fn visible(characters: impl Iterator<Item = char>) -> String {
    let mut text = String::new();
    for character in characters {
        if deceives(character) {
            let code = u32::from(character);
            // Writing to a string does not fail.
            write!(text, "‹U+{code:04X}›").unwrap_or_default();
        } else {
            text.push(character);
        }
    }
    text
}

/// Format characters of Unicode (category Cf and what prints nothing): directions, joiners, fillers, tags, variation selectors.
fn deceives(character: char) -> bool {
    matches!(character,
        '\u{00ad}' | '\u{034f}' | '\u{061c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_that_turn_text_round_are_named() {
        let shown = shown("付款给\u{202e}甲\u{200b}乙".as_bytes());
        assert_eq!(
            shown.beginning,
            Beginning::Text("付款给‹U+202E›甲‹U+200B›乙".to_owned())
        );
        assert!(!shown.cut);
    }

    #[test]
    fn bytes_that_are_no_text_are_shown_as_bytes() {
        for message in [&b"\xff\xfe"[..], b"a\x1b[2J", b"a\0b"] {
            assert!(matches!(shown(message).beginning, Beginning::Bytes(_)));
        }
    }

    #[test]
    fn a_long_text_is_cut_and_says_so() {
        let Shown { beginning, cut } = shown("字".repeat(2001).as_bytes());
        assert!(cut);
        assert!(matches!(beginning, Beginning::Text(text) if text.chars().count() == 2000));
    }
}
