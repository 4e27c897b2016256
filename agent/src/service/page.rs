//! The calls of the agent's own page.
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use axum::http::HeaderMap;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::Deserialize;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::{
    Agent, api,
    desk::{Form, View},
    gate::{PAGE_HEADER, one},
    lock,
    origin::Origin,
    refusal::Refusal,
    routes::PageCall,
    work::{self, Record},
};
use crate::{
    operations::{
        Asker, Operation,
        arguments::{ArgumentError, Asked},
        perform::Entered,
    },
    pages,
};

/// Longest wait for a UKey that comes or goes; then the page asks again.
const CHANGE_WAIT: Duration = Duration::from_secs(25);

/// The window that calls.
pub(super) struct Session {
    /// Its session key; empty for the calls that need none.
    key: Zeroizing<String>,
    view: View,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NoFields {}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CodeField<'a> {
    code: &'a str,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FormField<'a> {
    form: &'a str,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PlugsField {
    plugs: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OriginField {
    origin: Origin,
}

/// PINs come as base64, so that the parser of JSON has nothing to unescape and makes no copies.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EnterFields<'a> {
    form: &'a str,
    #[serde(default)]
    pin: Option<&'a str>,
    #[serde(default)]
    new: Option<&'a str>,
    #[serde(default)]
    again: Option<&'a str>,
}

impl Session {
    /// The session of a call; opening and knocking need none.
    pub(super) fn of(agent: &Agent, call: PageCall, headers: &HeaderMap) -> Result<Self, Refusal> {
        if matches!(call, PageCall::Open | PageCall::Knock) {
            return Ok(Self {
                key: Zeroizing::default(),
                view: View::Overview,
            });
        }
        let key = one(headers, PAGE_HEADER).ok_or(Refusal::Session)?;
        let (mut desk, now) = (lock(&agent.desk), Instant::now());
        let view = match call {
            PageCall::Changed => desk.idle_session(key, now),
            _ => desk.session(key, now),
        };
        let view = view.ok_or(Refusal::Session)?;
        Ok(Self {
            key: Zeroizing::new(key.to_owned()),
            view,
        })
    }
}

/// Does what the page asks for and gives what it then shows.
pub(super) async fn call(
    agent: &Arc<Agent>,
    call: PageCall,
    mut session: Session,
    body: &[u8],
) -> Result<Value, Refusal> {
    match call {
        PageCall::Open => {
            let CodeField { code } = fields(body)?;
            let key = lock(&agent.desk)
                .exchange(code, Instant::now())
                .ok_or(Refusal::Session)?;
            return Ok(json!({ "key": key.as_str() }));
        }
        PageCall::Knock => {
            fields::<NoFields>(body).map(|NoFields {}| ())?;
            // A window for the holder and nothing for whoever asked.
            if !lock(&agent.knocks_pace).admits("", Instant::now()) {
                return Err(Refusal::TooOften);
            }
            agent.open(View::Overview).map_err(|_| Refusal::NoBrowser)?;
            return Ok(api::done());
        }
        PageCall::Changed => {
            let PlugsField { plugs } = fields(body)?;
            return Ok(changed(agent, plugs).await);
        }
        PageCall::View => fields::<NoFields>(body).map(|NoFields {}| ())?,
        PageCall::Overview => {
            fields::<NoFields>(body).map(|NoFields {}| ())?;
            session.turn(agent, View::Overview);
        }
        PageCall::Approve => api::approve(agent, session.own_form(body)?)?,
        PageCall::Deny => api::deny(agent, session.own_form(body)?)?,
        PageCall::Cancel => work::cancel(agent, session.own_form(body)?),
        PageCall::Enter => enter(agent, &session, body)?,
        PageCall::Revoke => {
            let OriginField { origin } = fields(body)?;
            revoke(agent, &origin)?;
        }
        PageCall::ChangePin => {
            fields::<NoFields>(body).map(|NoFields {}| ())?;
            let form = begin_change(agent).await?;
            session.turn(agent, View::Operation(form));
        }
    }
    Ok(show(agent, &session.view).await)
}

impl Session {
    fn turn(&mut self, agent: &Agent, view: View) {
        lock(&agent.desk).turn(&self.key, view.clone());
        self.view = view;
    }

