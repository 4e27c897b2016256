//! Couriers by the names that people write, and their codes at kuaidi100.

/// A courier that the service knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Carrier {
    /// The code.
    pub code: &'static str,
    /// Whether the service wants the receiver's telephone to tell of a parcel.
    pub(super) wants_phone: bool,
}

/// Code, whether the telephone is wanted, and the names: lower case, without what follows in brackets.
const CARRIERS: &[(&str, bool, &[&str])] = &[
    (
        "shunfeng",
        true,
        &["顺丰", "顺丰速运", "顺丰快递", "sf", "sf-express", "sfexpress"],
    ),
    (
        "ems",
        false,
        &["邮政ems", "邮政特快专递", "中国邮政速递物流", "邮政速递"],
    ),
    (
        "youzhengguonei",
        false,
        &["中国邮政", "邮政", "邮政快递包裹", "邮政包裹"],
    ),
    ("jd", false, &["京东", "京东快递", "京东物流", "jd-express"]),
    ("zhongtong", true, &["中通", "中通快递", "zto"]),
    ("yuantong", false, &["圆通", "圆通速递", "圆通快递", "yto"]),
    ("shentong", false, &["申通", "申通快递", "sto"]),
    ("yunda", false, &["韵达", "韵达快递", "韵达速递"]),
    ("jtexpress", false, &["极兔", "极兔速递", "j-t", "jt"]),
    ("debangkuaidi", false, &["德邦", "德邦快递", "德邦物流", "deppon"]),
    ("zhaijisong", false, &["宅急送"]),
    ("danniao", false, &["丹鸟", "菜鸟速递"]),
];

impl Carrier {
    /// The courier of a name or code.
    pub fn find(name: &str) -> Option<Carrier> {
        let name = name.trim().to_lowercase();
        CARRIERS
            .iter()
            .find(|(code, _, names)| *code == name || names.contains(&name.as_str()))
            .map(|&(code, wants_phone, _)| Carrier { code, wants_phone })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::{CARRIERS, Carrier};

    #[test]
    fn a_courier_is_found_by_code_and_by_name() {
        for (name, code) in [
            ("shunfeng", "shunfeng"),
            ("顺丰速运", "shunfeng"),
            ("SF", "shunfeng"),
            (" EMS ", "ems"),
            ("京东物流", "jd"),
            ("圆通", "yuantong"),
        ] {
            assert_eq!(
                Carrier::find(name).map(|carrier| carrier.code),
                Some(code),
                "{name}"
            );
        }
        for name in ["", "某某快递", "pigeon"] {
            assert_eq!(Carrier::find(name), None, "{name}");
        }
    }

    #[test]
    fn no_name_means_two_couriers() {
        let mut seen = HashSet::new();
        for (code, _, names) in CARRIERS {
            assert!(seen.insert(*code), "{code}");
            for name in *names {
                assert!(seen.insert(name), "{name}");
                assert_eq!(name.to_lowercase(), *name, "is not looked up as it is written");
            }
        }
    }
}
