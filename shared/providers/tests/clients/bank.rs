//! The bank bridge's client over HTTP.

use aws_lc_rs::{digest, hmac};
use yinxin_providers::bank::{Bank, Client, Doubt, Memo, OutBizNo, Payee, PayeeKind, Submitted, Transfer};

use crate::fake::{self, Asked, Fake, NOW};

fn bank(base: &str) -> Bank {
    let client: Client =
        serde_json::from_str(r#"{"client_id":"yinxin","client_secret":"testClientSecret"}"#).unwrap();
    Bank::new(client, base, fake::http()).unwrap()
}

fn number() -> OutBizNo {
    "20230422A0007T1".parse().unwrap()
}

async fn submit(bank: &Bank) -> Submitted {
    let payee = Payee {
        name: "湖南某某有限公司",
        account: "43050177713600000123",
        bank_name: "中国建设银行",
        branch_cnaps: None,
        kind: PayeeKind::Corporate,
    };
    let memo: Memo = "Xk7mPq29".parse().unwrap();
    bank.submit(&number(), payee, &memo, "account check", NOW).await
}

fn assert_signed(asked: &Asked) {
    assert_eq!(asked.header("x-client-id"), "yinxin");
    assert_eq!(asked.header("x-timestamp"), "1716171072");
    let body = hex::encode(digest::digest(&digest::SHA256, asked.body.as_bytes()));
    let message = format!("{}\n{}\n1716171072\n{body}", asked.method, asked.uri.path());
    let key = hmac::Key::new(hmac::HMAC_SHA256, b"testClientSecret");
    assert_eq!(
        asked.header("x-signature"),
        hex::encode(hmac::sign(&key, message.as_bytes()))
    );
}

#[tokio::test]
async fn a_transfer_of_one_fen_is_submitted_and_signed() {
    let fake = Fake::answering(200, r#"{"status":"ACCEPTED"}"#).await;
    assert!(matches!(submit(&bank(&fake.url)).await, Submitted::Accepted));
    let asked = fake.asked_once();
    assert_eq!(
        (asked.method.as_str(), asked.uri.path()),
        ("POST", "/bank/transfers")
    );
    assert_signed(&asked);
    let body: serde_json::Value = serde_json::from_str(&asked.body).unwrap();
    let expected = serde_json::json!({
        "out_biz_no": "20230422A0007T1",
        "payee_name": "湖南某某有限公司",
        "payee_account": "43050177713600000123",
        "bank_name": "中国建设银行",
        "payee_type": 1,
        "amount_fen": 1,
        "memo": "Xk7mPq29",
        "purpose": "account check",
    });
    assert_eq!(body, expected);
}

#[tokio::test]
async fn a_bridge_below_a_path_is_signed_with_that_path() {
    let fake = Fake::answering(200, r#"{"status":"PENDING"}"#).await;
    let transfer = bank(&format!("{}/bridge/", fake.url)).query(&number(), NOW).await;
    assert!(matches!(transfer, Transfer::Pending));
    let asked = fake.asked_once();
    assert_eq!(
        (asked.method.as_str(), asked.uri.path()),
        ("GET", "/bridge/bank/transfers/20230422A0007T1")
    );
    assert_signed(&asked);
}

#[tokio::test]
async fn a_refused_signature_is_not_a_rejected_transfer() {
    let fake = Fake::answering(401, r#"{"code":"SIGNATURE"}"#).await;
    assert!(matches!(
        submit(&bank(&fake.url)).await,
        Submitted::Unknown(Doubt::Answer(401))
    ));
}

#[tokio::test]
async fn no_usable_answer_is_unknown_and_is_asked_once() {
    for (name, fake) in fake::useless().await {
        assert!(
            matches!(submit(&bank(&fake.url)).await, Submitted::Unknown(_)),
            "{name}"
        );
        assert!(fake.asked().len() <= 1, "{name}");
    }
    for (name, fake) in fake::useless().await {
        let transfer = bank(&fake.url).query(&number(), NOW).await;
        assert!(matches!(transfer, Transfer::Unknown(_)), "{name}");
    }
}
