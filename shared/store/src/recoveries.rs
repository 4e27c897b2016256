//! Recoveries of escrowed encryption keys: each step is stored with its audit entry and its effects.
use std::collections::BTreeMap;

use async_trait::async_trait;
use time::OffsetDateTime;
use yinxin_order::Actor;
use yinxin_order::identifiers::{OrderId, RecoveryId};
use yinxin_order::recovery::{Recovery, RecoveryCommand, RecoveryMove, RecoveryRefusal};

use crate::audits::AuditEntry;
use crate::error::StoreError;
use crate::orders::Errand;

/// How often a lost race is run again.
const MAX_RACES: u32 = 8;

/// Recoveries.
#[async_trait]
pub trait Recoveries: Send + Sync {
    /// The recovery with this id.
    async fn recovery(&self, id: &RecoveryId) -> Result<Recovery, StoreError>;

    /// Writes the next version over the one before it, with its audit entry and its effects, or nothing of it.
    async fn save_recovery(&self, moved: &RecoveryMove) -> Result<(), StoreError>;
}

/// Why a recovery was not changed.
#[derive(Debug, thiserror::Error)]
pub enum RecoveryError {
    /// The recovery does not take the command.
    #[error(transparent)]
    Refused(#[from] RecoveryRefusal),
    /// The store did not take the step.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Decides `command`, stores the step; loads and decides again where another writer was first.
pub async fn advance_recovery(
    recoveries: &dyn Recoveries,
    mut recovery: Recovery,
    command: &RecoveryCommand,
    by: &Actor,
    now: OffsetDateTime,
) -> Result<Recovery, RecoveryError> {
    for _ in 0..MAX_RACES {
        let moved = recovery.decide(command, by, now)?;
        match recoveries.save_recovery(&moved).await {
            Err(StoreError::Conflict) => recovery = recoveries.recovery(&recovery.id).await?,
            done => return Ok(done.map(|()| moved.recovery)?),
        }
    }
    Err(StoreError::Conflict.into())
}

/// What the audit trail calls the escrowed keys of an order.
pub fn audit_subject(order: &OrderId) -> String {
    format!("escrow/{order}")
}

/// What the audit trail says of a step: identifiers alone; the reason rests sealed with the recovery.
pub fn audit_entry(moved: &RecoveryMove) -> AuditEntry {
    let recovery = &moved.recovery;
    let detail = [
        ("recovery", recovery.id.to_string()),
        ("vendor", recovery.vendor.to_string()),
        ("serial", recovery.key.serial.clone()),
    ];
    AuditEntry {
        subject: audit_subject(&recovery.key.order),
        at: moved.at,
        by: moved.by.clone(),
        action: moved.action.to_owned(),
        detail: BTreeMap::from(detail.map(|(name, value)| (name.to_owned(), value))),
    }
}

/// The errands of a step. They name the recovery's version, not the order's, which stays as it is.
pub(crate) fn errands(moved: &RecoveryMove) -> Vec<Errand> {
    let recovery = &moved.recovery;
    (0_u32..)
        .zip(&moved.effects)
        .map(|(seq, effect)| Errand {
            order: recovery.key.order.clone(),
            version: recovery.version,
            seq,
            effect: effect.clone(),
        })
        .collect()
}
