//! Intakes: what the registration platform handed over.
use async_trait::async_trait;

use crate::claims::Idempotency;
use crate::error::StoreError;

/// An intake as it is kept.
#[derive(Clone, PartialEq, Eq)]
pub struct Intake {
    /// Its random id.
    pub uid: String,
    /// The system that sent it.
    pub system: String,
    /// What was sent, JSON; personal.
    pub values: String,
    /// Unix seconds after which it is forgotten.
    pub expires_at: i64,
}

/// Intakes by uid.
#[async_trait]
pub trait Intakes: Send + Sync {
    /// Keeps an intake, under an idempotency key.
    async fn put_intake(&self, intake: &Intake, idempotency: &Idempotency) -> Result<(), StoreError>;

    /// The intake with this uid.
    async fn intake(&self, uid: &str) -> Result<Intake, StoreError>;
}
