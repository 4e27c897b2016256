//! What the applicant does: from the captcha to the payment, and the receipt.
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::{Journey, LIMIT, STUBBORN_LIMIT};
use crate::applicant::{self, Applicant};
use crate::client::{Answer, text};
use crate::pictures;
use crate::sandbox::Delivered;

/// How long an upload may wait for its judgement before a stubborn applicant uploads again.
const UPLOAD_PATIENCE: Duration = Duration::from_secs(15);
/// How long a stubborn applicant waits for a code before asking for another one, which is allowed after a minute.
const CODE_PATIENCE: Duration = Duration::from_secs(65);

impl Journey {
    pub(super) async fn captcha(&mut self) -> Result<()> {
        self.captcha = applicant::captcha(&self.stage.world, &self.stage.api, &self.stage.cloud).await?;
        Ok(())
    }

    pub(super) async fn create(&mut self) -> Result<()> {
        let form = applicant::form_json(&self.form)?;
        let mut answer = self.try_create(&form).await?;
        // A function that died after the captcha was tried and before the order was stored costs the captcha.
        while answer.failed_tries > 0 && answer.problem() == Some("code-exhausted") {
            self.captcha().await?;
            answer = self.try_create(&form).await?;
        }
        let created = answer.ok()?;
        ensure!(
            created["price_fen"] == json!(self.purchase.price_fen),
            "the price is another one"
        );
        self.applicant = Some(Applicant::of(&self.stage.world, &self.stage.api, &created)?);
        Ok(())
    }

    async fn try_create(&self, form: &Value) -> Result<Answer> {
        let body = applicant::order_body(&self.purchase, form, &self.captcha);
        self.stage.api.create("/api/orders", &body, &self.key).await
    }

    pub(super) async fn confirm(&mut self) -> Result<()> {
        let applicant = self.applicant()?.clone();
        applicant
            .act_to("confirm", &json!({}), "awaiting_documents")
            .await?;
        self.number = text(&applicant.view().await?, "number")?;
        Ok(())
    }

    pub(super) async fn documents(&mut self) -> Result<()> {
        let applicant = self.applicant()?;
        let view = applicant.view().await?;
        let missing = view["missing_documents"].as_array().context("a list")?.clone();
        let mut uploads = Vec::with_capacity(missing.len());
        for (number, kind) in (0..).zip(&missing) {
            let kind = kind.as_str().context("a kind is a text")?;
            uploads.push((
                kind,
                number,
                applicant.upload(kind, pictures::good(number)?).await?,
            ));
        }
        for (kind, number, upload) in uploads {
            let document = self.judged(applicant, kind, number, upload).await?;
            ensure!(
                document["verdict"] == "accepted",
                "the {kind} was not accepted: {document}"
            );
        }
        ensure!(
            applicant.view().await?["missing_documents"] == json!([]),
            "documents are still missing"
        );
        Ok(())
    }

    async fn judged(
        &self,
        applicant: &Applicant,
        kind: &str,
        number: u32,
        mut upload: String,
    ) -> Result<Value> {
        if !applicant.api.is_stubborn() {
            return applicant.judged(&upload, LIMIT).await;
        }
        let started = Instant::now();
        loop {
            match applicant.judged(&upload, UPLOAD_PATIENCE).await {
                Err(_) if started.elapsed() < STUBBORN_LIMIT => {
                    upload = applicant.upload(kind, pictures::good(number)?).await?;
                }
                judged => return judged,
            }
        }
    }

    pub(super) async fn code(&mut self) -> Result<()> {
        let mobile = self.form.signature_mobile().as_str().to_owned();
        let until = Instant::now() + self.limit();
        let (id, code) = loop {
            self.ask_for_code(&mobile).await?;
            let patience = if self.stage.api.is_stubborn() {
                CODE_PATIENCE
            } else {
                LIMIT
            };
            let sms = self
                .stage
                .sandbox
                .next_sms(&mobile, "code", self.last_code_sms, patience)
                .await;
            match sms {
                // A code whose function died while it was being sent does not come: people ask for another one.
                Err(_) if self.stage.api.is_stubborn() && Instant::now() < until => {}
                sms => break sms?,
            }
        };
        ensure!(
            code.len() == 6 && code.bytes().all(|byte| byte.is_ascii_digit()),
            "a code has six digits"
        );
        self.remember("code", &code)?;
        (self.last_code_sms, self.code) = (id, code);
        Ok(())
    }

    async fn ask_for_code(&self, mobile: &str) -> Result<()> {
        let answer = self.applicant()?.act("codes", &json!({})).await?;
        // The answer to an earlier try was lost, but the code is on its way.
        if answer.failed_tries > 0 && answer.problem() == Some("code-too-soon") {
            return Ok(());
        }
        ensure!(
            answer.status == 202,
            "a code was not sent: {} {}",
            answer.status,
            answer.body
        );
        ensure!(
            answer.body["sent_to"] != json!(mobile),
            "the mobile is not masked"
        );
        Ok(())
    }

    pub(super) async fn sign(&mut self) -> Result<()> {
        let body = json!({"code": self.code, "practice_statement": self.purchase.practice_statement});
        self.applicant()?
            .act_to("signature", &body, "awaiting_payment")
            .await
    }

    pub(super) async fn pay(&mut self) -> Result<()> {
        let applicant = self.applicant()?;
        let started = applicant.start_payment().await?;
        ensure!(
            started["amount_fen"] == json!(self.purchase.price_fen),
            "the amount is not the price"
        );
        let out_trade_no = text(&started, "out_trade_no")?;
        ensure!(
            text(&started, "qr_code")?.contains("://"),
            "the code to scan is an address"
        );
        let mut delivered = self.stage.sandbox.pay(&out_trade_no, json!({})).await?;
        let until = Instant::now() + self.limit();
        // As Alipay does: again, until it is answered with success.
        while applicant.api.is_stubborn()
            && !delivered.iter().any(Delivered::is_success)
            && Instant::now() < until
        {
            tokio::time::sleep(Duration::from_secs(1)).await;
            delivered = self.stage.sandbox.notify_again(&out_trade_no, json!({})).await?;
        }
        ensure!(
            delivered.iter().any(Delivered::is_success),
            "the notification was not taken: {delivered:?}"
        );
        applicant.reaches("awaiting_review", self.limit()).await.map(drop)
    }

    pub(super) async fn receipt(&mut self) -> Result<()> {
        self.applicant()?.act_to("receipt", &json!({}), "completed").await
    }
}
