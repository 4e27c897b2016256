//! Aliyun's verification products: persons in the version of 2019, enterprises in that of 2022.

use async_trait::async_trait;
use time::OffsetDateTime;

use super::{Check, Checked, Enterprise, IdentityChecks, Person, judge};
use crate::aliyun::{AccessKey, Action, Place, Rpc, UrlError};
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

/// The checks at Aliyun.
#[derive(Clone, Debug)]
pub(super) struct AliyunChecks {
    rpc: Rpc,
}

impl AliyunChecks {
    pub(super) fn new(http: Http, key: AccessKey, base_url: &str) -> Result<Self, UrlError> {
        Ok(Self {
            rpc: Rpc::new(http, key, base_url)?,
        })
    }
}

#[async_trait]
impl IdentityChecks for AliyunChecks {
    async fn verify(&self, check: Check<'_>, now: OffsetDateTime) -> Checked {
        let (action, parameters) = parameters(check);
        let call = async {
            match self.rpc.call(action, &parameters, now).await {
                Ok(answer) => judge::judge(check, answer.status, &answer.body),
                Err(error) => error.into(),
            }
        };
        self.rpc.http().observed(check.operation(), call).await
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
