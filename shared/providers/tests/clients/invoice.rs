//! Nuonuo's client over HTTP: what it sends, what it makes of answers, and that processes share one access token.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use aws_lc_rs::hmac;
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::routing::post;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use time::Duration;
use time::macros::datetime;
use tokio::net::TcpListener;
use yinxin_providers::invoice::{
    Addresses, Buyer, CacheError, Cached, ConfigError, Doubt, FileError, Invoices as _, Issue, Issued,
    NewInvoice, Nuonuo, Query, Seller, TokenCache,
};

use crate::fake::{self, Fake, NOW};

const SECRET: &str = "SK1234567890ABCD";
const ORDER: &str = "20240520A0000000007";

/// What was asked of the gateway.
#[derive(Clone)]
struct Asked {
    uri: Uri,
    headers: HeaderMap,
    body: String,
}

#[derive(Default)]
struct Inner {
    asked: Vec<Asked>,
    answers: VecDeque<(u16, String)>,
    tokens: Vec<String>,
    token_answer: Option<(u16, String)>,
    /// What processes share.
    shared: Cached,
}

/// The provider, and what processes share.
#[derive(Clone, Default)]
struct Platform(Arc<Mutex<Inner>>);

#[async_trait]
impl TokenCache for Platform {
    async fn load(&self) -> Result<Cached, CacheError> {
        Ok(self.0.lock().unwrap().shared.clone())
    }

    async fn replace(&self, revision: u64, text: &str) -> Result<bool, CacheError> {
        let mut inner = self.0.lock().unwrap();
        if inner.shared.revision != revision {
            return Ok(false);
        }
        inner.shared = Cached {
            revision: revision + 1,
            text: text.to_owned(),
        };
        Ok(true)
    }
}

struct World {
    platform: Platform,
    addresses: Addresses,
}

impl World {
    async fn start() -> World {
        let platform = Platform::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new()
            .route("/open/v1/services", post(call))
            .route("/accessToken", post(token))
            .with_state(platform.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        let addresses = Addresses {
            gateway: format!("{base}/open/v1/services"),
            token: format!("{base}/accessToken"),
        };
        World { platform, addresses }
    }

    /// A process of the platform.
    fn process(&self) -> Nuonuo {
        Nuonuo::new(seller(), &self.addresses, &fake::http(), self.platform.clone()).unwrap()
    }

    fn answers(&self, answers: &[Value]) {
        let answers = answers.iter().map(|answer| (200, answer.to_string()));
        self.platform.0.lock().unwrap().answers.extend(answers);
    }

    fn asked(&self) -> Vec<Asked> {
        self.platform.0.lock().unwrap().asked.clone()
    }

    fn tokens(&self) -> usize {
        self.platform.0.lock().unwrap().tokens.len()
    }
}

async fn call(
    State(platform): State<Platform>,
    uri: Uri,
    headers: HeaderMap,
    body: String,
) -> (StatusCode, String) {
    let mut inner = platform.0.lock().unwrap();
    inner.asked.push(Asked { uri, headers, body });
    let (status, text) = inner.answers.pop_front().unwrap();
    (StatusCode::from_u16(status).unwrap(), text)
}

async fn token(State(platform): State<Platform>, body: String) -> (StatusCode, String) {
    let mut inner = platform.0.lock().unwrap();
    inner.tokens.push(body);
    let token = format!("token-{}", inner.tokens.len());
    let (status, text) = inner.token_answer.clone().unwrap_or_else(|| {
        (
            200,
            json!({"access_token": token, "expires_in": 86400}).to_string(),
        )
    });
    (StatusCode::from_u16(status).unwrap(), text)
}

fn seller() -> Seller {
    serde_json::from_value(json!({
        "app_key": "SD12345678",
        "app_secret": SECRET,
        "seller_tax_number": "339902999999789113",
        "seller_address": "示例路1号",
        "seller_telephone": "0731-80000000",
        "seller_account": "示例银行 43001500061052500001",
        "clerk": "开票员",
        "goods_name": "*信息技术服务*数字证书服务",
        "goods_code": "3040203000000000000",
        "tax_rate": "0.06",
    }))
    .unwrap()
}

fn new_invoice() -> NewInvoice<'static> {
    NewInvoice {
        order_no: ORDER,
        buyer: Buyer {
            title: "湖南某某有限公司",
            tax_number: Some("91430100MA4L00003Q"),
            address_telephone: Some("示例路2号 0731-80000001"),
            bank_account: None,
        },
        product: "单位数字证书（一年）",
        amount_fen: 22_000,
    }
}

