//! Money in whole fen.
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::InvalidIdentifier;
use super::newtype::all_digits;

/// An amount in fen, never negative. `Display` and `FromStr` speak yuan with two decimals (`88.00`); serde
/// speaks fen.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize, ToSchema,
)]
#[serde(try_from = "i64", into = "i64")]
#[schema(value_type = i64, minimum = 0, example = 8800)]
pub struct Fen(i64);

impl Fen {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// So many fen.
    pub const fn new(fen: i64) -> Result<Self, InvalidIdentifier> {
        if fen < 0 {
            Err(InvalidIdentifier::Amount)
        } else {
            Ok(Self(fen))
        }
    }

    /// The number of fen.
    pub const fn fen(self) -> i64 {
        self.0
    }

    /// Whether it is nothing.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// The sum, if it can be held.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// The difference, if it is not negative.
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        (self.0 >= other.0).then(|| Self(self.0 - other.0))
    }

    /// In yuan with two decimals, as payment providers write it: `88.00`.
    pub fn to_yuan(self) -> String {
        format!("{}.{:02}", self.0 / 100, self.0 % 100)
    }
}

impl fmt::Display for Fen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_yuan())
    }
}

impl FromStr for Fen {
    type Err = InvalidIdentifier;

    /// Parses yuan with at most two decimals: `88`, `88.8` or `88.00`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (yuan, decimals) = text.split_once('.').unwrap_or((text, "0"));
        let fits =
            !yuan.is_empty() && all_digits(yuan) && matches!(decimals.len(), 1 | 2) && all_digits(decimals);
        let fen = |text: &str, unit: i64| text.parse::<i64>().ok()?.checked_mul(unit);
        let total = || fen(yuan, 100)?.checked_add(fen(decimals, if decimals.len() == 1 { 10 } else { 1 })?);
        fits.then(total)
            .flatten()
            .map(Self)
            .ok_or(InvalidIdentifier::Amount)
    }
}

impl TryFrom<i64> for Fen {
    type Error = InvalidIdentifier;

    fn try_from(fen: i64) -> Result<Self, Self::Error> {
        Self::new(fen)
    }
}

impl From<Fen> for i64 {
    fn from(amount: Fen) -> Self {
        amount.0
    }
}
