//! The mail client against a small SMTP server.

use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs::default_provider;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use yinxin_providers::mail::{Account, AccountError, Attachment, Mail, MailError, Mailer};

use crate::fake::NOW;

/// Answers `RCPT TO` as told; keeps each line of the conversation.
struct Server {
    port: u16,
    lines: Arc<Mutex<Vec<String>>>,
}

/// How the server protects the conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Protection {
    None,
    Starttls,
    Wrapper,
}

impl Server {
    async fn start(recipient: &'static str) -> Self {
        Self::protected(recipient, Protection::None).await
    }

    async fn protected(recipient: &'static str, protection: Protection) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let lines = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&lines);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                serve(stream, recipient, protection, &kept).await;
            }
        });
        Self { port, lines }
    }

    fn mailer(&self) -> Mailer {
        Mailer::new(account(self.port, "none")).unwrap()
    }

    fn said(&self) -> Vec<String> {
        self.lines.lock().unwrap().clone()
    }
}

async fn serve(stream: TcpStream, recipient: &str, protection: Protection, kept: &Mutex<Vec<String>>) {
    let plain = if protection == Protection::Wrapper {
        stream
    } else {
        let greeting = "220 test ESMTP\r\n";
        match converse(stream, greeting, recipient, protection, kept).await {
            Some(stream) => stream,
            None => return,
        }
    };
    // A client that does not trust the certificate ends the handshake.
    if let Ok(protected) = acceptor().accept(plain).await {
        let greeting = match protection {
            Protection::Wrapper => "220 test ESMTP\r\n",
            // After the upgrade the client speaks first.
            _ => "",
        };
        converse(protected, greeting, recipient, Protection::None, kept).await;
    }
}

/// Answers until the client leaves, or gives the stream back for its upgrade.
async fn converse<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    greeting: &str,
    recipient: &str,
    protection: Protection,
    kept: &Mutex<Vec<String>>,
) -> Option<S> {
    let mut stream = BufReader::new(stream);
    stream.write_all(greeting.as_bytes()).await.unwrap();
    let mut data = false;
    let mut line = String::new();
    loop {
        line.clear();
        if !matches!(stream.read_line(&mut line).await, Ok(1..)) {
            return None;
        }
        let said = line.trim_end_matches(['\r', '\n']);
        kept.lock().unwrap().push(said.to_owned());
        let answer = match said.split(' ').next().unwrap_or_default() {
            "." => {
                data = false;
                "250 taken"
            }
            _ if data => continue,
            "EHLO" if protection == Protection::Starttls => "250-test\r\n250 STARTTLS",
            "EHLO" => "250-test\r\n250 AUTH PLAIN",
            "STARTTLS" if protection == Protection::Starttls => "220 go on",
            "AUTH" => "235 welcome",
            "RCPT" => recipient,
            "DATA" => {
                data = true;
                "354 go on"
            }
            "QUIT" => "221 bye",
            _ => "250 fine",
        };
        stream
            .write_all(format!("{answer}\r\n").as_bytes())
            .await
            .unwrap();
        stream.flush().await.unwrap();
        if said == "STARTTLS" && protection == Protection::Starttls {
            return Some(stream.into_inner());
        }
    }
}

