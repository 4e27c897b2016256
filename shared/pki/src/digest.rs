//! SM3, HMAC-SM3 and comparison in constant time (GM/T 0004-2012).

use ::sm3::{Digest, Sm3};
use hmac::{Hmac, KeyInit, Mac};

/// SM3 of a message.
pub fn sm3(message: &[u8]) -> [u8; 32] {
    Sm3::digest(message).into()
}

/// SM3 of the concatenation of several parts.
pub fn sm3_parts(parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = Sm3::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().into()
}

/// HMAC-SM3 with a key of any length.
pub fn hmac_sm3(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mut mac = <Hmac<Sm3> as KeyInit>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(message);
    mac.finalize().into_bytes().into()
}

/// Whether two byte strings are equal, in a time that depends on their lengths only.
pub fn constant_time_eq(left: &[u8], right: &[u8]) -> bool {
    use ::sm2::elliptic_curve::subtle::ConstantTimeEq;
    left.ct_eq(right).into()
}
