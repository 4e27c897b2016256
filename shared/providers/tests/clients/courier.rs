//! kuaidi100's client over HTTP, and the pushes that it believes.

use md5::{Digest as _, Md5};
use serde_json::{Value, json};
use time::macros::datetime;
use yinxin_providers::courier::{
    Carrier, Courier as _, Customer, Doubt, Kuaidi100, Parcel, Push, PushError, Report, State, Subscription,
    Whereabouts,
};

use crate::fake::{self, Fake};

const ORDER: &str = "31d9ff6e5ca14ccb84f30c319e465565";
const CALLBACK: &str = "https://ca.example.com/api/notify/courier/kuaidi100/31d9ff6e5ca14ccb84f30c319e465565";

fn client(base: &str) -> Kuaidi100 {
    let customer: Customer = serde_json::from_value(json!({
        "customer": "CUSTOMER0001", "key": "KEY0123456789", "salt_key": "a key of salts, public",
    }))
    .unwrap();
    Kuaidi100::new(customer, base, fake::http()).unwrap()
}

fn parcel(carrier: &str) -> Parcel<'static> {
    Parcel {
        order: ORDER,
        carrier: Carrier::find(carrier).unwrap(),
        waybill: "SF1234567890123",
        mobile: "13800138000",
    }
}

