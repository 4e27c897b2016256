//! WeChat Pay, API v3: QR ("native") payments, queries, closing, refunds, notifications and bills, with RSA or SM2 signatures.

mod bill;
mod certificates;
mod channel;
mod config;
mod judge;
mod keys;
mod notification;
mod seal;
#[cfg(test)]
mod tests;
mod trade;
mod wire;

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use serde::Deserialize;
use time::{Date, OffsetDateTime};
use tracing::{debug, info};

use channel::Channel;
pub use config::{Config, ConfigError, Merchant, PlatformCertificates};
pub use keys::Scheme;
use trade::{Account, Native, RefundOrder, Transaction};
use wire::Distrust;

use crate::http::{Http, Limits};
use crate::payments::{
    BillLine, Close, Delivery, Doubt, Failure, NewRefund, NewTrade, Notification, NotificationError,
    PaymentGateway, Query, Reason, RefundState, Refusal,
};

/// A bill may take longer than other answers.
const BILL_TIME: Duration = Duration::from_secs(12);

/// A client of WeChat Pay for one merchant.
pub struct WechatPay {
    channel: Channel,
    account: Account,
    bills: Http,
}

#[derive(Deserialize)]
struct Code {
    code_url: String,
}

impl WechatPay {
    /// A client; fails when something in the configuration cannot be used.
    pub fn new(config: Config, http: Http) -> Result<Self, ConfigError> {
        config.check()?;
        let bills = Limits {
            total: BILL_TIME,
            answer_bytes: bill::MAX_FILE_BYTES,
            ..Limits::default()
        };
        Ok(Self {
            channel: Channel::new(&config.merchant, &config.base_url, http)?,
            account: Account {
                mchid: config.merchant.mchid,
                appid: config.merchant.appid,
                notify_url: config.notify_url,
            },
            bills: Http::with_limits("wechat", bills)?,
        })
    }

    async fn open_trade(&self, trade: &NewTrade<'_>, now: OffsetDateTime) -> Result<String, Failure> {
        let order = Native::new(&self.account, trade, now)?;
        let number = trade.out_trade_no;
        debug!(out_trade_no = number, "asking WeChat Pay for a code for {number}");
        let body = self
            .channel
            .post("/v3/pay/transactions/native", &order, now)
            .await?;
        let Code { code_url } = serde_json::from_slice(&body).map_err(|_| Doubt::Malformed)?;
        if code_url.is_empty() {
            return Err(Doubt::Malformed.into());
        }
        Ok(code_url)
    }

    async fn query_trade(&self, out_trade_no: &str, now: OffsetDateTime) -> Result<Query, Failure> {
        trade::trade_number(out_trade_no)?;
        debug!(out_trade_no, "asking WeChat Pay about {out_trade_no}");
        let mchid = &self.account.mchid;
        let path = format!("/v3/pay/transactions/out-trade-no/{out_trade_no}?mchid={mchid}");
        let transaction: Transaction = match self.channel.get(&path, now).await {
            // Not signed, so no proof of anything; nor does `Unpaid` claim any.
            Err(Failure::Refused(Refusal {
                reason: Reason::NoSuchTrade,
                ..
            })) => return Ok(Query::Unpaid),
            answer => answer?,
        };
        if !transaction.is_of(&self.account) || transaction.out_trade_no != out_trade_no {
            return Err(Doubt::Malformed.into());
        }
        Ok(transaction.state().ok_or(Doubt::Malformed)?)
    }

    async fn close_trade(&self, out_trade_no: &str, now: OffsetDateTime) -> Result<Close, Failure> {
        trade::trade_number(out_trade_no)?;
        debug!(out_trade_no, "asking WeChat Pay to close {out_trade_no}");
        let path = format!("/v3/pay/transactions/out-trade-no/{out_trade_no}/close");
        let body = serde_json::json!({"mchid": self.account.mchid});
        match self.channel.post(&path, &body, now).await {
            Ok(_) => Ok(Close::Closed),
            Err(Failure::Refused(refusal)) => match refusal.reason {
                Reason::NoSuchTrade => Ok(Close::NotScanned),
                Reason::AlreadyPaid => Ok(Close::Paid),
                // An unsigned error is no proof that nobody can pay any more; the answer to a query is one.
                Reason::AlreadyClosed => match self.query_trade(out_trade_no, now).await? {
                    Query::Closed => Ok(Close::Closed),
                    Query::Paid(_) => Ok(Close::Paid),
                    Query::Unpaid => Ok(Close::NotScanned),
                },
                Reason::NumberTaken | Reason::Operator => Err(Failure::Refused(refusal)),
            },
            Err(failure) => Err(failure),
        }
    }

