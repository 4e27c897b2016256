//! The overview: tokens, certificates with the days that they have left, approved sites, the log.
use time::OffsetDateTime;
use yinxin_pki::Certificate;

use super::{china_day, china_time, html::Html, name, request::validity_notice};
use crate::{
    operations::holder::{Contents, List, days_left, holder_name, issuer_name},
    service::{
        approvals::Approval,
        log::Entry,
        refusal::{Refusal, Said},
    },
};

/// The overview.
pub fn overview(
    found: Result<&List, &Refusal>,
    sites: &[Approval],
    log: &[Entry],
    portal: Option<&str>,
    now: OffsetDateTime,
) -> String {
    let mut html = Html::default();
    html.raw("<h1>")
        .both("证书助手", "Certificate agent")
        .raw("</h1>");
    tokens(&mut html, found, now);
    html.raw("<p class=\"actions\">");
    if let Some(portal) = portal {
        html.link(portal, "renewal", "证书更新", "Renew certificates")
            .link(portal, "unblock", "找回密码", "Forgotten PIN");
    }
    html.button("change-pin", "", "secondary", "修改口令", "Change the PIN")
        .button("overview", "", "secondary", "刷新", "Refresh")
        .raw("</p>");
    approved(&mut html, sites);
    operations(&mut html, log);
    html.into_string()
}

fn tokens(html: &mut Html, found: Result<&List, &Refusal>, now: OffsetDateTime) {
    let List { tokens, problems } = match found {
        Ok(list) => list,
        Err(refusal) => return warning(html, &refusal.said()),
    };
    match tokens.as_slice() {
        [] => {
            html.raw("<p class=\"warning\">")
                .both("未检测到 UKey，请插入 UKey。", "No UKey was found: plug one in.")
                .raw("</p>");
        }
        [_] => {}
        _ => {
            html.raw("<p class=\"warning\">")
                .both(
                    "检测到多个 UKey，签名等操作前请只保留一个。",
                    "More than one UKey was found: leave only one plugged in before you sign.",
                )
                .raw("</p>");
        }
    }
    super::problems(html, problems);
    for token in tokens {
        html.raw("<section><h2>")
            .text(&token.identity.label)
            .raw("</h2><table>")
            .line("序列号", "Serial number", &token.identity.serial);
        match &token.contents {
            Ok(held) => contents(html, held, now),
            Err(error) => {
                let said = Said::of(error);
                html.raw("</table>");
                warning(html, &said);
            }
        }
        html.raw("</section>");
    }
}

fn warning(html: &mut Html, said: &Said) {
    html.raw("<p class=\"warning\">")
        .both(&said.chinese, &said.english)
        .raw("</p>");
}

/// The rest of a token's table, and what comes after it.
fn contents(html: &mut Html, contents: &Contents, now: OffsetDateTime) {
    let tries = contents.tries_left.user;
    html.line(
        "口令剩余次数",
        "PIN tries left",
        &format!("{} / {}", tries.left, tries.most),
    )
    .raw("</table>");
    if tries.left == 0 {
        html.raw("<p class=\"warning\">")
            .both(
                "用户口令已锁定，请使用“找回密码”解锁。",
                "The user PIN is locked: use \"Forgotten PIN\".",
            )
            .raw("</p>");
    }
    let signing = contents.signing.as_ref();
    certificate(html, "签名证书", "Signing certificate", signing, now);
    let encryption = contents.encryption.as_ref();
    certificate(html, "加密证书", "Encryption certificate", encryption, now);
}

fn certificate(
    html: &mut Html,
    chinese: &str,
    english: &str,
    certificate: Option<&Certificate>,
    now: OffsetDateTime,
) {
    html.raw("<h3>").both(chinese, english).raw("</h3>");
    let Some(certificate) = certificate else {
        html.raw("<p>").both("无", "None").raw("</p>");
        return;
    };
    let days = days_left(certificate, now);
    html.raw("<table>")
        .line("持有者", "Holder", holder_name(certificate))
        .line("颁发者", "Issuer", issuer_name(certificate))
        .line(
            "有效期",
            "Valid",
            &format!(
                "{} – {}",
                china_day(certificate.not_before()),
                china_day(certificate.not_after())
            ),
        )
        .line("剩余天数", "Days left", &days.to_string())
        .line("证书序列号", "Serial number", &certificate.serial_hex())
        .raw("</table>");
    validity_notice(html, days);
}

fn approved(html: &mut Html, sites: &[Approval]) {
    html.raw("<section><h2>")
        .both("已允许的网站", "Approved sites")
        .raw("</h2>");
    if sites.is_empty() {
        html.raw("<p>").both("无", "None").raw("</p>");
    } else {
        html.raw("<table>");
        for site in sites {
            html.raw("<tr><td class=\"origin\">")
                .text(site.origin.as_str())
                .raw("</td><td>")
                .both(
                    &format!("有效至 {}", china_day(site.expires_at)),
                    &format!("until {}", china_day(site.expires_at)),
                )
                .raw("</td><td><button type=\"button\" class=\"secondary\" data-action=\"revoke\" data-origin=\"")
                .text(site.origin.as_str())
                .raw("\">")
                .both("撤销", "Revoke")
                .raw("</button></td></tr>");
        }
        html.raw("</table>");
    }
    html.raw("</section>");
}

fn operations(html: &mut Html, log: &[Entry]) {
    html.raw("<section><h2>").both("操作记录", "Log").raw("</h2>");
    if log.is_empty() {
        html.raw("<p>").both("无", "None").raw("</p></section>");
        return;
    }
    html.raw("<table class=\"log\"><tr><th>")
        .both("时间", "Time")
        .raw("</th><th>")
        .both("操作", "Operation")
        .raw("</th><th>")
        .both("网站", "Site")
        .raw("</th><th>")
        .both("结果", "Outcome")
        .raw("</th></tr>");
    for entry in log {
        let (chinese, english) = name(&entry.operation);
        html.raw("<tr><td>")
            .text(&china_time(entry.at))
            .raw("</td><td>")
            .both(chinese, english)
            .raw("</td><td class=\"origin\">")
            .text(entry.origin.as_deref().unwrap_or("本机 / this computer"))
            .raw("</td><td>");
        if entry.outcome == "done" {
            html.both("完成", "done");
        } else {
            html.text(&entry.outcome);
        }
        html.raw("</td></tr>");
    }
    html.raw("</table></section>");
}
