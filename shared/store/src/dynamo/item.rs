//! Items: attributes in and out, and the ways a write is refused.
use std::collections::HashMap;
use std::fmt::Display;

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;

use crate::error::StoreError;

/// An item's attributes.
pub type Item = HashMap<String, AttributeValue>;

/// A string attribute.
pub fn s(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

/// A number attribute.
pub fn n(value: impl Display) -> AttributeValue {
    AttributeValue::N(format!("{value}"))
}

/// A binary attribute.
pub fn b(value: Vec<u8>) -> AttributeValue {
    AttributeValue::B(Blob::new(value))
}

/// A primary key.
pub fn key(pk: &str, sk: &str) -> Item {
    Item::from([("pk".to_owned(), s(pk)), ("sk".to_owned(), s(sk))])
}

/// A new item under a primary key.
pub fn item<const N: usize>(pk: &str, sk: &str, attributes: [(&str, AttributeValue); N]) -> Item {
    let mut item = key(pk, sk);
    item.extend(
        attributes
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value)),
    );
    item
}

/// The string attribute `name`.
pub fn text<'a>(item: &'a Item, name: &str) -> Result<&'a str, StoreError> {
    item.get(name)
        .and_then(|value| value.as_s().ok())
        .map(String::as_str)
        .ok_or_else(|| missing(name))
}

/// The number attribute `name`.
pub fn number<T: std::str::FromStr>(item: &Item, name: &str) -> Result<T, StoreError> {
    item.get(name)
        .and_then(|value| value.as_n().ok())
        .and_then(|digits| digits.parse().ok())
        .ok_or_else(|| missing(name))
}

/// The binary attribute `name`.
pub fn bytes<'a>(item: &'a Item, name: &str) -> Result<&'a [u8], StoreError> {
    item.get(name)
        .and_then(|value| value.as_b().ok())
        .map(AsRef::as_ref)
        .ok_or_else(|| missing(name))
}

fn missing(name: &str) -> StoreError {
    StoreError::Corrupt(format!("an item has no readable attribute {name}"))
}

/// The JSON in an attribute.
pub fn from_json<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, StoreError> {
    // serde's message may quote a value, so only its place is kept.
    serde_json::from_str(text).map_err(|error| {
        StoreError::Corrupt(format!(
            "stored JSON is not readable at line {} column {}",
            error.line(),
            error.column()
        ))
    })
}

/// JSON for an attribute.
pub fn to_json(value: &impl serde::Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::Corrupt(error.to_string()))
}

/// Which member of a refused transaction failed its condition.
pub enum Cancelled {
    /// The member at this place.
    Condition(usize),
    /// None: two transactions met on an item; run it again.
    Race,
    /// Another failure.
    Other(StoreError),
}

/// Why a transaction was refused.
pub fn cancelled(error: SdkError<TransactWriteItemsError>) -> Cancelled {
    let reasons = match error.as_service_error() {
        Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => {
            cancelled.cancellation_reasons()
        }
        Some(TransactWriteItemsError::TransactionInProgressException(_)) => return Cancelled::Race,
        _ => return Cancelled::Other(StoreError::unavailable(error)),
    };
    let code = |wanted: &str| reasons.iter().position(|reason| reason.code() == Some(wanted));
    if let Some(place) = code("ConditionalCheckFailed") {
        Cancelled::Condition(place)
    } else if code("TransactionConflict").is_some() {
        Cancelled::Race
    } else {
        Cancelled::Other(StoreError::unavailable(error))
    }
}
