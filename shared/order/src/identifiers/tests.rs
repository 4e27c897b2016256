//! The identifiers against vectors and properties.
use std::str::FromStr;

use time::macros::{date, datetime};

use super::*;

fn parses<T: FromStr>(text: &str) -> bool {
    text.parse::<T>().is_ok()
}

#[test]
fn credit_codes_need_their_check_character() {
    let right = [
        "91350100M000100Y43",
        "914403001922038216",
        "9144030071526726XG",
        "91330100799655058B",
        "91110108551385082Q",
        "911101085923662400",
        "91310000MA1FL70B67",
        "91430100MA4L00003Q",
        "914301001234567887",
    ];
    for code in right {
        assert_eq!(code.parse::<CreditCode>().expect(code).as_str(), code);
    }
    assert_eq!(
        "91430100ma4l00003q".parse::<CreditCode>().unwrap().as_str(),
        "91430100MA4L00003Q"
    );
    // The last ones hold an I and an O, which nobody may correct silently.
    let wrong = [
        "91430000183786393B",
        "12430000444886222K",
        "",
        "9143010012345678",
        "91430100MA4L00003Q0",
        "9I430100MA4L00003Q",
        "914301OOMA4L00003Q",
        "９1430100MA4L0003Q",
    ];
    for code in wrong {
        assert_eq!(
            code.parse::<CreditCode>(),
            Err(InvalidIdentifier::CreditCode),
            "{code}"
        );
    }
}

#[test]
fn resident_ids_need_check_character_province_and_date() {
    for id in [
        "11010519491231002X",
        "110101202311012176",
        "430102199003070012",
        "430102199003070020",
    ] {
        assert!(parses::<ResidentId>(id), "{id}");
    }
    assert!(parses::<ResidentId>("430102198802291239"), "1988 was a leap year");
    assert_eq!(
        "11010519491231002x".parse::<ResidentId>().unwrap().as_str(),
        "11010519491231002X"
    );
    let with_check = check_digits::with_resident_id_check;
    let wrong = [
        "440524188001010014".to_owned(),
        "430102199003070011".to_owned(),
        "43010219900307001".to_owned(),
        with_check("43010219890229123"),
        with_check("43010219901307001"),
        with_check("99010219900307001"),
        "1101051949123100¥".to_owned(),
        "11010519491231０X".to_owned(),
    ];
    for id in wrong {
        assert_eq!(id.parse::<ResidentId>(), Err(InvalidIdentifier::IdNumber), "{id}");
    }
}

#[test]
fn nobody_is_born_after_today() {
    let id: ResidentId = "430102199003070012".parse().unwrap();
    assert!(id.is_born_before(date!(1990 - 03 - 08)));
    assert!(!id.is_born_before(date!(1990 - 03 - 07)));
}

#[test]
fn other_documents_have_their_own_forms() {
    let right = [
        (IdType::Passport, "E12345678"),
        (IdType::Passport, "eh1234567"),
        (IdType::HongKongMacaoPermit, "H01234567"),
        (IdType::HongKongMacaoPermit, "M0123456789"),
        (IdType::TaiwanPermit, "01234567"),
        (IdType::TaiwanPermit, "0123456789B"),
        (IdType::ForeignPermanentResident, "CHN110000010101"),
        (IdType::MilitaryOfficer, "军字第1234567号"),
    ];
    for (id_type, number) in right {
        let document = IdDocument::new(id_type, number).expect(number);
        assert_eq!(
            (document.id_type(), document.number()),
            (id_type, number.to_uppercase().as_str())
        );
    }
    let current = check_digits::with_resident_id_check("91156198503078001".get(..17).unwrap());
    assert!(
        IdDocument::new(IdType::ForeignPermanentResident, &current).is_err(),
        "the date is shifted"
    );
    let current = check_digits::with_resident_id_check("91115619850307800");
    assert!(IdDocument::new(IdType::ForeignPermanentResident, &current).is_ok());
    let wrong = [
        (IdType::Passport, "E1"),
        (IdType::Passport, "E1234-5678"),
        (IdType::HongKongMacaoPermit, "A01234567"),
        (IdType::TaiwanPermit, "0123456A"),
        (IdType::ForeignPermanentResident, "911156198503078000"),
        (IdType::ForeignPermanentResident, "中N110000010101"),
        (IdType::MilitaryOfficer, "军字第号"),
        (IdType::ResidentId, "E12345678"),
    ];
    for (id_type, number) in wrong {
        assert_eq!(
            IdDocument::new(id_type, number),
            Err(InvalidIdentifier::IdNumber),
            "{number}"
        );
    }
}

