//! The outcomes of each product for each documented result.

use super::{Product, judge, question};
use crate::identity::{Check, Field, Outcome, Person, Unsupported, config_error, mismatch, unsupported};

const PERSON: Person<'_> = Person {
    name: "张三",
    id_number: "430102199003070012",
};

fn result(product: Product, result: i32) -> Outcome {
    let body = format!(r#"{{"Response":{{"Result":"{result}","Description":"说明","RequestId":"r-1"}}}}"#);
    let checked = judge(product, 200, body.as_bytes());
    assert_eq!(checked.request_id.as_deref(), Some("r-1"));
    checked.outcome
}

fn all(product: Product, expected: &[(i32, Outcome)]) {
    for (number, outcome) in expected {
        assert_eq!(&result(product, *number), outcome, "{product:?} {number}");
    }
}

#[test]
fn an_identity_card_s_results() {
    all(
        Product::IdCard,
        &[
            (0, Outcome::Match),
            (-1, mismatch(Field::Unspecified)),
            (-2, unsupported(Unsupported::Malformed)),
            (-3, unsupported(Unsupported::Malformed)),
            (-4, Outcome::ProviderBusy),
            (-5, Outcome::NoRecord),
            (-6, Outcome::ProviderBusy),
            (-7, unsupported(Unsupported::TooOften)),
            (-8, Outcome::ProviderBusy),
        ],
    );
}

#[test]
fn a_mobile_s_results() {
    all(
        Product::Phone,
        &[
            (0, Outcome::Match),
            (-4, mismatch(Field::Unspecified)),
            (-5, Outcome::NoRecord),
            (-6, unsupported(Unsupported::Malformed)),
            (-7, unsupported(Unsupported::Malformed)),
            (-8, unsupported(Unsupported::Malformed)),
            (-9, Outcome::NoRecord),
            (-10, mismatch(Field::Unspecified)),
            (-11, Outcome::ProviderBusy),
            // Numbers that this product does not have.
            (-1, Outcome::ProviderBusy),
            (1, Outcome::ProviderBusy),
        ],
    );
}

#[test]
fn a_card_s_results_with_three_elements() {
    let mut expected = vec![
        (0, Outcome::Match),
        (-1, mismatch(Field::Unspecified)),
        (-2, unsupported(Unsupported::Malformed)),
        (-3, unsupported(Unsupported::Malformed)),
        (-4, mismatch(Field::Card)),
        (-5, mismatch(Field::Unspecified)),
        (-16, unsupported(Unsupported::Card)),
        (-17, Outcome::ProviderBusy),
        (-18, Outcome::ProviderBusy),
        (1, Outcome::ProviderBusy),
    ];
    expected.extend((-15..=-6).map(|number| (number, mismatch(Field::Card))));
    all(Product::Card3, &expected);
}

#[test]
fn a_card_s_results_with_four_elements_are_one_further() {
    let mut expected = vec![
        (0, Outcome::Match),
        (-1, mismatch(Field::Unspecified)),
        (-2, unsupported(Unsupported::Malformed)),
        (-3, unsupported(Unsupported::Malformed)),
        (-4, mismatch(Field::Card)),
        (-5, unsupported(Unsupported::Malformed)),
        (-6, mismatch(Field::Unspecified)),
        (-17, unsupported(Unsupported::Card)),
        (-18, Outcome::ProviderBusy),
        (-19, Outcome::ProviderBusy),
    ];
    expected.extend((-16..=-7).map(|number| (number, mismatch(Field::Card))));
    all(Product::Card4, &expected);
}

#[test]
fn calls_that_were_not_processed_say_who_can_help() {
    for (code, expected) in [
        ("InternalError", Outcome::ProviderBusy),
        ("InternalError.Timeout", Outcome::ProviderBusy),
        ("RequestLimitExceeded", Outcome::ProviderBusy),
        ("FailedOperation.UnKnown", Outcome::ProviderBusy),
        (
            "InvalidParameterValue.BizTokenIllegal",
            unsupported(Unsupported::Malformed),
        ),
        ("LimitExceeded", unsupported(Unsupported::TooOften)),
        (
            "AuthFailure.SignatureExpire",
            config_error("AuthFailure.SignatureExpire"),
        ),
        (
            "UnauthorizedOperation.Nonactivated",
            config_error("UnauthorizedOperation.Nonactivated"),
        ),
        ("InvalidAction", config_error("InvalidAction")),
    ] {
        let body = format!(r#"{{"Response":{{"Error":{{"Code":"{code}","Message":"m"}},"RequestId":"r"}}}}"#);
        assert_eq!(
            judge(Product::Phone, 200, body.as_bytes()).outcome,
            expected,
            "{code}"
        );
    }
}

#[test]
fn what_is_no_answer_is_never_a_match() {
    for (status, body) in [
        (200, "<html>"),
        (200, "{}"),
        (200, r#"{"Response":{"RequestId":"r"}}"#),
        (200, r#"{"Response":{"Result":""}}"#),
        (200, r#"{"Response":{"Result":0}}"#),
        (502, r#"{"Response":{"Result":"0"}}"#),
    ] {
        for product in [Product::IdCard, Product::Phone, Product::Card3, Product::Card4] {
            let outcome = judge(product, status, body.as_bytes()).outcome;
            assert_eq!(outcome, Outcome::ProviderBusy, "{product:?} {body}");
        }
    }
    let with_error = r#"{"Response":{"Result":"0","Error":{"Code":"InternalError"}}}"#;
    assert_eq!(
        judge(Product::Phone, 200, with_error.as_bytes()).outcome,
        Outcome::ProviderBusy
    );
}

#[test]
fn enterprises_are_not_asked_here() {
    let check = Check::Enterprise2 {
        name: "湖南某某有限公司",
        credit_code: "91430100MA4L00003Q",
        biz_no: "b1",
    };
    assert!(question(check).is_none());
    assert!(question(Check::Id2 { person: PERSON }).is_some());
}
