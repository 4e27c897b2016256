//! How a vendor's endpoint is reached and what it is trusted for.

use serde::{Deserialize, Serialize};
use yinxin_pki::Certificate;

/// A vendor's EST endpoint. Its client certificate and key rest in the secret that is named, as PEM.
///
/// This type is used in stored state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EstConfig {
    /// `https://` and authority, and perhaps a path before `/.well-known`.
    pub url: String,
    /// The CA label (RFC 7030, 3.2.2), if the vendor serves several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// The secret with the client's certificate and private key, PEM.
    pub client_secret: String,
    /// The CA of the server's TLS certificate, PEM: no other one is accepted.
    pub server_ca: String,
    /// The root under which the vendor issues, PEM: no other one is accepted.
    pub vendor_root: String,
}

/// Why an endpoint cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SetUpError {
    /// The URL is no `https` one, or has a query.
    #[error("the endpoint's URL is no https URL without query")]
    Url,
    /// The label has other characters than letters, digits, `.`, `_` and `-`.
    #[error("the CA label has characters that it must not have")]
    Label,
    /// Certificate and key of the client are no PEM, or do not fit.
    #[error("the client's certificate and key cannot be used")]
    Client,
    /// The server's CA is no PEM certificate.
    #[error("the CA of the endpoint's TLS certificate cannot be used")]
    ServerCa,
    /// The vendor's root is no PEM certificate that signs itself.
    #[error("the vendor's root cannot be used")]
    Root,
}

impl EstConfig {
    /// The root, which must have signed itself.
    pub fn root(&self) -> Result<Certificate, SetUpError> {
        let root = Certificate::from_pem(self.vendor_root.trim()).map_err(|_| SetUpError::Root)?;
        yinxin_pki::chain::verify_link(&root, &root).map_err(|_| SetUpError::Root)?;
        Ok(root)
    }

    /// The URL before the operation's name.
    pub(crate) fn base(&self) -> Result<String, SetUpError> {
        let url = reqwest::Url::parse(&self.url).map_err(|_| SetUpError::Url)?;
        let plain = url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
        if url.scheme() != "https" || !plain {
            return Err(SetUpError::Url);
        }
        let base = format!("{}/.well-known/est/", url.as_str().trim_end_matches('/'));
        let Some(label) = &self.label else {
            return Ok(base);
        };
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        // A label must not be an operation's name (RFC 7030, 3.2.2).
        let fits = (1..=64).contains(&label.len()) && label.bytes().all(allowed) && !label.starts_with('.');
        if fits && !["cacerts", "simpleenroll", "simplereenroll", "serverkeygen"].contains(&label.as_str()) {
            Ok(format!("{base}{label}/"))
        } else {
            Err(SetUpError::Label)
        }
    }
}
