//! The port's operations, each as one or two methods of Alipay.

use async_trait::async_trait;
use time::{Date, OffsetDateTime};
use tracing::{info, warn};

use super::judge::is_no_such_trade;
use super::notification::{self, Notice};
use super::{Alipay, answer, content};
use crate::payments::{
    BillLine, Close, Delivery, Doubt, Failure, NewRefund, NewTrade, Notification, NotificationError,
    PaymentGateway, Query, Reason, RefundState,
};

#[async_trait]
impl PaymentGateway for Alipay {
    async fn open(&self, trade: &NewTrade<'_>, now: OffsetDateTime) -> Result<String, Failure> {
        self.http.observed("open", self.precreate(trade, now)).await
    }

    async fn query(&self, out_trade_no: &str, now: OffsetDateTime) -> Result<Query, Failure> {
        self.http.observed("query", self.ask(out_trade_no, now)).await
    }

    async fn close(&self, out_trade_no: &str, now: OffsetDateTime) -> Result<Close, Failure> {
        self.http.observed("close", self.shut(out_trade_no, now)).await
    }

    async fn refund(&self, refund: &NewRefund<'_>, now: OffsetDateTime) -> Result<RefundState, Failure> {
        self.http.observed("refund", self.pay_back(refund, now)).await
    }

    async fn refund_query(
        &self,
        out_trade_no: &str,
        refund_no: &str,
        now: OffsetDateTime,
    ) -> Result<RefundState, Failure> {
        let asked = self.ask_about_refund(out_trade_no, refund_no, now);
        self.http.observed("refund_query", asked).await
    }

    async fn bill(&self, day: Date, now: OffsetDateTime) -> Result<Vec<BillLine>, Failure> {
        self.http.observed("bill", self.fetch_bill(day, now)).await
    }

    async fn read_notification(
        &self,
        delivery: &Delivery<'_>,
        now: OffsetDateTime,
    ) -> Result<Notification, NotificationError> {
        self.http
            .observed("notification", self.believe(delivery.body, now))
            .await
    }
}

impl Alipay {
    async fn precreate(&self, trade: &NewTrade<'_>, now: OffsetDateTime) -> Result<String, Failure> {
        let content = content::Precreate::new(trade, self.product_code.as_deref(), now)?;
        let (method, number, notify_url) = (
            "alipay.trade.precreate",
            Some(trade.out_trade_no),
            Some(self.notify_url.as_str()),
        );
        let answer: answer::Precreate = self.call(method, number, &content, notify_url, now).await?;
        Ok(answer.qr_code)
    }

    async fn ask(&self, out_trade_no: &str, now: OffsetDateTime) -> Result<Query, Failure> {
        let content = content::Trade::new(out_trade_no)?;
        let asked = self.call("alipay.trade.query", Some(out_trade_no), &content, None, now);
        match asked.await {
            Ok(trade) => Ok(answer::Trade::read(trade)?),
            // The trade comes into being when somebody scans the code.
            Err(failure) if is_no_such_trade(&failure) => Ok(Query::Unpaid),
            Err(failure) => Err(failure),
        }
    }

    async fn shut(&self, out_trade_no: &str, now: OffsetDateTime) -> Result<Close, Failure> {
        let content = content::Trade::new(out_trade_no)?;
        let asked = self.call("alipay.trade.close", Some(out_trade_no), &content, None, now);
        match asked.await {
            Ok(answer::Closed {}) => Ok(Close::Closed),
            Err(Failure::Refused(refusal)) => match refusal.reason {
                Reason::NoSuchTrade => Ok(Close::NotScanned),
                Reason::AlreadyClosed => Ok(Close::Closed),
                Reason::AlreadyPaid => Ok(Close::Paid),
                Reason::NumberTaken | Reason::Operator => Err(Failure::Refused(refusal)),
            },
            Err(failure) => Err(failure),
        }
    }

    async fn pay_back(&self, refund: &NewRefund<'_>, now: OffsetDateTime) -> Result<RefundState, Failure> {
        let content = content::Refund::new(refund)?;
        let (method, number) = ("alipay.trade.refund", Some(refund.out_trade_no));
        let asked: Result<answer::Refund, Failure> = self.call(method, number, &content, None, now).await;
        let refused = match asked {
            Ok(answer) => match answer.moved(refund.amount_fen) {
                Some(done) => return Ok(done),
                None => None,
            },
            Err(Failure::Unknown(Doubt::Transport(failure))) if !failure.may_have_acted() => {
                return Err(failure.into());
            }
            Err(failure) => Some(failure),
        };
        // A repetition moves nothing, a trade that was refunded whole is closed and refuses what was done before, and a
        // lost answer says nothing: what counts is what Alipay has on record.
        let recorded = self
            .refund_query(refund.out_trade_no, refund.refund_no, now)
            .await?;
        match (recorded, refused) {
            (RefundState::Done { amount_fen, at }, _) if amount_fen == refund.amount_fen => {
                let (trade, number) = (refund.out_trade_no, refund.refund_no);
                info!(trade, number, "the refund {number} of {trade} is on record");
                Ok(RefundState::Done { amount_fen, at })
            }
            (_, Some(failure)) => Err(failure),
            // Done with another amount, and yet not refused: this is not the refund that was asked for.
            (RefundState::Done { .. }, None) => Err(Doubt::Malformed.into()),
            (state, None) => Ok(state),
        }
    }

    async fn ask_about_refund(
        &self,
        out_trade_no: &str,
        refund_no: &str,
        now: OffsetDateTime,
    ) -> Result<RefundState, Failure> {
        let content = content::RefundQuery::new(out_trade_no, refund_no)?;
        let (method, number) = ("alipay.trade.fastpay.refund.query", Some(out_trade_no));
        let asked: Result<answer::RefundQuery, Failure> =
            self.call(method, number, &content, None, now).await;
        match asked {
            Ok(answer) => Ok(answer.read(refund_no)?),
            Err(failure) if is_no_such_trade(&failure) => Ok(RefundState::NotFound),
            Err(failure) => Err(failure),
        }
    }

    async fn believe(&self, body: &[u8], now: OffsetDateTime) -> Result<Notification, NotificationError> {
        match notification::read(body, &self.verifier.key, &self.app_id, &self.seller_id)? {
            Notice::Paid { out_trade_no, paid } => Ok(Notification::Paid { out_trade_no, paid }),
            Notice::Other { out_trade_no } => Ok(Notification::Other { out_trade_no }),
            Notice::Refund {
                out_trade_no,
                refund_no,
            } => {
                // The notice counts all refunds of the trade together: what this one moved is asked for.
                match self.refund_query(&out_trade_no, &refund_no, now).await {
                    Ok(state) => Ok(Notification::Refund {
                        out_trade_no,
                        refund_no,
                        state,
                    }),
                    Err(Failure::NotSent(_)) => {
                        warn!(
                            out_trade_no,
                            "a refund of {out_trade_no} has a number that is not ours"
                        );
                        Ok(Notification::Other { out_trade_no })
                    }
                    Err(failure) => Err(NotificationError::Unverified(failure)),
                }
            }
        }
    }
}
