//! The forms: what they refuse, what they tell, what they hide.
use serde_json::{Value, json};
use time::macros::date;
use utoipa::PartialSchema;

use super::*;
use crate::identifiers::check_digits;

fn all(seed: u32) -> [ApplicationForm; 6] {
    [
        sample::unit(seed),
        sample::unit_by_account(seed),
        sample::unit_by_card(seed),
        sample::person(seed),
        sample::person_by_card(seed),
        sample::person_by_account(seed),
    ]
}

/// The error of a sample's JSON after a change.
fn refusal(form: &ApplicationForm, change: impl FnOnce(&mut Value)) -> String {
    let mut value = serde_json::to_value(form).unwrap();
    change(&mut value);
    serde_json::from_value::<ApplicationForm>(value)
        .expect_err("the form must be refused")
        .to_string()
}

fn set(pointer: &'static str, value: Value) -> impl FnOnce(&mut Value) {
    move |form| {
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        form.pointer_mut(parent).unwrap()[key] = value;
    }
}

fn remove(pointer: &'static str) -> impl FnOnce(&mut Value) {
    move |form| {
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        form.pointer_mut(parent)
            .unwrap()
            .as_object_mut()
            .unwrap()
            .remove(key)
            .unwrap();
    }
}

fn assert_code(error: &str, code: &str) {
    assert!(error.starts_with(&format!("{code}: ")), "{error}");
}

#[test]
fn a_form_survives_storage_exactly() {
    for seed in [0, 1, 27, 9_999, 123_456, u32::MAX] {
        for form in all(seed) {
            let stored = serde_json::to_string(&form).unwrap();
            let loaded: ApplicationForm = serde_json::from_str(&stored).unwrap();
            assert_eq!(loaded, form);
            assert_eq!(serde_json::to_string(&loaded).unwrap(), stored);
        }
    }
}

#[test]
fn samples_differ_by_seed() {
    for (one, other) in all(1).into_iter().zip(all(2)) {
        assert_ne!(one.holder_number(), other.holder_number());
        assert_ne!(one.notice_mobile(), other.notice_mobile());
        assert_ne!(one.holder_name(), other.holder_name());
    }
}

#[test]
fn debug_and_the_masked_view_show_nothing_personal() {
    for form in all(4_321) {
        let shown = format!(
            "{form:?} {:#?} {:?}",
            form.password_route(),
            form.identity_checks()
        );
        let masked = serde_json::to_string(&form.masked()).unwrap();
        let mut personal = Vec::new();
        strings(&serde_json::to_value(&form).unwrap(), &mut personal);
        // Words of the form itself, and versions of public texts.
        let open = [
            "unit",
            "person",
            "mobile",
            "bank_card",
            "bank_account",
            "company_account",
            "resident_id",
            "official",
            "legal_representative_mobile",
            "legal_representative_card",
            "personal_name",
            "2023-01",
        ];
        personal.retain(|text| !open.contains(&text.as_str()));
        assert!(personal.len() >= 10);
        for text in personal {
            assert!(!shown.contains(&text), "Debug shows {text}");
            let is_unit_name = form.subject() == Subject::Unit && text == form.holder_name();
            assert!(
                is_unit_name || !masked.contains(&text),
                "the masked view shows {text}"
            );
        }
    }
}

fn strings(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) => found.push(text.clone()),
        Value::Object(fields) => fields.values().for_each(|field| strings(field, found)),
        _ => {}
    }
}

#[test]
fn the_identity_check_decides_where_the_password_goes() {
    let mobile_of = |form: &ApplicationForm| match form.password_route() {
        PasswordRoute::Sms(mobile) => Some(mobile),
        PasswordRoute::BankMemo(_) => None,
    };
    let representative = sample::mobile(500_007);
    assert_eq!(mobile_of(&sample::unit(7)), Some(representative.clone()));
    assert_eq!(mobile_of(&sample::unit_by_card(7)), Some(representative));
    assert_eq!(mobile_of(&sample::person(7)), Some(sample::mobile(7)));
    assert_eq!(mobile_of(&sample::person_by_card(7)), Some(sample::mobile(7)));
    let PasswordRoute::BankMemo(company) = sample::unit_by_account(7).password_route() else {
        panic!("a memo")
    };
    assert_eq!(
        (company.kind, company.account_name.as_str()),
        (PayeeKind::Corporate, sample::unit_name(7).as_str())
    );
    let PasswordRoute::BankMemo(person) = sample::person_by_account(7).password_route() else {
        panic!("a memo")
    };
    assert_eq!(
        (person.kind, person.account_name.as_str()),
        (PayeeKind::Private, sample::person_name(7).as_str())
    );
}

#[test]
fn a_password_route_survives_storage() {
    for form in all(3) {
        let route = form.password_route();
        let stored = serde_json::to_string(&route).unwrap();
        assert_eq!(serde_json::from_str::<PasswordRoute>(&stored).unwrap(), route);
    }
}

