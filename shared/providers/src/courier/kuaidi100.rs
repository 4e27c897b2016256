//! kuaidi100: forms whose JSON is signed with MD5, as the service wants it; pushes signed with a salt of their order.

use async_trait::async_trait;
use aws_lc_rs::{constant_time, hmac};
use md5::{Digest as _, Md5};
use reqwest::Url;
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};
use thiserror::Error;
use time::OffsetDateTime;
use tracing::debug;

use super::{Courier, Doubt, Parcel, Push, PushError, Report, State, Subscription, Whereabouts};
use crate::http::{self, Http};
use crate::{Secret, china_time};

/// The digits of a telephone that the service is told.
const PHONE_DIGITS: usize = 4;
/// The characters of a salt.
const SALT_CHARACTERS: usize = 32;
/// The most events of one parcel that are looked at.
const MAX_EVENTS: usize = 1000;

/// The account, as stored in the secret.
#[derive(Clone, Debug, Deserialize)]
pub struct Customer {
    /// Our number at the service.
    pub customer: String,
    /// The key of our requests.
    pub key: Secret,
    /// The key that salts of orders are made of; the service does not know it.
    pub salt_key: Secret,
}

/// The client cannot be made of this configuration.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// The address is none.
    #[error("the courier service's address is not an http(s) URL")]
    Address,
    /// A key is empty.
    #[error("a key of the courier service is empty")]
    Key,
}

/// The client.
pub struct Kuaidi100 {
    http: Http,
    customer: Customer,
    base: String,
}

impl Kuaidi100 {
    /// A client; `base_url` is what stands before `/poll`.
    pub fn new(customer: Customer, base_url: &str, http: Http) -> Result<Self, ConfigError> {
        let base = base_url.trim_end_matches('/').to_owned();
        let is_web = |url: &Url| url.has_host() && matches!(url.scheme(), "http" | "https");
        Url::parse(&base)
            .ok()
            .filter(is_web)
            .ok_or(ConfigError::Address)?;
        if customer.key.expose().is_empty() || customer.salt_key.expose().is_empty() {
            return Err(ConfigError::Key);
        }
        Ok(Self { http, customer, base })
    }

    /// The salt of an order's pushes: made anew whenever it is needed, and stored nowhere.
    fn salt(&self, order: &str) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.customer.salt_key.expose().as_bytes());
        let mut salt = hex::encode(hmac::sign(&key, order.as_bytes()));
        salt.truncate(SALT_CHARACTERS);
        salt
    }

    async fn post(&self, path: &str, form: &[(&str, &str)]) -> Result<Value, Doubt> {
        let url = format!("{}{path}", self.base);
        let answer = self
            .http
            .send_repeatable(|| self.http.post(&url).form(form))
            .await;
        read(answer)
    }

    async fn ask_to_subscribe(&self, parcel: &Parcel<'_>, callback_url: &str) -> Subscription {
        let mut parameters = json!({
            "callbackurl": callback_url,
            "salt": self.salt(parcel.order),
            "resultv2": "0",
            "autoCom": "0",
        });
        if let Some(phone) = phone(parcel) {
            parameters["phone"] = json!(phone);
        }
        let param = json!({
            "company": parcel.carrier.code,
            "number": parcel.waybill,
            "key": self.customer.key.expose(),
            "parameters": parameters,
        });
        let answer = self
            .post("/poll", &[("schema", "json"), ("param", &param.to_string())])
            .await;
        match answer.map(|answer| code_of(&answer)) {
            Err(doubt) => Subscription::Unknown(doubt),
            Ok(None) => Subscription::Unknown(Doubt::Malformed),
            Ok(Some(code)) => match code.as_str() {
                // 501: subscribed before.
                "200" | "501" => Subscription::Accepted,
                // The courier is not served, the parcel's data are wrong, or its courier is not recognised.
                "700" | "701" | "702" => Subscription::Refused { code },
                _ => Subscription::Unknown(Doubt::Service(code)),
            },
        }
    }

    async fn ask(&self, parcel: &Parcel<'_>) -> Whereabouts {
        let mut param = json!({
            "com": parcel.carrier.code,
            "num": parcel.waybill,
            "resultv2": "0",
            "show": "0",
            "order": "desc",
        });
        if let Some(phone) = phone(parcel) {
            param["phone"] = json!(phone);
        }
        let param = param.to_string();
        let sign = query_sign(&param, self.customer.key.expose(), &self.customer.customer);
        let form = [
            ("customer", self.customer.customer.as_str()),
            ("sign", &sign),
            ("param", &param),
        ];
        let answer = match self.post("/poll/query.do", &form).await {
            Ok(answer) => answer,
            Err(doubt) => return Whereabouts::Unknown(doubt),
        };
        if answer.get("result") == Some(&Value::Bool(false)) {
            return match code_of(&answer).as_deref() {
                // 400 and 408: a number or a telephone that the courier does not know.
                Some("400" | "408" | "500") => Whereabouts::NotFound,
                Some(code) => Whereabouts::Unknown(Doubt::Service(code.to_owned())),
                None => Whereabouts::Unknown(Doubt::Malformed),
            };
        }
        let trace: Trace = match serde_json::from_value(answer) {
            Ok(trace) => trace,
            Err(_) => return Whereabouts::Unknown(Doubt::Malformed),
        };
        trace.report().map_or(Whereabouts::NotFound, Whereabouts::Known)
    }
}

