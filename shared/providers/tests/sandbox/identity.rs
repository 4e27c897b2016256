//! Aliyun's identity checks: each finding about a person or an enterprise is understood.

use serde_json::{Value, json};
use yinxin_providers::http::Limits;
use yinxin_providers::identity::{
    self, Check, Enterprise, Field, IdentityChecks, Outcome, Person, Unsupported,
};

use crate::process::Sandbox;
use crate::shop::now;

const MOBILE: &str = "13800138000";
const CARD: &str = "6217000010001234569";
const CREDIT_CODE: &str = "91430100MA4L00003Q";
const LEGAL_PERSON: &str = "430102198501010026";
const PERSON: Person<'_> = Person {
    name: "张三",
    id_number: "430102199003070012",
};
const PHONE: Check<'_> = Check::Phone3 {
    person: PERSON,
    mobile: MOBILE,
};
const CARD_4: Check<'_> = Check::Card4 {
    person: PERSON,
    card: CARD,
    mobile: MOBILE,
};

struct Source {
    sandbox: Sandbox,
    checks: Box<dyn IdentityChecks>,
}

impl Source {
    fn open() -> Option<Self> {
        let sandbox = Sandbox::start("public-key", "key")?;
        let urls = identity::Urls {
            cloudauth: format!("{}/aliyun/", sandbox.url),
            faceid: sandbox.url.clone(),
        };
        let account = serde_json::from_value(sandbox.secrets["identity"].clone()).unwrap();
        let checks = identity::checks(account, &urls, Limits::default()).unwrap();
        Some(Self { sandbox, checks })
    }

    async fn finds(&self, check: Check<'_>) -> Outcome {
        let checked = self.checks.verify(check, now()).await;
        assert!(checked.request_id.is_some(), "{check:?}: {checked:?}");
        checked.outcome
    }

    /// What is found where the source knows otherwise.
    async fn finds_denied(&self, wish: Value, check: Check<'_>) -> Outcome {
        self.sandbox.control("identity/deny", &wish).await;
        let outcome = self.finds(check).await;
        let allow = json!({"id_number": wish["id_number"]});
        self.sandbox.control("identity/allow", &allow).await;
        outcome
    }
}

fn enterprise(biz_no: &str) -> Enterprise<'_> {
    Enterprise {
        name: "湖南某某（集团）有限公司",
        credit_code: CREDIT_CODE,
        legal_person: "李四",
        biz_no,
    }
}

fn enterprise_4(biz_no: &str) -> Check<'_> {
    Check::Enterprise4 {
        enterprise: enterprise(biz_no),
        legal_person_id_number: LEGAL_PERSON,
    }
}

fn mismatch(which: Field) -> Outcome {
    Outcome::Mismatch { which }
}

fn unsupported(reason: Unsupported) -> Outcome {
    Outcome::Unsupported { reason }
}

#[tokio::test]
async fn who_is_not_denied_matches_in_every_check() {
    let Some(source) = Source::open() else {
        return;
    };
    let Enterprise {
        name, credit_code, ..
    } = enterprise("");
    for check in [
        Check::Id2 { person: PERSON },
        PHONE,
        Check::Card3 {
            person: PERSON,
            card: CARD,
        },
        CARD_4,
        Check::Enterprise2 {
            name,
            credit_code,
            biz_no: "20230422A0007E2",
        },
        Check::Enterprise3 {
            enterprise: enterprise("20230422A0007E3"),
        },
        enterprise_4("20230422A0007E4"),
    ] {
        assert_eq!(source.finds(check).await, Outcome::Match, "{check:?}");
    }
}

#[tokio::test]
async fn each_finding_about_a_person_is_understood() {
    let Some(source) = Source::open() else {
        return;
    };
    let id = PERSON.id_number;
    let id_2 = Check::Id2 { person: PERSON };
    for (check, wish, expected) in [
        (id_2, json!({"id_number": id}), mismatch(Field::Unspecified)),
        (id_2, json!({"id_number": id, "biz_code": "3"}), Outcome::NoRecord),
        (PHONE, json!({"id_number": MOBILE}), mismatch(Field::Mobile)),
        (
            PHONE,
            json!({"id_number": id, "sub_code": "202"}),
            mismatch(Field::IdNumber),
        ),
        (
            PHONE,
            json!({"id_number": id, "sub_code": "203"}),
            mismatch(Field::Name),
        ),
        (
            PHONE,
            json!({"id_number": MOBILE, "biz_code": "3"}),
            Outcome::NoRecord,
        ),
        (
            CARD_4,
            json!({"id_number": CARD, "sub_code": "208"}),
            mismatch(Field::Card),
        ),
        (
            CARD_4,
            json!({"id_number": MOBILE, "sub_code": "214"}),
            mismatch(Field::Mobile),
        ),
        (
            CARD_4,
            json!({"id_number": CARD, "sub_code": "306"}),
            unsupported(Unsupported::TooOften),
        ),
        (
            CARD_4,
            json!({"id_number": CARD, "biz_code": "3"}),
            unsupported(Unsupported::Card),
        ),
    ] {
        let found = source.finds_denied(wish.clone(), check).await;
        assert_eq!(found, expected, "{check:?} {wish}");
    }
    let miscounted = Check::Card3 {
        person: PERSON,
        card: "6217000010001234568",
    };
    assert_eq!(source.finds(miscounted).await, mismatch(Field::Card));
    let misspelt = Check::Phone3 {
        person: PERSON,
        mobile: "1380013800",
    };
    assert_eq!(source.finds(misspelt).await, unsupported(Unsupported::Malformed));
    let busy = json!({"identity": {"busy": 1}});
    source.sandbox.control("faults", &busy).await;
    assert_eq!(source.finds(PHONE).await, Outcome::ProviderBusy);
    assert_eq!(source.finds(PHONE).await, Outcome::Match);
}

#[tokio::test]
async fn each_finding_about_an_enterprise_is_understood() {
    let Some(source) = Source::open() else {
        return;
    };
    for (biz_no, wish, expected) in [
        (
            "E1",
            json!({"id_number": CREDIT_CODE}),
            mismatch(Field::Enterprise),
        ),
        (
            "E2",
            json!({"id_number": LEGAL_PERSON}),
            mismatch(Field::LegalPerson),
        ),
        (
            "E3",
            json!({"id_number": CREDIT_CODE, "status": "3"}),
            mismatch(Field::EnterpriseStatus),
        ),
        (
            "E4",
            json!({"id_number": CREDIT_CODE, "biz_code": "3"}),
            Outcome::NoRecord,
        ),
        (
            "E5",
            json!({"id_number": LEGAL_PERSON, "biz_code": "3"}),
            Outcome::NoRecord,
        ),
    ] {
        let found = source.finds_denied(wish.clone(), enterprise_4(biz_no)).await;
        assert_eq!(found, expected, "{wish}");
    }
    // The number of a check names one question.
    assert_eq!(source.finds(enterprise_4("E6")).await, Outcome::Match);
    let other = Check::Enterprise3 {
        enterprise: enterprise("E6"),
    };
    assert_eq!(source.finds(other).await, unsupported(Unsupported::Malformed));
    // A public institution stands in another register.
    let institution = Check::Enterprise2 {
        name: "某某市图书馆",
        credit_code: "12430100MA4L00003X",
        biz_no: "E7",
    };
    assert_eq!(source.finds(institution).await, Outcome::NoRecord);
}