#[test]
fn everybody_is_asked_about() {
    let pointers = |form: ApplicationForm| {
        form.identity_checks()
            .iter()
            .map(|c| c.pointer)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        pointers(sample::unit(1)),
        ["/credit_code", "/unit_check", "/handler_check"]
    );
    assert_eq!(
        pointers(sample::unit_by_account(1)),
        ["/credit_code", "/handler_check"]
    );
    assert_eq!(pointers(sample::person_by_account(1)), ["/identity_check"]);
    let form = sample::unit_by_account(1);
    let checks = form.identity_checks();
    assert!(matches!(&checks[1].elements, Elements::Card { name, .. } if **name == sample::person_name(1)));
}

#[test]
fn holder_and_contact_are_told_apart() {
    let unit = sample::unit(5);
    assert_eq!(unit.holder_name(), sample::unit_name(5).as_str());
    assert_eq!(unit.holder_number(), sample::credit_code(5).as_str());
    assert_eq!(unit.contact_name(), &sample::person_name(5));
    assert_eq!(unit.signature_mobile(), &sample::mobile(5));
    assert_eq!(unit.invoice_title(), unit.holder_name());
    let person = sample::person(5);
    assert_eq!(person.holder_name(), sample::person_name(5).as_str());
    assert_eq!(person.holder_number(), sample::resident_id(5).as_str());
    assert_eq!(person.notice_email().as_str(), "person5@example.com");
}

#[test]
fn a_unit_without_a_tax_number_has_its_credit_code() {
    let mut value = serde_json::to_value(sample::unit(1)).unwrap();
    remove("/invoice")(&mut value);
    let form: ApplicationForm = serde_json::from_value(value).unwrap();
    assert_eq!(form.invoice_tax_number().unwrap().as_str(), form.holder_number());
}

#[test]
fn units_also_show_their_licence() {
    use DocumentKind::{BusinessLicence, IdEmblem, IdPortrait, SealSpecimen};
    assert_eq!(
        sample::unit(1).required_documents(),
        [BusinessLicence, IdPortrait, IdEmblem, SealSpecimen]
    );
    assert_eq!(
        sample::person(1).required_documents(),
        [IdPortrait, IdEmblem, SealSpecimen]
    );
    for kind in DocumentKind::ALL {
        assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
    }
}

#[test]
fn every_malformed_value_is_refused_with_its_code() {
    let unit = sample::unit(1);
    let refused = |pointer, value: &str| refusal(&unit, set(pointer, json!(value)));
    assert_code(
        &refused("/credit_code", "91430000183786393B"),
        "malformed-credit-code",
    );
    assert_code(&refused("/unit_name", "\u{7}x"), "malformed-unit-name");
    assert_code(&refused("/handler/mobile", "12345"), "malformed-mobile");
    assert_code(&refused("/handler/email", "nobody"), "malformed-email");
    assert_code(&refused("/handler/name", "9"), "malformed-name");
    assert_code(
        &refused("/handler/id_document/number", "430102199003070011"),
        "malformed-id-number",
    );
    assert_code(
        &refused("/unit_check/id_number", "430102199003070011"),
        "malformed-id-number",
    );
    assert_code(&refused("/mailing/address", ""), "malformed-address");
    assert_code(&refused("/mailing/city", "1"), "malformed-place");
    assert_code(&refused("/invoice/tax_number", "1"), "malformed-tax-number");
    assert_code(
        &refused("/invoice/tax_number", "430102199003070012"),
        "malformed-tax-number",
    );
    assert_code(
        &refused("/consent/privacy_policy", "<b>"),
        "malformed-policy-version",
    );
    let account = sample::unit_by_account(1);
    assert_code(
        &refusal(&account, set("/unit_check/account_number", json!("x"))),
        "malformed-bank-account",
    );
    assert_code(
        &refusal(
            &account,
            set("/handler_check/card_number", json!("6222026006705354217")),
        ),
        "malformed-bank-card",
    );
}

/// Buffering would lose the place; `serde_json` then knows no line.
#[test]
fn an_error_names_its_place_wherever_the_subject_stands() {
    for field in ["mobile", "city", "id_number"] {
        let mut value = serde_json::to_value(sample::unit(1)).unwrap();
        let parent = match field {
            "mobile" => "handler",
            "city" => "mailing",
            _ => "unit_check",
        };
        value[parent][field] = json!("?");
        let text = serde_json::to_string_pretty(&value).unwrap();
        let line = text.lines().position(|line| line.contains("\"?\"")).unwrap() + 1;
        let error = serde_json::from_str::<ApplicationForm>(&text).unwrap_err();
        assert_eq!(error.line(), line, "{field}: {error}");
    }
}