#[test]
fn a_document_is_a_type_and_a_number() {
    let text = r#"{"type":"resident_id","number":"430102199003070012"}"#;
    let document: IdDocument = serde_json::from_str(text).unwrap();
    assert!(document.resident_id().is_some());
    assert_eq!(serde_json::to_string(&document).unwrap(), text);
    let wrong_type = r#"{"type":"hong_kong_macao_permit","number":"430102199003070012"}"#;
    let error = serde_json::from_str::<IdDocument>(wrong_type)
        .unwrap_err()
        .to_string();
    assert!(error.starts_with("malformed-id-number: "), "{error}");
}

#[test]
fn mobiles_lose_country_code_and_spaces() {
    for text in [
        "13800000305",
        "+86 138 0000 0305",
        "8613800000305",
        "138-0000-0305",
    ] {
        assert_eq!(text.parse::<Mobile>().expect(text).as_str(), "13800000305");
    }
    for text in [
        "12800000305",
        "1380000030",
        "138000003051",
        "+8513800000305",
        "86138000003",
        "",
        "一三八零零零零零三零五",
    ] {
        assert_eq!(text.parse::<Mobile>(), Err(InvalidIdentifier::Mobile), "{text}");
    }
}

#[test]
fn cards_need_their_check_digit_and_accounts_have_none() {
    for card in [
        "6228480402564890018",
        "6225365271562822",
        "6217000010001234569",
        "6222 0219 0300 1234 560",
    ] {
        assert!(parses::<BankCard>(card), "{card}");
    }
    for card in [
        "6222026006705354217",
        "62253652715",
        "62253652715628220000",
        "622536527156282X",
    ] {
        assert_eq!(
            card.parse::<BankCard>(),
            Err(InvalidIdentifier::BankCard),
            "{card}"
        );
    }
    for account in ["430015000610525", "4300-1500-0610-5250", "NRA4300150006"] {
        assert!(parses::<BankAccount>(account), "{account}");
    }
    for account in [
        "12345",
        "ABCDEF1",
        "-430015000610525",
        "430015000610525*",
        &"1".repeat(33),
    ] {
        assert_eq!(
            account.parse::<BankAccount>(),
            Err(InvalidIdentifier::BankAccount),
            "{account}"
        );
    }
}

#[test]
fn tax_numbers_of_eighteen_characters_are_checked() {
    for number in [
        "91430100MA4L00003Q",
        "430102199003070012",
        "430102123456789",
        "43010219900307001201",
    ] {
        assert!(parses::<TaxNumber>(number), "{number}");
    }
    for number in [
        "91430000183786393B",
        "43010212345678",
        "430102-12345678",
        "430102199003070012012",
    ] {
        assert_eq!(
            number.parse::<TaxNumber>(),
            Err(InvalidIdentifier::TaxNumber),
            "{number}"
        );
    }
    assert!(
        !"430102199003070012"
            .parse::<TaxNumber>()
            .unwrap()
            .fits_organisation()
    );
}

#[test]
fn e_mail_addresses_have_a_plain_form() {
    for email in [
        "a@example.com",
        "first.last+tag@mail.example.com.cn",
        "x_y@example-mail.cn",
    ] {
        assert!(parses::<Email>(email), "{email}");
    }
    let long = format!("{}@example.com", "a".repeat(65));
    for email in [
        "a",
        "@example.com",
        "a@b",
        "a@@example.com",
        "a..b@example.com",
        "a@-example.com",
        "a@example.1",
        &long,
    ] {
        assert_eq!(email.parse::<Email>(), Err(InvalidIdentifier::Email), "{email}");
    }
    assert!(
        !parses::<Email>("a@example.com\r\nBcc: b@example.com"),
        "a header must not be smuggled in"
    );
}

