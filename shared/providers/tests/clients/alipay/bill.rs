//! Bills: a signed URL, and the file behind it.

use time::Date;
use time::macros::date;
use yinxin_providers::alipay::Alipay;
use yinxin_providers::http;
use yinxin_providers::payments::{Doubt, Failure, Movement, PaymentGateway as _, Reason};

use super::{answering, content};
use crate::fake::{Behaviour, Fake, NOW};

const BILL: &[u8] = include_bytes!("../../fixtures/alipay-bill.zip");
const BILL_METHOD: &str = "alipay.data.dataservice.bill.downloadurl.query";
const BILL_DAY: Date = date!(2024 - 05 - 19);

/// A gateway that sends the client on to this file.
async fn billing(file: &Fake) -> (Fake, Alipay) {
    let node = format!(
        r#"{{"code":"10000","bill_download_url":"{}/bill?token=1"}}"#,
        file.url
    );
    answering(BILL_METHOD, &node).await
}

#[tokio::test]
async fn a_bill_s_payments_and_refunds_are_read() {
    let file = Fake::answering(200, BILL).await;
    let (fake, alipay) = billing(&file).await;
    let bill = alipay.bill(BILL_DAY, NOW).await.unwrap();
    let refund = |number: &str| Movement::Refund {
        refund_no: number.to_owned(),
    };
    let read: Vec<_> = bill
        .iter()
        .map(|line| (line.out_trade_no.as_str(), line.movement.clone(), line.amount_fen))
        .collect();
    let expected = [
        ("20230422A0007_01", Movement::Payment, 22_000),
        ("20230422A0007_01", refund("20230422A0007_01R1"), 1_000),
        ("20230422A0007_01", refund("20230422A0007_01R2"), 21_000),
        ("20230422A0008_01", Movement::Payment, 10),
    ];
    assert_eq!(read, expected);
    assert_eq!(bill[3].trade_no, "2024051922001400000500000002");
    let content = content(&fake.asked_once());
    assert_eq!(content["bill_type"], "trade");
    assert_eq!(content["bill_date"], "2024-05-19");
    let fetched = file.asked_once();
    assert_eq!(
        (fetched.method.as_str(), fetched.uri.query()),
        ("GET", Some("token=1"))
    );
}

#[tokio::test]
async fn a_day_without_payments_has_no_bill() {
    for code in ["isp.bill_not_exist", "BILL_NOT_EXIST"] {
        let node = format!(r#"{{"code":"40004","msg":"Business Failed","sub_code":"{code}"}}"#);
        let (_fake, alipay) = answering(BILL_METHOD, &node).await;
        assert_eq!(alipay.bill(BILL_DAY, NOW).await.unwrap(), [], "{code}");
        // Today's is not empty, it is not written yet.
        let today = alipay.bill(date!(2024 - 05 - 20), NOW).await;
        assert!(matches!(today, Err(Failure::Unknown(Doubt::Busy(_)))), "{code}");
    }
}

#[tokio::test]
async fn a_bill_that_cannot_be_had_is_not_an_empty_one() {
    let refused = r#"{"code":"40006","sub_code":"isv.insufficient-isv-permissions"}"#;
    let (_fake, alipay) = answering(BILL_METHOD, refused).await;
    let bill = alipay.bill(BILL_DAY, NOW).await;
    assert!(matches!(bill, Err(Failure::Refused(refusal)) if refusal.reason == Reason::Operator));

    let expired = Fake::answering(403, "expired").await;
    let (_fake, alipay) = billing(&expired).await;
    let bill = alipay.bill(BILL_DAY, NOW).await;
    assert!(matches!(bill, Err(Failure::Unknown(Doubt::Status(403)))));

    let page = Fake::answering(200, "<html>login</html>").await;
    let (_fake, alipay) = billing(&page).await;
    let bill = alipay.bill(BILL_DAY, NOW).await;
    assert!(matches!(bill, Err(Failure::Unknown(Doubt::Malformed))));
}

#[tokio::test]
async fn a_bill_is_not_fetched_in_the_clear_nor_from_where_a_redirect_leads() {
    let node = r#"{"code":"10000","bill_download_url":"http://dwbillcenter.alipay.com/x"}"#;
    let (_fake, alipay) = answering(BILL_METHOD, node).await;
    let bill = alipay.bill(BILL_DAY, NOW).await;
    assert!(matches!(bill, Err(Failure::Unknown(Doubt::Malformed))));

    let file = Fake::answering(200, BILL).await;
    let elsewhere = Fake::start(Behaviour::RedirectTo(file.url.clone())).await;
    let (_fake, alipay) = billing(&elsewhere).await;
    let bill = alipay.bill(BILL_DAY, NOW).await;
    assert!(matches!(bill, Err(Failure::Unknown(Doubt::Status(307)))));
    assert_eq!(file.asked().len(), 0);
}

#[tokio::test]
async fn a_bill_may_be_larger_than_an_answer_and_has_a_limit_too() {
    // The file's end holds its directory, so what stands before it does not matter.
    let mut large = vec![b' '; http::Limits::default().answer_bytes];
    large.extend_from_slice(BILL);
    let file = Fake::answering(200, large).await;
    let (_fake, alipay) = billing(&file).await;
    assert_eq!(alipay.bill(BILL_DAY, NOW).await.unwrap().len(), 4);

    let file = Fake::answering(200, vec![b' '; 4 * 1024 * 1024 + 1]).await;
    let (_fake, alipay) = billing(&file).await;
    let bill = alipay.bill(BILL_DAY, NOW).await;
    assert!(matches!(
        bill,
        Err(Failure::Unknown(Doubt::Transport(http::Failure::TooLarge)))
    ));
}
