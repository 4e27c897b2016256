//! Notifications between their verification and their crediting: kept by a queue, so that a provider is answered in time and
//! nothing is lost, however the tables are.
use async_trait::async_trait;
use aws_sdk_sqs::Client;
use serde::{Deserialize, Serialize};
use yinxin_lambda::settings::{SettingsError, required};
use yinxin_order::payment::Provider;
use yinxin_providers::payments::Notification;
use yinxin_store::dynamo::CallCounter;

/// A believed notification on its way through the queue; nothing personal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Letter {
    /// Who posted it.
    pub from: Provider,
    /// What it tells.
    pub told: Notification,
}

/// The queue did not take a letter; the provider brings it again.
#[derive(Debug, thiserror::Error)]
#[error("the queue did not take the notification")]
pub struct NotKept(#[source] Box<dyn std::error::Error + Send + Sync>);

impl NotKept {
    /// Because of `source`.
    pub fn new(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        NotKept(source.into())
    }
}

/// Keeps notifications until they are credited.
#[async_trait]
pub trait Inbox: Send + Sync {
    /// Keeps one; once this answers, it is not lost.
    async fn keep(&self, letter: &Letter) -> Result<(), NotKept>;
}

/// The payment queue.
pub struct SqsInbox {
    client: Client,
    url: String,
}

impl SqsInbox {
    /// The queue that the environment names. Calls nobody yet.
    pub async fn from_env() -> Result<Self, SettingsError> {
        let url = required("PAYMENT_QUEUE_URL")?;
        let aws = aws_config::load_from_env().await;
        let config = aws_sdk_sqs::config::Builder::from(&aws).interceptor(CallCounter);
        Ok(SqsInbox {
            client: Client::from_conf(config.build()),
            url,
        })
    }
}

#[async_trait]
impl Inbox for SqsInbox {
    async fn keep(&self, letter: &Letter) -> Result<(), NotKept> {
        let body = serde_json::to_string(letter).map_err(NotKept::new)?;
        let sent = self.client.send_message().queue_url(&self.url).message_body(body);
        sent.send().await.map_err(NotKept::new)?;
        Ok(())
    }
}
