//! The part of ASN.1 DER that certificates need: a strict writer and a lenient reader that keeps raw bytes.
//!
//! The reader never re-encodes: what was signed is what is verified, whatever oddities its producer had.

mod read;
mod write;

pub use read::{DerError, Reader, Tlv, boolean, object_identifier, text, time, unsigned};
pub use write::{
    bit_string, boolean_true, context, explicit, integer, null, octet_string, oid, printable_string,
    sequence, set, tlv, utf8_string, write_generalized_time, write_time,
};

/// Tags of the universal class that occur here.
pub mod tag {
    /// BOOLEAN.
    pub const BOOLEAN: u8 = 0x01;
    /// INTEGER.
    pub const INTEGER: u8 = 0x02;
    /// BIT STRING.
    pub const BIT_STRING: u8 = 0x03;
    /// OCTET STRING.
    pub const OCTET_STRING: u8 = 0x04;
    /// NULL.
    pub const NULL: u8 = 0x05;
    /// OBJECT IDENTIFIER.
    pub const OBJECT_IDENTIFIER: u8 = 0x06;
    /// ENUMERATED.
    pub const ENUMERATED: u8 = 0x0a;
    /// `UTF8String`.
    pub const UTF8_STRING: u8 = 0x0c;
    /// `PrintableString`.
    pub const PRINTABLE_STRING: u8 = 0x13;
    /// `TeletexString`, read as Latin-1.
    pub const TELETEX_STRING: u8 = 0x14;
    /// `IA5String`.
    pub const IA5_STRING: u8 = 0x16;
    /// `UTCTime`.
    pub const UTC_TIME: u8 = 0x17;
    /// `GeneralizedTime`.
    pub const GENERALIZED_TIME: u8 = 0x18;
    /// `BMPString`.
    pub const BMP_STRING: u8 = 0x1e;
    /// SEQUENCE.
    pub const SEQUENCE: u8 = 0x30;
    /// SET.
    pub const SET: u8 = 0x31;
}
