//! Aliyun's `SendSms`.

use std::collections::BTreeMap;

use async_trait::async_trait;
use serde::Deserialize;
use time::OffsetDateTime;

use super::{Gateway, Message, Sending, Templates, WhoActs, one_line, receipts};
use crate::aliyun::{AccessKey, Action, Envelope, Place, Rpc, UrlError};
use crate::http::Http;

const SEND_SMS: Action = Action {
    name: "SendSms",
    version: "2017-05-25",
    place: Place::Query,
};

#[derive(Debug)]
pub(super) struct Sms {
    rpc: Rpc,
    sign_name: String,
    templates: Templates,
}

impl Sms {
    pub(super) fn new(
        http: Http,
        key: AccessKey,
        base_url: &str,
        sign_name: String,
        templates: Templates,
    ) -> Result<Self, UrlError> {
        Ok(Self {
            rpc: Rpc::new(http, key, base_url)?,
            sign_name,
            templates,
        })
    }
}

#[async_trait]
impl Gateway for Sms {
    async fn send(&self, message: &Message<'_>, now: OffsetDateTime) -> Sending {
        let variables: BTreeMap<&str, String> = message
            .variables
            .iter()
            .map(|(name, value)| (*name, one_line(value)))
            .collect();
        let variables = serde_json::json!(variables).to_string();
        let parameters = [
            ("PhoneNumbers", message.mobile),
            ("SignName", &self.sign_name),
            ("TemplateCode", self.templates.number(message.template)),
            ("TemplateParam", &variables),
            ("OutId", message.out_id),
        ];
        let call = async {
            match self.rpc.call(SEND_SMS, &parameters, now).await {
                Ok(answer) => judge(answer.status, &answer.body),
                Err(error) => error.into(),
            }
        };
        self.rpc.http().observed("send", call).await
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    code: String,
    biz_id: Option<String>,
}

fn judge(status: u16, body: &[u8]) -> Sending {
    let Ok(Answer { code, biz_id }) = serde_json::from_slice(body) else {
        return Sending::doubtful(status, "");
    };
    match biz_id {
        Some(number) if status == 200 && code == "OK" => Sending::Sent {
            provider: receipts::ALIYUN,
            number,
        },
        _ if code == "OK" || status >= 500 || Envelope::may_have_acted(&code) => {
            Sending::doubtful(status, &code)
        }
        // Business errors come with HTTP 200 too.
        _ => Sending::refused(&code, who_acts(&code)),
    }
}

fn who_acts(code: &str) -> WhoActs {
    match code {
        "isv.BUSINESS_LIMIT_CONTROL" => WhoActs::Wait,
        code if code.starts_with("Throttling") => WhoActs::Wait,
        "isv.MOBILE_NUMBER_ILLEGAL" => WhoActs::Recipient,
        // Among them `isv.DAY_LIMIT_CONTROL`, which is the account's own quota and not the mobile's.
        _ => WhoActs::Operator,
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Sending, WhoActs};
    use super::judge;

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
        assert!(matches!(sent, Sending::Sent { provider: "aliyun", number } if number == "9006^0"));
        assert!(matches!(code(200, "OK"), Sending::Unknown(_)));
    }

    /// The codes of `SendSms`, then those of the gateway.
    const CODES: [(&str, WhoActs); 30] = [
        ("isv.BUSINESS_LIMIT_CONTROL", WhoActs::Wait),
        ("isv.DAY_LIMIT_CONTROL", WhoActs::Operator),
        ("isv.MOBILE_NUMBER_ILLEGAL", WhoActs::Recipient),
        ("isv.MOBILE_COUNT_OVER_LIMIT", WhoActs::Operator),
        ("isv.SMS_TEMPLATE_ILLEGAL", WhoActs::Operator),
        ("isv.SMS_SIGNATURE_ILLEGAL", WhoActs::Operator),
        ("isv.SMS_SIGNATURE_SCENE_ILLEGAL", WhoActs::Operator),
        ("isv.SMS_SIGN_ILLEGAL", WhoActs::Operator),
        ("isv.SMS_CONTENT_ILLEGAL", WhoActs::Operator),
        ("isv.TEMPLATE_MISSING_PARAMETERS", WhoActs::Operator),
        ("isv.INVALID_PARAMETERS", WhoActs::Operator),
        ("isv.INVALID_JSON_PARAM", WhoActs::Operator),
        ("isv.PARAM_LENGTH_LIMIT", WhoActs::Operator),
        ("isv.PARAM_NOT_SUPPORT_URL", WhoActs::Operator),
        ("isv.BLACK_KEY_CONTROL_LIMIT", WhoActs::Operator),
        ("isv.AMOUNT_NOT_ENOUGH", WhoActs::Operator),
        ("isv.OUT_OF_SERVICE", WhoActs::Operator),
        ("isv.ACCOUNT_NOT_EXISTS", WhoActs::Operator),
        ("isv.ACCOUNT_ABNORMAL", WhoActs::Operator),
        ("isv.PRODUCT_UN_SUBSCRIPT", WhoActs::Operator),
        ("isv.DENY_IP_RANGE", WhoActs::Operator),
        ("isp.RAM_PERMISSION_DENY", WhoActs::Operator),
        ("SignatureDoesNotMatch", WhoActs::Operator),
        ("InvalidAccessKeyId.NotFound", WhoActs::Operator),
        ("InvalidTimeStamp.Expired", WhoActs::Operator),
        ("SignatureNonceUsed", WhoActs::Operator),
        ("Throttling.User", WhoActs::Wait),
        ("Throttling", WhoActs::Wait),
        ("MissingParameter", WhoActs::Operator),
        ("InvalidAction.NotFound", WhoActs::Operator),
    ];

    #[test]
    fn each_refusal_says_who_must_act() {
        for status in [200, 400, 404] {
            for (refusal, expected) in CODES {
                let Sending::Refused { code, who } = code(status, refusal) else {
                    panic!("{refusal} is a refusal")
                };
                assert_eq!((code.as_str(), who), (refusal, expected));
            }
        }
    }

    #[test]
    fn a_failing_gateway_may_have_sent() {
        for (status, doubtful) in [
            (200, "isp.SYSTEM_ERROR"),
            (503, "ServiceUnavailable"),
            (200, "ServiceUnavailable"),
            (500, "InternalError"),
            (500, "isv.MOBILE_NUMBER_ILLEGAL"),
        ] {
            assert!(
                matches!(code(status, doubtful), Sending::Unknown(_)),
                "{status} {doubtful}"
            );
        }
        assert!(matches!(judge(200, b"<html>"), Sending::Unknown(_)));
    }
}
