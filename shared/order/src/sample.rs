//! Synthetic orders for tests: led to a state by the commands that lead there in earnest.
use time::OffsetDateTime;

use crate::command::{Actor, Command};
use crate::decide::{Move, decide};
use crate::document::{Document, DocumentKind, Verdict};
use crate::effect::Sealed;
use crate::form::ApplicationForm;
use crate::identifiers::{Fen, OrderId, OrderNumber, ProductId, VendorId, china_date};
use crate::invoice::{InvoiceFormat, IssuedInvoice};
use crate::issuance::{Certificates, SubmittedCsr, WrittenToken};
use crate::kind::Kind;
use crate::order::{Event, NewOrder, Order, Product};
use crate::parcel::Parcel;
use crate::password::PasswordOutcome;
use crate::payment::Provider;
use crate::state::State;

/// The price of the sample product, in fen.
pub const PRICE_FEN: i64 = 22_000;

/// The vendor of the samples.
pub fn vendor() -> VendorId {
    "sample-ca".parse().expect("a sample is well-formed")
}

/// The product of the samples.
pub fn product() -> Product {
    let id: ProductId = "unit-1y".parse().expect("a sample is well-formed");
    Product {
        id,
        name: "单位数字证书（一年）".to_owned(),
        price: Fen::new(PRICE_FEN).expect("a sample is well-formed"),
        term_years: 1,
    }
}

/// The id of the order of `seed`.
pub fn order_id(seed: u32) -> OrderId {
    OrderId::from_random(u128::from(seed).to_be_bytes())
}

/// The number of the order of `seed` that was confirmed at `now`.
pub fn order_number(seed: u32, now: OffsetDateTime) -> OrderNumber {
    OrderNumber::new(china_date(now), u64::from(seed))
}

/// The event that stands for how a sample came to be as it is.
pub fn event_of(order: &Order, at: OffsetDateTime) -> Event {
    Event {
        version: order.version,
        at,
        by: Actor::Applicant,
        command: None,
        from: None,
        to: order.state,
        postings: Vec::new(),
        ticket: None,
    }
}

/// The order of `seed` in `state`, where every step was taken at `now`. A state that comes after the payment has
/// one paid attempt; one that comes after `AwaitingPersonalisation` has its invoice.
pub fn order_in(state: State, seed: u32, form: ApplicationForm, now: OffsetDateTime) -> Order {
    let new = NewOrder {
        id: order_id(seed),
        kind: Kind::New,
        vendor: vendor(),
        product: product(),
        form,
        checks: Vec::new(),
        intake: None,
    };
    let (mut order, _) = Order::create(new, Actor::Applicant, now);
    while order.state != state {
        let command = towards(state, &order, seed, now);
        order = moved(&order, &command, now).order;
    }
    order
}

/// What `command` makes of `order`, which takes it.
pub fn moved(order: &Order, command: &Command, now: OffsetDateTime) -> Move {
    decide(order, command, Actor::platform("sample"), now).expect("a sample order takes its commands")
}

fn towards(wanted: State, order: &Order, seed: u32, now: OffsetDateTime) -> Command {
    match (wanted, order.state) {
        (State::AwaitingCorrection, State::AwaitingReview) => Command::Reject {
            reason: "营业执照照片不清晰".to_owned(),
        },
        (State::Refunding, State::AwaitingReview) | (State::Cancelled, State::AwaitingPayment) => {
            Command::Cancel
        }
        (State::Expired, State::AwaitingPayment) => Command::Expire,
        (_, state) => onwards(state, order, seed, now),
    }
}

fn onwards(state: State, order: &Order, seed: u32, now: OffsetDateTime) -> Command {
    match state {
        State::Draft => Command::Confirm {
            number: order_number(seed, now),
        },
        State::AwaitingDocuments => match order.missing_documents().first() {
            Some(&kind) => Command::RecordDocument {
                document: document(kind, now),
            },
            None => Command::SignApplication {
                practice_statement: "2023-01".to_owned(),
            },
        },
        State::AwaitingPayment if order.payments.is_empty() => Command::StartPayment {
            provider: Provider::Alipay,
        },
        State::AwaitingPayment => payment(1, now),
        State::AwaitingReview => Command::Approve,
        State::AwaitingPersonalisation if order.awaits_invoice() => Command::RecordInvoice {
            invoice: invoice(seed, now),
        },
        State::AwaitingPersonalisation => Command::SubmitCsr {
            csr: SubmittedCsr {
                pem: "a request".to_owned(),
                key_sm3: digest('c'),
            },
        },
        State::Issuing => Command::RecordCertificates {
            certificates: Box::new(certificates()),
        },
        State::AwaitingWriting => Command::ConfirmWritten {
            written: WrittenToken {
                report: "report".to_owned(),
                token_serial: "3A0000000001".to_owned(),
                signing_certificate_sm3: digest('a'),
                encryption_certificate_sm3: digest('b'),
            },
            password: Sealed("sealed".to_owned()),
        },
        State::AwaitingDispatch if order.awaits_password() => Command::RecordPassword {
            number: 1,
            outcome: PasswordOutcome::Sent,
        },
        State::AwaitingDispatch => Command::Dispatch {
            parcel: Parcel::new("ems", "EM000000001CN"),
        },
        State::AwaitingReceipt => Command::ConfirmReceipt,
        ended => panic!("no way leads on from {}", ended.as_str()),
    }
}

/// The whole payment of `attempt` at `now`.
pub fn payment(attempt: u8, now: OffsetDateTime) -> Command {
    Command::RecordPayment {
        attempt,
        trade_no: trade_no(attempt),
        amount: product().price,
        paid_at: now,
    }
}

/// The provider's number of the trade that paid `attempt`.
pub fn trade_no(attempt: u8) -> String {
    format!("20260101220014000005{attempt:08}")
}

/// An accepted document.
pub fn document(kind: DocumentKind, now: OffsetDateTime) -> Document {
    Document {
        kind,
        upload: format!("{:032x}", kind as u8),
        verdict: Verdict::Accepted {
            content_type: "image/png".to_owned(),
            bytes: 1024,
        },
        judged_at: now,
    }
}

/// The invoice of the order of `seed`, issued at `now`.
pub fn invoice(seed: u32, now: OffsetDateTime) -> IssuedInvoice {
    IssuedInvoice {
        number: format!("2631{seed:016}")
            .parse()
            .expect("a sample is well-formed"),
        issued_at: now,
        files: vec![InvoiceFormat::Pdf, InvoiceFormat::Ofd],
    }
}

/// Certificates that only look like some.
pub fn certificates() -> Certificates {
    Certificates {
        signing_certificate: "a signing certificate".to_owned(),
        encryption_certificate: "an encryption certificate".to_owned(),
        chain: vec!["an issuing CA".to_owned(), "a root".to_owned()],
        enveloped_key: "an enveloped key".to_owned(),
        signing_certificate_sm3: digest('a'),
        encryption_certificate_sm3: digest('b'),
    }
}

fn digest(digit: char) -> String {
    std::iter::repeat_n(digit, 64).collect()
}
