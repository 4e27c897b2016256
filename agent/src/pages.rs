//! The agent's own pages: one document with a script and a style, and pieces of HTML made here that the script puts into it.
//! Chinese first, English second. Nothing from outside gets in but through [`html::Html::text`].
use time::{OffsetDateTime, UtcOffset, macros::format_description};

use crate::{
    operations::{Asker, Asks, Job, Operation},
    service::desk::{Ending, Form, Notice},
    token::libraries::Problem,
};

mod html;
mod overview;
mod request;

use html::Html;
pub use overview::overview;

/// The document.
pub const SHELL: &str = include_str!("pages/shell.html");
/// Its script.
pub const SCRIPT: &str = include_str!("pages/agent.js");
/// Its style.
pub const STYLE: &str = include_str!("pages/agent.css");

/// China time, in which dates are shown to people; JSON has UTC.
pub const CHINA: UtcOffset = match UtcOffset::from_hms(8, 0, 0) {
    Ok(offset) => offset,
    Err(_) => UtcOffset::UTC,
};

/// What a window shows of a form.
pub fn form(form: &str, shown: &Form, portal: Option<&str>, now: OffsetDateTime) -> String {
    let mut html = Html::default();
    match shown {
        Form::Pairing { origin, .. } => pairing(&mut html, form, origin.as_str()),
        Form::Waiting { job, notice, .. } => {
            heading(&mut html, &job.operation);
            asker(&mut html, &job.asker);
            request::details(&mut html, job, now);
            entries(&mut html, form, job, notice.as_ref(), portal);
            time_left(&mut html);
        }
        Form::Working(job) => {
            heading(&mut html, &job.operation);
            html.raw("<p class=\"working\" role=\"status\">")
                .both("正在处理，请勿拔出 UKey……", "Working, do not pull out the UKey…")
                .raw("</p>");
        }
        Form::Ended(ending) => ended(&mut html, ending, portal),
        Form::Unknown => {
            html.raw("<h1>")
                .both("该操作已结束", "This operation is over")
                .raw("</h1>");
            back(&mut html);
        }
    }
    html.into_string()
}

fn pairing(html: &mut Html, form: &str, origin: &str) {
    html.raw("<h1>")
        .both("网站请求连接证书助手", "A site asks to use this agent")
        .raw("</h1><p class=\"origin\">")
        .text(origin)
        .raw("</p><p>")
        .both(
            "允许后，该网站可以读取 UKey 中的证书（单位或个人名称、有效期），并可请求签名、解密。每次签名、解密仍须您在本页面输入口令。",
            "If you allow it, the site can read the certificates in your UKey and ask for signatures and decryption. Each of them still needs your PIN, on this page.",
        )
        .raw("</p><p>")
        .both(
            "请核对上面的网址。不是您正在办理业务的网站，请拒绝。",
            "Check the address above. Deny it if it is not the site that you are working with.",
        )
        .raw("</p>");
    html.button("deny", form, "secondary", "拒绝", "Deny")
        .button("approve", form, "primary", "允许", "Allow");
    time_left(html);
}

fn heading(html: &mut Html, operation: &Operation) {
    let (chinese, english) = name(operation.name());
    html.raw("<h1>").both(chinese, english).raw("</h1>");
}

fn asker(html: &mut Html, asker: &Asker) {
    match asker {
        Asker::Site(origin) => html
            .raw("<p>")
            .both("请求网站", "Asked by")
            .raw("</p><p class=\"origin\">")
            .text(origin)
            .raw("</p>"),
        Asker::Holder => html
            .raw("<p>")
            .both("由您在证书助手中发起", "Begun by you in this agent")
            .raw("</p>"),
    };
}

