//! Sorts errors. They are not signed, so none of them proves a final state of a trade or a refund by itself: what follows from one
//! here is only what does no harm where it is wrong (asking again, a new number, an operator who looks).

use serde::Deserialize;

use crate::http::Answer;
use crate::payments::{Doubt, Failure, Reason, Refusal};

/// A longer code is not one: it goes into logs.
const MAX_CODE_BYTES: usize = 64;

#[derive(Deserialize)]
struct Body {
    code: String,
}

/// What an answer other than 2xx means.
pub(super) fn judge(answer: &Answer) -> Failure {
    let status = answer.status;
    let Some(code) = code(&answer.body) else {
        return match status {
            429 => Doubt::Busy(status.to_string()).into(),
            _ => Doubt::Status(status).into(),
        };
    };
    // Pages of the documentation spell the same code with and without underscores.
    let plain = code.replace('_', "");
    let busy = [
        "FREQUENCYLIMITED",
        "FREQUENCYLIMITEXCEED",
        "RATELIMITEXCEEDED",
        "SYSTEMERROR",
        "BANKERROR",
    ];
    if status == 429 || status >= 500 || busy.contains(&plain.as_str()) {
        return Doubt::Busy(format!("{status} {code}")).into();
    }
    if !(400..500).contains(&status) {
        return Doubt::Status(status).into();
    }
    let reason = match plain.as_str() {
        "ORDERNOTEXIST" | "RESOURCENOTEXISTS" => Reason::NoSuchTrade,
        "ORDERPAID" => Reason::AlreadyPaid,
        "ORDERCLOSED" => Reason::AlreadyClosed,
        "OUTTRADENOUSED" => Reason::NumberTaken,
        _ => detail(answer).unwrap_or(Reason::Operator),
    };
    Failure::Refused(Refusal { code, reason })
}

/// The number behind the request's own in `Request-Id` says more than a general code such as `INVALID_REQUEST`.
fn detail(answer: &Answer) -> Option<Reason> {
    let id = answer.headers.get("request-id")?.to_str().ok()?;
    match id.rsplit_once('-')?.1 {
        "268512771" => Some(Reason::NoSuchTrade),
        "268449538" => Some(Reason::AlreadyPaid),
        // An expired trade is as good as closed: only a new number helps.
        "268447914" => Some(Reason::AlreadyClosed),
        "268498688" => Some(Reason::NumberTaken),
        _ => None,
    }
}

fn code(body: &[u8]) -> Option<String> {
    let Body { code } = serde_json::from_slice(body).ok()?;
    let legal = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    (!code.is_empty() && code.len() <= MAX_CODE_BYTES && code.bytes().all(legal)).then_some(code)
}
