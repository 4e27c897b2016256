//! Decisions about the password's delivery.
use time::OffsetDateTime;

use super::{notice, personal};
use crate::effect::{Effect, Notice, Sealed};
use crate::order::Order;
use crate::password::{
    MAX_SENDINGS, PasswordDelivery, PasswordOutcome, PasswordStatus, PasswordWay, kept_code,
};
use crate::refusal::Refusal;

/// Keeps the password and has it sent.
pub(super) fn send(
    order: &mut Order,
    password: &Sealed,
    now: OffsetDateTime,
) -> Result<Vec<Effect>, Refusal> {
    let personal = personal(order)?;
    personal.password = Some(password.clone());
    let way = PasswordWay::from(&personal.form.password_route());
    let delivery = PasswordDelivery::first(way, now);
    let number = delivery.number;
    order.password = Some(delivery);
    order.reminders = 0;
    Ok(vec![Effect::SendPassword { number }])
}

/// Has the password sent once more, under a new number and with a new secret; the old secret opens nothing from now on.
pub(super) fn resend(order: &mut Order, now: OffsetDateTime) -> Result<Vec<Effect>, Refusal> {
    let is_kept = personal(order)?.password.is_some();
    let delivery = order.password.as_mut().ok_or(Refusal::NoSuchSending)?;
    if delivery.is_underway() {
        // Nobody knows yet that it will not arrive, and two secrets would be in the world.
        return Err(Refusal::PasswordUnderway);
    }
    if !is_kept {
        return Err(Refusal::PasswordGone);
    }
    if delivery.number >= MAX_SENDINGS {
        return Err(Refusal::TooManySendings);
    }
    delivery.number += 1;
    delivery.status = PasswordStatus::Sending;
    delivery.since = now;
    delivery.code = None;
    let number = delivery.number;
    order.reminders = 0;
    Ok(vec![Effect::SendPassword { number }])
}

/// Notes what became of sending `number`.
pub(super) fn record(
    order: &mut Order,
    number: u8,
    outcome: &PasswordOutcome,
    now: OffsetDateTime,
) -> Result<Vec<Effect>, Refusal> {
    let delivery = order
        .password
        .as_mut()
        .filter(|delivery| delivery.number == number)
        .ok_or(Refusal::NoSuchSending)?;
    let (status, code, told) = match outcome {
        PasswordOutcome::Submitted => (PasswordStatus::Submitted, None, None),
        PasswordOutcome::Sent => {
            let told = (delivery.way == PasswordWay::Memo).then_some(Notice::PasswordSent);
            (PasswordStatus::Sent, None, told)
        }
        PasswordOutcome::Returned { code } => (
            PasswordStatus::Returned,
            kept_code(code),
            Some(Notice::PasswordFailed),
        ),
        PasswordOutcome::Failed { code } => (
            PasswordStatus::Failed,
            kept_code(code),
            Some(Notice::PasswordFailed),
        ),
        PasswordOutcome::Collected if delivery.can_be_collected() => (PasswordStatus::Collected, None, None),
        PasswordOutcome::Collected => return Err(Refusal::PasswordVoid),
    };
    delivery.status = status;
    delivery.since = now;
    delivery.code = code;
    order.reminders = 0;
    if status == PasswordStatus::Collected {
        personal(order)?.password = None;
    }
    Ok(told.map(notice).unwrap_or_default())
}

/// What a look at the delivery asks for; a password that was kept long enough is forgotten.
pub(super) fn remind(order: &mut Order, now: OffsetDateTime) -> Option<Effect> {
    let delivery = order.password.as_ref()?;
    let personal = order.personal.as_mut()?;
    let number = delivery.number;
    match delivery.status {
        PasswordStatus::Sending => Some(Effect::SendPassword { number }),
        PasswordStatus::Submitted => Some(Effect::QueryTransfer { number }),
        _ if delivery.next_return_check(order.reminded_at).is_some() => {
            Some(Effect::QueryTransfer { number })
        }
        _ => {
            if now >= delivery.kept_until() {
                personal.password = None;
            }
            None
        }
    }
}
