//! Application forms of units and persons: parsed with everything that must fit together.
//!
//! A form is only made by deserialising it, so one that exists is a good one. It is stored as the JSON that it
//! serialises to, encrypted.
mod check;
mod error;
mod identity;
mod masked;
mod parts;
#[cfg(any(test, feature = "samples"))]
pub mod sample;
#[cfg(test)]
mod tests;
mod wire;

use serde::{Deserialize, Serialize};
use time::Date;
use utoipa::ToSchema;

pub use check::{BankPayee, HandlerCheck, PasswordRoute, PayeeKind, PersonCheck, UnitCheck};
pub use error::{Contradiction, InvalidForm};
pub use identity::{Elements, IdentityCheck};
pub use masked::MaskedForm;
pub use parts::{Consent, DocumentKind, Handler, Mailing, PersonInvoice, SealType, Subject, UnitInvoice};

use crate::identifiers::{
    CreditCode, Department, Email, IdDocument, InvalidIdentifier, InvoiceLine, Mobile, PersonName, TaxNumber,
    Telephone, UnitName,
};

/// What an applicant fills in; `subject` tells the two kinds apart.
///
/// This type is used in stored state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "subject", rename_all = "snake_case", try_from = "wire::Form")]
pub enum ApplicationForm {
    /// For a unit (单位), by its handler.
    Unit(Box<UnitForm>),
    /// For a natural person (个人).
    Person(Box<PersonForm>),
}

/// A unit's form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[non_exhaustive]
pub struct UnitForm {
    /// The unit's name (单位名称).
    pub unit_name: UnitName,
    /// Its unified social credit code (统一社会信用代码).
    pub credit_code: CreditCode,
    /// The department that will use the certificate (部门).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub department: Option<Department>,
    /// The unit's telephone (单位电话).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub telephone: Option<Telephone>,
    /// How the unit's identity is checked, and so where the password goes.
    pub unit_check: UnitCheck,
    /// Who acts for the unit (经办人).
    pub handler: Handler,
    /// How the handler's identity is checked.
    pub handler_check: HandlerCheck,
    /// The seal (印章类型).
    pub seal_type: SealType,
    /// Where the UKey is mailed.
    pub mailing: Mailing,
    /// The invoice; its title is the unit's name.
    #[serde(default)]
    pub invoice: UnitInvoice,
    /// What was consented to.
    pub consent: Consent,
}

/// A person's form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[non_exhaustive]
pub struct PersonForm {
    /// The person's name (用户名).
    pub name: PersonName,
    /// The person's identity document.
    pub id_document: IdDocument,
    /// The person's mobile: codes and notices go there.
    pub mobile: Mobile,
    /// Receives invoice, receipt and review result.
    pub email: Email,
    /// The employer (所属单位名称).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub employer: Option<UnitName>,
    /// The employer's department.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub department: Option<Department>,
    /// How the person's identity is checked, and so where the password goes.
    pub identity_check: PersonCheck,
    /// The seal (印章类型).
    pub seal_type: SealType,
    /// Where the UKey is mailed.
    pub mailing: Mailing,
    /// The invoice.
    pub invoice: PersonInvoice,
    /// What was consented to.
    pub consent: Consent,
}

impl ApplicationForm {
    /// Which kind of holder the certificate is for.
    pub fn subject(&self) -> Subject {
        match self {
            Self::Unit(_) => Subject::Unit,
            Self::Person(_) => Subject::Person,
        }
    }

    /// The holder's name, as certificates bear it.
    pub fn holder_name(&self) -> &str {
        match self {
            Self::Unit(form) => form.unit_name.as_str(),
            Self::Person(form) => form.name.as_str(),
        }
    }

    /// The holder's number: credit code or identity number. Certificates bear it, look-ups go by it.
    pub fn holder_number(&self) -> &str {
        match self {
            Self::Unit(form) => form.credit_code.as_str(),
            Self::Person(form) => form.id_document.number(),
        }
    }

