//! A provider on the loopback address: it keeps trades, and signs answers and notifications with the test key.
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use yinxin_providers::alipay::{Alipay, Config, Merchant};
use yinxin_providers::http::Http;
use yinxin_providers::money::{fen, yuan};

pub const APP_ID: &str = "2021000000000001";
pub const SELLER_ID: &str = "2088000000000001";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Nobody has scanned the code: the provider knows no trade yet.
    Unscanned,
    Paid,
    Closed,
}

#[derive(Clone)]
pub struct Trade {
    pub amount_fen: i64,
    pub status: Status,
    pub refunds: BTreeMap<String, i64>,
}

/// What goes wrong with the next calls.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    None,
    /// Nothing is done.
    Down,
    /// What was asked is done, and the answer is lost.
    AnswerLost,
    /// Refunds are taken, and no money moves yet.
    RefundsWait,
}

pub struct Inner {
    pub trades: BTreeMap<String, Trade>,
    pub asked: Vec<String>,
    pub fault: Fault,
}

#[derive(Clone)]
pub struct Gateway(Arc<Mutex<Inner>>);

impl Gateway {
    pub fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap()
    }

    /// Listens, and gives a client that knows the test keys.
    pub async fn start() -> (Gateway, Alipay) {
        let gateway = Gateway(Arc::new(Mutex::new(Inner {
            trades: BTreeMap::new(),
            asked: Vec::new(),
            fault: Fault::None,
        })));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/gateway.do", listener.local_addr().unwrap());
        let router = Router::new().fallback(answer).with_state(gateway.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        let merchant = Merchant {
            app_id: APP_ID.to_owned(),
            app_private_key: include_str!("../../../../shared/providers/tests/fixtures/merchant.key.pem")
                .into(),
            alipay_public_key: Some(
                include_str!("../../../../shared/providers/tests/fixtures/provider.pub.pem").to_owned(),
            ),
            app_certificate: None,
            alipay_certificate: None,
            alipay_root_certificates: None,
            seller_id: SELLER_ID.to_owned(),
            product_code: None,
        };
        let config = Config {
            merchant,
            gateway_url: url,
            notify_url: "https://ca.example.com/api/notify/alipay".to_owned(),
        };
        (
            gateway,
            Alipay::new(config, Http::new("alipay").unwrap(), crate::world::NOW).unwrap(),
        )
    }

    pub fn set_fault(&self, fault: Fault) {
        self.inner().fault = fault;
    }

    /// A trade in this status, as if its code had been scanned or not.
    pub fn put(&self, out_trade_no: &str, amount_fen: i64, status: Status) {
        let refunds = BTreeMap::new();
        let trade = Trade {
            amount_fen,
            status,
            refunds,
        };
        self.inner().trades.insert(out_trade_no.to_owned(), trade);
    }

    pub fn refunded_fen(&self, out_trade_no: &str) -> i64 {
        self.inner()
            .trades
            .get(out_trade_no)
            .map_or(0, |trade| trade.refunds.values().sum())
    }
}

