//! Documents in S3: presigned uploads, what arrived, what is kept.
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_s3::Client;
use aws_sdk_s3::operation::get_object::GetObjectError;
use aws_sdk_s3::presigning::PresigningConfig;
use yinxin_order::document::DocumentKind;
use yinxin_order::identifiers::{InvoiceNumber, OrderId};
use yinxin_order::invoice::{InvoiceFormat, MAX_FILE_BYTES};

use crate::error::StoreError;

/// How long an upload may begin after its permission was given.
pub const UPLOAD_LIFETIME: Duration = Duration::from_mins(15);
/// How long an officer's link to a document works.
pub const LINK_LIFETIME: Duration = Duration::from_mins(5);

/// Where one upload of a document lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UploadKey {
    /// The order.
    pub order: OrderId,
    /// What it is to show.
    pub kind: DocumentKind,
    /// A random id: 32 lower-case hex digits.
    pub upload: String,
}

impl UploadKey {
    /// The place where an upload arrives.
    pub fn arrival(&self) -> String {
        format!("in/{}", self.tail())
    }

    /// The place of an accepted document.
    pub fn kept(&self) -> String {
        format!("documents/{}", self.tail())
    }

    fn tail(&self) -> String {
        format!("{}/{}/{}", self.order, self.kind.as_str(), self.upload)
    }

    /// Reads the place of an arrival.
    pub fn parse_arrival(key: &str) -> Option<UploadKey> {
        let mut parts = key.strip_prefix("in/")?.split('/');
        let (order, kind, upload) = (parts.next()?, parts.next()?, parts.next()?);
        if parts.next().is_some() || upload.len() != 32 {
            return None;
        }
        let kind = DocumentKind::ALL
            .iter()
            .copied()
            .find(|known| known.as_str() == kind)?;
        Some(UploadKey {
            order: order.parse().ok()?,
            kind,
            upload: upload.to_owned(),
        })
    }
}

/// Where one file of an order's invoice lies: among the order's documents, so that it is erased with them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvoiceKey {
    /// The order.
    pub order: OrderId,
    /// The invoice's number.
    pub number: InvoiceNumber,
    /// The file's format.
    pub format: InvoiceFormat,
}

impl InvoiceKey {
    /// The file's place.
    pub fn kept(&self) -> String {
        let (order, number, format) = (&self.order, &self.number, self.format.as_str());
        format!("documents/{order}/invoice/{number}.{format}")
    }
}

/// Permission to upload one document.
#[derive(Debug, Clone)]
pub struct UploadPermission {
    /// Where to PUT it.
    pub url: String,
    /// The headers that the signature fixes.
    pub headers: Vec<(String, String)>,
}

/// What an upload says of itself before it arrives; the signature fixes it.
#[derive(Debug, Clone)]
pub struct Announced {
    /// The media type.
    pub content_type: String,
    /// The length in bytes.
    pub bytes: u64,
    /// SHA-256 of the content, base64, as `x-amz-checksum-sha256` carries it.
    pub sha256: String,
}

/// Documents.
#[async_trait]
pub trait Documents: Send + Sync {
    /// Permission to PUT what was announced.
    async fn permit(&self, key: &UploadKey, announced: &Announced) -> Result<UploadPermission, StoreError>;

    /// What arrived, at most `limit` bytes and one more; `None` where nothing lies there (any more).
    async fn arrived(&self, key: &UploadKey, limit: u64) -> Result<Option<Vec<u8>>, StoreError>;

    /// Keeps an accepted document under its true media type.
    async fn keep(&self, key: &UploadKey, content_type: &str, bytes: Vec<u8>) -> Result<(), StoreError>;

    /// Forgets an arrival.
    async fn drop_arrival(&self, key: &UploadKey) -> Result<(), StoreError>;

    /// A short-lived link to a kept document.
    async fn link(&self, key: &UploadKey) -> Result<String, StoreError>;

    /// Keeps one file of an invoice. The same file may be kept again.
    async fn keep_invoice(&self, key: &InvoiceKey, bytes: Vec<u8>) -> Result<(), StoreError>;

    /// One kept file of an invoice; `NotFound` where there is none.
    async fn invoice(&self, key: &InvoiceKey) -> Result<Vec<u8>, StoreError>;

    /// Erases all kept documents of an order, and its invoice.
    async fn erase(&self, order: &OrderId) -> Result<(), StoreError>;
}