fn accepted() -> Value {
    json!({"code": "E0000", "describe": "同步成功", "result": {"invoiceSerialNum": "24052010111203000001"}})
}

fn found(changes: &Value) -> Value {
    let mut found = json!({
        "serialNo": "24052010111203000001", "orderNo": ORDER, "status": "2", "invoiceTime": 1_716_171_072_000_i64,
        "allElectronicInvoiceNumber": "24432000000000000001", "invoiceNo": "",
        "pdfUrl": "https://invoice.example/1.pdf", "ofdUrl": "https://invoice.example/1.ofd", "xmlUrl": "",
    });
    for (name, value) in changes.as_object().unwrap() {
        found[name] = value.clone();
    }
    json!({"code": "E0000", "describe": "获取成功", "result": [found]})
}

/// What the client makes of one answer to a query.
async fn query(answer: Value) -> Query {
    let world = World::start().await;
    world.answers(&[answer]);
    world.process().query(ORDER, NOW).await
}

#[tokio::test]
async fn an_invoice_is_asked_for_whole_and_signed() {
    let world = World::start().await;
    world.answers(&[accepted()]);
    let issue = world.process().issue(&new_invoice(), NOW).await;
    assert!(matches!(issue, Issue::Accepted { serial } if serial == "24052010111203000001"));
    let [asked] = &world.asked()[..] else {
        panic!("asked once")
    };
    let header = |name: &str| asked.headers[name].to_str().unwrap().to_owned();
    assert_eq!(header("content-type"), "application/json");
    assert_eq!(header("method"), "nuonuo.OpeMplatform.requestBillingNew");
    assert_eq!(header("accesstoken"), "token-1");
    let values: Vec<(String, String)> = form_urlencoded::parse(asked.uri.query().unwrap().as_bytes())
        .into_owned()
        .collect();
    let value = |name: &str| &values.iter().find(|(known, _)| known == name).unwrap().1;
    assert_eq!(value("senid").len(), 32);
    assert!(value("nonce").len() == 8 && value("nonce").bytes().all(|b| b.is_ascii_digit()));
    assert_eq!(
        (value("timestamp").as_str(), value("appkey").as_str()),
        ("1716171072", "SD12345678")
    );
    let text = format!(
        "a=services&l=v1&p=open&k=SD12345678&i={}&n={}&t=1716171072&f={}",
        value("senid"),
        value("nonce"),
        asked.body
    );
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, SECRET.as_bytes());
    assert_eq!(
        header("x-nuonuo-sign"),
        STANDARD.encode(hmac::sign(&key, text.as_bytes()))
    );

    let body: Value = serde_json::from_str(&asked.body).unwrap();
    let order = &body["order"];
    for (name, value) in [
        ("orderNo", ORDER),
        ("invoiceDate", "2024-05-20 10:11:12"),
        ("invoiceType", "1"),
        ("invoiceLine", "pc"),
        ("pushMode", "-1"),
        ("buyerName", "湖南某某有限公司"),
        ("buyerTaxNum", "91430100MA4L00003Q"),
        ("buyerAddress", "示例路2号 0731-80000001"),
        ("buyerAccount", ""),
        ("salerTaxNum", "339902999999789113"),
        ("clerk", "开票员"),
    ] {
        assert_eq!(order[name], value, "{name}");
    }
    let line = &order["invoiceDetail"][0];
    for (name, value) in [
        ("goodsCode", "3040203000000000000"),
        ("specType", "单位数字证书（一年）"),
        ("withTaxFlag", "1"),
        ("taxRate", "0.06"),
        ("price", "220.00"),
        ("taxIncludedAmount", "220.00"),
        ("taxExcludedAmount", "207.55"),
        ("tax", "12.45"),
    ] {
        assert_eq!(line[name], value, "{name}");
    }
}

