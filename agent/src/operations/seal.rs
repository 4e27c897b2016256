//! A seal in the token: one record, read back after it is written.
//!
//! The seal is kept as it came. Whether it is a valid `SESeal` is for whoever stamps with it; that it is the one the
//! platform means, the ticket says by its SM3.
use yinxin_pki::{
    der::{Tlv, tag},
    sm3,
};

use super::OperationError;
use crate::token::{RECORD_LIMIT_BYTES, Token};

/// The record's name.
pub const SEAL_RECORD: &str = "seal";

/// DER of a seal that fits into a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seal(Vec<u8>);

impl Seal {
    /// Takes the DER; `None` if it is no DER SEQUENCE or too long.
    pub fn new(der: Vec<u8>) -> Option<Self> {
        (der.len() <= RECORD_LIMIT_BYTES && Tlv::whole_of(tag::SEQUENCE, &der).is_ok()).then_some(Self(der))
    }

    /// SM3 of the DER, as the ticket names it.
    pub fn content(&self) -> [u8; 32] {
        sm3(&self.0)
    }

    /// Its length in bytes.
    pub fn bytes(&self) -> usize {
        self.0.len()
    }

    /// Writes it; the token is logged in.
    pub fn write(&self, token: &mut dyn Token) -> Result<(), OperationError> {
        token.write_record(SEAL_RECORD, &self.0)?;
        if token.record(SEAL_RECORD)?.as_ref() == Some(&self.0) {
            Ok(())
        } else {
            Err(OperationError::ReadBack)
        }
    }
}
