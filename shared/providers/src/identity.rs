//! Identity checks: one port, and its implementation on Aliyun's verification products.
//!
//! A check is done once per set of data: providers bill each answer and block repeats, and a mismatch does not
//! become a match. Keep the [`Checked::request_id`] as evidence; keep the data only as elsewhere required.

mod judge;
#[cfg(test)]
mod tests;

use std::fmt;

use async_trait::async_trait;
use time::OffsetDateTime;

use crate::aliyun::{AccessKey, Action, CallError, Place, Rpc, UrlError};
use crate::http::Http;

const ID_2_META: Action = Action {
    name: "Id2MetaVerify",
    version: "2019-03-07",
    place: Place::Form,
};
const MOBILE_3_META: Action = Action {
    name: "Mobile3MetaDetailVerify",
    version: "2019-03-07",
    place: Place::Form,
};
const BANK_META: Action = Action {
    name: "BankMetaVerify",
    version: "2019-03-07",
    place: Place::Query,
};
const ENTERPRISE: Action = Action {
    name: "EntElementVerify",
    version: "2022-11-25",
    place: Place::Query,
};
/// What the checks are for, as the provider's statistics show it.
const SCENE: &str = "certificate_application";

/// Who checks data against the authoritative sources.
#[async_trait]
pub trait IdentityChecks: Send + Sync {
    /// Checks once.
    async fn verify(&self, check: Check<'_>, now: OffsetDateTime) -> Checked;
}

/// What to check; the data were validated locally before.
#[derive(Clone, Copy)]
pub enum Check<'a> {
    /// A person's name and resident identity number belong together.
    Id2 {
        /// The person.
        person: Person<'a>,
    },
    /// A person's name, resident identity number and mobile belong together.
    Phone3 {
        /// The person.
        person: Person<'a>,
        /// 11 digits.
        mobile: &'a str,
    },
    /// A person's name, identity number and bank card belong together.
    Card3 {
        /// The person.
        person: Person<'a>,
        /// The card's number.
        card: &'a str,
    },
    /// The same, and the mobile the bank has on file.
    Card4 {
        /// The person.
        person: Person<'a>,
        /// The card's number.
        card: &'a str,
        /// 11 digits.
        mobile: &'a str,
    },
    /// An enterprise's name and credit code belong together.
    Enterprise2 {
        /// The registered name.
        name: &'a str,
        /// The unified social credit code.
        credit_code: &'a str,
        /// Our number of this check: at most 32 letters and digits, never used before.
        biz_no: &'a str,
    },
    /// An enterprise's name, credit code and legal representative's name belong together.
    Enterprise3 {
        /// The enterprise.
        enterprise: Enterprise<'a>,
    },
    /// The same, and the legal representative's identity number.
    Enterprise4 {
        /// The enterprise.
        enterprise: Enterprise<'a>,
        /// The legal representative's identity number.
        legal_person_id_number: &'a str,
    },
}

/// A person's data.
#[derive(Clone, Copy)]
pub struct Person<'a> {
    /// The full name.
    pub name: &'a str,
    /// The resident identity number.
    pub id_number: &'a str,
}

/// An enterprise's data.
#[derive(Clone, Copy)]
pub struct Enterprise<'a> {
    /// The registered name.
    pub name: &'a str,
    /// The unified social credit code.
    pub credit_code: &'a str,
    /// The legal representative's name.
    pub legal_person: &'a str,
    /// Our number of this check: at most 32 letters and digits, never used before.
    pub biz_no: &'a str,
}

impl fmt::Debug for Check<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Id2 { .. } => "Id2(..)",
            Self::Phone3 { .. } => "Phone3(..)",
            Self::Card3 { .. } => "Card3(..)",
            Self::Card4 { .. } => "Card4(..)",
            Self::Enterprise2 { .. } => "Enterprise2(..)",
            Self::Enterprise3 { .. } => "Enterprise3(..)",
            Self::Enterprise4 { .. } => "Enterprise4(..)",
        })
    }
}

/// A check's outcome and its evidence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// What came of it.
    pub outcome: Outcome,
    /// The provider's number of the call, when it answered.
    pub request_id: Option<String>,
}

/// What a check came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The data belong together.
    Match,
    /// They do not; never ask the same again.
    Mismatch {
        /// The part that does not fit the others.
        which: Field,
    },
    /// The source does not know the subject: a person must look.
    NoRecord,
    /// This way of checking does not work for these data: choose another.
    Unsupported {
        /// Why not.
        reason: Unsupported,
    },
    /// No answer now: ask again later.
    ProviderBusy,
    /// Only an operator can help.
    ProviderConfigError {
        /// The provider's code, or ours when nothing was sent.
        code: String,
    },
}

