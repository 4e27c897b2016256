//! CA keys that never leave KMS: key spec SM2, which AWS offers in its China Regions.
use std::time::Duration;

use aws_sdk_kms::config::retry::RetryConfig;
use aws_sdk_kms::config::timeout::TimeoutConfig;
use aws_sdk_kms::primitives::Blob;
use aws_sdk_kms::types::{KeySpec, KeyUsageType, MessageType, SigningAlgorithmSpec};

use crate::error::StoreError;

/// One attempt may take this long.
const ATTEMPT_LIMIT: Duration = Duration::from_secs(3);
/// All attempts together, waits included: well within the time limit of a function.
const OPERATION_LIMIT: Duration = Duration::from_secs(9);
/// The first attempt and its repeats.
const MAX_ATTEMPTS: u32 = 3;

fn limits() -> aws_sdk_kms::config::Builder {
    aws_sdk_kms::config::Builder::new()
        .timeout_config(
            TimeoutConfig::builder()
                .operation_attempt_timeout(ATTEMPT_LIMIT)
                .operation_timeout(OPERATION_LIMIT)
                .build(),
        )
        .retry_config(RetryConfig::standard().with_max_attempts(MAX_ATTEMPTS))
}

/// The DER `SubjectPublicKeyInfo` of an SM2 signing key.
pub(super) async fn public_key(kms: &aws_sdk_kms::Client, key_id: &str) -> Result<Vec<u8>, StoreError> {
    let found = kms
        .get_public_key()
        .key_id(key_id)
        .customize()
        .config_override(limits())
        .send()
        .await
        .map_err(StoreError::unavailable)?;
    let signs_with_sm2 = found.key_spec == Some(KeySpec::Sm2)
        && found.key_usage == Some(KeyUsageType::SignVerify)
        && found.signing_algorithms().contains(&SigningAlgorithmSpec::Sm2Dsa);
    if !signs_with_sm2 {
        return Err(StoreError::Corrupt(
            "the KMS key is no SM2 signing key".to_owned(),
        ));
    }
    Ok(found.public_key.map(Blob::into_inner).unwrap_or_default())
}

/// A DER signature over `e`. KMS hashes nothing: with `DIGEST` it signs what it is given, and Z is in it already.
pub(super) async fn sign_digest(
    kms: &aws_sdk_kms::Client,
    key_id: &str,
    e: &[u8; 32],
) -> Result<Vec<u8>, StoreError> {
    let signed = kms
        .sign()
        .key_id(key_id)
        .message(Blob::new(e.as_slice()))
        .message_type(MessageType::Digest)
        .signing_algorithm(SigningAlgorithmSpec::Sm2Dsa)
        .customize()
        .config_override(limits())
        .send()
        .await
        .map_err(StoreError::unavailable)?;
    Ok(signed.signature.map(Blob::into_inner).unwrap_or_default())
}
