//! The recovery of an escrowed encryption key to a new token: one officer asks with a reason, another approves.
//!
//! ```text
//! (ask) ──> requested ──approve──> approved ──deliver──> recovered
//!               │                      │
//!               ├──reject──────────────┴──────> rejected
//!               └──after 7 days, from either──> expired (by the clock, nothing is written)
//! ```
//!
//! Pure like [`crate::decide()`]: every step answers with the next recovery, what the audit trail says of it, and
//! the effects; whoever stores the answer stores the three together.
use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};
use utoipa::ToSchema;

use crate::command::Actor;
use crate::effect::Effect;
use crate::identifiers::{OrderId, RecoveryId, VendorId};
use crate::issuance::SubmittedCsr;

/// How long a request waits for its approval, and an approval for its delivery.
pub const PATIENCE: Duration = Duration::days(7);
/// The fewest and the most characters of a reason.
pub const REASON_CHARACTERS: std::ops::RangeInclusive<usize> = 10..=500;

/// One recovery. What may name people stands in [`Recovery::private`], which is stored encrypted.
///
/// This type is used in stored state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recovery {
    /// Random.
    pub id: RecoveryId,
    /// Grows by one with each step.
    pub version: u64,
    /// The vendor whose CA issued the certificate.
    pub vendor: VendorId,
    /// Which key.
    pub key: EscrowedKey,
    /// Where it stands; [`Recovery::state_at`] knows about time too.
    pub state: RecoveryState,
    /// Who asked, and when.
    pub requested: Step,
    /// Who approved, and when.
    #[serde(default)]
    pub approved: Option<Step>,
    /// Who rejected, and when.
    #[serde(default)]
    pub rejected: Option<Step>,
    /// When the key was enveloped anew.
    #[serde(default, with = "time::serde::rfc3339::option")]
    pub recovered_at: Option<OffsetDateTime>,
    /// What may name people, and the envelope. Stored apart, encrypted.
    #[serde(skip)]
    pub private: Option<Private>,
}

/// An encryption key in escrow.
///
/// This type is used in stored state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EscrowedKey {
    /// The encryption certificate's serial number, lower-case hex.
    pub serial: String,
    /// The order that it was issued for.
    pub order: OrderId,
    /// The name of the record that holds the key.
    pub request: String,
}

/// Where a recovery stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RecoveryState {
    /// It waits for another officer.
    Requested,
    /// Two officers agreed; the key is on its way.
    Approved,
    /// The key is enveloped to the new token.
    Recovered,
    /// An officer said no.
    Rejected,
    /// Nobody did the next step in time.
    Expired,
}

/// Who did something, and when.
///
/// This type is used in stored state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// The officer's account.
    pub account: String,
    /// When.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
}

/// The part of a recovery that may name people.
///
/// This type is used in stored state.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Private {
    /// Why the key is needed.
    pub reason: Reason,
    /// The new token's request: its key, and the proof of possession.
    pub csr: SubmittedCsr,
    /// Why it was rejected.
    #[serde(default)]
    pub rejection: Option<Reason>,
    /// What the new token needs.
    #[serde(default)]
    pub delivery: Option<Delivery>,
}

impl std::fmt::Debug for Private {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Private(..)")
    }
}

/// The recovered key with its certificate.
///
/// This type is used in stored state.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// The key pair enveloped to the new signing key: `SM2EnvelopedKey` (GM/T 0009), DER in base64.
    pub enveloped_key: String,
    /// The encryption certificate, PEM.
    pub encryption_certificate: String,
}

impl std::fmt::Debug for Delivery {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Delivery(..)")
    }
}

/// Why something is done, for those who look at it later: 10 to 500 characters.
///
/// This type is used in stored state.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Reason(String);

/// A text that is no reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a reason has 10 to 500 characters and no control characters")]
pub struct InvalidReason;

impl TryFrom<String> for Reason {
    type Error = InvalidReason;

    fn try_from(text: String) -> Result<Self, InvalidReason> {
        let text = text.trim();
        // A line break is fine; other control characters would reach screens.
        let is_clean = !text.chars().any(|c| c.is_control() && c != '\n');
        if REASON_CHARACTERS.contains(&text.chars().count()) && is_clean {
            Ok(Reason(text.to_owned()))
        } else {
            Err(InvalidReason)
        }
    }
}

impl From<Reason> for String {
    fn from(reason: Reason) -> Self {
        reason.0
    }
}

impl std::fmt::Debug for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Reason(..)")
    }
}

/// What somebody wants done with a recovery.
#[derive(Debug, Clone)]
pub enum RecoveryCommand {
    /// Let it happen.
    Approve,
    /// Stop it.
    Reject(Reason),
    /// The key was enveloped anew.
    Deliver(Delivery),
}

