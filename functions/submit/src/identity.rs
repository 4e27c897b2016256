//! The identity checks of a form: asked in order, the first that fails refuses it.
use time::OffsetDateTime;
use tracing::{error, info, warn};
use yinxin_lambda::Problem;
use yinxin_lambda::problem::Code;
use yinxin_order::form::{ApplicationForm, Elements, IdentityCheck};
use yinxin_order::identifiers::CreditCode;
use yinxin_order::order::{IdentityEvidence, Personal};
use yinxin_providers::identity::{Field, Outcome, Unsupported};
use yinxin_store::checks::{PassedCheck, TooManyChecks};
use yinxin_store::vault::random_bytes;

use crate::App;

mod question;

use question::{Open, ask_provider};

impl App {
    /// What the checks of `form` answered, if all were passed. What `before` was checked for is not asked again, and neither
    /// is what anybody's form passed within a day: the provider bills each answer and blocks repeats.
    pub async fn check_identities(
        &self,
        form: &ApplicationForm,
        before: Option<&Personal>,
    ) -> Result<Vec<IdentityEvidence>, Problem> {
        let mut evidence: Vec<Option<IdentityEvidence>> = Vec::new();
        let mut open = Vec::new();
        for (place, check) in form.identity_checks().into_iter().enumerate() {
            let passed = before.and_then(|before| passed_before(&check, before));
            if passed.is_none() {
                open.push(Open::new(place, check)?);
            }
            evidence.push(passed);
        }
        if !open.is_empty() {
            for (place, passed) in self.answers(open).await? {
                evidence[place] = Some(passed);
            }
        }
        // Each place was filled above, or the form refused.
        Ok(evidence.into_iter().flatten().collect())
    }

    /// The evidence for open questions, with their places in the form.
    async fn answers(&self, open: Vec<Open<'_>>) -> Result<Vec<(usize, IdentityEvidence)>, Problem> {
        let (checks, now) = (self.platform.checks.as_ref(), self.platform.now());
        let hashes = self.platform.vault.hashes().await?;
        let questions = open
            .iter()
            .map(|open| open.hash(&hashes))
            .collect::<Result<Vec<_>, _>>()?;
        let names: Vec<String> = distinct(questions.iter().cloned());
        let mut known = checks.passed_checks(&names, now).await?;
        let is_unknown = |question: &String| known.iter().all(|passed| passed.question != *question);
        let subjects = distinct(
            open.iter()
                .zip(&questions)
                .filter(|(_, question)| is_unknown(question))
                .flat_map(|(open, _)| open.subjects(&hashes)),
        );
        // Counted before the call: after a crash nobody knows what was asked.
        checks
            .claim_checks(&subjects, now)
            .await?
            .map_err(|TooManyChecks| Problem::new(Code::IdentityCheckLimit))?;
        let mut passed = Vec::with_capacity(open.len());
        let mut paid = Vec::new();
        let mut refused = None;
        for (open, question) in open.iter().zip(questions) {
            if let Some(before) = known.iter().find(|known| known.question == question) {
                passed.push((open.place, open.evidence(before)));
                continue;
            }
            match self.ask(&open.check, question).await {
                Ok(Answered::Match(answer)) => {
                    passed.push((open.place, open.evidence(&answer)));
                    known.push(answer.clone());
                    paid.push(answer);
                }
                Ok(Answered::Otherwise(answer)) => passed.push((open.place, open.evidence(&answer))),
                Err(problem) => {
                    refused = Some(problem);
                    break;
                }
            }
        }
        self.settle(&subjects, &paid, refused.as_ref(), now).await;
        refused.map_or(Ok(passed), Err)
    }

    /// Keeps what was paid for, and takes back a try that the provider did not answer. Neither may fail the form: the one costs
    /// another question, the other one of the day's tries.
    async fn settle(
        &self,
        subjects: &[String],
        paid: &[PassedCheck],
        refused: Option<&Problem>,
        now: OffsetDateTime,
    ) {
        let checks = &self.platform.checks;
        if let Err(error) = checks.keep_passed(paid).await {
            warn!(
                error = &error as &dyn std::error::Error,
                "checks that were passed are not kept"
            );
        }
        let unanswered = refused.is_some_and(|problem| problem.code() == Code::IdentityCheckBusy.code());
        if unanswered && let Err(error) = checks.give_back_checks(subjects, now).await {
            warn!(
                error = &error as &dyn std::error::Error,
                "a try that was not answered stays counted"
            );
        }
    }

