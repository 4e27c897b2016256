//! A merchant with one payment provider in one of its modes: the client, its notifications, and the buyers.

use std::sync::Arc;

use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};
use tokio::net::TcpListener;
use yinxin_providers::alipay::{self, Alipay};
use yinxin_providers::http::{Http, Limits};
use yinxin_providers::payments::{
    Close, Failure, NewRefund, NewTrade, Notification, PaymentGateway, Query, RefundState,
};
use yinxin_providers::wechat::{self, WechatPay};

use crate::inbox::Inbox;
use crate::process::Sandbox;

pub const PRICE_FEN: i64 = 22_000;

/// How the provider and the merchant know each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    AlipayKey,
    AlipayCertificate,
    WechatPublicKey,
    WechatCertificate,
    WechatBoth,
    WechatSm,
}

impl Mode {
    /// One of each provider, where it is not the keys that matter.
    pub const ONE_OF_EACH: [Self; 2] = [Self::AlipayKey, Self::WechatBoth];

    pub fn is_alipay(self) -> bool {
        matches!(self, Self::AlipayKey | Self::AlipayCertificate)
    }

    /// The sandbox's word for the provider.
    fn provider(self) -> &'static str {
        if self.is_alipay() { "alipay" } else { "wechat" }
    }

    fn start(self) -> Option<Sandbox> {
        let (wechat, alipay) = match self {
            Self::AlipayKey | Self::WechatPublicKey => ("public-key", "key"),
            Self::AlipayCertificate => ("public-key", "certificate"),
            Self::WechatCertificate => ("certificate", "key"),
            Self::WechatBoth => ("both", "key"),
            Self::WechatSm => ("sm", "key"),
        };
        Sandbox::start(wechat, alipay)
    }
}

pub struct Shop {
    pub mode: Mode,
    pub gateway: Arc<dyn PaymentGateway>,
    pub inbox: Inbox,
    pub sandbox: Sandbox,
    /// Of all trades: the same trade again must be the same to the second.
    expires_at: OffsetDateTime,
}

impl Shop {
    pub async fn open(mode: Mode) -> Option<Self> {
        Self::open_with(mode, Limits::default()).await
    }

    /// With limits of its own on the provider's answers.
    pub async fn open_with(mode: Mode, limits: Limits) -> Option<Self> {
        let sandbox = mode.start()?;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let notify_url = format!("http://{}/notify", listener.local_addr().unwrap());
        let gateway = client(mode, &sandbox, notify_url, limits);
        Some(Self {
            mode,
            inbox: Inbox::serve(listener, Arc::clone(&gateway)),
            gateway,
            sandbox,
            expires_at: now() + Duration::hours(1),
        })
    }

    pub fn trade<'a>(&self, out_trade_no: &'a str) -> NewTrade<'a> {
        NewTrade {
            out_trade_no,
            amount_fen: PRICE_FEN,
            subject: "CA数字证书, 企业版 + 100%",
            expires_at: self.expires_at,
        }
    }

    pub async fn ask_for_code(&self, out_trade_no: &str) -> Result<String, Failure> {
        self.gateway.open(&self.trade(out_trade_no), now()).await
    }

    pub async fn query(&self, out_trade_no: &str) -> Result<Query, Failure> {
        self.gateway.query(out_trade_no, now()).await
    }

    pub async fn close(&self, out_trade_no: &str) -> Result<Close, Failure> {
        self.gateway.close(out_trade_no, now()).await
    }

    pub async fn refund(
        &self,
        out_trade_no: &str,
        refund_no: &str,
        amount_fen: i64,
    ) -> Result<RefundState, Failure> {
        let refund = NewRefund {
            out_trade_no,
            refund_no,
            amount_fen,
            total_fen: PRICE_FEN,
            reason: "审核未通过",
        };
        self.gateway.refund(&refund, now()).await
    }

    pub async fn refund_query(&self, out_trade_no: &str, refund_no: &str) -> Result<RefundState, Failure> {
        self.gateway.refund_query(out_trade_no, refund_no, now()).await
    }

    /// A trade that a buyer paid and that the client was told of.
    pub async fn sell(&mut self, out_trade_no: &str) {
        self.ask_for_code(out_trade_no).await.unwrap();
        self.pay(out_trade_no).await;
        let told = self.inbox.next().await.read.unwrap();
        assert!(matches!(told, Notification::Paid { .. }), "{told:?}");
    }

    /// A buyer scans and pays; what the deliveries of the notification were answered with.
    pub async fn pay(&self, out_trade_no: &str) -> Vec<u64> {
        self.play("pay", json!({"out_trade_no": out_trade_no})).await
    }

    /// A control call of the provider; what its notifications were answered with.
    pub async fn play(&self, action: &str, wish: Value) -> Vec<u64> {
        let answer = self.sandbox.control(&self.control(action), &wish).await;
        let told = answer["notifications"].as_array().map(Vec::as_slice);
        told.unwrap_or_default()
            .iter()
            .map(|delivery| delivery["status"].as_u64().unwrap_or_default())
            .collect()
    }

    /// The path of one of the provider's control calls.
    pub fn control(&self, action: &str) -> String {
        format!("{}/{action}", self.mode.provider())
    }

    pub async fn set_faults(&self, switches: Value) {
        let mut sections = serde_json::Map::new();
        sections.insert(self.mode.provider().to_owned(), switches);
        self.sandbox.control("faults", &sections.into()).await;
    }

    /// The trade as the sandbox has it.
    pub async fn recorded(&self, out_trade_no: &str) -> Value {
        let all = self.sandbox.recorded("trades.json").await;
        let trades = all["trades"].as_array().unwrap();
        let found = trades.iter().find(|trade| trade["out_trade_no"] == out_trade_no);
        found.unwrap().clone()
    }
}

pub fn now() -> OffsetDateTime {
    OffsetDateTime::now_utc()
}

fn client(mode: Mode, sandbox: &Sandbox, notify_url: String, limits: Limits) -> Arc<dyn PaymentGateway> {
    let http = Http::with_limits(mode.provider(), limits).unwrap();
    let secret = sandbox.secrets[mode.provider()].clone();
    if mode.is_alipay() {
        let config = alipay::Config {
            merchant: serde_json::from_value(secret).unwrap(),
            gateway_url: format!("{}/alipay/gateway.do", sandbox.url),
            notify_url,
        };
        Arc::new(Alipay::new(config, http, now()).unwrap())
    } else {
        let config = wechat::Config {
            merchant: serde_json::from_value(secret).unwrap(),
            base_url: format!("{}/wechat", sandbox.url),
            notify_url,
        };
        Arc::new(WechatPay::new(config, http).unwrap())
    }
}
