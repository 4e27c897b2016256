//! Both SMS gateways over HTTP.

use serde_json::{Value, json};
use yinxin_providers::http::Limits;
use yinxin_providers::sms::{Gateway, Message, Sending, Template, Urls, WhoActs, gateway};

use crate::fake::{self, Fake, NOW};

fn templates() -> Value {
    json!({"sign_name": "湖南CA", "template_code": "SMS_1", "template_password": "SMS_2", "template_review": "SMS_3",
        "template_rejected": "SMS_4", "template_dispatched": "SMS_5"})
}

fn made(mut account: Value, base: &str) -> Box<dyn Gateway> {
    let shared = templates();
    account
        .as_object_mut()
        .unwrap()
        .extend(shared.as_object().unwrap().clone());
    let urls = Urls {
        aliyun: format!("{base}/aliyun/"),
        tencent: format!("{base}/tencent/"),
    };
    let limits = Limits {
        total: std::time::Duration::from_millis(500),
        ..Limits::default()
    };
    gateway(serde_json::from_value(account).unwrap(), &urls, limits).unwrap()
}

fn aliyun(base: &str) -> Box<dyn Gateway> {
    let account = json!({"access_key_id": "testAccessKeyId", "access_key_secret": "testAccessKeySecret"});
    made(account, base)
}

fn tencent(base: &str) -> Box<dyn Gateway> {
    let account = json!({"provider": "tencent", "secret_id": "testSecretId", "secret_key": "testSecretKey",
        "sdk_app_id": "1400006666", "region": "ap-guangzhou"});
    made(account, base)
}

fn message() -> Message<'static> {
    Message {
        mobile: "13800138000",
        template: Template::Code,
        variables: &[("code", "123456")],
        out_id: "o-1",
    }
}

#[tokio::test]
async fn aliyun_gets_a_message_in_the_query() {
    let fake = Fake::answering(
        200,
        r#"{"Code":"OK","Message":"OK","BizId":"9006^0","RequestId":"r"}"#,
    )
    .await;
    let sent = aliyun(&fake.url).send(&message(), NOW).await;
    assert!(matches!(sent, Sending::Sent { provider: "aliyun", number } if number == "9006^0"));
    let asked = fake.asked_once();
    assert_eq!(
        (asked.method.as_str(), asked.uri.path(), asked.body.as_str()),
        ("POST", "/aliyun/", "")
    );
    assert_eq!(asked.parameter("TemplateParam"), r#"{"code":"123456"}"#);
    assert_eq!(asked.parameter("TemplateCode"), "SMS_1");
    assert_eq!(asked.parameter("SignName"), "湖南CA");
    assert_eq!(asked.header("x-acs-action"), "SendSms");
    assert_eq!(asked.header("x-acs-date"), "2024-05-20T02:11:12Z");
    assert_eq!(asked.header("host"), fake.url.trim_start_matches("http://"));
    assert!(
        asked
            .header("authorization")
            .contains("SignedHeaders=host;x-acs-action;")
    );
    assert_eq!(asked.header("x-acs-signature-nonce").len(), 32);
}

#[tokio::test]
async fn each_call_of_aliyun_has_a_nonce_of_its_own() {
    let fake = Fake::answering(200, r#"{"Code":"OK","BizId":"1^0"}"#).await;
    let sms = aliyun(&fake.url);
    for _ in 0..2 {
        assert!(matches!(sms.send(&message(), NOW).await, Sending::Sent { .. }));
    }
    let asked = fake.asked();
    assert_ne!(
        asked[0].header("x-acs-signature-nonce"),
        asked[1].header("x-acs-signature-nonce")
    );
}

#[tokio::test]
async fn tencent_gets_a_message_as_json() {
    let fake = Fake::answering(
        200,
        r#"{"Response":{"SendStatusSet":[{"SerialNo":"5000:1045","PhoneNumber":"+8613800138000","Fee":1,"SessionContext":"o-1","Code":"Ok","Message":"send success","IsoCode":"CN"}],"RequestId":"r"}}"#,
    )
    .await;
    let sent = tencent(&fake.url).send(&message(), NOW).await;
    assert!(matches!(sent, Sending::Sent { provider: "tencent", number } if number == "5000:1045"));
    let asked = fake.asked_once();
    assert_eq!((asked.method.as_str(), asked.uri.path()), ("POST", "/tencent/"));
    for (name, value) in [
        ("content-type", "application/json; charset=utf-8"),
        ("x-tc-action", "SendSms"),
        ("x-tc-version", "2021-01-11"),
        ("x-tc-region", "ap-guangzhou"),
        ("x-tc-timestamp", "1716171072"),
    ] {
        assert_eq!(asked.header(name), value);
    }
    assert!(
        asked.header("authorization").starts_with(
            "TC3-HMAC-SHA256 Credential=testSecretId/2024-05-20/sms/tc3_request, SignedHeaders="
        )
    );
    let body: Value = serde_json::from_str(&asked.body).unwrap();
    assert_eq!(
        body,
        json!({"PhoneNumberSet": ["+8613800138000"], "SmsSdkAppId": "1400006666", "SignName": "湖南CA",
            "TemplateId": "SMS_1", "TemplateParamSet": ["123456"], "SessionContext": "o-1"})
    );
}

#[tokio::test]
async fn a_business_error_comes_with_status_200() {
    for (sms, answer) in [
        (
            aliyun as fn(&str) -> Box<dyn Gateway>,
            r#"{"Code":"isv.BUSINESS_LIMIT_CONTROL","Message":"m","RequestId":"r"}"#,
        ),
        (
            tencent,
            r#"{"Response":{"Error":{"Code":"LimitExceeded.PhoneNumberOneHourLimit","Message":"m"},"RequestId":"r"}}"#,
        ),
    ] {
        let fake = Fake::answering(200, answer).await;
        let sending = sms(&fake.url).send(&message(), NOW).await;
        let Sending::Refused { who, .. } = sending else {
            panic!("{sending:?} is a refusal")
        };
        assert_eq!(who, WhoActs::Wait);
    }
}

#[tokio::test]
async fn no_usable_answer_is_unknown_and_nothing_is_sent_twice() {
    for sms in [aliyun, tencent] {
        for (name, fake) in fake::useless().await {
            let sending = sms(&fake.url).send(&message(), NOW).await;
            if name == "nobody" {
                assert!(matches!(sending, Sending::NotSent(_)), "{name}: {sending:?}");
            } else {
                assert!(matches!(sending, Sending::Unknown(_)), "{name}: {sending:?}");
            }
            assert!(fake.asked().len() <= 1, "{name}");
        }
    }
}

#[tokio::test]
async fn a_gateway_that_is_down_is_left_alone_and_the_message_is_known_not_to_have_left() {
    let fake = Fake::answering(503, "{}").await;
    for sms in [aliyun, tencent] {
        let before = fake.asked().len();
        let sms = sms(&fake.url);
        for _ in 0..5 {
            let sending = sms.send(&message(), NOW).await;
            assert!(matches!(sending, Sending::Unknown(_)), "{sending:?}");
        }
        let sending = sms.send(&message(), NOW).await;
        assert!(matches!(sending, Sending::NotSent(_)), "{sending:?}");
        assert_eq!(fake.asked().len() - before, 5);
    }
}