    /// The form that the call names, which must be the one that this window shows: a window that was left open answers
    /// nothing that came later.
    fn own_form<'a>(&self, body: &'a [u8]) -> Result<&'a str, Refusal> {
        let FormField { form } = fields(body)?;
        self.owns(form).then_some(form).ok_or(Refusal::Gone)
    }

    fn owns(&self, form: &str) -> bool {
        matches!(&self.view, View::Pairing(own) | View::Operation(own) if own == form)
    }
}

fn enter(agent: &Arc<Agent>, session: &Session, body: &[u8]) -> Result<(), Refusal> {
    let EnterFields {
        form,
        pin,
        new,
        again,
    } = fields(body)?;
    if !session.owns(form) {
        return Err(Refusal::Gone);
    }
    let pin = pin.map(typed).transpose()?;
    let new = match (new, again) {
        (Some(new), Some(again)) => Some((typed(new)?, typed(again)?)),
        (None, None) if pin.is_some() => None,
        _ => return Err(Refusal::Arguments(ArgumentError::Fields)),
    };
    work::try_entered(agent, form, |asks| Entered::new(asks, pin, new))
}

fn typed(field: &str) -> Result<Zeroizing<String>, Refusal> {
    let bytes = STANDARD
        .decode(field)
        .map_err(|_| Refusal::Arguments(ArgumentError::Fields))?;
    Ok(match String::from_utf8(bytes) {
        Ok(text) => Zeroizing::new(text),
        // What is no text is no PIN; the rules for PINs say so to the holder.
        Err(error) => {
            drop(Zeroizing::new(error.into_bytes()));
            Zeroizing::default()
        }
    })
}

fn revoke(agent: &Agent, origin: &Origin) -> Result<(), Refusal> {
    let found = lock(&agent.approvals)
        .revoke(origin)
        .map_err(|_| Refusal::Unwritable)?;
    if found {
        let record = Record {
            origin: Some(origin.as_str().to_owned()),
            operation: "revoke",
            token: None,
            order: None,
        };
        work::record(agent, record, &Ok(api::done()));
    }
    Ok(())
}

async fn begin_change(agent: &Arc<Agent>) -> Result<String, Refusal> {
    let turn = api::take_turn(agent)?;
    let asked = Asked {
        operation: Operation::ChangePin,
        ticket: None,
    };
    let job = work::prepare(agent, Asker::Holder, asked).await?;
    Ok(work::begin(agent, job, turn, None))
}

/// What a window shows: a piece of HTML, and whether it will change by itself.
async fn show(agent: &Arc<Agent>, view: &View) -> Value {
    // Before the tokens are looked at: what changes meanwhile is noticed.
    let plugs = *agent.plugs.borrow();
    let (html, live, until) = match view {
        View::Overview => (overview(agent).await, false, None),
        View::Pairing(form) | View::Operation(form) => {
            let shown = lock(&agent.desk).form(form);
            let html = pages::form(form, &shown, agent.portal.as_deref(), agent.now());
            let until = match &shown {
                Form::Pairing { until, .. } | Form::Waiting { until, .. } => Some(*until),
                _ => None,
            };
            (html, !matches!(shown, Form::Ended(_) | Form::Unknown), until)
        }
    };
    let left = until.map_or(0, |until| {
        until.saturating_duration_since(Instant::now()).as_secs()
    });
    let mut shown = json!({ "html": html, "live": live, "seconds": left });
    if *view == View::Overview {
        shown["plugs"] = plugs.into();
    }
    shown
}

/// Waits until a UKey comes or goes; whether one did.
async fn changed(agent: &Agent, plugs: u64) -> Value {
    let mut watched = agent.plugs.subscribe();
    let change = watched.wait_for(|count| *count != plugs);
    let changed = tokio::time::timeout(CHANGE_WAIT, change).await;
    json!({ "changed": changed.is_ok() })
}

async fn overview(agent: &Arc<Agent>) -> String {
    let now = agent.now();
    let found = api::list(agent).await;
    let sites = lock(&agent.approvals).list(now);
    let log: Vec<_> = lock(&agent.log).latest().cloned().collect();
    pages::overview(found.as_ref(), &sites, &log, agent.portal.as_deref(), now)
}

fn fields<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, Refusal> {
    serde_json::from_slice(body).map_err(|_| Refusal::Arguments(ArgumentError::Fields))
}
