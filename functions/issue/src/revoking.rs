//! The errand of a revocation: recorded, answered, listed, and told to the order.
use tracing::info;
use yinxin_order::command::Command;
use yinxin_order::order::Order;
use yinxin_store::StoreError;
use yinxin_store::statuses::Revoked;

use crate::App;
use crate::statuses::{Speaker, StatusError, whole_second};

/// Revokes what was issued for an order; answers with the command that says so to the order, if the order waits for it.
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
    let statuses = app.platform.statuses.as_ref();
    let issued = statuses.of_order(id).await?;
    let first = issued
        .first()
        .ok_or_else(|| StoreError::Corrupt("an order's certificates have no status".to_owned()))?;
    let revoked = Revoked {
        at: whole_second(revocation.at),
        reason: revocation.reason,
        invalidity_date: revocation.invalidity_date.map(whole_second),
    };
    statuses.revoke(&issued, &revoked).await?;
    let speaker = Speaker::open(app, &order.vendor, &first.key.authority).await?;
    // Answers first: they are asked for most, and have to be there within a minute.
    for status in statuses.of_order(id).await? {
        speaker.refresh(&status).await?;
    }
    speaker.publish_list(&first.list()).await?;
    info!(order.id = %id, "the certificates of order {id} are revoked");
    Ok(Some(Command::RecordRevocation))
}