#[test]
fn what_must_fit_together_does() {
    let account = sample::unit_by_account(1);
    let other = json!(sample::unit_name(2));
    assert_code(
        &refusal(&account, set("/unit_check/account_name", other)),
        "account-name-differs",
    );
    let person = sample::person(1);
    assert_code(
        &refusal(&person, set("/invoice/title", json!("个人"))),
        "invoice-title-personal",
    );
    assert_code(
        &refusal(&person, remove("/invoice/tax_number")),
        "invoice-tax-number-missing",
    );
    assert_code(
        &refusal(&person, set("/seal_type", json!("official"))),
        "seal-type-unfit",
    );
    assert_code(
        &refusal(&sample::unit(1), set("/seal_type", json!("personal_name"))),
        "seal-type-unfit",
    );
}

#[test]
fn a_person_may_pay_without_an_employer() {
    for title in ["个人", sample::person_name(1).as_str()] {
        let mut value = serde_json::to_value(sample::person(1)).unwrap();
        value["invoice"] = json!({ "title": title });
        assert!(
            serde_json::from_value::<ApplicationForm>(value).is_ok(),
            "{title}"
        );
    }
}

#[test]
fn brackets_of_either_width_name_the_same_account() {
    let mut value = serde_json::to_value(sample::unit_by_account(1)).unwrap();
    value["unit_name"] = json!("示例（长沙）有限公司");
    value["unit_check"]["account_name"] = json!("示例(长沙)有限公司");
    assert!(serde_json::from_value::<ApplicationForm>(value).is_ok());
}

#[test]
fn every_required_field_is_missed() {
    let required = [
        "/subject",
        "/unit_name",
        "/credit_code",
        "/unit_check",
        "/handler",
        "/handler_check",
        "/seal_type",
        "/mailing",
        "/consent",
        "/handler/name",
        "/handler/mobile",
        "/handler/id_document",
        "/handler/email",
        "/unit_check/method",
        "/unit_check/name",
        "/unit_check/id_number",
        "/unit_check/mobile",
        "/mailing/province",
        "/mailing/city",
        "/mailing/address",
        "/consent/privacy_policy",
        "/consent/risk_notice",
    ];
    for pointer in required {
        let error = refusal(&sample::unit(1), remove(pointer));
        let field = pointer.rsplit('/').next().unwrap();
        assert!(
            error.starts_with(&format!("missing field `{field}`")),
            "{pointer}: {error}"
        );
    }
    let required = [
        "/name",
        "/id_document",
        "/mobile",
        "/email",
        "/identity_check",
        "/identity_check/bank",
        "/invoice/title",
    ];
    for pointer in required {
        let error = refusal(&sample::person_by_account(1), remove(pointer));
        assert!(error.starts_with("missing field `"), "{pointer}: {error}");
    }
}

#[test]
fn fields_without_a_place_are_refused() {
    let unit = sample::unit(1);
    let refused = [
        refusal(&unit, set("/price", json!(1))),
        refusal(&unit, set("/mobile", json!("13800000305"))),
        refusal(&unit, set("/invoice/title", json!("别的公司"))),
        refusal(&unit, set("/unit_check/bank", json!("示例银行"))),
        refusal(&unit, set("/handler/given_at", json!("2023-01-01"))),
        refusal(
            &unit,
            set("/handler_check/card_number", json!("6217000010001234569")),
        ),
        refusal(&unit, set("/handler/id_document/issued", json!("x"))),
        refusal(
            &sample::person(1),
            set("/credit_code", json!("91430100MA4L00003Q")),
        ),
        refusal(&sample::person(1), set("/identity_check/bank", json!("示例银行"))),
    ];
    for error in refused {
        // An adjacently tagged enum speaks of an unknown field in words of its own.
        let is_unknown =
            error.starts_with("unknown field `") || error.contains("string \"issued\", expected");
        assert!(is_unknown, "{error}");
    }
}

#[test]
fn people_of_the_future_are_refused() {
    let tomorrow = check_digits::with_resident_id_check("43010220260102001");
    for pointer in ["/handler/id_document/number", "/unit_check/id_number"] {
        let mut value = serde_json::to_value(sample::unit(1)).unwrap();
        *value.pointer_mut(pointer).unwrap() = json!(tomorrow);
        let form: ApplicationForm = serde_json::from_value(value).unwrap();
        assert_eq!(
            form.check_birth_dates(date!(2026 - 01 - 02)),
            Err(InvalidIdentifier::IdNumber)
        );
        assert_eq!(form.check_birth_dates(date!(2026 - 01 - 03)), Ok(()));
    }
}

#[test]
fn the_schema_tells_the_subjects_apart() {
    let schema = serde_json::to_value(ApplicationForm::schema())
        .unwrap()
        .to_string();
    assert!(
        schema.contains("subject") && schema.contains("unit") && schema.contains("person"),
        "{schema}"
    );
    let invoice = serde_json::to_value(UnitForm::schema()).unwrap();
    let required = invoice["required"].to_string();
    assert!(
        required.contains("credit_code")
            && !required.contains("department")
            && !required.contains("\"invoice\"")
    );
}
