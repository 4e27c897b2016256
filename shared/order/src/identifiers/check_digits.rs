//! Completes numbers with their check characters, for samples and tests.
use super::{bank, people, units};

/// A credit code of its first 17 characters, which must be in the alphabet.
pub(crate) fn with_credit_code_check(body: &str) -> String {
    let check = units::credit_code_check(body).expect("the characters of a credit code");
    format!("{body}{check}")
}

/// A resident identity number of its first 17 digits.
pub(crate) fn with_resident_id_check(digits: &str) -> String {
    format!("{digits}{}", people::check_character(digits))
}

/// A card number of all digits but the last.
pub(crate) fn with_luhn_check(digits: &str) -> String {
    let sum = bank::luhn_sum(&format!("{digits}0"));
    format!("{digits}{}", (10 - sum % 10) % 10)
}