fn entries(html: &mut Html, form: &str, job: &Job, notice: Option<&Notice>, portal: Option<&str>) {
    if let Some(notice) = notice {
        html.raw("<p class=\"notice\" role=\"alert\">")
            .both(&notice.chinese, &notice.english)
            .raw("</p>");
    }
    html.raw("<form data-action=\"enter\" data-form=\"")
        .text(form)
        .raw("\" autocomplete=\"off\">");
    match job.operation.asks() {
        Asks::UserPin => html.pin("pin", "UKey 口令", "UKey PIN"),
        Asks::NewUserPin => html
            .pin("pin", "原口令", "Old PIN")
            .pin("new", "新口令", "New PIN")
            .pin("again", "再次输入新口令", "New PIN again"),
        Asks::AdminPin => html
            .pin("pin", "管理员口令", "Admin PIN")
            .pin("new", "新的用户口令", "New user PIN")
            .pin("again", "再次输入新的用户口令", "New user PIN again"),
        Asks::NewPinAlone => html.pin("new", "新的用户口令", "New user PIN").pin(
            "again",
            "再次输入新的用户口令",
            "New user PIN again",
        ),
    };
    let tries = match job.operation.asks() {
        Asks::AdminPin | Asks::NewPinAlone => job.holder.tries_left.admin,
        Asks::UserPin | Asks::NewUserPin => job.holder.tries_left.user,
    };
    if notice.is_none() && tries.left < tries.most {
        let left = tries.left;
        html.raw("<p class=\"notice\">")
            .both(
                &format!("口令还可尝试 {left} 次，用完后 UKey 将锁定。"),
                &format!("{left} tries of the PIN are left; then the UKey locks."),
            )
            .raw("</p>");
    }
    html.button("cancel", form, "secondary", "取消", "Cancel")
        .raw("<button class=\"primary\" type=\"submit\">")
        .both("确定", "Confirm")
        .raw("</button></form>");
    forgotten(html, portal);
}

/// What else is there, or could be, and cannot be looked at.
fn problems(html: &mut Html, problems: &[Problem]) {
    for problem in problems {
        html.raw("<p class=\"notice\">")
            .both(&problem.notice(), &problem.to_string())
            .raw("</p>");
    }
}

fn forgotten(html: &mut Html, portal: Option<&str>) {
    if let Some(portal) = portal {
        html.link(portal, "unblock", "找回密码", "Forgotten PIN");
    }
}

fn ended(html: &mut Html, ending: &Ending, portal: Option<&str>) {
    match ending {
        Ending::Done => {
            html.raw("<h1 class=\"done\">")
                .both("操作完成", "Done")
                .raw("</h1>");
        }
        Ending::Refused(Notice { chinese, english }) => {
            html.raw("<h1 class=\"failed\">")
                .both("操作未完成", "Not done")
                .raw("</h1><p class=\"notice\" role=\"alert\">")
                .both(chinese, english)
                .raw("</p>");
            forgotten(html, portal);
        }
        Ending::SiteLeft => {
            html.raw("<h1 class=\"failed\">")
                .both("网站已离开，操作取消", "The site has left: cancelled")
                .raw("</h1>");
        }
    }
    html.raw("<p>")
        .both("可以关闭本页面。", "You can close this page.")
        .raw("</p>");
    back(html);
}

fn back(html: &mut Html) {
    html.button("overview", "", "secondary", "证书助手首页", "Overview");
}

/// The script fills in the seconds: the HTML of a form does not change while it waits.
fn time_left(html: &mut Html) {
    html.raw("<p class=\"small\">")
        .both("剩余时间（秒）：", "Seconds left: ")
        .raw("<span id=\"seconds\"></span></p>");
}

/// An operation's name, for people.
fn name(operation: &str) -> (&'static str, &'static str) {
    match operation {
        "login" => ("登录网站", "Log in to a site"),
        "sign" => ("签名", "Sign"),
        "sign-digest" => ("对摘要签名", "Sign a digest"),
        "decrypt" => ("解密", "Decrypt"),
        "change-pin" => ("修改口令", "Change the PIN"),
        "personalise" => ("制证", "Personalise"),
        "unblock" => ("解锁 UKey", "Unblock the UKey"),
        "request-certificates" => ("生成更新证书的密钥", "Make keys for renewed certificates"),
        "write-certificates" => ("更新证书", "Write renewed certificates"),
        "write-seal" => ("写入电子印章", "Write a seal"),
        "pairing" => ("连接网站", "Approve a site"),
        "revoke" => ("撤销网站授权", "Revoke a site"),
        _ => ("其他", "Other"),
    }
}

fn china_time(time: OffsetDateTime) -> String {
    time.to_offset(CHINA)
        .format(format_description!("[year]-[month]-[day] [hour]:[minute]"))
        .unwrap_or_default()
}

/// A day, for people.
pub fn china_day(time: OffsetDateTime) -> String {
    time.to_offset(CHINA)
        .format(format_description!("[year]-[month]-[day]"))
        .unwrap_or_default()
}