    async fn ask(&self, check: &IdentityCheck<'_>, question: String) -> Result<Answered, Problem> {
        let at = format!("/form{}", check.pointer);
        let biz_no = hex::encode(random_bytes::<16>());
        let (name, asked) = ask_provider(&check.elements, &biz_no).map_err(|problem| problem.at(&at))?;
        let now = self.platform.now();
        let answer = self.identity.verify(asked, now).await;
        info!(check = name, "the identity check {name} was answered");
        let passed = |check: String| PassedCheck {
            question,
            check,
            request_id: answer.request_id.unwrap_or_default(),
            checked_at: now,
        };
        match answer.outcome {
            Outcome::Match => Ok(Answered::Match(passed(name.to_owned()))),
            Outcome::NoRecord if is_proven_otherwise(&check.elements) => {
                Ok(Answered::Otherwise(passed(format!("{name}-no-record"))))
            }
            refused => Err(problem_of(name, &refused).at(&at)),
        }
    }
}

/// An answer that lets a form through.
enum Answered {
    /// The data belong together.
    Match(PassedCheck),
    /// The source has no record, and something else proves it.
    Otherwise(PassedCheck),
}

/// Each text once, in the order in which they came.
fn distinct(texts: impl Iterator<Item = String>) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for text in texts {
        if !all.contains(&text) {
            all.push(text);
        }
    }
    all
}

/// The evidence of the same question in the order's last form.
fn passed_before(check: &IdentityCheck<'_>, before: &Personal) -> Option<IdentityEvidence> {
    before
        .form
        .identity_checks()
        .iter()
        .zip(&before.checks)
        .find(|(known, _)| known.elements == check.elements)
        .map(|(_, evidence)| evidence.clone())
}

/// Registers of enterprises know market entities; institutions and public bodies are proven by the transfer to
/// their account and by their certificate of registration, which an officer looks at.
fn is_proven_otherwise(elements: &Elements<'_>) -> bool {
    // GB 32100-2015, 4.2.1 and table 1: registering authority 9 is that of market entities.
    let is_market_entity = |code: &CreditCode| code.as_str().starts_with('9');
    matches!(elements, Elements::Unit { credit_code, legal_representative: None, .. } if !is_market_entity(credit_code))
}

fn problem_of(check: &'static str, outcome: &Outcome) -> Problem {
    let unsupported = |why| Problem::new(Code::IdentityCheckUnsupported).because(why);
    match outcome {
        Outcome::Match | Outcome::Mismatch { .. } => {
            Problem::new(Code::IdentityCheckFailed).because(mismatch(outcome))
        }
        Outcome::NoRecord => unsupported("the source has no record of these data"),
        Outcome::Unsupported { reason } => unsupported(match reason {
            Unsupported::MobileSegment => "the mobile's operator takes no part in checks",
            Unsupported::Card => "the card's bank takes no part in checks, or refuses this one",
            Unsupported::Malformed => "the source does not accept a value",
            Unsupported::TooOften => "the same data were checked too often today",
        }),
        Outcome::ProviderBusy => Problem {
            retry_after_s: Some(30),
            ..Problem::new(Code::IdentityCheckBusy)
        },
        Outcome::ProviderConfigError { code } => {
            error!(
                check,
                code, "the identity check {check} needs an operator: {code}"
            );
            Problem::new(Code::IdentityCheckBusy)
        }
    }
}

fn mismatch(outcome: &Outcome) -> &'static str {
    let Outcome::Mismatch { which } = outcome else {
        return "the data do not belong together";
    };
    match which {
        Field::Mobile => "the mobile does not belong to the person",
        Field::IdNumber => "the identity number does not belong to the person",
        Field::Name => "the name does not belong to the identity number",
        Field::Card => "the bank card does not belong to the person, or is not valid",
        Field::LegalPerson => "the legal representative is another person",
        Field::Enterprise => "the unit's name and credit code do not belong together",
        Field::EnterpriseStatus => "the unit is deregistered, revoked or suspended",
        Field::Unspecified => "the data do not belong together",
    }
}
