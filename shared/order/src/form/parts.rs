//! The parts that forms are made of.
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::identifiers::{
    Address, BankAccount, Email, IdDocument, InvoiceLine, InvoiceTitle, Mobile, PersonName, Place,
    PolicyVersion, Role, TaxNumber,
};

/// The kind of a certificate's holder.
///
/// This type is used in stored state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// A unit (单位): a company or another organisation.
    Unit,
    /// A natural person (个人).
    Person,
}

/// Who acts for a unit (经办人).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Handler {
    /// The handler's name.
    pub name: PersonName,
    /// Codes and notices go there.
    pub mobile: Mobile,
    /// The handler's identity document.
    pub id_document: IdDocument,
    /// Receives invoice, receipt and review result.
    pub email: Email,
    /// What the handler is in the unit (经办人身份).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// The handler's bank account (经办人银行账号).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bank_account: Option<BankAccount>,
}

/// Where the UKey is mailed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Mailing {
    /// The province (邮寄省份).
    pub province: Place,
    /// The city (邮寄城市).
    pub city: Place,
    /// The address below the city (邮寄地址).
    pub address: Address,
}

/// A unit's invoice; the title is the unit's name and cannot be chosen.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
#[non_exhaustive]
pub struct UnitInvoice {
    /// The tax number (纳税识别号); without it, the credit code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tax_number: Option<TaxNumber>,
    /// Address and telephone (地址及电话).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address_telephone: Option<InvoiceLine>,
    /// Bank and account number (开户行及账号).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bank_account: Option<InvoiceLine>,
}

/// A person's invoice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[non_exhaustive]
pub struct PersonInvoice {
    /// The title (发票抬头): `个人`, the person's own name, or the employer that reimburses.
    pub title: InvoiceTitle,
    /// The tax number: with an employer as title.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tax_number: Option<TaxNumber>,
    /// Address and telephone (地址及电话).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address_telephone: Option<InvoiceLine>,
    /// Bank and account number (开户行及账号).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bank_account: Option<InvoiceLine>,
}

/// The versions of the texts that the applicant consented to; the server adds when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Consent {
    /// Of the privacy policy (个人信息保护政策).
    pub privacy_policy: PolicyVersion,
    /// Of the risk notice (风险知情书).
    pub risk_notice: PolicyVersion,
}

/// The type of an electronic seal (印章类型).
///
/// This type is used in stored state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SealType {
    /// A unit's official seal (公章).
    Official,
    /// A unit's seal for contracts (合同专用章).
    Contract,
    /// A unit's seal for finance (财务专用章).
    Finance,
    /// A unit's seal for invoices (发票专用章).
    Invoice,
    /// A unit's seal for bids (投标专用章).
    Bidding,
    /// The legal representative's seal, held by the unit (法定代表人章).
    LegalRepresentative,
    /// A person's seal with the name (个人名章).
    PersonalName,
    /// A picture of a person's handwritten signature (手写签名).
    PersonalSignature,
}

impl SealType {
    /// Whose seal it is.
    pub fn subject(self) -> Subject {
        match self {
            Self::PersonalName | Self::PersonalSignature => Subject::Person,
            Self::Official
            | Self::Contract
            | Self::Finance
            | Self::Invoice
            | Self::Bidding
            | Self::LegalRepresentative => Subject::Unit,
        }
    }
}

/// What an uploaded picture shows.
///
/// This type is used in stored state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DocumentKind {
    /// The unit's business licence (营业执照).
    BusinessLicence,
    /// The side of the identity document with the portrait (头像面).
    IdPortrait,
    /// The side of the identity document with the emblem (国徽面).
    IdEmblem,
    /// The seal specimen form (签章采样表).
    SealSpecimen,
}

impl DocumentKind {
    /// Every kind.
    pub const ALL: &'static [Self] = &[
        Self::BusinessLicence,
        Self::IdPortrait,
        Self::IdEmblem,
        Self::SealSpecimen,
    ];

    /// The name as serialised.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BusinessLicence => "business_licence",
            Self::IdPortrait => "id_portrait",
            Self::IdEmblem => "id_emblem",
            Self::SealSpecimen => "seal_specimen",
        }
    }

    /// The kinds that an application of `subject` needs.
    pub fn required_of(subject: Subject) -> &'static [Self] {
        match subject {
            Subject::Unit => Self::ALL,
            Subject::Person => &[Self::IdPortrait, Self::IdEmblem, Self::SealSpecimen],
        }
    }
}
