//! How identities are checked, and where that sends the certificate password.
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::wire;
use super::{ApplicationForm, PersonForm, UnitForm};
use crate::identifiers::{
    AccountName, BankAccount, BankCard, BankName, Mobile, PersonName, Place, ResidentId,
};

/// How a unit's identity is checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "method", rename_all = "snake_case", try_from = "wire::UnitCheck")]
pub enum UnitCheck {
    /// By the legal representative's mobile (法定代表人手机实名认证).
    LegalRepresentativeMobile {
        /// The legal representative's name.
        name: PersonName,
        /// The legal representative's identity number.
        id_number: ResidentId,
        /// The legal representative's mobile: the password goes there.
        mobile: Mobile,
    },
    /// By the company's account (企业对公账户认证): the memo of a transfer of 0.01 yuan to it has the secret for the password.
    CompanyAccount {
        /// The account's name: the unit's.
        account_name: AccountName,
        /// The account's number.
        account_number: BankAccount,
        /// The bank.
        bank: BankName,
        /// The bank's province.
        bank_province: Place,
        /// The bank's city.
        bank_city: Place,
    },
    /// By the legal representative's bank card (法定代表人银行卡信息认证).
    LegalRepresentativeCard {
        /// The legal representative's name.
        name: PersonName,
        /// The legal representative's identity number.
        id_number: ResidentId,
        /// The card's number.
        card_number: BankCard,
        /// The mobile that the bank knows: the password goes there.
        mobile: Mobile,
    },
}

/// How the handler's identity is checked: with the handler's own name, document and mobile, which stand in the
/// form once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "method", rename_all = "snake_case", try_from = "wire::HandlerCheck")]
pub enum HandlerCheck {
    /// By mobile (经办人手机实名认证).
    Mobile,
    /// By bank card (经办人银行卡信息认证).
    BankCard {
        /// The card's number.
        card_number: BankCard,
    },
}

/// How a person's identity is checked: with the person's own name, document and mobile, which stand in the form
/// once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "method", rename_all = "snake_case", try_from = "wire::PersonCheck")]
pub enum PersonCheck {
    /// By mobile (手机实名认证): the password goes there.
    Mobile,
    /// By bank card (银行卡信息认证): the password goes to the mobile.
    BankCard {
        /// The card's number.
        card_number: BankCard,
    },
    /// By a transfer to the person's own account (银行账户打款认证): its memo has the secret for the password.
    BankAccount {
        /// The account's number.
        account_number: BankAccount,
        /// The bank.
        bank: BankName,
        /// The bank's province.
        bank_province: Place,
        /// The bank's city.
        bank_city: Place,
    },
}

/// Where the certificate password goes.
///
/// This type is used in stored state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PasswordRoute {
    /// By SMS.
    Sms(Mobile),
    /// In the memo (附言) of a transfer of 0.01 yuan.
    BankMemo(BankPayee),
}

/// An account that a transfer goes to.
///
/// This type is used in stored state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BankPayee {
    /// Whether it is a company's account.
    pub kind: PayeeKind,
    /// The account's name.
    pub account_name: AccountName,
    /// The account's number.
    pub account_number: BankAccount,
    /// The bank.
    pub bank: BankName,
    /// The bank's province.
    pub bank_province: Place,
    /// The bank's city.
    pub bank_city: Place,
}

/// Whose account it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PayeeKind {
    /// A company's (对公).
    Corporate,
    /// A natural person's (对私).
    Private,
}

impl ApplicationForm {
    /// Where the certificate password goes: the identity check decides.
    pub fn password_route(&self) -> PasswordRoute {
        match self {
            Self::Unit(form) => unit_route(form),
            Self::Person(form) => person_route(form),
        }
    }
}

fn unit_route(form: &UnitForm) -> PasswordRoute {
    match &form.unit_check {
        UnitCheck::LegalRepresentativeMobile { mobile, .. }
        | UnitCheck::LegalRepresentativeCard { mobile, .. } => PasswordRoute::Sms(mobile.clone()),
        UnitCheck::CompanyAccount {
            account_name,
            account_number,
            bank,
            bank_province,
            bank_city,
        } => PasswordRoute::BankMemo(BankPayee {
            kind: PayeeKind::Corporate,
            account_name: account_name.clone(),
            account_number: account_number.clone(),
            bank: bank.clone(),
            bank_province: bank_province.clone(),
            bank_city: bank_city.clone(),
        }),
    }
}

fn person_route(form: &PersonForm) -> PasswordRoute {
    match &form.identity_check {
        PersonCheck::Mobile | PersonCheck::BankCard { .. } => PasswordRoute::Sms(form.mobile.clone()),
        PersonCheck::BankAccount {
            account_number,
            bank,
            bank_province,
            bank_city,
        } => PasswordRoute::BankMemo(BankPayee {
            kind: PayeeKind::Private,
            account_name: AccountName::from(&form.name),
            account_number: account_number.clone(),
            bank: bank.clone(),
            bank_province: bank_province.clone(),
            bank_city: bank_city.clone(),
        }),
    }
}
