//! Whom a form's certificates name: the one place where an application becomes a subject.

use yinxin_order::form::ApplicationForm;
use yinxin_order::identifiers::{IdDocument as Document, UnitName};

use crate::request::{IdDocument, IdDocumentKind, Subject};

impl From<&ApplicationForm> for Subject {
    fn from(form: &ApplicationForm) -> Self {
        match form {
            // The form's places are for mail; no form says where a unit is registered.
            ApplicationForm::Unit(form) => Self::Unit {
                name: form.unit_name.as_str().to_owned(),
                credit_code: form.credit_code.as_str().to_owned(),
                region: None,
            },
            ApplicationForm::Person(form) => Self::Person {
                name: form.name.as_str().to_owned(),
                id_document: IdDocument::from(&form.id_document),
                employer: form
                    .employer
                    .as_ref()
                    .map(|employer| UnitName::as_str(employer).to_owned()),
            },
        }
    }
}

impl From<&Document> for IdDocument {
    fn from(document: &Document) -> Self {
        let kind = match document {
            Document::ResidentId(_) => IdDocumentKind::ResidentId,
            Document::Passport(_) => IdDocumentKind::Passport,
            Document::MilitaryOfficer(_) => IdDocumentKind::MilitaryOfficer,
            Document::HongKongMacaoPermit(_)
            | Document::TaiwanPermit(_)
            | Document::ForeignPermanentResident(_) => IdDocumentKind::Other,
        };
        Self {
            kind,
            number: document.number().to_owned(),
        }
    }
}
