//! Seeded random walks: whatever is commanded in whatever order, the money adds up and no turn is forgotten.
use std::collections::HashMap;

use time::{Duration, OffsetDateTime};
use yinxin_order::command::{Actor, Command};
use yinxin_order::document::{Document, DocumentKind, Verdict};
use yinxin_order::due::Late;
use yinxin_order::effect::{Effect, Sealed};
use yinxin_order::form::sample;
use yinxin_order::identifiers::{Fen, OrderId, OrderNumber, china_date};
use yinxin_order::invoice::{Invoice, InvoiceFormat, IssuedInvoice};
use yinxin_order::issuance::{Certificates, SubmittedCsr, WrittenToken};
use yinxin_order::kind::Kind;
use yinxin_order::order::{NewOrder, Order, Product};
use yinxin_order::parcel::{Parcel, Tracking, TrackingStatus};
use yinxin_order::password::{MAX_SENDINGS, PasswordOutcome, PasswordStatus};
use yinxin_order::payment::{Payment, PaymentStatus, Provider, RefundOutcome};
use yinxin_order::revocation::RevocationReason;
use yinxin_order::state::{State, Turn};
use yinxin_order::ticket::{IssuedTicket, MAX_TICKETS, TicketOperation};
use yinxin_order::{Refusal, decide};

const WALKS: u64 = 4_000;
const STEPS: u32 = 90;
const PRICE_FEN: i64 = 22_000;
const RETENTION: Duration = Duration::days(365);

/// `SplitMix64`: small, seeded, the same everywhere.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % sides
    }
}

/// The provider's side of the money: what was really paid and really given back, by attempt, in fen.
#[derive(Default)]
struct Till {
    paid: HashMap<u8, i64>,
    refunded: HashMap<u8, i64>,
    /// What events told the ledger.
    posted: i64,
}

fn start() -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(1_800_000_000).expect("a time")
}

fn new_order(dice: &mut Dice) -> Order {
    let seed = u32::try_from(dice.roll(1000)).expect("small");
    let form = match dice.roll(4) {
        0 => sample::unit(seed),
        1 => sample::person(seed),
        2 => sample::unit_by_account(seed),
        _ => sample::person_by_account(seed),
    };
    let new = NewOrder {
        id: OrderId::from_random([7; 16]),
        kind: Kind::New,
        vendor: "example-ca".parse().expect("a slug"),
        product: Product {
            id: "unit-1y".parse().expect("a slug"),
            name: "单位证书一年".to_owned(),
            price: Fen::new(PRICE_FEN).expect("an amount"),
            term_years: 1,
        },
        form,
        checks: Vec::new(),
        intake: None,
    };
    Order::create(new, Actor::Applicant, start()).0
}

fn certificates() -> Certificates {
    Certificates {
        signing_certificate: "signing".to_owned(),
        encryption_certificate: "encryption".to_owned(),
        chain: Vec::new(),
        enveloped_key: String::new(),
        signing_certificate_sm3: "aa".to_owned(),
        encryption_certificate_sm3: "bb".to_owned(),
    }
}

fn document(dice: &mut Dice) -> Document {
    let kinds = DocumentKind::ALL;
    let kind = kinds[usize::try_from(dice.roll(kinds.len() as u64)).expect("small")];
    let verdict = if dice.roll(4) == 0 {
        Verdict::Refused {
            code: "document-undecodable".to_owned(),
        }
    } else {
        Verdict::Accepted {
            content_type: "image/png".to_owned(),
            bytes: 1000,
        }
    };
    Document {
        kind,
        upload: format!("{:032x}", dice.roll(u64::MAX)),
        verdict,
        judged_at: start(),
    }
}

