//! One order from the captcha to the receipt, step by step, by everybody who takes part in it.
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde_json::Value;
use time::OffsetDateTime;
use yinxin_order::form::ApplicationForm;

use crate::applicant::{self, Applicant, Purchase};
use crate::client::{Persistence, new_key};
use crate::staff::{self, Role, Staff};
use crate::test_data::{self, Datum};

mod applying;
mod serving;
mod stage;

pub use stage::Stage;

/// How long anything may take that the platform does by itself.
const LIMIT: Duration = Duration::from_secs(30);
/// The same, while somebody kills the functions: a message comes back a minute after its function died.
const STUBBORN_LIMIT: Duration = Duration::from_mins(5);

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
    Approve "approve" "The officer looks at form and documents and approves; the applicant is told" ["review", "relay", "notify", "invoice"];
    Personalise "personalise" "The agent makes the key in the token, the CA issues, the agent writes and reads back" ["personalise", "relay", "issue"];
    Password "password" "The password, or the memo's secret for it, reaches the holder, and it opens the token" ["relay", "notify"];
    Dispatch "dispatch" "The operator mails the token; the applicant is told" ["personalise", "relay", "notify", "courier"];
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
    password: String,
}

/// A UKey without keys, as an operator takes it out of the box.
pub struct BlankToken {
    /// Its serial number.
    pub serial: String,
    /// The PIN that the operator gave it.
    pub user_pin: String,
    /// A file with both PINs.
    pins: PathBuf,
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
            password: String::new(),
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

    /// The UKey's password as the holder got it.
    pub fn sent_password(&self) -> &str {
        &self.password
    }

    /// Where the software token is, the only one that this order's agent sees.
    pub fn token(&self) -> PathBuf {
        self.directory.join("token")
    }

    /// The agent of an operator into whose computer the token is plugged.
    fn agent(&self) -> Result<Command> {
        let mut agent = self.stage.world.program("yinxin-agent")?;
        agent
            .env("YINXIN_SOFTSKF_DIR", self.token())
            .env("YINXIN_TOKEN_PROFILES", "softskf");
        Ok(agent)
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
