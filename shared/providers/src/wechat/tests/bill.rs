//! Bills: their digest, their size, their table.

use std::io::Write as _;

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;
use time::macros::{date, datetime};

use super::wechat;
use crate::http;
use crate::payments::{BillLine, Doubt, Movement};
use crate::wechat::bill::{Located, is_due, path, read};

const HEADER: &str = "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,手续费,费率,订单金额,申请退款金额,费率备注";
const PAYMENT: &str = "`2024-05-20 10:12:14,`wx0000000000000001,`1900000001,`0,`,`4200,`20230422A0007,`oUpF,`NATIVE,`SUCCESS,`CMB_DEBIT,`CNY,`219.00,`1.00,`0,`0,`0.00,`0.00,`,`,`CA数字证书, 企业版,`,`1.31400,`0.60%,`220.00,`0.00,`";
const REFUND: &str = "`2024-05-20 12:00:00,`wx0000000000000001,`1900000001,`0,`,`4200,`20230422A0007,`oUpF,`NATIVE,`REFUND,`CMB_DEBIT,`CNY,`0.00,`0.00,`5000,`20230422A0007R1,`10.00,`0.00,`ORIGINAL,`SUCCESS,`CA数字证书,`,`-0.06000,`0.60%,`0.00,`10.00,`";
const SUMMARY: &str = "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额\n`2,`219.00,`10.00,`0.00,`1.25400,`220.00,`10.00\n";

fn zipped(text: &[u8]) -> Vec<u8> {
    let mut zip = GzEncoder::new(Vec::new(), Compression::default());
    zip.write_all(text).unwrap();
    zip.finish().unwrap()
}

fn located(text: &[u8], hash_type: &str) -> Located {
    let hash = hex::encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, text));
    serde_json::from_value(json!({"hash_type": hash_type, "hash_value": hash, "download_url": ""})).unwrap()
}

fn lines(text: &str) -> Result<Vec<BillLine>, Doubt> {
    let text = text.as_bytes();
    read(&zipped(text), &located(text, "SHA1"), &wechat().account)
}

fn payment() -> BillLine {
    BillLine {
        out_trade_no: "20230422A0007".to_owned(),
        trade_no: "4200".to_owned(),
        movement: Movement::Payment,
        amount_fen: 22_000,
    }
}

fn refund() -> BillLine {
    let refund_no = "20230422A0007R1".to_owned();
    BillLine {
        movement: Movement::Refund { refund_no },
        amount_fen: 1_000,
        ..payment()
    }
}

#[test]
fn payments_and_refunds_are_read_and_the_summary_is_not() {
    for (mark, end) in [("\u{feff}", "\r\n"), ("", "\n")] {
        let text = format!("{mark}{HEADER}{end}{PAYMENT}{end}{REFUND}{end}{SUMMARY}");
        assert_eq!(lines(&text).unwrap(), [payment(), refund()]);
    }
    assert_eq!(lines(&format!("{HEADER}\n{SUMMARY}")).unwrap(), []);
}

#[test]
fn columns_are_found_by_name() {
    let header = "商户号,公众账号ID,商户订单号,微信订单号,货币种类,交易状态,商户退款单号,退款金额,退款状态,应结订单金额";
    let row = "`1900000001,`wx0000000000000001,`20230422A0007,`4200,`CNY,`SUCCESS,`0,`0.00,`,`220.00";
    assert_eq!(
        lines(&format!("{header}\n{row}\n{SUMMARY}")).unwrap(),
        [payment()]
    );
    let without = header.replace("商户退款单号", "退款单号");
    assert!(matches!(
        lines(&format!("{without}\n{row}\n")),
        Err(Doubt::Malformed)
    ));
}

#[test]
fn other_apps_and_failed_refunds_are_left_out() {
    let other = PAYMENT.replace("wx0000000000000001", "wx0000000000000002");
    let failed = REFUND.replace("ORIGINAL,`SUCCESS", "ORIGINAL,`FAIL");
    assert_eq!(
        lines(&format!("{HEADER}\n{other}\n{failed}\n{SUMMARY}")).unwrap(),
        []
    );
}

#[test]
fn a_line_that_is_not_understood_spoils_the_bill() {
    for row in [
        PAYMENT.replace("1900000001", "1900000002"),
        PAYMENT.replace("CNY", "USD"),
        PAYMENT.replace("`SUCCESS", "`STRANGE"),
        PAYMENT.replace("`220.00", "`220.001"),
        PAYMENT.replace(",`0.60%", ""),
    ] {
        let read = lines(&format!("{HEADER}\n{row}\n{SUMMARY}"));
        assert!(matches!(read, Err(Doubt::Malformed)), "{row}");
    }
}

#[test]
fn another_digest_is_no_bill() {
    let text = format!("{HEADER}\n{PAYMENT}\n{SUMMARY}");
    let account = wechat().account;
    let changed = zipped(text.replace("220.00", "221.00").as_bytes());
    let read_changed = read(&changed, &located(text.as_bytes(), "SHA1"), &account);
    assert!(matches!(read_changed, Err(Doubt::BadSignature)));
    let zip = zipped(text.as_bytes());
    let other_digest = read(&zip, &located(text.as_bytes(), "MD5"), &account);
    assert!(matches!(other_digest, Err(Doubt::BadSignature)));
    let cut = read(&zip[..zip.len() - 9], &located(text.as_bytes(), "SHA1"), &account);
    assert!(matches!(cut, Err(Doubt::Malformed)));
    let plain = read(text.as_bytes(), &located(text.as_bytes(), "SHA1"), &account);
    assert!(matches!(plain, Err(Doubt::Malformed)));
}

#[test]
fn a_bill_that_unzips_without_end_is_too_large() {
    let text = vec![b' '; 64 * 1024 * 1024 + 1];
    let bomb = read(&zipped(&text), &located(&text, "SHA1"), &wechat().account);
    assert!(matches!(bomb, Err(Doubt::Transport(http::Failure::TooLarge))));
}

#[test]
fn a_bill_is_due_at_ten_of_the_next_day_in_china() {
    let day = date!(2024 - 05 - 20);
    assert!(!is_due(day, datetime!(2024-05-21 09:59:59 +8)));
    assert!(is_due(day, datetime!(2024-05-21 10:00:00 +8)));
    assert_eq!(
        path(day).unwrap(),
        "/v3/bill/tradebill?bill_date=2024-05-20&bill_type=ALL&tar_type=GZIP"
    );
}
