//! Aliyun's SMS: messages arrive as they were sent, and who refuses one says why.

use std::time::Duration;

use serde_json::{Value, json};
use yinxin_providers::http::{self, Limits};
use yinxin_providers::sms::{self, Doubt, Gateway, Message, Sending, Template, WhoActs};

use crate::process::Sandbox;
use crate::shop::now;

const MOBILE: &str = "13800138000";
/// For an answer that never comes.
const PATIENCE: Duration = Duration::from_secs(2);

fn sms(sandbox: &Sandbox, account: Value) -> Box<dyn Gateway> {
    let urls = sms::Urls {
        aliyun: format!("{}/aliyun/", sandbox.url),
        tencent: sandbox.url.clone(),
    };
    let limits = Limits {
        total: PATIENCE,
        ..Limits::default()
    };
    sms::gateway(serde_json::from_value(account).unwrap(), &urls, limits).unwrap()
}

fn message<'a>(template: Template, variables: &'a [(&'a str, &'a str)]) -> Message<'a> {
    Message {
        mobile: MOBILE,
        template,
        variables,
        out_id: "20230422A0007-1",
    }
}

async fn arrived(sandbox: &Sandbox) -> Vec<Value> {
    sandbox.recorded("messages.json").await["sms"]
        .as_array()
        .unwrap()
        .clone()
}

#[tokio::test]
async fn each_text_arrives_as_it_was_sent() {
    let Some(sandbox) = Sandbox::start("public-key", "key") else {
        return;
    };
    let gateway = sms(&sandbox, sandbox.secrets["sms"].clone());
    for (template, name, value) in [
        (Template::Code, "code", "083719"),
        (Template::Password, "password", "Xk7m+Pq%2B &=~*'中"),
        (Template::Approved, "order", "20230422A0007"),
        (Template::Rejected, "order", "20230422A0008"),
        (Template::Dispatched, "order", "20230422A0009"),
        (Template::PasswordFailed, "order", "20230422A0010"),
    ] {
        let sent = gateway.send(&message(template, &[(name, value)]), now()).await;
        let Sending::Sent { provider, number } = sent else {
            panic!("{template:?}: {sent:?}");
        };
        let messages = arrived(&sandbox).await;
        let last = messages.last().unwrap();
        assert_eq!(
            (provider, last["biz_id"].as_str().unwrap()),
            ("aliyun", number.as_str())
        );
        assert_eq!(
            (&last["to"], &last["out_id"]),
            (&json!(MOBILE), &json!("20230422A0007-1"))
        );
        assert_eq!(last["params"], json!({name: value}));
        assert!(last["text"].as_str().unwrap().contains(value), "{last}");
    }
}

#[tokio::test]
async fn a_refused_message_says_who_can_change_that() {
    let Some(sandbox) = Sandbox::start("public-key", "key") else {
        return;
    };
    let gateway = sms(&sandbox, sandbox.secrets["sms"].clone());
    let code = message(Template::Code, &[("code", "083719")]);
    let wrong_mobile = Message {
        mobile: "12800138000",
        ..code
    };
    refused(&gateway.send(&wrong_mobile, now()).await, WhoActs::Recipient);
    let link = message(Template::Approved, &[("order", "https://example.com")]);
    refused(&gateway.send(&link, now()).await, WhoActs::Operator);
    let nameless = message(Template::Approved, &[]);
    refused(&gateway.send(&nameless, now()).await, WhoActs::Operator);

    let mut account = sandbox.secrets["sms"].clone();
    account["access_key_secret"] = json!("another");
    let stranger = sms(&sandbox, account.clone());
    refused(&stranger.send(&code, now()).await, WhoActs::Operator);
    // The key of the identity checks is good, and not for this.
    for name in ["access_key_id", "access_key_secret"] {
        account[name] = sandbox.secrets["identity"][name].clone();
    }
    refused(
        &sms(&sandbox, account).send(&code, now()).await,
        WhoActs::Operator,
    );

    let limit = json!({"sms": {"refuse": "isv.BUSINESS_LIMIT_CONTROL"}});
    sandbox.control("faults", &limit).await;
    refused(&gateway.send(&code, now()).await, WhoActs::Wait);
    assert_eq!(arrived(&sandbox).await, [] as [Value; 0]);
}

fn refused(sending: &Sending, expected: WhoActs) {
    assert!(
        matches!(sending, Sending::Refused { who, .. } if *who == expected),
        "{sending:?}"
    );
}

#[tokio::test]
async fn a_message_whose_answer_is_lost_may_have_arrived() {
    let Some(sandbox) = Sandbox::start("public-key", "key") else {
        return;
    };
    let gateway = sms(&sandbox, sandbox.secrets["sms"].clone());
    sandbox.control("faults", &json!({"sms": {"timeout": 1}})).await;
    let sending = gateway
        .send(&message(Template::Code, &[("code", "083719")]), now())
        .await;
    assert!(
        matches!(
            sending,
            Sending::Unknown(Doubt::Transport(http::Failure::Timeout))
        ),
        "{sending:?}"
    );
    assert_eq!(arrived(&sandbox).await.len(), 1, "and it was not sent twice");
}
