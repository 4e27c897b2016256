//! What the vendor's staff does: review, token, parcel; and what the applicant is told of it.
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use yinxin_order::form::PasswordRoute;

use super::{BlankToken, Journey, LIMIT, remove};
use crate::client::{new_key, text};
use crate::staff::Role;
use crate::world::run;
use crate::{applicant, certificates, wait};

impl Journey {
    pub(super) async fn approve(&mut self) -> Result<()> {
        let officer = self.staff(Role::Officer).await?;
        let order = self.order()?.to_owned();
        let waiting = officer.waiting("review", "awaiting_review").await?;
        ensure!(
            waiting.iter().any(|waiting| waiting["order_id"] == json!(order)),
            "the order is not in the officer's queue"
        );
        let seen = officer.order("review", &order).await?.ok()?;
        ensure!(
            seen["form"] == applicant::form_json(&self.form)?,
            "the officer sees another form"
        );
        for document in seen["documents"].as_array().context("a list")? {
            let picture = self.fetch(&text(document, "url")?).await?;
            image::load_from_memory(&picture).context("a link leads to no picture")?;
        }
        let answer = officer.approve(&order).await?;
        let was_done = answer.failed_tries > 0
            && answer.status >= 400
            && self.applicant()?.state().await? == "awaiting_personalisation";
        if !was_done {
            answer.ok()?;
        }
        self.is_told().await
    }

    async fn fetch(&self, url: &str) -> Result<Vec<u8>> {
        let response = reqwest::Client::builder()
            .no_proxy()
            .build()?
            .get(url)
            .send()
            .await?;
        Ok(response.error_for_status()?.bytes().await?.to_vec())
    }

    /// One more notice, by SMS and by mail.
    async fn is_told(&mut self) -> Result<()> {
        self.notices += 1;
        let wanted = self.notices;
        let limit = self.limit();
        wait::until("the applicant's notice", limit, async || {
            let (sms, mail) = self.notices_received().await?;
            Ok((sms >= wanted && mail >= wanted).then_some(()))
        })
        .await
    }

    /// How many notices of the order came by SMS and by mail; the mail with the invoice is none.
    pub async fn notices_received(&self) -> Result<(usize, usize)> {
        let messages = self.stage.sandbox.messages().await?;
        let sms = messages
            .sms
            .iter()
            .filter(|sms| sms.params.get("order").and_then(Value::as_str) == Some(&self.number));
        let address = self.form.notice_email().as_str();
        let mail = messages.mail.iter().filter(|mail| {
            !mail.is_invoice()
                && mail.to == address
                && format!("{}{}", mail.subject, mail.text).contains(&self.number)
        });
        Ok((sms.count(), mail.count()))
    }

    pub(super) async fn personalise(&mut self) -> Result<()> {
        let operator = self.staff(Role::Operator).await?;
        self.remember("session", &operator.session)?;
        let workplace = self.desk("operator")?;
        let blank = self.blank_token(&workplace).await?;
        let session = private(&workplace, "session", &operator.session)?;
        let until = Instant::now() + self.limit();
        loop {
            let mut agent = self.agent()?;
            agent
                .args([
                    "personalise",
                    "--order",
                    &self.number,
                    "--api",
                    &self.stage.world.api,
                ])
                .arg("--session-file")
                .arg(&session)
                .arg("--pin-file")
                .arg(&blank.pins);
            match run(agent).await {
                Ok(_) => break,
                // The same command again goes on where the last one stopped, as its help says.
                Err(_) if self.stage.api.is_stubborn() && Instant::now() < until => {}
                Err(error) => return Err(error.context("the token was not personalised")),
            }
        }
        remove(&workplace)?;
        let view = self.applicant()?.reaches("awaiting_dispatch", LIMIT).await?;
        ensure!(
            view["token_serial"].is_string(),
            "the order does not name the token"
        );
        self.export_certificates().await
    }

    /// Takes the certificates out of the token.
    pub async fn export_certificates(&self) -> Result<()> {
        let mut show = self.agent()?;
        show.args(["token", "show", "--json"]);
        certificates::export(&run(show).await?, &self.directory)
    }

    /// Makes a blank software token in the place of the one that is there; the file with its PINs is left on the desk.
    pub async fn blank_token(&self, desk: &Path) -> Result<BlankToken> {
        let (user_pin, admin_pin) = (new_key()[..8].to_owned(), new_key()[..12].to_owned());
        self.remember("first user PIN", &user_pin)?;
        self.remember("admin PIN", &admin_pin)?;
        remove(&self.token())?;
        let pins = private(desk, "pins", &format!("{user_pin}\n{admin_pin}\n"))?;
        let mut init = self.stage.world.program("softskf-init")?;
        init.args(["--label", "Journey", "--dir"])
            .arg(self.token())
            .arg("--pin-file")
            .arg(&pins);
        let serial = run(init).await.context("the token was not made")?;
        Ok(BlankToken {
            serial: serial.trim().to_owned(),
            user_pin,
            pins,
        })
    }

    /// An empty directory of its owner's alone, for what the agent is given in files.
    pub fn desk(&self, name: &str) -> Result<PathBuf> {
        let desk = self.directory.join(name);
        remove(&desk)?;
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&desk)?;
        Ok(desk)
    }

    pub(super) async fn password(&mut self) -> Result<()> {
        let password = match self.form.password_route() {
            PasswordRoute::Sms(mobile) => {
                self.stage
                    .sandbox
                    .next_sms(mobile.as_str(), "password", 0, self.limit())
                    .await?
                    .1
            }
            PasswordRoute::BankMemo(payee) => {
                let limit = self.limit();
                self.applicant()?.password_is("sent", limit).await?;
                let account = payee.account_number.as_str();
                let secret = self.stage.sandbox.memo(account, limit).await?;
                self.remember("memo secret", &secret)?;
                let collected = self.applicant()?.collect_password(&secret).await?.ok()?;
                text(&collected, "password")?
            }
        };
        self.remember("password", &password)?;
        self.password.clone_from(&password);
        let desk = self.desk("holder")?;
        let file = private(&desk, "password", &password)?;
        let mut check = self.agent()?;
        check.args(["token", "check", "--pin-file"]).arg(&file);
        run(check)
            .await
            .context("the password that the holder was sent does not open the token")?;
        remove(&desk)
    }

    pub(super) async fn dispatch(&mut self) -> Result<()> {
        let operator = self.staff(Role::Operator).await?;
        let order = self.order()?.to_owned();
        // The digits of the order's number keep waybills apart.
        let parcel = json!({"carrier": "shunfeng", "waybill": format!("SF{}", &self.number[9..])});
        let answer = operator.act("personalise", &order, "dispatch", &parcel).await?;
        let was_done = answer.failed_tries > 0
            && answer.status >= 400
            && self.applicant()?.state().await? == "awaiting_receipt";
        if !was_done {
            answer.ok()?;
        }
        self.is_told().await
    }
}

/// A file that only its owner can read, as the agent wants it.
fn private(directory: &Path, name: &str, text: &str) -> Result<PathBuf> {
    use std::io::Write as _;
    let path = directory.join(name);
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&path)?;
    file.write_all(text.as_bytes())?;
    Ok(path)
}
