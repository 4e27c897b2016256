//! The lines of a bill's details: CSV whose columns are found by name.

use csv::{ReaderBuilder, StringRecord};

use crate::money;
use crate::payments::{BillLine, Doubt, Movement};

/// Where the columns that count are.
struct Columns {
    trade_no: usize,
    out_trade_no: usize,
    kind: usize,
    amount: usize,
    refund_no: usize,
}

impl Columns {
    fn find(header: &StringRecord) -> Option<Self> {
        // Brackets are full-width in some bills and ASCII in others.
        let names: Vec<String> = header
            .iter()
            .map(|name| name.trim().replace('（', "(").replace('）', ")"))
            .collect();
        let at = |wanted: &str| names.iter().position(|name| name == wanted);
        Some(Self {
            trade_no: at("支付宝交易号")?,
            out_trade_no: at("商户订单号")?,
            kind: at("业务类型")?,
            amount: at("订单金额(元)")?,
            refund_no: at("退款批次号/请求号")?,
        })
    }

    /// A line that is not understood fails the bill: a reconciliation without it would be wrong and look right.
    fn read(&self, record: &StringRecord) -> Option<BillLine> {
        let cell = |at: usize| record.get(at).map(str::trim);
        let amount = cell(self.amount)?;
        // What went back is negative.
        let (movement, amount) = match cell(self.kind)? {
            "交易" => (Movement::Payment, amount),
            "退款" => {
                let refund_no = cell(self.refund_no)?.to_owned();
                (
                    Movement::Refund { refund_no },
                    amount.strip_prefix('-').unwrap_or(amount),
                )
            }
            _ => return None,
        };
        Some(BillLine {
            out_trade_no: cell(self.out_trade_no)?.to_owned(),
            trade_no: cell(self.trade_no)?.to_owned(),
            movement,
            amount_fen: money::fen(amount)?,
        })
    }
}

/// The lines of a file of details; nothing for another file, such as that of the totals.
pub(super) fn read(text: &str) -> Result<Option<Vec<BillLine>>, Doubt> {
    // Titles and ends are comments.
    let mut records = ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .comment(Some(b'#'))
        .from_reader(text.as_bytes())
        .into_records();
    let Some(header) = records.next() else {
        return Ok(None);
    };
    let Some(columns) = Columns::find(&header.map_err(|_| Doubt::Malformed)?) else {
        return Ok(None);
    };
    let mut lines = Vec::new();
    for record in records {
        let record = record.map_err(|_| Doubt::Malformed)?;
        lines.push(columns.read(&record).ok_or(Doubt::Malformed)?);
    }
    Ok(Some(lines))
}

#[cfg(test)]
mod tests {
    use super::read;
    use crate::payments::{BillLine, Doubt, Movement};

    const HEADER: &str = "支付宝交易号,商户订单号,业务类型,订单金额（元）,退款批次号/请求号";

    fn line(record: &str) -> Result<BillLine, Doubt> {
        let read = read(&format!("#标题\r\n{HEADER}\r\n{record}\r\n#结束\r\n"))?;
        Ok(read.unwrap().remove(0))
    }

    #[test]
    fn brackets_blanks_and_the_order_of_columns_do_not_matter() {
        let payment = BillLine {
            out_trade_no: "A".to_owned(),
            trade_no: "2024".to_owned(),
            movement: Movement::Payment,
            amount_fen: 22_000,
        };
        assert_eq!(line("2024\t,A ,交易\t, 220.00\t,").unwrap(), payment);
        let other = "业务类型\t,备注,订单金额(元),退款批次号/请求号,商户订单号,支付宝交易号\r\n交易,,220.00,,A,2024\r\n";
        assert_eq!(read(other).unwrap().unwrap(), [payment]);
    }

    #[test]
    fn a_refund_goes_the_other_way() {
        let refund = line("2024,A,退款,-10.00\t,R1\t").unwrap();
        let refund_no = "R1".to_owned();
        assert_eq!(
            (refund.movement, refund.amount_fen),
            (Movement::Refund { refund_no }, 1_000)
        );
    }

    #[test]
    fn a_line_that_is_not_understood_fails_the_bill() {
        for record in [
            "2024,A,分账,1.00,",
            "2024,A,交易,-1.00,",
            "2024,A,交易,1.001,",
            "2024,A,退款,--1.00,R1",
            "2024,A,交易",
        ] {
            assert!(matches!(line(record), Err(Doubt::Malformed)), "{record}");
        }
    }

    #[test]
    fn other_files_are_not_the_details() {
        for text in ["", "#标题\r\n", "门店编号,交易订单总笔数\r\n合计,1\r\n"] {
            assert!(read(text).unwrap().is_none(), "{text}");
        }
        assert_eq!(read(&format!("{HEADER}\r\n")).unwrap().unwrap(), []);
    }
}
