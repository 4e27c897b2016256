//! Times of day as Chinese providers write them: GMT+8 without a zone.

use time::format_description::BorrowedFormatItem;
use time::macros::{format_description, offset};
use time::{OffsetDateTime, PrimitiveDateTime};

const FORMAT: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day] [hour]:[minute]:[second]");

/// `yyyy-MM-dd HH:mm:ss` in GMT+8; nothing for years that do not have four digits.
pub(crate) fn format(at: OffsetDateTime) -> Option<String> {
    at.to_offset(offset!(+8)).format(FORMAT).ok()
}

/// Reads what [`format`] writes, with or without milliseconds.
pub(crate) fn parse(text: &str) -> Option<OffsetDateTime> {
    let seconds = text.split_once('.').map_or(text, |(seconds, _)| seconds);
    PrimitiveDateTime::parse(seconds, FORMAT)
        .ok()
        .map(|at| at.assume_offset(offset!(+8)))
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::{format, parse};

    #[test]
    fn times_are_beijing_times_whatever_the_clock_s_zone() {
        assert_eq!(
            format(datetime!(2024-05-20 02:11:12 UTC)).unwrap(),
            "2024-05-20 10:11:12"
        );
        assert_eq!(
            parse("2024-05-20 10:11:12").unwrap(),
            datetime!(2024-05-20 02:11:12 UTC)
        );
        assert_eq!(
            parse("2024-05-20 10:11:12.345").unwrap(),
            datetime!(2024-05-20 02:11:12 UTC)
        );
        assert!(parse("2024-05-20").is_none());
    }
}
