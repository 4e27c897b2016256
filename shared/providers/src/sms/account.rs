//! The SMS secret: who sends, with which key and which approved texts.

use serde::Deserialize;
use thiserror::Error;

use super::{Gateway, Template, aliyun, tencent};
use crate::Secret;
use crate::aliyun::AccessKey;
pub use crate::endpoint::SetupError;
use crate::http::{Http, Limits};
use crate::tencent::ApiKey;

/// The SMS account and its approved templates, as stored in the secret.
///
/// Aliyun: `access_key_id`, `access_key_secret`. Tencent: `"provider": "tencent"`, `secret_id`, `secret_key`,
/// `sdk_app_id`, `region`. Both: `sign_name`, the templates, and `receipt_token` where receipts are pushed to us.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Stored")]
pub struct Account {
    /// Who sends.
    pub provider: Provider,
    /// The approved sign, shown in brackets before the text.
    pub sign_name: String,
    /// The approved templates.
    pub templates: Templates,
    /// The last part of the address to which the provider pushes receipts: its pushes are not signed.
    pub receipt_token: Option<Secret>,
}

/// An SMS provider and the key for it.
#[derive(Clone, Debug)]
pub enum Provider {
    /// Aliyun.
    Aliyun(AccessKey),
    /// Tencent Cloud.
    Tencent {
        /// The key.
        key: ApiKey,
        /// The SMS application.
        sdk_app_id: String,
        /// Such as `ap-guangzhou`.
        region: String,
    },
}

/// The provider's numbers of the approved templates.
#[derive(Clone, Debug, Deserialize)]
pub struct Templates {
    /// One-time codes.
    pub template_code: String,
    /// The certificate's password; a notification template, as code templates take digits only.
    pub template_password: String,
    /// Review passed.
    pub template_review: String,
    /// Review rejected.
    pub template_rejected: String,
    /// The UKey is on its way.
    pub template_dispatched: String,
    /// The password did not arrive. A secret that was filled before there was this text has none; the provider refuses it.
    #[serde(default)]
    pub template_password_failed: String,
}

impl Templates {
    pub(super) fn number(&self, template: Template) -> &str {
        match template {
            Template::Code => &self.template_code,
            Template::Password => &self.template_password,
            Template::Approved => &self.template_review,
            Template::Rejected => &self.template_rejected,
            Template::Dispatched => &self.template_dispatched,
            Template::PasswordFailed => &self.template_password_failed,
        }
    }
}

/// The base URLs of the providers.
#[derive(Clone, Debug)]
pub struct Urls {
    /// Such as `https://dysmsapi.aliyuncs.com/`.
    pub aliyun: String,
    /// Such as `https://sms.tencentcloudapi.com/`.
    pub tencent: String,
}

/// The gateway of the account's provider; connects only when it sends.
pub fn gateway(account: Account, urls: &Urls, limits: Limits) -> Result<Box<dyn Gateway>, SetupError> {
    let (sign_name, templates) = (account.sign_name, account.templates);
    Ok(match account.provider {
        Provider::Aliyun(key) => {
            let http = Http::with_limits("aliyun_sms", limits)?;
            Box::new(aliyun::Sms::new(http, key, &urls.aliyun, sign_name, templates)?)
        }
        Provider::Tencent {
            key,
            sdk_app_id,
            region,
        } => {
            let http = Http::with_limits("tencent_sms", limits)?;
            let application = tencent::Application {
                sdk_app_id,
                region,
                sign_name,
                templates,
            };
            Box::new(tencent::Sms::new(http, key, &urls.tencent, application)?)
        }
    })
}

/// The secret's JSON. `provider` came later than the first secrets, which are Aliyun's.
#[derive(Deserialize)]
struct Stored {
    #[serde(default)]
    provider: Name,
    access_key_id: Option<String>,
    access_key_secret: Option<Secret>,
    secret_id: Option<String>,
    secret_key: Option<Secret>,
    sdk_app_id: Option<String>,
    region: Option<String>,
    sign_name: String,
    #[serde(flatten)]
    templates: Templates,
    receipt_token: Option<Secret>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Name {
    #[default]
    Aliyun,
    Tencent,
}

#[derive(Debug, Error)]
#[error("the SMS secret has no {0}")]
struct Missing(&'static str);

impl TryFrom<Stored> for Account {
    type Error = Missing;

    fn try_from(stored: Stored) -> Result<Self, Missing> {
        let provider = match stored.provider {
            Name::Aliyun => Provider::Aliyun(AccessKey {
                access_key_id: stored.access_key_id.ok_or(Missing("access_key_id"))?,
                access_key_secret: stored.access_key_secret.ok_or(Missing("access_key_secret"))?,
            }),
            Name::Tencent => Provider::Tencent {
                key: ApiKey {
                    secret_id: stored.secret_id.ok_or(Missing("secret_id"))?,
                    secret_key: stored.secret_key.ok_or(Missing("secret_key"))?,
                },
                sdk_app_id: stored.sdk_app_id.ok_or(Missing("sdk_app_id"))?,
                region: stored.region.ok_or(Missing("region"))?,
            },
        };
        Ok(Account {
            provider,
            sign_name: stored.sign_name,
            templates: stored.templates,
            receipt_token: stored.receipt_token,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Account, Provider};

    const TEMPLATES: &str = r#""sign_name":"湖南CA","template_code":"1","template_password":"2","template_review":"3","template_rejected":"4","template_dispatched":"5""#;

    fn account(start: &str) -> Result<Account, serde_json::Error> {
        serde_json::from_str(&format!("{{{start}{TEMPLATES}}}"))
    }

    #[test]
    fn a_secret_without_a_provider_is_aliyuns() {
        let secret = account(r#""access_key_id":"id","access_key_secret":"hunter2","#).unwrap();
        assert!(matches!(&secret.provider, Provider::Aliyun(key) if key.access_key_id == "id"));
        assert!(secret.receipt_token.is_none());
        assert!(!format!("{secret:?}").contains("hunter2"));
        let named = account(
            r#""provider":"aliyun","access_key_id":"id","access_key_secret":"x","receipt_token":"t","#,
        );
        assert!(named.unwrap().receipt_token.is_some());
    }

    #[test]
    fn tencents_secret_names_its_application_and_region() {
        let whole = r#""provider":"tencent","secret_id":"id","secret_key":"x","sdk_app_id":"1400006666","region":"ap-guangzhou","#;
        let secret = account(whole).unwrap();
        assert!(matches!(secret.provider, Provider::Tencent { region, .. } if region == "ap-guangzhou"));
        for name in ["secret_id", "secret_key", "sdk_app_id", "region"] {
            let without = whole.replace(name, "other");
            let error = account(&without).unwrap_err().to_string();
            assert!(error.contains(&format!("no {name}")), "{error}");
        }
    }

    #[test]
    fn an_unknown_provider_is_refused() {
        assert!(account(r#""provider":"other","access_key_id":"id","access_key_secret":"x","#).is_err());
        assert!(account("").is_err());
    }
}
