//! `sweep`: looks every minute for orders that are late, and does what is then due.
use async_trait::async_trait;
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tracing::{error, info};
use yinxin_lambda::Platform;
use yinxin_lambda::serve::{Batch, BatchError};
use yinxin_order::command::{Actor, Command};
use yinxin_order::due::Late;
use yinxin_order::identifiers::OrderId;
use yinxin_store::{AdvanceError, StoreError, advance_once};

/// The most orders that one run looks at; the next run takes the others.
pub const ORDERS_PER_RUN: usize = 200;

/// Watches over turns that nobody takes.
pub struct Sweep {
    platform: Platform,
}

/// Why a run is reported as failed. What it could do is done.
#[derive(Debug, thiserror::Error)]
pub enum SweepError {
    /// The event has no time.
    #[error("the schedule's event has no readable time")]
    NoTime,
    /// Some orders were left as they are; the next run tries them again.
    #[error("{failed} of {late} late orders could not be looked after")]
    Unfinished {
        /// So many failed.
        failed: usize,
        /// So many were late.
        late: usize,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Done {
    /// What was due was done.
    Moved(Late),
    /// Somebody moved the order in the meantime.
    Overtaken,
}

impl Sweep {
    /// A sweep over the orders of `platform`.
    pub fn new(platform: Platform) -> Self {
        Sweep { platform }
    }

    /// The sweep of the deployment. Calls nobody yet.
    pub async fn from_env() -> anyhow::Result<Self> {
        Ok(Sweep::new(Platform::from_env().await?))
    }

    /// Looks after the orders that are late at `now`.
    pub async fn run(&self, now: OffsetDateTime) -> Result<(), BatchError> {
        let mut late = self.platform.orders.late(now).await?;
        late.truncate(ORDERS_PER_RUN);
        let mut failed = 0;
        for id in &late {
            match self.look_after(id, now).await {
                Ok(Done::Moved(late)) => info!(order.id = %id, "order {id} was late: {late:?}"),
                Ok(Done::Overtaken) => info!(order.id = %id, "order {id} is late no more"),
                Err(error) => {
                    failed += 1;
                    error!(
                        order.id = %id,
                        error = &error as &dyn std::error::Error,
                        "order {id} is late and could not be looked after"
                    );
                }
            }
        }
        if failed == 0 {
            return Ok(());
        }
        let late = late.len();
        Err(SweepError::Unfinished { failed, late }.into())
    }

    async fn look_after(&self, id: &OrderId, now: OffsetDateTime) -> Result<Done, AdvanceError> {
        let orders = self.platform.orders.as_ref();
        let order = orders.load(id).await?;
        // The index may be a moment behind the order.
        let due = order.due(self.platform.settings.retention);
        let Some((_, late)) = due.filter(|(at, _)| *at <= now) else {
            return Ok(Done::Overtaken);
        };
        let command = match late {
            Late::Expire => Command::Expire,
            Late::Remind => Command::Remind,
            Late::Erase => {
                // Pictures first: an order that forgot its person would not be looked at again.
                self.platform.documents.erase(id).await?;
                Command::Erase
            }
        };
        // What is due depends on where the order stands, so a lost race is left to the next run.
        match advance_once(orders, &order, &command, &Actor::platform("sweep"), now, &[]).await {
            Ok(_) => Ok(Done::Moved(late)),
            Err(AdvanceError::Store(StoreError::Conflict)) => Ok(Done::Overtaken),
            Err(error) => Err(error),
        }
    }
}

#[async_trait]
impl Batch for Sweep {
    /// The event's time is the run's clock, so that a run that comes late does what was due at its time.
    async fn schedule(&self, event: &Value) -> Result<(), BatchError> {
        let time = event
            .get("time")
            .and_then(Value::as_str)
            .ok_or(SweepError::NoTime)?;
        let now = OffsetDateTime::parse(time, &Rfc3339).map_err(|_| SweepError::NoTime)?;
        self.run(now).await
    }
}
