//! Two payment providers in memory: they keep the money, and go wrong as they are told.
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use time::{Date, OffsetDateTime};
use yinxin_order::identifiers::china_date;
use yinxin_order::payment::Provider;
use yinxin_providers::http;
use yinxin_providers::payments::{
    BillLine, Close, Delivery, Doubt, Failure, Movement, NewRefund, NewTrade, Notification,
    NotificationError, Paid, PaymentGateway, Query, Reason, RefundState, Refusal,
};

/// What goes wrong with one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    None,
    /// Nothing is done, and no answer comes.
    Down,
    /// What was asked is done, and the answer is lost.
    AnswerLost,
    /// The provider says that it does not know.
    SystemError,
}

#[derive(Clone, Debug)]
pub struct Trade {
    pub provider: Provider,
    pub amount_fen: i64,
    pub expires_at: OffsetDateTime,
    /// Whether the provider has a trade: Alipay only from the scan on.
    pub exists: bool,
    pub closed: bool,
    pub paid: Option<Paid>,
    pub refunds: BTreeMap<String, (i64, RefundState)>,
}

impl Trade {
    pub fn refunded_fen(&self) -> i64 {
        let done = |(fen, state): &(i64, RefundState)| match state {
            RefundState::Done { .. } => *fen,
            _ => 0,
        };
        self.refunds.values().map(done).sum()
    }

    fn may_be_paid(&self, now: OffsetDateTime) -> bool {
        self.paid.is_none() && !self.closed && now < self.expires_at
    }
}

/// What the providers have.
#[derive(Default)]
pub struct Inner {
    pub trades: BTreeMap<String, Trade>,
    /// What goes wrong with the next calls, first to last.
    pub faults: VecDeque<Fault>,
    /// What the next refunds come to, first to last; `Done` otherwise.
    pub refunds: VecDeque<RefundState>,
    pub asked: Vec<&'static str>,
}

#[derive(Clone, Default)]
pub struct Till(Arc<Mutex<Inner>>);

/// The gateway of one of the providers.
pub struct Counter {
    pub provider: Provider,
    pub till: Till,
}

impl Till {
    pub fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap()
    }

    pub fn gateway(&self, provider: Provider) -> Arc<Counter> {
        let till = self.clone();
        Arc::new(Counter { provider, till })
    }

    /// A payer scans a code and pays; the notification, if it could be paid.
    pub fn pay(&self, out_trade_no: &str, fen: Option<i64>, now: OffsetDateTime) -> Option<Notification> {
        let mut inner = self.inner();
        let trade = inner.trades.get_mut(out_trade_no)?;
        if !trade.may_be_paid(now) {
            return None;
        }
        let paid = Paid {
            trade_no: format!("T{out_trade_no}"),
            amount_fen: fen.unwrap_or(trade.amount_fen),
            paid_at: Some(now),
        };
        trade.exists = true;
        trade.paid = Some(paid.clone());
        Some(Notification::Paid {
            out_trade_no: out_trade_no.to_owned(),
            paid,
        })
    }

    /// Refunds that the provider took on come to an end; their notifications.
    pub fn settle(&self, state: RefundState) -> Vec<Notification> {
        let mut inner = self.inner();
        let mut told = Vec::new();
        for (out_trade_no, trade) in &mut inner.trades {
            for (refund_no, (fen, waiting)) in &mut trade.refunds {
                if !matches!(waiting, RefundState::Processing | RefundState::Abnormal) || *waiting == state {
                    continue;
                }
                *waiting = match state {
                    RefundState::Done { at, .. } => RefundState::Done { amount_fen: *fen, at },
                    state => state,
                };
                told.push(Notification::Refund {
                    out_trade_no: out_trade_no.clone(),
                    refund_no: refund_no.clone(),
                    state: *waiting,
                });
            }
        }
        told
    }
}

impl Counter {
    /// Does `work` unless a fault has it otherwise.
    fn ask<T>(
        &self,
        name: &'static str,
        work: impl FnOnce(&mut Inner) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let mut inner = self.till.inner();
        inner.asked.push(name);
        match inner.faults.pop_front().unwrap_or(Fault::None) {
            Fault::None => work(&mut inner),
            Fault::Down => Err(lost()),
            Fault::SystemError => Err(Doubt::Busy("SYSTEM_ERROR".to_owned()).into()),
            Fault::AnswerLost => {
                work(&mut inner).ok();
                Err(lost())
            }
        }
    }
}

fn lost() -> Failure {
    http::Failure::Timeout.into()
}

fn refused(reason: Reason) -> Failure {
    let code = format!("{reason:?}");
    Failure::Refused(Refusal { code, reason })
}

