//! Messages on their way out, and what providers tell of them later.
use anyhow::{Result, ensure};
use time::Duration;
use yinxin_store::deliveries::{Claimed, DOUBT_LASTS, DeliveryReceipt};

use crate::{Store, now, random_id};

fn new_message() -> String {
    format!("{}#2#0#sms", random_id())
}

pub async fn messages_are_claimed(store: &impl Store) -> Result<()> {
    let message = new_message();
    let began = now();
    ensure!(store.claim(&message, began, None).await? == Claimed::Mine);
    let later = began + Duration::minutes(1);
    ensure!(store.claim(&message, later, None).await? == Claimed::Unfinished { since: began });
    ensure!(store.claim(&message, later, Some(began)).await? == Claimed::Unfinished { since: began });
    ensure!(store.claim(&message, later, Some(later)).await? == Claimed::Mine);
    ensure!(store.claim(&message, later, None).await? == Claimed::Unfinished { since: later });
    store.sent(&message, "receipt").await?;
    ensure!(store.claim(&message, later, Some(later + Duration::DAY)).await? == Claimed::Sent);
    Ok(())
}

pub async fn what_was_not_sent_is_sent_again_and_what_is_in_doubt_is_not(store: &impl Store) -> Result<()> {
    let began = now();
    let at = |minutes| began + Duration::minutes(minutes);
    let message = new_message();
    ensure!(store.claim(&message, began, None).await? == Claimed::Mine);
    store.not_sent(&message).await?;
    let again = Claimed::Again { first_at: began };
    ensure!(store.claim(&message, at(1), None).await? == again);
    ensure!(
        store.claim(&message, at(1), None).await? == Claimed::Unfinished { since: at(1) },
        "one try was given to two"
    );
    store.not_sent(&message).await?;
    ensure!(
        store.claim(&message, at(2), None).await? == again,
        "the first try was forgotten"
    );
    store.sent(&message, "receipt").await?;
    store.not_sent(&message).await?;
    store.doubtful(&message).await?;
    ensure!(store.claim(&message, at(3), Some(at(3))).await? == Claimed::Sent);

    let message = new_message();
    ensure!(store.claim(&message, began, None).await? == Claimed::Mine);
    store.doubtful(&message).await?;
    let doubtful = Claimed::Doubtful { since: began };
    ensure!(store.claim(&message, at(5), Some(at(5))).await? == doubtful);
    ensure!(store.claim(&message, at(5), None).await? == doubtful);
    // By then people have looked at it.
    let later = began + DOUBT_LASTS;
    ensure!(store.claim(&message, later, None).await? == Claimed::Unfinished { since: began });
    ensure!(store.claim(&message, later, Some(later)).await? == Claimed::Mine);
    ensure!(store.claim(&message, later, None).await? == Claimed::Unfinished { since: later });

    // What nobody claimed is not made by a note.
    let message = new_message();
    store.not_sent(&message).await?;
    store.doubtful(&message).await?;
    ensure!(store.claim(&message, began, None).await? == Claimed::Mine);
    Ok(())
}

pub async fn the_latest_receipt_is_kept(store: &impl Store) -> Result<()> {
    let number = format!("{}^0", random_id());
    let receipt = |delivered, code: &str, minutes| DeliveryReceipt {
        delivered,
        code: code.to_owned(),
        at: now() - Duration::hours(1) + Duration::minutes(minutes),
    };
    let (failed, delivered) = (receipt(false, "UNDELIV", 1), receipt(true, "DELIVERED", 2));
    ensure!(store.receipt("aliyun", &number).await?.is_none());
    ensure!(store.record_receipt("aliyun", &number, &failed, now()).await?);
    ensure!(!store.record_receipt("aliyun", &number, &failed, now()).await?);
    ensure!(store.receipt("aliyun", &number).await? == Some(failed.clone()));
    ensure!(store.record_receipt("aliyun", &number, &delivered, now()).await?);
    ensure!(
        !store.record_receipt("aliyun", &number, &failed, now()).await?,
        "an older receipt replaced a newer one"
    );
    ensure!(store.receipt("aliyun", &number).await? == Some(delivered));
    ensure!(
        store.receipt("tencent", &number).await?.is_none(),
        "another provider's message"
    );
    Ok(())
}