/// The part of the data that does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// The mobile.
    Mobile,
    /// The identity number.
    IdNumber,
    /// The person's name.
    Name,
    /// The bank card: wrong number, or lost, expired, blocked.
    Card,
    /// The legal representative.
    LegalPerson,
    /// The enterprise's name or credit code.
    Enterprise,
    /// The enterprise is deregistered, revoked or suspended.
    EnterpriseStatus,
    /// The source does not say.
    Unspecified,
}

/// Why a way of checking does not work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unsupported {
    /// The mobile's operator takes no part.
    MobileSegment,
    /// The card's bank takes no part, or refuses.
    Card,
    /// The source finds a value ill-formed.
    Malformed,
    /// The same data were asked too often.
    TooOften,
}

/// The checks at Aliyun.
#[derive(Clone, Debug)]
pub struct AliyunIdentityChecks {
    rpc: Rpc,
}

impl AliyunIdentityChecks {
    /// A client; `base_url` such as `https://cloudauth.aliyuncs.com/`.
    pub fn new(key: AccessKey, base_url: &str, http: Http) -> Result<Self, UrlError> {
        Ok(Self {
            rpc: Rpc::new(http, key, base_url)?,
        })
    }
}

#[async_trait]
impl IdentityChecks for AliyunIdentityChecks {
    async fn verify(&self, check: Check<'_>, now: OffsetDateTime) -> Checked {
        let (action, parameters) = parameters(check);
        match self.rpc.call(action, &parameters, now).await {
            Ok(answer) => judge::judge(check, answer.status, &answer.body),
            Err(CallError::Http(_)) => Checked {
                outcome: Outcome::ProviderBusy,
                request_id: None,
            },
            Err(CallError::Environment) => {
                let outcome = Outcome::ProviderConfigError {
                    code: "environment".to_owned(),
                };
                Checked {
                    outcome,
                    request_id: None,
                }
            }
        }
    }
}

fn parameters(check: Check<'_>) -> (Action, Vec<(&'static str, &str)>) {
    match check {
        Check::Id2 { person } => (
            ID_2_META,
            vec![
                ("ParamType", "normal"),
                ("UserName", person.name),
                ("IdentifyNum", person.id_number),
            ],
        ),
        Check::Phone3 { person, mobile } => (
            MOBILE_3_META,
            vec![
                ("ParamType", "normal"),
                ("UserName", person.name),
                ("IdentifyNum", person.id_number),
                ("Mobile", mobile),
            ],
        ),
        Check::Card3 { person, card } => (BANK_META, bank("BANK_CARD_3_META", person, card)),
        Check::Card4 { person, card, mobile } => {
            let mut parameters = bank("BANK_CARD_4_META", person, card);
            parameters.push(("Mobile", mobile));
            (BANK_META, parameters)
        }
        Check::Enterprise2 {
            name,
            credit_code,
            biz_no,
        } => (ENTERPRISE, unit("ENT_2META", name, credit_code, biz_no)),
        Check::Enterprise3 { enterprise } => (ENTERPRISE, elements("ENT_3META", enterprise)),
        Check::Enterprise4 {
            enterprise,
            legal_person_id_number,
        } => {
            let mut parameters = elements("ENT_4META", enterprise);
            parameters.push(("LegalPersonCertNo", legal_person_id_number));
            (ENTERPRISE, parameters)
        }
    }
}

fn bank<'a>(product: &'static str, person: Person<'a>, card: &'a str) -> Vec<(&'static str, &'a str)> {
    vec![
        ("ParamType", "normal"),
        ("VerifyMode", "VERIFY_BANK_CARD"),
        ("ProductType", product),
        ("BankCard", card),
        ("UserName", person.name),
        ("IdentifyNum", person.id_number),
        // Resident identity card; other documents are not offered.
        ("IdentityType", "01"),
    ]
}

fn elements<'a>(kind: &'static str, enterprise: Enterprise<'a>) -> Vec<(&'static str, &'a str)> {
    let mut parameters = unit(kind, enterprise.name, enterprise.credit_code, enterprise.biz_no);
    parameters.push(("LegalPersonName", enterprise.legal_person));
    parameters
}

fn unit<'a>(
    kind: &'static str,
    name: &'a str,
    credit_code: &'a str,
    biz_no: &'a str,
) -> Vec<(&'static str, &'a str)> {
    vec![
        ("InfoVerifyType", kind),
        ("EntName", name),
        ("LicenseNo", credit_code),
        ("SceneCode", SCENE),
        ("MerchantBizId", biz_no),
        // The platform has no user accounts; an order stands for its applicant.
        ("MerchantUserId", biz_no),
        // The applicant consented with the form.
        ("UserAuthorization", "1"),
    ]
}
