//! The tax within a tax-inclusive amount, in whole fen.

/// So many parts make a whole rate: `0.06` is 600 of them.
const WHOLE: i64 = 10_000;
/// The most decimals of a rate.
const MAX_DECIMALS: usize = 4;

/// A tax rate below one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rate {
    /// As it is sent.
    pub(super) text: String,
    parts: i64,
}

impl Rate {
    /// Reads `0.06`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let decimals = text.strip_prefix("0.")?;
        let fits =
            (1..=MAX_DECIMALS).contains(&decimals.len()) && decimals.bytes().all(|b| b.is_ascii_digit());
        let parts = format!("{decimals:0<MAX_DECIMALS$}")
            .parse()
            .ok()
            .filter(|_| fits)?;
        Some(Rate {
            text: text.to_owned(),
            parts,
        })
    }

    /// The amount without the tax, rounded to the nearest fen; the tax is the rest.
    pub(super) fn excluded_fen(&self, included_fen: i64) -> Option<i64> {
        let divisor = WHOLE + self.parts;
        Some((included_fen.checked_mul(WHOLE)?.checked_add(divisor / 2)?) / divisor)
    }
}

#[cfg(test)]
mod tests {
    use super::Rate;

    #[test]
    fn the_tax_is_within_the_amount() {
        for (rate, included, excluded) in [
            ("0.06", 22_000, 20_755),
            ("0.13", 22_000, 19_469),
            ("0.0", 22_000, 22_000),
            ("0.01", 1, 1),
            ("0.015", 100, 99),
        ] {
            let rate = Rate::parse(rate).unwrap();
            assert_eq!(rate.excluded_fen(included), Some(excluded), "{rate:?}");
        }
        assert_eq!(Rate::parse("0.06").unwrap().excluded_fen(i64::MAX), None);
    }

    #[test]
    fn what_is_no_rate_below_one_is_refused() {
        for text in [
            "", "6", "6%", "1.0", "0.", ".06", "0.06000", "0.-1", "-0.06", "0.0６",
        ] {
            assert_eq!(Rate::parse(text), None, "{text}");
        }
    }
}
