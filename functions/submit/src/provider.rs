//! The provider of identity checks, set up with the first check that is asked.
use std::time::Duration;

use async_trait::async_trait;
use time::OffsetDateTime;
use tokio::sync::OnceCell;
use tracing::error;
use yinxin_lambda::Platform;
use yinxin_providers::aliyun::AccessKey;
use yinxin_providers::http::{Http, Limits};
use yinxin_providers::identity::{AliyunIdentityChecks, Check, Checked, IdentityChecks, Outcome};

/// A form has up to three checks, and the function 25 seconds.
const LIMITS: Limits = Limits {
    connect: Duration::from_secs(2),
    total: Duration::from_secs(6),
    answer_bytes: 64 * 1024,
};

/// Identity checks whose secret is fetched when it is needed: a function starts without a call.
pub struct LazyIdentityChecks {
    platform: Platform,
    secret_id: String,
    base_url: String,
    checks: OnceCell<AliyunIdentityChecks>,
}

impl LazyIdentityChecks {
    /// Checks at `base_url` with the key in the secret `secret_id`.
    pub fn new(platform: Platform, secret_id: String, base_url: String) -> Self {
        LazyIdentityChecks {
            platform,
            secret_id,
            base_url,
            checks: OnceCell::new(),
        }
    }

    async fn set_up(&self) -> Result<AliyunIdentityChecks, Box<dyn std::error::Error + Send + Sync>> {
        let key: AccessKey = self.platform.secret(&self.secret_id).await?;
        let http = Http::with_limits("identity", LIMITS)?;
        Ok(AliyunIdentityChecks::new(key, &self.base_url, http)?)
    }
}

#[async_trait]
impl IdentityChecks for LazyIdentityChecks {
    async fn verify(&self, check: Check<'_>, now: OffsetDateTime) -> Checked {
        match self.checks.get_or_try_init(|| self.set_up()).await {
            Ok(checks) => checks.verify(check, now).await,
            Err(error) => {
                error!(
                    error = error.as_ref() as &dyn std::error::Error,
                    "identity checks cannot be set up"
                );
                Checked {
                    outcome: Outcome::ProviderConfigError {
                        code: "set-up".to_owned(),
                    },
                    request_id: None,
                }
            }
        }
    }
}
