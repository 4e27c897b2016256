//! The identifiers against random input.
use std::fmt::Debug;
use std::str::FromStr;

use proptest::prelude::*;
use time::macros::date;

use super::*;

fn parses<T: FromStr>(text: &str) -> bool {
    text.parse::<T>().is_ok()
}

proptest! {
    #[test]
    fn any_body_with_its_check_character_is_a_credit_code(body in "[0-9A-HJ-NPQRTUWXY]{17}") {
        let code = check_digits::with_credit_code_check(&body);
        prop_assert!(parses::<CreditCode>(&code));
    }

    #[test]
    fn a_changed_character_breaks_a_credit_code(
        body in "[0-9A-HJ-NPQRTUWXY]{17}", place in 0_usize..18, other in "[0-9A-Z]",
    ) {
        let mut code = check_digits::with_credit_code_check(&body);
        prop_assume!(code[place..=place] != other);
        code.replace_range(place..=place, &other);
        prop_assert!(!parses::<CreditCode>(&code));
    }

    #[test]
    fn any_birthday_with_its_check_character_is_a_resident_id(
        year in 1900..2100, month in 1..=12, day in 1..=28, running in 0..1000,
    ) {
        let digits = format!("430102{year:04}{month:02}{day:02}{running:03}");
        prop_assert!(parses::<ResidentId>(&check_digits::with_resident_id_check(&digits)));
    }

    #[test]
    fn a_changed_character_breaks_a_resident_id(
        year in 1900..2100, month in 1..=12, day in 1..=28, running in 0..1000, place in 0_usize..18, other in "[0-9X]",
    ) {
        let digits = format!("430102{year:04}{month:02}{day:02}{running:03}");
        let mut id = check_digits::with_resident_id_check(&digits);
        prop_assume!(id[place..=place] != other);
        id.replace_range(place..=place, &other);
        prop_assert!(!parses::<ResidentId>(&id));
    }

    #[test]
    fn a_changed_digit_breaks_a_card(digits in "[0-9]{11,18}", place in 0_usize..12, other in "[0-9]") {
        let mut card = check_digits::with_luhn_check(&digits);
        prop_assert!(parses::<BankCard>(&card));
        prop_assume!(card[place..=place] != other);
        card.replace_range(place..=place, &other);
        prop_assert!(!parses::<BankCard>(&card));
    }

    #[test]
    fn yuan_and_fen_agree(fen in 0..=i64::MAX) {
        let amount = Fen::new(fen).unwrap();
        prop_assert_eq!(amount.to_yuan().parse::<Fen>(), Ok(amount));
    }

    #[test]
    fn order_numbers_parse_again(day in 0_i64..3_000_000, random in any::<u64>()) {
        let date = date!(0001-01-01).saturating_add(time::Duration::days(day));
        let number = OrderNumber::new(date, random);
        prop_assert_eq!(number.as_str().parse::<OrderNumber>(), Ok(number.clone()));
    }

    /// Whatever arrives is answered; what is accepted is accepted again after storage, unchanged.
    #[test]
    fn no_text_makes_a_parser_stumble(text in prop_oneof![any::<String>(), "[0-9A-Zx+中０ -]{0,24}"]) {
        fn once<T: FromStr<Err: PartialEq + Debug> + Into<String> + Clone + PartialEq + Debug>(text: &str) -> bool {
            text.parse::<T>().is_ok_and(|value| {
                let stored: String = value.clone().into();
                stored.parse::<T>().ok() != Some(value)
            })
        }
        let unstable = [
            once::<CreditCode>(&text), once::<ResidentId>(&text), once::<Mobile>(&text), once::<BankCard>(&text),
            once::<BankAccount>(&text), once::<Email>(&text), once::<TaxNumber>(&text), once::<PersonName>(&text),
            once::<UnitName>(&text), once::<OrderNumber>(&text), once::<OrderId>(&text), once::<VendorId>(&text),
            once::<Address>(&text), once::<Place>(&text), once::<Telephone>(&text), once::<PassportNumber>(&text),
            once::<HongKongMacaoPermitNumber>(&text), once::<TaiwanPermitNumber>(&text),
            once::<ForeignPermanentResidentNumber>(&text), once::<MilitaryOfficerNumber>(&text),
            once::<PolicyVersion>(&text), once::<InvoiceTitle>(&text),
        ];
        prop_assert!(!unstable.contains(&true), "{:?}", unstable);
        prop_assert!(text.parse::<Fen>().is_ok() || text.parse::<Fen>() == Err(InvalidIdentifier::Amount));
    }
}
