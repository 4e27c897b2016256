//! Yuan texts and fen numbers, converted digit by digit: no floats touch money.

/// Most yuan digits before the point: far above any provider's limit, far below what overflows fen.
const MAX_YUAN_DIGITS: usize = 12;

/// Writes fen as yuan with two decimals; `None` for a negative amount.
pub fn yuan(amount_fen: i64) -> Option<String> {
    (amount_fen >= 0).then(|| format!("{}.{:02}", amount_fen / 100, amount_fen % 100))
}

/// Reads a yuan text (`1`, `1.0`, `1.00` are equal) as fen; `None` unless it is a whole, non-negative number of fen.
pub fn fen(yuan: &str) -> Option<i64> {
    let (whole, fraction) = yuan.split_once('.').unwrap_or((yuan, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(fraction) || whole.len() > MAX_YUAN_DIGITS {
        return None;
    }
    let (cents, beyond) = fraction.split_at(fraction.len().min(2));
    if beyond.bytes().any(|byte| byte != b'0') {
        return None;
    }
    let cents = format!("{cents:0<2}").parse::<i64>().ok()?;
    whole.parse::<i64>().ok()?.checked_mul(100)?.checked_add(cents)
}

#[cfg(test)]
mod tests {
    use super::{fen, yuan};

    #[test]
    fn fen_are_written_with_two_decimals() {
        assert_eq!(yuan(22_000).as_deref(), Some("220.00"));
        assert_eq!(yuan(1).as_deref(), Some("0.01"));
        assert_eq!(yuan(0).as_deref(), Some("0.00"));
        assert_eq!(yuan(-1), None);
    }

    #[test]
    fn equal_decimals_are_equal_fen() {
        for text in ["1", "1.0", "1.00", "1.000", "01.00"] {
            assert_eq!(fen(text), Some(100), "{text}");
        }
        assert_eq!(fen("0.1"), Some(10));
        assert_eq!(fen("100000000.00"), Some(10_000_000_000));
    }

    #[test]
    fn what_is_not_a_whole_number_of_fen_is_refused() {
        for text in [
            "",
            ".",
            "1.",
            ".5",
            "-1",
            "+1",
            "1.001",
            "1e2",
            " 1",
            "1,00",
            "９",
            "1000000000000.00",
        ] {
            assert_eq!(fen(text), None, "{text}");
        }
    }
}
