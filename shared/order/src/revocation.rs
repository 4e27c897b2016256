//! The revocation of an order's certificates: asked for once, and final.
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;

use crate::command::Actor;

/// Why certificates are revoked: the reasons of RFC 5280, 5.3.1 that a vendor's officer may give. A CA's own key, and
/// holding a certificate for a time, are no matter of an order.
///
/// This type is used in stored state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RevocationReason {
    /// None is given.
    Unspecified,
    /// The private key, or the UKey with its password, is in other hands.
    KeyCompromise,
    /// Name or employer of the holder changed.
    AffiliationChanged,
    /// Other certificates took their place.
    Superseded,
    /// They are needed no more, or the UKey is lost or broken.
    CessationOfOperation,
    /// The holder lost the right to them.
    PrivilegeWithdrawn,
}

impl RevocationReason {
    /// Every reason.
    pub const ALL: &'static [RevocationReason] = &[
        RevocationReason::Unspecified,
        RevocationReason::KeyCompromise,
        RevocationReason::AffiliationChanged,
        RevocationReason::Superseded,
        RevocationReason::CessationOfOperation,
        RevocationReason::PrivilegeWithdrawn,
    ];

    /// The number of the reason (`CRLReason`, RFC 5280, 5.3.1).
    pub fn code(self) -> u8 {
        match self {
            RevocationReason::Unspecified => 0,
            RevocationReason::KeyCompromise => 1,
            RevocationReason::AffiliationChanged => 3,
            RevocationReason::Superseded => 4,
            RevocationReason::CessationOfOperation => 5,
            RevocationReason::PrivilegeWithdrawn => 9,
        }
    }

    /// The reason with this number.
    pub fn of_code(code: u8) -> Option<Self> {
        Self::ALL.iter().copied().find(|reason| reason.code() == code)
    }
}

/// That the certificates of an order are revoked. It names nobody but the vendor's staff, so it outlives the erasure
/// of the order's personal data.
///
/// This type is used in stored state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revocation {
    /// When it was asked for: the revocation date.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// Who asked for it.
    pub by: Actor,
    /// Why.
    pub reason: RevocationReason,
    /// Since when the key is known or suspected to be in other hands (RFC 5280, 5.3.2).
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "time::serde::rfc3339::option"
    )]
    pub invalidity_date: Option<OffsetDateTime>,
    /// When status answers and revocation list said so; until then `sweep` asks again.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "time::serde::rfc3339::option"
    )]
    pub published_at: Option<OffsetDateTime>,
}
