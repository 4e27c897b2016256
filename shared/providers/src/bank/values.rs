//! The bank bridge's values with rules of their own.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use crate::Secret;

/// What a memo may be made of: ASCII letters and digits without look-alikes (no `0O1Il`).
pub const MEMO_ALPHABET: &str = "23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/// Banks cut the memo (附言) anywhere from 20 bytes on.
const MAX_MEMO: usize = 20;
const MAX_OUT_BIZ_NO: usize = 20;

/// A value breaks its rule.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum ValueError {
    /// Empty, longer than 20 bytes, or a character outside [`MEMO_ALPHABET`].
    #[error("a memo has 1 to 20 letters and digits without look-alikes")]
    Memo,
    /// Empty, longer than 20 bytes, or not alphanumeric.
    #[error("a transfer's number has 1 to 20 letters and digits")]
    OutBizNo,
}

/// A transfer's memo; it holds a secret, which many people besides the payee read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Memo(Secret);

impl Memo {
    pub(super) fn expose(&self) -> &str {
        self.0.expose()
    }
}

impl FromStr for Memo {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let legal = (1..=MAX_MEMO).contains(&text.len()) && text.chars().all(|c| MEMO_ALPHABET.contains(c));
        legal.then(|| Self(text.into())).ok_or(ValueError::Memo)
    }
}

/// Our number of a transfer: the idempotency key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutBizNo(String);

impl OutBizNo {
    /// The number's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for OutBizNo {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let legal =
            (1..=MAX_OUT_BIZ_NO).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric());
        legal.then(|| Self(text.to_owned())).ok_or(ValueError::OutBizNo)
    }
}

impl fmt::Display for OutBizNo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
