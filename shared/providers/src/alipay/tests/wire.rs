//! The gateway's envelope against vectors of another implementation and of Alipay itself.

use serde_json::Value;
use serde_json::value::RawValue;
use time::Duration;

use super::{MERCHANT_KEY, NOW, PROVIDER_KEY, PROVIDER_PUBLIC, alipay, fixtures, provider, text};
use crate::alipay::keys::{SigningKey, VerifyingKey};
use crate::alipay::wire::{Request, read};
use crate::alipay::{answer, content};
use crate::payments::{Doubt, Failure, NewRefund, NewTrade, Reason};

fn answer(node: &str) -> Vec<u8> {
    let signature = SigningKey::parse(PROVIDER_KEY)
        .unwrap()
        .sign(node.as_bytes())
        .unwrap();
    format!(r#"{{"alipay_trade_query_response":{node},"sign":"{signature}"}}"#).into_bytes()
}

fn read_query(body: &[u8]) -> Result<answer::Trade, Failure> {
    read(body, "alipay.trade.query", Some("20230422A0007"), &provider())
}

#[test]
fn a_request_is_signed_and_written_as_the_vector() {
    let vector = &fixtures()["alipay_request"];
    let alipay = alipay();
    let content: Box<RawValue> = serde_json::from_str(text(&vector["params"]["biz_content"])).unwrap();
    let request = alipay
        .request("alipay.trade.precreate", &content, Some(&alipay.notify_url), NOW)
        .unwrap();
    let expected = Request {
        url: text(&vector["url"]).to_owned(),
        body: text(&vector["body"]).to_owned(),
    };
    assert_eq!(request, expected);
}

#[test]
fn keys_are_taken_as_pem_and_bare_and_in_both_forms() {
    let vector = &fixtures()["alipay_request"];
    let message = text(&vector["sign_string"]).as_bytes();
    let bare: String = MERCHANT_KEY
        .lines()
        .filter(|line| !line.starts_with('-'))
        .collect();
    let pkcs1 = include_str!("../../../tests/fixtures/merchant.pkcs1.pem");
    let windows = MERCHANT_KEY.replace('\n', "\r\n");
    for key in [MERCHANT_KEY, &bare, pkcs1, &windows] {
        assert_eq!(
            SigningKey::parse(key).unwrap().sign(message).unwrap(),
            text(&vector["sign"])
        );
    }
    let public = VerifyingKey::parse(include_str!("../../../tests/fixtures/merchant.pub.pem")).unwrap();
    assert!(public.verifies(message, text(&vector["sign"])));
    assert!(!provider().key.verifies(message, text(&vector["sign"])));
    assert!(SigningKey::parse(PROVIDER_PUBLIC).is_err());
    assert!(VerifyingKey::parse("no key").is_err());
}

#[test]
fn what_alipay_itself_signed_verifies() {
    let fixtures = fixtures();
    for (name, part) in [("real_response", "signed_part"), ("real_notify", "verify_string")] {
        let vector = &fixtures[name];
        let key = VerifyingKey::parse(text(&vector["public_key"])).unwrap();
        let message = text(&vector[part]);
        assert!(key.verifies(message.as_bytes(), text(&vector["sign"])), "{name}");
        assert!(
            !key.verifies(format!("{message} ").as_bytes(), text(&vector["sign"])),
            "{name}"
        );
    }
}

#[test]
fn an_answer_is_verified_over_its_raw_text() {
    let fixtures = fixtures();
    let vector = &fixtures["alipay_response"];
    let body = text(&vector["body"]);
    let method = "alipay.trade.precreate";
    let answer: Value = read(body.as_bytes(), method, Some("20230422A0007"), &provider()).unwrap();
    assert_eq!(
        answer["qr_code"],
        "https://qr.alipay.com/bax03431ljhokirwl38f00a7"
    );
    // The same JSON in other escapes is not what was signed.
    let rewritten = body.replace("\\/", "/");
    for forged in [
        rewritten,
        body.replace("bax0", "bax1"),
        body.replace(r#""sign":"ik"#, r#""sign":"jk"#),
    ] {
        let read = read::<Value>(forged.as_bytes(), method, Some("20230422A0007"), &provider());
        assert!(matches!(read, Err(Failure::Unknown(Doubt::BadSignature))));
    }
    let other_trade = read::<Value>(body.as_bytes(), method, Some("20230422A0008"), &provider());
    assert!(matches!(other_trade, Err(Failure::Unknown(Doubt::Malformed))));
}

#[test]
fn this_side_signs_answers_as_the_vectors() {
    let fixtures = fixtures();
    let provider = SigningKey::parse(PROVIDER_KEY).unwrap();
    for name in ["alipay_response", "alipay_query_not_exist"] {
        let vector = &fixtures[name];
        let signature = provider.sign(text(&vector["signed_part"]).as_bytes()).unwrap();
        assert_eq!(signature, text(&vector["sign"]), "{name}");
    }
}

#[test]
fn a_success_without_signature_is_no_success() {
    let vector = &fixtures()["alipay_response"];
    let body = format!(
        r#"{{"alipay_trade_precreate_response":{}}}"#,
        text(&vector["signed_part"])
    );
    let read = read::<Value>(
        body.as_bytes(),
        "alipay.trade.precreate",
        Some("20230422A0007"),
        &provider(),
    );
    assert!(matches!(read, Err(Failure::Unknown(Doubt::BadSignature))));
}

#[test]
fn only_a_signed_refusal_is_definite() {
    let fixtures = fixtures();
    let body = text(&fixtures["alipay_query_not_exist"]["body"]);
    let Err(Failure::Refused(refusal)) = read_query(body.as_bytes()) else {
        panic!("refused")
    };
    assert_eq!(
        (refusal.code.as_str(), refusal.reason),
        ("40004 ACQ.TRADE_NOT_EXIST", Reason::NoSuchTrade)
    );
    let unsigned = br#"{"error_response":{"code":"40002","msg":"m","sub_code":"isv.invalid-signature"}}"#;
    assert!(
        matches!(read_query(unsigned), Err(Failure::Unknown(Doubt::Unsigned(code))) if code == "40002 isv.invalid-signature")
    );
}

#[test]
fn system_errors_leave_the_outcome_open() {
    for (code, sub_code) in [
        ("40004", "ACQ.SYSTEM_ERROR"),
        ("40004", "aop.ACQ.SYSTEM_ERROR"),
        ("20000", "isp.unknow-error"),
    ] {
        let node = format!(r#"{{"code":"{code}","msg":"m","sub_code":"{sub_code}"}}"#);
        assert!(
            matches!(read_query(&answer(&node)), Err(Failure::Unknown(Doubt::Busy(_)))),
            "{sub_code}"
        );
    }
}

#[test]
fn refusals_say_what_the_caller_can_do() {
    for (sub_code, reason) in [
        ("ACQ.CONTEXT_INCONSISTENT", Reason::NumberTaken),
        ("ACQ.TRADE_HAS_SUCCESS", Reason::AlreadyPaid),
        ("ACQ.REASON_TRADE_STATUS_INVALID", Reason::AlreadyPaid),
        ("ACQ.TRADE_HAS_CLOSE", Reason::AlreadyClosed),
        ("ACQ.SELLER_BALANCE_NOT_ENOUGH", Reason::Operator),
        ("isv.invalid-app-id", Reason::Operator),
    ] {
        let node = format!(r#"{{"code":"40004","msg":"m","sub_code":"{sub_code}"}}"#);
        let read = read_query(&answer(&node));
        assert!(
            matches!(read, Err(Failure::Refused(refusal)) if refusal.reason == reason),
            "{sub_code}"
        );
    }
}

#[test]
fn illegal_trades_are_not_sent() {
    let legal = NewTrade {
        out_trade_no: "20230422A0007_01",
        amount_fen: 1,
        subject: "s",
        expires_at: NOW + Duration::HOUR,
    };
    assert!(content::Precreate::new(&legal, None, NOW).is_ok());
    let long = "长".repeat(257);
    for (what, trade) in [
        (
            "hyphen",
            NewTrade {
                out_trade_no: "a-1",
                ..legal
            },
        ),
        (
            "no number",
            NewTrade {
                out_trade_no: "",
                ..legal
            },
        ),
        (
            "nothing",
            NewTrade {
                amount_fen: 0,
                ..legal
            },
        ),
        (
            "too much",
            NewTrade {
                amount_fen: 10_000_000_001,
                ..legal
            },
        ),
        (
            "slash",
            NewTrade {
                subject: "a/b",
                ..legal
            },
        ),
        ("no subject", NewTrade { subject: "", ..legal }),
        (
            "long subject",
            NewTrade {
                subject: &long,
                ..legal
            },
        ),
        (
            "expired",
            NewTrade {
                expires_at: NOW + Duration::seconds(59),
                ..legal
            },
        ),
        (
            "too long",
            NewTrade {
                expires_at: NOW + Duration::days(16),
                ..legal
            },
        ),
    ] {
        let content = content::Precreate::new(&trade, None, NOW);
        assert!(matches!(content, Err(Failure::NotSent(_))), "{what}");
    }
}

#[test]
fn illegal_refunds_are_not_sent() {
    let legal = NewRefund {
        out_trade_no: "20230422A0007_01",
        refund_no: "20230422A0007_01R",
        amount_fen: 1_000,
        total_fen: 1_000,
        reason: "r",
    };
    assert!(content::Refund::new(&legal).is_ok());
    let long = "长".repeat(257);
    for (what, refund) in [
        (
            "number",
            NewRefund {
                refund_no: "R-1",
                ..legal
            },
        ),
        (
            "nothing",
            NewRefund {
                amount_fen: 0,
                ..legal
            },
        ),
        (
            "more than paid",
            NewRefund {
                amount_fen: 1_001,
                ..legal
            },
        ),
        (
            "long reason",
            NewRefund {
                reason: &long,
                ..legal
            },
        ),
    ] {
        let content = content::Refund::new(&refund);
        assert!(matches!(content, Err(Failure::NotSent(_))), "{what}");
    }
}
