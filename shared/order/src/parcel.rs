//! The parcel with the UKey: courier, number, and where it is, as the courier tells.
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;

/// A parcel on its way.
///
/// This type is used in stored state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Parcel {
    /// The courier's name or code, for example `顺丰` or `ems`.
    #[schema(max_length = 32)]
    pub carrier: String,
    /// The tracking number (快递单号).
    #[schema(max_length = 32)]
    pub waybill: String,
    /// Where it is; none before the courier has told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tracking: Option<Tracking>,
}

/// What the courier told last. Its sentences name people and their doors, so only the state is kept.
///
/// This type is used in stored state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Tracking {
    /// The state.
    pub status: TrackingStatus,
    /// Since when, as the courier says.
    #[serde(with = "time::serde::rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    pub at: OffsetDateTime,
}

/// Where a parcel is.
///
/// This type is used in stored state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TrackingStatus {
    /// In transit (在途).
    InTransit,
    /// The courier has it (揽收).
    Collected,
    /// Something is wrong with it (疑难).
    Problem,
    /// Signed for (签收).
    Signed,
    /// Sent back, and signed for by the sender (退签).
    SignedBack,
    /// Out for delivery (派件).
    OutForDelivery,
    /// On its way back (退回).
    Returning,
    /// Handed to another courier (转单).
    Forwarded,
    /// Waits for the customs (待清关).
    AwaitingCustoms,
    /// With the customs (清关中).
    InCustoms,
    /// Through the customs (已清关).
    ClearedCustoms,
    /// Held by the customs (清关异常).
    CustomsProblem,
    /// Nobody takes it (拒签).
    Refused,
}

impl Parcel {
    /// A parcel of which the courier has told nothing yet.
    pub fn new(carrier: &str, waybill: &str) -> Self {
        Parcel {
            carrier: carrier.to_owned(),
            waybill: waybill.to_owned(),
            tracking: None,
        }
    }

    /// Whether `other` is the same parcel, wherever it is.
    pub fn is_same(&self, other: &Parcel) -> bool {
        (&self.carrier, &self.waybill) == (&other.carrier, &other.waybill)
    }

    /// Whether `told` is older than what is known: couriers tell late, twice and out of order. Whoever has signed has it.
    pub fn knows(&self, told: Tracking) -> bool {
        self.tracking.is_some_and(|known| {
            known.status == TrackingStatus::Signed
                || told.at < known.at
                || (told.at == known.at && told.status != TrackingStatus::Signed)
        })
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::{Parcel, Tracking, TrackingStatus};

    fn told(status: TrackingStatus, hour: u8) -> Tracking {
        let at = datetime!(2026-04-08 00:00 UTC) + time::Duration::hours(i64::from(hour));
        Tracking { status, at }
    }

    #[test]
    fn only_news_are_news() {
        let mut parcel = Parcel::new("ems", "EM000000001CN");
        let transit = told(TrackingStatus::InTransit, 5);
        assert!(!parcel.knows(transit));
        parcel.tracking = Some(transit);
        assert!(parcel.knows(transit), "the same again");
        assert!(parcel.knows(told(TrackingStatus::Collected, 1)), "out of order");
        assert!(!parcel.knows(told(TrackingStatus::Problem, 6)));
        assert!(
            !parcel.knows(told(TrackingStatus::Signed, 5)),
            "within one second"
        );
    }

    #[test]
    fn nothing_comes_after_the_signature() {
        let mut parcel = Parcel::new("ems", "EM000000001CN");
        parcel.tracking = Some(told(TrackingStatus::Signed, 5));
        for status in [
            TrackingStatus::InTransit,
            TrackingStatus::Returning,
            TrackingStatus::Signed,
        ] {
            assert!(parcel.knows(told(status, 9)));
        }
    }
}
