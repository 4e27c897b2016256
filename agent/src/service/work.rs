//! An operation's way: prepared, laid before the holder, done on a thread of its own, ended and logged once.
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::Value;
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use super::{
    Agent,
    desk::{Due, Ending, Notice, Outcome},
    lock,
    log::Entry,
    refusal::Refusal,
};
use crate::{
    operations::{
        Asker, Asks, Job, Operation, OperationError,
        arguments::Asked,
        holder::{self, Holder},
        perform::{Context, Entered, perform},
        tokens::Tokens,
    },
    pin::Pin,
    ticket::{Presented, Ticket, TicketedOperation, used::TakeError},
    token::{
        PinKind, TokenError,
        libraries::watch::{Change, Seen},
    },
};

/// How often an operation that is being done past its time is looked at.
const OVERTIME: Duration = Duration::from_secs(1);

/// What the log says of an operation besides how it ended.
pub(super) struct Record {
    /// The site; `None` for the holder.
    pub origin: Option<String>,
    /// Its name.
    pub operation: &'static str,
    /// The token's serial number.
    pub token: Option<String>,
    /// The order of its ticket.
    pub order: Option<String>,
}

/// Looks at the tokens, one look at a time, on a thread of its own. Where another program holds a library up, the thread waits for it
/// and nobody else does.
pub(super) async fn look<T: Send + 'static>(
    agent: &Agent,
    look: impl FnOnce(&dyn Tokens) -> T + Send + 'static,
) -> Result<T, Refusal> {
    let (looks, tokens) = (Arc::clone(&agent.looks), Arc::clone(&agent.world.tokens));
    let looked = async {
        // The semaphore is never closed.
        let turn = looks.acquire_owned().await.ok()?;
        let thread = tokio::task::spawn_blocking(move || {
            let seen = look(tokens.as_ref());
            drop(turn);
            seen
        });
        thread.await.ok()
    };
    match tokio::time::timeout(agent.limits.look, looked).await {
        Ok(seen) => seen.ok_or(Refusal::Operation(OperationError::Fault)),
        Err(_) => Err(OperationError::Token(TokenError::Busy("UKey".to_owned())).into()),
    }
}

/// Finds the token, judges what was asked against it, and uses the ticket up.
pub(super) async fn prepare(agent: &Arc<Agent>, asker: Asker, parsed: Asked) -> Result<Job, Refusal> {
    let origin = match &asker {
        Asker::Site(origin) => Some(origin.clone()),
        Asker::Holder => None,
    };
    let operation = parsed.operation.name();
    let prepared = surveyed(agent, asker, parsed).await;
    if let Err(refusal) = &prepared {
        let record = Record {
            origin,
            operation,
            token: None,
            order: None,
        };
        write(agent, record, refusal.said().code);
    }
    prepared
}

async fn surveyed(agent: &Arc<Agent>, asker: Asker, parsed: Asked) -> Result<Job, Refusal> {
    let Asked { operation, ticket } = parsed;
    let pin = match operation.asks() {
        Asks::AdminPin | Asks::NewPinAlone => PinKind::Admin,
        Asks::UserPin | Asks::NewUserPin => PinKind::User,
    };
    let (operation, holder) = look(agent, move |tokens| {
        let holder = holder::survey(tokens, &operation, pin);
        (operation, holder)
    })
    .await?;
    let holder = holder?;
    let agent = Arc::clone(agent);
    tokio::task::spawn_blocking(move || judged(&agent, asker, Asked { operation, ticket }, holder))
        .await
        .map_err(|_| OperationError::Fault)?
}

fn judged(agent: &Agent, asker: Asker, parsed: Asked, holder: Holder) -> Result<Job, Refusal> {
    let Asked { operation, ticket } = parsed;
    let admin_pin = open_admin_pin(agent, &operation, &asker, &holder.identity.serial)?;
    let ticket = match (operation.ticket(), ticket, &asker) {
        (None, None, _) => None,
        (Some(permits), Some(text), Asker::Site(origin)) => Some(use_ticket(
            agent,
            permits,
            &text,
            origin,
            &holder.identity.serial,
            operation.content(),
        )?),
        _ => return Err(OperationError::Fault.into()),
    };
    if admin_pin.is_some() {
        // It came with a ticket that is used up now.
        lock(&agent.unblock_offer).end();
    }
    Ok(Job {
        operation,
        asker,
        ticket,
        admin_pin,
        holder,
    })
}

/// The admin PIN that came along, opened before the ticket is used up.
fn open_admin_pin(
    agent: &Agent,
    operation: &Operation,
    asker: &Asker,
    serial: &str,
) -> Result<Option<Pin>, OperationError> {
    match (operation, asker) {
        (
            Operation::Unblock {
                sealed_admin: Some(sealed),
            },
            Asker::Site(origin),
        ) => lock(&agent.unblock_offer)
            .open(origin, serial, sealed, Instant::now())
            .map(Some),
        _ => Ok(None),
    }
}

fn use_ticket(
    agent: &Agent,
    operation: TicketedOperation,
    text: &str,
    origin: &str,
    token: &str,
    content: Option<[u8; 32]>,
) -> Result<Ticket, Refusal> {
    let now = agent.now();
    let platform = agent.platform.as_ref().ok_or(Refusal::NoPlatform)?;
    let ticket = platform.verify(
        text,
        &Presented {
            operation,
            origin,
            token,
            content,
            now,
        },
    )?;
    match lock(&agent.used).take(&ticket, now) {
        Ok(()) => Ok(ticket),
        Err(TakeError::Refused(refusal)) => Err(refusal.into()),
        Err(TakeError::Unwritable(_) | TakeError::Full) => Err(Refusal::Unwritable),
    }
}

