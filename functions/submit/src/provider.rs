//! The providers of identity checks, set up with the first check that is asked.
use std::time::Duration;

use async_trait::async_trait;
use time::OffsetDateTime;
use tokio::sync::OnceCell;
use tracing::error;
use yinxin_lambda::Platform;
use yinxin_providers::http::Limits;
use yinxin_providers::identity::{self, Account, Check, Checked, IdentityChecks, Outcome, Urls};

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
    urls: Urls,
    checks: OnceCell<Box<dyn IdentityChecks>>,
}

impl LazyIdentityChecks {
    /// Checks at `urls` by the providers that the secret `secret_id` names.
    pub fn new(platform: Platform, secret_id: String, urls: Urls) -> Self {
        LazyIdentityChecks {
            platform,
            secret_id,
            urls,
            checks: OnceCell::new(),
        }
    }

    async fn set_up(&self) -> Result<Box<dyn IdentityChecks>, Box<dyn std::error::Error + Send + Sync>> {
        let account: Account = self.platform.secret(&self.secret_id).await?;
        Ok(identity::checks(account, &self.urls, LIMITS)?)
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
