//! Nuonuo's open platform: one address, the method in a header, HMAC-SHA1 over address parts and body.

mod token;
mod wire;

use async_trait::async_trait;
use reqwest::Url;
use serde::Deserialize;
use serde_json::{Value, json};
use thiserror::Error;
use time::OffsetDateTime;
use tracing::debug;

pub use token::{CacheError, Cached, TokenCache};

use super::files::{self, FileError, MAX_FILE_BYTES};
use super::tax::Rate;
use super::{Doubt, Invoices, Issue, Issued, NewInvoice, Query, Reason};
use crate::http::{Http, Limits, SetupError};
use crate::money::yuan;
use crate::{Secret, china_time};
use token::Tokens;
use wire::{Gateway, Reply};

const ISSUE: &str = "nuonuo.OpeMplatform.requestBillingNew";
const RETRY: &str = "nuonuo.OpeMplatform.reInvoice";
const QUERY: &str = "nuonuo.OpeMplatform.queryInvoiceResult";
/// The digits of an invoice's number.
const NUMBER_DIGITS: usize = 20;
/// The digits of a tax classification code (税收分类编码).
const GOODS_CODE_DIGITS: usize = 19;
/// The longest specification (规格型号) of a line.
const MAX_SPECIFICATION_CHARACTERS: usize = 40;
/// The longest sentence of the provider's that is kept.
const MAX_DETAIL_CHARACTERS: usize = 200;

/// The seller and its application, as stored in the secret.
#[derive(Clone, Debug, Deserialize)]
pub struct Seller {
    /// The application.
    pub app_key: String,
    /// The HMAC key.
    pub app_secret: Secret,
    /// The seller's tax number.
    pub seller_tax_number: String,
    /// The seller's address.
    pub seller_address: String,
    /// The seller's telephone.
    pub seller_telephone: String,
    /// The seller's bank and account.
    pub seller_account: String,
    /// Who issues (开票员).
    pub clerk: String,
    /// What is sold, as the tax office names it.
    pub goods_name: String,
    /// Its tax classification code: 19 digits.
    pub goods_code: String,
    /// Its tax rate, such as `0.06`.
    pub tax_rate: String,
}

/// Where Nuonuo is.
#[derive(Clone, Debug)]
pub struct Addresses {
    /// The gateway: `https://sdk.nuonuo.com/open/v1/services`.
    pub gateway: String,
    /// Where access tokens are given out: `https://open.nuonuo.com/accessToken`.
    pub token: String,
}

