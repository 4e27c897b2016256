//! The identity checks over HTTP.

use yinxin_providers::aliyun::AccessKey;
use yinxin_providers::identity::{
    AliyunIdentityChecks, Check, Enterprise, Field, IdentityChecks as _, Outcome, Person,
};

use crate::fake::{self, Fake, NOW};

const PERSON: Person<'_> = Person {
    name: "张三",
    id_number: "430102199003070012",
};
const PHONE: Check<'_> = Check::Phone3 {
    person: PERSON,
    mobile: "13800138000",
};

fn checks(base: &str) -> AliyunIdentityChecks {
    let key = AccessKey {
        access_key_id: "id".to_owned(),
        access_key_secret: "secret".into(),
    };
    AliyunIdentityChecks::new(key, &format!("{base}/aliyun/"), fake::http()).unwrap()
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
