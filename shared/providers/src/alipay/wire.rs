//! The gateway's envelope: signed requests out, answers verified over their raw text in.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use tracing::error;

use super::judge::judge;
use super::keys::{SigningKey, Verifier};
use crate::payments::{Doubt, Failure};
use crate::percent;

/// What goes on the wire for one call.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Request {
    /// The gateway with the public parameters and the signature as its query.
    pub(crate) url: String,
    /// The form body: `biz_content`.
    pub(crate) body: String,
}

impl Request {
    pub(crate) const CONTENT_TYPE: &'static str = "application/x-www-form-urlencoded;charset=utf-8";

    /// Signs all parameters, `sign_type` included, and splits them between query and body.
    pub(crate) fn sign(
        key: &SigningKey,
        gateway: &str,
        mut public: Vec<(&'static str, String)>,
        biz_content: String,
    ) -> Option<Self> {
        public.retain(|(_, value)| !value.is_empty());
        let mut all = public.clone();
        all.push(("biz_content", biz_content.clone()));
        let signature = key.sign(joined(&all).as_bytes())?;
        public.push(("sign", signature));
        Some(Self {
            url: format!("{gateway}?{}", percent::sorted_pairs(&public)),
            body: percent::sorted_pairs(&[("biz_content", biz_content)]),
        })
    }
}

/// The text that is signed: raw `key=value` pairs in the keys' order.
pub(crate) fn joined<K: AsRef<str>, V: AsRef<str>>(pairs: &[(K, V)]) -> String {
    let mut pairs: Vec<(&str, &str)> = pairs
        .iter()
        .map(|(key, value)| (key.as_ref(), value.as_ref()))
        .collect();
    pairs.sort_unstable();
    pairs
        .iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect::<Vec<_>>()
        .join("&")
}

#[derive(Deserialize)]
struct Status {
    #[serde(default)]
    code: String,
    #[serde(default)]
    sub_code: String,
    out_trade_no: Option<String>,
}

/// Reads the answer to a method, perhaps about a trade: a signed `10000`, or why there is none.
pub(crate) fn read<T: DeserializeOwned>(
    body: &[u8],
    method: &str,
    out_trade_no: Option<&str>,
    verifier: &Verifier,
) -> Result<T, Failure> {
    let envelope: BTreeMap<String, &RawValue> = serde_json::from_slice(body).map_err(|_| Doubt::Malformed)?;
    let name = format!("{}_response", method.replace('.', "_"));
    let node = envelope
        .get(&name)
        .or_else(|| envelope.get("error_response"))
        .ok_or(Doubt::Malformed)?;
    // The signed bytes are the node's own text: writing it anew would change escapes and order.
    let text = node.get();
    let status: Status = serde_json::from_str(text).map_err(|_| Doubt::Malformed)?;
    match envelope.get("sign") {
        Some(signature) => {
            check_certificate(envelope.get("alipay_cert_sn").copied(), verifier)?;
            let signature: String = serde_json::from_str(signature.get()).map_err(|_| Doubt::BadSignature)?;
            if !verifier.key.verifies(text.as_bytes(), &signature) {
                return Err(Doubt::BadSignature.into());
            }
        }
        None if status.code == "10000" => return Err(Doubt::BadSignature.into()),
        None => return Err(Doubt::Unsigned(format!("{} {}", status.code, status.sub_code)).into()),
    }
    // A signed answer about another trade must not pass as the answer about this one.
    if status
        .out_trade_no
        .is_some_and(|answered| out_trade_no.is_some_and(|asked| asked != answered))
    {
        return Err(Doubt::Malformed.into());
    }
    // A signed error envelope never holds a method's result.
    if status.code != "10000" || !envelope.contains_key(&name) {
        return Err(judge(&status.code, &status.sub_code));
    }
    serde_json::from_str(text).map_err(|_| Doubt::Malformed.into())
}

/// An answer that was signed under another certificate cannot be verified, however good it is.
fn check_certificate(named: Option<&RawValue>, verifier: &Verifier) -> Result<(), Doubt> {
    let named: Option<String> = named.and_then(|named| serde_json::from_str(named.get()).ok());
    if verifier.knows(named.as_deref()) {
        return Ok(());
    }
    let loaded = verifier.certificate.as_deref();
    error!(
        named,
        loaded,
        "Alipay signs with another certificate than the one on file: load the new one into the secret"
    );
    Err(Doubt::BadSignature)
}