#[tokio::test]
async fn a_refusal_is_told_with_its_code_and_other_failures_are_doubts() {
    for (answer, is_refusal) in [
        (json!({"code": "E9106", "describe": "购方税号错误"}), true),
        (json!({"code": "070110", "describe": "签名错误"}), false),
        (json!({"code": 999, "describe": "系统繁忙"}), false),
        (json!({"describe": "nothing"}), false),
    ] {
        let world = World::start().await;
        world.answers(&[answer.clone(), answer.clone()]);
        let issue = world.process().issue(&new_invoice(), NOW).await;
        match issue {
            Issue::Refused(reason) => {
                assert!(is_refusal, "{answer}");
                assert_eq!(
                    (reason.code.as_str(), reason.detail.as_deref()),
                    ("E9106", Some("购方税号错误"))
                );
                assert!(
                    !format!("{reason:?}").contains("税号"),
                    "what may name people is not printed"
                );
            }
            Issue::Unknown(_) => assert!(!is_refusal, "{answer}"),
            Issue::Accepted { .. } => panic!("{answer} was accepted"),
        }
    }
}

#[tokio::test]
async fn a_gateway_that_is_away_for_a_moment_is_asked_once_more_with_another_stamp() {
    let world = World::start().await;
    world
        .platform
        .0
        .lock()
        .unwrap()
        .answers
        .push_back((502, String::new()));
    world.answers(&[accepted()]);
    let issue = world.process().issue(&new_invoice(), NOW).await;
    assert!(matches!(issue, Issue::Accepted { .. }));
    let asked = world.asked();
    assert_eq!((asked.len(), &asked[0].body), (2, &asked[1].body));
    assert_ne!(asked[0].uri.query(), asked[1].uri.query());
}

#[tokio::test]
async fn an_issued_invoice_has_number_time_and_files() {
    let Query::Issued(issued) = query(found(&json!({}))).await else {
        panic!("issued")
    };
    assert_eq!(
        issued,
        Issued {
            number: "24432000000000000001".to_owned(),
            pdf_url: "https://invoice.example/1.pdf".to_owned(),
            ofd_url: Some("https://invoice.example/1.ofd".to_owned()),
            xml_url: None,
            issued_at: Some(datetime!(2024-05-20 02:11:12 UTC)),
        }
    );
}

#[tokio::test]
async fn every_state_is_understood() {
    for status in ["20", "21"] {
        let answer = query(found(&json!({"status": status}))).await;
        assert!(
            matches!(answer, Query::Issuing { serial } if serial == "24052010111203000001"),
            "{status}"
        );
    }
    for (status, code) in [("22", "22"), ("24", "24"), ("3", "voided"), ("31", "voided")] {
        let answer = query(found(&json!({"status": status, "failCause": "税号错误"}))).await;
        let Query::Failed(reason) = answer else {
            panic!("{status} is a failure")
        };
        assert_eq!(reason.code, code);
    }
    // The files come a moment after the invoice.
    let answer = query(found(&json!({"pdfUrl": ""}))).await;
    assert!(matches!(answer, Query::Issuing { .. }));
    // An old invoice number in its own field.
    let answer = query(found(
        &json!({"allElectronicInvoiceNumber": null, "invoiceNo": "24432000000000000002"}),
    ))
    .await;
    assert!(matches!(answer, Query::Issued(issued) if issued.number == "24432000000000000002"));
    for unclear in [
        json!({"status": "99"}),
        json!({"allElectronicInvoiceNumber": "12345678"}),
    ] {
        assert!(
            matches!(query(found(&unclear)).await, Query::Unknown(Doubt::Malformed)),
            "{unclear}"
        );
    }
}

