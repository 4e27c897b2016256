//! Errors, by what they leave the caller to do.

use reqwest::header::HeaderMap;

use crate::http::Answer;
use crate::payments::{Doubt, Failure, Reason};
use crate::wechat::judge::judge;

fn judged(status: u16, body: &str, request_id: Option<&str>) -> Failure {
    let mut headers = HeaderMap::new();
    if let Some(id) = request_id {
        headers.insert("request-id", id.parse().unwrap());
    }
    judge(&Answer {
        status,
        headers,
        body: body.as_bytes().to_vec(),
    })
}

fn code(status: u16, code: &str) -> Failure {
    judged(status, &format!(r#"{{"code":"{code}","message":"消息"}}"#), None)
}

#[test]
fn refusals_have_a_reason_however_the_code_is_spelt() {
    for (status, text, reason) in [
        (404, "ORDER_NOT_EXIST", Reason::NoSuchTrade),
        (404, "ORDERNOTEXIST", Reason::NoSuchTrade),
        (404, "RESOURCE_NOT_EXISTS", Reason::NoSuchTrade),
        (400, "ORDERPAID", Reason::AlreadyPaid),
        (403, "ORDER_PAID", Reason::AlreadyPaid),
        (400, "ORDER_CLOSED", Reason::AlreadyClosed),
        (403, "OUT_TRADE_NO_USED", Reason::NumberTaken),
        (400, "PARAM_ERROR", Reason::Operator),
        (401, "SIGN_ERROR", Reason::Operator),
        (403, "NO_AUTH", Reason::Operator),
        (403, "NOT_ENOUGH", Reason::Operator),
        (403, "RULE_LIMIT", Reason::Operator),
        (400, "INVALID_REQUEST", Reason::Operator),
        (404, "MCH_NOT_EXISTS", Reason::Operator),
    ] {
        let Failure::Refused(refusal) = code(status, text) else {
            panic!("{text} is a refusal")
        };
        assert_eq!((refusal.reason, refusal.code.as_str()), (reason, text));
    }
}

#[test]
fn a_number_in_the_request_s_id_says_more_than_a_general_code() {
    let body = r#"{"code":"INVALID_REQUEST","message":"消息"}"#;
    for (number, reason) in [
        ("268512771", Reason::NoSuchTrade),
        ("268449538", Reason::AlreadyPaid),
        ("268447914", Reason::AlreadyClosed),
        ("268498688", Reason::NumberTaken),
        ("268435461", Reason::Operator),
    ] {
        let failure = judged(400, body, Some(&format!("08F78BB5AF0610D302-{number}")));
        let Failure::Refused(refusal) = failure else {
            panic!("{number}")
        };
        assert_eq!(refusal.reason, reason, "{number}");
    }
}

#[test]
fn busy_is_no_refusal() {
    for (status, text) in [
        (429, "FREQUENCY_LIMITED"),
        (429, "ANYTHING"),
        (403, "FREQUENCY_LIMIT_EXCEED"),
        (500, "SYSTEM_ERROR"),
        (400, "BANK_ERROR"),
        (500, "ORDER_NOT_EXIST"),
        (503, "PARAM_ERROR"),
    ] {
        let failure = code(status, text);
        assert!(
            matches!(failure, Failure::Unknown(Doubt::Busy(_))),
            "{status} {text}"
        );
    }
    assert!(matches!(judged(429, "", None), Failure::Unknown(Doubt::Busy(_))));
}

#[test]
fn what_is_not_the_application_s_error_says_nothing() {
    let long = format!(r#"{{"code":"{}"}}"#, "A".repeat(65));
    for (status, body) in [
        (404, "<html>"),
        (404, ""),
        (403, r#"{"message":"no code"}"#),
        (400, r#"{"code":""}"#),
        (400, r#"{"code":"order\nclosed"}"#),
        (400, long.as_str()),
        (502, "<html>Bad Gateway</html>"),
        (302, r#"{"code":"ORDER_CLOSED"}"#),
    ] {
        let failure = judged(status, body, None);
        assert!(
            matches!(failure, Failure::Unknown(Doubt::Status(found)) if found == status),
            "{status} {body}"
        );
    }
}
