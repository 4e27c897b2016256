//! What is asked for, and with which token and certificate: the part of the page that the holder has to read.
use time::OffsetDateTime;
use yinxin_pki::sm3;

use super::{china_day, html::Html};
use crate::operations::{
    Ciphertext, DigestFormat, Job, Operation, SignFormat,
    holder::{days_left, holder_name, issuer_name},
    shown::{Beginning, Shown, shown},
};

/// Fewer days than this are shown as a warning.
pub const SOON_DAYS: i64 = 30;

/// Everything about an operation before it is done.
pub fn details(html: &mut Html, job: &Job, now: OffsetDateTime) {
    match &job.operation {
        Operation::Login(challenge) => {
            html.raw("<table>")
                .line("登录到", "Log in to", &challenge.audience)
                .raw("</table>");
        }
        Operation::Sign { message, format } => message_to_sign(html, message, *format),
        Operation::SignDigest { digest, format } => digest_to_sign(html, digest, *format),
        Operation::Decrypt(ciphertext) => decrypt(html, ciphertext),
        Operation::ChangePin => {}
        Operation::Personalise { .. } => {
            paragraph(
                html,
                "将在 UKey 中生成密钥、写入证书，并将用户口令改为随机口令。",
                "A key will be made in the UKey, certificates written, and the user PIN replaced by a random one.",
            );
        }
        Operation::Unblock {
            sealed_admin: Some(_),
        } => paragraph(
            html,
            "平台已授权解锁该 UKey，请设置新的用户口令。",
            "The platform has authorised the unblocking of this UKey. Choose its new user PIN.",
        ),
        Operation::Unblock { sealed_admin: None } => paragraph(
            html,
            "将用管理员口令重置用户口令。",
            "The user PIN will be reset with the admin PIN.",
        ),
        Operation::RequestCertificates => paragraph(
            html,
            "将在 UKey 中为更新证书生成新的密钥；写入新证书之前，原证书照常使用。",
            "New keys will be made in the UKey for renewed certificates. Until those are written, the old ones stay in use.",
        ),
        Operation::WriteCertificates(renewal) => {
            if renewal.enveloped_key.is_some() {
                paragraph(
                    html,
                    "新证书使用新密钥。原加密密钥保留在 UKey 中，以前的密文仍可解密。写入期间请勿拔出 UKey。",
                    "The new certificates have new keys. The old encryption key stays in the UKey and still decrypts. Leave the UKey plugged in.",
                );
            }
            html.raw("<table>")
                .line("新证书持有者", "New holder", holder_name(&renewal.signing))
                .line(
                    "新证书有效期至",
                    "New end",
                    &china_day(renewal.signing.not_after()),
                )
                .raw("</table>");
        }
        Operation::WriteSeal(seal) => {
            html.raw("<table>")
                .line("印章数据", "Seal", &format!("{} bytes", seal.bytes()))
                .line("SM3", "SM3", &hex::encode(seal.content()))
                .raw("</table>");
        }
    }
    token(html, job, now);
}

fn message_to_sign(html: &mut Html, message: &[u8], format: SignFormat) {
    let Shown { beginning, cut } = shown(message);
    paragraph(html, "将要签名的内容", "What will be signed");
    match beginning {
        Beginning::Text(text) => html.raw("<pre class=\"message\">").text(&text).raw("</pre>"),
        Beginning::Bytes(bytes) => {
            paragraph(
                html,
                "内容不是文本，以下为十六进制数据。不了解其含义时请取消。",
                "This is no text; its bytes follow. Cancel if you do not know what they mean.",
            );
            html.raw("<pre class=\"message bytes\">")
                .text(&bytes)
                .raw("</pre>")
        }
    };
    if cut {
        html.raw("<p class=\"notice\">")
            .both("以上仅为内容的开头部分。", "This is only its beginning.")
            .raw("</p>");
    }
    let (chinese, english) = match format {
        SignFormat::Raw => ("原始签名", "raw signature"),
        SignFormat::CmsAttached => ("签名消息（含原文）", "signed message with its content"),
        SignFormat::CmsDetached => ("签名消息（不含原文）", "signed message without its content"),
    };
    html.raw("<table>")
        .line("形式", "Form", &format!("{chinese} / {english}"))
        .line("长度", "Length", &format!("{} bytes", message.len()))
        .line("SM3", "SM3", &hex::encode(sm3(message)))
        .raw("</table>");
}

fn digest_to_sign(html: &mut Html, digest: &[u8; 32], format: DigestFormat) {
    html.raw("<p class=\"warning\">")
        .both(
            "网站只提供了摘要，证书助手无法显示原文。签名后您将对原文负责，请仅在信任该网站时继续。",
            "The site gave only a digest: the document cannot be shown. You will answer for a document that you do not see here; go on only if you trust the site.",
        )
        .raw("</p><table>")
        .line("SM3", "SM3", &hex::encode(digest))
        .line(
            "形式",
            "Form",
            match format {
                DigestFormat::Raw => "原始签名 / raw signature",
                DigestFormat::CmsDetached => "签名消息（不含原文） / signed message without its content",
            },
        )
        .raw("</table>");
}

fn decrypt(html: &mut Html, ciphertext: &Ciphertext) {
    let (form, bytes) = match ciphertext {
        Ciphertext::Sm2(bytes) => ("SM2", Some(bytes.len())),
        Ciphertext::Cms(_) => ("数字信封 / enveloped data", None),
    };
    paragraph(
        html,
        "解密后的内容将交给该网站。",
        "The site will get to read what is decrypted.",
    );
    html.raw("<table>").line("形式", "Form", form);
    if let Some(bytes) = bytes {
        html.line("长度", "Length", &format!("{bytes} bytes"));
    }
    html.raw("</table>");
}

fn token(html: &mut Html, job: &Job, now: OffsetDateTime) {
    // Beside what cannot be looked at, it is less certain that this is the one that is meant.
    super::problems(html, &job.holder.problems);
    html.raw("<table>").line(
        "UKey",
        "Token",
        &format!("{} {}", job.holder.identity.label, job.holder.identity.serial),
    );
    if let Some(certificate) = &job.holder.certificate {
        let days = days_left(certificate, now);
        html.line("证书持有者", "Holder", holder_name(certificate))
            .line("颁发者", "Issuer", issuer_name(certificate))
            .line(
                "有效期",
                "Valid until",
                &format!(
                    "{} （剩余 {days} 天 / {days} days left）",
                    china_day(certificate.not_after())
                ),
            );
    }
    if let Some(ticket) = &job.ticket {
        html.line("订单", "Order", &ticket.order);
    }
    html.raw("</table>");
    if let Some(certificate) = &job.holder.certificate {
        validity_notice(html, days_left(certificate, now));
    }
}

/// A warning where a certificate has ended or soon will.
pub fn validity_notice(html: &mut Html, days: i64) {
    if days < 0 {
        html.raw("<p class=\"warning\">")
            .both("证书已过期。", "The certificate has expired.")
            .raw("</p>");
    } else if days < SOON_DAYS {
        html.raw("<p class=\"notice\">")
            .both(
                "证书即将到期，请及时更新。",
                "The certificate ends soon: renew it.",
            )
            .raw("</p>");
    }
}

fn paragraph(html: &mut Html, chinese: &str, english: &str) {
    html.raw("<p>").both(chinese, english).raw("</p>");
}
