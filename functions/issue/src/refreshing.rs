//! What is signed anew before it ends: answers and lists, a bounded number in each run, and the trust list.
use time::{Duration, OffsetDateTime};
use tracing::{error, info};
use yinxin_lambda::telemetry::causes;
use yinxin_store::statuses::Due;

use crate::App;
use crate::statuses::{Speaker, StatusError};

/// One run signs so many answers and lists; the next run takes the others.
pub const REFRESHES_PER_RUN: usize = 200;
/// What could not be signed is tried again after this time, so that it does not stand before everything else.
const PUT_OFF: Duration = Duration::minutes(10);

/// A run that left something unsigned.
#[derive(Debug, thiserror::Error)]
#[error("{failed} of {due} answers and lists could not be signed anew")]
pub struct Unfinished {
    failed: usize,
    due: usize,
}

/// Signs anew what is due at `now`.
pub async fn refresh(app: &App, now: OffsetDateTime) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let statuses = app.platform.statuses.as_ref();
    let due = statuses.due(now, REFRESHES_PER_RUN).await?;
    let mut failed = 0;
    for one in &due {
        if let Err(refused) = refresh_one(app, one).await {
            failed += 1;
            error!(error = causes(&refused), "something due could not be signed anew");
            statuses.put_off(one, now + PUT_OFF).await?;
        }
    }
    // The list has its own failure: certificates do not wait for it.
    crate::trust_list::refresh(&app.platform, now).await?;
    let count = due.len();
    if failed > 0 {
        return Err(Unfinished { failed, due: count }.into());
    }
    if count > 0 {
        info!(count, "{count} answers and lists were signed anew");
    }
    Ok(())
}

async fn refresh_one(app: &App, due: &Due) -> Result<(), StatusError> {
    match due {
        Due::Answers(key) => {
            if let Some(status) = app.platform.statuses.status(key).await? {
                let speaker = Speaker::open(app, &status.vendor, &key.authority).await?;
                speaker.refresh(&status).await?;
            }
        }
        Due::List(list) => {
            if let Some(published) = app.platform.lists.published(list).await? {
                let speaker = Speaker::open(app, &published.vendor, &list.authority).await?;
                speaker.publish_list(list).await?;
            }
        }
    }
    Ok(())
}
