//! The SMS client over HTTP.

use yinxin_providers::sms::{Account, Message, Sending, Sms, WhoActs};

use crate::fake::{self, Fake, NOW};

fn sms(base: &str) -> Sms {
    let account: Account = serde_json::from_str(
        r#"{"access_key_id":"testAccessKeyId","access_key_secret":"testAccessKeySecret","sign_name":"湖南CA",
            "template_code":"SMS_1","template_password":"SMS_2","template_review":"SMS_3",
            "template_rejected":"SMS_4","template_dispatched":"SMS_5"}"#,
    )
    .unwrap();
    Sms::new(account, &format!("{base}/aliyun/"), fake::http()).unwrap()
}

fn message() -> Message<'static> {
    Message {
        mobile: "13800138000",
        template: "SMS_1",
        variables: &[("code", "123456")],
        out_id: "o-1",
    }
}

#[tokio::test]
async fn a_message_is_sent_with_its_parameters_in_the_query() {
    let fake = Fake::answering(
        200,
        r#"{"Code":"OK","Message":"OK","BizId":"9006^0","RequestId":"r"}"#,
    )
    .await;
    let sent = sms(&fake.url).send(&message(), NOW).await;
    assert!(matches!(sent, Sending::Sent { biz_id } if biz_id == "9006^0"));
    let asked = fake.asked_once();
    assert_eq!(
        (asked.method.as_str(), asked.uri.path(), asked.body.as_str()),
        ("POST", "/aliyun/", "")
    );
    assert_eq!(asked.parameter("TemplateParam"), r#"{"code":"123456"}"#);
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
async fn each_call_has_a_nonce_of_its_own() {
    let fake = Fake::answering(200, r#"{"Code":"OK","BizId":"1^0"}"#).await;
    let sms = sms(&fake.url);
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
async fn a_business_error_comes_with_status_200() {
    let fake = Fake::answering(
        200,
        r#"{"Code":"isv.BUSINESS_LIMIT_CONTROL","Message":"m","RequestId":"r"}"#,
    )
    .await;
    let sending = sms(&fake.url).send(&message(), NOW).await;
    assert!(matches!(
        sending,
        Sending::Refused {
            who: WhoActs::Wait,
            ..
        }
    ));
}

#[tokio::test]
async fn no_usable_answer_is_unknown_and_nothing_is_sent_twice() {
    for (name, fake) in fake::useless().await {
        assert!(
            matches!(sms(&fake.url).send(&message(), NOW).await, Sending::Unknown(_)),
            "{name}"
        );
        assert!(fake.asked().len() <= 1, "{name}");
    }
}
