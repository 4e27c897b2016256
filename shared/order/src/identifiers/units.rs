//! What identifies a unit: name, unified social credit code, tax number.
use super::newtype::{mask_middle, printable, text_type, without_spaces};

text_type! {
    /// A unit's name. At most 64 characters, so that it fits an organisation name (RFC 5280, A.1: ub-organization-name).
    UnitName {
        parse: |text| printable(text, 2, 64),
        error: UnitName,
        face: personal(|text| mask_middle(text, 2, "***", 2)),
        schema: (min_length = 2, max_length = 64, example = "长沙示例建设有限公司")
    }
}

text_type! {
    /// A unified social credit code (GB 32100-2015), in capital letters.
    CreditCode {
        parse: parse_credit_code,
        error: CreditCode,
        face: personal(|text| mask_middle(text, 3, "...", 2)),
        schema: (pattern = "^[0-9A-HJ-NPQRTUWXY]{18}$", example = "91430100MA4L00003Q")
    }
}

text_type! {
    /// A tax number: a credit code, an older number of an organisation, or a person's identity number.
    TaxNumber {
        parse: parse_tax_number,
        error: TaxNumber,
        face: personal(|text| mask_middle(text, 3, "...", 2)),
        schema: (pattern = "^[0-9A-Z]{15,20}$", example = "91430100MA4L00003Q")
    }
}

impl UnitName {
    /// Whether `other` names the same unit; banks write brackets in either width, and spaces do not count.
    pub fn is_same(&self, other: &str) -> bool {
        let plain = |text: &str| {
            without_spaces(text)
                .replace('（', "(")
                .replace('）', ")")
                .to_uppercase()
        };
        plain(self.as_str()) == plain(other)
    }
}

impl From<&CreditCode> for TaxNumber {
    /// A unit's tax number is its credit code.
    fn from(code: &CreditCode) -> Self {
        Self(code.as_str().to_owned())
    }
}

impl TaxNumber {
    /// Whether an organisation can have it: one of 18 characters must be a credit code.
    pub fn fits_organisation(&self) -> bool {
        self.as_str().len() != 18 || parse_credit_code(self.as_str()).is_some()
    }
}

// GB 32100-2015, 4.2: the letters I, O, S, V and Z are not used.
const ALPHABET: &[u8; 31] = b"0123456789ABCDEFGHJKLMNPQRTUWXY";

fn parse_credit_code(text: &str) -> Option<String> {
    let text = without_spaces(text).to_ascii_uppercase();
    let body = text.get(..17)?;
    (text.len() == 18 && credit_code_check(body) == text.chars().last()).then_some(text)
}

/// The check character of the first 17 characters; none if one of them is not in the alphabet.
pub(crate) fn credit_code_check(body: &str) -> Option<char> {
    // GB 32100-2015, annex A: weights are the powers of 3 modulo 31.
    let (mut sum, mut weight) = (0, 1);
    for byte in body.bytes() {
        sum += ALPHABET.iter().position(|letter| *letter == byte)? * weight;
        weight = weight * 3 % 31;
    }
    Some(char::from(ALPHABET[(31 - sum % 31) % 31]))
}

fn parse_tax_number(text: &str) -> Option<String> {
    let text = without_spaces(text).to_ascii_uppercase();
    let fits = (15..=20).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric());
    // Eighteen characters are a credit code or a resident identity number; both carry a check character.
    let checked =
        text.len() != 18 || parse_credit_code(&text).is_some() || text.parse::<super::ResidentId>().is_ok();
    (fits && checked).then_some(text)
}
