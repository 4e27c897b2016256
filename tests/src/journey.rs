//! One order from the captcha to the receipt, step by step, by everybody who takes part in it.
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use time::OffsetDateTime;
use yinxin_order::form::{ApplicationForm, PasswordRoute};

use crate::applicant::{self, Applicant, Purchase};
use crate::certificates;
use crate::client::{Api, Persistence, new_key, text};
use crate::cloud::Cloud;
use crate::pictures;
use crate::sandbox::Sandbox;
use crate::staff::{self, Role, Staff};
use crate::test_data::{self, Datum};
use crate::wait;
use crate::world::{World, run};

/// How long anything may take that the platform does by itself.
const LIMIT: Duration = Duration::from_secs(30);
/// The same, while somebody kills the functions: a message comes back a minute after its function died.
const STUBBORN_LIMIT: Duration = Duration::from_mins(5);
/// How long an upload may wait for its judgement before a stubborn applicant uploads again.
const UPLOAD_PATIENCE: Duration = Duration::from_secs(15);
/// How long a stubborn applicant waits for a code before asking for another one, which is allowed after a minute.
const CODE_PATIENCE: Duration = Duration::from_secs(65);

macro_rules! steps {
    ($($step:ident $name:literal $sentence:literal [$($function:literal),*];)+) => {
        /// The steps of a journey, in order.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Step { $(#[doc = $sentence] $step),+ }

        impl Step {
            /// Every step, in order.
            pub const ALL: &'static [Step] = &[$(Step::$step),+];

            /// A short name.
            pub fn name(self) -> &'static str {
                match self { $(Step::$step => $name),+ }
            }

            /// What happens in it.
            pub fn sentence(self) -> &'static str {
                match self { $(Step::$step => $sentence),+ }
            }

            /// The functions that take part, to be looked at when it fails.
            pub fn functions(self) -> &'static [&'static str] {
                match self { $(Step::$step => &[$($function),*]),+ }
            }
        }
    };
}

steps! {
    Captcha "captcha" "The applicant solves a captcha" ["submit", "query"];
    Create "create" "The form is parsed, the identities are checked, the order is created" ["submit"];
    Confirm "confirm" "The applicant confirms; the order gets its number" ["submit"];
    Documents "documents" "The documents are uploaded and judged by their content" ["upload"];
    Code "code" "A code is sent by SMS" ["submit", "relay", "notify"];
    Sign "sign" "The code signs the application" ["submit"];
    Pay "pay" "The applicant scans the code and pays; the notification is verified" ["payment"];
    Approve "approve" "The officer looks at form and documents and approves; the applicant is told" ["review", "relay", "notify"];
    Personalise "personalise" "The agent makes the key in the token, the CA issues, the agent writes and reads back" ["personalise", "relay", "issue"];
    Password "password" "The password reaches the holder, and opens the token" ["relay", "notify"];
    Dispatch "dispatch" "The operator mails the token; the applicant is told" ["personalise", "relay", "notify"];
    Receipt "receipt" "The applicant confirms the receipt; the order is complete" ["submit"];
}

/// A step that was done.
#[derive(Debug, Clone)]
pub struct Done {
    /// Which.
    pub step: Step,
    /// When it began, Unix milliseconds.
    pub began_at: i64,
    /// How long it took.
    pub took: Duration,
}

/// Everybody and everything that takes part, the same for all journeys of a test.
#[derive(Clone)]
pub struct Stage {
    /// The stack.
    pub world: World,
    /// The API without a token.
    pub api: Api,
    /// The outside world.
    pub sandbox: Sandbox,
    /// The administrator's view.
    pub cloud: Cloud,
}

impl Stage {
    /// The stage on the running stack.
    pub async fn open() -> Result<Stage> {
        let world = World::open()?;
        Ok(Stage {
            api: Api::new(&world.api)?,
            sandbox: Sandbox::new(&world.sandbox)?,
            cloud: Cloud::open(&world).await?,
            world,
        })
    }

    /// A place for what a journey leaves behind, beside the stack's logs.
    pub fn place(&self, name: &str) -> Result<PathBuf> {
        let place = self.world.directory.join("journeys").join(name);
        remove(&place)?;
        std::fs::create_dir_all(&place)?;
        Ok(place)
    }

    /// The same stage, for people who outlast failures of the platform.
    #[must_use]
    pub fn stubborn(self) -> Stage {
        Stage {
            api: self.api.with_persistence(Persistence::Stubborn),
            ..self
        }
    }
}

