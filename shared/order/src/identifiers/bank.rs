//! Bank data: card numbers, account numbers and names.
use super::newtype::{all_digits, mask_middle, printable, text_type, without_spaces};

text_type! {
    /// A bank card's number: 12 to 19 digits with a check digit (ISO/IEC 7812-1, annex B: Luhn).
    ///
    /// A few old cards carry none; their holders take another check.
    BankCard {
        parse: parse_card,
        error: BankCard,
        face: personal(|text| mask_middle(text, 4, "****", 4)),
        schema: (pattern = r"^\d{12,19}$", example = "6217000010001234569")
    }
}

text_type! {
    /// A bank account's number: no check digit is common to all banks.
    BankAccount {
        parse: parse_account,
        error: BankAccount,
        face: personal(|text| mask_middle(text, 0, "****", 4)),
        schema: (pattern = "^[0-9A-Z-]{6,32}$", example = "43001500061052500001")
    }
}

text_type! {
    /// The name that an account is held under.
    AccountName {
        parse: |text| printable(text, 2, 64),
        error: AccountName,
        face: personal(|text| mask_middle(text, 1, "***", 0)),
        schema: (min_length = 2, max_length = 64, example = "长沙示例建设有限公司")
    }
}

impl From<&BankCard> for BankAccount {
    fn from(card: &BankCard) -> Self {
        Self(card.as_str().to_owned())
    }
}

impl From<&super::UnitName> for AccountName {
    fn from(name: &super::UnitName) -> Self {
        Self(name.as_str().to_owned())
    }
}

impl From<&super::PersonName> for AccountName {
    fn from(name: &super::PersonName) -> Self {
        Self(name.as_str().to_owned())
    }
}

fn parse_card(text: &str) -> Option<String> {
    let text = without_spaces(text);
    ((12..=19).contains(&text.len()) && all_digits(&text) && luhn_sum(&text).is_multiple_of(10))
        .then_some(text)
}

/// The Luhn sum of a number with its check digit.
pub(crate) fn luhn_sum(digits: &str) -> u32 {
    digits
        .bytes()
        .rev()
        .enumerate()
        .map(|(place, byte)| {
            let digit = u32::from(byte - b'0');
            let doubled = digit * 2;
            match place % 2 {
                0 => digit,
                _ if doubled > 9 => doubled - 9,
                _ => doubled,
            }
        })
        .sum()
}

fn parse_account(text: &str) -> Option<String> {
    let text = without_spaces(text).to_ascii_uppercase();
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let fits = (6..=32).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.ends_with(|c: char| c.is_ascii_alphanumeric())
        && digits * 2 > text.len();
    fits.then_some(text)
}
