//! The platform's own identifiers: order numbers and ids, vendors, products. None of them is personal.
use time::{Date, Month, OffsetDateTime, UtcOffset};

use super::newtype::{all_digits, text_type};

text_type! {
    /// An order's number: its date in China time, `A`, ten random digits, for example `20230422A0000001145`.
    OrderNumber {
        parse: |text| order_date(text).map(|_| text.to_owned()),
        error: OrderNumber,
        face: open,
        schema: (pattern = r"^\d{8}A\d{10}$", example = "20230422A0000001145")
    }
}

text_type! {
    /// An order's id: 128 random bits in lower-case hex.
    OrderId {
        parse: |text| {
            let fits = text.len() == 32 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
            fits.then(|| text.to_owned())
        },
        error: OrderId,
        face: open,
        schema: (pattern = "^[0-9a-f]{32}$", example = "31d9ff6e5ca14ccb84f30c319e465565")
    }
}

text_type! {
    /// The id of a key recovery: 128 random bits in lower-case hex.
    RecoveryId {
        parse: |text| {
            let fits = text.len() == 32 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
            fits.then(|| text.to_owned())
        },
        error: RecoveryId,
        face: open,
        schema: (pattern = "^[0-9a-f]{32}$", example = "0b6e8c1f2a9d4f7e8b3c5d6e7f809142")
    }
}

text_type! {
    /// A vendor's id: a short slug.
    VendorId {
        parse: parse_slug,
        error: VendorId,
        face: open,
        schema: (pattern = "^[a-z][a-z0-9-]{0,30}[a-z0-9]$", example = "example-ca")
    }
}

text_type! {
    /// A product's id: a short slug.
    ProductId {
        parse: parse_slug,
        error: ProductId,
        face: open,
        schema: (pattern = "^[a-z][a-z0-9-]{0,30}[a-z0-9]$", example = "unit-1y")
    }
}

text_type! {
    /// The number of a fully digitalised invoice (数电发票号码).
    InvoiceNumber {
        parse: |text| (text.len() == 20 && all_digits(text)).then(|| text.to_owned()),
        error: InvoiceNumber,
        face: open,
        schema: (pattern = r"^\d{20}$", example = "23312000000000000001")
    }
}

/// The date in China at a moment.
pub fn china_date(moment: OffsetDateTime) -> Date {
    // China has one time zone and no summer time.
    const CHINA: UtcOffset = match UtcOffset::from_hms(8, 0, 0) {
        Ok(offset) => offset,
        Err(_) => UtcOffset::UTC,
    };
    moment.to_offset(CHINA).date()
}

impl OrderNumber {
    /// The number of an order confirmed on `date` (China time); `random` must be unguessable.
    pub fn new(date: Date, random: u64) -> Self {
        const NUMBERS: u64 = 10_000_000_000;
        let (year, month, day) = date.to_calendar_date();
        // A date outside four digits would not parse again.
        let year = year.clamp(0, 9999);
        Self(format!(
            "{year:04}{:02}{day:02}A{:010}",
            u8::from(month),
            random % NUMBERS
        ))
    }
}

impl OrderId {
    /// The id of 128 random bits.
    pub fn from_random(random: [u8; 16]) -> Self {
        Self(format!("{:032x}", u128::from_be_bytes(random)))
    }
}

fn order_date(text: &str) -> Option<Date> {
    let (date, digits) = text.split_once('A')?;
    if date.len() != 8 || digits.len() != 10 || !all_digits(date) || !all_digits(digits) {
        return None;
    }
    let month = Month::try_from(date[4..6].parse::<u8>().ok()?).ok()?;
    Date::from_calendar_date(date[..4].parse().ok()?, month, date[6..].parse().ok()?).ok()
}

fn parse_slug(text: &str) -> Option<String> {
    let fits = (2..=32).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && !text.ends_with('-')
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    fits.then(|| text.to_owned())
}

impl RecoveryId {
    /// The id of 128 random bits.
    pub fn from_random(random: [u8; 16]) -> Self {
        Self(format!("{:032x}", u128::from_be_bytes(random)))
    }
}