/// One command, as likely to be sensible as not.
fn command(order: &Order, dice: &mut Dice, now: OffsetDateTime) -> Command {
    let attempt = u8::try_from(dice.roll(3) + 1).expect("small");
    let fen = if dice.roll(8) == 0 { 1 } else { PRICE_FEN };
    let amount = Fen::new(fen).expect("an amount");
    let trade_no = format!("T{attempt}-{fen}");
    match dice.roll(40) {
        0 => {
            let personal = order.personal.as_ref();
            let form = personal.map_or_else(|| sample::unit(1), |personal| personal.form.clone());
            Command::EditForm {
                form: Box::new(form),
                checks: Vec::new(),
            }
        }
        1 | 2 => Command::Confirm {
            number: OrderNumber::new(china_date(now), dice.roll(u64::MAX)),
        },
        3..=5 => Command::RecordDocument {
            document: document(dice),
        },
        6 => Command::SignApplication {
            practice_statement: "2023-01".to_owned(),
        },
        7 | 28 => Command::StartPayment {
            provider: Provider::ALL[usize::from(dice.roll(2) == 0)],
        },
        8 | 9 => Command::RecordPayment {
            attempt,
            trade_no,
            amount,
            paid_at: now,
        },
        10 => Command::FlagPayment {
            attempt,
            trade_no,
            amount,
        },
        11 => Command::Approve,
        12 => Command::Reject {
            reason: "资料不清晰".to_owned(),
        },
        13 => Command::Resubmit,
        14 if dice.roll(10) == 0 => Command::Cancel,
        14 | 15 => Command::RecordRefund {
            attempt,
            number: u8::try_from(dice.roll(2) + 1).expect("small"),
            outcome: match dice.roll(6) {
                0 => RefundOutcome::Processing,
                1 => RefundOutcome::Abnormal,
                2 => RefundOutcome::Closed,
                _ => RefundOutcome::Done { at: now },
            },
        },
        16 => {
            let csr = SubmittedCsr {
                pem: "csr".to_owned(),
                key_sm3: format!("{:02x}", dice.roll(2)),
            };
            Command::SubmitCsr { csr }
        }
        17 => Command::RecordCertificates {
            certificates: Box::new(certificates()),
        },
        18 if dice.roll(3) == 0 => Command::ReportIssuanceFailure {
            reason: "subject".to_owned(),
        },
        18 | 19 => Command::ConfirmWritten {
            written: WrittenToken {
                report: "report".to_owned(),
                token_serial: "S1".to_owned(),
                signing_certificate_sm3: if dice.roll(5) == 0 { "cc" } else { "aa" }.to_owned(),
                encryption_certificate_sm3: "bb".to_owned(),
            },
            password: Sealed("sealed".to_owned()),
        },
        20 => Command::Dispatch {
            parcel: Parcel::new("ems", "1"),
        },
        21 => Command::ConfirmReceipt,
        22 if dice.roll(20) == 0 => Command::Expire,
        24 => Command::Revoke {
            reason: RevocationReason::KeyCompromise,
            invalidity_date: (dice.roll(2) == 0).then_some(now),
        },
        25 => Command::RecordRevocation,
        26 if dice.roll(20) == 0 => Command::Erase,
        26 => Command::RecordClosing { attempt },
        36 | 37 => password_news(dice),
        38 => Command::ResendPassword,
        27 if dice.roll(4) == 0 => Command::ReturnPayment {
            attempt,
            trade_no,
            amount: Fen::new(77).expect("an amount"),
            paid_at: now,
        },
        roll @ 29.. => beside(roll, dice, now),
        _ => Command::Remind,
    }
}

/// What happens beside the order's way: to its invoice and its parcel.
fn beside(roll: u64, dice: &mut Dice, now: OffsetDateTime) -> Command {
    match roll {
        29 => Command::RecordTracking {
            waybill: if dice.roll(5) == 0 { "2" } else { "1" }.to_owned(),
            tracking: tracking(dice, now),
        },
        30 => Command::RecordInvoiceRequest {
            serial: format!("S{}", dice.roll(2)),
        },
        31 => Command::RecordInvoice {
            invoice: invoice(dice, now),
        },
        32 => Command::UploadInvoice {
            invoice: invoice(dice, now),
        },
        33 => Command::ReportInvoiceFailure {
            reason: "22".to_owned(),
            detail: (dice.roll(2) == 0).then(|| "购方税号错误".to_owned()),
        },
        34 => Command::RetryInvoice,
        35 if dice.roll(3) == 0 => Command::LeaveInvoice,
        39 => Command::IssueTicket {
            ticket: IssuedTicket {
                id: format!("{:022x}", dice.roll(u64::MAX)),
                operation: TicketOperation::Personalise,
                token_serial: "S1".to_owned(),
                origin: "https://portal.example".to_owned(),
            },
        },
        _ => Command::Remind,
    }
}

/// What a provider, a bank or a collector might say of the password.
fn password_news(dice: &mut Dice) -> Command {
    Command::RecordPassword {
        number: u8::try_from(dice.roll(3) + 1).expect("small"),
        outcome: match dice.roll(6) {
            0 | 1 => PasswordOutcome::Submitted,
            2 => PasswordOutcome::Sent,
            3 => PasswordOutcome::Returned {
                code: "NAME_MISMATCH".to_owned(),
            },
            4 => PasswordOutcome::Failed {
                code: "ACCOUNT_CLOSED".to_owned(),
            },
            _ => PasswordOutcome::Collected,
        },
    }
}