/// One order on its way.
pub struct Journey {
    /// Where it takes place.
    pub stage: Stage,
    /// The form.
    pub form: ApplicationForm,
    /// What is bought.
    pub purchase: Purchase,
    /// The steps that were done.
    pub done: Vec<Done>,
    /// Where token and certificates are left.
    pub directory: PathBuf,
    captcha: Value,
    applicant: Option<Applicant>,
    number: String,
    /// How many notices the applicant got.
    notices: usize,
    code: String,
    last_code_sms: u64,
    key: String,
}

/// A seed that makes a form of its own for this run.
pub fn new_seed() -> u32 {
    let mut bytes = [0; 4];
    getrandom::fill(&mut bytes).expect("the system gives random bytes");
    // The samples of these seeds and their legal representatives have numbers of their own.
    1_000_000 + u32::from_be_bytes(bytes) % 8_000_000
}

impl Journey {
    /// A journey that has not begun, with the first vendor.
    pub async fn new(stage: &Stage, form: ApplicationForm, directory: &Path) -> Result<Journey> {
        Journey::with_vendor(stage, form, directory, 0).await
    }

    /// A journey that has not begun, with the vendor at this place of the list.
    pub async fn with_vendor(
        stage: &Stage,
        form: ApplicationForm,
        directory: &Path,
        nth: usize,
    ) -> Result<Journey> {
        let purchase = applicant::purchase(&stage.api, &form, nth).await?;
        test_data::remember(&stage.world, &test_data::of_form(&applicant::form_json(&form)?))?;
        Ok(Journey {
            stage: stage.clone(),
            form,
            purchase,
            done: Vec::new(),
            directory: directory.to_owned(),
            captcha: Value::Null,
            applicant: None,
            number: String::new(),
            notices: 0,
            code: String::new(),
            last_code_sms: 0,
            key: new_key(),
        })
    }

    /// Takes all steps up to and with `last`; those that were taken are not taken again.
    pub async fn through(&mut self, last: Step) -> Result<()> {
        let from = self.done.last().map(|done| done.step);
        for &step in Step::ALL
            .iter()
            .filter(|&&step| step <= last && Some(step) > from)
        {
            self.take(step).await?;
        }
        Ok(())
    }

    /// Takes one step and measures it.
    pub async fn take(&mut self, step: Step) -> Result<()> {
        let began_at = unix_ms();
        let started = Instant::now();
        let taken = match step {
            Step::Captcha => self.captcha().await,
            Step::Create => self.create().await,
            Step::Confirm => self.confirm().await,
            Step::Documents => self.documents().await,
            Step::Code => self.code().await,
            Step::Sign => self.sign().await,
            Step::Pay => self.pay().await,
            Step::Approve => self.approve().await,
            Step::Personalise => self.personalise().await,
            Step::Password => self.password().await,
            Step::Dispatch => self.dispatch().await,
            Step::Receipt => self.receipt().await,
        };
        taken.with_context(|| {
            format!(
                "the step `{}` failed (order {}); {}",
                step.name(),
                self.order().unwrap_or("not created"),
                self.stage.world.log_hint(step.functions())
            )
        })?;
        self.done.push(Done {
            step,
            began_at,
            took: started.elapsed(),
        });
        Ok(())
    }

    /// Who applies, once there is an order.
    pub fn applicant(&self) -> Result<&Applicant> {
        self.applicant.as_ref().context("there is no order yet")
    }

    /// The order's id, once there is one.
    pub fn order(&self) -> Result<&str> {
        Ok(&self.applicant()?.order)
    }

    /// The order's number, once it has one.
    pub fn number(&self) -> &str {
        &self.number
    }

    /// The code that was sent last.
    pub fn sent_code(&self) -> &str {
        &self.code
    }

    /// Where the token is.
    pub fn token(&self) -> PathBuf {
        self.directory.join("token")
    }

    /// A session of the vendor's staff.
    pub async fn staff(&self, role: Role) -> Result<Staff> {
        let mut staff = staff::session(&self.stage.world, &self.purchase.vendor, role).await?;
        if self.stage.api.is_stubborn() {
            staff.api = staff.api.with_persistence(Persistence::Stubborn);
        }
        Ok(staff)
    }

    fn limit(&self) -> Duration {
        if self.stage.api.is_stubborn() {
            STUBBORN_LIMIT
        } else {
            LIMIT
        }
    }

    fn remember(&self, what: &str, value: &str) -> Result<()> {
        test_data::remember(&self.stage.world, &[Datum::new(what, value)])
    }

