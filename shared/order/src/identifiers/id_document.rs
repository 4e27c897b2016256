//! The identity documents of natural persons: a type and a number in that type's form.
use serde::{Deserialize, Serialize};
use time::Date;
use utoipa::ToSchema;

use super::newtype::{all_digits, mask_middle, text_type, without_spaces};
use super::people::{ResidentId, birth_date, has_check_character};

text_type! {
    /// A passport's number.
    PassportNumber {
        parse: |text| upper(text).filter(|number| (5..=17).contains(&number.len()) && alphanumeric(number)),
        error: IdNumber,
        face: personal(mask_number),
        schema: (pattern = "^[0-9A-Z]{5,17}$", example = "E12345678")
    }
}

text_type! {
    /// The number of a mainland travel permit of a resident of Hong Kong or Macao.
    HongKongMacaoPermitNumber {
        parse: |text| upper(text).filter(|number| {
            number.strip_prefix(['H', 'M']).is_some_and(|rest| matches!(rest.len(), 8 | 10) && all_digits(rest))
        }),
        error: IdNumber,
        face: personal(mask_number),
        schema: (pattern = r"^[HM]\d{8}(\d{2})?$", example = "H01234567")
    }
}

text_type! {
    /// The number of a mainland travel permit of a resident of Taiwan.
    TaiwanPermitNumber {
        parse: |text| upper(text).filter(|number| {
            let digits = number.strip_suffix(|c: char| c.is_ascii_uppercase() && number.len() == 11).unwrap_or(number);
            matches!(digits.len(), 8 | 10) && all_digits(digits)
        }),
        error: IdNumber,
        face: personal(mask_number),
        schema: (pattern = r"^\d{8}$|^\d{10}[A-Z]?$", example = "01234567")
    }
}

text_type! {
    /// The number of a foreign permanent resident's card: of the 2023 form (18 characters from 9, with a check
    /// character) or of the older one (3 letters and 12 digits).
    ForeignPermanentResidentNumber {
        parse: |text| upper(text).filter(|number| {
            let current = number.starts_with('9') && has_check_character(number) && birth_date(number).is_some();
            let older = number.len() == 15
                && number.is_char_boundary(3)
                && number[..3].bytes().all(|b| b.is_ascii_uppercase())
                && all_digits(&number[3..]);
            current || older
        }),
        error: IdNumber,
        face: personal(mask_number),
        schema: (pattern = r"^9\d{16}[0-9X]$|^[A-Z]{3}\d{12}$", example = "CHN110000010101")
    }
}

text_type! {
    /// The number of a military officer's card, for example `军字第1234567号`.
    MilitaryOfficerNumber {
        parse: |text| upper(text).filter(|number| {
            (4..=20).contains(&number.chars().count())
                && number.chars().all(|c| c.is_alphanumeric() || "-()（）".contains(c))
                && number.chars().any(char::is_numeric)
        }),
        error: IdNumber,
        face: personal(mask_number),
        schema: (min_length = 4, max_length = 20, example = "军字第1234567号")
    }
}

/// An identity document: its type and number.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(
    tag = "type",
    content = "number",
    rename_all = "snake_case",
    deny_unknown_fields
)]
pub enum IdDocument {
    /// A resident identity card (身份证).
    ResidentId(ResidentId),
    /// A passport (护照).
    Passport(PassportNumber),
    /// A mainland travel permit of a resident of Hong Kong or Macao (港澳居民来往内地通行证).
    HongKongMacaoPermit(HongKongMacaoPermitNumber),
    /// A mainland travel permit of a resident of Taiwan (台湾居民来往大陆通行证).
    TaiwanPermit(TaiwanPermitNumber),
    /// A foreign permanent resident's card (外国人永久居留身份证).
    ForeignPermanentResident(ForeignPermanentResidentNumber),
    /// A military officer's card (军官证).
    MilitaryOfficer(MilitaryOfficerNumber),
}

/// The type of an identity document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum IdType {
    /// A resident identity card (身份证).
    ResidentId,
    /// A passport (护照).
    Passport,
    /// A mainland travel permit of a resident of Hong Kong or Macao (港澳居民来往内地通行证).
    HongKongMacaoPermit,
    /// A mainland travel permit of a resident of Taiwan (台湾居民来往大陆通行证).
    TaiwanPermit,
    /// A foreign permanent resident's card (外国人永久居留身份证).
    ForeignPermanentResident,
    /// A military officer's card (军官证).
    MilitaryOfficer,
}

impl IdDocument {
    /// Parses a number in the form of the type.
    pub fn new(id_type: IdType, number: &str) -> Result<Self, super::InvalidIdentifier> {
        Ok(match id_type {
            IdType::ResidentId => Self::ResidentId(number.parse()?),
            IdType::Passport => Self::Passport(number.parse()?),
            IdType::HongKongMacaoPermit => Self::HongKongMacaoPermit(number.parse()?),
            IdType::TaiwanPermit => Self::TaiwanPermit(number.parse()?),
            IdType::ForeignPermanentResident => Self::ForeignPermanentResident(number.parse()?),
            IdType::MilitaryOfficer => Self::MilitaryOfficer(number.parse()?),
        })
    }

    /// The type.
    pub fn id_type(&self) -> IdType {
        match self {
            Self::ResidentId(_) => IdType::ResidentId,
            Self::Passport(_) => IdType::Passport,
            Self::HongKongMacaoPermit(_) => IdType::HongKongMacaoPermit,
            Self::TaiwanPermit(_) => IdType::TaiwanPermit,
            Self::ForeignPermanentResident(_) => IdType::ForeignPermanentResident,
            Self::MilitaryOfficer(_) => IdType::MilitaryOfficer,
        }
    }

    /// The whole number.
    pub fn number(&self) -> &str {
        match self {
            Self::ResidentId(number) => number.as_str(),
            Self::Passport(number) => number.as_str(),
            Self::HongKongMacaoPermit(number) => number.as_str(),
            Self::TaiwanPermit(number) => number.as_str(),
            Self::ForeignPermanentResident(number) => number.as_str(),
            Self::MilitaryOfficer(number) => number.as_str(),
        }
    }

    /// The number of a resident identity card, where it is one: only those can be checked with mobiles and cards.
    pub fn resident_id(&self) -> Option<&ResidentId> {
        match self {
            Self::ResidentId(number) => Some(number),
            _ => None,
        }
    }

    /// What others may see of the number.
    pub fn masked(&self) -> String {
        mask_number(self.number())
    }

    /// Whether a date of birth in the number, if it has one, lies before `date`.
    pub fn is_born_before(&self, date: Date) -> bool {
        match self {
            Self::ResidentId(number) => number.is_born_before(date),
            Self::ForeignPermanentResident(number) if number.as_str().len() == 18 => {
                birth_date(number.as_str()).is_some_and(|born| born < date)
            }
            _ => true,
        }
    }
}

fn mask_number(text: &str) -> String {
    if text.chars().count() >= 15 {
        mask_middle(text, 3, "...", 2)
    } else {
        mask_middle(text, 1, "...", 2)
    }
}

/// Longer than any accepted number; what is longer need not be looked at.
const MAX_NUMBER_BYTES: usize = 96;

fn upper(text: &str) -> Option<String> {
    (text.len() <= MAX_NUMBER_BYTES).then(|| without_spaces(text).to_ascii_uppercase())
}

fn alphanumeric(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_alphanumeric())
}
