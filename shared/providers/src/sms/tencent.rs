//! Tencent Cloud's `SendSms`.

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::json;
use time::OffsetDateTime;

use super::{Gateway, Message, Sending, Templates, WhoActs, one_line, receipts};
use crate::aliyun::UrlError;
use crate::http::Http;
use crate::tencent::{Action, ApiError, ApiKey, Cloud, Envelope};

const SEND_SMS: Action = Action {
    service: "sms",
    name: "SendSms",
    version: "2021-01-11",
};
/// All mobiles are mainland China's.
const COUNTRY: &str = "+86";

/// What the provider approved.
#[derive(Debug)]
pub(super) struct Application {
    pub(super) sdk_app_id: String,
    pub(super) region: String,
    pub(super) sign_name: String,
    pub(super) templates: Templates,
}

#[derive(Debug)]
pub(super) struct Sms {
    cloud: Cloud,
    sdk_app_id: String,
    sign_name: String,
    templates: Templates,
}

impl Sms {
    pub(super) fn new(
        http: Http,
        key: ApiKey,
        base_url: &str,
        application: Application,
    ) -> Result<Self, UrlError> {
        Ok(Self {
            cloud: Cloud::new(http, key, base_url, Some(application.region))?,
            sdk_app_id: application.sdk_app_id,
            sign_name: application.sign_name,
            templates: application.templates,
        })
    }
}

