//! PINs: their rules, and the random password that a personalised UKey leaves with.
use std::fmt;

use zeroize::{Zeroize, Zeroizing};

/// Shortest PIN, in characters.
pub const MIN_CHARACTERS: usize = 6;
/// Longest PIN, in characters; GM/T 0016 devices take no more in practice.
pub const MAX_CHARACTERS: usize = 16;
/// Length of a random password: 12 of 57 characters are 70 bits.
const PASSWORD_CHARACTERS: usize = 12;
/// Letters and digits without those that look alike in print (0 O 1 I l).
const PASSWORD_ALPHABET: &[u8] = b"23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/// A PIN that keeps the rules; wiped when dropped, never shown.
pub struct Pin(Zeroizing<String>);

/// Why a PIN is refused before it is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PinRefusal {
    /// Shorter than six or longer than sixteen characters.
    #[error("a PIN has {MIN_CHARACTERS} to {MAX_CHARACTERS} characters")]
    Length,
    /// Devices compare bytes: what is not printable ASCII depends on the keyboard's encoding.
    #[error("a PIN is made of letters, digits and ASCII signs, without spaces")]
    Character,
}

impl Pin {
    /// Judges what was typed or read; the text is wiped with the PIN.
    pub fn new(text: Zeroizing<String>) -> Result<Self, PinRefusal> {
        if !(MIN_CHARACTERS..=MAX_CHARACTERS).contains(&text.chars().count()) {
            return Err(PinRefusal::Length);
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(PinRefusal::Character);
        }
        Ok(Self(text))
    }

    /// A password of letters and digits from the system's random generator.
    pub fn random() -> Result<Self, getrandom::Error> {
        // Bytes at or above the largest multiple of the alphabet's size would favour its first characters.
        let fair = u8::try_from(256 / PASSWORD_ALPHABET.len() * PASSWORD_ALPHABET.len()).unwrap_or(u8::MAX);
        let mut text = Zeroizing::new(String::with_capacity(PASSWORD_CHARACTERS));
        let mut random = Zeroizing::new([0_u8; 4 * PASSWORD_CHARACTERS]);
        while text.len() < PASSWORD_CHARACTERS {
            getrandom::fill(random.as_mut())?;
            for byte in random.iter().filter(|byte| **byte < fair) {
                if text.len() < PASSWORD_CHARACTERS {
                    text.push(char::from(
                        PASSWORD_ALPHABET[usize::from(*byte) % PASSWORD_ALPHABET.len()],
                    ));
                }
            }
        }
        Ok(Self(text))
    }

    /// The characters, for the device and for the one request that carries a password.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl Clone for Pin {
    fn clone(&self) -> Self {
        Self(Zeroizing::new(self.0.as_str().to_owned()))
    }
}

impl Zeroize for Pin {
    fn zeroize(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for Pin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Pin(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pin(text: &str) -> Result<Pin, PinRefusal> {
        Pin::new(Zeroizing::new(text.to_owned()))
    }

    #[test]
    fn a_pin_has_six_to_sixteen_printable_characters() {
        assert!(pin("123456").is_ok());
        assert!(pin("abcdefgh12345678").is_ok());
        assert_eq!(pin("12345").err(), Some(PinRefusal::Length));
        assert_eq!(pin("12345678901234567").err(), Some(PinRefusal::Length));
        assert_eq!(pin("12 3456").err(), Some(PinRefusal::Character));
        assert_eq!(pin("密码密码密码").err(), Some(PinRefusal::Character));
    }

    #[test]
    fn a_random_password_keeps_the_rules_and_has_no_look_alikes() {
        let mut seen = std::collections::HashSet::new();
        for _ in 0..200 {
            let password = Pin::random().unwrap();
            assert!((8..=12).contains(&password.reveal().len()));
            assert!(password.reveal().bytes().all(|byte| byte.is_ascii_alphanumeric()));
            assert!(!password.reveal().contains(['0', 'O', '1', 'I', 'l']));
            assert!(seen.insert(password.reveal().to_owned()));
        }
    }

    #[test]
    fn debug_shows_nothing_of_a_pin() {
        assert_eq!(format!("{:?}", pin("secret7").unwrap()), "Pin(..)");
    }
}
