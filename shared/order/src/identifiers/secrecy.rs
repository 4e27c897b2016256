//! What identifiers show of themselves, and that storage keeps them whole.
use std::fmt::{Debug, Display};
use std::str::FromStr;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::*;

#[test]
fn masks_keep_what_the_screens_show() {
    assert_eq!("15100000305".parse::<Mobile>().unwrap().masked(), "151****0305");
    assert_eq!(
        "430102199003070012".parse::<ResidentId>().unwrap().masked(),
        "430...12"
    );
    assert_eq!("测试".parse::<PersonName>().unwrap().masked(), "测*");
    assert_eq!("欧阳测试".parse::<PersonName>().unwrap().masked(), "欧**");
    assert_eq!(
        "zhang@example.com".parse::<Email>().unwrap().masked(),
        "z***@example.com"
    );
    assert_eq!(
        "z@example.com".parse::<Email>().unwrap().masked(),
        "***@example.com"
    );
    assert_eq!(
        "6217000010001234569".parse::<BankCard>().unwrap().masked(),
        "6217****4569"
    );
    assert_eq!(
        IdDocument::new(IdType::Passport, "E12345678").unwrap().masked(),
        "E...78"
    );
}

/// What a personal value shows of itself, and what it is in JSON.
fn faces<T: FromStr<Err: Debug> + Debug + Display + Serialize + DeserializeOwned + PartialEq>(text: &str) {
    let value: T = text.parse().expect(text);
    assert!(
        !format!("{value:?} {value}").contains(text),
        "{value:?} shows the value"
    );
    let json = serde_json::to_string(&value).unwrap();
    assert_eq!(json, format!("\"{text}\""));
    assert_eq!(serde_json::from_str::<T>(&json).unwrap(), value);
}

#[test]
fn personal_values_hide_and_survive_storage() {
    faces::<PersonName>("张三");
    faces::<PersonName>("李小四");
    faces::<Mobile>("13800000305");
    faces::<Email>("zhang@example.com");
    faces::<Email>("z@example.com");
    faces::<ResidentId>("430102199003070012");
    faces::<PassportNumber>("E12345678");
    faces::<PassportNumber>("E1234");
    faces::<HongKongMacaoPermitNumber>("H01234567");
    faces::<TaiwanPermitNumber>("01234567");
    faces::<ForeignPermanentResidentNumber>("CHN110000010101");
    faces::<MilitaryOfficerNumber>("军字第1234567号");
    faces::<MilitaryOfficerNumber>("军字第1");
    faces::<UnitName>("长沙示例建设有限公司");
    faces::<UnitName>("甲行");
    faces::<CreditCode>("91430100MA4L00003Q");
    faces::<TaxNumber>("430102123456789");
    faces::<BankCard>("6217000010001234569");
    faces::<BankAccount>("430015000610525");
    faces::<AccountName>("张三");
    faces::<Address>("岳麓区样例路1号");
    faces::<Place>("湖南省");
    faces::<BankName>("示例银行长沙分行");
    faces::<Department>("招标部");
    faces::<Role>("职员");
    faces::<Telephone>("0731-80000000");
    faces::<InvoiceTitle>("长沙示例建设有限公司");
    faces::<InvoiceLine>("样例路1号 0731-80000000");
}