#[async_trait]
impl Gateway for Sms {
    async fn send(&self, message: &Message<'_>, now: OffsetDateTime) -> Sending {
        // Texts have numbered places here: the values go by their order.
        let values: Vec<String> = message
            .variables
            .iter()
            .map(|(_, value)| one_line(value))
            .collect();
        let mobile = format!("{COUNTRY}{}", message.mobile);
        let parameters = json!({
            "PhoneNumberSet": [mobile],
            "SmsSdkAppId": self.sdk_app_id,
            "SignName": self.sign_name,
            "TemplateId": self.templates.number(message.template),
            "TemplateParamSet": values,
            "SessionContext": message.out_id,
        });
        let call = async {
            match self.cloud.call(SEND_SMS, &parameters, now).await {
                Ok(answer) => judge(answer.status, &answer.body, &mobile),
                Err(error) => error.into(),
            }
        };
        self.cloud.http().observed("send", call).await
    }
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Fields {
    send_status_set: Vec<Status>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Status {
    serial_no: String,
    phone_number: String,
    code: String,
}

/// HTTP 200 says nothing, and neither does an answer without an error: each number has a status of its own.
fn judge(status: u16, body: &[u8], mobile: &str) -> Sending {
    let Ok(Envelope { response }) = serde_json::from_slice::<Envelope<Fields>>(body) else {
        return Sending::doubtful(status, "");
    };
    if let Some(ApiError { code }) = response.error {
        return refused(status, &code);
    }
    match response.fields.send_status_set.as_slice() {
        [of] if of.phone_number == mobile && of.code == "Ok" && !of.serial_no.is_empty() && status == 200 => {
            Sending::Sent {
                provider: receipts::TENCENT,
                number: of.serial_no.clone(),
            }
        }
        [of] if of.phone_number == mobile && of.code != "Ok" => refused(status, &of.code),
        _ => Sending::doubtful(status, ""),
    }
}

fn refused(status: u16, code: &str) -> Sending {
    if status >= 500 || ApiError::may_have_acted(code) {
        Sending::doubtful(status, code)
    } else {
        Sending::refused(code, who_acts(code))
    }
}

fn who_acts(code: &str) -> WhoActs {
    match code {
        "LimitExceeded.PhoneNumberThirtySecondLimit"
        | "LimitExceeded.PhoneNumberOneHourLimit"
        | "LimitExceeded.PhoneNumberDailyLimit"
        | "LimitExceeded.PhoneNumberSameContentDailyLimit"
        | "LimitExceeded.DeliveryFrequencyLimit" => WhoActs::Wait,
        code if ApiError::is_throttling(code) => WhoActs::Wait,
        // Whoever is on the list asked the operators not to get messages.
        "InvalidParameterValue.IncorrectPhoneNumber" | "FailedOperation.PhoneNumberInBlacklist" => {
            WhoActs::Recipient
        }
        // Among them the limits of the application and of the account, and too many numbers in one call.
        _ => WhoActs::Operator,
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Sending, WhoActs};
    use super::judge;

    const MOBILE: &str = "+8613800138000";

    fn status(serial_no: &str, mobile: &str, code: &str) -> String {
        format!(
            r#"{{"SerialNo":"{serial_no}","PhoneNumber":"{mobile}","Fee":1,"SessionContext":"o-1","Code":"{code}","Message":"m","IsoCode":"CN"}}"#
        )
    }

    fn sending(statuses: &str) -> Sending {
        let body = format!(r#"{{"Response":{{"SendStatusSet":[{statuses}],"RequestId":"r"}}}}"#);
        judge(200, body.as_bytes(), MOBILE)
    }

    fn error(status: u16, code: &str) -> Sending {
        let body = format!(r#"{{"Response":{{"Error":{{"Code":"{code}","Message":"m"}},"RequestId":"r"}}}}"#);
        judge(status, body.as_bytes(), MOBILE)
    }

    #[test]
    fn success_is_decided_by_the_numbers_own_code() {
        let sent = sending(&status("5000:1045", MOBILE, "Ok"));
        assert!(matches!(sent, Sending::Sent { provider: "tencent", number } if number == "5000:1045"));
        for unclear in [
            String::new(),
            status("", MOBILE, "Ok"),
            status("5000:1045", "+8613800138001", "Ok"),
            format!("{0},{0}", status("5000:1045", MOBILE, "Ok")),
        ] {
            assert!(matches!(sending(&unclear), Sending::Unknown(_)), "{unclear}");
        }
    }

    const CODES: [(&str, WhoActs); 24] = [
        ("LimitExceeded.PhoneNumberThirtySecondLimit", WhoActs::Wait),
        ("LimitExceeded.PhoneNumberOneHourLimit", WhoActs::Wait),
        ("LimitExceeded.PhoneNumberDailyLimit", WhoActs::Wait),
        ("LimitExceeded.PhoneNumberSameContentDailyLimit", WhoActs::Wait),
        ("LimitExceeded.PhoneNumberCountLimit", WhoActs::Operator),
        ("LimitExceeded.DeliveryFrequencyLimit", WhoActs::Wait),
        ("LimitExceeded.AppDailyLimit", WhoActs::Operator),
        ("LimitExceeded.DailyLimit", WhoActs::Operator),
        (
            "FailedOperation.SignatureIncorrectOrUnapproved",
            WhoActs::Operator,
        ),
        ("FailedOperation.TemplateIncorrectOrUnapproved", WhoActs::Operator),
        (
            "FailedOperation.InsufficientBalanceInSmsPackage",
            WhoActs::Operator,
        ),
        ("FailedOperation.PhoneNumberInBlacklist", WhoActs::Recipient),
        ("FailedOperation.ContainSensitiveWord", WhoActs::Operator),
        (
            "FailedOperation.TemplateParamSetNotMatchApprovedTemplate",
            WhoActs::Operator,
        ),
        ("InvalidParameterValue.IncorrectPhoneNumber", WhoActs::Recipient),
        (
            "InvalidParameterValue.TemplateParameterFormatError",
            WhoActs::Operator,
        ),
        (
            "InvalidParameterValue.TemplateParameterLengthLimit",
            WhoActs::Operator,
        ),
        (
            "InvalidParameterValue.ProhibitedUseUrlInTemplateParameter",
            WhoActs::Operator,
        ),
        ("UnauthorizedOperation.SmsSdkAppIdVerifyFail", WhoActs::Operator),
        ("AuthFailure.SignatureExpire", WhoActs::Operator),
        ("AuthFailure.SignatureFailure", WhoActs::Operator),
        ("AuthFailure.SecretIdNotFound", WhoActs::Operator),
        ("RequestLimitExceeded", WhoActs::Wait),
        ("RequestLimitExceeded.UinLimitExceeded", WhoActs::Wait),
    ];

    #[test]
    fn each_refusal_says_who_must_act_wherever_its_code_stands() {
        for (refusal, expected) in CODES {
            for outcome in [error(200, refusal), sending(&status("", MOBILE, refusal))] {
                let Sending::Refused { code, who } = outcome else {
                    panic!("{refusal} is a refusal")
                };
                assert_eq!((code.as_str(), who), (refusal, expected));
            }
        }
    }

    #[test]
    fn a_failing_provider_may_have_sent() {
        for (http, code) in [
            (200, "InternalError.Timeout"),
            (200, "InternalError"),
            (503, "FailedOperation.PhoneNumberInBlacklist"),
        ] {
            assert!(matches!(error(http, code), Sending::Unknown(_)), "{http} {code}");
        }
        let failed = sending(&status("", MOBILE, "InternalError.Timeout"));
        assert!(matches!(failed, Sending::Unknown(_)));
        assert!(matches!(judge(200, b"<html>", MOBILE), Sending::Unknown(_)));
        assert!(matches!(
            judge(200, br#"{"Response":{}}"#, MOBILE),
            Sending::Unknown(_)
        ));
    }
}
