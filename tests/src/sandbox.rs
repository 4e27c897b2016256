//! The outside world as the sandbox plays it: what it received, and what it is told to do.
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use reqwest::Client;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::wait;

/// The sandbox.
#[derive(Clone)]
pub struct Sandbox {
    http: Client,
    base: String,
}

/// All that was sent.
#[derive(Debug, Deserialize)]
pub struct Messages {
    /// Text messages, oldest first.
    pub sms: Vec<Sms>,
    /// Mails, oldest first.
    pub mail: Vec<Mail>,
    /// Transfers with a memo.
    pub memos: Vec<Memo>,
}

/// A text message.
#[derive(Debug, Clone, Deserialize)]
pub struct Sms {
    /// Grows from message to message.
    pub id: u64,
    /// The mobile.
    pub to: String,
    /// The template's code.
    pub template: String,
    /// What stands in the template's places.
    pub params: Map<String, Value>,
}

/// A mail.
#[derive(Debug, Clone, Deserialize)]
pub struct Mail {
    /// The address.
    pub to: String,
    /// The subject.
    pub subject: String,
    /// The text.
    pub text: String,
    /// The files.
    pub attachments: Vec<Attachment>,
}

/// A file of a mail.
#[derive(Debug, Clone, Deserialize)]
pub struct Attachment {
    /// Its name.
    pub name: String,
    /// Its length in bytes.
    pub size: u64,
}

impl Mail {
    /// Whether the mail brings an invoice.
    pub fn is_invoice(&self) -> bool {
        self.subject.ends_with("电子发票")
    }
}

/// A transfer with a memo.
#[derive(Debug, Clone, Deserialize)]
pub struct Memo {
    /// The account that got it.
    pub payee_account: String,
    /// What its statement says.
    pub memo: String,
    /// What became of it.
    pub status: String,
}

impl Sandbox {
    /// The sandbox at `base`.
    pub fn new(base: &str) -> Result<Sandbox> {
        Ok(Sandbox {
            http: Client::builder()
                .timeout(Duration::from_mins(1))
                .no_proxy()
                .build()?,
            base: base.to_owned(),
        })
    }

    /// All that was sent.
    pub async fn messages(&self) -> Result<Messages> {
        let response = self
            .http
            .get(format!("{}/messages.json", self.base))
            .send()
            .await
            .context("the sandbox does not answer")?;
        Ok(response.error_for_status()?.json().await?)
    }

    /// The text messages to a mobile that have this place in their template.
    pub async fn sms(&self, mobile: &str, place: &str) -> Result<Vec<Sms>> {
        let mut sms = self.messages().await?.sms;
        sms.retain(|message| message.to == mobile && message.params.contains_key(place));
        Ok(sms)
    }

    /// Waits for a text message to a mobile with this place in its template, later than `after`; its id and what stands there.
    pub async fn next_sms(
        &self,
        mobile: &str,
        place: &str,
        after: u64,
        limit: Duration,
    ) -> Result<(u64, String)> {
        wait::until(&format!("an SMS with {place}"), limit, async || {
            let newer = self
                .sms(mobile, place)
                .await?
                .into_iter()
                .rfind(|message| message.id > after);
            Ok(newer.and_then(|message| {
                let value = message.params.get(place)?.as_str()?.to_owned();
                Some((message.id, value))
            }))
        })
        .await
    }

    /// Waits for the memo of the latest transfer to an account.
    pub async fn memo(&self, account: &str, limit: Duration) -> Result<String> {
        wait::until("a transfer with a memo", limit, async || {
            let memos = self.messages().await?.memos;
            Ok(memos
                .into_iter()
                .rfind(|memo| memo.payee_account == account && memo.status == "SUCCESS")
                .map(|memo| memo.memo))
        })
        .await
    }

    /// Tells the sandbox to do something.
    pub async fn control(&self, path: &str, body: &Value) -> Result<Value> {
        let response = self
            .http
            .post(format!("{}/control/{path}", self.base))
            .json(body)
            .send()
            .await?;
        let status = response.status();
        let answer: Value = response.json().await?;
        ensure!(
            status.is_success(),
            "the sandbox refused {path} with {status}: {answer}"
        );
        Ok(answer)
    }

    /// Scans a payment code of Alipay and pays; what the platform answered to the notifications.
    pub async fn pay(&self, out_trade_no: &str, options: Value) -> Result<Vec<Delivered>> {
        self.pay_at("alipay", out_trade_no, options).await
    }

