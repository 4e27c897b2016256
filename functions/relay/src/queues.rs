//! The queues behind an interface, and SQS behind it.
use async_trait::async_trait;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::SendMessageBatchRequestEntry;
use tracing::warn;
use yinxin_lambda::settings::required;
use yinxin_order::effect::Queue;
use yinxin_store::dynamo::CallCounter;

/// Why errands were not sent; the stream brings them again.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// The queue did not answer, or refused the whole call.
    #[error("the queue is unavailable")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The queue took some messages of a call and not this one.
    #[error("the queue refused a message")]
    Refused,
    /// An errand is no JSON.
    #[error("an errand cannot be written")]
    Unwritable,
}

impl SendError {
    fn unavailable(source: impl std::error::Error + Send + Sync + 'static) -> Self {
        SendError::Unavailable(Box::new(source))
    }
}

/// Queues that take messages.
#[async_trait]
pub trait Queues: Send + Sync {
    /// Sends at most [`crate::MESSAGES_PER_CALL`] messages; answers the places of those that were refused.
    async fn send(&self, queue: Queue, bodies: &[String]) -> Result<Vec<usize>, SendError>;
}

/// Where the queues are.
#[derive(Debug, Clone)]
pub struct QueueUrls {
    /// The queue of `issue`.
    pub issue: String,
    /// The queue of `notify`.
    pub notify: String,
    /// The queue of `payment`.
    pub payment: String,
    /// The queue of `invoice`.
    pub invoice: String,
    /// The queue of `courier`.
    pub courier: String,
}

impl QueueUrls {
    fn of(&self, queue: Queue) -> &str {
        match queue {
            Queue::Issue => &self.issue,
            Queue::Notify => &self.notify,
            Queue::Payment => &self.payment,
            Queue::Invoice => &self.invoice,
            Queue::Courier => &self.courier,
        }
    }
}

/// Queues of SQS.
pub struct SqsQueues {
    client: Client,
    urls: QueueUrls,
}

impl SqsQueues {
    /// Queues at `urls`; calls nobody yet.
    pub fn new(client: Client, urls: QueueUrls) -> Self {
        SqsQueues { client, urls }
    }

    /// The queues of the deployment.
    pub async fn from_env() -> anyhow::Result<Self> {
        let urls = QueueUrls {
            issue: required("ISSUE_QUEUE_URL")?,
            notify: required("NOTIFY_QUEUE_URL")?,
            payment: required("PAYMENT_QUEUE_URL")?,
            invoice: required("INVOICE_QUEUE_URL")?,
            courier: required("COURIER_QUEUE_URL")?,
        };
        let aws = aws_config::load_from_env().await;
        let config = aws_sdk_sqs::config::Builder::from(&aws).interceptor(CallCounter);
        Ok(SqsQueues::new(Client::from_conf(config.build()), urls))
    }
}

#[async_trait]
impl Queues for SqsQueues {
    async fn send(&self, queue: Queue, bodies: &[String]) -> Result<Vec<usize>, SendError> {
        let entries = bodies
            .iter()
            .enumerate()
            .map(|(place, body)| {
                SendMessageBatchRequestEntry::builder()
                    .id(place.to_string())
                    .message_body(body)
                    .build()
                    .map_err(SendError::unavailable)
            })
            .collect::<Result<Vec<_>, _>>()?;
        let sent = self
            .client
            .send_message_batch()
            .queue_url(self.urls.of(queue))
            .set_entries(Some(entries))
            .send()
            .await
            .map_err(SendError::unavailable)?;
        for failed in sent.failed() {
            let code = failed.code();
            warn!(code, "the queue refused a message with {code}");
        }
        // Only what the answer names as taken was taken.
        let taken = |place: &usize| {
            sent.successful()
                .iter()
                .any(|entry| entry.id() == place.to_string())
        };
        Ok((0..bodies.len()).filter(|place| !taken(place)).collect())
    }
}