fn invoice(dice: &mut Dice, now: OffsetDateTime) -> IssuedInvoice {
    IssuedInvoice {
        number: format!("{:020}", dice.roll(3)).parse().expect("20 digits"),
        issued_at: now,
        files: vec![InvoiceFormat::Pdf],
    }
}

fn tracking(dice: &mut Dice, now: OffsetDateTime) -> Tracking {
    const STATUSES: [TrackingStatus; 3] = [
        TrackingStatus::InTransit,
        TrackingStatus::Problem,
        TrackingStatus::Signed,
    ];
    let late = Duration::minutes(i64::try_from(dice.roll(600)).expect("small"));
    Tracking {
        status: STATUSES[usize::try_from(dice.roll(3)).expect("small")],
        at: now - late,
    }
}

/// Mostly a command that the table allows: walks that are refused all the time come nowhere.
fn wish(order: &Order, dice: &mut Dice, now: OffsetDateTime) -> Command {
    let mut wish = command(order, dice, now);
    for _ in 0..dice.roll(40) {
        if yinxin_order::table::find(order.state, wish.name()).is_some() {
            break;
        }
        wish = command(order, dice, now);
    }
    wish
}

/// What the world really did before the platform hears of it: payments and refunds happen outside.
fn happens_outside(order: &Order, command: &Command, till: &mut Till) -> bool {
    match command {
        Command::RecordPayment { attempt, amount, .. } => {
            let exists = order.payment(*attempt).is_some();
            if exists && amount.fen() == PRICE_FEN {
                till.paid.entry(*attempt).or_insert(PRICE_FEN);
            }
            exists
        }
        // The provider was asked: this is what was paid, and nothing else was.
        Command::ReturnPayment { attempt, amount, .. } => {
            let possible = order.payment(*attempt).is_some() && !till.paid.contains_key(attempt);
            if possible {
                till.paid.insert(*attempt, amount.fen());
            }
            possible
        }
        // A refund is only ever made because the order asked for it, and under no number but the living one.
        Command::RecordRefund {
            attempt,
            number,
            outcome,
        } => {
            let refund = order.payment(*attempt).and_then(|payment| payment.refund);
            let asked = refund.is_some_and(|refund| refund.number == *number);
            let moved = till.refunded.contains_key(attempt);
            match outcome {
                RefundOutcome::Done { .. } if asked => {
                    let paid = till.paid.get(attempt).copied().unwrap_or_default();
                    till.refunded.insert(*attempt, paid);
                }
                // A number under which money moved is not closed.
                RefundOutcome::Closed if moved => return false,
                _ => {}
            }
            asked
        }
        _ => true,
    }
}

fn check(order: &Order, till: &Till) {
    let ledger = order.ledger();
    assert_eq!(
        ledger.received,
        till.paid.values().sum::<i64>(),
        "every payment that was made is credited once"
    );
    assert_eq!(
        ledger.refunded,
        till.refunded.values().sum::<i64>(),
        "every refund that was made is on the ledger"
    );
    assert_eq!(
        till.posted,
        ledger.received - ledger.refunded,
        "the postings say the same"
    );
    for payment in &order.payments {
        if let PaymentStatus::Paid { amount, .. } = payment.status {
            assert!(
                amount == payment.amount || payment.refund.is_some(),
                "another amount than is due is kept"
            );
        }
    }
    assert_eq!(
        ledger.received,
        ledger.kept() + ledger.refunded + ledger.refund_due
    );
    assert!(
        ledger.kept() == 0 || ledger.kept() == PRICE_FEN,
        "never two charges"
    );
    let ended_without_service = matches!(order.state, State::Cancelled | State::Expired | State::Refunding);
    assert!(
        !ended_without_service || ledger.kept() == 0,
        "{:?} keeps money",
        order.state
    );
    let issued = order
        .personal
        .as_ref()
        .is_some_and(|personal| personal.certificates.is_some());
    assert!(
        !issued || ledger.kept() == PRICE_FEN,
        "a certificate without payment"
    );
    assert!(
        !order.awaits_invoice() || order.due(RETENTION).is_some(),
        "an invoice is not issued and nobody looks at it"
    );
    assert!(
        order.invoice.is_none() || ledger.kept() == PRICE_FEN,
        "an invoice about money that was not kept"
    );
    assert!(
        !order.awaits_revocation() || order.due(RETENTION).is_some(),
        "a revocation is not published and nobody looks at it"
    );
    check_password_is_looked_at(order);
    assert!(
        order.state.turn() != Turn::Platform || order.due(RETENTION).is_some(),
        "{:?} is ours and nobody looks at it",
        order.state
    );
    assert!(
        ledger.refund_due == 0 || order.due(RETENTION).is_some(),
        "a refund is due and nobody looks at it"
    );
    assert!(
        !order.payments.iter().any(Payment::is_open) || order.due(RETENTION).is_some(),
        "somebody may scan a code and nobody looks at it"
    );
}