fn acceptor() -> TlsAcceptor {
    let certificate = CertificateDer::from_pem_slice(include_bytes!("../fixtures/smtp.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_slice(include_bytes!("../fixtures/smtp.key.pem")).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

fn account(port: u16, tls: &str) -> Account {
    serde_json::from_str(&format!(
        r#"{{"host":"127.0.0.1","port":{port},"username":"mailer","password":"hunter2","from":"印信 <no-reply@ca.example.com>","tls":"{tls}"}}"#
    ))
    .unwrap()
}

fn trusting(port: u16, tls: &str) -> Mailer {
    Mailer::new(Account {
        root_certificate: Some(include_str!("../fixtures/smtp-root.pem").to_owned()),
        ..account(port, tls)
    })
    .unwrap()
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
    let mailer = Mailer::new(account(closed, "none")).unwrap();
    let sent = mailer.send(&mail("handler@example.com"), NOW).await;
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

/// The values of a message's parts: their headers, unfolded, and their contents.
fn parts(said: &[String]) -> Vec<(String, Vec<u8>)> {
    let text = said.join("\r\n");
    let boundary = text
        .split("boundary=\"")
        .nth(1)
        .and_then(|rest| rest.split('"').next())
        .unwrap();
    let marker = format!("--{boundary}");
    text.split(&marker)
        .skip(1)
        // The last marker ends with two more.
        .filter(|part| !part.starts_with("--"))
        .filter_map(|part| part.split_once("\r\n\r\n"))
        .map(|(headers, body)| {
            let headers = headers.replace("\r\n ", " ");
            let body = if headers.contains("Content-Transfer-Encoding: base64") {
                let letters: String = body.split_whitespace().collect();
                STANDARD.decode(letters).unwrap()
            } else {
                body.as_bytes().to_vec()
            };
            (headers, body)
        })
        .collect()
}

/// The name of an attachment, put together from its pieces (RFC 2231, 3 and 4).
fn file_name(headers: &str) -> String {
    let encoded: String = headers
        .split(';')
        .filter_map(|parameter| parameter.trim().strip_prefix("filename*"))
        .filter_map(|piece| piece.split_once('='))
        .map(|(_, value)| value.split("\r\n").next().unwrap().trim_matches('"'))
        .collect();
    let encoded = encoded.strip_prefix("utf-8''").unwrap();
    form_urlencoded::parse(format!("name={encoded}").as_bytes())
        .next()
        .unwrap()
        .1
        .into_owned()
}

#[tokio::test]
async fn a_pdf_with_a_chinese_name_arrives_whole_through_tls() {
    // Every byte, so that nothing on the way may take a line's end or a dot for its own.
    let mut pdf = b"%PDF-1.7\r\n.\r\n".to_vec();
    pdf.extend((0..4_000_u32).flat_map(u32::to_le_bytes));
    let attachments = [Attachment {
        name: "湖南某某科技有限公司_电子发票（20230422A0007）.pdf",
        content_type: "application/pdf",
        bytes: &pdf,
    }];
    for (protection, tls) in [
        (Protection::Starttls, "starttls"),
        (Protection::Wrapper, "wrapper"),
    ] {
        let server = Server::protected("250 known", protection).await;
        let mail = Mail {
            attachments: &attachments,
            ..mail("handler@example.com")
        };
        let mailer = trusting(server.port, tls);
        mailer.send(&mail, NOW).await.unwrap();
        let said = server.said();
        let [text, file] = &parts(&said)[..] else {
            panic!("{tls}: two parts")
        };
        assert!(String::from_utf8_lossy(&text.1).contains("订单 20230422A0007 已审核通过"));
        assert_eq!(file.1, pdf, "{tls}");
        assert_eq!(file_name(&file.0), attachments[0].name);
        let upgraded = said.iter().filter(|line| *line == "STARTTLS").count();
        assert_eq!(upgraded, usize::from(protection == Protection::Starttls));
        let log_in = said.iter().position(|line| line.starts_with("AUTH")).unwrap();
        let upgrade = said.iter().position(|line| line == "STARTTLS");
        assert!(
            upgrade.is_none_or(|upgrade| upgrade < log_in),
            "the password was sent in clear"
        );
    }
}

#[tokio::test]
async fn a_mail_that_is_tried_again_keeps_its_number() {
    let server = Server::start("250 known").await;
    let mailer = server.mailer();
    for later in [NOW, NOW + time::Duration::HOUR] {
        mailer.send(&mail("handler@example.com"), later).await.unwrap();
    }
    let is_number = |line: &&String| line.starts_with("Message-ID:");
    let said = server.said();
    let numbers: Vec<_> = said.iter().filter(is_number).collect();
    assert_eq!(numbers.len(), 2);
    assert_eq!(numbers[0], numbers[1]);
}

#[tokio::test]
async fn nothing_is_said_to_a_server_that_cannot_be_trusted() {
    // A certificate that nobody vouches for, and a server that offers no upgrade.
    let stranger = Server::protected("250 known", Protection::Wrapper).await;
    let mailer = Mailer::new(account(stranger.port, "wrapper")).unwrap();
    let sent = mailer.send(&mail("handler@example.com"), NOW).await;
    assert!(matches!(sent, Err(MailError::Unavailable)), "{sent:?}");
    assert!(stranger.said().is_empty());

    let plain = Server::start("250 known").await;
    let sent = trusting(plain.port, "starttls")
        .send(&mail("handler@example.com"), NOW)
        .await;
    assert!(matches!(sent, Err(MailError::Unavailable)), "{sent:?}");
    assert!(
        plain
            .said()
            .iter()
            .all(|line| line.starts_with("EHLO") || line == "QUIT")
    );
}

#[test]
fn mail_without_tls_stays_on_this_machine() {
    for host in ["127.0.0.1", "127.8.0.1", "::1", "localhost"] {
        let here = Account {
            host: host.to_owned(),
            ..account(25, "none")
        };
        assert!(Mailer::new(here).is_ok(), "{host}");
    }
    for host in [
        "smtp.example.com",
        "10.0.0.1",
        "localhost.example.com",
        "127.0.0.1.example.com",
        "",
    ] {
        let elsewhere = Account {
            host: host.to_owned(),
            ..account(25, "none")
        };
        let refused = Mailer::new(elsewhere);
        assert!(matches!(refused, Err(AccountError::Unprotected)), "{host}");
    }
}
