//! What arrived in the bucket: judged by its content, kept or dropped, recorded on its order.
use async_trait::async_trait;
use tracing::{info, warn};
use yinxin_lambda::serve::BatchError;
use yinxin_lambda::{Batch, Platform};
use yinxin_order::Refusal;
use yinxin_order::command::{Actor, Command};
use yinxin_order::document::{Document, MAX_DOCUMENT_BYTES, Verdict};
use yinxin_store::documents::UploadKey;
use yinxin_store::{AdvanceError, StoreError, advance_with};

use crate::documents::takes_documents;
use crate::judge::judge;

/// Looks at each object that arrived.
pub struct Arrivals {
    platform: Platform,
}

impl Arrivals {
    /// Arrivals of this platform.
    pub fn new(platform: Platform) -> Self {
        Arrivals { platform }
    }

    /// Keeps or refuses what arrived; `false` where the order has no use for it any more.
    async fn record(&self, key: &UploadKey, bytes: Vec<u8>) -> Result<bool, BatchError> {
        let order = match self.platform.orders.load(&key.order).await {
            Err(StoreError::NotFound) => return Ok(false),
            loaded => loaded?,
        };
        // Nothing is kept for an order that would not take it.
        if takes_documents(&order).is_err() {
            return Ok(false);
        }
        let verdict = judge(&bytes);
        if let Verdict::Accepted { content_type, .. } = &verdict {
            self.platform.documents.keep(key, content_type, bytes).await?;
        }
        let now = self.platform.now();
        let command = Command::RecordDocument {
            document: Document {
                kind: key.kind,
                upload: key.upload.clone(),
                verdict,
                judged_at: now,
            },
        };
        let orders = self.platform.orders.as_ref();
        match advance_with(orders, order, &command, &Actor::platform("upload"), now, &[]).await {
            // S3 tells of an object more than once.
            Ok(_) | Err(AdvanceError::Refused(Refusal::AlreadyRecorded)) => Ok(true),
            Err(AdvanceError::Refused(_)) => Ok(false),
            Err(AdvanceError::Store(error)) => Err(error.into()),
        }
    }
}

#[async_trait]
impl Batch for Arrivals {
    async fn object(&self, key: &str) -> Result<(), BatchError> {
        let Some(key) = UploadKey::parse_arrival(key) else {
            // Permissions are only given for well-formed places; a life-cycle rule forgets the rest.
            warn!("an object arrived at a place that no upload has");
            return Ok(());
        };
        let (id, upload) = (&key.order, &key.upload);
        let arrived = self.platform.documents.arrived(&key, MAX_DOCUMENT_BYTES).await?;
        let Some(bytes) = arrived else {
            info!(order.id = %id, upload, "upload {upload} was judged before");
            return Ok(());
        };
        if self.record(&key, bytes).await? {
            info!(order.id = %id, upload, "upload {upload} of order {id} was judged");
        } else {
            warn!(order.id = %id, upload, "upload {upload} was dropped: order {id} takes no documents");
        }
        self.platform.documents.drop_arrival(&key).await?;
        Ok(())
    }
}
