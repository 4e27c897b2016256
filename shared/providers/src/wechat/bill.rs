//! The bill of a day: a zipped table whose amounts are yuan, its cells behind back-ticks, its columns found by their names.

use std::io::Read as _;

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use flate2::read::GzDecoder;
use serde::Deserialize;
use time::macros::{format_description, offset, time};
use time::{Date, OffsetDateTime};

use super::trade::{Account, CURRENCY};
use crate::http;
use crate::money;
use crate::payments::{BillLine, Doubt, Movement};

/// Of the zipped file: some hundred thousand lines.
pub(super) const MAX_FILE_BYTES: usize = 8 * 1024 * 1024;
/// Of the unzipped file, which has to fit into a function's memory.
const MAX_TEXT_BYTES: usize = 64 * 1024 * 1024;

/// Where a day's bill is, and its digest.
#[derive(Deserialize)]
pub(super) struct Located {
    hash_type: String,
    hash_value: String,
    pub(super) download_url: String,
}

/// Asks for payments and refunds of a day.
pub(super) fn path(day: Date) -> Option<String> {
    let day = day.format(format_description!("[year]-[month]-[day]")).ok()?;
    Some(format!(
        "/v3/bill/tradebill?bill_date={day}&bill_type=ALL&tar_type=GZIP"
    ))
}

/// Bills are made by ten o'clock of the next day in China; before, that there is none says nothing.
pub(super) fn is_due(day: Date, now: OffsetDateTime) -> bool {
    day.next_day()
        .is_some_and(|next| next.with_time(time!(10:00)).assume_offset(offset!(+8)) <= now)
}

/// Unzips a file, compares its digest and reads its lines.
pub(super) fn read(file: &[u8], located: &Located, account: &Account) -> Result<Vec<BillLine>, Doubt> {
    let mut text = Vec::new();
    GzDecoder::new(file)
        .take(MAX_TEXT_BYTES as u64 + 1)
        .read_to_end(&mut text)
        .map_err(|_| Doubt::Malformed)?;
    if text.len() > MAX_TEXT_BYTES {
        return Err(Doubt::Transport(http::Failure::TooLarge));
    }
    // The file is not signed; its digest is, with the answer that named it.
    let hash = hex::encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, &text));
    if located.hash_type != "SHA1" || !located.hash_value.eq_ignore_ascii_case(&hash) {
        return Err(Doubt::BadSignature);
    }
    let text = std::str::from_utf8(&text).map_err(|_| Doubt::Malformed)?;
    lines(text, account).ok_or(Doubt::Malformed)
}

fn lines(text: &str, account: &Account) -> Option<Vec<BillLine>> {
    let mut rows = text.trim_start_matches('\u{feff}').lines();
    let columns = Columns::find(rows.next()?)?;
    let mut lines = Vec::new();
    for row in rows {
        // The summary's header has no back-ticks; after it there are no payments any more.
        let Some(row) = row.strip_prefix('`') else {
            break;
        };
        // The name of goods may hold commas, but no comma before a back-tick.
        let cells: Vec<&str> = row.split(",`").map(str::trim).collect();
        if cells.len() != columns.count {
            return None;
        }
        if let Row::Ours(line) = columns.row(&cells, account)? {
            lines.push(line);
        }
    }
    Some(lines)
}

/// What one row says.
enum Row {
    /// A movement of our money.
    Ours(BillLine),
    /// Another app of the merchant's, or a refund that failed.
    NotOurs,
}

/// Where the columns stand.
struct Columns {
    count: usize,
    appid: usize,
    mchid: usize,
    trade_no: usize,
    out_trade_no: usize,
    state: usize,
    currency: usize,
    amount: usize,
    refund_no: usize,
    refund_amount: usize,
    refund_state: usize,
}

impl Columns {
    fn find(header: &str) -> Option<Self> {
        let names: Vec<&str> = header
            .split(',')
            .map(|name| name.trim().trim_start_matches('`'))
            .collect();
        let column = |name: &str| names.iter().position(|candidate| *candidate == name);
        Some(Self {
            count: names.len(),
            appid: column("公众账号ID")?,
            mchid: column("商户号")?,
            trade_no: column("微信订单号")?,
            out_trade_no: column("商户订单号")?,
            state: column("交易状态")?,
            currency: column("货币种类")?,
            // What was ordered, and asked back: the amounts of the orders themselves. Older bills only have those after coupons.
            amount: column("订单金额").or_else(|| column("应结订单金额"))?,
            refund_no: column("商户退款单号")?,
            refund_amount: column("申请退款金额").or_else(|| column("退款金额"))?,
            refund_state: column("退款状态")?,
        })
    }

    /// What one row says; `None`: not understood.
    fn row(&self, cells: &[&str], account: &Account) -> Option<Row> {
        if cells[self.mchid] != account.mchid {
            return None;
        }
        if cells[self.appid] != account.appid {
            return Some(Row::NotOurs);
        }
        if cells[self.currency] != CURRENCY {
            return None;
        }
        let (movement, amount) = match cells[self.state] {
            "SUCCESS" => (Movement::Payment, cells[self.amount]),
            "REFUND" if cells[self.refund_state] == "FAIL" => return Some(Row::NotOurs),
            "REFUND" => {
                let refund_no = cells[self.refund_no].to_owned();
                (Movement::Refund { refund_no }, cells[self.refund_amount])
            }
            _ => return None,
        };
        Some(Row::Ours(BillLine {
            out_trade_no: cells[self.out_trade_no].to_owned(),
            trade_no: cells[self.trade_no].to_owned(),
            movement,
            amount_fen: money::fen(amount)?,
        }))
    }
}