/// A subscription's parameters, as the service got them.
async fn subscribed(carrier: &str) -> Value {
    let fake = Fake::answering(200, r#"{"result":true,"returnCode":"200","message":"提交成功"}"#).await;
    let answer = client(&fake.url).subscribe(&parcel(carrier), CALLBACK).await;
    assert!(matches!(answer, Subscription::Accepted));
    let asked = fake.asked_once();
    assert_eq!((asked.method.as_str(), asked.uri.path()), ("POST", "/poll"));
    assert_eq!(asked.parameter("schema"), "json");
    serde_json::from_str(&asked.parameter("param")).unwrap()
}

fn md5_hex(text: &str) -> String {
    hex::encode(Md5::digest(text.as_bytes()))
}

async fn salt() -> String {
    subscribed("顺丰").await["parameters"]["salt"]
        .as_str()
        .unwrap()
        .to_owned()
}

fn push(param: &Value, sign: &str) -> String {
    form_urlencoded::Serializer::new(String::new())
        .append_pair("sign", sign)
        .append_pair("param", &param.to_string())
        .finish()
}

fn told(state: &str) -> Value {
    json!({
        "status": "polling", "billstatus": "got", "message": "",
        "lastResult": {
            "message": "ok", "state": state, "status": "200", "ischeck": "0", "com": "shunfeng",
            "nu": "SF1234567890123",
            "data": [
                {"time": "2024-05-21 09:30:00", "ftime": "2024-05-21 09:30:00", "context": "快件已到达"},
                {"time": "2024-05-20 18:00:00", "ftime": "2024-05-20 18:00:00", "context": "已收取快件"},
            ],
        },
    })
}

#[tokio::test]
async fn a_subscription_names_the_parcel_the_callback_and_a_salt_of_the_order() {
    let param = subscribed("顺丰").await;
    assert_eq!(
        (&param["company"], &param["number"]),
        (&json!("shunfeng"), &json!("SF1234567890123"))
    );
    assert_eq!(param["key"], "KEY0123456789");
    let parameters = &param["parameters"];
    assert_eq!(parameters["callbackurl"], CALLBACK);
    assert_eq!(parameters["salt"].as_str().unwrap().len(), 32);
    // No more of the telephone than the courier wants.
    assert_eq!(parameters["phone"], "8000");
    let param = subscribed("ems").await;
    assert!(param["parameters"].get("phone").is_none());
}

#[tokio::test]
async fn what_a_subscription_came_to() {
    for (code, wanted) in [
        ("200", "accepted"),
        ("501", "accepted"),
        ("700", "refused"),
        ("702", "refused"),
        ("601", "doubt"),
        ("500", "doubt"),
    ] {
        let answer = json!({"result": code == "200", "returnCode": code, "message": "…"}).to_string();
        let fake = Fake::answering(200, answer).await;
        let came_to = match client(&fake.url).subscribe(&parcel("ems"), CALLBACK).await {
            Subscription::Accepted => "accepted",
            Subscription::Refused { .. } => "refused",
            Subscription::Unknown(Doubt::Service(_)) => "doubt",
            Subscription::Unknown(doubt) => panic!("{code}: {doubt}"),
        };
        assert_eq!(came_to, wanted, "{code}");
    }
}

#[tokio::test]
async fn no_usable_answer_is_a_doubt() {
    for (name, fake) in fake::useless().await {
        let answer = client(&fake.url).subscribe(&parcel("ems"), CALLBACK).await;
        assert!(matches!(answer, Subscription::Unknown(_)), "{name}");
    }
    for (name, fake) in fake::useless().await {
        let answer = client(&fake.url).query(&parcel("ems")).await;
        assert!(matches!(answer, Whereabouts::Unknown(_)), "{name}");
    }
}

#[tokio::test]
async fn a_query_is_signed_and_its_answer_read() {
    let answer = told("5")["lastResult"].to_string();
    let fake = Fake::answering(200, answer).await;
    let Whereabouts::Known(report) = client(&fake.url).query(&parcel("sf")).await else {
        panic!("known")
    };
    let at = datetime!(2024-05-21 01:30:00 UTC);
    assert_eq!(
        report,
        Report {
            state: State::OutForDelivery,
            at
        }
    );
    let asked = fake.asked_once();
    assert_eq!(asked.uri.path(), "/poll/query.do");
    let param = asked.parameter("param");
    let sign = md5_hex(&format!("{param}KEY0123456789CUSTOMER0001")).to_ascii_uppercase();
    assert_eq!(
        (asked.parameter("sign"), asked.parameter("customer")),
        (sign, "CUSTOMER0001".to_owned())
    );
    let param: Value = serde_json::from_str(&param).unwrap();
    assert_eq!(
        (&param["com"], &param["num"], &param["phone"]),
        (&json!("shunfeng"), &json!("SF1234567890123"), &json!("8000"))
    );
}

#[tokio::test]
async fn a_parcel_that_nobody_has_seen_is_not_found() {
    for code in ["400", "408", "500"] {
        let answer = json!({"result": false, "returnCode": code, "message": "查询无结果"}).to_string();
        let fake = Fake::answering(200, answer).await;
        let found = client(&fake.url).query(&parcel("ems")).await;
        assert!(matches!(found, Whereabouts::NotFound), "{code}");
    }
    for code in ["501", "502", "503", "601"] {
        let answer = json!({"result": false, "returnCode": code, "message": "…"}).to_string();
        let fake = Fake::answering(200, answer).await;
        let found = client(&fake.url).query(&parcel("ems")).await;
        assert!(matches!(found, Whereabouts::Unknown(Doubt::Service(_))), "{code}");
    }
}

#[tokio::test]
async fn a_push_is_believed_over_its_signature_in_either_case() {
    let (client, salt) = (client("http://127.0.0.1"), salt().await);
    let param = told("3");
    let sign = md5_hex(&format!("{param}{salt}"));
    for sign in [sign.clone(), sign.to_ascii_uppercase()] {
        let pushed = client.read_push(ORDER, push(&param, &sign).as_bytes()).unwrap();
        let at = datetime!(2024-05-21 01:30:00 UTC);
        let report = Report {
            state: State::Signed,
            at,
        };
        let waybill = "SF1234567890123".to_owned();
        assert_eq!(pushed, Push::Report { waybill, report });
    }
}

#[tokio::test]
async fn a_push_with_another_signature_is_not_believed() {
    let (client, salt) = (client("http://127.0.0.1"), salt().await);
    let param = told("3");
    let sign = md5_hex(&format!("{param}{salt}"));
    let read = |order: &str, body: String| client.read_push(order, body.as_bytes());
    let another = "0b6e8c1f2a9d4f7e8b3c5d6e7f809142";
    assert_eq!(
        read(another, push(&param, &sign)),
        Err(PushError::BadSignature),
        "of another order"
    );
    assert_eq!(
        read(ORDER, push(&told("0"), &sign)),
        Err(PushError::BadSignature),
        "changed"
    );
    let unsalted = md5_hex(&param.to_string());
    for sign in [unsalted.as_str(), "", &sign[..31]] {
        assert_eq!(read(ORDER, push(&param, sign)), Err(PushError::BadSignature));
    }
    for body in ["", "param=%7B%7D", "sign=00"] {
        assert_eq!(
            read(ORDER, body.to_owned()),
            Err(PushError::BadSignature),
            "{body}"
        );
    }
}

#[tokio::test]
async fn every_state_is_understood_and_an_unknown_one_is_tolerated() {
    let (client, salt) = (client("http://127.0.0.1"), salt().await);
    let read = |param: &Value| {
        let sign = md5_hex(&format!("{param}{salt}"));
        client.read_push(ORDER, push(param, &sign).as_bytes())
    };
    for (number, state) in State::ALL {
        let pushed = read(&told(number)).unwrap();
        assert!(
            matches!(pushed, Push::Report { report, .. } if report.state == state),
            "{number}"
        );
    }
    let mut as_number = told("0");
    as_number["lastResult"]["state"] = json!(6);
    assert!(
        matches!(read(&as_number).unwrap(), Push::Report { report, .. } if report.state == State::Returning)
    );
    let mut without_events = told("0");
    without_events["lastResult"]["data"] = json!([]);
    let mut without_list = told("0");
    without_list["lastResult"]["data"] = Value::Null;
    let aborted = json!({"status": "abort", "message": "3天查询无记录"});
    for nothing in [told("99"), without_events, without_list, aborted] {
        assert_eq!(read(&nothing), Ok(Push::Nothing), "{nothing}");
    }
    assert_eq!(read(&json!("no object")), Err(PushError::Malformed));
}
