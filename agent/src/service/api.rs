//! The calls of sites.
use std::sync::Arc;

use axum::http::{HeaderMap, header};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use time::format_description::well_known::Rfc3339;
use tokio::{sync::OwnedSemaphorePermit, time::Instant};
use zeroize::Zeroizing;

use super::{
    Agent,
    approvals::Standing,
    desk::{Ending, Outcome, View},
    gate::one,
    lock,
    origin::Origin,
    refusal::{Refusal, Said},
    routes::ApiCall,
    work::{self, Record},
};
use crate::{
    operations::{
        Asker, OperationError, arguments,
        holder::{self, List},
    },
    token::libraries::{Problem, Trouble},
};

/// Whether a site may make this call: pairing is for strangers, everything else needs the site's own token.
pub(super) fn authorise(
    agent: &Agent,
    call: ApiCall,
    origin: &Origin,
    headers: &HeaderMap,
) -> Result<(), Refusal> {
    if call == ApiCall::Pairing {
        return Ok(());
    }
    let token = one(headers, header::AUTHORIZATION.as_str()).and_then(|value| value.strip_prefix("Bearer "));
    match lock(&agent.approvals).standing(origin, token, agent.now()) {
        Standing::Approved => Ok(()),
        Standing::WrongToken => Err(Refusal::Unpaired),
        Standing::Stranger => Err(Refusal::Origin),
    }
}

/// Does what a site asks for.
pub(super) async fn call(
    agent: &Arc<Agent>,
    call: ApiCall,
    origin: Origin,
    body: Zeroizing<Vec<u8>>,
) -> Outcome {
    match call {
        ApiCall::Pairing => {
            arguments::nothing(&body)?;
            pairing(agent, origin).await
        }
        ApiCall::Status => {
            arguments::nothing(&body)?;
            Ok(json!({ "agent": "yinxin-agent", "version": env!("CARGO_PKG_VERSION"), "api": 1 }))
        }
        ApiCall::Tokens => {
            arguments::nothing(&body)?;
            tokens(agent).await
        }
        ApiCall::UnblockKey => {
            arguments::nothing(&body)?;
            unblock_key(agent, &origin).await
        }
        ApiCall::Operation(kind) => {
            let parsed = arguments::parse(kind, &body)?;
            drop(body);
            if !lock(&agent.operations_pace).admits(origin.as_str(), std::time::Instant::now()) {
                return Err(Refusal::TooOften);
            }
            let turn = take_turn(agent)?;
            let asker = Asker::Site(origin.into());
            let job = work::prepare(agent, asker, parsed).await?;
            let (answer, receiver) = tokio::sync::oneshot::channel();
            let form = work::begin(agent, job, turn, Some(answer));
            let mut leaving = Leaving {
                agent: Arc::clone(agent),
                form: Some(form.clone()),
            };
            if agent.open(View::Operation(form.clone())).is_err() {
                work::end(agent, &form, Err(Refusal::NoBrowser));
            }
            let outcome = receiver.await.unwrap_or(Err(OperationError::Fault.into()));
            leaving.form = None;
            outcome
        }
    }
}

/// The turn for an operation.
pub(super) fn take_turn(agent: &Agent) -> Result<OwnedSemaphorePermit, Refusal> {
    Arc::clone(&agent.turn)
        .try_acquire_owned()
        .map_err(|_| Refusal::Busy)
}

async fn tokens(agent: &Arc<Agent>) -> Outcome {
    let now = agent.now();
    let List { tokens, problems } = list(agent).await?;
    let tokens: Vec<Value> = tokens
        .iter()
        .map(|token| token.to_json(now, |error| Said::of(error).code))
        .collect();
    let problems: Vec<&str> = problems.iter().map(problem_code).collect();
    Ok(json!({ "tokens": tokens, "problems": problems }))
}

/// All tokens. While an operation is open they are left alone.
pub(super) async fn list(agent: &Agent) -> Result<List, Refusal> {
    if agent.turn.available_permits() == 0 {
        return Err(Refusal::Busy);
    }
    work::look(agent, holder::list).await
}

/// Names and paths of libraries are no site's business.
fn problem_code(problem: &Problem) -> &'static str {
    match problem.trouble {
        Trouble::NotLoaded(_) | Trouble::NoList(_) => "library",
        Trouble::Device(_) if problem.is_busy() => "ukey-busy",
        Trouble::Device(_) => "ukey-fault",
    }
}