#[test]
fn whatever_happens_the_money_adds_up() {
    let mut ends = std::collections::HashMap::new();
    let mut passwords = std::collections::HashSet::new();
    for seed in 0..WALKS {
        let mut dice = Dice(seed);
        let mut order = new_order(&mut dice);
        let mut till = Till::default();
        let mut now = start();
        for _ in 0..STEPS {
            now += Duration::minutes(i64::try_from(dice.roll(300)).expect("small"));
            let wish = wish(&order, &mut dice, now);
            if !happens_outside(&order, &wish, &mut till) {
                continue;
            }
            match decide(&order, &wish, Actor::Applicant, now) {
                Ok(moved) => {
                    for posting in &moved.event.postings {
                        let fen = posting.amount.fen();
                        till.posted += if posting.refund_no.is_some() { -fen } else { fen };
                    }
                    assert_eq!(moved.order.version, order.version + 1);
                    assert_eq!(moved.event.to, moved.order.state);
                    assert!(moved.order.tickets <= MAX_TICKETS);
                    check_effects(&order, &wish, &moved.effects);
                    check_revocation(&order, &wish, &moved.order);
                    check_password(&order, &wish, &moved);
                    check_invoice(&order, &wish, &moved.order);
                    check_parcel(&order, &moved.order);
                    order = moved.order;
                    // Every message may come twice.
                    let again = decide(&order, &wish, Actor::Applicant, now);
                    let is_once = matches!(
                        wish,
                        Command::RecordPayment { .. }
                            | Command::ReturnPayment { .. }
                            | Command::RecordClosing { .. }
                            | Command::RecordRefund { .. }
                            | Command::Revoke { .. }
                            | Command::RecordInvoice { .. }
                            | Command::UploadInvoice { .. }
                            | Command::RecordTracking { .. }
                            | Command::RecordRevocation
                            | Command::RecordPassword { .. }
                    );
                    // The last number of a refund is not given up; being closed makes it abnormal.
                    let is_last = matches!(
                        wish,
                        Command::RecordRefund {
                            outcome: RefundOutcome::Closed,
                            number: yinxin_order::payment::MAX_REFUND_NUMBERS..,
                            ..
                        }
                    );
                    if is_once && !is_last {
                        assert_eq!(
                            again.map(|moved| moved.effects).err(),
                            Some(Refusal::AlreadyRecorded)
                        );
                    }
                }
                // What the world did and the table refuses would be lost: only a wrong amount may be refused.
                Err(Refusal::AlreadyRecorded) => {}
                Err(refusal) => {
                    let lost = matches!(wish, Command::RecordPayment { amount, .. } if amount.fen() == PRICE_FEN)
                        || matches!(wish, Command::ReturnPayment { .. } | Command::RecordRefund { .. });
                    assert!(
                        !lost,
                        "seed {seed}: paid and lost in {:?}: {refusal}",
                        order.state
                    );
                }
            }
            check(&order, &till);
        }
        *ends.entry(order.state).or_insert(0) += 1;
        passwords.extend(order.password.as_ref().map(|delivery| delivery.status));
    }
    assert_eq!(passwords.len(), 6, "the walks are too tame: {passwords:?}");
    for state in [
        State::Completed,
        State::Cancelled,
        State::Refunding,
        State::Issuing,
        State::AwaitingReceipt,
    ] {
        assert!(
            ends.contains_key(&state),
            "no walk ended in {state:?}: the walks are too tame: {ends:?}"
        );
    }
}

