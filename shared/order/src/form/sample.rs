//! Synthetic forms for tests: well-formed, belonging to nobody, another one for each seed.
use super::{
    ApplicationForm, Consent, Handler, HandlerCheck, Mailing, PersonCheck, PersonForm, PersonInvoice,
    SealType, UnitCheck, UnitForm, UnitInvoice,
};
use crate::identifiers::{
    AccountName, BankAccount, BankCard, CreditCode, IdDocument, Mobile, PersonName, ResidentId, UnitName,
    check_digits,
};

/// The unit of `seed`, checked by its legal representative's mobile.
pub fn unit(seed: u32) -> ApplicationForm {
    unit_with(seed, representative_mobile(seed), HandlerCheck::Mobile)
}

/// The unit of `seed`, checked by its account, and its handler by a bank card.
pub fn unit_by_account(seed: u32) -> ApplicationForm {
    let check = UnitCheck::CompanyAccount {
        account_name: AccountName::from(&unit_name(seed)),
        account_number: bank_account(seed),
        bank: parse("示例银行长沙分行"),
        bank_province: parse("湖南省"),
        bank_city: parse("长沙市"),
    };
    unit_with(
        seed,
        check,
        HandlerCheck::BankCard {
            card_number: bank_card(seed),
        },
    )
}

/// The unit of `seed`, checked by its legal representative's bank card.
pub fn unit_by_card(seed: u32) -> ApplicationForm {
    let check = UnitCheck::LegalRepresentativeCard {
        name: person_name(seed.wrapping_add(REPRESENTATIVE)),
        id_number: resident_id(seed.wrapping_add(REPRESENTATIVE)),
        card_number: bank_card(seed.wrapping_add(REPRESENTATIVE)),
        mobile: mobile(seed.wrapping_add(REPRESENTATIVE)),
    };
    unit_with(seed, check, HandlerCheck::Mobile)
}

/// The person of `seed`, checked by mobile.
pub fn person(seed: u32) -> ApplicationForm {
    person_with(seed, PersonCheck::Mobile)
}

/// The person of `seed`, checked by bank card.
pub fn person_by_card(seed: u32) -> ApplicationForm {
    person_with(
        seed,
        PersonCheck::BankCard {
            card_number: bank_card(seed),
        },
    )
}

/// The person of `seed`, checked by a transfer.
pub fn person_by_account(seed: u32) -> ApplicationForm {
    let check = PersonCheck::BankAccount {
        account_number: BankAccount::from(&bank_card(seed)),
        bank: parse("示例银行长沙分行"),
        bank_province: parse("湖南省"),
        bank_city: parse("长沙市"),
    };
    person_with(seed, check)
}

/// The legal representative is the person of another seed than the handler.
const REPRESENTATIVE: u32 = 500_000;

fn representative_mobile(seed: u32) -> UnitCheck {
    let seed = seed.wrapping_add(REPRESENTATIVE);
    UnitCheck::LegalRepresentativeMobile {
        name: person_name(seed),
        id_number: resident_id(seed),
        mobile: mobile(seed),
    }
}

fn unit_with(seed: u32, unit_check: UnitCheck, handler_check: HandlerCheck) -> ApplicationForm {
    ApplicationForm::Unit(Box::new(UnitForm {
        unit_name: unit_name(seed),
        credit_code: credit_code(seed),
        department: Some(parse("招标采购部")),
        telephone: Some(parse(&format!("0731-8{:07}", seed % 10_000_000))),
        unit_check,
        handler: Handler {
            name: person_name(seed),
            mobile: mobile(seed),
            id_document: IdDocument::ResidentId(resident_id(seed)),
            email: parse(&format!("handler{seed}@example.com")),
            role: None,
            bank_account: None,
        },
        handler_check,
        seal_type: SealType::Official,
        mailing: mailing(seed),
        invoice: UnitInvoice {
            tax_number: Some((&credit_code(seed)).into()),
            address_telephone: Some(parse(&format!(
                "长沙市样例大道{seed}号 0731-8{:07}",
                seed % 10_000_000
            ))),
            bank_account: None,
        },
        consent: consent(),
    }))
}

fn person_with(seed: u32, identity_check: PersonCheck) -> ApplicationForm {
    ApplicationForm::Person(Box::new(PersonForm {
        name: person_name(seed),
        id_document: IdDocument::ResidentId(resident_id(seed)),
        mobile: mobile(seed),
        email: parse(&format!("person{seed}@example.com")),
        employer: Some(unit_name(seed)),
        department: None,
        identity_check,
        seal_type: SealType::PersonalName,
        mailing: mailing(seed),
        invoice: PersonInvoice {
            title: parse(unit_name(seed).as_str()),
            tax_number: Some((&credit_code(seed)).into()),
            address_telephone: None,
            bank_account: None,
        },
        consent: consent(),
    }))
}

fn mailing(seed: u32) -> Mailing {
    Mailing {
        province: parse("湖南省"),
        city: parse("长沙市"),
        address: parse(&format!("岳麓区样例路{seed}号")),
    }
}

fn consent() -> Consent {
    Consent {
        privacy_policy: parse("2023-01"),
        risk_notice: parse("2023-01"),
    }
}

/// A unit's name.
pub fn unit_name(seed: u32) -> UnitName {
    parse(&format!("长沙样例{}建设有限公司", characters(seed, 3)))
}

/// A person's name.
pub fn person_name(seed: u32) -> PersonName {
    parse(&format!("欧阳{}", characters(seed, 3)))
}

/// A unified social credit code of an enterprise in Changsha.
pub fn credit_code(seed: u32) -> CreditCode {
    let body = format!("91430100MA{:07}", seed % 10_000_000);
    parse(&check_digits::with_credit_code_check(&body))
}

/// A resident identity number of a district of Changsha.
pub fn resident_id(seed: u32) -> ResidentId {
    // 28 days, 12 months, 40 years, and the rest in the running number.
    let (day, month, year) = (seed % 28 + 1, seed / 28 % 12 + 1, 1960 + seed / 336 % 40);
    let digits = format!("430102{year:04}{month:02}{day:02}{:03}", seed / 13_440 % 999 + 1);
    parse(&check_digits::with_resident_id_check(&digits))
}

/// A mobile number.
pub fn mobile(seed: u32) -> Mobile {
    parse(&format!("199{:08}", seed % 100_000_000))
}

/// A bank card's number.
pub fn bank_card(seed: u32) -> BankCard {
    parse(&check_digits::with_luhn_check(&format!("62170000{seed:010}")))
}

/// A company account's number.
pub fn bank_account(seed: u32) -> BankAccount {
    parse(&format!("4300150006{seed:010}"))
}

/// Some characters that differ from seed to seed.
fn characters(seed: u32, count: usize) -> String {
    const CHARACTERS: [char; 20] = [
        '安', '博', '诚', '达', '恩', '丰', '光', '海', '嘉', '凯', '朗', '铭', '宁', '鹏', '启', '瑞', '盛',
        '泰', '旺', '祥',
    ];
    let mut rest = seed as usize;
    let mut take = || {
        let character = CHARACTERS[rest % CHARACTERS.len()];
        rest /= CHARACTERS.len();
        character
    };
    (0..count).map(|_| take()).collect()
}

fn parse<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().expect("a sample is well-formed")
}
