//! What a token's refusal says on a screen, in Chinese: what happened, and what to do.
use super::{PinKind, TokenError, Usage};

impl TokenError {
    /// One or two sentences for whoever holds the token.
    pub fn notice(&self) -> String {
        match self {
            Self::WrongPin { kind, left, .. } => {
                format!("{}错误，还可尝试 {left} 次。", pin(*kind))
            }
            Self::PinLocked(PinKind::User) => "UKey 密码已锁定，请联系服务机构解锁。".to_owned(),
            Self::PinLocked(PinKind::Admin) => "UKey 管理员密码已锁定，该 UKey 需要更换。".to_owned(),
            Self::PinRefused => "UKey 不接受这样的密码，请换一个长度合适的密码。".to_owned(),
            Self::NotLoggedIn => "请先输入 UKey 密码。".to_owned(),
            Self::NoContainer(_) => "UKey 中没有所需的密钥容器。".to_owned(),
            Self::NoKey(usage) => format!("UKey 中没有{}密钥。", key(*usage)),
            Self::KeyExists(usage) => format!("UKey 中已有另一对{}密钥，请使用空白 UKey。", key(*usage)),
            Self::CertificateMismatch(usage) => format!("{}证书与 UKey 中的密钥不符。", key(*usage)),
            Self::BadCertificate(usage) => format!("UKey 中的{}证书无法读取。", key(*usage)),
            Self::Envelope(_) => "加密密钥不是发给这个 UKey 的，无法导入。".to_owned(),
            Self::Busy(_) => "UKey 正被其他程序使用，请关闭该程序后重试。".to_owned(),
            Self::NoToken { .. } => "没有检测到 UKey，请插入 UKey。".to_owned(),
            Self::SeveralTokens(tokens) => {
                let tokens: Vec<String> = tokens.iter().map(ToString::to_string).collect();
                format!(
                    "检测到 {} 个 UKey（{}），请只保留一个，或按序列号选择。",
                    tokens.len(),
                    tokens.join("；")
                )
            }
            Self::NoSuchToken { serial, .. } => {
                format!("没有检测到序列号为 {serial} 的 UKey，请插入该 UKey。")
            }
            Self::Removed => "UKey 已拔出，请重新插入后再试一次。".to_owned(),
            Self::Full => "UKey 空间已满。".to_owned(),
            Self::NoApplication(_) => "UKey 尚未初始化，请联系 UKey 厂商。".to_owned(),
            Self::BadSignature => "UKey 的签名无法验证，请检查其驱动程序的配置。".to_owned(),
            Self::Decryption => "密文不是发给这个 UKey 的，无法解密。".to_owned(),
            Self::Device(error) => match error.code() {
                Some(code) => format!("UKey 操作失败（错误码 {code:#010X}）。"),
                None => "UKey 操作失败，请检查其驱动程序。".to_owned(),
            },
            Self::Cost | Self::RecordTooLong => "UKey 操作失败。".to_owned(),
        }
    }
}

fn pin(kind: PinKind) -> &'static str {
    match kind {
        PinKind::User => "UKey 密码",
        PinKind::Admin => "UKey 管理员密码",
    }
}

fn key(usage: Usage) -> &'static str {
    match usage {
        Usage::Signing => "签名",
        Usage::Encryption => "加密",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::Identity;

    #[test]
    fn none_and_several_say_what_to_do() {
        let none = TokenError::NoToken {
            problems: vec!["library a: gone".to_owned()],
        };
        assert_eq!(none.notice(), "没有检测到 UKey，请插入 UKey。");
        assert_eq!(
            none.to_string(),
            "no UKey is plugged in: plug in one (library a: gone)"
        );
        let identity = |serial: &str| Identity {
            label: "空白".to_owned(),
            serial: serial.to_owned(),
        };
        let several = TokenError::SeveralTokens(vec![identity("A1"), identity("B2")]);
        assert_eq!(
            several.notice(),
            "检测到 2 个 UKey（A1 空白；B2 空白），请只保留一个，或按序列号选择。"
        );
        assert_eq!(
            several.to_string(),
            "2 UKeys are plugged in: unplug all but one, or choose one by its serial number (A1 空白; B2 空白)"
        );
    }

    #[test]
    fn a_wrong_pin_says_how_often_it_may_be_tried() {
        let wrong = TokenError::WrongPin {
            kind: PinKind::User,
            left: 5,
            most: 6,
        };
        assert_eq!(wrong.notice(), "UKey 密码错误，还可尝试 5 次。");
    }
}
