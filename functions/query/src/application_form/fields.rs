//! What stands in the application form, in the words of the screens.
use yinxin_order::form::{
    ApplicationForm, HandlerCheck, PersonCheck, PersonForm, SealType, UnitCheck, UnitForm,
};
use yinxin_order::identifiers::{
    Department, IdDocument, IdType, InvoiceLine, OrderNumber, Role, TaxNumber, Telephone, UnitName,
    china_date,
};
use yinxin_order::order::{Order, Personal};

/// A titled part of the form.
pub struct Section {
    /// Its title.
    pub title: &'static str,
    /// Labels and values.
    pub rows: Vec<(&'static str, String)>,
}

/// What the applicant declares.
pub const DECLARATION: &str = "申请人承诺：以上信息及所提交的资料真实、准确、完整；已阅读并同意电子认证业务规则、\
个人信息保护政策及风险知情书；妥善保管证书介质及口令，因保管不善造成的后果由申请人承担。";

/// The parts of an order's form.
pub fn sections(order: &Order, number: &OrderNumber, personal: &Personal, vendor: &str) -> Vec<Section> {
    let form = &personal.form;
    let mut sections = vec![order_section(order, number, vendor)];
    match form {
        ApplicationForm::Unit(unit) => {
            sections.push(unit_section(unit));
            sections.push(handler_section(unit));
        }
        ApplicationForm::Person(person) => sections.push(person_section(person)),
    }
    sections.push(delivery_section(form));
    sections.push(invoice_section(form));
    sections.push(consent_section(personal));
    sections
}

fn order_section(order: &Order, number: &OrderNumber, vendor: &str) -> Section {
    let product = &order.product;
    Section {
        title: "订单信息",
        rows: vec![
            ("订单号", number.to_string()),
            ("业务类型", "新办".to_owned()),
            ("证书厂商", vendor.to_owned()),
            (
                "证书产品",
                format!("{}（有效期 {} 年）", product.name, product.term_years),
            ),
            ("金额", format!("{} 元", product.price)),
            ("申请日期", china_date(order.created_at).to_string()),
        ],
    }
}

fn unit_section(form: &UnitForm) -> Section {
    let mut rows = vec![
        ("单位名称", form.unit_name.as_str().to_owned()),
        ("统一社会信用代码", form.credit_code.as_str().to_owned()),
    ];
    optional(
        &mut rows,
        "部门",
        form.department.as_ref().map(Department::as_str),
    );
    optional(
        &mut rows,
        "单位电话",
        form.telephone.as_ref().map(Telephone::as_str),
    );
    // Of the representative and of accounts, the paper shows no more than what tells them apart.
    match &form.unit_check {
        UnitCheck::LegalRepresentativeMobile {
            name,
            id_number,
            mobile,
        } => {
            rows.push(("身份核验方式", "法定代表人手机实名认证".to_owned()));
            rows.push(("法定代表人", format!("{}　{}", name.as_str(), id_number.masked())));
            rows.push(("口令接收方式", format!("短信发送至 {}", mobile.masked())));
        }
        UnitCheck::LegalRepresentativeCard {
            name,
            id_number,
            card_number,
            mobile,
        } => {
            rows.push(("身份核验方式", "法定代表人银行卡信息认证".to_owned()));
            rows.push(("法定代表人", format!("{}　{}", name.as_str(), id_number.masked())));
            rows.push(("银行卡号", card_number.masked()));
            rows.push(("口令接收方式", format!("短信发送至 {}", mobile.masked())));
        }
        UnitCheck::CompanyAccount {
            account_number, bank, ..
        } => {
            rows.push(("身份核验方式", "企业对公账户认证".to_owned()));
            rows.push(("对公账户", format!("{bank}　{}", account_number.masked())));
            rows.push(("口令接收方式", "对公账户打款附言".to_owned()));
        }
    }
    Section {
        title: "单位信息",
        rows,
    }
}

fn handler_section(form: &UnitForm) -> Section {
    let handler = &form.handler;
    let mut rows = vec![
        ("经办人姓名", handler.name.as_str().to_owned()),
        ("证件", document(&handler.id_document)),
        ("手机号", handler.mobile.as_str().to_owned()),
        ("电子邮箱", handler.email.as_str().to_owned()),
    ];
    optional(&mut rows, "经办人身份", handler.role.as_ref().map(Role::as_str));
    let method = match form.handler_check {
        HandlerCheck::Mobile => "经办人手机实名认证",
        HandlerCheck::BankCard { .. } => "经办人银行卡信息认证",
    };
    rows.push(("身份核验方式", method.to_owned()));
    Section {
        title: "经办人信息",
        rows,
    }
}

fn person_section(form: &PersonForm) -> Section {
    let mut rows = vec![
        ("用户名", form.name.as_str().to_owned()),
        ("证件", document(&form.id_document)),
        ("手机号", form.mobile.as_str().to_owned()),
        ("电子邮箱", form.email.as_str().to_owned()),
    ];
    optional(
        &mut rows,
        "所属单位名称",
        form.employer.as_ref().map(UnitName::as_str),
    );
    optional(
        &mut rows,
        "部门",
        form.department.as_ref().map(Department::as_str),
    );
    let (method, route) = match form.identity_check {
        PersonCheck::Mobile => ("手机实名认证", "短信发送至本人手机"),
        PersonCheck::BankCard { .. } => ("银行卡信息认证", "短信发送至本人手机"),
        PersonCheck::BankAccount { .. } => ("银行账户打款认证", "银行账户打款附言"),
    };
    rows.push(("身份核验方式", method.to_owned()));
    rows.push(("口令接收方式", route.to_owned()));
    Section {
        title: "个人信息",
        rows,
    }
}

fn delivery_section(form: &ApplicationForm) -> Section {
    let mailing = form.mailing();
    let address = format!(
        "{}{}{}",
        mailing.province.as_str(),
        mailing.city.as_str(),
        mailing.address.as_str()
    );
    Section {
        title: "印章及邮寄",
        rows: vec![
            ("印章类型", seal(form.seal_type()).to_owned()),
            ("邮寄地址", address),
        ],
    }
}

fn invoice_section(form: &ApplicationForm) -> Section {
    let mut rows = vec![("发票抬头", form.invoice_title().to_owned())];
    let tax_number = form.invoice_tax_number();
    optional(
        &mut rows,
        "纳税识别号",
        tax_number.as_ref().map(TaxNumber::as_str),
    );
    let (address, bank) = match form {
        ApplicationForm::Unit(unit) => (&unit.invoice.address_telephone, &unit.invoice.bank_account),
        ApplicationForm::Person(person) => (&person.invoice.address_telephone, &person.invoice.bank_account),
    };
    optional(&mut rows, "地址及电话", address.as_ref().map(InvoiceLine::as_str));
    optional(&mut rows, "开户行及账号", bank.as_ref().map(InvoiceLine::as_str));
    Section {
        title: "发票信息",
        rows,
    }
}

fn consent_section(personal: &Personal) -> Section {
    let consent = personal.form.consent();
    let signed = match personal.signed_at {
        Some(at) => format!("已于 {} 通过短信验证码签名确认", china_date(at)),
        None => "尚未签名".to_owned(),
    };
    Section {
        title: "申请确认",
        rows: vec![
            (
                "已同意文本",
                format!(
                    "个人信息保护政策（{}）、风险知情书（{}）",
                    consent.privacy_policy.as_str(),
                    consent.risk_notice.as_str()
                ),
            ),
            ("证书申请签名", signed),
        ],
    }
}

fn optional(rows: &mut Vec<(&'static str, String)>, label: &'static str, value: Option<&str>) {
    rows.extend(value.map(|value| (label, value.to_owned())));
}

fn document(document: &IdDocument) -> String {
    let name = match document.id_type() {
        IdType::ResidentId => "身份证",
        IdType::Passport => "护照",
        IdType::HongKongMacaoPermit => "港澳居民来往内地通行证",
        IdType::TaiwanPermit => "台湾居民来往大陆通行证",
        IdType::ForeignPermanentResident => "外国人永久居留身份证",
        IdType::MilitaryOfficer => "军官证",
    };
    format!("{name}　{}", document.number())
}

fn seal(seal: SealType) -> &'static str {
    match seal {
        SealType::Official => "公章",
        SealType::Contract => "合同专用章",
        SealType::Finance => "财务专用章",
        SealType::Invoice => "发票专用章",
        SealType::Bidding => "投标专用章",
        SealType::LegalRepresentative => "法定代表人章",
        SealType::PersonalName => "个人名章",
        SealType::PersonalSignature => "手写签名",
    }
}
