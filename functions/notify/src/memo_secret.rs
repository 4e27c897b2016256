//! The memo secret (口令领取码): what a transfer's memo shows instead of the password.
//!
//! It is derived and stored nowhere: whoever can open the password derives it again, so a repeated errand submits the
//! same memo. Back from it leads no way: it is an HMAC under the password, and what is hashed contains a value
//! under the platform's look-up key, so that nobody who reads memos can try passwords at home.
use std::str::FromStr;

use yinxin_order::identifiers::OrderId;
use yinxin_pki::digest::hmac_sm3;
use yinxin_providers::bank::MEMO_ALPHABET;
use yinxin_store::vault::Hashes;
use zeroize::Zeroizing;

/// 12 of 57 characters are 70 bits. Every bank shows so many characters of a memo.
const MEMO_SECRET_CHARACTERS: usize = 12;
/// Keeps these codes apart from whatever else a password may key.
const LABEL: &[u8] = b"yinxin memo secret 1";
const PEPPER: &str = "memo-secret";

/// A memo secret, derived or entered; wiped when dropped.
pub struct MemoSecret(Zeroizing<String>);

/// What was entered cannot be a memo secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a memo secret has 12 letters and digits")]
pub struct NoMemoSecret;

impl MemoSecret {
    /// The secret of one sending of an order's password.
    pub fn derive(password: &str, hashes: &Hashes, order: &OrderId, number: u8) -> Self {
        let pepper = hashes.lookup(PEPPER, order.as_str());
        let alphabet = MEMO_ALPHABET.as_bytes();
        // Bytes at or above the largest multiple of the alphabet's size would favour its first characters.
        let fair = 256 / alphabet.len() * alphabet.len();
        let mut text = Zeroizing::new(String::with_capacity(MEMO_SECRET_CHARACTERS));
        let blocks = (0_u8..).map(|block| {
            // Everything but the last two parts has a fixed length, and those are a byte each.
            let message = [
                LABEL,
                order.as_str().as_bytes(),
                pepper.as_bytes(),
                &[number, block],
            ]
            .concat();
            Zeroizing::new(hmac_sm3(password.as_bytes(), &message))
        });
        for block in blocks {
            let places = block
                .iter()
                .map(|&byte| usize::from(byte))
                .filter(|&byte| byte < fair);
            for place in places.take(MEMO_SECRET_CHARACTERS - text.len()) {
                text.push(char::from(alphabet[place % alphabet.len()]));
            }
            if text.len() == MEMO_SECRET_CHARACTERS {
                break;
            }
        }
        MemoSecret(text)
    }

    /// Its characters, for the memo and for the hash.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

/// As people type it from a statement. Banks that print capitals only are no hindrance: hashes of codes know no case.
impl FromStr for MemoSecret {
    type Err = NoMemoSecret;

    fn from_str(text: &str) -> Result<Self, NoMemoSecret> {
        let text = text.trim();
        let fits = text.len() == MEMO_SECRET_CHARACTERS && text.bytes().all(|b| b.is_ascii_alphanumeric());
        fits.then(|| MemoSecret(Zeroizing::new(text.to_owned())))
            .ok_or(NoMemoSecret)
    }
}

impl std::fmt::Debug for MemoSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MemoSecret(..)")
    }
}
