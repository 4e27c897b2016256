//! `relay`: carries effects from the stream of the orders table to the queues of the functions that do them.
//!
//! It decides nothing and knows no order: an effect that it carries twice is done once by whoever does it.
use async_trait::async_trait;
use tracing::info;
use yinxin_lambda::serve::{Batch, BatchError};
use yinxin_order::effect::Queue;
use yinxin_store::orders::Errand;

mod queues;

pub use queues::{QueueUrls, Queues, SendError, SqsQueues};

/// The most messages that one call to SQS takes.
pub const MESSAGES_PER_CALL: usize = 10;

/// Carries errands to queues.
pub struct Relay {
    queues: Box<dyn Queues>,
}

impl Relay {
    /// A relay to `queues`.
    pub fn new(queues: impl Queues + 'static) -> Self {
        Relay {
            queues: Box::new(queues),
        }
    }

    /// The relay of the deployment. Calls nobody yet.
    pub async fn from_env() -> anyhow::Result<Self> {
        Ok(Relay::new(SqsQueues::from_env().await?))
    }

    /// Sends the errands of one queue, in order; answers the place of the first that was not sent, and why.
    async fn send(&self, queue: Queue, errands: &[(usize, &Errand)]) -> Result<(), (usize, SendError)> {
        for part in errands.chunks(MESSAGES_PER_CALL) {
            let first = part.first().map_or(0, |(place, _)| *place);
            let bodies = part
                .iter()
                .map(|(place, errand)| {
                    serde_json::to_string(errand).map_err(|_| (*place, SendError::Unwritable))
                })
                .collect::<Result<Vec<_>, _>>()?;
            let refused = self
                .queues
                .send(queue, &bodies)
                .await
                .map_err(|error| (first, error))?;
            if let Some((place, _)) = refused.into_iter().min().and_then(|at| part.get(at)) {
                return Err((*place, SendError::Refused));
            }
            for (_, errand) in part {
                let (id, effect) = (&errand.order, errand.effect.name());
                info!(order.id = %id, order.version = errand.version, effect, "order {id} asks for {effect}");
            }
        }
        Ok(())
    }
}

#[async_trait]
impl Batch for Relay {
    async fn carry(&self, errands: &[Errand]) -> (usize, Option<BatchError>) {
        let mut first_failure: Option<(usize, SendError)> = None;
        for &queue in Queue::ALL {
            let of_queue: Vec<(usize, &Errand)> = errands
                .iter()
                .enumerate()
                .filter(|(_, errand)| errand.queue() == queue)
                .collect();
            if let Err(failure) = self.send(queue, &of_queue).await {
                // The stream goes on at the first errand that failed; one after it that was sent is sent again.
                if first_failure.as_ref().is_none_or(|known| failure.0 < known.0) {
                    first_failure = Some(failure);
                }
            }
        }
        match first_failure {
            None => (errands.len(), None),
            Some((place, error)) => (place, Some(error.into())),
        }
    }
}
