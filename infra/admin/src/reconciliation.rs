//! Prints how a day's bills and the ledger compare.
use anyhow::{Context, Result};
use time::macros::format_description;
use time::{Date, Duration};
use yinxin_lambda::Platform;
use yinxin_order::identifiers::{Fen, china_date};
use yinxin_order::payment::Provider;
use yinxin_payment::reconcile::{Report, Sums};

/// A day, `YYYY-MM-DD`.
pub fn parse_day(text: &str) -> Result<Date, time::error::Parse> {
    Date::parse(text, format_description!("[year]-[month]-[day]"))
}

/// Prints the reports of `day`, or of yesterday in China.
pub async fn show(platform: &Platform, day: Option<Date>) -> Result<()> {
    let day = day.unwrap_or_else(|| china_date(platform.now()) - Duration::days(1));
    for provider in Provider::ALL {
        match platform.ledger.report(provider, day).await? {
            Some(report) => print!("{}", text_of(&serde_json::from_str(&report)?)?),
            None => println!("{day} {}: not compared", provider.as_str()),
        }
    }
    Ok(())
}

fn text_of(report: &Report) -> Result<String> {
    let mut lines = vec![format!("{} {}", report.day, report.provider.as_str())];
    for (side, sums) in [("bill", report.bill), ("ledger", report.ledger)] {
        lines.push(format!("  {side:<7} {}", line(sums)?));
    }
    if report.differences.is_empty() {
        lines.push("  no differences".to_owned());
    }
    for difference in &report.differences {
        let number = difference.refund_no.as_ref().unwrap_or(&difference.out_trade_no);
        let amount = |fen: Option<i64>| fen.map_or(Ok("-".to_owned()), yuan);
        lines.push(format!(
            "  {} {number}: bill {}, ledger {}{}",
            serde_json::to_value(difference.kind)?
                .as_str()
                .context("a word")?,
            amount(difference.bill_fen)?,
            amount(difference.ledger_fen)?,
            if difference.repaired { "; put right" } else { "" }
        ));
    }
    if report.unlisted > 0 {
        lines.push(format!("  and {} more", report.unlisted));
    }
    lines.push(String::new());
    Ok(lines.join("\n"))
}

fn line(sums: Sums) -> Result<String> {
    Ok(format!(
        "{} payments, {}; {} refunds, {}",
        sums.payments,
        yuan(sums.payments_fen)?,
        sums.refunds,
        yuan(sums.refunds_fen)?
    ))
}

fn yuan(fen: i64) -> Result<String> {
    Ok(Fen::new(fen)?.to_yuan())
}

#[cfg(test)]
mod tests {
    use time::OffsetDateTime;
    use yinxin_order::payment::Provider;
    use yinxin_payment::reconcile::{Difference, DifferenceKind, Report, Sums};

    use super::text_of;

    #[test]
    fn a_report_is_told_in_lines() {
        let sums = |payments, payments_fen| Sums {
            payments,
            payments_fen,
            ..Sums::default()
        };
        let report = Report {
            provider: Provider::Wechat,
            day: "2026-04-07".to_owned(),
            made_at: OffsetDateTime::UNIX_EPOCH,
            bill: sums(2, 44_000),
            ledger: sums(1, 22_000),
            differences: vec![Difference {
                kind: DifferenceKind::NotInLedger,
                out_trade_no: "20260407A0000000007_01".to_owned(),
                refund_no: None,
                bill_fen: Some(22_000),
                ledger_fen: None,
                repaired: true,
            }],
            unlisted: 0,
        };
        assert_eq!(
            text_of(&report).expect("a text"),
            "2026-04-07 wechat\n  bill    2 payments, 440.00; 0 refunds, 0.00\n  ledger  1 payments, 220.00; 0 refunds, 0.00\n  \
             not_in_ledger 20260407A0000000007_01: bill 220.00, ledger -; put right\n"
        );
    }
}