#[async_trait]
impl Courier for Kuaidi100 {
    async fn subscribe(&self, parcel: &Parcel<'_>, callback_url: &str) -> Subscription {
        debug!(
            order = parcel.order,
            "subscribing to the parcel of order {}", parcel.order
        );
        let call = self.ask_to_subscribe(parcel, callback_url);
        self.http.observed("subscribe", call).await
    }

    async fn query(&self, parcel: &Parcel<'_>) -> Whereabouts {
        debug!(
            order = parcel.order,
            "asking where the parcel of order {} is", parcel.order
        );
        self.http.observed("query", self.ask(parcel)).await
    }

    fn read_push(&self, order: &str, body: &[u8]) -> Result<Push, PushError> {
        let (mut param, mut sign) = (None, None);
        for (name, value) in form_urlencoded::parse(body) {
            match &*name {
                "param" => param = Some(value),
                "sign" => sign = Some(value),
                _ => {}
            }
        }
        let (param, sign) = param.zip(sign).ok_or(PushError::BadSignature)?;
        let due = md5_hex(&[&param, &self.salt(order)]);
        // Upper or lower case: the service's own examples differ.
        let given = sign.to_ascii_lowercase();
        constant_time::verify_slices_are_equal(due.as_bytes(), given.as_bytes())
            .map_err(|_| PushError::BadSignature)?;
        let pushed: Pushed = serde_json::from_str(&param).map_err(|_| PushError::Malformed)?;
        let trace = pushed.last_result;
        Ok(trace
            .as_ref()
            .and_then(Trace::report)
            .map_or(Push::Nothing, |report| {
                let waybill = trace.map(|trace| trace.nu).unwrap_or_default();
                Push::Report { waybill, report }
            }))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Pushed {
    #[serde(default)]
    last_result: Option<Trace>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Trace {
    #[serde(deserialize_with = "text")]
    state: String,
    #[serde(deserialize_with = "text")]
    nu: String,
    data: Option<Vec<Event>>,
}

#[derive(Deserialize)]
struct Event {
    #[serde(default)]
    time: String,
}

impl Trace {
    /// The state since the last event, whichever way round the events stand.
    fn report(&self) -> Option<Report> {
        let state = State::of(&self.state)?;
        let times = self
            .data
            .iter()
            .flatten()
            .take(MAX_EVENTS)
            .filter_map(|event| china_time::parse(&event.time));
        times.max().map(|at: OffsetDateTime| Report { state, at })
    }
}

fn read(answer: Result<http::Answer, http::Failure>) -> Result<Value, Doubt> {
    let answer = answer?;
    if answer.status != 200 {
        return Err(Doubt::Status(answer.status));
    }
    serde_json::from_slice(&answer.body).map_err(|_| Doubt::Malformed)
}

fn code_of(answer: &Value) -> Option<String> {
    match answer.get("returnCode")? {
        Value::String(code) => Some(code.clone()),
        Value::Number(code) => Some(code.to_string()),
        _ => None,
    }
}

/// The telephone's end, where the courier wants it.
fn phone<'a>(parcel: &Parcel<'a>) -> Option<&'a str> {
    let start = parcel.mobile.len().checked_sub(PHONE_DIGITS)?;
    parcel.mobile.get(start..).filter(|_| parcel.carrier.wants_phone)
}

fn query_sign(param: &str, key: &str, customer: &str) -> String {
    md5_hex(&[param, key, customer]).to_ascii_uppercase()
}

fn md5_hex(parts: &[&str]) -> String {
    let mut md5 = Md5::new();
    for part in parts {
        md5.update(part.as_bytes());
    }
    hex::encode(md5.finalize())
}

/// Numbers come as numbers or as texts.
fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::String(text) => text,
        Value::Number(number) => number.to_string(),
        _ => String::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::query_sign;

    #[test]
    fn the_signature_of_a_query_is_that_of_the_vector() {
        // providers.md, 6.1.
        let param = r#"{"com":"shunfeng","num":"SF1234567890123","phone":"13800138000"}"#;
        let sign = query_sign(param, "KEY0123456789", "CUSTOMER0001");
        assert_eq!(sign, "AF01DF69880FB813D95A44DCC2505D6C");
        assert_ne!(query_sign(param, "KEY0123456789", "CUSTOMER0002"), sign);
    }
}