#[tokio::test]
async fn an_unknown_number_is_not_found() {
    let unknown = query(json!({"code": "E9500", "describe": "未查询到发票信息"})).await;
    assert!(matches!(unknown, Query::NotFound));
    let others = query(found(&json!({"orderNo": "20240520A0000000008"}))).await;
    assert!(
        matches!(others, Query::NotFound),
        "another order's invoice is none of ours"
    );
}

#[tokio::test]
async fn of_several_tries_the_invoice_that_exists_counts() {
    let mut answer = found(&json!({"status": "22"}));
    answer["result"].as_array_mut().unwrap().extend([
        found(&json!({}))["result"][0].clone(),
        found(&json!({"status": "20"}))["result"][0].clone(),
    ]);
    assert!(matches!(query(answer).await, Query::Issued(_)));
}

#[tokio::test]
async fn a_failed_invoice_is_asked_for_again_under_its_number() {
    let world = World::start().await;
    world.answers(&[json!({"code": "E0000", "describe": "成功", "result": null})]);
    let issue = world.process().retry(ORDER, NOW).await;
    assert!(matches!(issue, Issue::Accepted { serial } if serial == ORDER));
    let asked = &world.asked()[0];
    assert_eq!(asked.headers["method"], "nuonuo.OpeMplatform.reInvoice");
    assert_eq!(asked.body, format!(r#"{{"orderno":"{ORDER}"}}"#));
}

#[tokio::test]
async fn processes_share_one_token_for_a_day() {
    let world = World::start().await;
    let unknown = json!({"code": "E9500"});
    world.answers(&vec![unknown; 5]);
    let (first, second) = (world.process(), world.process());
    // At the same time: one asks, the other one waits for it.
    tokio::join!(first.query(ORDER, NOW), second.query(ORDER, NOW));
    assert_eq!(world.tokens(), 1);
    let form = world.platform.0.lock().unwrap().tokens[0].clone();
    assert_eq!(
        form,
        format!("client_id=SD12345678&client_secret={SECRET}&grant_type=client_credentials")
    );
    let shared = world.platform.0.lock().unwrap().shared.text.clone();
    assert!(
        !shared.contains("token-1"),
        "the token is shared in clear: {shared}"
    );
    world.process().query(ORDER, NOW + Duration::hours(23)).await;
    assert_eq!(world.tokens(), 1);
    // Ten minutes before its end it is not used any more.
    for process in [first, second] {
        process.query(ORDER, NOW + Duration::minutes(24 * 60 - 9)).await;
    }
    assert_eq!(world.tokens(), 2);
}

#[tokio::test]
async fn a_rejected_token_is_replaced_once() {
    let world = World::start().await;
    for code in ["070101", "070302"] {
        world.answers(&[json!({"code": code, "describe": "token失效"}), accepted()]);
        let issue = world.process().issue(&new_invoice(), NOW).await;
        assert!(matches!(issue, Issue::Accepted { .. }), "{code}");
    }
    assert_eq!(world.tokens(), 3);
    let rejected = json!({"code": "070101"});
    world.answers(&[rejected.clone(), rejected]);
    let issue = world.process().issue(&new_invoice(), NOW).await;
    assert!(matches!(issue, Issue::Unknown(Doubt::Gateway(code)) if code == "070101"));
    assert_eq!((world.tokens(), world.asked().len()), (4, 6));
}

#[tokio::test]
async fn a_gateway_that_takes_no_token_does_not_use_up_the_month() {
    let world = World::start().await;
    world.answers(&vec![json!({"code": "070101"}); 40]);
    for _ in 0..10 {
        world.process().query(ORDER, NOW).await;
    }
    assert_eq!(world.tokens(), 6);
    let answer = world.process().query(ORDER, NOW).await;
    assert!(matches!(answer, Query::Unknown(Doubt::TokenQuota)), "{answer:?}");
}

#[tokio::test]
async fn who_gets_no_token_leaves_the_turn_to_the_others_after_a_while() {
    let world = World::start().await;
    let refused = json!({"error": "invalid_client"}).to_string();
    world.platform.0.lock().unwrap().token_answer = Some((401, refused));
    let answer = world.process().query(ORDER, NOW).await;
    assert!(matches!(answer, Query::Unknown(Doubt::Token(error)) if error == "invalid_client"));
    let answer = world.process().query(ORDER, NOW).await;
    assert!(matches!(answer, Query::Unknown(Doubt::TokenBusy)), "{answer:?}");
    assert_eq!(world.tokens(), 1);
    world.platform.0.lock().unwrap().token_answer = None;
    world.answers(&[json!({"code": "E9500"})]);
    let answer = world.process().query(ORDER, NOW + Duration::minutes(3)).await;
    assert!(matches!(answer, Query::NotFound));
}

#[tokio::test]
async fn files_are_fetched_from_where_they_may_be() {
    let world = World::start().await;
    let nuonuo = world.process();
    let fake = Fake::answering(200, "%PDF-1.7 and so on").await;
    assert_eq!(
        nuonuo.file(&format!("{}/1.pdf", fake.url)).await.unwrap(),
        b"%PDF-1.7 and so on"
    );
    for url in [
        "ftp://127.0.0.1/1.pdf",
        "http://invoice.example/1.pdf",
        "file:///etc/passwd",
        "1.pdf",
    ] {
        assert!(matches!(nuonuo.file(url).await, Err(FileError::Address)), "{url}");
    }
    let gone = Fake::answering(404, "").await;
    assert!(matches!(
        nuonuo.file(&gone.url).await,
        Err(FileError::Status(404))
    ));
    let elsewhere = Fake::start(fake::Behaviour::RedirectTo(fake.url.clone())).await;
    assert!(matches!(
        nuonuo.file(&elsewhere.url).await,
        Err(FileError::Status(307))
    ));
}

#[tokio::test]
async fn a_provider_elsewhere_cannot_have_this_machine_called() {
    let addresses = Addresses {
        gateway: "https://sdk.nuonuo.com/open/v1/services".to_owned(),
        token: "https://open.nuonuo.com/accessToken".to_owned(),
    };
    let nuonuo = Nuonuo::new(seller(), &addresses, &fake::http(), Platform::default()).unwrap();
    let fake = Fake::answering(200, "%PDF-1.7").await;
    for url in [
        fake.url.clone(),
        fake.url.replace("http:", "https:"),
        "http://[::1]/".to_owned(),
    ] {
        assert!(
            matches!(nuonuo.file(&url).await, Err(FileError::Address)),
            "{url}"
        );
    }
    assert!(fake.asked().is_empty());
}

#[test]
fn a_seller_that_the_tax_office_would_not_take_is_refused_at_once() {
    let addresses = Addresses {
        gateway: "https://sdk.nuonuo.com/open/v1/services".to_owned(),
        token: "https://open.nuonuo.com/accessToken".to_owned(),
    };
    let made = |change: fn(&mut Seller), addresses: &Addresses| {
        let mut seller = seller();
        change(&mut seller);
        Nuonuo::new(seller, addresses, &fake::http(), Platform::default()).err()
    };
    assert!(made(|_| {}, &addresses).is_none());
    let rate = made(|seller| "6%".clone_into(&mut seller.tax_rate), &addresses);
    assert!(matches!(rate, Some(ConfigError::Seller("tax_rate"))));
    let code = made(|seller| "304".clone_into(&mut seller.goods_code), &addresses);
    assert!(matches!(code, Some(ConfigError::Seller("goods_code"))));
    let nowhere = Addresses {
        token: "open.nuonuo.com".to_owned(),
        ..addresses
    };
    assert!(matches!(made(|_| {}, &nowhere), Some(ConfigError::Address)));
}