    /// The same with a code of this provider.
    pub async fn pay_at(&self, provider: &str, out_trade_no: &str, options: Value) -> Result<Vec<Delivered>> {
        self.deliver(&format!("{provider}/pay"), out_trade_no, options)
            .await
    }

    /// Sends Alipay's notification of a payment again.
    pub async fn notify_again(&self, out_trade_no: &str, options: Value) -> Result<Vec<Delivered>> {
        self.deliver("alipay/notify", out_trade_no, options).await
    }

    async fn deliver(&self, path: &str, out_trade_no: &str, options: Value) -> Result<Vec<Delivered>> {
        let mut body = options;
        body["out_trade_no"] = json!(out_trade_no);
        let answer = self.control(path, &body).await?;
        Ok(serde_json::from_value(answer["notifications"].clone())?)
    }

    /// Sets faults of one provider; those that are not named stay.
    pub async fn faults(&self, provider: &str, faults: Value) -> Result<()> {
        self.control("faults", &json!({provider: faults})).await.map(drop)
    }

    /// Ends all faults.
    pub async fn reset(&self) -> Result<()> {
        self.control("reset", &json!({})).await.map(drop)
    }

    /// The mails with an order's invoice that an address got.
    pub async fn invoice_mails(&self, address: &str, number: &str) -> Result<Vec<Mail>> {
        let mut mail = self.messages().await?.mail;
        mail.retain(|mail| mail.is_invoice() && mail.to == address && mail.subject.contains(number));
        Ok(mail)
    }

    /// The invoice that the provider has for an order number.
    pub async fn invoice(&self, number: &str) -> Result<Option<Value>> {
        let invoices = self.list("invoices").await?;
        Ok(invoices.into_iter().find(|invoice| invoice["order_no"] == number))
    }

    /// The parcel of a number that the courier service was told of.
    pub async fn parcel(&self, waybill: &str) -> Result<Option<Value>> {
        let parcels = self.list("parcels").await?;
        Ok(parcels.into_iter().find(|parcel| parcel["number"] == waybill))
    }

    async fn list(&self, what: &str) -> Result<Vec<Value>> {
        let response = self.http.get(format!("{}/{what}.json", self.base)).send().await?;
        let answer: Value = response.error_for_status()?.json().await?;
        answer[what]
            .as_array()
            .cloned()
            .with_context(|| format!("the sandbox lists no {what}"))
    }

    /// The trades that were paid for an order number, of both providers.
    pub async fn trades(&self, number: &str) -> Result<Vec<Value>> {
        let mut trades = self.all_trades(number).await?;
        trades.retain(|trade| trade["paid_fen"].as_i64().is_some_and(|fen| fen > 0));
        Ok(trades)
    }

    /// The trades of an order number, of both providers.
    pub async fn all_trades(&self, number: &str) -> Result<Vec<Value>> {
        let response = self.http.get(format!("{}/trades.json", self.base)).send().await?;
        let answer: Value = response.error_for_status()?.json().await?;
        let trades = answer["trades"].as_array().context("the sandbox lists trades")?;
        let is_ours = |trade: &&Value| {
            trade["out_trade_no"]
                .as_str()
                .is_some_and(|ours| ours.starts_with(number))
        };
        Ok(trades.iter().filter(is_ours).cloned().collect())
    }

    /// Lets identity checks of a number fail from now on.
    pub async fn deny(&self, number: &str) -> Result<()> {
        self.control("identity/deny", &json!({"id_number": number}))
            .await
            .map(drop)
    }

    /// Lets identity checks of a number succeed again.
    pub async fn allow(&self, number: &str) -> Result<()> {
        self.control("identity/allow", &json!({"id_number": number}))
            .await
            .map(drop)
    }
}

/// What the platform answered to one notification.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Delivered {
    /// The HTTP status, where there was an answer.
    pub status: Option<u16>,
    /// The body.
    #[serde(default)]
    pub body: Option<String>,
}

impl Delivered {
    /// Whether the provider is content: Alipay reads the body, WeChat Pay the status.
    pub fn is_success(&self) -> bool {
        let body = self.body.as_deref().unwrap_or_default();
        self.status == Some(200) && (body == "success" || body.contains("SUCCESS"))
    }
}
