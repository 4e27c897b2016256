//! The errand of the courier queue: have the service tell where a parcel is. It may run again after it was done.
use async_trait::async_trait;
use tracing::{info, warn};
use yinxin_lambda::serve::{Batch, BatchError};
use yinxin_order::effect::Effect;
use yinxin_order::identifiers::OrderId;
use yinxin_providers::courier::{Doubt, Subscription};
use yinxin_store::StoreError;
use yinxin_store::orders::Errand;

use crate::App;
use crate::service::{ServiceError, callback_url, parcel_of};

/// Does the errands of the courier queue.
pub struct Errands {
    app: App,
}

/// Why an errand is not done; it comes again.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ErrandError {
    /// The service cannot be asked.
    #[error(transparent)]
    Service(#[from] ServiceError),
    /// The service gave no result.
    #[error("the courier service did not take the subscription")]
    Doubt(#[from] Doubt),
    /// The order cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Errands {
    /// The errands of `app`'s orders.
    pub fn new(app: App) -> Self {
        Errands { app }
    }

    async fn track(&self, id: &OrderId) -> Result<(), ErrandError> {
        let platform = &self.app.platform;
        let order = platform.orders.load(id).await?;
        let Some(courier) = self.app.service.courier(platform).await? else {
            info!(order.id = %id, "order {id}: parcels are followed by hand");
            return Ok(());
        };
        // A number of any other courier is as good for its receiver.
        let Some(parcel) = parcel_of(&order) else {
            info!(order.id = %id, "order {id}: there is no parcel that the service follows");
            return Ok(());
        };
        match courier.subscribe(&parcel, &callback_url(platform, id)).await {
            Subscription::Accepted => {
                info!(order.id = %id, "order {id}: the service tells where the parcel is");
                Ok(())
            }
            Subscription::Refused { code } => {
                warn!(order.id = %id, code, "order {id}: the service does not follow the parcel, with {code}");
                Ok(())
            }
            Subscription::Unknown(doubt) => Err(doubt.into()),
        }
    }
}

#[async_trait]
impl Batch for Errands {
    async fn errand(&self, errand: Errand) -> Result<(), BatchError> {
        match errand.effect {
            Effect::TrackParcel => Ok(self.track(&errand.order).await?),
            _ => Err(format!("no errand {} here", errand.effect.name()).into()),
        }
    }
}
