//! Reconciliation: a day's bill of a provider beside our ledger of the day. What the provider has and we have not is asked
//! about and put right; every difference stands in the report.
use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use time::{Date, Duration, OffsetDateTime, Time, UtcOffset};
use tracing::{error, info, warn};
use yinxin_lambda::serve::BatchError;
use yinxin_order::order::Order;
use yinxin_order::payment::{Payment, PaymentStatus, Posting, Provider, parse_out_trade_no, parse_refund_no};
use yinxin_providers::observe;
use yinxin_providers::payments::{BillLine, Movement};
use yinxin_store::StoreError;

use crate::App;
use crate::cashier::CashierError;
use crate::errands::{ErrandError, ask_about, refund};

/// Providers promise a day's bill for the next morning, ten o'clock at the latest.
const BILLS_READY: Time = time::macros::time!(10:15);
/// Until then an empty bill beside a ledger that is not may only be late.
const EMPTY_BELIEVED: Time = time::macros::time!(14:00);
/// So many days back are made good where reports are missing.
const DAYS_BACK: i64 = 3;
/// The most differences that a report lists; the others are counted.
const MAX_LISTED: usize = 500;

/// What the comparison of one day came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Whose bill.
    pub provider: Provider,
    /// The day in China, `YYYY-MM-DD`.
    pub day: String,
    /// When the comparison was made.
    #[serde(with = "time::serde::rfc3339")]
    pub made_at: OffsetDateTime,
    /// The provider's side.
    pub bill: Sums,
    /// Our side.
    pub ledger: Sums,
    /// What differs.
    pub differences: Vec<Difference>,
    /// So many more differ than are listed.
    pub unlisted: usize,
}

/// The sums of one side.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sums {
    /// Payments.
    pub payments: usize,
    /// What they come to.
    pub payments_fen: i64,
    /// Refunds.
    pub refunds: usize,
    /// What they come to.
    pub refunds_fen: i64,
}

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// What differs.
    pub kind: DifferenceKind,
    /// Our number of the trade, as the bill or the ledger has it.
    pub out_trade_no: String,
    /// Our number of the refund, where it is one.
    pub refund_no: Option<String>,
    /// What the bill says.
    pub bill_fen: Option<i64>,
    /// What the ledger says.
    pub ledger_fen: Option<i64>,
    /// Whether the provider was asked and the ledger now has it.
    pub repaired: bool,
}

/// What differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DifferenceKind {
    /// On the bill, not in the ledger.
    NotInLedger,
    /// In the ledger, not on the bill.
    NotOnBill,
    /// Two amounts.
    Amount,
    /// On the bill, for no trade of ours.
    UnknownTrade,
    /// On the bill, a refund that no order asked for: somebody made it in the merchant portal.
    UnknownRefund,
}

impl App {
    /// Makes the reports that are due at `now` and missing.
    pub async fn reconcile(&self, now: OffsetDateTime) -> Result<(), BatchError> {
        let china = now.to_offset(china_offset());
        if china.time() < BILLS_READY {
            return Ok(());
        }
        let mut failed = None;
        for provider in Provider::ALL {
            for back in 1..=DAYS_BACK {
                let day = china.date() - Duration::days(back);
                if let Err(error) = self.reconcile_once(provider, day, now).await {
                    let (name, error) = (provider.as_str(), error.as_ref() as &dyn std::error::Error);
                    warn!(error, "the bill of {name} of {day} is not compared yet");
                    failed = Some(format!("the bill of {name} of {day} is not compared yet"));
                }
            }
        }
        failed.map_or(Ok(()), |failed| Err(failed.into()))
    }

    async fn reconcile_once(
        &self,
        provider: Provider,
        day: Date,
        now: OffsetDateTime,
    ) -> Result<(), BatchError> {
        let ledger = &self.platform.ledger;
        if ledger.report(provider, day).await?.is_some() {
            return Ok(());
        }
        let gateway = match self.cashier.gateway(&self.platform, provider).await {
            Err(CashierError::NotOffered(_)) => return Ok(()),
            gateway => gateway?,
        };
        // The run's clock says which days are due; the provider is asked by the real one.
        let bill = gateway.bill(day, self.platform.now()).await?;
        let postings = ledger.postings(provider, day).await?;
        let late = now.to_offset(china_offset());
        let may_be_late = day + Duration::days(1) == late.date() && late.time() < EMPTY_BELIEVED;
        if bill.is_empty() && !postings.is_empty() && may_be_late {
            return Err("the bill is empty and may only be late".into());
        }
        let report = self.compare(provider, day, &bill, &postings).await?;
        let differences = report.differences.len() + report.unlisted;
        ledger
            .put_report(provider, day, &serde_json::to_string(&report)?)
            .await?;
        let name = provider.as_str();
        let outcome = if differences == 0 { "even" } else { "differences" };
        observe::tell(name, "reconciliation", outcome, std::time::Duration::ZERO);
        if differences == 0 {
            info!("the bill of {name} of {day} and the ledger agree");
        } else {
            error!(
                differences,
                "the bill of {name} of {day} and the ledger differ in {differences} places"
            );
        }
        Ok(())
    }

