//! Short texts of forms: addresses, places, departments, lines of invoices, versions of policies.
use super::newtype::{mask_all, mask_middle, printable, text_type};

text_type! {
    /// A detailed mailing address, below the city.
    Address {
        parse: |text| printable(text, 2, 200),
        error: Address,
        face: personal(mask_all),
        schema: (min_length = 2, max_length = 200, example = "示例路1号")
    }
}

text_type! {
    /// A province or a city.
    Place {
        parse: |text| printable(text, 2, 32).filter(|place| place.chars().all(|c| c.is_alphabetic() || " ·-".contains(c))),
        error: Place,
        face: personal(mask_all),
        schema: (min_length = 2, max_length = 32, example = "湖南省")
    }
}

text_type! {
    /// A bank's name, with or without the branch.
    BankName {
        parse: |text| printable(text, 2, 64),
        error: BankName,
        face: personal(mask_all),
        schema: (min_length = 2, max_length = 64, example = "示例银行长沙分行")
    }
}

text_type! {
    /// A department of a unit.
    Department {
        parse: |text| printable(text, 1, 64),
        error: Department,
        face: personal(mask_all),
        schema: (min_length = 1, max_length = 64, example = "招标部")
    }
}

text_type! {
    /// What the handler is in the unit.
    Role {
        parse: |text| printable(text, 1, 32),
        error: Role,
        face: personal(mask_all),
        schema: (min_length = 1, max_length = 32, example = "职员")
    }
}

text_type! {
    /// A telephone number of any kind.
    Telephone {
        parse: parse_telephone,
        error: Telephone,
        face: personal(|text| mask_middle(text, 0, "****", 2)),
        schema: (pattern = r"^[0-9 ()+-]{5,24}$", example = "0731-80000000")
    }
}

text_type! {
    /// The title of an invoice: who it is made out to.
    InvoiceTitle {
        parse: |text| printable(text, 2, 100),
        error: InvoiceTitle,
        face: personal(mask_all),
        schema: (min_length = 2, max_length = 100, example = "个人")
    }
}

text_type! {
    /// A line of an invoice: address and telephone, or bank and account.
    InvoiceLine {
        parse: |text| printable(text, 1, 200),
        error: InvoiceLine,
        face: personal(mask_all),
        schema: (min_length = 1, max_length = 200, example = "示例路1号 0731-80000000")
    }
}

text_type! {
    /// The version of a policy that somebody consented to.
    PolicyVersion {
        parse: |text| {
            let fits = (1..=32).contains(&text.len())
                && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.' || b == b'-');
            fits.then(|| text.to_owned())
        },
        error: PolicyVersion,
        face: open,
        schema: (pattern = "^[0-9A-Za-z.-]{1,32}$", example = "2023-01")
    }
}

fn parse_telephone(text: &str) -> Option<String> {
    let text = printable(text, 5, 24)?;
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    (digits >= 5 && text.chars().all(|c| c.is_ascii_digit() || " -+()".contains(c))).then_some(text)
}
