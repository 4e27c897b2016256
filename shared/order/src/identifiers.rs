//! Identifiers and other short values, parsed once at the edge: inside there is no invalid one.
//!
//! Personal values show themselves masked in `Debug` and `Display`; only `as_str` gives the whole.
mod bank;
#[cfg(any(test, feature = "samples"))]
pub(crate) mod check_digits;
mod error;
mod id_document;
mod money;
mod newtype;
mod number;
mod people;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod secrecy;
#[cfg(test)]
mod tests;
mod text;
mod units;

pub use bank::{AccountName, BankAccount, BankCard};
pub use error::InvalidIdentifier;
pub(crate) use error::coded_error;
pub use id_document::{
    ForeignPermanentResidentNumber, HongKongMacaoPermitNumber, IdDocument, IdType, MilitaryOfficerNumber,
    PassportNumber, TaiwanPermitNumber,
};
pub use money::Fen;
pub use number::{InvoiceNumber, OrderId, OrderNumber, ProductId, RecoveryId, VendorId, china_date};
pub use people::{Email, Mobile, PersonName, ResidentId};
pub use text::{
    Address, BankName, Department, InvoiceLine, InvoiceTitle, Place, PolicyVersion, Role, Telephone,
};
pub use units::{CreditCode, TaxNumber, UnitName};
