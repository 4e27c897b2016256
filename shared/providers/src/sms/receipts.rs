//! Receipts that SMS providers push: whether a message arrived. They are not signed; a secret part of the address has to do.

use serde::Deserialize;
use thiserror::Error;
use time::OffsetDateTime;

use crate::china_time;
use crate::endpoint::plain_code;

/// Aliyun's name, in receipts.
pub const ALIYUN: &str = "aliyun";
/// Tencent's.
pub const TENCENT: &str = "tencent";
/// What Aliyun wants to read, or it pushes the receipts again.
pub const ALIYUN_REPLY: &str = r#"{"code":0,"msg":"接收成功"}"#;
/// What Tencent wants to read.
pub const TENCENT_REPLY: &str = r#"{"result":0,"errmsg":"OK"}"#;

/// The most receipts in one push.
pub const MAX_RECEIPTS: usize = 100;
/// The longest number of a message.
const MAX_NUMBER_LENGTH: usize = 64;

/// What became of one message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The provider's number of the message.
    pub number: String,
    /// Whether it arrived.
    pub delivered: bool,
    /// The operator's code, such as `DELIVERED` or `MK:0001`; letters only.
    pub code: String,
    /// When it arrived or failed, where the provider says so.
    pub at: Option<OffsetDateTime>,
}

/// The body is no push of receipts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the body is no list of receipts")]
pub struct Malformed;

/// Mobile, text and whatever else is pushed are not read.
#[derive(Deserialize)]
struct AliyunReport {
    biz_id: String,
    success: bool,
    #[serde(default)]
    err_code: String,
    report_time: Option<String>,
}

#[derive(Deserialize)]
struct TencentReport {
    sid: String,
    report_status: TencentStatus,
    #[serde(default)]
    errmsg: String,
    user_receive_time: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum TencentStatus {
    Success,
    Fail,
}

/// Reads Aliyun's `SmsReport`.
pub fn read_aliyun(body: &[u8]) -> Result<Vec<Receipt>, Malformed> {
    read(body, |report: AliyunReport| Receipt {
        number: report.biz_id,
        delivered: report.success,
        code: report.err_code,
        at: report.report_time.as_deref().and_then(china_time::parse),
    })
}

/// Reads Tencent's callback.
pub fn read_tencent(body: &[u8]) -> Result<Vec<Receipt>, Malformed> {
    read(body, |report: TencentReport| Receipt {
        number: report.sid,
        delivered: matches!(report.report_status, TencentStatus::Success),
        code: report.errmsg,
        at: report.user_receive_time.as_deref().and_then(china_time::parse),
    })
}

fn read<T: for<'de> Deserialize<'de>>(
    body: &[u8],
    receipt: impl Fn(T) -> Receipt,
) -> Result<Vec<Receipt>, Malformed> {
    let reports: Vec<T> = serde_json::from_slice(body).map_err(|_| Malformed)?;
    if reports.is_empty() || reports.len() > MAX_RECEIPTS {
        return Err(Malformed);
    }
    reports
        .into_iter()
        .map(|report| {
            let receipt = receipt(report);
            if !is_number(&receipt.number) {
                return Err(Malformed);
            }
            Ok(Receipt {
                code: plain_code(&receipt.code),
                ..receipt
            })
        })
        .collect()
}

fn is_number(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= MAX_NUMBER_LENGTH
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"^:._-".contains(&byte))
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::{MAX_RECEIPTS, Malformed, Receipt, read_aliyun, read_tencent};

    #[test]
    fn aliyuns_push_is_read() {
        let body = r#"[{"phone_number":"13800138000","send_time":"2024-05-20 10:11:12","report_time":"2024-05-20 10:11:20",
            "success":true,"err_code":"DELIVERED","err_msg":"用户接收成功","sms_size":"1","biz_id":"900619746936498440^0","out_id":"o-1"},
            {"phone_number":"13800138001","success":false,"err_code":"MOBILE_NOT_ON_SERVICE","biz_id":"900619746936498441^0"}]"#;
        let receipts = read_aliyun(body.as_bytes()).unwrap();
        assert_eq!(
            receipts[0],
            Receipt {
                number: "900619746936498440^0".to_owned(),
                delivered: true,
                code: "DELIVERED".to_owned(),
                at: Some(datetime!(2024-05-20 02:11:20 UTC)),
            }
        );
        assert!(!receipts[1].delivered && receipts[1].at.is_none());
    }

    #[test]
    fn tencents_push_is_read() {
        let body = r#"[{"user_receive_time":"2015-10-17 08:03:04","nationcode":"86","mobile":"13900000001","report_status":"SUCCESS",
            "errmsg":"DELIVRD","description":"用户短信送达成功","sid":"5000:1045710669157053657849499619"},
            {"user_receive_time":"","nationcode":"86","mobile":"13900000001","report_status":"FAIL","errmsg":"用户 UNDELIV","sid":"2"}]"#;
        let receipts = read_tencent(body.as_bytes()).unwrap();
        assert_eq!(receipts[0].number, "5000:1045710669157053657849499619");
        assert_eq!(
            (receipts[0].delivered, receipts[0].at),
            (true, Some(datetime!(2015-10-17 00:03:04 UTC)))
        );
        assert_eq!(
            (receipts[1].delivered, receipts[1].code.as_str()),
            (false, "UNDELIV")
        );
    }

    #[test]
    fn what_is_no_push_is_refused() {
        let one = r#"{"biz_id":"1^0","success":true}"#;
        let many = format!("[{}]", vec![one; MAX_RECEIPTS + 1].join(","));
        let long = format!(r#"[{{"biz_id":"{}","success":true}}]"#, "1".repeat(65));
        for body in [
            "",
            "[]",
            one,
            "<html>",
            r#"[{"biz_id":"1^0"}]"#,
            r#"[{"biz_id":"","success":true}]"#,
            r#"[{"biz_id":"1#2","success":true}]"#,
            &many,
            &long,
        ] {
            assert_eq!(read_aliyun(body.as_bytes()), Err(Malformed), "{body}");
        }
        assert!(read_aliyun(format!("[{one}]").as_bytes()).is_ok());
        let unknown = br#"[{"sid":"1","report_status":"MAYBE"}]"#;
        assert_eq!(read_tencent(unknown), Err(Malformed));
    }
}
