//! Providers in memory: they note what they are asked for, and answer as they were told, else kindly.
use std::collections::VecDeque;
use std::sync::Mutex;

use async_trait::async_trait;
use time::OffsetDateTime;
use yinxin_notify::ports::{BankBridge, Mails, NotReady, SmsGateway, Template, TextMessage};
use yinxin_providers::Secret;
use yinxin_providers::bank::{Memo, OutBizNo, Payee, PayeeKind, Submitted, Transfer};
use yinxin_providers::mail::{Mail, MailError};
use yinxin_providers::sms::Sending;

/// An SMS as it was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentSms {
    pub mobile: String,
    pub template: Template,
    pub variable: (String, String),
    pub id: String,
}

#[derive(Default)]
pub struct FakeSms {
    pub sent: Mutex<Vec<SentSms>>,
    pub answers: Mutex<VecDeque<Result<Sending, NotReady>>>,
    pub receipt_token: Mutex<Option<String>>,
    /// While a test holds it, no answer comes.
    pub hang: tokio::sync::Mutex<()>,
}

#[async_trait]
impl SmsGateway for FakeSms {
    async fn send(&self, message: TextMessage<'_>, _: OffsetDateTime) -> Result<Sending, NotReady> {
        let (name, value) = message.variable;
        self.sent.lock().unwrap().push(SentSms {
            mobile: message.mobile.to_owned(),
            template: message.template,
            variable: (name.to_owned(), value.to_owned()),
            id: message.id.to_owned(),
        });
        drop(self.hang.lock().await);
        let told = self.answers.lock().unwrap().pop_front();
        told.unwrap_or_else(|| {
            Ok(Sending::Sent {
                provider: "aliyun",
                number: "9006^0".to_owned(),
            })
        })
    }

    async fn receipt_token(&self) -> Result<Option<Secret>, NotReady> {
        Ok(self.receipt_token.lock().unwrap().clone().map(Secret::from))
    }
}

/// A mail as it was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentMail {
    pub to: String,
    pub subject: String,
    pub text: String,
    pub id: String,
    /// Names, media types and contents.
    pub attachments: Vec<(String, String, Vec<u8>)>,
}

#[derive(Default)]
pub struct FakeMail {
    pub sent: Mutex<Vec<SentMail>>,
    pub answers: Mutex<VecDeque<Result<(), MailError>>>,
}

#[async_trait]
impl Mails for FakeMail {
    async fn send(&self, mail: &Mail<'_>, _: OffsetDateTime) -> Result<Result<(), MailError>, NotReady> {
        self.sent.lock().unwrap().push(SentMail {
            to: mail.to.to_owned(),
            subject: mail.subject.to_owned(),
            text: mail.text.to_owned(),
            id: mail.id.to_owned(),
            attachments: mail
                .attachments
                .iter()
                .map(|file| {
                    (
                        file.name.to_owned(),
                        file.content_type.to_owned(),
                        file.bytes.to_vec(),
                    )
                })
                .collect(),
        });
        Ok(self.answers.lock().unwrap().pop_front().unwrap_or(Ok(())))
    }
}

/// A transfer as it was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubmittedTransfer {
    pub number: String,
    pub name: String,
    pub account: String,
    pub bank: String,
    pub kind: PayeeKind,
    pub memo: Memo,
}

#[derive(Default)]
pub struct FakeBank {
    pub submitted: Mutex<Vec<SubmittedTransfer>>,
    pub submissions: Mutex<VecDeque<Submitted>>,
    pub queries: Mutex<VecDeque<Transfer>>,
    pub asked: Mutex<u32>,
}

#[async_trait]
impl BankBridge for FakeBank {
    async fn submit(
        &self,
        number: &OutBizNo,
        payee: Payee<'_>,
        memo: &Memo,
        _: OffsetDateTime,
    ) -> Result<Submitted, NotReady> {
        let transfer = SubmittedTransfer {
            number: number.as_str().to_owned(),
            name: payee.name.to_owned(),
            account: payee.account.to_owned(),
            bank: payee.bank_name.to_owned(),
            kind: payee.kind,
            memo: memo.clone(),
        };
        let mut submitted = self.submitted.lock().unwrap();
        let is_other = submitted
            .iter()
            .any(|known| known.number == transfer.number && *known != transfer);
        submitted.push(transfer);
        if is_other {
            return Ok(Submitted::Rejected {
                code: "DUPLICATE_DIFFERENT".to_owned(),
            });
        }
        let told = self.submissions.lock().unwrap().pop_front();
        Ok(told.unwrap_or(Submitted::Accepted))
    }

    async fn query(&self, number: &OutBizNo, _: OffsetDateTime) -> Result<Transfer, NotReady> {
        *self.asked.lock().unwrap() += 1;
        if let Some(told) = self.queries.lock().unwrap().pop_front() {
            return Ok(told);
        }
        let submitted = self.submitted.lock().unwrap();
        let known = submitted.iter().any(|known| known.number == number.as_str());
        Ok(if known { success() } else { Transfer::NotFound })
    }
}

pub fn success() -> Transfer {
    Transfer::Success {
        bank_serial: "20260407000000000001".to_owned(),
        posted_at: None,
    }
}
