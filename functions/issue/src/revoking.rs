//! The errand of a revocation: recorded, answered, listed, and told to the order.
use tracing::{info, warn};
use yinxin_ca::{Revocation as Answer, RevocationRequest};
use yinxin_order::command::Command;
use yinxin_order::order::Order;
use yinxin_order::revocation::Revocation;
use yinxin_pki::Certificate;
use yinxin_store::statuses::{CertificateStatus, Revoked};

use crate::App;
use crate::statuses::{Speaker, StatusError, whole_second};

/// Revokes what was issued for an order; answers with the command that says so to the order, once it may be said.
/// May run twice.
pub(crate) async fn revoke(app: &App, order: &Order) -> Result<Option<Command>, StatusError> {
    let id = &order.id;
    let Some(revocation) = order
        .revocation
        .as_ref()
        .filter(|revocation| revocation.published_at.is_none())
    else {
        info!(order.id = %id, "order {id} does not wait for a revocation");
        return Ok(None);
    };
    let issued = app.platform.statuses.of_order(id).await?;
    let done = match issued.first() {
        Some(first) => {
            publish(app, order, revocation, &issued, first).await?;
            true
        }
        None => ask_vendor(app, order, revocation).await?,
    };
    if done {
        info!(order.id = %id, "the certificates of order {id} are revoked");
    }
    Ok(done.then_some(Command::RecordRevocation))
}

/// What the platform's own CA issued.
async fn publish(
    app: &App,
    order: &Order,
    revocation: &Revocation,
    issued: &[CertificateStatus],
    first: &CertificateStatus,
) -> Result<(), StatusError> {
    let statuses = app.platform.statuses.as_ref();
    let revoked = Revoked {
        at: whole_second(revocation.at),
        reason: revocation.reason,
        invalidity_date: revocation.invalidity_date.map(whole_second),
    };
    statuses.revoke(issued, &revoked).await?;
    let speaker = Speaker::open(app, &order.vendor, &first.key.authority).await?;
    // Answers first: they are asked for most, and have to be there within a minute.
    for status in statuses.of_order(&order.id).await? {
        speaker.refresh(&status).await?;
    }
    speaker.publish_list(&first.list()).await
}

/// What the vendor's CA issued, which tells the world itself; whether it said that it did.
async fn ask_vendor(app: &App, order: &Order, revocation: &Revocation) -> Result<bool, StatusError> {
    let id = &order.id;
    let authority = app.authority(&order.vendor).await?;
    let certificates = order
        .personal
        .as_ref()
        .and_then(|personal| personal.certificates.as_ref())
        .filter(|_| authority.soft.is_none())
        .ok_or(StatusError::Unreadable("what was issued for the order"))?;
    let mut is_done = true;
    for pem in [
        &certificates.signing_certificate,
        &certificates.encryption_certificate,
    ] {
        let certificate =
            Certificate::from_pem(pem).map_err(|_| StatusError::Unreadable("a certificate of the order"))?;
        let request = RevocationRequest {
            certificate: &certificate,
            reason: revocation.reason.code(),
            invalid_since: revocation.invalidity_date,
        };
        match authority.ca.revoke(&request).await? {
            Answer::Revoked => {}
            // `sweep` asks again.
            Answer::Pending { .. } => is_done = false,
            Answer::NotOffered => {
                is_done = false;
                warn!(order.id = %id, "the vendor has to be told in its own way to revoke the certificates of order {id}");
            }
        }
    }
    Ok(is_done)
}
