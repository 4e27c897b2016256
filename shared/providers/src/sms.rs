//! SMS through Aliyun's `SendSms`: sent once, never retried, because the provider has no request number of ours.

use std::collections::BTreeMap;

use serde::Deserialize;
use thiserror::Error;
use time::OffsetDateTime;

use crate::aliyun::{AccessKey, Action, CallError, Envelope, Place, Rpc, UrlError};
use crate::http::{self, Http};

const SEND_SMS: Action = Action {
    name: "SendSms",
    version: "2017-05-25",
    place: Place::Query,
};

/// The SMS account and its approved templates, as stored in the secret.
#[derive(Clone, Debug, Deserialize)]
pub struct Account {
    /// The access key.
    #[serde(flatten)]
    pub key: AccessKey,
    /// The approved sign, shown in brackets before the text.
    pub sign_name: String,
    /// The approved templates.
    #[serde(flatten)]
    pub templates: Templates,
}

/// Codes (`SMS_...`) of the approved templates.
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

/// One message to one mobile.
pub struct Message<'a> {
    /// 11 digits.
    pub mobile: &'a str,
    /// The template's code.
    pub template: &'a str,
    /// The template's variables; URLs are refused by the provider.
    pub variables: &'a [(&'a str, &'a str)],
    /// Ours, echoed in the delivery receipt.
    pub out_id: &'a str,
}

/// What became of a message.
#[derive(Debug)]
pub enum Sending {
    /// The provider took it.
    Sent {
        /// The provider's number, for delivery queries.
        biz_id: String,
    },
    /// Nothing was sent.
    Refused {
        /// The provider's code.
        code: String,
        /// Who can change that.
        who: WhoActs,
    },
    /// Perhaps sent: never send it again by machine, let the person ask for another.
    Unknown(Doubt),
}

/// Who must act before another try can succeed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhoActs {
    /// The person has had too many messages: wait.
    Wait,
    /// The mobile number is wrong.
    Recipient,
    /// Account, templates, quota, or our request.
    Operator,
}

/// Why it is not known whether a message was sent.
#[derive(Debug, Error)]
pub enum Doubt {
    /// No usable answer.
    #[error("the SMS gateway gave no usable answer")]
    Transport(#[source] http::Failure),
    /// The gateway failed, or answered something else than its protocol.
    #[error("the SMS gateway answered with HTTP status {status} and code {code:?}")]
    Answer {
        /// HTTP status.
        status: u16,
        /// The provider's code; empty when there was none.
        code: String,
    },
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SendSmsAnswer {
    code: String,
    biz_id: Option<String>,
}

/// The SMS client.
#[derive(Clone, Debug)]
pub struct Sms {
    rpc: Rpc,
    sign_name: String,
    templates: Templates,
}

impl Sms {
    /// A client; `base_url` such as `https://dysmsapi.aliyuncs.com/`.
    pub fn new(account: Account, base_url: &str, http: Http) -> Result<Self, UrlError> {
        let Account {
            key,
            sign_name,
            templates,
        } = account;
        Ok(Self {
            rpc: Rpc::new(http, key, base_url)?,
            sign_name,
            templates,
        })
    }

    /// The account's templates.
    pub fn templates(&self) -> &Templates {
        &self.templates
    }

    /// Sends once. Record the attempt before calling: after a crash nobody knows.
    pub async fn send(&self, message: &Message<'_>, now: OffsetDateTime) -> Sending {
        let variables: BTreeMap<&str, String> = message
            .variables
            .iter()
            .map(|(name, value)| (*name, one_line(value)))
            .collect();
        let variables = serde_json::json!(variables).to_string();
        let parameters = [
            ("PhoneNumbers", message.mobile),
            ("SignName", &self.sign_name),
            ("TemplateCode", message.template),
            ("TemplateParam", &variables),
            ("OutId", message.out_id),
        ];
        match self.rpc.call(SEND_SMS, &parameters, now).await {
            Ok(answer) => judge(answer.status, &answer.body),
            Err(CallError::Environment) => Sending::Refused {
                code: "environment".to_owned(),
                who: WhoActs::Operator,
            },
            Err(CallError::Http(failure)) => Sending::Unknown(Doubt::Transport(failure)),
        }
    }
}

/// The provider refuses line breaks inside variables.
fn one_line(value: &str) -> String {
    value
        .split(['\r', '\n'])
        .filter(|line| !line.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

fn judge(status: u16, body: &[u8]) -> Sending {
    let Ok(answer) = serde_json::from_slice::<SendSmsAnswer>(body) else {
        return Sending::Unknown(Doubt::Answer {
            status,
            code: String::new(),
        });
    };
    match answer {
        SendSmsAnswer {
            code,
            biz_id: Some(biz_id),
        } if status == 200 && code == "OK" => Sending::Sent { biz_id },
        SendSmsAnswer { code, .. } if code == "OK" || status >= 500 || Envelope::may_have_acted(&code) => {
            Sending::Unknown(Doubt::Answer { status, code })
        }
        // Business errors come with HTTP 200 too.
        SendSmsAnswer { code, .. } => Sending::Refused {
            who: who_acts(&code),
            code,
        },
    }
}

fn who_acts(code: &str) -> WhoActs {
    match code {
        "isv.BUSINESS_LIMIT_CONTROL" => WhoActs::Wait,
        code if code.starts_with("Throttling") => WhoActs::Wait,
        "isv.MOBILE_NUMBER_ILLEGAL" => WhoActs::Recipient,
        _ => WhoActs::Operator,
    }
}

#[cfg(test)]
mod tests {
    use super::{Sending, WhoActs, judge, one_line};

    fn code(status: u16, code: &str) -> Sending {
        judge(
            status,
            format!(r#"{{"Code":"{code}","RequestId":"r"}}"#).as_bytes(),
        )
    }

    #[test]
    fn only_ok_with_a_number_is_sent() {
        let sent = judge(
            200,
            br#"{"Code":"OK","Message":"OK","BizId":"9006^0","RequestId":"r"}"#,
        );
        assert!(matches!(sent, Sending::Sent { biz_id } if biz_id == "9006^0"));
        assert!(matches!(code(200, "OK"), Sending::Unknown(_)));
    }

    #[test]
    fn refusals_say_who_must_act() {
        for (refusal, expected) in [
            ("isv.BUSINESS_LIMIT_CONTROL", WhoActs::Wait),
            ("isv.MOBILE_NUMBER_ILLEGAL", WhoActs::Recipient),
            ("isv.DAY_LIMIT_CONTROL", WhoActs::Operator),
            ("isv.AMOUNT_NOT_ENOUGH", WhoActs::Operator),
        ] {
            assert!(
                matches!(code(200, refusal), Sending::Refused { who, .. } if who == expected),
                "{refusal}"
            );
        }
        assert!(matches!(
            code(400, "SignatureDoesNotMatch"),
            Sending::Refused {
                who: WhoActs::Operator,
                ..
            }
        ));
    }

    #[test]
    fn a_failing_gateway_may_have_sent() {
        assert!(matches!(code(200, "isp.SYSTEM_ERROR"), Sending::Unknown(_)));
        assert!(matches!(code(503, "ServiceUnavailable"), Sending::Unknown(_)));
        assert!(matches!(judge(200, b"<html>"), Sending::Unknown(_)));
    }

    #[test]
    fn variables_have_one_line() {
        assert_eq!(one_line("照片不清晰\r\n请重新上传\n"), "照片不清晰 请重新上传");
    }
}
