//! The mail client against a small SMTP server.

use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use yinxin_providers::mail::{Account, Attachment, Mail, MailError, Mailer};

use crate::fake::NOW;

/// Answers `RCPT TO` as told; keeps each line of the conversation.
struct Server {
    port: u16,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Server {
    async fn start(recipient: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let lines = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&lines);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                converse(stream, recipient, &kept).await;
            }
        });
        Self { port, lines }
    }

    fn mailer(&self) -> Mailer {
        mailer(self.port)
    }

    fn said(&self) -> Vec<String> {
        self.lines.lock().unwrap().clone()
    }
}

async fn converse(stream: TcpStream, recipient: &str, kept: &Mutex<Vec<String>>) {
    let (reader, mut writer) = stream.into_split();
    let mut lines = BufReader::new(reader).lines();
    writer.write_all(b"220 test ESMTP\r\n").await.unwrap();
    let mut data = false;
    while let Ok(Some(line)) = lines.next_line().await {
        kept.lock().unwrap().push(line.clone());
        let answer = match line.split(' ').next().unwrap_or_default() {
            "." => {
                data = false;
                "250 taken"
            }
            _ if data => continue,
            "EHLO" => "250-test\r\n250 AUTH PLAIN",
            "AUTH" => "235 welcome",
            "RCPT" => recipient,
            "DATA" => {
                data = true;
                "354 go on"
            }
            "QUIT" => "221 bye",
            _ => "250 fine",
        };
        writer
            .write_all(format!("{answer}\r\n").as_bytes())
            .await
            .unwrap();
    }
}

fn mailer(port: u16) -> Mailer {
    let account: Account = serde_json::from_str(&format!(
        r#"{{"host":"127.0.0.1","port":{port},"username":"mailer","password":"hunter2","from":"印信 <no-reply@ca.example.com>","tls":"none"}}"#
    ))
    .unwrap();
    Mailer::new(account).unwrap()
}

fn mail(to: &str) -> Mail<'_> {
    Mail {
        to,
        subject: "您的订单已审核通过",
        text: "您好：\n订单 20230422A0007 已审核通过。",
        attachments: &[Attachment {
            name: "发票.pdf",
            content_type: "application/pdf",
            bytes: b"%PDF-1.7",
        }],
        id: "20230422A0007-7-0",
    }
}

#[tokio::test]
async fn a_chinese_mail_with_a_file_is_delivered_after_logging_in() {
    let server = Server::start("250 known").await;
    server
        .mailer()
        .send(&mail("handler@example.com"), NOW)
        .await
        .unwrap();
    let said = server.said();
    let plain = STANDARD.encode("\0mailer\0hunter2");
    assert!(said.contains(&format!("AUTH PLAIN {plain}")));
    assert!(said.contains(&"RCPT TO:<handler@example.com>".to_owned()));
    assert!(said.contains(&"Message-ID: <20230422A0007-7-0@ca.example.com>".to_owned()));
    assert!(said.contains(&"Date: Mon, 20 May 2024 02:11:12 +0000".to_owned()));
    assert!(said.iter().any(|line| line.starts_with("Subject: =?utf-8?b?")));
    assert!(said.contains(&"Content-Type: application/pdf".to_owned()));
    assert!(
        said.iter()
            .any(|line| line.contains(&STANDARD.encode("%PDF-1.7")) || line == "%PDF-1.7")
    );
    assert!(said.iter().all(|line| line.is_ascii()));
}

#[tokio::test]
async fn an_unknown_recipient_is_rejected_for_good() {
    let server = Server::start("550 no such user").await;
    let sent = server.mailer().send(&mail("nobody@example.com"), NOW).await;
    assert!(matches!(sent, Err(MailError::Rejected { code: 550 })), "{sent:?}");
}

#[tokio::test]
async fn a_busy_or_absent_server_can_be_asked_again() {
    let server = Server::start("451 come back").await;
    let sent = server.mailer().send(&mail("handler@example.com"), NOW).await;
    assert!(matches!(sent, Err(MailError::Unavailable)), "{sent:?}");
    let closed = TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let sent = mailer(closed).send(&mail("handler@example.com"), NOW).await;
    assert!(matches!(sent, Err(MailError::Unavailable)), "{sent:?}");
}

#[tokio::test]
async fn ill_formed_mail_is_not_sent() {
    let server = Server::start("250 known").await;
    let injected = mail("a@example.com\r\nBcc: b@example.com");
    assert!(matches!(
        server.mailer().send(&injected, NOW).await,
        Err(MailError::Invalid("recipient"))
    ));
    let id = Mail {
        id: "a>\r\nX: y",
        ..mail("a@example.com")
    };
    assert!(matches!(
        server.mailer().send(&id, NOW).await,
        Err(MailError::Invalid("id"))
    ));
    assert!(server.said().is_empty());
}

#[tokio::test]
async fn a_subject_cannot_add_headers() {
    let server = Server::start("250 known").await;
    let injected = Mail {
        subject: "hello\r\nBcc: b@example.com",
        ..mail("a@example.com")
    };
    server.mailer().send(&injected, NOW).await.unwrap();
    assert!(!server.said().iter().any(|line| line.starts_with("Bcc")));
}
