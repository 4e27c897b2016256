//! One way to make a parsed text: `FromStr`, serde through a string, and a face that fits its secrecy.

/// Declares a newtype over the normalised text that `parse` accepts.
///
/// `personal(mask)` masks `Debug` and `Display`; `open` shows the value.
macro_rules! text_type {
    (
        $(#[doc = $doc:literal])+
        $name:ident { parse: $parse:expr, error: $error:ident, face: $face:ident $(($mask:expr))?, schema: ($($schema:tt)+) }
    ) => {
        $(#[doc = $doc])+
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
        #[serde(try_from = "String", into = "String")]
        #[schema(value_type = String, $($schema)+)]
        pub struct $name(String);

        impl $name {
            /// The whole value.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::identifiers::InvalidIdentifier;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let parse: fn(&str) -> Option<String> = $parse;
                parse(text).map(Self).ok_or($crate::identifiers::InvalidIdentifier::$error)
            }
        }

        impl TryFrom<String> for $name {
            type Error = $crate::identifiers::InvalidIdentifier;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> Self {
                value.0
            }
        }

        text_type!(@face $face $name $(($mask))?);
    };

    (@face open $name:ident) => {
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0)
            }
        }
    };

    (@face personal $name:ident ($mask:expr)) => {
        impl $name {
            /// What others may see of it.
            pub fn masked(&self) -> String {
                let mask: fn(&str) -> String = $mask;
                mask(&self.0)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.masked())
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{}({})", stringify!($name), self.masked())
            }
        }
    };
}

pub(super) use text_type;

/// Keeps `head` characters in front and `tail` at the end around `between`; a text too short to hide anything
/// keeps nothing.
pub(super) fn mask_middle(text: &str, head: usize, between: &str, tail: usize) -> String {
    let count = text.chars().count();
    if count <= head + tail {
        return between.to_owned();
    }
    let front = text.chars().take(head);
    let back = text.chars().skip(count - tail);
    front.chain(between.chars()).chain(back).collect()
}

/// Hides everything, even the length.
pub(super) fn mask_all(_: &str) -> String {
    "***".to_owned()
}

/// The trimmed text, if it has so many printable characters.
pub(super) fn printable(text: &str, min: usize, max: usize) -> Option<String> {
    let text = text.trim();
    let fits = (min..=max).contains(&text.chars().count());
    (fits && !text.chars().any(is_hidden)).then(|| text.to_owned())
}

/// Control characters, and those that are invisible or turn the direction of what follows: a reader of a
/// screen or a certificate would see another text than the one that was signed.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fffd}')
}

/// Whether every character is an ASCII digit.
pub(super) fn all_digits(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit())
}

/// The text without the spaces that people type between groups of digits.
pub(super) fn without_spaces(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}