#[test]
fn names_are_visible_text() {
    for name in ["张三", "买买提·艾力", "Anna O'Neill-Smith", "㐱三"] {
        assert!(parses::<PersonName>(name), "{name}");
    }
    for name in ["张", "", "张3", "张\u{200b}三", "··", &"长".repeat(51)] {
        assert_eq!(name.parse::<PersonName>(), Err(InvalidIdentifier::Name), "{name}");
    }
    assert_eq!(
        "  长沙示例有限公司 ".parse::<UnitName>().unwrap().as_str(),
        "长沙示例有限公司"
    );
    for name in ["长", "长沙\n公司", "长沙\u{202e}公司", &"长".repeat(65)] {
        assert_eq!(
            name.parse::<UnitName>(),
            Err(InvalidIdentifier::UnitName),
            "{name}"
        );
    }
    let unit: UnitName = "示例（长沙）有限公司".parse().unwrap();
    assert!(unit.is_same("示例(长沙) 有限公司"));
    assert!(!unit.is_same("示例长沙有限公司"));
}

#[test]
fn money_is_never_negative_and_never_rounded() {
    let yuan = |text: &str| text.parse::<Fen>().map(Fen::fen);
    assert_eq!(yuan("88.00"), Ok(8800));
    assert_eq!(yuan("88.8"), Ok(8880));
    assert_eq!(yuan("0.01"), Ok(1));
    assert_eq!(yuan("88"), Ok(8800));
    for text in [
        "",
        ".5",
        "88.",
        "-1",
        "+1",
        "1.234",
        "1,000",
        "92233720368547758.08",
        "1e2",
    ] {
        assert_eq!(yuan(text), Err(InvalidIdentifier::Amount), "{text}");
    }
    assert_eq!(yuan("92233720368547758.07"), Ok(i64::MAX));
    let amount = Fen::new(12_305).unwrap();
    assert_eq!(amount.to_string(), "123.05");
    assert_eq!(amount.checked_sub(Fen::new(12_306).unwrap()), None);
    assert_eq!(amount.checked_sub(amount), Some(Fen::ZERO));
    assert_eq!(amount.checked_add(Fen::new(i64::MAX).unwrap()), None);
    assert_eq!(serde_json::to_string(&amount).unwrap(), "12305");
    let error = serde_json::from_str::<Fen>("-1").unwrap_err().to_string();
    assert!(error.starts_with("malformed-amount: "), "{error}");
}

#[test]
fn order_numbers_bear_the_date_in_china() {
    let evening = datetime!(2023-04-21 16:30 UTC);
    let number = OrderNumber::new(china_date(evening), 30_000_001_145);
    assert_eq!(number.as_str(), "20230422A0000001145");
    assert_eq!(number.as_str().parse::<OrderNumber>().unwrap(), number);
    for text in [
        "20230229A0000001145",
        "20230422A001145",
        "20230422B0000001145",
        "20230422A000000114５",
        "A",
    ] {
        assert_eq!(
            text.parse::<OrderNumber>(),
            Err(InvalidIdentifier::OrderNumber),
            "{text}"
        );
    }
}

#[test]
fn ids_have_one_spelling() {
    let id = OrderId::from_random([0x0f; 16]);
    assert_eq!(id.as_str(), "0f".repeat(16));
    assert!(!parses::<OrderId>(&"0F".repeat(16)));
    assert!(!parses::<OrderId>(&"0f".repeat(15)));
    for slug in ["gdca", "bjca-2", "unit-1y"] {
        assert!(parses::<VendorId>(slug) && parses::<ProductId>(slug), "{slug}");
    }
    for slug in ["", "a", "GDCA", "1ca", "ca-", "-ca", "c a", "ca/../x"] {
        assert!(!parses::<VendorId>(slug) && !parses::<ProductId>(slug), "{slug}");
    }
}

#[test]
fn errors_name_a_code_and_never_the_value() {
    let mut codes: Vec<_> = InvalidIdentifier::ALL.iter().map(|error| error.code()).collect();
    for error in InvalidIdentifier::ALL {
        assert_eq!(
            error.to_string(),
            format!("{}: {}", error.code(), error.sentence())
        );
        assert!(error.code().starts_with("malformed-"));
    }
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.len(), InvalidIdentifier::ALL.len(), "codes are unique");
    let error = serde_json::from_str::<Mobile>("\"1380000030x\"")
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with("malformed-mobile: ") && !error.contains("1380000030"),
        "{error}"
    );
}
