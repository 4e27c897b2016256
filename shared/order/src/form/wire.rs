//! Forms as they arrive. The fields of all variants stand side by side, because serde's tagged enums buffer their
//! content, and an error in it would no longer name the field.
use serde::Deserialize;

use super::error::{Contradiction, InvalidForm};
use super::{
    ApplicationForm, Consent, Handler, Mailing, PersonForm, PersonInvoice, SealType, Subject, UnitForm,
    UnitInvoice,
};
use crate::identifiers::{
    AccountName, BankAccount, BankCard, BankName, CreditCode, Department, Email, IdDocument,
    InvalidIdentifier, InvoiceLine, InvoiceTitle, Mobile, PersonName, Place, ResidentId, TaxNumber,
    Telephone, UnitName,
};

/// Refuses fields that are given and have no place: `refuse!(form: name, mobile)`.
macro_rules! refuse {
    ($from:ident: $($field:ident),+) => {
        $(if $from.$field.is_some() { return Err(InvalidForm::Unknown(stringify!($field))); })+
    };
}

/// Takes a field that must be given: `need!(form.name)`.
macro_rules! need {
    ($from:ident.$field:ident) => {
        $from.$field.ok_or(InvalidForm::Missing(stringify!($field)))?
    };
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Form {
    subject: Subject,
    // A unit's fields.
    unit_name: Option<UnitName>,
    credit_code: Option<CreditCode>,
    telephone: Option<Telephone>,
    unit_check: Option<super::UnitCheck>,
    handler: Option<Handler>,
    handler_check: Option<super::HandlerCheck>,
    // A person's fields.
    name: Option<PersonName>,
    id_document: Option<IdDocument>,
    mobile: Option<Mobile>,
    email: Option<Email>,
    employer: Option<UnitName>,
    identity_check: Option<super::PersonCheck>,
    // Fields of both.
    department: Option<Department>,
    seal_type: SealType,
    mailing: Mailing,
    #[serde(default)]
    invoice: Invoice,
    consent: Consent,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Invoice {
    title: Option<InvoiceTitle>,
    tax_number: Option<TaxNumber>,
    address_telephone: Option<InvoiceLine>,
    bank_account: Option<InvoiceLine>,
}

impl TryFrom<Form> for ApplicationForm {
    type Error = InvalidForm;

    fn try_from(form: Form) -> Result<Self, InvalidForm> {
        if form.seal_type.subject() != form.subject {
            return Err(Contradiction::SealType.into());
        }
        match form.subject {
            Subject::Unit => Ok(Self::Unit(Box::new(unit(form)?))),
            Subject::Person => Ok(Self::Person(Box::new(person(form)?))),
        }
    }
}

fn unit(form: Form) -> Result<UnitForm, InvalidForm> {
    refuse!(form: name, id_document, mobile, email, employer, identity_check);
    let unit_name = need!(form.unit_name);
    let unit_check = need!(form.unit_check);
    if let super::UnitCheck::CompanyAccount { account_name, .. } = &unit_check
        && !unit_name.is_same(account_name.as_str())
    {
        return Err(Contradiction::AccountName.into());
    }
    let Invoice {
        title,
        tax_number,
        address_telephone,
        bank_account,
    } = form.invoice;
    if title.is_some() {
        return Err(InvalidForm::Unknown("invoice.title"));
    }
    if tax_number
        .as_ref()
        .is_some_and(|number| !number.fits_organisation())
    {
        return Err(InvalidIdentifier::TaxNumber.into());
    }
    Ok(UnitForm {
        unit_name,
        credit_code: need!(form.credit_code),
        department: form.department,
        telephone: form.telephone,
        unit_check,
        handler: need!(form.handler),
        handler_check: need!(form.handler_check),
        seal_type: form.seal_type,
        mailing: form.mailing,
        invoice: UnitInvoice {
            tax_number,
            address_telephone,
            bank_account,
        },
        consent: form.consent,
    })
}

/// The title of an invoice to nobody's account.
const PERSONAL_TITLE: &str = "个人";

fn person(form: Form) -> Result<PersonForm, InvalidForm> {
    refuse!(form: unit_name, credit_code, telephone, unit_check, handler, handler_check);
    let name = need!(form.name);
    let Invoice {
        title,
        tax_number,
        address_telephone,
        bank_account,
    } = form.invoice;
    let title = title.ok_or(InvalidForm::Missing("invoice.title"))?;
    let is_personal = title.as_str() == PERSONAL_TITLE;
    if is_personal && tax_number.is_some() {
        return Err(Contradiction::InvoiceTitle.into());
    }
    if !is_personal && tax_number.is_none() && !name.is_same(title.as_str()) {
        return Err(Contradiction::InvoiceTaxNumber.into());
    }
    Ok(PersonForm {
        name,
        id_document: need!(form.id_document),
        mobile: need!(form.mobile),
        email: need!(form.email),
        employer: form.employer,
        department: form.department,
        identity_check: need!(form.identity_check),
        seal_type: form.seal_type,
        mailing: form.mailing,
        invoice: PersonInvoice {
            title,
            tax_number,
            address_telephone,
            bank_account,
        },
        consent: form.consent,
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum UnitMethod {
    LegalRepresentativeMobile,
    CompanyAccount,
    LegalRepresentativeCard,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct UnitCheck {
    method: UnitMethod,
    name: Option<PersonName>,
    id_number: Option<ResidentId>,
    mobile: Option<Mobile>,
    card_number: Option<BankCard>,
    account_name: Option<AccountName>,
    account_number: Option<BankAccount>,
    bank: Option<BankName>,
    bank_province: Option<Place>,
    bank_city: Option<Place>,
}

impl TryFrom<UnitCheck> for super::UnitCheck {
    type Error = InvalidForm;

    fn try_from(check: UnitCheck) -> Result<Self, InvalidForm> {
        if matches!(check.method, UnitMethod::CompanyAccount) {
            refuse!(check: name, id_number, mobile, card_number);
            return Ok(Self::CompanyAccount {
                account_name: need!(check.account_name),
                account_number: need!(check.account_number),
                bank: need!(check.bank),
                bank_province: need!(check.bank_province),
                bank_city: need!(check.bank_city),
            });
        }
        refuse!(check: account_name, account_number, bank, bank_province, bank_city);
        let (name, id_number, mobile) = (need!(check.name), need!(check.id_number), need!(check.mobile));
        if matches!(check.method, UnitMethod::LegalRepresentativeCard) {
            return Ok(Self::LegalRepresentativeCard {
                name,
                id_number,
                card_number: need!(check.card_number),
                mobile,
            });
        }
        refuse!(check: card_number);
        Ok(Self::LegalRepresentativeMobile {
            name,
            id_number,
            mobile,
        })
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum HandlerMethod {
    Mobile,
    BankCard,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HandlerCheck {
    method: HandlerMethod,
    card_number: Option<BankCard>,
}

impl TryFrom<HandlerCheck> for super::HandlerCheck {
    type Error = InvalidForm;

    fn try_from(check: HandlerCheck) -> Result<Self, InvalidForm> {
        match check.method {
            HandlerMethod::Mobile => {
                refuse!(check: card_number);
                Ok(Self::Mobile)
            }
            HandlerMethod::BankCard => Ok(Self::BankCard {
                card_number: need!(check.card_number),
            }),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum PersonMethod {
    Mobile,
    BankCard,
    BankAccount,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PersonCheck {
    method: PersonMethod,
    card_number: Option<BankCard>,
    account_number: Option<BankAccount>,
    bank: Option<BankName>,
    bank_province: Option<Place>,
    bank_city: Option<Place>,
}

impl TryFrom<PersonCheck> for super::PersonCheck {
    type Error = InvalidForm;

    fn try_from(check: PersonCheck) -> Result<Self, InvalidForm> {
        if matches!(check.method, PersonMethod::BankAccount) {
            refuse!(check: card_number);
            return Ok(Self::BankAccount {
                account_number: need!(check.account_number),
                bank: need!(check.bank),
                bank_province: need!(check.bank_province),
                bank_city: need!(check.bank_city),
            });
        }
        refuse!(check: account_number, bank, bank_province, bank_city);
        if matches!(check.method, PersonMethod::BankCard) {
            return Ok(Self::BankCard {
                card_number: need!(check.card_number),
            });
        }
        refuse!(check: card_number);
        Ok(Self::Mobile)
    }
}