    async fn ask_refund(&self, refund: &NewRefund<'_>, now: OffsetDateTime) -> Result<RefundState, Failure> {
        let order = RefundOrder::new(&self.account, refund)?;
        let number = refund.refund_no;
        debug!(refund_no = number, "asking WeChat Pay for refund {number}");
        let body = self
            .channel
            .post("/v3/refund/domestic/refunds", &order, now)
            .await?;
        let answered: trade::Refund = serde_json::from_slice(&body).map_err(|_| Doubt::Malformed)?;
        if !answered.is(refund.out_trade_no, number) || answered.amount_fen() != refund.amount_fen {
            return Err(Doubt::Malformed.into());
        }
        Ok(answered.state().ok_or(Doubt::Malformed)?)
    }

    async fn query_refund(
        &self,
        out_trade_no: &str,
        refund_no: &str,
        now: OffsetDateTime,
    ) -> Result<RefundState, Failure> {
        trade::trade_number(out_trade_no)?;
        trade::refund_number(refund_no)?;
        debug!(refund_no, "asking WeChat Pay about refund {refund_no}");
        let path = format!("/v3/refund/domestic/refunds/{refund_no}");
        let answered: trade::Refund = match self.channel.get(&path, now).await {
            // What follows is to ask for it again under the same number, which moves no money twice.
            Err(Failure::Refused(Refusal {
                reason: Reason::NoSuchTrade,
                ..
            })) => return Ok(RefundState::NotFound),
            answer => answer?,
        };
        if !answered.is(out_trade_no, refund_no) {
            return Err(Doubt::Malformed.into());
        }
        Ok(answered.state().ok_or(Doubt::Malformed)?)
    }

    async fn day_bill(&self, day: Date, now: OffsetDateTime) -> Result<Vec<BillLine>, Failure> {
        let path = bill::path(day).ok_or(Failure::NotSent("the day is out of range"))?;
        let located: bill::Located = match self.channel.get(&path, now).await {
            Err(Failure::Refused(refusal)) if refusal.code.replace('_', "") == "NOSTATEMENTEXIST" => {
                return if bill::is_due(day, now) {
                    Ok(Vec::new())
                } else {
                    Err(Doubt::Busy(refusal.code).into())
                };
            }
            answer => answer?,
        };
        let file = self
            .channel
            .download(&self.bills, &located.download_url, now)
            .await?;
        Ok(bill::read(&file, &located, &self.account)?)
    }

    async fn believe(
        &self,
        delivery: &Delivery<'_>,
        now: OffsetDateTime,
    ) -> Result<Notification, NotificationError> {
        if delivery.body.len() > notification::MAX_BYTES {
            return Err(NotificationError::Malformed);
        }
        let verified = self.channel.verify(delivery.headers, delivery.body, now).await;
        if let Err(Distrust::Probe) = verified {
            info!("WeChat Pay tested whether notifications are verified");
        }
        verified?;
        notification::read(delivery.body, &self.channel.api_key, &self.account)
    }
}

#[async_trait]
impl PaymentGateway for WechatPay {
    async fn open(&self, trade: &NewTrade<'_>, now: OffsetDateTime) -> Result<String, Failure> {
        self.channel
            .http
            .observed("open", self.open_trade(trade, now))
            .await
    }

    async fn query(&self, out_trade_no: &str, now: OffsetDateTime) -> Result<Query, Failure> {
        let query = self.query_trade(out_trade_no, now);
        self.channel.http.observed("query", query).await
    }

    async fn close(&self, out_trade_no: &str, now: OffsetDateTime) -> Result<Close, Failure> {
        let close = self.close_trade(out_trade_no, now);
        self.channel.http.observed("close", close).await
    }

    async fn refund(&self, refund: &NewRefund<'_>, now: OffsetDateTime) -> Result<RefundState, Failure> {
        let refund = self.ask_refund(refund, now);
        self.channel.http.observed("refund", refund).await
    }

    async fn refund_query(
        &self,
        out_trade_no: &str,
        refund_no: &str,
        now: OffsetDateTime,
    ) -> Result<RefundState, Failure> {
        let query = self.query_refund(out_trade_no, refund_no, now);
        self.channel.http.observed("refund_query", query).await
    }

    async fn bill(&self, day: Date, now: OffsetDateTime) -> Result<Vec<BillLine>, Failure> {
        self.channel.http.observed("bill", self.day_bill(day, now)).await
    }

    async fn read_notification(
        &self,
        delivery: &Delivery<'_>,
        now: OffsetDateTime,
    ) -> Result<Notification, NotificationError> {
        let notification = self.believe(delivery, now);
        self.channel.http.observed("notification", notification).await
    }
}

impl fmt::Debug for WechatPay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WechatPay")
            .field("mchid", &self.account.mchid)
            .field("appid", &self.account.appid)
            .finish_non_exhaustive()
    }
}
