//! Recording what the service told: the one place, for its messages and for its answers alike.
use time::UtcOffset;
use tracing::info;
use yinxin_lambda::Platform;
use yinxin_order::Refusal;
use yinxin_order::command::{Actor, Command};
use yinxin_order::identifiers::OrderId;
use yinxin_order::parcel::{Tracking, TrackingStatus};
use yinxin_providers::courier::{Report, State};
use yinxin_store::{AdvanceError, advance};

/// Records `report` of the parcel `waybill`, unless something newer is known.
pub(crate) async fn record(
    platform: &Platform,
    id: &OrderId,
    waybill: &str,
    report: Report,
) -> Result<(), AdvanceError> {
    let now = platform.now();
    let command = Command::RecordTracking {
        waybill: waybill.to_owned(),
        tracking: Tracking {
            status: status(report.state),
            // A time to come would keep everything out that is told until then.
            at: report.at.min(now).to_offset(UtcOffset::UTC),
        },
    };
    let by = Actor::platform("courier");
    match advance(platform.orders.as_ref(), id, &command, &by, now).await {
        Ok(order) => {
            let state = report.state;
            info!(order.id = %id, order.version = order.version, "order {id}: the parcel is {state:?}");
            Ok(())
        }
        Err(AdvanceError::Refused(Refusal::AlreadyRecorded)) => {
            info!(order.id = %id, "order {id}: that is known, or older than what is known");
            Ok(())
        }
        Err(error) => Err(error),
    }
}

fn status(state: State) -> TrackingStatus {
    match state {
        State::InTransit => TrackingStatus::InTransit,
        State::Collected => TrackingStatus::Collected,
        State::Problem => TrackingStatus::Problem,
        State::Signed => TrackingStatus::Signed,
        State::SignedBack => TrackingStatus::SignedBack,
        State::OutForDelivery => TrackingStatus::OutForDelivery,
        State::Returning => TrackingStatus::Returning,
        State::Forwarded => TrackingStatus::Forwarded,
        State::AwaitingCustoms => TrackingStatus::AwaitingCustoms,
        State::InCustoms => TrackingStatus::InCustoms,
        State::ClearedCustoms => TrackingStatus::ClearedCustoms,
        State::CustomsProblem => TrackingStatus::CustomsProblem,
        State::Refused => TrackingStatus::Refused,
    }
}
