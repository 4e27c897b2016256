//! PINs: their rules.
use std::fmt;

use zeroize::Zeroizing;

use crate::{
    Sar,
    constants::{MAX_PIN_BYTES, MIN_PIN_BYTES},
};

/// A PIN that keeps the rules; wiped when dropped, never shown.
pub struct Pin(Zeroizing<String>);

impl Pin {
    /// Judges a text; it is wiped with the PIN. A PIN against the rules costs no try: it cannot be the right one.
    pub fn new(text: Zeroizing<String>) -> Result<Self, Sar> {
        if !(MIN_PIN_BYTES..=MAX_PIN_BYTES).contains(&text.len()) {
            return Err(Sar::PinLength);
        }
        // What is not printable ASCII depends on the keyboard's encoding.
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Sar::PinInvalid);
        }
        Ok(Self(text))
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        self.0.as_bytes()
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

    #[test]
    fn a_pin_has_six_to_sixteen_printable_characters() {
        let judged = |text: &str| Pin::new(Zeroizing::new(text.to_owned())).err();
        assert_eq!(judged("123456"), None);
        assert_eq!(judged("abcdefgh12345678"), None);
        assert_eq!(judged("12345"), Some(Sar::PinLength));
        assert_eq!(judged("12345678901234567"), Some(Sar::PinLength));
        assert_eq!(judged("12 3456"), Some(Sar::PinInvalid));
    }

    #[test]
    fn debug_shows_nothing_of_a_pin() {
        let pin = Pin::new(Zeroizing::new("secret7".to_owned())).unwrap();
        assert_eq!(format!("{pin:?}"), "Pin(..)");
    }
}