    /// Who applies in person: the handler's or the person's name.
    pub fn contact_name(&self) -> &PersonName {
        match self {
            Self::Unit(form) => &form.handler.name,
            Self::Person(form) => &form.name,
        }
    }

    /// The identity document of who applies in person.
    pub fn contact_document(&self) -> &IdDocument {
        match self {
            Self::Unit(form) => &form.handler.id_document,
            Self::Person(form) => &form.id_document,
        }
    }

    /// Where notices go by SMS.
    pub fn notice_mobile(&self) -> &Mobile {
        match self {
            Self::Unit(form) => &form.handler.mobile,
            Self::Person(form) => &form.mobile,
        }
    }

    /// Where notices and invoices go by e-mail.
    pub fn notice_email(&self) -> &Email {
        match self {
            Self::Unit(form) => &form.handler.email,
            Self::Person(form) => &form.email,
        }
    }

    /// Where the code goes that signs the application (证书申请签名).
    pub fn signature_mobile(&self) -> &Mobile {
        self.notice_mobile()
    }

    /// Where the UKey is mailed.
    pub fn mailing(&self) -> &Mailing {
        match self {
            Self::Unit(form) => &form.mailing,
            Self::Person(form) => &form.mailing,
        }
    }

    /// The seal.
    pub fn seal_type(&self) -> SealType {
        match self {
            Self::Unit(form) => form.seal_type,
            Self::Person(form) => form.seal_type,
        }
    }

    /// What was consented to.
    pub fn consent(&self) -> &Consent {
        match self {
            Self::Unit(form) => &form.consent,
            Self::Person(form) => &form.consent,
        }
    }

    /// The title of the invoice: a unit's is its name.
    pub fn invoice_title(&self) -> &str {
        match self {
            Self::Unit(form) => form.unit_name.as_str(),
            Self::Person(form) => form.invoice.title.as_str(),
        }
    }

    /// The tax number on the invoice: a unit that names none has its credit code.
    pub fn invoice_tax_number(&self) -> Option<TaxNumber> {
        match self {
            Self::Unit(form) => Some(
                form.invoice
                    .tax_number
                    .clone()
                    .unwrap_or_else(|| TaxNumber::from(&form.credit_code)),
            ),
            Self::Person(form) => form.invoice.tax_number.clone(),
        }
    }

    /// Address and telephone on the invoice (地址及电话).
    pub fn invoice_address_telephone(&self) -> Option<&InvoiceLine> {
        match self {
            Self::Unit(form) => form.invoice.address_telephone.as_ref(),
            Self::Person(form) => form.invoice.address_telephone.as_ref(),
        }
    }

    /// Bank and account on the invoice (开户行及账号).
    pub fn invoice_bank_account(&self) -> Option<&InvoiceLine> {
        match self {
            Self::Unit(form) => form.invoice.bank_account.as_ref(),
            Self::Person(form) => form.invoice.bank_account.as_ref(),
        }
    }

    /// The documents that must be uploaded.
    pub fn required_documents(&self) -> &'static [DocumentKind] {
        DocumentKind::required_of(self.subject())
    }

    /// Refuses identity numbers of people who are not born on `today`; parsing knows no clock.
    pub fn check_birth_dates(&self, today: Date) -> Result<(), InvalidIdentifier> {
        let representative_fits = match self {
            Self::Unit(form) => match &form.unit_check {
                UnitCheck::LegalRepresentativeMobile { id_number, .. }
                | UnitCheck::LegalRepresentativeCard { id_number, .. } => id_number.is_born_before(today),
                UnitCheck::CompanyAccount { .. } => true,
            },
            Self::Person(_) => true,
        };
        let fits = representative_fits && self.contact_document().is_born_before(today);
        if fits {
            Ok(())
        } else {
            Err(InvalidIdentifier::IdNumber)
        }
    }
}