/// A key to which the platform may seal the admin PIN of the one token that is plugged in.
async fn unblock_key(agent: &Arc<Agent>, origin: &Origin) -> Outcome {
    if agent.turn.available_permits() == 0 {
        return Err(Refusal::Busy);
    }
    let identity = work::look(agent, holder::identity).await??;
    let now = std::time::Instant::now();
    let key = lock(&agent.unblock_offer).make(origin.as_str(), &identity.serial, now);
    Ok(json!({ "token_serial": identity.serial, "public_key": STANDARD.encode(key) }))
}

async fn pairing(agent: &Arc<Agent>, origin: Origin) -> Outcome {
    if !lock(&agent.pairing_pace).admits(origin.as_str(), std::time::Instant::now()) {
        return Err(Refusal::TooOften);
    }
    let patience = agent.limits.holder;
    let until = Instant::now() + patience;
    let (form, receiver) = lock(&agent.desk)
        .begin_pairing(origin, until.into_std())
        .ok_or(Refusal::Busy)?;
    let unanswered = Unanswered {
        agent: Arc::clone(agent),
        form: form.clone(),
    };
    agent
        .open(View::Pairing(form.clone()))
        .map_err(|_| Refusal::NoBrowser)?;
    let outcome = tokio::time::timeout_at(until, receiver).await;
    if outcome.is_err() {
        let taken = lock(&agent.desk).take_pairing(&form);
        if let Some((origin, answer)) = taken {
            close_pairing(agent, &form, &origin, answer, Err(Refusal::TimedOut));
        }
    }
    drop(unanswered);
    match outcome {
        Ok(outcome) => outcome.unwrap_or(Err(Refusal::Gone)),
        Err(_) => Err(Refusal::TimedOut),
    }
}

/// The holder's yes to a site: its token goes out.
pub(super) fn approve(agent: &Agent, form: &str) -> Result<(), Refusal> {
    let (origin, answer) = lock(&agent.desk).take_pairing(form).ok_or(Refusal::Gone)?;
    let approved = lock(&agent.approvals).approve(&origin, agent.now());
    let outcome = approved.map_err(|_| Refusal::Unwritable).map(|(token, expires_at)| {
        json!({ "token": token.as_str(), "expires_at": expires_at.format(&Rfc3339).ok() })
    });
    close_pairing(agent, form, &origin, answer, outcome);
    Ok(())
}

/// The holder's no to a site.
pub(super) fn deny(agent: &Agent, form: &str) -> Result<(), Refusal> {
    let (origin, answer) = lock(&agent.desk).take_pairing(form).ok_or(Refusal::Gone)?;
    close_pairing(agent, form, &origin, answer, Err(Refusal::Denied));
    Ok(())
}

fn close_pairing(
    agent: &Agent,
    form: &str,
    origin: &Origin,
    answer: tokio::sync::oneshot::Sender<Outcome>,
    outcome: Outcome,
) {
    let ending = work::ending(&outcome);
    work::record(
        agent,
        Record {
            origin: Some(origin.as_str().to_owned()),
            operation: "pairing",
            token: None,
            order: None,
        },
        &outcome,
    );
    // The site may be gone by now; then nobody has the token, and the approval can be taken back on the page.
    let heard = answer.send(outcome).is_ok();
    lock(&agent.desk).ended(form, if heard { ending } else { Ending::SiteLeft });
}

/// Ends an operation when the site's connection is gone before the holder has answered.
struct Leaving {
    agent: Arc<Agent>,
    form: Option<String>,
}

impl Drop for Leaving {
    fn drop(&mut self) {
        if let Some(form) = &self.form {
            work::site_left(&self.agent, form);
        }
    }
}

/// Takes a wish to be approved from the desk when nobody waits for it.
struct Unanswered {
    agent: Arc<Agent>,
    form: String,
}

impl Drop for Unanswered {
    fn drop(&mut self) {
        let mut desk = lock(&self.agent.desk);
        if desk.take_pairing(&self.form).is_some() {
            desk.ended(&self.form, Ending::SiteLeft);
        }
    }
}

/// A value that goes to the page.
pub(super) fn done() -> Value {
    json!({})
}
