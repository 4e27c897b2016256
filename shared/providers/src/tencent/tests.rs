//! The signature against Tencent's published example and against a vector made with another implementation.

use time::OffsetDateTime;
use time::macros::datetime;

use super::{Action, ApiKey, Signed, Unsigned};
use crate::aliyun::sha256_hex;

const SEND_SMS: Action = Action {
    service: "sms",
    name: "SendSms",
    version: "2021-01-11",
};
const SMS_BODY: &str = r#"{"PhoneNumberSet":["+8613800138000"],"SmsSdkAppId":"1400006666","TemplateId":"1110","SignName":"湖南CA","TemplateParamSet":["123456"],"SessionContext":"o-1"}"#;
const SMS_CANONICAL: &str = "POST\n/\n\ncontent-type:application/json; charset=utf-8\nhost:sms.tencentcloudapi.com\nx-tc-action:sendsms\n\ncontent-type;host;x-tc-action\n0618eb630b5c69e29f9c5fe09ccda656ae19f9b214ab2d91287e1e96f9c2c059";
const SMS_TO_SIGN: &str = "TC3-HMAC-SHA256\n1716171072\n2024-05-20/sms/tc3_request\n4d2237b0e36660a0c390853e2d547e2058607d1f2c4a5429fa453147b9ad3ae6";
const SMS_AUTHORIZATION: &str = "TC3-HMAC-SHA256 Credential=testSecretId/2024-05-20/sms/tc3_request, SignedHeaders=content-type;host;x-tc-action, Signature=202505fda723d5256d7938ef0b5714dd9826a4be29265ecaf09934891f776b45";

fn key(secret_id: &str, secret_key: &str) -> ApiKey {
    ApiKey {
        secret_id: secret_id.to_owned(),
        secret_key: secret_key.into(),
    }
}

fn sms(at: OffsetDateTime, body: &str) -> Signed {
    Unsigned {
        host: "sms.tencentcloudapi.com",
        action: SEND_SMS,
        at,
        body,
    }
    .sign(&key("testSecretId", "testSecretKey"))
    .unwrap()
}

#[test]
fn the_published_example_has_the_published_signature() {
    // The escapes belong to the body: it is signed as it is sent.
    let body = r#"{"Limit": 1, "Filters": [{"Values": ["\u672a\u547d\u540d"], "Name": "instance-name"}]}"#;
    assert_eq!(
        sha256_hex(body.as_bytes()),
        "35e9c5b0e3ae67532d3c9f17ead6c90222632e5b1ff7f6e89887f1398934f064"
    );
    let signed = Unsigned {
        host: "cvm.tencentcloudapi.com",
        action: Action {
            service: "cvm",
            name: "DescribeInstances",
            version: "2017-03-12",
        },
        at: OffsetDateTime::from_unix_timestamp(1_551_113_065).unwrap(),
        body,
    }
    .sign(&key("id", &"*".repeat(32)))
    .unwrap();
    assert_eq!(
        sha256_hex(signed.canonical.as_bytes()),
        "7019a55be8395899b900fb5564e4200d984910f34794a27cb3fb7d10ff6a1e84"
    );
    assert!(signed.to_sign.contains("\n2019-02-25/cvm/tc3_request\n"));
    assert!(
        signed
            .authorization
            .ends_with("Signature=10b1a37a7301a02ca19a647ad722d5e43b4b3cff309d421d85b46093f6ab6c4f")
    );
}

#[test]
fn a_message_is_signed_as_another_implementation_signs_it() {
    let signed = sms(datetime!(2024-05-20 02:11:12 UTC), SMS_BODY);
    assert_eq!(signed.canonical, SMS_CANONICAL);
    assert_eq!(signed.to_sign, SMS_TO_SIGN);
    assert_eq!(signed.authorization, SMS_AUTHORIZATION);
}

#[test]
fn the_day_is_greenwichs_whatever_the_clocks_zone() {
    let signed = sms(datetime!(2024-05-20 10:11:12 +8), SMS_BODY);
    assert_eq!(signed.authorization, SMS_AUTHORIZATION);
    let early = sms(datetime!(2024-05-20 07:59:59 +8), SMS_BODY);
    assert!(early.authorization.contains("/2024-05-19/sms/tc3_request,"));
    let late = sms(datetime!(2024-05-20 08:00:00 +8), SMS_BODY);
    assert!(late.authorization.contains("/2024-05-20/sms/tc3_request,"));
}

#[test]
fn another_body_another_second_or_another_key_gives_another_signature() {
    let at = datetime!(2024-05-20 02:11:12 UTC);
    let other_body = SMS_BODY.replace("123456", "123457");
    assert_ne!(sms(at, &other_body).authorization, SMS_AUTHORIZATION);
    let next_second = at + time::Duration::SECOND;
    assert_ne!(sms(next_second, SMS_BODY).authorization, SMS_AUTHORIZATION);
    let other_key = Unsigned {
        host: "sms.tencentcloudapi.com",
        action: SEND_SMS,
        at,
        body: SMS_BODY,
    }
    .sign(&key("testSecretId", "testSecretKez"))
    .unwrap();
    assert_ne!(other_key.authorization, SMS_AUTHORIZATION);
}