/// A password that the platform owes an answer about is looked at within hours, and none is kept for ever.
fn check_password_is_looked_at(order: &Order) {
    let (Some(delivery), Some(personal)) = (&order.password, &order.personal) else {
        return;
    };
    let look = order.due(RETENTION);
    assert!(
        !delivery.is_underway()
            || matches!(look, Some((at, Late::Remind)) if at <= latest(order) + Duration::hours(5)),
        "a password is on its way and nobody looks at it: {look:?}"
    );
    assert!(
        personal.password.is_none() || look.is_some(),
        "a password is kept and nobody will forget it"
    );
}

/// The latest time that an order knows of.
fn latest(order: &Order) -> OffsetDateTime {
    let times = [
        order.reminded_at,
        order.password.as_ref().map(|delivery| delivery.since),
        order.invoice.as_ref().map(|invoice| invoice.since),
    ];
    times
        .into_iter()
        .flatten()
        .chain(order.payments.iter().map(|payment| payment.started_at))
        .chain(order.revocation.as_ref().map(|revocation| revocation.at))
        .fold(order.entered_at, OffsetDateTime::max)
}

/// A password is sent under one number after the other, never while another sending is on its way, and is gone once collected.
fn check_password(before: &Order, wish: &Command, moved: &yinxin_order::Move) {
    let after = &moved.order;
    let Some(now) = &after.password else {
        assert!(before.password.is_none(), "a delivery was forgotten");
        return;
    };
    let sends = |effect: &Effect| matches!(effect, Effect::SendPassword { number } if *number == now.number);
    match &before.password {
        None => assert!(matches!(wish, Command::ConfirmWritten { .. })),
        Some(then) if then.number != now.number => {
            assert!(matches!(wish, Command::ResendPassword));
            assert_eq!(now.number, then.number + 1);
            assert!(!then.is_underway(), "two secrets are in the world");
            assert!(moved.effects.iter().any(sends), "a new sending is not sent");
        }
        Some(then) => {
            let is_final = matches!(
                then.status,
                PasswordStatus::Returned | PasswordStatus::Failed | PasswordStatus::Collected
            );
            assert!(
                !is_final || then == now,
                "{:?} became {:?}",
                then.status,
                now.status
            );
        }
    }
    assert!((1..=MAX_SENDINGS).contains(&now.number));
    let is_kept = after
        .personal
        .as_ref()
        .is_some_and(|personal| personal.password.is_some());
    assert!(
        now.status != PasswordStatus::Collected || !is_kept,
        "a collected password is kept"
    );
    assert!(
        !now.is_underway() || is_kept || after.personal.is_none(),
        "a password on its way is not kept"
    );
}

fn check_effects(before: &Order, wish: &Command, effects: &[Effect]) {
    let row = yinxin_order::table::find(before.state, wish.name()).expect("the move was allowed");
    for effect in effects {
        assert!(
            row.effects.contains(&effect.name()),
            "{:?} asked for {}",
            wish.name(),
            effect.name()
        );
    }
}

/// A revocation is asked for once, by a command of its own, and nothing takes it back or changes it.
fn check_revocation(before: &Order, wish: &Command, after: &Order) {
    match (&before.revocation, &after.revocation) {
        (None, None) => {}
        (None, Some(_)) => assert!(matches!(wish, Command::Revoke { .. })),
        (Some(_), None) => panic!("{:?} took a revocation back", wish.name()),
        (Some(before), Some(after)) => {
            let mut published = before.clone();
            if matches!(wish, Command::RecordRevocation) {
                published.published_at = after.published_at;
            }
            assert_eq!(*after, published);
        }
    }
}

/// There is an invoice from the approval on, and one that was issued stays the one that was issued.
fn check_invoice(before: &Order, wish: &Command, after: &Order) {
    let is_approval = matches!(wish, Command::Approve);
    assert_eq!(after.invoice.is_some(), before.invoice.is_some() || is_approval);
    if let Some(issued) = before.invoice.as_ref().and_then(Invoice::issued) {
        let after = after.invoice.as_ref().and_then(Invoice::issued);
        assert_eq!(after, Some(issued), "{:?} changed an invoice", wish.name());
    }
}

/// What a courier told is never taken back by something older, and nothing comes after the signature.
fn check_parcel(before: &Order, after: &Order) {
    let tracking = |order: &Order| order.parcel.as_ref().and_then(|parcel| parcel.tracking);
    if let Some(before) = tracking(before) {
        let after = tracking(after).expect("a parcel's state is not forgotten");
        assert!(after.at >= before.at);
        assert!(before.status != TrackingStatus::Signed || after == before);
    }
}