/// Documents in a bucket.
pub struct S3Documents {
    client: Client,
    bucket: String,
}

impl S3Documents {
    /// Documents in `bucket`; calls nobody yet.
    pub fn new(client: Client, bucket: String) -> Self {
        S3Documents { client, bucket }
    }

    /// An object, at most `limit` bytes and one more.
    async fn get(&self, key: String, limit: u64) -> Result<Option<Vec<u8>>, StoreError> {
        let got = self
            .client
            .get_object()
            .bucket(&self.bucket)
            .key(key)
            .range(format!("bytes=0-{limit}"))
            .send()
            .await;
        match got {
            Ok(object) => {
                let bytes = object.body.collect().await.map_err(StoreError::unavailable)?;
                Ok(Some(bytes.into_bytes().to_vec()))
            }
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(GetObjectError::is_no_such_key) =>
            {
                Ok(None)
            }
            Err(error) => Err(StoreError::unavailable(error)),
        }
    }

    async fn put(&self, key: String, content_type: &str, bytes: Vec<u8>) -> Result<(), StoreError> {
        self.client
            .put_object()
            .bucket(&self.bucket)
            .key(key)
            .content_type(content_type)
            .body(bytes.into())
            .send()
            .await
            .map_err(StoreError::unavailable)?;
        Ok(())
    }
}

#[async_trait]
impl Documents for S3Documents {
    async fn permit(&self, key: &UploadKey, announced: &Announced) -> Result<UploadPermission, StoreError> {
        let lifetime = PresigningConfig::expires_in(UPLOAD_LIFETIME).map_err(StoreError::unavailable)?;
        let length = i64::try_from(announced.bytes).map_err(StoreError::unavailable)?;
        let signed = self
            .client
            .put_object()
            .bucket(&self.bucket)
            .key(key.arrival())
            .content_type(&announced.content_type)
            .content_length(length)
            .checksum_sha256(&announced.sha256)
            .presigned(lifetime)
            .await
            .map_err(StoreError::unavailable)?;
        let headers = signed
            .headers()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        Ok(UploadPermission {
            url: signed.uri().to_owned(),
            headers,
        })
    }

    async fn arrived(&self, key: &UploadKey, limit: u64) -> Result<Option<Vec<u8>>, StoreError> {
        self.get(key.arrival(), limit).await
    }

    async fn keep(&self, key: &UploadKey, content_type: &str, bytes: Vec<u8>) -> Result<(), StoreError> {
        self.put(key.kept(), content_type, bytes).await
    }

    async fn drop_arrival(&self, key: &UploadKey) -> Result<(), StoreError> {
        self.client
            .delete_object()
            .bucket(&self.bucket)
            .key(key.arrival())
            .send()
            .await
            .map_err(StoreError::unavailable)?;
        Ok(())
    }

    async fn link(&self, key: &UploadKey) -> Result<String, StoreError> {
        let lifetime = PresigningConfig::expires_in(LINK_LIFETIME).map_err(StoreError::unavailable)?;
        let signed = self
            .client
            .get_object()
            .bucket(&self.bucket)
            .key(key.kept())
            .presigned(lifetime)
            .await
            .map_err(StoreError::unavailable)?;
        Ok(signed.uri().to_owned())
    }

    async fn keep_invoice(&self, key: &InvoiceKey, bytes: Vec<u8>) -> Result<(), StoreError> {
        self.put(key.kept(), key.format.content_type(), bytes).await
    }

    async fn invoice(&self, key: &InvoiceKey) -> Result<Vec<u8>, StoreError> {
        let found = self.get(key.kept(), MAX_FILE_BYTES as u64).await?;
        found.ok_or(StoreError::NotFound)
    }

    async fn erase(&self, order: &OrderId) -> Result<(), StoreError> {
        // An order has a handful of documents, and uploads are limited; one page of a list holds 1,000.
        let kept = self
            .client
            .list_objects_v2()
            .bucket(&self.bucket)
            .prefix(format!("documents/{order}/"))
            .send()
            .await
            .map_err(StoreError::unavailable)?;
        for key in kept.contents().iter().filter_map(|object| object.key()) {
            self.client
                .delete_object()
                .bucket(&self.bucket)
                .key(key)
                .send()
                .await
                .map_err(StoreError::unavailable)?;
        }
        Ok(())
    }
}