    async fn captcha(&mut self) -> Result<()> {
        self.captcha = applicant::captcha(&self.stage.world, &self.stage.api, &self.stage.cloud).await?;
        Ok(())
    }

    async fn create(&mut self) -> Result<()> {
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

    async fn try_create(&self, form: &Value) -> Result<crate::Answer> {
        let body = applicant::order_body(&self.purchase, form, &self.captcha);
        self.stage.api.create("/api/orders", &body, &self.key).await
    }

    async fn confirm(&mut self) -> Result<()> {
        let applicant = self.applicant()?.clone();
        applicant
            .act_to("confirm", &json!({}), "awaiting_documents")
            .await?;
        self.number = text(&applicant.view().await?, "number")?;
        Ok(())
    }

    async fn documents(&mut self) -> Result<()> {
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

    async fn code(&mut self) -> Result<()> {
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

    async fn sign(&mut self) -> Result<()> {
        let body = json!({"code": self.code, "practice_statement": self.purchase.practice_statement});
        self.applicant()?
            .act_to("signature", &body, "awaiting_payment")
            .await
    }

    async fn pay(&mut self) -> Result<()> {
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
            && !delivered.iter().any(crate::sandbox::Delivered::is_success)
            && Instant::now() < until
        {
            tokio::time::sleep(Duration::from_secs(1)).await;
            delivered = self.stage.sandbox.notify_again(&out_trade_no, json!({})).await?;
        }
        ensure!(
            delivered.iter().any(crate::sandbox::Delivered::is_success),
            "the notification was not taken: {delivered:?}"
        );
        applicant.reaches("awaiting_review", self.limit()).await.map(drop)
    }

    async fn approve(&mut self) -> Result<()> {
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

    /// How many notices of the order came by SMS and by mail.
    pub async fn notices_received(&self) -> Result<(usize, usize)> {
        let messages = self.stage.sandbox.messages().await?;
        let sms = messages
            .sms
            .iter()
            .filter(|sms| sms.params.get("order").and_then(Value::as_str) == Some(&self.number));
        let address = self.form.notice_email().as_str();
        let mail = messages.mail.iter().filter(|mail| {
            mail.to == address && format!("{}{}", mail.subject, mail.text).contains(&self.number)
        });
        Ok((sms.count(), mail.count()))
    }

    async fn personalise(&mut self) -> Result<()> {
        let operator = self.staff(Role::Operator).await?;
        self.remember("session", &operator.session)?;
        let (user_pin, admin_pin) = (new_key()[..8].to_owned(), new_key()[..12].to_owned());
        self.remember("first user PIN", &user_pin)?;
        self.remember("admin PIN", &admin_pin)?;
        let workplace = self.directory.join("operator");
        remove(&workplace)?;
        remove(&self.token())?;
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&workplace)?;
        let pins = private(&workplace, "pins", &format!("{user_pin}\n{admin_pin}\n"))?;
        let session = private(&workplace, "session", &operator.session)?;
        let mut init = self.stage.world.program("yinxin-agent")?;
        init.args(["token", "init", "--label", "Journey", "--dir"])
            .arg(self.token())
            .arg("--pin-file")
            .arg(&pins);
        run(init).await.context("the token was not made")?;
        let until = Instant::now() + self.limit();
        loop {
            let mut agent = self.stage.world.program("yinxin-agent")?;
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
                .arg(&pins)
                .arg("--dir")
                .arg(self.token());
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
        certificates::export(&self.token(), &self.directory)
    }

    async fn password(&mut self) -> Result<()> {
        let password = match self.form.password_route() {
            PasswordRoute::Sms(mobile) => {
                self.stage
                    .sandbox
                    .next_sms(mobile.as_str(), "password", 0, self.limit())
                    .await?
                    .1
            }
            PasswordRoute::BankMemo(payee) => {
                self.stage
                    .sandbox
                    .memo(payee.account_number.as_str(), self.limit())
                    .await?
            }
        };
        self.remember("password", &password)?;
        certificates::password_opens(&self.token(), &password)
    }

    async fn dispatch(&mut self) -> Result<()> {
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

    async fn receipt(&mut self) -> Result<()> {
        self.applicant()?.act_to("receipt", &json!({}), "completed").await
    }
}

/// The time, Unix milliseconds.
pub fn unix_ms() -> i64 {
    i64::try_from(OffsetDateTime::now_utc().unix_timestamp_nanos() / 1_000_000).unwrap_or(i64::MAX)
}

fn remove(directory: &Path) -> Result<()> {
    match std::fs::remove_dir_all(directory) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
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
