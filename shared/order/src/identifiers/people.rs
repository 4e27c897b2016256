//! What identifies a natural person: name, mobile, e-mail, resident identity number.
use time::{Date, Month};

use super::newtype::{all_digits, mask_middle, printable, text_type, without_spaces};

text_type! {
    /// A natural person's name, as on the identity document.
    PersonName {
        parse: parse_name,
        error: Name,
        face: personal(mask_name),
        schema: (min_length = 2, max_length = 50, example = "张三")
    }
}

text_type! {
    /// A mobile number of China's mainland: 11 digits, without the country code.
    Mobile {
        parse: parse_mobile,
        error: Mobile,
        face: personal(|text| mask_middle(text, 3, "****", 4)),
        schema: (pattern = r"^1[3-9]\d{9}$", example = "13800000305")
    }
}

text_type! {
    /// An e-mail address in ASCII.
    Email {
        parse: parse_email,
        error: Email,
        face: personal(mask_email),
        schema: (max_length = 254, example = "handler@example.com")
    }
}

text_type! {
    /// A resident identity number (GB 11643-1999), also of a residence permit for people from Hong Kong, Macao
    /// and Taiwan: 17 digits and a check character.
    ResidentId {
        parse: parse_resident_id,
        error: IdNumber,
        face: personal(|text| mask_middle(text, 3, "...", 2)),
        schema: (pattern = r"^\d{17}[0-9X]$", example = "430102199003070012")
    }
}

impl ResidentId {
    /// Whether the date of birth lies before `date`; parsing knows no clock.
    pub fn is_born_before(&self, date: Date) -> bool {
        birth_date(self.as_str()).is_some_and(|born| born < date)
    }
}

impl PersonName {
    /// Whether both are the same name; case and the kind of middle dot do not count.
    pub fn is_same(&self, other: &str) -> bool {
        let plain = |text: &str| text.trim().replace(['•', '・', '．', '‧'], "·").to_lowercase();
        plain(self.as_str()) == plain(other)
    }
}

fn parse_name(text: &str) -> Option<String> {
    let name = printable(text, 2, 50)?;
    let is_letter = |c: char| c.is_alphabetic() || " ·•・．‧.'’-".contains(c);
    (name.chars().all(is_letter) && name.chars().any(char::is_alphabetic)).then_some(name)
}

/// The first character, and as many stars as hide the rest without telling more than two further characters.
fn mask_name(text: &str) -> String {
    let hidden = text.chars().count().saturating_sub(1).min(2);
    text.chars()
        .take(1)
        .chain(std::iter::repeat_n('*', hidden))
        .collect()
}

fn parse_mobile(text: &str) -> Option<String> {
    let text: String = without_spaces(text).replace('-', "");
    let bare = text.strip_prefix("+86").unwrap_or(&text);
    // Thirteen digits can only be the country code and a number.
    let bare = if bare.len() == 13 {
        bare.strip_prefix("86").unwrap_or(bare)
    } else {
        bare
    };
    let second = *bare.as_bytes().get(1)?;
    let fits =
        bare.len() == 11 && all_digits(bare) && bare.starts_with('1') && (b'3'..=b'9').contains(&second);
    fits.then(|| bare.to_owned())
}

fn parse_email(text: &str) -> Option<String> {
    let text = text.trim();
    let (local, domain) = text.rsplit_once('@')?;
    // RFC 5321, 4.5.3.1: 64 octets before the sign, 254 in all. Quoted local parts are not accepted.
    let local_fits = (1..=64).contains(&local.len())
        && local
            .split('.')
            .all(|atom| !atom.is_empty() && atom.bytes().all(is_atom_byte));
    let domain_fits = domain.contains('.') && domain.split('.').all(is_domain_label);
    let top_fits = domain
        .rsplit('.')
        .next()
        .is_some_and(|top| top.len() >= 2 && !all_digits(top));
    (text.len() <= 254 && local_fits && domain_fits && top_fits).then(|| text.to_owned())
}

/// RFC 5322, 3.2.3: atext.
fn is_atom_byte(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&b)
}

fn is_domain_label(label: &str) -> bool {
    (1..=63).contains(&label.len())
        && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        && !label.starts_with('-')
        && !label.ends_with('-')
}

fn mask_email(text: &str) -> String {
    let (local, domain) = text.rsplit_once('@').unwrap_or((text, ""));
    let first: String = if local.len() > 1 {
        local.chars().take(1).collect()
    } else {
        String::new()
    };
    format!("{first}***@{domain}")
}

/// Codes of the provinces in GB/T 2260, of Taiwan (71, 83), Hong Kong (81), Macao (82), and of foreign places (91).
const PROVINCES: &[u8] = &[
    11, 12, 13, 14, 15, 21, 22, 23, 31, 32, 33, 34, 35, 36, 37, 41, 42, 43, 44, 45, 46, 50, 51, 52, 53, 54,
    61, 62, 63, 64, 65, 71, 81, 82, 83, 91,
];

fn parse_resident_id(text: &str) -> Option<String> {
    let text = without_spaces(text).to_ascii_uppercase();
    let province: u8 = text.get(..2)?.parse().ok()?;
    (has_check_character(&text) && PROVINCES.contains(&province) && birth_date(&text).is_some())
        .then_some(text)
}

/// GB 11643-1999, 6.1.3 and ISO 7064: MOD 11-2.
pub(super) fn has_check_character(text: &str) -> bool {
    let (Some(digits), Some(check)) = (text.get(..17), text.get(17..)) else {
        return false;
    };
    all_digits(digits) && check.chars().eq([check_character(digits)])
}

/// The check character of 17 digits.
pub(crate) fn check_character(digits: &str) -> char {
    const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    const CHECKS: [char; 11] = ['1', '0', 'X', '9', '8', '7', '6', '5', '4', '3', '2'];
    let sum: u32 = digits
        .bytes()
        .zip(WEIGHTS)
        .map(|(digit, weight)| u32::from(digit - b'0') * weight)
        .sum();
    CHECKS[(sum % 11) as usize]
}

/// The date in characters 7 to 14, if it is real and of 1900 or later.
pub(super) fn birth_date(text: &str) -> Option<Date> {
    let year: i32 = text.get(6..10)?.parse().ok()?;
    let month = Month::try_from(text.get(10..12)?.parse::<u8>().ok()?).ok()?;
    let day: u8 = text.get(12..14)?.parse().ok()?;
    Date::from_calendar_date(year, month, day)
        .ok()
        .filter(|date| date.year() >= 1900)
}