/// Lays an operation before the holder and sees to it that it ends.
pub(super) fn begin(
    agent: &Arc<Agent>,
    job: Job,
    turn: OwnedSemaphorePermit,
    answer: Option<oneshot::Sender<Outcome>>,
) -> String {
    let until = Instant::now() + agent.limits.holder;
    let form = lock(&agent.desk).begin(job, turn, until, answer);
    tokio::spawn(end_in_time(Arc::clone(agent), form.clone(), until));
    form
}

async fn end_in_time(agent: Arc<Agent>, form: String, until: Instant) {
    tokio::time::sleep_until(until.into()).await;
    loop {
        let due = lock(&agent.desk).due(&form);
        match due {
            Due::Waiting => return end_waiting(&agent, &form, Refusal::TimedOut),
            Due::Working => tokio::time::sleep(OVERTIME).await,
            Due::Over => return,
        }
    }
}

/// Tries what the holder typed. What is done goes on when the page is closed.
pub(super) fn try_entered(
    agent: &Arc<Agent>,
    form: &str,
    enter: impl FnOnce(Asks) -> Result<Entered, OperationError> + Send + 'static,
) -> Result<(), Refusal> {
    let job = lock(&agent.desk).work(form).ok_or(Refusal::Gone)?;
    let finish = Finish {
        agent: Arc::clone(agent),
        form: form.to_owned(),
        result: None,
    };
    tokio::task::spawn_blocking(move || {
        let result = enter(job.operation.asks()).and_then(|entered| {
            let context = Context {
                tokens: finish.agent.world.tokens.as_ref(),
                api: finish.agent.api.as_deref(),
                now: finish.agent.now(),
            };
            perform(&job, &entered, &context)
        });
        finish.with(result);
    });
    Ok(())
}

/// A UKey came or went: an operation whose page waits for a PIN ends with its UKey, and overviews are made anew.
pub(super) fn plugs_changed(agent: &Agent, change: &Change) {
    if let Change::PulledOut(Seen {
        identity: Some(identity),
        ..
    }) = change
    {
        let form = lock(&agent.desk).waiting_for(&identity.serial);
        if let Some(form) = form {
            end_waiting(agent, &form, OperationError::Token(TokenError::Removed).into());
        }
    }
    agent.plugs.send_modify(|count| *count += 1);
}

/// The holder's no.
pub(super) fn cancel(agent: &Agent, form: &str) {
    end_waiting(agent, form, Refusal::Denied);
}

/// The site's connection is gone.
pub(super) fn site_left(agent: &Agent, form: &str) {
    let taken = lock(&agent.desk).take(form, true);
    if let Some((job, _)) = taken {
        write(agent, record_of(&job), "site-left");
        lock(&agent.desk).ended(form, Ending::SiteLeft);
    }
}

/// Ends an operation, whatever its stage.
pub(super) fn end(agent: &Agent, form: &str, outcome: Outcome) {
    let taken = lock(&agent.desk).take(form, false);
    close(agent, form, taken, outcome);
}

fn end_waiting(agent: &Agent, form: &str, refusal: Refusal) {
    let taken = lock(&agent.desk).take(form, true);
    close(agent, form, taken, Err(refusal));
}

type Taken = Option<(Arc<Job>, Option<oneshot::Sender<Outcome>>)>;

fn close(agent: &Agent, form: &str, taken: Taken, outcome: Outcome) {
    let Some((job, answer)) = taken else { return };
    record(agent, record_of(&job), &outcome);
    let ending = ending(&outcome);
    let heard = answer.is_none_or(|answer| answer.send(outcome).is_ok());
    lock(&agent.desk).ended(form, if heard { ending } else { Ending::SiteLeft });
}

/// How an outcome is shown to the holder.
pub(super) fn ending(outcome: &Outcome) -> Ending {
    match outcome {
        Ok(_) => Ending::Done,
        Err(refusal) => Ending::Refused(Notice::of(refusal)),
    }
}

/// Writes an ending into the log.
pub(super) fn record(agent: &Agent, record: Record, outcome: &Outcome) {
    let code = match outcome {
        Ok(_) => "done",
        Err(refusal) => refusal.said().code,
    };
    write(agent, record, code);
}

fn record_of(job: &Job) -> Record {
    Record {
        origin: match &job.asker {
            Asker::Site(origin) => Some(origin.clone()),
            Asker::Holder => None,
        },
        operation: job.operation.name(),
        token: Some(job.holder.identity.serial.clone()),
        order: job.ticket.as_ref().map(|ticket| ticket.order.clone()),
    }
}

fn write(agent: &Agent, record: Record, outcome: &str) {
    let added = lock(&agent.log).add(Entry {
        at: agent.now(),
        origin: record.origin,
        operation: record.operation.to_owned(),
        token: record.token,
        order: record.order,
        outcome: outcome.to_owned(),
    });
    // What was done is done; a full disk must not make it look undone.
    if let Err(error) = added {
        eprintln!("the log of operations cannot be written: {error}");
    }
}

/// Brings a result back to the desk, also when the thread that worked for it panicked.
struct Finish {
    agent: Arc<Agent>,
    form: String,
    result: Option<Result<Value, OperationError>>,
}

impl Finish {
    fn with(mut self, result: Result<Value, OperationError>) {
        self.result = Some(result);
    }
}

impl Drop for Finish {
    fn drop(&mut self) {
        match self.result.take().unwrap_or(Err(OperationError::Fault)) {
            Err(error) if error.can_be_corrected() => {
                let notice = Notice::of(&Refusal::Operation(error));
                lock(&self.agent.desk).again(&self.form, notice);
            }
            result => end(&self.agent, &self.form, result.map_err(Refusal::Operation)),
        }
    }
}