async fn answer(State(gateway): State<Gateway>, uri: Uri, body: String) -> Result<String, StatusCode> {
    let parameters: BTreeMap<String, String> = [uri.query().unwrap_or_default(), &body]
        .iter()
        .flat_map(|text| form_urlencoded::parse(text.as_bytes()).into_owned())
        .collect();
    let method = &parameters["method"];
    let content: Value = serde_json::from_str(&parameters["biz_content"]).unwrap();
    let mut inner = gateway.inner();
    inner
        .asked
        .push(method.trim_start_matches("alipay.trade.").to_owned());
    let fault = inner.fault;
    if fault == Fault::Down {
        return Err(StatusCode::BAD_GATEWAY);
    }
    let node = inner.node(method, &content).to_string();
    if fault == Fault::AnswerLost {
        return Err(StatusCode::BAD_GATEWAY);
    }
    let name = format!("{}_response", method.replace('.', "_"));
    Ok(format!(r#"{{"{name}":{node},"sign":"{}"}}"#, signature(&node)))
}

impl Inner {
    fn node(&mut self, method: &str, content: &Value) -> Value {
        let number = content["out_trade_no"].as_str().unwrap().to_owned();
        let fault = self.fault;
        if method == "alipay.trade.precreate" {
            let amount_fen = fen(content["total_amount"].as_str().unwrap()).unwrap();
            let trade = self.trades.entry(number.clone()).or_insert_with(|| Trade {
                amount_fen,
                status: Status::Unscanned,
                refunds: BTreeMap::new(),
            });
            return match trade.status {
                Status::Unscanned => {
                    json!({"code": "10000", "out_trade_no": number, "qr_code": format!("https://qr.alipay.com/{number}")})
                }
                Status::Paid => refusal("ACQ.TRADE_HAS_SUCCESS"),
                Status::Closed => refusal("ACQ.TRADE_HAS_CLOSE"),
            };
        }
        let Some(trade) = self
            .trades
            .get_mut(&number)
            .filter(|t| t.status != Status::Unscanned)
        else {
            return refusal("ACQ.TRADE_NOT_EXIST");
        };
        let request_no = content["out_request_no"].as_str().unwrap_or_default();
        match (method, trade.status) {
            ("alipay.trade.query", Status::Paid) => json!({
                "code": "10000", "out_trade_no": number, "trade_no": "2026040722001400000500000001",
                "trade_status": "TRADE_SUCCESS", "total_amount": yuan(trade.amount_fen),
                "send_pay_date": "2026-04-07 10:05:14",
            }),
            ("alipay.trade.query", _) => json!({
                "code": "10000", "out_trade_no": number, "trade_no": "2026040722001400000500000001",
                "trade_status": "TRADE_CLOSED", "total_amount": yuan(trade.amount_fen),
            }),
            ("alipay.trade.close", Status::Paid) => refusal("ACQ.TRADE_HAS_SUCCESS"),
            ("alipay.trade.close", _) => refusal("ACQ.TRADE_HAS_CLOSE"),
            ("alipay.trade.refund", Status::Paid) if fault == Fault::RefundsWait => {
                json!({"code": "10000", "out_trade_no": number, "fund_change": "N", "refund_fee": "0.00"})
            }
            ("alipay.trade.refund", Status::Paid) => {
                let amount_fen = fen(content["refund_amount"].as_str().unwrap()).unwrap();
                let is_new = trade.refunds.insert(request_no.to_owned(), amount_fen).is_none();
                let total = yuan(trade.refunds.values().sum());
                json!({"code": "10000", "out_trade_no": number, "fund_change": if is_new { "Y" } else { "N" }, "refund_fee": total})
            }
            ("alipay.trade.refund", _) => refusal("ACQ.TRADE_STATUS_ERROR"),
            ("alipay.trade.fastpay.refund.query", _) => match trade.refunds.get(request_no) {
                None => json!({"code": "10000", "msg": "Success"}),
                Some(amount) => json!({
                    "code": "10000", "out_trade_no": number, "out_request_no": request_no,
                    "refund_status": "REFUND_SUCCESS", "refund_amount": yuan(*amount),
                }),
            },
            (method, _) => panic!("nobody asks for {method}"),
        }
    }
}

fn refusal(sub_code: &str) -> Value {
    json!({"code": "40004", "msg": "Business Failed", "sub_code": sub_code})
}

/// The provider's signature over a text.
pub fn signature(text: &str) -> String {
    let pem = include_str!("../../../../shared/providers/tests/fixtures/provider.key.pem");
    let base64: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let key = RsaKeyPair::from_pkcs8(&STANDARD.decode(base64).unwrap()).unwrap();
    let mut signature = vec![0; key.public_modulus_len()];
    key.sign(
        &RSA_PKCS1_SHA256,
        &SystemRandom::new(),
        text.as_bytes(),
        &mut signature,
    )
    .unwrap();
    STANDARD.encode(signature)
}

/// A signed notification's body: of a whole payment, with `changes` made before it is signed.
pub fn notification(out_trade_no: &str, changes: &[(&str, &str)]) -> String {
    let mut values = BTreeMap::from([
        ("app_id", APP_ID),
        ("charset", "utf-8"),
        ("gmt_payment", "2026-04-07 10:05:14"),
        ("notify_type", "trade_status_sync"),
        ("out_trade_no", out_trade_no),
        ("seller_id", SELLER_ID),
        ("subject", "单位数字证书（一年） 100%+&="),
        ("total_amount", "220.00"),
        ("trade_no", "2026040722001400000500000001"),
        ("trade_status", "TRADE_SUCCESS"),
        ("version", "1.0"),
    ]);
    values.extend(changes.iter().copied());
    let text: Vec<String> = values
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let signature = signature(&text.join("&"));
    form_urlencoded::Serializer::new(String::new())
        .extend_pairs(&values)
        .append_pair("sign_type", "RSA2")
        .append_pair("sign", &signature)
        .finish()
}
