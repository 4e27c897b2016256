//! What is inside a verified notification.

use serde::Deserialize;

use super::seal::{ApiKey, Sealed};
use super::trade::{Account, Refund, Transaction};
use crate::payments::{Notification, NotificationError};

/// Real notifications have about 2 KiB; more is refused before any work.
pub(super) const MAX_BYTES: usize = 64 * 1024;

#[derive(Deserialize)]
struct Envelope {
    event_type: String,
    resource: Sealed,
}

/// What every event about a trade holds.
#[derive(Deserialize)]
struct Event {
    mchid: String,
    out_trade_no: String,
}

/// Decrypts and reads a body whose signature was verified.
pub(super) fn read(
    body: &[u8],
    api_key: &ApiKey,
    account: &Account,
) -> Result<Notification, NotificationError> {
    let malformed = |_| NotificationError::Malformed;
    let envelope: Envelope = serde_json::from_slice(body).map_err(malformed)?;
    let plain = api_key
        .open(&envelope.resource)
        .ok_or(NotificationError::Malformed)?;
    match envelope.event_type.split_once('.') {
        Some(("TRANSACTION", _)) => trade(serde_json::from_slice(&plain).map_err(malformed)?, account),
        Some(("REFUND", _)) => refund(&serde_json::from_slice(&plain).map_err(malformed)?, account),
        _ => {
            let event: Event = serde_json::from_slice(&plain).map_err(malformed)?;
            if event.mchid != account.mchid {
                return Err(NotificationError::WrongApp);
            }
            Ok(Notification::Other {
                out_trade_no: event.out_trade_no,
            })
        }
    }
}

fn trade(transaction: Transaction, account: &Account) -> Result<Notification, NotificationError> {
    if !transaction.is_of(account) {
        return Err(NotificationError::WrongApp);
    }
    let out_trade_no = transaction.out_trade_no.clone();
    if transaction.trade_state != "SUCCESS" {
        return Ok(Notification::Other { out_trade_no });
    }
    let paid = transaction.paid().ok_or(NotificationError::Malformed)?;
    Ok(Notification::Paid { out_trade_no, paid })
}

fn refund(refund: &Refund, account: &Account) -> Result<Notification, NotificationError> {
    let mchid = refund.mchid.as_deref().ok_or(NotificationError::Malformed)?;
    if mchid != account.mchid {
        return Err(NotificationError::WrongApp);
    }
    Ok(Notification::Refund {
        state: refund.state().ok_or(NotificationError::Malformed)?,
        out_trade_no: refund.out_trade_no.clone(),
        refund_no: refund.out_refund_no.clone(),
    })
}
