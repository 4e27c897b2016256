//! Vendors, their products, and the systems that may call.
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use yinxin_order::identifiers::VendorId;
use yinxin_order::order::Product;

use crate::error::StoreError;

/// A certificate vendor.
///
/// This type is used in stored state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vendor {
    /// Its slug.
    pub id: VendorId,
    /// Its name.
    pub name: String,
    /// What applicants read before they start.
    pub notice: String,
    /// The version of its certification practice statement (电子认证业务规则).
    pub practice_statement: String,
    /// What it sells.
    pub products: Vec<Offer>,
}

/// A product on offer.
///
/// This type is used in stored state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// Whom it is for.
    pub subject: SubjectKind,
    /// What is copied into an order.
    #[serde(flatten)]
    pub product: Product,
}

/// Units and persons.
///
/// This type is used in stored state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SubjectKind {
    /// A company or institution (单位).
    Unit,
    /// A natural person (个人).
    Person,
}

/// The catalogue.
#[async_trait]
pub trait Catalog: Send + Sync {
    /// All vendors, in the order in which they are shown.
    async fn vendors(&self) -> Result<Vec<Vendor>, StoreError>;

    /// One vendor.
    async fn vendor(&self, id: &VendorId) -> Result<Vendor, StoreError>;

    /// Adds or replaces a vendor.
    async fn put_vendor(&self, vendor: &Vendor) -> Result<(), StoreError>;

    /// The keyed hash of a calling system's credential.
    async fn system_credential(&self, system: &str) -> Result<String, StoreError>;

    /// Sets the keyed hash of a calling system's credential.
    async fn put_system_credential(&self, system: &str, hash: &str) -> Result<(), StoreError>;
}
