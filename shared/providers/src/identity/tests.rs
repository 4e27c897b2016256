//! The outcomes of each check for the provider's documented answers.

use super::judge::judge;
use super::{Check, Enterprise, Field, Outcome, Person, Unsupported};

const PERSON: Person<'_> = Person {
    name: "张三",
    id_number: "430102199003070012",
};
const PHONE: Check<'_> = Check::Phone3 {
    person: PERSON,
    mobile: "13800138000",
};
const CARD: Check<'_> = Check::Card4 {
    person: PERSON,
    card: "6217000010001234569",
    mobile: "13800138000",
};
const ENTERPRISE: Check<'_> = Check::Enterprise3 {
    enterprise: Enterprise {
        name: "湖南某某有限公司",
        credit_code: "91430100MA4L00003Q",
        legal_person: "张三",
        biz_no: "b1",
    },
};

fn meta(check: Check<'_>, biz_code: &str, sub_code: &str) -> Outcome {
    let body = format!(
        r#"{{"RequestId":"r-1","Message":"success","Code":"200","ResultObject":{{"BizCode":"{biz_code}","SubCode":"{sub_code}","IspName":"CMCC"}}}}"#
    );
    let checked = judge(check, 200, body.as_bytes());
    assert_eq!(checked.request_id.as_deref(), Some("r-1"));
    checked.outcome
}

fn enterprise(biz_code: &str, reason: &str, status: &str) -> Outcome {
    let body = format!(
        r#"{{"RequestId":"r-1","Code":"Success","Message":"success","Result":{{"BizCode":"{biz_code}","ReasonCode":"{reason}","Status":"{status}"}}}}"#
    );
    judge(ENTERPRISE, 200, body.as_bytes()).outcome
}

fn code(status: u16, code: &str) -> Outcome {
    judge(
        PHONE,
        status,
        format!(r#"{{"RequestId":"r","Code":"{code}","Message":"m"}}"#).as_bytes(),
    )
    .outcome
}

#[test]
fn a_mobile_s_sub_code_names_the_part_that_does_not_fit() {
    assert_eq!(meta(PHONE, "1", "101"), Outcome::Match);
    for (sub_code, which) in [
        ("201", Field::Mobile),
        ("202", Field::IdNumber),
        ("203", Field::Name),
        ("204", Field::Unspecified),
    ] {
        assert_eq!(
            meta(PHONE, "2", sub_code),
            Outcome::Mismatch { which },
            "{sub_code}"
        );
    }
    assert_eq!(meta(PHONE, "3", "301"), Outcome::NoRecord);
}

#[test]
fn a_name_and_its_number_fit_or_not() {
    let id = Check::Id2 { person: PERSON };
    assert_eq!(meta(id, "1", ""), Outcome::Match);
    assert_eq!(
        meta(id, "2", ""),
        Outcome::Mismatch {
            which: Field::Unspecified
        }
    );
    assert_eq!(meta(id, "3", ""), Outcome::NoRecord);
    assert_eq!(meta(id, "", ""), Outcome::ProviderBusy);
}

#[test]
fn a_card_s_sub_code_says_mismatch_or_not_checkable() {
    assert_eq!(meta(CARD, "1", "101"), Outcome::Match);
    assert_eq!(
        meta(CARD, "2", "201"),
        Outcome::Mismatch {
            which: Field::Unspecified
        }
    );
    assert_eq!(meta(CARD, "2", "210"), Outcome::Mismatch { which: Field::Card });
    assert_eq!(meta(CARD, "2", "214"), Outcome::Mismatch { which: Field::Mobile });
    assert_eq!(
        meta(CARD, "3", "301"),
        Outcome::Unsupported {
            reason: Unsupported::Card
        }
    );
    assert_eq!(meta(CARD, "3", "304"), Outcome::Mismatch { which: Field::Card });
    assert_eq!(
        meta(CARD, "3", "306"),
        Outcome::Unsupported {
            reason: Unsupported::TooOften
        }
    );
}

#[test]
fn a_closed_enterprise_does_not_match() {
    assert_eq!(enterprise("1", "100", "1"), Outcome::Match);
    assert_eq!(enterprise("1", "100", ""), Outcome::Match);
    assert_eq!(
        enterprise("1", "100", "4"),
        Outcome::Mismatch {
            which: Field::EnterpriseStatus
        }
    );
    assert_eq!(
        enterprise("2", "201", "1"),
        Outcome::Mismatch {
            which: Field::LegalPerson
        }
    );
    assert_eq!(
        enterprise("2", "202", "1"),
        Outcome::Mismatch {
            which: Field::Enterprise
        }
    );
    assert_eq!(enterprise("3", "301", ""), Outcome::NoRecord);
}

#[test]
fn calls_that_were_not_processed_say_who_can_help() {
    assert_eq!(code(200, "402"), Outcome::ProviderBusy);
    assert_eq!(code(200, "501"), Outcome::ProviderBusy);
    assert_eq!(code(400, "Throttling.User"), Outcome::ProviderBusy);
    assert_eq!(
        code(200, "405"),
        Outcome::Unsupported {
            reason: Unsupported::MobileSegment
        }
    );
    assert_eq!(
        code(200, "401"),
        Outcome::Unsupported {
            reason: Unsupported::Malformed
        }
    );
    assert_eq!(
        code(200, "411"),
        Outcome::ProviderConfigError {
            code: "411".to_owned()
        }
    );
    assert_eq!(
        code(404, "InvalidAccessKeyId.NotFound"),
        Outcome::ProviderConfigError {
            code: "InvalidAccessKeyId.NotFound".to_owned()
        }
    );
}

#[test]
fn what_is_no_answer_is_never_a_match() {
    assert_eq!(judge(PHONE, 200, b"<html>").outcome, Outcome::ProviderBusy);
    assert_eq!(
        judge(PHONE, 200, br#"{"Code":"200"}"#).outcome,
        Outcome::ProviderBusy
    );
    let unsuccessful = br#"{"Code":"402","ResultObject":{"BizCode":"1","SubCode":"101"}}"#;
    assert_eq!(judge(PHONE, 200, unsuccessful).outcome, Outcome::ProviderBusy);
    assert_eq!(meta(PHONE, "", ""), Outcome::ProviderBusy);
}

#[test]
fn debug_of_a_check_holds_no_personal_data() {
    assert_eq!(
        format!("{PHONE:?} {CARD:?} {ENTERPRISE:?}"),
        "Phone3(..) Card4(..) Enterprise3(..)"
    );
}
