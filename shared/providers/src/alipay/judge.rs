//! Alipay's result codes, sorted by what the caller can do.

use crate::payments::{Doubt, Failure, Reason, Refusal};

/// Sorts a signed answer other than `10000`.
pub(crate) fn judge(code: &str, sub_code: &str) -> Failure {
    // `20000` and the system errors leave open what happened; `unknow` is the real spelling.
    let unknown = code == "20000" || sub_code.ends_with("SYSTEM_ERROR") || sub_code.ends_with("unknow-error");
    if unknown {
        return Failure::Unknown(Doubt::Busy(sub_code.to_owned()));
    }
    let reason = match sub_code.strip_prefix("ACQ.").unwrap_or_default() {
        "CONTEXT_INCONSISTENT" | "DISCORDANT_REPEAT_REQUEST" => Reason::NumberTaken,
        "TRADE_HAS_SUCCESS" | "TRADE_HAS_FINISHED" | "REASON_TRADE_STATUS_INVALID" | "TRADE_STATUS_ERROR" => {
            Reason::AlreadyPaid
        }
        "TRADE_HAS_CLOSE" => Reason::AlreadyClosed,
        "TRADE_NOT_EXIST" => Reason::NoSuchTrade,
        _ => Reason::Operator,
    };
    Failure::Refused(Refusal {
        code: format!("{code} {sub_code}").trim_end().to_owned(),
        reason,
    })
}

/// Whether a refusal says that the trade does not exist (yet).
pub(crate) fn is_no_such_trade(failure: &Failure) -> bool {
    matches!(failure, Failure::Refused(refusal) if refusal.reason == Reason::NoSuchTrade)
}

/// Whether a refusal says that there is no bill for the day: `isp.bill_not_exist`, also written otherwise.
pub(crate) fn is_no_such_bill(failure: &Failure) -> bool {
    let last = |code: &str| {
        code.rsplit(['.', ' '])
            .next()
            .unwrap_or_default()
            .to_ascii_lowercase()
    };
    matches!(failure, Failure::Refused(refusal) if last(&refusal.code) == "bill_not_exist")
}
