//! What applicants read: nothing personal but the order number, for mailboxes and phones are read by others.
use yinxin_order::effect::Notice;
use yinxin_order::identifiers::OrderNumber;
use yinxin_order::parcel::Parcel;

use crate::ports::Template;

/// The SMS that goes with a notice; the provider approved no text about refunds and transfers: those are told by mail alone.
pub(crate) fn template(notice: Notice) -> Option<Template> {
    match notice {
        Notice::Approved => Some(Template::Approved),
        Notice::Rejected => Some(Template::Rejected),
        Notice::Dispatched => Some(Template::Dispatched),
        Notice::Refunded | Notice::PasswordSent => None,
        Notice::PasswordFailed => Some(Template::PasswordFailed),
    }
}

/// A mail's subject.
pub(crate) fn subject(notice: Notice, number: &OrderNumber) -> String {
    let what = match notice {
        Notice::Approved => "审核通过",
        Notice::Rejected => "审核未通过",
        Notice::Dispatched => "UKey 已寄出",
        Notice::Refunded => "已退款",
        Notice::PasswordSent => "UKey 口令可以领取",
        Notice::PasswordFailed => "UKey 口令未能送达",
    };
    format!("【印信】订单 {number} {what}")
}

/// A mail's text. The reason of a rejection stays on the order's page: it may speak of the applicant's documents.
pub(crate) fn text(notice: Notice, number: &OrderNumber, parcel: Option<&Parcel>, portal: &str) -> String {
    let what = match notice {
        Notice::Approved => "已通过审核。我们将为您制作数字证书，制作完成后寄出 UKey。".to_owned(),
        Notice::Rejected => {
            "未通过审核。请登录平台查看原因，修改后重新提交，无需再次付款；您也可以取消订单，费用将原路退回。"
                .to_owned()
        }
        Notice::Dispatched => match parcel {
            Some(Parcel { carrier, waybill, .. }) => {
                format!(
                    "的 UKey 已寄出。快递公司：{carrier}，快递单号：{waybill}。收到后请登录平台确认收货。"
                )
            }
            None => "的 UKey 已寄出。收到后请登录平台确认收货。".to_owned(),
        },
        Notice::Refunded => "的款项已原路退回，到账时间以支付渠道为准。".to_owned(),
        Notice::PasswordSent => {
            "的 UKey 口令领取码已随 0.01 元转账的附言（部分银行显示为摘要或用途）发送到您申请时填写的银行账户。\
             请查询该账户的交易明细，登录平台输入领取码，领取 UKey 口令。领取码 7 天内有效，只能使用一次，请勿告知他人。"
                .to_owned()
        }
        Notice::PasswordFailed => {
            "的 UKey 口令未能确认送达，此前发送的领取码（如有）已作废。如未收到，请联系受理点重新发送。".to_owned()
        }
    };
    let address = if portal.is_empty() {
        String::new()
    } else {
        format!("平台地址：{portal}\n\n")
    };
    format!("您好：\n\n您的订单 {number} {what}\n\n{address}本邮件由系统自动发送，请勿回复。\n")
}
