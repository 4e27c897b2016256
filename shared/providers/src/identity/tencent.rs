//! Tencent's faceid products, for persons. A result is a text with a number, and each product numbers in its own way.

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::{
    Check, Checked, Field, IdentityChecks, Outcome, Person, Unsupported, config_error, mismatch, unsupported,
};
use crate::aliyun::UrlError;
use crate::http::Http;
use crate::tencent::{Action, ApiError, ApiKey, Cloud, Envelope};

/// Resident identity card; other documents are not offered.
const CERT_TYPE: u8 = 0;

#[derive(Clone, Debug)]
pub(super) struct TencentChecks {
    cloud: Cloud,
}

impl TencentChecks {
    pub(super) fn new(http: Http, key: ApiKey, base_url: &str) -> Result<Self, UrlError> {
        Ok(Self {
            // The product is called without a region.
            cloud: Cloud::new(http, key, base_url, None)?,
        })
    }
}

#[async_trait]
impl IdentityChecks for TencentChecks {
    async fn verify(&self, check: Check<'_>, now: OffsetDateTime) -> Checked {
        let Some((product, parameters)) = question(check) else {
            return Checked::without_request(config_error("no-enterprises"));
        };
        let call = async {
            match self.cloud.call(action(product), &parameters, now).await {
                Ok(answer) => judge(product, answer.status, &answer.body),
                Err(error) => error.into(),
            }
        };
        self.cloud.http().observed(check.operation(), call).await
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Product {
    IdCard,
    Phone,
    Card3,
    Card4,
}

fn action(product: Product) -> Action {
    Action {
        service: "faceid",
        name: match product {
            Product::IdCard => "IdCardVerification",
            Product::Phone => "PhoneVerification",
            Product::Card3 => "BankCardVerification",
            Product::Card4 => "BankCard4EVerification",
        },
        version: "2018-03-01",
    }
}

/// Nothing for enterprises, which the provider does not check.
fn question(check: Check<'_>) -> Option<(Product, Value)> {
    let of = |person: Person<'_>| json!({"IdCard": person.id_number, "Name": person.name});
    Some(match check {
        Check::Id2 { person } => (Product::IdCard, of(person)),
        Check::Phone3 { person, mobile } => {
            let mut parameters = of(person);
            parameters["Phone"] = json!(mobile);
            (Product::Phone, parameters)
        }
        Check::Card3 { person, card } => {
            let mut parameters = of(person);
            parameters["BankCard"] = json!(card);
            parameters["CertType"] = json!(CERT_TYPE);
            (Product::Card3, parameters)
        }
        Check::Card4 { person, card, mobile } => {
            let mut parameters = of(person);
            parameters["BankCard"] = json!(card);
            parameters["Phone"] = json!(mobile);
            parameters["CertType"] = json!(CERT_TYPE);
            (Product::Card4, parameters)
        }
        Check::Enterprise2 { .. } | Check::Enterprise3 { .. } | Check::Enterprise4 { .. } => return None,
    })
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Findings {
    result: String,
}

fn judge(product: Product, status: u16, body: &[u8]) -> Checked {
    let Ok(Envelope { response }) = serde_json::from_slice::<Envelope<Findings>>(body) else {
        return Checked::without_request(Outcome::ProviderBusy);
    };
    let outcome = match response.error {
        Some(ApiError { code }) => without_result(status, &code),
        None if status != 200 => Outcome::ProviderBusy,
        None => outcome(product, &response.fields.result),
    };
    Checked {
        outcome,
        request_id: response.request_id,
    }
}

fn outcome(product: Product, result: &str) -> Outcome {
    match product {
        Product::IdCard => id_card(result),
        Product::Phone => phone(result),
        Product::Card3 => match result {
            "-17" => Outcome::ProviderBusy,
            _ => card(result, -5),
        },
        Product::Card4 => match result {
            // The mobile's form.
            "-5" => unsupported(Unsupported::Malformed),
            "-18" => Outcome::ProviderBusy,
            _ => card(result, -6),
        },
    }
}

fn id_card(result: &str) -> Outcome {
    match result {
        "0" => Outcome::Match,
        "-1" => mismatch(Field::Unspecified),
        // The number's form, and the name's.
        "-2" | "-3" => unsupported(Unsupported::Malformed),
        "-5" => Outcome::NoRecord,
        "-7" => unsupported(Unsupported::TooOften),
        // The source fails (-4) or is being renewed (-6), and what is not documented.
        _ => Outcome::ProviderBusy,
    }
}

fn phone(result: &str) -> Outcome {
    match result {
        "0" => Outcome::Match,
        // -10 says no more than that it failed.
        "-4" | "-10" => mismatch(Field::Unspecified),
        // A mobile that nobody's name stands behind, and data that the source does not know.
        "-5" | "-9" => Outcome::NoRecord,
        // The form of the mobile, of the number, of the name.
        "-6" | "-7" | "-8" => unsupported(Unsupported::Malformed),
        // Busy (-11), and what is not documented.
        _ => Outcome::ProviderBusy,
    }
}

/// Both card products, whose lists of card problems begin at different numbers.
fn card(result: &str, first_problem: i32) -> Outcome {
    let Ok(number) = result.parse::<i32>() else {
        return Outcome::ProviderBusy;
    };
    match number {
        0 => Outcome::Match,
        -1 => mismatch(Field::Unspecified),
        // The form of the name, and of the number.
        -2 | -3 => unsupported(Unsupported::Malformed),
        -4 => mismatch(Field::Card),
        _ => match first_problem - number {
            // The holder's data are wrong.
            0 => mismatch(Field::Unspecified),
            // Not for payments without the card, confiscated, invalid number, no issuer, dormant, fraud, lost, expired,
            // restricted, too many wrong PINs.
            1..=10 => mismatch(Field::Card),
            // The issuer takes no part.
            11 => unsupported(Unsupported::Card),
            _ => Outcome::ProviderBusy,
        },
    }
}

/// The call was not processed.
fn without_result(status: u16, code: &str) -> Outcome {
    let family = code.split('.').next().unwrap_or_default();
    match family {
        _ if status >= 500 || ApiError::may_have_acted(code) || ApiError::is_throttling(code) => {
            Outcome::ProviderBusy
        }
        "FailedOperation" | "ResourceUnavailable" => Outcome::ProviderBusy,
        "InvalidParameterValue" => unsupported(Unsupported::Malformed),
        "LimitExceeded" => unsupported(Unsupported::TooOften),
        // Among them a key that is wrong, a product that is not activated, an account in arrears.
        _ => config_error(code),
    }
}

#[cfg(test)]
mod tests;
