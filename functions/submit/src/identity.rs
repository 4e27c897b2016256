//! The identity checks of a form: asked in order, the first that fails refuses it.
use tracing::{error, info};
use yinxin_lambda::Problem;
use yinxin_lambda::problem::Code;
use yinxin_order::form::{ApplicationForm, Elements, IdentityCheck};
use yinxin_order::identifiers::{CreditCode, IdDocument};
use yinxin_order::order::{IdentityEvidence, Personal};
use yinxin_providers::identity::{Check, Enterprise, Field, Outcome, Person, Unsupported};
use yinxin_store::vault::random_bytes;

use crate::App;

impl App {
    /// What the checks of `form` answered, if all were passed. What `before` was checked for is not asked again:
    /// the provider bills each answer and blocks repeats.
    pub async fn check_identities(
        &self,
        form: &ApplicationForm,
        before: Option<&Personal>,
    ) -> Result<Vec<IdentityEvidence>, Problem> {
        let mut evidence = Vec::new();
        for check in form.identity_checks() {
            let passed = match before.and_then(|before| passed_before(&check, before)) {
                Some(passed) => passed,
                None => self.ask(&check).await?,
            };
            evidence.push(passed);
        }
        Ok(evidence)
    }

    async fn ask(&self, check: &IdentityCheck<'_>) -> Result<IdentityEvidence, Problem> {
        let at = format!("/form{}", check.pointer);
        let biz_no = hex::encode(random_bytes::<16>());
        let (name, question) = question(&check.elements, &biz_no).map_err(|problem| problem.at(&at))?;
        let now = self.platform.now();
        let answer = self.identity.verify(question, now).await;
        info!(check = name, "the identity check {name} was answered");
        let passed = |check: &str| IdentityEvidence {
            check: check.to_owned(),
            request_id: answer.request_id.clone().unwrap_or_default(),
            checked_at: now,
        };
        match answer.outcome {
            Outcome::Match => Ok(passed(name)),
            Outcome::NoRecord if is_proven_otherwise(&check.elements) => {
                Ok(passed(&format!("{name}-no-record")))
            }
            refused => Err(problem_of(name, &refused).at(&at)),
        }
    }
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

/// The provider's question, with the name that the evidence bears.
fn question<'a>(elements: &'a Elements<'a>, biz_no: &'a str) -> Result<(&'static str, Check<'a>), Problem> {
    Ok(match elements {
        Elements::Unit {
            name,
            credit_code,
            legal_representative: None,
        } => {
            let (name, credit_code) = (name.as_str(), credit_code.as_str());
            let check = Check::Enterprise2 {
                name,
                credit_code,
                biz_no,
            };
            ("enterprise2", check)
        }
        Elements::Unit {
            name,
            credit_code,
            legal_representative: Some((representative, id_document)),
        } => {
            let enterprise = Enterprise {
                name: name.as_str(),
                credit_code: credit_code.as_str(),
                legal_person: representative.as_str(),
                biz_no,
            };
            let legal_person_id_number = resident_number(id_document)?;
            let check = Check::Enterprise4 {
                enterprise,
                legal_person_id_number,
            };
            ("enterprise4", check)
        }
        Elements::Person { name, id_document } => {
            let person = person(name.as_str(), id_document)?;
            ("id2", Check::Id2 { person })
        }
        Elements::Mobile {
            name,
            id_document,
            mobile,
        } => {
            let (person, mobile) = (person(name.as_str(), id_document)?, mobile.as_str());
            ("phone3", Check::Phone3 { person, mobile })
        }
        Elements::Card {
            name,
            id_document,
            card,
            mobile,
        } => {
            let person = person(name.as_str(), id_document)?;
            let (card, mobile) = (card.as_str(), mobile.as_str());
            ("card4", Check::Card4 { person, card, mobile })
        }
    })
}

fn person<'a>(name: &'a str, id_document: &'a IdDocument) -> Result<Person<'a>, Problem> {
    Ok(Person {
        name,
        id_number: resident_number(id_document)?,
    })
}

/// The sources know resident identity numbers only.
fn resident_number(id_document: &IdDocument) -> Result<&str, Problem> {
    match id_document.resident_id() {
        Some(number) => Ok(number.as_str()),
        None => Err(Problem::new(Code::IdentityCheckUnsupported)
            .because("only resident identity numbers can be checked")),
    }
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
