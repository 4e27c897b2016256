//! The mail with the electronic invoice: PDF for people, OFD for the books.
use tracing::{info, warn};
use yinxin_order::Order;
use yinxin_order::identifiers::{InvoiceNumber, OrderNumber};
use yinxin_order::invoice::{Invoice, InvoiceFormat};
use yinxin_order::order::Personal;
use yinxin_providers::mail::{Attachment, Mail, MailError};
use yinxin_store::documents::InvoiceKey;
use yinxin_store::orders::Errand;

use crate::Notifying;
use crate::notifying::{NotifyError, Twice, message_name, provider_id};

/// The formats that are attached; the XML is only downloaded.
const ATTACHED: [InvoiceFormat; 2] = [InvoiceFormat::Pdf, InvoiceFormat::Ofd];

impl Notifying {
    /// Sends the issued invoice to where the applicant receives invoices.
    pub(crate) async fn send_invoice(
        &self,
        errand: &Errand,
        order: &Order,
        personal: &Personal,
    ) -> Result<(), NotifyError> {
        let id = &order.id;
        let Some(issued) = order.invoice.as_ref().and_then(Invoice::issued) else {
            info!(order.id = %id, "order {id} has no invoice to send");
            return Ok(());
        };
        let number = order.number.as_ref().ok_or(NotifyError::NoNumber)?;
        let message = message_name(errand, "mail");
        if !self.claim(&message, Twice::Harmless).await? {
            return Ok(());
        }
        let platform = &self.app.platform;
        let mut files = Vec::new();
        for format in ATTACHED
            .into_iter()
            .filter(|format| issued.files.contains(format))
        {
            let key = InvoiceKey {
                order: id.clone(),
                number: issued.number.clone(),
                format,
            };
            let name = format!("dzfp_{}.{}", issued.number, format.as_str());
            files.push((name, format, platform.documents.invoice(&key).await?));
        }
        let attachments: Vec<Attachment<'_>> = files
            .iter()
            .map(|(name, format, bytes)| Attachment {
                name,
                content_type: format.content_type(),
                bytes,
            })
            .collect();
        let receipt = provider_id(&message);
        let mail = Mail {
            to: personal.form.notice_email().as_str(),
            subject: &format!("【印信】订单 {number} 电子发票"),
            text: &text(number, &issued.number, &platform.settings.public_url),
            attachments: &attachments,
            id: &receipt,
        };
        match self.app.mail.send(&mail, platform.now()).await? {
            Ok(()) => self.sent(errand, &message, &receipt).await,
            // The mailbox does not exist, or is full for good; the invoice can be downloaded.
            Err(MailError::Rejected { code }) => {
                warn!(order.id = %id, "the invoice of order {id} was refused by the mail server with {code}");
                self.sent(errand, &message, "refused").await
            }
            Err(error) => Err(NotifyError::Mail(error)),
        }
    }
}

/// The mail's text: nothing personal but the numbers, as in all mails.
fn text(number: &OrderNumber, invoice: &InvoiceNumber, portal: &str) -> String {
    let address = if portal.is_empty() {
        String::new()
    } else {
        format!("您也可以登录平台下载发票：{portal}\n\n")
    };
    format!(
        "您好：\n\n您的订单 {number} 的电子发票已开具，发票号码：{invoice}。发票文件见附件，请妥善保存；入账请使用 OFD \
         或平台提供的数据文件。\n\n{address}本邮件由系统自动发送，请勿回复。\n"
    )
}