    /// Compares a bill with the ledger, and asks the provider about what the ledger lacks.
    async fn compare(
        &self,
        provider: Provider,
        day: Date,
        bill: &[BillLine],
        postings: &[Posting],
    ) -> Result<Report, ErrandError> {
        let mut ours: HashMap<&str, &Posting> = postings
            .iter()
            .map(|posting| (number_of(posting), posting))
            .collect();
        let mut differences = Vec::new();
        for line in bill {
            match ours.remove(line.number()) {
                Some(posting) if posting.amount.fen() == line.amount_fen => {}
                Some(posting) => differences.push(Difference {
                    ledger_fen: Some(posting.amount.fen()),
                    ..line.difference(DifferenceKind::Amount)
                }),
                None => differences.extend(self.put_right(provider, line).await?),
            }
        }
        // In the bill's order, then the ledger's: a report is the same whenever it is made.
        let left = postings
            .iter()
            .filter(|posting| ours.contains_key(number_of(posting)));
        differences.extend(left.map(|posting| Difference {
            kind: DifferenceKind::NotOnBill,
            out_trade_no: posting.out_trade_no.clone(),
            refund_no: posting.refund_no.clone(),
            bill_fen: None,
            ledger_fen: Some(posting.amount.fen()),
            repaired: false,
        }));
        let unlisted = differences.len().saturating_sub(MAX_LISTED);
        differences.truncate(MAX_LISTED);
        Ok(Report {
            provider,
            day: day.to_string(),
            made_at: self.platform.now(),
            bill: Sums::of(bill.iter().map(|line| (line.is_refund(), line.amount_fen))),
            ledger: Sums::of(
                postings
                    .iter()
                    .map(|posting| (posting.refund_no.is_some(), posting.amount.fen())),
            ),
            differences,
            unlisted,
        })
    }

    /// A line that the day's ledger lacks: the order may have it on another day; otherwise the provider is asked.
    async fn put_right(
        &self,
        provider: Provider,
        line: &BillLine,
    ) -> Result<Option<Difference>, ErrandError> {
        let Some((order, attempt)) = self.order_of(provider, &line.out_trade_no).await? else {
            return Ok(Some(line.difference(DifferenceKind::UnknownTrade)));
        };
        if line.is_recorded(&order, attempt) {
            return Ok(None);
        }
        let asked = match &line.movement {
            Movement::Payment => ask_about(self, &order, attempt).await,
            Movement::Refund { .. } => refund(self, &order, attempt).await,
        };
        if let Err(error) = asked {
            let error = &error as &dyn std::error::Error;
            warn!(order.id = %order.id, attempt, error, "order {}: attempt {attempt} is not put right", order.id);
        }
        let order = self.platform.orders.load(&order.id).await?;
        let repaired = line.is_recorded(&order, attempt);
        let asked_for = order
            .payment(attempt)
            .is_some_and(|payment| payment.refund.is_some());
        let kind = match line.movement {
            Movement::Refund { .. } if !asked_for => DifferenceKind::UnknownRefund,
            _ => DifferenceKind::NotInLedger,
        };
        Ok(Some(Difference {
            repaired,
            ..line.difference(kind)
        }))
    }

    async fn order_of(
        &self,
        provider: Provider,
        out_trade_no: &str,
    ) -> Result<Option<(Order, u8)>, StoreError> {
        let Some((number, attempt)) = parse_out_trade_no(out_trade_no) else {
            return Ok(None);
        };
        let id = match self.platform.orders.find(&number).await {
            Err(StoreError::NotFound) => return Ok(None),
            id => id?,
        };
        let order = self.platform.orders.load(&id).await?;
        let ours = order
            .payment(attempt)
            .is_some_and(|payment| payment.provider == provider);
        Ok(ours.then_some((order, attempt)))
    }
}

impl Sums {
    fn of(movements: impl Iterator<Item = (bool, i64)>) -> Self {
        let mut sums = Sums::default();
        for (is_refund, fen) in movements {
            if is_refund {
                sums.refunds += 1;
                sums.refunds_fen += fen;
            } else {
                sums.payments += 1;
                sums.payments_fen += fen;
            }
        }
        sums
    }
}

/// What a bill's line is to the comparison.
trait Line {
    fn number(&self) -> &str;
    fn is_refund(&self) -> bool;
    fn is_recorded(&self, order: &Order, attempt: u8) -> bool;
    fn difference(&self, kind: DifferenceKind) -> Difference;
}

impl Line for BillLine {
    /// Ours: no trade and no refund share one.
    fn number(&self) -> &str {
        match &self.movement {
            Movement::Payment => &self.out_trade_no,
            Movement::Refund { refund_no } => refund_no,
        }
    }

    fn is_refund(&self) -> bool {
        self.movement != Movement::Payment
    }

    fn is_recorded(&self, order: &Order, attempt: u8) -> bool {
        let Some(payment) = order.payment(attempt) else {
            return false;
        };
        match &self.movement {
            Movement::Payment => is_paid_with(payment, self),
            Movement::Refund { refund_no } => {
                let number = parse_refund_no(refund_no).map(|(_, number)| number);
                payment.received().fen() == self.amount_fen
                    && !payment.owes()
                    && payment.refund.is_some_and(|refund| Some(refund.number) == number)
            }
        }
    }

    fn difference(&self, kind: DifferenceKind) -> Difference {
        Difference {
            kind,
            out_trade_no: self.out_trade_no.clone(),
            refund_no: match &self.movement {
                Movement::Payment => None,
                Movement::Refund { refund_no } => Some(refund_no.clone()),
            },
            bill_fen: Some(self.amount_fen),
            ledger_fen: None,
            repaired: false,
        }
    }
}

fn is_paid_with(payment: &Payment, line: &BillLine) -> bool {
    matches!(&payment.status, PaymentStatus::Paid { trade_no, amount, .. }
        if *trade_no == line.trade_no && amount.fen() == line.amount_fen)
}

fn number_of(posting: &Posting) -> &str {
    posting.refund_no.as_deref().unwrap_or(&posting.out_trade_no)
}

fn china_offset() -> UtcOffset {
    UtcOffset::from_hms(8, 0, 0).unwrap_or(UtcOffset::UTC)
}
