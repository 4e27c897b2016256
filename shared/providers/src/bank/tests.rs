//! The bridge's signature against OpenSSL, its answers, and the rules of its values.

use aws_lc_rs::hmac;

use super::{Doubt, Memo, OutBizNo, Submitted, Transfer, ValueError, signature, submitted, transfer};
use crate::http::Answer;

fn answer(status: u16, body: &str) -> Answer {
    Answer {
        headers: reqwest::header::HeaderMap::new(),
        status,
        body: body.as_bytes().to_vec(),
    }
}

/// Made with `printf 'POST\n/bank/transfers\n1716171072\n%s' "$(printf '{"out_biz_no":"T1"}' | sha256sum | cut -d' ' -f1)"
/// | openssl dgst -sha256 -hmac testClientSecret`, and the like for `GET` with an empty body.
#[test]
fn the_signature_is_openssl_s() {
    let key = hmac::Key::new(hmac::HMAC_SHA256, b"testClientSecret");
    assert_eq!(
        signature(
            &key,
            "POST",
            "/bank/transfers",
            1_716_171_072,
            br#"{"out_biz_no":"T1"}"#
        ),
        "c7d9f413cee07bef3cdbf896f30268b979df8430ad5f60c06c507e931cee757e"
    );
    assert_eq!(
        signature(&key, "GET", "/bank/transfers/T1", 1_716_171_072, b""),
        "1ab63c2f25cc506460b569d9bad650f107782739fc8dfe3449505781dfe9af67"
    );
}

#[test]
fn submissions_are_accepted_rejected_or_unknown() {
    assert!(matches!(
        submitted(&answer(200, r#"{"status":"ACCEPTED"}"#)),
        Submitted::Accepted
    ));
    assert!(matches!(
        submitted(&answer(400, r#"{"status":"REJECTED","code":"ACCOUNT"}"#)),
        Submitted::Rejected { code } if code == "ACCOUNT"
    ));
    assert!(matches!(
        submitted(&answer(409, r#"{"code":"DUPLICATE_DIFFERENT"}"#)),
        Submitted::Rejected { code } if code == "DUPLICATE_DIFFERENT"
    ));
    for (status, body) in [
        (200, r#"{"status":"UNKNOWN"}"#),
        (200, "{}"),
        (400, "{}"),
        (401, r#"{"code":"BAD_SIGNATURE"}"#),
        (500, r#"{"status":"REJECTED"}"#),
        (502, r#"{"status":"ACCEPTED"}"#),
    ] {
        assert!(
            matches!(submitted(&answer(status, body)), Submitted::Unknown(_)),
            "{status} {body}"
        );
    }
}

#[test]
fn transfers_have_the_bank_s_state() {
    let state = |body: &str| transfer(&answer(200, body));
    assert!(matches!(state(r#"{"status":"PENDING"}"#), Transfer::Pending));
    assert!(matches!(
        state(r#"{"status":"SUCCESS","bank_serial":"B1","posted_at":"2024-05-20T10:11:12+08:00"}"#),
        Transfer::Success { bank_serial, posted_at: Some(_) } if bank_serial == "B1"
    ));
    assert!(matches!(
        state(r#"{"status":"FAILED","code":"E1","msg":"m"}"#),
        Transfer::Failed { code, msg } if code == "E1" && msg == "m"
    ));
    assert!(
        matches!(state(r#"{"status":"RETURNED","code":"E2"}"#), Transfer::Returned { code } if code == "E2")
    );
    assert!(matches!(
        transfer(&answer(404, r#"{"status":"NOT_FOUND"}"#)),
        Transfer::NotFound
    ));
    assert!(matches!(
        transfer(&answer(404, "no such page")),
        Transfer::Unknown(Doubt::Answer(404))
    ));
    assert!(matches!(state(r#"{"status":"SUCCESS"}"#), Transfer::Unknown(_)));
    assert!(matches!(
        state(r#"{"status":"UNKNOWN"}"#),
        Transfer::Unknown(Doubt::BankUnsure)
    ));
}

#[test]
fn a_memo_has_no_look_alikes_and_is_not_printed() {
    let memo: Memo = "Xk7mPq29".parse().unwrap();
    assert!(!format!("{memo:?}").contains("Xk7mPq29"));
    for text in [
        "",
        "has space",
        "zero0",
        "Oscar",
        "one1",
        "India",
        "long-dash",
        "附言",
        "abcdefghjkmnpqrstuvwx",
    ] {
        assert_eq!(text.parse::<Memo>(), Err(ValueError::Memo), "{text}");
    }
    assert_eq!("ell".parse::<Memo>(), Err(ValueError::Memo));
}

#[test]
fn a_transfer_s_number_is_short_and_alphanumeric() {
    assert_eq!(
        "20230422A0007T1".parse::<OutBizNo>().unwrap().as_str(),
        "20230422A0007T1"
    );
    for text in ["", "a-b", "a/b", "123456789012345678901"] {
        assert_eq!(text.parse::<OutBizNo>(), Err(ValueError::OutBizNo), "{text}");
    }
}
