//! The secret of the identity checks: who is asked about persons, and who about enterprises.

use async_trait::async_trait;
use serde::Deserialize;
use time::OffsetDateTime;

use super::aliyun::AliyunChecks;
use super::tencent::TencentChecks;
use super::{Check, Checked, IdentityChecks};
use crate::aliyun::AccessKey;
pub use crate::endpoint::SetupError;
use crate::http::{Http, Limits};
use crate::tencent::ApiKey;

/// The accounts, as stored in the secret: Aliyun's access key alone, or
/// `{"provider": "tencent", "secret_id", "secret_key", "aliyun": {access key}}`.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Account {
    /// Persons at Tencent; enterprises at Aliyun, as Tencent checks none.
    Tencent {
        /// That it is this form.
        provider: Tencent,
        /// Tencent's key.
        #[serde(flatten)]
        key: ApiKey,
        /// Aliyun's.
        aliyun: AccessKey,
    },
    /// Both at Aliyun.
    Aliyun {
        /// That it is this form, where it is said at all.
        provider: Option<Aliyun>,
        /// The key.
        #[serde(flatten)]
        key: AccessKey,
    },
}

/// The word `tencent`.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tencent {
    /// The word.
    Tencent,
}

/// The word `aliyun`.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Aliyun {
    /// The word.
    Aliyun,
}

/// The base URLs of the providers.
#[derive(Clone, Debug)]
pub struct Urls {
    /// Such as `https://cloudauth.aliyuncs.com/`.
    pub cloudauth: String,
    /// Such as `https://faceid.tencentcloudapi.com/`.
    pub faceid: String,
}

/// The checks of the account's providers; connects only when it asks.
pub fn checks(account: Account, urls: &Urls, limits: Limits) -> Result<Box<dyn IdentityChecks>, SetupError> {
    let aliyun = |key| -> Result<AliyunChecks, SetupError> {
        let http = Http::with_limits("aliyun_identity", limits)?;
        Ok(AliyunChecks::new(http, key, &urls.cloudauth)?)
    };
    Ok(match account {
        Account::Aliyun { key, .. } => Box::new(aliyun(key)?),
        Account::Tencent {
            key, aliyun: other, ..
        } => {
            let http = Http::with_limits("tencent_identity", limits)?;
            Box::new(ByHolder {
                persons: TencentChecks::new(http, key, &urls.faceid)?,
                enterprises: aliyun(other)?,
            })
        }
    })
}

/// Persons here, enterprises there.
struct ByHolder {
    persons: TencentChecks,
    enterprises: AliyunChecks,
}

#[async_trait]
impl IdentityChecks for ByHolder {
    async fn verify(&self, check: Check<'_>, now: OffsetDateTime) -> Checked {
        match check {
            Check::Enterprise2 { .. } | Check::Enterprise3 { .. } | Check::Enterprise4 { .. } => {
                self.enterprises.verify(check, now).await
            }
            Check::Id2 { .. } | Check::Phone3 { .. } | Check::Card3 { .. } | Check::Card4 { .. } => {
                self.persons.verify(check, now).await
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Account;

    fn account(json: &str) -> Result<Account, serde_json::Error> {
        serde_json::from_str(json)
    }

    #[test]
    fn a_bare_access_key_is_aliyuns() {
        let bare = account(r#"{"access_key_id":"id","access_key_secret":"hunter2"}"#).unwrap();
        assert!(matches!(&bare, Account::Aliyun { key, .. } if key.access_key_id == "id"));
        assert!(!format!("{bare:?}").contains("hunter2"));
        let named = account(r#"{"provider":"aliyun","access_key_id":"id","access_key_secret":"x"}"#);
        assert!(matches!(named.unwrap(), Account::Aliyun { .. }));
    }

    #[test]
    fn tencents_form_needs_aliyuns_key_for_enterprises() {
        let aliyun = r#""aliyun":{"access_key_id":"a","access_key_secret":"x"}"#;
        let both = account(&format!(
            r#"{{"provider":"tencent","secret_id":"t","secret_key":"y",{aliyun}}}"#
        ));
        assert!(matches!(both.unwrap(), Account::Tencent { key, aliyun, .. }
            if key.secret_id == "t" && aliyun.access_key_id == "a"));
        assert!(account(r#"{"provider":"tencent","secret_id":"t","secret_key":"y"}"#).is_err());
        assert!(account(r#"{"provider":"tencent","access_key_id":"a","access_key_secret":"x"}"#).is_err());
        assert!(account("{}").is_err());
    }
}