/// Why a recovery does not take a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RecoveryRefusal {
    /// Not from where it stands.
    #[error("the recovery does not take this now")]
    NotAllowed(RecoveryState),
    /// It waited too long: somebody has to ask anew.
    #[error("the recovery was not finished within 7 days")]
    Expired,
    /// Who asked does not approve.
    #[error("the officer who asked cannot approve")]
    SameOfficer,
    /// Not an officer of the certificate's vendor, or not the platform where the platform's work is reported.
    #[error("this is not for whoever tries it")]
    NotYours,
}

/// A step with all that has to be stored together.
#[derive(Debug, Clone)]
pub struct RecoveryMove {
    /// The recovery after it.
    pub recovery: Recovery,
    /// When.
    pub at: OffsetDateTime,
    /// Who: an officer's account, or the platform's function.
    pub by: String,
    /// What, as the audit trail calls it.
    pub action: &'static str,
    /// What has to be done outside.
    pub effects: Vec<Effect>,
}

impl Recovery {
    /// Asks for the recovery of `key`.
    pub fn request(
        id: RecoveryId,
        vendor: VendorId,
        key: EscrowedKey,
        private: Private,
        by: &Actor,
        now: OffsetDateTime,
    ) -> Result<RecoveryMove, RecoveryRefusal> {
        let account = officer_of(by, &vendor)?;
        let recovery = Recovery {
            id,
            version: 1,
            vendor,
            key,
            state: RecoveryState::Requested,
            requested: Step { account, at: now },
            approved: None,
            rejected: None,
            recovered_at: None,
            private: Some(private),
        };
        Ok(recovery.moved(by, now, "recovery.request", Vec::new()))
    }

    /// What becomes of the recovery when `by` gives `command`.
    pub fn decide(
        &self,
        command: &RecoveryCommand,
        by: &Actor,
        now: OffsetDateTime,
    ) -> Result<RecoveryMove, RecoveryRefusal> {
        use RecoveryState::{Approved, Recovered, Rejected, Requested};
        let state = self.state_at(now);
        let mut next = Recovery {
            version: self.version + 1,
            ..self.clone()
        };
        let step = || officer_of(by, &self.vendor).map(|account| Step { account, at: now });
        match (command, state) {
            (RecoveryCommand::Approve, Requested) => {
                let step = step()?;
                if step.account == self.requested.account {
                    return Err(RecoveryRefusal::SameOfficer);
                }
                (next.state, next.approved) = (Approved, Some(step));
                let recovery = self.id.clone();
                Ok(next.moved(by, now, "recovery.approve", vec![Effect::RecoverKey { recovery }]))
            }
            (RecoveryCommand::Reject(reason), Requested | Approved) => {
                // Anybody may stop it: who asked, and who approved too.
                (next.state, next.rejected) = (Rejected, Some(step()?));
                if let Some(private) = &mut next.private {
                    private.rejection = Some(reason.clone());
                }
                Ok(next.moved(by, now, "recovery.reject", Vec::new()))
            }
            (RecoveryCommand::Deliver(delivery), Approved) => {
                if !matches!(by, Actor::Platform { .. }) || !self.has_two_officers() {
                    return Err(RecoveryRefusal::NotYours);
                }
                (next.state, next.recovered_at) = (Recovered, Some(now));
                if let Some(private) = &mut next.private {
                    private.delivery = Some(delivery.clone());
                }
                Ok(next.moved(by, now, "recovery.deliver", Vec::new()))
            }
            (_, RecoveryState::Expired) => Err(RecoveryRefusal::Expired),
            (_, state) => Err(RecoveryRefusal::NotAllowed(state)),
        }
    }

    /// Where it stands at `now`.
    pub fn state_at(&self, now: OffsetDateTime) -> RecoveryState {
        let waits_since = match self.state {
            RecoveryState::Requested => Some(&self.requested),
            RecoveryState::Approved => self.approved.as_ref(),
            _ => None,
        };
        match waits_since {
            Some(step) if now >= step.at + PATIENCE => RecoveryState::Expired,
            _ => self.state,
        }
    }

    /// Whether two officers said yes: what has to be true before escrow is opened.
    pub fn has_two_officers(&self) -> bool {
        let approved = self.approved.as_ref();
        approved.is_some_and(|approved| approved.account != self.requested.account)
    }

    fn moved(
        self,
        by: &Actor,
        at: OffsetDateTime,
        action: &'static str,
        effects: Vec<Effect>,
    ) -> RecoveryMove {
        let by = match by {
            Actor::Officer { account, .. } | Actor::Operator { account, .. } => account.clone(),
            Actor::Platform { function } => format!("platform:{function}"),
            Actor::Applicant => "applicant".to_owned(),
        };
        RecoveryMove {
            recovery: self,
            at,
            by,
            action,
            effects,
        }
    }
}

/// The account of `by`, if that is an officer of `vendor`.
fn officer_of(by: &Actor, vendor: &VendorId) -> Result<String, RecoveryRefusal> {
    match by {
        Actor::Officer { account, vendor: own } if own == vendor => Ok(account.clone()),
        _ => Err(RecoveryRefusal::NotYours),
    }
}

#[cfg(test)]
mod tests;
