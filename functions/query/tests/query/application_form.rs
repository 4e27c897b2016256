//! The application form as a PDF.
use axum::body::{Body, to_bytes};
use axum::http::Request;
use tower::ServiceExt;
use yinxin_order::command::{Actor, Command};
use yinxin_order::form::{ApplicationForm, sample};
use yinxin_order::identifiers::{OrderId, OrderNumber};
use yinxin_store::advance;

use crate::{START, World, code};

impl World {
    async fn numbered(&self, form: ApplicationForm) -> OrderId {
        let id = self.order(form, None, 0).await;
        let number = OrderNumber::new(START.date(), 1145);
        self.act(&id, Command::Confirm { number }).await;
        id
    }

    async fn act(&self, id: &OrderId, command: Command) {
        advance(self.store.as_ref(), id, &command, &Actor::Applicant, START)
            .await
            .unwrap();
    }

    async fn token(&self, id: &OrderId) -> String {
        self.platform.vault.hashes().await.unwrap().access_token(id)
    }

    async fn pdf(&self, id: &OrderId) -> Vec<u8> {
        let token = self.token(id).await;
        let request = Request::builder()
            .uri(format!("/api/orders/{id}/application-form"))
            .header("authorization", format!("Bearer {token}"))
            .body(Body::empty())
            .unwrap();
        let response = self.router().oneshot(request).await.unwrap();
        assert_eq!(response.status(), 200);
        let headers = response.headers();
        assert_eq!(headers["content-type"], "application/pdf");
        assert_eq!(
            headers["content-disposition"],
            "attachment; filename=\"application-20260302A0000001145.pdf\""
        );
        to_bytes(response.into_body(), 1 << 20).await.unwrap().to_vec()
    }
}

/// Whether the drawn text has `text`: UTF-16, as the font's encoding says.
fn shows(pdf: &[u8], text: &str) -> bool {
    drawn(pdf).contains(text)
}

/// All strings that are shown, in order.
fn drawn(pdf: &[u8]) -> String {
    let mut shown = Vec::new();
    let mut rest = pdf;
    while let Some(start) = rest.windows(4).position(|window| window == b" Td\n") {
        rest = &rest[start + 4..];
        let end = rest.windows(3).position(|window| window == b" Tj").unwrap();
        let bytes = string_of(&rest[..end]);
        let units = bytes
            .chunks_exact(2)
            .map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
        shown.extend(units);
    }
    String::from_utf16(&shown).unwrap()
}

/// A PDF string, hexadecimal or literal. ISO 32000-1, 7.3.4.
fn string_of(token: &[u8]) -> Vec<u8> {
    if let Some(digits) = token.strip_prefix(b"<") {
        let digits = std::str::from_utf8(&digits[..digits.len() - 1]).unwrap();
        return (0..digits.len())
            .step_by(2)
            .map(|place| u8::from_str_radix(&digits[place..place + 2], 16).unwrap())
            .collect();
    }
    let inner = &token[1..token.len() - 1];
    let mut bytes = Vec::new();
    let mut places = inner.iter();
    while let Some(byte) = places.next() {
        match byte {
            b'\\' => match places.next().unwrap() {
                b'n' => bytes.push(b'\n'),
                b'r' => bytes.push(b'\r'),
                b't' => bytes.push(b'\t'),
                b'b' => bytes.push(8),
                b'f' => bytes.push(12),
                digit @ b'0'..=b'3' => {
                    let octal = [*digit, *places.next().unwrap(), *places.next().unwrap()];
                    let octal = std::str::from_utf8(&octal).unwrap();
                    bytes.push(u8::from_str_radix(octal, 8).unwrap());
                }
                other => bytes.push(*other),
            },
            other => bytes.push(*other),
        }
    }
    bytes
}

#[tokio::test]
async fn the_form_shows_what_its_holder_gave() {
    let world = World::new().await;
    let form = sample::unit(1);
    let id = world.numbered(form.clone()).await;
    let pdf = world.pdf(&id).await;
    assert!(pdf.starts_with(b"%PDF-1.7"));
    let mailing = form.mailing().address.as_str().to_owned();
    for text in [
        "数字证书申请表",
        "20260302A0000001145",
        "单位数字证书（有效期 1 年）",
        "220.00 元",
        form.holder_name(),
        form.holder_number(),
        form.contact_name().as_str(),
        form.contact_document().number(),
        form.notice_mobile().as_str(),
        form.notice_email().as_str(),
        "公章",
        mailing.as_str(),
        "法定代表人手机实名认证",
        "尚未签名",
    ] {
        assert!(shows(&pdf, text), "{text} in {}", drawn(&pdf));
    }
}

#[tokio::test]
async fn the_form_is_one_page_for_every_kind_of_form() {
    let world = World::new().await;
    let forms = [
        sample::unit(1),
        sample::unit_by_account(2),
        sample::unit_by_card(3),
        sample::person(4),
        sample::person_by_card(5),
        sample::person_by_account(6),
    ];
    for (minutes, form) in (1..).zip(forms) {
        let id = world.order(form, None, minutes).await;
        let number = OrderNumber::new(START.date(), 1145);
        let order = world.platform.orders.load(&id).await.unwrap();
        let command = Command::Confirm { number };
        // The same number for all, which the store would refuse to claim.
        let moved = yinxin_order::decide(&order, &command, Actor::Applicant, START).unwrap();
        world
            .platform
            .orders
            .save(&moved.order, &moved.event, &[], &[])
            .await
            .unwrap();
        let pdf = world.pdf(&id).await;
        let text = String::from_utf8_lossy(&pdf).into_owned();
        assert!(text.contains("/Count 1"), "{}", drawn(&pdf));
        assert!(pdf.len() < 20_000);
    }
}

#[tokio::test]
async fn accounts_and_representatives_are_masked_on_paper() {
    let world = World::new().await;
    let form = sample::unit_by_card(3);
    let json = serde_json::to_value(&form).unwrap();
    let id = world.numbered(form).await;
    let pdf = world.pdf(&id).await;
    for field in ["id_number", "card_number", "mobile"] {
        let whole = json["unit_check"][field].as_str().unwrap();
        assert!(!shows(&pdf, whole), "{field}");
    }
    assert!(shows(&pdf, "430..."));
}

#[tokio::test]
async fn there_is_no_form_before_the_confirmation_or_after_erasure() {
    let world = World::new().await;
    let id = world.order(sample::unit(1), None, 0).await;
    let path = format!("/api/orders/{id}/application-form");
    let token = world.token(&id).await;
    let (status, problem) = world.get(&path, Some(&token)).await;
    assert_eq!((status, code(&problem)), (409, "command-not-allowed"));
    let (status, problem) = world.get(&path, Some("another")).await;
    assert_eq!((status, code(&problem)), (403, "not-your-order"));
    world.act(&id, Command::Cancel).await;
    world.act(&id, Command::Erase).await;
    let (status, problem) = world.get(&path, Some(&token)).await;
    assert_eq!((status, code(&problem)), (410, "order-erased"));
}