#[async_trait]
impl PaymentGateway for Counter {
    async fn open(&self, wanted: &NewTrade<'_>, _now: OffsetDateTime) -> Result<String, Failure> {
        let provider = self.provider;
        self.ask("open", |inner| {
            let number = wanted.out_trade_no;
            let trade = inner.trades.entry(number.to_owned()).or_insert_with(|| Trade {
                provider,
                amount_fen: wanted.amount_fen,
                expires_at: wanted.expires_at,
                exists: provider == Provider::Wechat,
                closed: false,
                paid: None,
                refunds: BTreeMap::new(),
            });
            if trade.paid.is_some() {
                return Err(refused(Reason::AlreadyPaid));
            }
            if trade.closed {
                return Err(refused(Reason::AlreadyClosed));
            }
            if trade.amount_fen != wanted.amount_fen {
                return Err(refused(Reason::NumberTaken));
            }
            Ok(format!("{}://{number}", provider.as_str()))
        })
    }

    async fn query(&self, out_trade_no: &str, _now: OffsetDateTime) -> Result<Query, Failure> {
        self.ask("query", |inner| {
            Ok(match inner.trades.get(out_trade_no) {
                Some(Trade { paid: Some(paid), .. }) => Query::Paid(paid.clone()),
                Some(Trade { closed: true, .. }) => Query::Closed,
                _ => Query::Unpaid,
            })
        })
    }

    async fn close(&self, out_trade_no: &str, _now: OffsetDateTime) -> Result<Close, Failure> {
        self.ask("close", |inner| {
            Ok(match inner.trades.get_mut(out_trade_no) {
                Some(trade) if trade.paid.is_some() => Close::Paid,
                Some(trade) if trade.exists => {
                    trade.closed = true;
                    Close::Closed
                }
                _ => Close::NotScanned,
            })
        })
    }

    async fn refund(&self, wanted: &NewRefund<'_>, now: OffsetDateTime) -> Result<RefundState, Failure> {
        self.ask("refund", |inner| {
            let next = inner.refunds.pop_front();
            let trade = inner
                .trades
                .get_mut(wanted.out_trade_no)
                .filter(|trade| trade.paid.is_some())
                .ok_or_else(|| refused(Reason::NoSuchTrade))?;
            if let Some((fen, state)) = trade.refunds.get(wanted.refund_no) {
                assert_eq!(*fen, wanted.amount_fen, "one number is used for two refunds");
                return Ok(*state);
            }
            let living = |(_, state): &(i64, RefundState)| *state != RefundState::Closed;
            assert!(
                !trade.refunds.values().any(living),
                "money is asked back under two living numbers"
            );
            let done = RefundState::Done {
                amount_fen: wanted.amount_fen,
                at: Some(now),
            };
            let state = next.unwrap_or(done);
            trade
                .refunds
                .insert(wanted.refund_no.to_owned(), (wanted.amount_fen, state));
            Ok(state)
        })
    }

    async fn refund_query(
        &self,
        out_trade_no: &str,
        refund_no: &str,
        _now: OffsetDateTime,
    ) -> Result<RefundState, Failure> {
        self.ask("refund_query", |inner| {
            let trade = inner.trades.get(out_trade_no);
            let refund = trade.and_then(|trade| trade.refunds.get(refund_no));
            Ok(refund.map_or(RefundState::NotFound, |(_, state)| *state))
        })
    }

    async fn bill(&self, day: Date, _now: OffsetDateTime) -> Result<Vec<BillLine>, Failure> {
        let provider = self.provider;
        self.ask("bill", |inner| {
            let mut lines = Vec::new();
            for (number, trade) in inner
                .trades
                .iter()
                .filter(|(_, trade)| trade.provider == provider)
            {
                let Some(paid) = &trade.paid else { continue };
                let line = |movement, amount_fen| BillLine {
                    out_trade_no: number.clone(),
                    trade_no: paid.trade_no.clone(),
                    movement,
                    amount_fen,
                };
                if paid.paid_at.is_some_and(|at| china_date(at) == day) {
                    lines.push(line(Movement::Payment, paid.amount_fen));
                }
                for (refund_no, (_, state)) in &trade.refunds {
                    if let RefundState::Done {
                        amount_fen,
                        at: Some(at),
                    } = state
                        && china_date(*at) == day
                    {
                        let refund_no = refund_no.clone();
                        lines.push(line(Movement::Refund { refund_no }, *amount_fen));
                    }
                }
            }
            Ok(lines)
        })
    }

    /// The body is the notification; the header `signature` says whether somebody we know signed it.
    async fn read_notification(
        &self,
        delivery: &Delivery<'_>,
        _now: OffsetDateTime,
    ) -> Result<Notification, NotificationError> {
        match delivery
            .headers
            .get("signature")
            .map(axum::http::HeaderValue::as_bytes)
        {
            Some(b"good") => serde_json::from_slice(delivery.body).map_err(|_| NotificationError::Malformed),
            Some(b"app") => Err(NotificationError::WrongApp),
            Some(b"probe") => Err(NotificationError::Probe),
            _ => Err(NotificationError::BadSignature),
        }
    }
}
