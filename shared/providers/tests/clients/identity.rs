//! The identity checks over HTTP.

use serde_json::{Value, json};
use yinxin_providers::http::Limits;
use yinxin_providers::identity::{self, Check, Enterprise, Field, IdentityChecks, Outcome, Person, Urls};

use crate::fake::{self, Fake, NOW};

const PERSON: Person<'_> = Person {
    name: "张三",
    id_number: "430102199003070012",
};
const PHONE: Check<'_> = Check::Phone3 {
    person: PERSON,
    mobile: "13800138000",
};

fn made(account: Value, cloudauth: &str, faceid: &str) -> Box<dyn IdentityChecks> {
    let urls = Urls {
        cloudauth: format!("{cloudauth}/aliyun/"),
        faceid: format!("{faceid}/tencent/"),
    };
    let limits = Limits {
        total: std::time::Duration::from_millis(500),
        ..Limits::default()
    };
    identity::checks(serde_json::from_value(account).unwrap(), &urls, limits).unwrap()
}

fn checks(base: &str) -> Box<dyn IdentityChecks> {
    let account = json!({"access_key_id": "id", "access_key_secret": "secret"});
    made(account, base, "http://127.0.0.1")
}

/// Persons at one server, enterprises at the other.
fn by_holder(cloudauth: &str, faceid: &str) -> Box<dyn IdentityChecks> {
    let account = json!({"provider": "tencent", "secret_id": "testSecretId", "secret_key": "secret",
        "aliyun": {"access_key_id": "id", "access_key_secret": "secret"}});
    made(account, cloudauth, faceid)
}

fn meta(biz_code: &str, sub_code: &str) -> String {
    format!(
        r#"{{"RequestId":"r-1","Message":"success","Code":"200","ResultObject":{{"BizCode":"{biz_code}","SubCode":"{sub_code}"}}}}"#
    )
}

#[tokio::test]
async fn a_mobile_is_checked_in_a_form() {
    let fake = Fake::answering(200, meta("2", "202")).await;
    let checked = checks(&fake.url).verify(PHONE, NOW).await;
    assert_eq!(
        checked.outcome,
        Outcome::Mismatch {
            which: Field::IdNumber
        }
    );
    assert_eq!(checked.request_id.as_deref(), Some("r-1"));
    let asked = fake.asked_once();
    assert_eq!(asked.header("x-acs-action"), "Mobile3MetaDetailVerify");
    assert_eq!(asked.header("content-type"), "application/x-www-form-urlencoded");
    assert_eq!(asked.uri.query(), None);
    assert!(asked.body.contains("UserName=%E5%BC%A0%E4%B8%89"));
}

#[tokio::test]
async fn a_card_is_checked_in_the_query() {
    let card = "6217000010001234569";
    let fake = Fake::answering(200, meta("1", "101")).await;
    let checks = checks(&fake.url);
    let four = Check::Card4 {
        person: PERSON,
        card,
        mobile: "13800138000",
    };
    assert_eq!(checks.verify(four, NOW).await.outcome, Outcome::Match);
    assert_eq!(
        checks
            .verify(Check::Card3 { person: PERSON, card }, NOW)
            .await
            .outcome,
        Outcome::Match
    );
    let asked = fake.asked();
    assert_eq!(asked[0].parameter("ProductType"), "BANK_CARD_4_META");
    assert_eq!(asked[0].parameter("Mobile"), "13800138000");
    assert_eq!(asked[1].parameter("ProductType"), "BANK_CARD_3_META");
    assert!(
        asked
            .iter()
            .all(|asked| asked.header("x-acs-action") == "BankMetaVerify" && asked.body.is_empty())
    );
}

