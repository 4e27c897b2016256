//! One question of a form: how a provider is asked, and the keyed hashes under which it and its numbers are known.
use yinxin_lambda::Problem;
use yinxin_lambda::problem::Code;
use yinxin_order::form::{Elements, IdentityCheck};
use yinxin_order::identifiers::IdDocument;
use yinxin_order::order::IdentityEvidence;
use yinxin_providers::identity::{Check, Enterprise, Person};
use yinxin_store::checks::PassedCheck;
use yinxin_store::vault::Hashes;

/// A question that the order's last form did not ask.
pub(super) struct Open<'a> {
    pub(super) place: usize,
    pub(super) check: IdentityCheck<'a>,
}

impl<'a> Open<'a> {
    /// Refuses what no source can answer, before anything is counted.
    pub(super) fn new(place: usize, check: IdentityCheck<'a>) -> Result<Self, Problem> {
        let at = format!("/form{}", check.pointer);
        ask_provider(&check.elements, "").map_err(|problem| problem.at(&at))?;
        Ok(Open { place, check })
    }

    /// The name of the question with all its values: a keyed hash.
    pub(super) fn hash(&self, hashes: &Hashes) -> Result<String, Problem> {
        let (name, _) = ask_provider(&self.check.elements, "")?;
        let mut values = vec![name];
        match &self.check.elements {
            Elements::Unit {
                name,
                credit_code,
                legal_representative,
            } => {
                values.extend([name.as_str(), credit_code.as_str()]);
                if let Some((representative, id_document)) = legal_representative {
                    values.extend([representative.as_str(), id_document.number()]);
                }
            }
            Elements::Person { name, id_document } => {
                values.extend([name.as_str(), id_document.number()]);
            }
            Elements::Mobile {
                name,
                id_document,
                mobile,
            } => values.extend([name.as_str(), id_document.number(), mobile.as_str()]),
            Elements::Card {
                name,
                id_document,
                card,
                mobile,
            } => values.extend([
                name.as_str(),
                id_document.number(),
                card.as_str(),
                mobile.as_str(),
            ]),
        }
        // No value holds a line's end.
        Ok(hashes.lookup("identity-question", &values.join("\n")))
    }

    /// The numbers whose tries are counted: keyed hashes.
    pub(super) fn subjects(&self, hashes: &Hashes) -> Vec<String> {
        let elements = &self.check.elements;
        let number = elements
            .id_document()
            .map(|document| hashes.lookup("identity-number", document.number()));
        let mobile = elements
            .mobile()
            .map(|mobile| hashes.lookup("identity-mobile", mobile.as_str()));
        number.into_iter().chain(mobile).collect()
    }

    pub(super) fn evidence(&self, passed: &PassedCheck) -> IdentityEvidence {
        IdentityEvidence {
            check: passed.check.clone(),
            request_id: passed.request_id.clone(),
            checked_at: passed.checked_at,
            values: self.check.elements.masked(),
        }
    }
}

/// The provider's question, with the name that the evidence bears.
pub(super) fn ask_provider<'a>(
    elements: &'a Elements<'a>,
    biz_no: &'a str,
) -> Result<(&'static str, Check<'a>), Problem> {
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