/// The client cannot be made of this configuration.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// An address is none.
    #[error("an address of the invoice provider is not an http(s) URL")]
    Address,
    /// A value of the seller's is not what the tax office takes.
    #[error("{0} is not well-formed")]
    Seller(&'static str),
    /// The HTTP client cannot be made.
    #[error(transparent)]
    Http(#[from] SetupError),
}

/// The client.
pub struct Nuonuo {
    gateway: Gateway,
    tokens: Tokens,
    seller: Seller,
    rate: Rate,
    files: Http,
    is_local: bool,
}

impl Nuonuo {
    /// A client; `cache` is what the processes that use the same application share.
    pub fn new(
        seller: Seller,
        addresses: &Addresses,
        http: &Http,
        cache: impl TokenCache + 'static,
    ) -> Result<Self, ConfigError> {
        let rate = Rate::parse(&seller.tax_rate).ok_or(ConfigError::Seller("tax_rate"))?;
        if !is_digits(&seller.goods_code, GOODS_CODE_DIGITS) {
            return Err(ConfigError::Seller("goods_code"));
        }
        let limits = Limits {
            answer_bytes: MAX_FILE_BYTES,
            ..Limits::default()
        };
        let address = |text: &str| {
            let url = Url::parse(text).ok().filter(Url::has_host);
            url.filter(|url| matches!(url.scheme(), "http" | "https"))
                .ok_or(ConfigError::Address)
        };
        let url = address(&addresses.gateway)?;
        address(&addresses.token)?;
        Ok(Nuonuo {
            is_local: files::is_loopback(&url),
            gateway: Gateway::new(http.clone(), url, &seller),
            tokens: Tokens::new(http.clone(), addresses.token.clone(), &seller, Box::new(cache)),
            files: Http::with_limits("nuonuo", limits)?,
            seller,
            rate,
        })
    }

    /// Calls a method; with a fresh access token once more where the one at hand is not good any more.
    async fn call(&self, method: &str, content: &Value, now: OffsetDateTime) -> Result<Reply, Doubt> {
        let body = content.to_string();
        let token = self.tokens.obtain(None, now).await?;
        let reply = self.gateway.call(method, &body, &token, now).await?;
        if !reply.is_about_token() {
            return Ok(reply);
        }
        debug!(code = reply.code, "the access token is not good any more");
        let token = self.tokens.obtain(Some(&token), now).await?;
        let reply = self.gateway.call(method, &body, &token, now).await?;
        if reply.is_about_token() {
            return Err(Doubt::Gateway(reply.code));
        }
        Ok(reply)
    }

    fn order(&self, invoice: &NewInvoice<'_>, now: OffsetDateTime) -> Option<Value> {
        let (seller, buyer) = (&self.seller, &invoice.buyer);
        let included_fen = invoice.amount_fen;
        let excluded_fen = self.rate.excluded_fen(included_fen)?;
        let included = yuan(included_fen)?;
        let product: String = invoice
            .product
            .chars()
            .take(MAX_SPECIFICATION_CHARACTERS)
            .collect();
        Some(json!({"order": {
            "orderNo": invoice.order_no,
            "invoiceDate": china_time::format(now)?,
            "invoiceType": "1",
            "invoiceLine": "pc",
            // The platform sends its own mail, once the files are kept.
            "pushMode": "-1",
            "clerk": seller.clerk,
            "remark": invoice.order_no,
            "buyerName": buyer.title,
            "buyerTaxNum": buyer.tax_number.unwrap_or_default(),
            "buyerAddress": buyer.address_telephone.unwrap_or_default(),
            "buyerTel": "",
            "buyerAccount": buyer.bank_account.unwrap_or_default(),
            "salerTaxNum": seller.seller_tax_number,
            "salerAddress": seller.seller_address,
            "salerTel": seller.seller_telephone,
            "salerAccount": seller.seller_account,
            "invoiceDetail": [{
                "goodsName": seller.goods_name,
                "goodsCode": seller.goods_code,
                "specType": product,
                "num": "1",
                "price": included,
                "withTaxFlag": "1",
                "taxRate": self.rate.text,
                "taxIncludedAmount": included,
                "taxExcludedAmount": yuan(excluded_fen)?,
                "tax": yuan(included_fen - excluded_fen)?,
                "invoiceLineProperty": "0",
                "favouredPolicyFlag": "0",
            }],
        }}))
    }
}

#[async_trait]
impl Invoices for Nuonuo {
    async fn issue(&self, invoice: &NewInvoice<'_>, now: OffsetDateTime) -> Issue {
        debug!(
            order_no = invoice.order_no,
            "asking for invoice {}", invoice.order_no
        );
        let call = async {
            match self.order(invoice, now) {
                Some(order) => issue_of(self.call(ISSUE, &order, now).await),
                None => Issue::Unknown(Doubt::Environment),
            }
        };
        self.gateway.http.observed("issue", call).await
    }

    async fn retry(&self, order_no: &str, now: OffsetDateTime) -> Issue {
        debug!(order_no, "asking again for invoice {order_no}");
        let content = json!({"orderno": order_no});
        let call = async {
            let mut issue = issue_of(self.call(RETRY, &content, now).await);
            // The method names no serial: the invoice keeps the one that it has.
            if let Issue::Accepted { serial } = &mut issue
                && serial.is_empty()
            {
                order_no.clone_into(serial);
            }
            issue
        };
        self.gateway.http.observed("retry", call).await
    }

    async fn query(&self, order_no: &str, now: OffsetDateTime) -> Query {
        debug!(order_no, "asking about invoice {order_no}");
        let content = json!({"orderNos": [order_no], "isOfferInvoiceDetail": "0"});
        let call = async { query_of(self.call(QUERY, &content, now).await, order_no) };
        self.gateway.http.observed("query", call).await
    }

    async fn file(&self, url: &str) -> Result<Vec<u8>, FileError> {
        let fetch = files::fetch(&self.files, url, self.is_local);
        self.files.observed("file", fetch).await
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Taken {
    #[serde(default)]
    invoice_serial_num: String,
}

fn issue_of(reply: Result<Reply, Doubt>) -> Issue {
    match reply {
        Err(doubt) => Issue::Unknown(doubt),
        Ok(reply) if reply.is_success() => match reply.result::<Option<Taken>>() {
            Ok(taken) => Issue::Accepted {
                serial: taken.map(|taken| taken.invoice_serial_num).unwrap_or_default(),
            },
            // It was accepted, whatever else the answer says; the query tells the rest.
            Err(doubt) => Issue::Unknown(doubt),
        },
        Ok(reply) if reply.is_refusal() => Issue::Refused(Reason {
            detail: detail(&reply.describe),
            code: reply.code,
        }),
        Ok(reply) => Issue::Unknown(Doubt::Gateway(reply.code)),
    }
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Found {
    serial_no: String,
    order_no: String,
    #[serde(deserialize_with = "wire::text")]
    status: String,
    fail_cause: Option<String>,
    status_msg: Option<String>,
    pdf_url: Option<String>,
    ofd_url: Option<String>,
    xml_url: Option<String>,
    #[serde(deserialize_with = "wire::text")]
    invoice_time: String,
    invoice_no: Option<String>,
    all_electronic_invoice_number: Option<String>,
}

fn query_of(reply: Result<Reply, Doubt>, order_no: &str) -> Query {
    let reply = match reply {
        Ok(reply) => reply,
        Err(doubt) => return Query::Unknown(doubt),
    };
    if reply.code == "E9500" {
        return Query::NotFound;
    }
    if !reply.is_success() {
        return Query::Unknown(Doubt::Gateway(reply.code));
    }
    match reply.result::<Vec<Found>>() {
        Ok(found) => {
            let ours = found.into_iter().filter(|found| found.order_no == order_no);
            // An invoice that exists counts, whatever became of other tries under the number.
            ours.map(Found::judge).max_by_key(rank).unwrap_or(Query::NotFound)
        }
        Err(doubt) => Query::Unknown(doubt),
    }
}

fn rank(query: &Query) -> u8 {
    match query {
        Query::NotFound => 0,
        Query::Failed(_) => 1,
        Query::Unknown(_) => 2,
        Query::Issuing { .. } => 3,
        Query::Issued(_) => 4,
    }
}

impl Found {
    fn judge(self) -> Query {
        let failed = |code: &str, detail: Option<String>| {
            Query::Failed(Reason {
                code: code.to_owned(),
                detail,
            })
        };
        match self.status.as_str() {
            "2" => self.issued(),
            // 20 issuing, 21 issued and to be signed.
            "20" | "21" => Query::Issuing {
                serial: self.serial_no,
            },
            "22" | "24" => {
                let told = self.fail_cause.or(self.status_msg).unwrap_or_default();
                failed(&self.status, detail(&told))
            }
            // 3 voided, 31 being voided: by somebody in the provider's portal.
            "3" | "31" => failed("voided", None),
            _ => Query::Unknown(Doubt::Malformed),
        }
    }

    fn issued(self) -> Query {
        let is_number = |number: &String| is_digits(number, NUMBER_DIGITS);
        let number = self.all_electronic_invoice_number.filter(is_number);
        let number = number.or(self.invoice_no.filter(is_number));
        let filled = |url: Option<String>| url.filter(|url| !url.is_empty());
        match (number, filled(self.pdf_url)) {
            (Some(number), Some(pdf_url)) => Query::Issued(Issued {
                number,
                pdf_url,
                ofd_url: filled(self.ofd_url),
                xml_url: filled(self.xml_url),
                issued_at: time_of(&self.invoice_time),
            }),
            // The files are made after the invoice.
            (Some(_), None) => Query::Issuing {
                serial: self.serial_no,
            },
            (None, _) => Query::Unknown(Doubt::Malformed),
        }
    }
}

/// Milliseconds since 1970.
fn time_of(text: &str) -> Option<OffsetDateTime> {
    let milliseconds: i128 = text.parse().ok()?;
    OffsetDateTime::from_unix_timestamp_nanos(milliseconds.checked_mul(1_000_000)?).ok()
}

/// The provider's sentence as it is kept: short, and without characters that screens trip over.
fn detail(text: &str) -> Option<String> {
    let clean: String = text
        .chars()
        .filter(|c| !c.is_control())
        .take(MAX_DETAIL_CHARACTERS)
        .collect();
    Some(clean.trim().to_owned()).filter(|text| !text.is_empty())
}

fn is_digits(text: &str, count: usize) -> bool {
    text.len() == count && text.bytes().all(|b| b.is_ascii_digit())
}