#[tokio::test]
async fn an_enterprise_is_checked_by_the_newer_version() {
    let fake = Fake::answering(
        200,
        r#"{"RequestId":"r-2","Code":"Success","Message":"success","Result":{"BizCode":"1","ReasonCode":"100","Status":"1"}}"#,
    )
    .await;
    let enterprise = Enterprise {
        name: "湖南某某有限公司",
        credit_code: "91430100MA4L00003Q",
        legal_person: "张三",
        biz_no: "20230422A0007E1",
    };
    let check = Check::Enterprise4 {
        enterprise,
        legal_person_id_number: "430102199003070012",
    };
    let checked = checks(&fake.url).verify(check, NOW).await;
    assert_eq!(
        (checked.outcome, checked.request_id.as_deref()),
        (Outcome::Match, Some("r-2"))
    );
    let asked = fake.asked_once();
    assert_eq!(asked.header("x-acs-version"), "2022-11-25");
    assert_eq!(asked.parameter("InfoVerifyType"), "ENT_4META");
    assert_eq!(asked.parameter("UserAuthorization"), "1");
    for name in ["SceneCode", "MerchantBizId", "MerchantUserId"] {
        assert!(!asked.parameter(name).is_empty(), "{name}");
    }
    assert_eq!(asked.parameter("LegalPersonCertNo"), "430102199003070012");
}

#[tokio::test]
async fn no_usable_answer_means_busy_and_is_asked_once() {
    for (name, fake) in fake::useless().await {
        let outcome = checks(&fake.url).verify(PHONE, NOW).await.outcome;
        assert_eq!(outcome, Outcome::ProviderBusy, "{name}");
        assert!(fake.asked().len() <= 1, "{name}");
    }
}

#[tokio::test]
async fn persons_are_checked_by_tencent_where_the_secret_says_so() {
    let card = "6217000010001234569";
    let mobile = "13800138000";
    for (check, action, body) in [
        (
            Check::Id2 { person: PERSON },
            "IdCardVerification",
            json!({"IdCard": PERSON.id_number, "Name": "张三"}),
        ),
        (
            PHONE,
            "PhoneVerification",
            json!({"IdCard": PERSON.id_number, "Name": "张三", "Phone": mobile}),
        ),
        (
            Check::Card3 { person: PERSON, card },
            "BankCardVerification",
            json!({"IdCard": PERSON.id_number, "Name": "张三", "BankCard": card, "CertType": 0}),
        ),
        (
            Check::Card4 {
                person: PERSON,
                card,
                mobile,
            },
            "BankCard4EVerification",
            json!({"IdCard": PERSON.id_number, "Name": "张三", "BankCard": card, "Phone": mobile, "CertType": 0}),
        ),
    ] {
        let answer = r#"{"Response":{"Result":"0","Description":"通过","RequestId":"r-3"}}"#;
        let fake = Fake::answering(200, answer).await;
        let checked = by_holder("http://127.0.0.1", &fake.url).verify(check, NOW).await;
        assert_eq!(
            (checked.outcome, checked.request_id.as_deref()),
            (Outcome::Match, Some("r-3"))
        );
        let asked = fake.asked_once();
        assert_eq!(asked.header("x-tc-action"), action);
        assert_eq!(asked.header("x-tc-version"), "2018-03-01");
        assert!(
            asked
                .header("authorization")
                .contains("Credential=testSecretId/2024-05-20/faceid/tc3_request")
        );
        assert_eq!(serde_json::from_str::<Value>(&asked.body).unwrap(), body);
    }
}

#[tokio::test]
async fn enterprises_stay_at_aliyun() {
    let answer = r#"{"RequestId":"r-2","Code":"Success","Message":"success","Result":{"BizCode":"1","ReasonCode":"100"}}"#;
    let (aliyun, tencent) = (
        Fake::answering(200, answer).await,
        Fake::answering(200, "{}").await,
    );
    let check = Check::Enterprise2 {
        name: "湖南某某有限公司",
        credit_code: "91430100MA4L00003Q",
        biz_no: "b1",
    };
    let checked = by_holder(&aliyun.url, &tencent.url).verify(check, NOW).await;
    assert_eq!(checked.outcome, Outcome::Match);
    assert_eq!(aliyun.asked_once().header("x-acs-action"), "EntElementVerify");
    assert!(tencent.asked().is_empty());
}

#[tokio::test]
async fn tencent_without_a_usable_answer_is_busy_and_is_asked_once() {
    for (name, fake) in fake::useless().await {
        let checks = by_holder("http://127.0.0.1", &fake.url);
        let outcome = checks.verify(PHONE, NOW).await.outcome;
        assert_eq!(outcome, Outcome::ProviderBusy, "{name}");
        assert!(fake.asked().len() <= 1, "{name}");
    }
}
