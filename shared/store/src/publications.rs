//! What the world may read: revocation lists and CA certificates, as objects that never change.
use async_trait::async_trait;
use aws_sdk_s3::Client;
use aws_sdk_s3::operation::get_object::GetObjectError;

use crate::error::StoreError;
use crate::statuses::ListKey;

/// Names an object.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Publication {
    /// A revocation list under its number: a list is never overwritten by an older one, because none is overwritten at all.
    List(ListKey, u64),
    /// The certificate of an issuing CA, by its key identifier.
    Authority(String),
}

impl Publication {
    /// Where it lies.
    pub fn key(&self) -> String {
        match self {
            Publication::List(list, number) => format!("crl/{}/{}/{number}.crl", list.authority, list.shard),
            Publication::Authority(authority) => format!("ca/{authority}.cer"),
        }
    }

    /// Its media type (RFC 2585, 4).
    pub fn content_type(&self) -> &'static str {
        match self {
            Publication::List(..) => "application/pkix-crl",
            Publication::Authority(_) => "application/pkix-cert",
        }
    }
}

/// Published objects.
#[async_trait]
pub trait Publications: Send + Sync {
    /// Publishes.
    async fn put(&self, publication: &Publication, bytes: Vec<u8>) -> Result<(), StoreError>;

    /// What is published.
    async fn get(&self, publication: &Publication) -> Result<Option<Vec<u8>>, StoreError>;
}

/// Published objects in a bucket.
pub struct S3Publications {
    client: Client,
    bucket: String,
}

impl S3Publications {
    /// Publications in `bucket`; calls nobody yet.
    pub fn new(client: Client, bucket: String) -> Self {
        S3Publications { client, bucket }
    }
}

#[async_trait]
impl Publications for S3Publications {
    async fn put(&self, publication: &Publication, bytes: Vec<u8>) -> Result<(), StoreError> {
        self.client
            .put_object()
            .bucket(&self.bucket)
            .key(publication.key())
            .content_type(publication.content_type())
            .body(bytes.into())
            .send()
            .await
            .map_err(StoreError::unavailable)?;
        Ok(())
    }

    async fn get(&self, publication: &Publication) -> Result<Option<Vec<u8>>, StoreError> {
        let got = self
            .client
            .get_object()
            .bucket(&self.bucket)
            .key(publication.key())
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
}
