//! What lies before the holder: a site that asks to be approved, an operation that waits for a PIN, and the windows in which
//! that is shown.
//!
//! A window is opened with a one-time code in the fragment of its address, which no request and no referrer carries. The
//! page exchanges the code for a session key and sends that in a header of its own: there is no cookie, so nothing that another page can
//! make the browser send along. A code that comes twice was read by somebody else, and its session ends.
use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::Value;
use tokio::sync::{OwnedSemaphorePermit, oneshot};
use zeroize::Zeroizing;

use super::{origin::Origin, refusal::Refusal, secret};
use crate::operations::Job;

/// How long a code waits to be exchanged.
const CODE_LIFE: Duration = Duration::from_mins(2);
/// How long a session lasts without a call.
const SESSION_LIFE: Duration = Duration::from_hours(12);
/// Most codes, sessions, and endings that are kept; the oldest go.
const CODES_LIMIT: usize = 16;
const SESSIONS_LIMIT: usize = 32;
const ENDINGS_LIMIT: usize = 16;

/// What is said to the site in the end.
pub type Outcome = Result<Value, Refusal>;

/// What a window is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum View {
    /// Tokens, sites, log.
    Overview,
    /// A site that asks to be approved, by its form.
    Pairing(String),
    /// An operation, by its form.
    Operation(String),
}

/// What a window shows of a form.
pub enum Form {
    /// A site asks to be approved.
    Pairing {
        /// Which.
        origin: Origin,
        /// When it ends.
        until: Instant,
    },
    /// An operation waits for the holder.
    Waiting {
        /// What it is.
        job: Arc<Job>,
        /// What went wrong at the last try.
        notice: Option<Notice>,
        /// When it ends.
        until: Instant,
    },
    /// It is being done.
    Working(Arc<Job>),
    /// It is over.
    Ended(Ending),
    /// Nobody remembers.
    Unknown,
}

/// What went wrong at the last try, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// In Chinese.
    pub chinese: String,
    /// In English.
    pub english: String,
}

/// How something ended, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// Done.
    Done,
    /// Not.
    Refused(Notice),
    /// The site closed the connection.
    SiteLeft,
}

/// The state. Held for moments only.
#[derive(Default)]
pub struct Desk {
    codes: VecDeque<Code>,
    sessions: VecDeque<Session>,
    pairing: Option<Pairing>,
    operation: Option<Open>,
    /// Taken from the desk, and not ended yet: it is being recorded and answered.
    closing: Option<(String, Arc<Job>)>,
    endings: VecDeque<(String, Ending)>,
}

struct Code {
    digest: [u8; 32],
    view: View,
    until: Instant,
    /// The session that it was exchanged for.
    session: Option<[u8; 32]>,
}

struct Session {
    digest: [u8; 32],
    view: View,
    used: Instant,
}

struct Pairing {
    form: String,
    origin: Origin,
    until: Instant,
    answer: oneshot::Sender<Outcome>,
}

struct Open {
    form: String,
    job: Arc<Job>,
    stage: Stage,
    until: Instant,
    /// `None` when the holder began it.
    answer: Option<oneshot::Sender<Outcome>>,
    /// One operation at a time: the next one begins when this is dropped.
    _turn: OwnedSemaphorePermit,
}

enum Stage {
    Waiting(Option<Notice>),
    Working,
}

/// What became of an operation whose time is up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// It waits, and has to end.
    Waiting,
    /// It is being done: come again.
    Working,
    /// It is over.
    Over,
}

impl Desk {
    /// A code for a new window.
    pub fn code(&mut self, view: View, now: Instant) -> Zeroizing<String> {
        let code = secret::fresh();
        self.codes.retain(|code| code.until > now);
        self.codes.push_back(Code {
            digest: secret::hashed(&code),
            view,
            until: now + CODE_LIFE,
            session: None,
        });
        if self.codes.len() > CODES_LIMIT {
            self.codes.pop_front();
        }
        code
    }

    /// Exchanges a code for a session key.
    pub fn exchange(&mut self, code: &str, now: Instant) -> Option<Zeroizing<String>> {
        let code = self
            .codes
            .iter_mut()
            .find(|known| known.until > now && secret::matches(code, &known.digest))?;
        if let Some(session) = code.session {
            // Of the two that had it one should not have: neither keeps anything.
            self.sessions.retain(|known| known.digest != session);
            return None;
        }
        let key = secret::fresh();
        let digest = secret::hashed(&key);
        code.session = Some(digest);
        let view = code.view.clone();
        self.sessions.push_back(Session {
            digest,
            view,
            used: now,
        });
        if self.sessions.len() > SESSIONS_LIMIT {
            self.sessions.pop_front();
        }
        Some(key)
    }

    /// What the window with this session key is for; `None` if there is no such session.
    pub fn session(&mut self, key: &str, now: Instant) -> Option<View> {
        let view = self.idle_session(key, now)?;
        self.find(key)?.used = now;
        Some(view)
    }

    /// The same for a call that the page makes by itself: it does not make the session live longer.
    pub fn idle_session(&mut self, key: &str, now: Instant) -> Option<View> {
        self.sessions.retain(|session| now - session.used < SESSION_LIFE);
        self.find(key).map(|session| session.view.clone())
    }

    /// Gives a window another purpose.
    pub fn turn(&mut self, key: &str, view: View) {
        if let Some(session) = self.find(key) {
            session.view = view;
        }
    }

    fn find(&mut self, key: &str) -> Option<&mut Session> {
        self.sessions
            .iter_mut()
            .find(|session| secret::matches(key, &session.digest))
    }

    /// What to show of a form.
    pub fn form(&self, form: &str) -> Form {
        match (&self.pairing, &self.operation) {
            (Some(pairing), _) if pairing.form == form => Form::Pairing {
                origin: pairing.origin.clone(),
                until: pairing.until,
            },
            (_, Some(open)) if open.form == form => match &open.stage {
                Stage::Waiting(notice) => Form::Waiting {
                    job: Arc::clone(&open.job),
                    notice: notice.clone(),
                    until: open.until,
                },
                Stage::Working => Form::Working(Arc::clone(&open.job)),
            },
            _ => match &self.closing {
                Some((closing, job)) if closing == form => Form::Working(Arc::clone(job)),
                _ => self
                    .endings
                    .iter()
                    .find(|(ended, _)| ended == form)
                    .map_or(Form::Unknown, |(_, ending)| Form::Ended(ending.clone())),
            },
        }
    }

    /// Lays a site's wish to be approved before the holder, if none lies there.
    pub fn begin_pairing(
        &mut self,
        origin: Origin,
        until: Instant,
    ) -> Option<(String, oneshot::Receiver<Outcome>)> {
        if self.pairing.is_some() {
            return None;
        }
        let form = secret::fresh().to_string();
        let (answer, receiver) = oneshot::channel();
        self.pairing = Some(Pairing {
            form: form.clone(),
            origin,
            until,
            answer,
        });
        Some((form, receiver))
    }

    /// The site of this form, which is taken from the desk with where its answer goes.
    pub fn take_pairing(&mut self, form: &str) -> Option<(Origin, oneshot::Sender<Outcome>)> {
        let pairing = self.pairing.take_if(|pairing| pairing.form == form)?;
        Some((pairing.origin, pairing.answer))
    }

    /// Lays an operation before the holder; the turn shows that none lies there.
    pub fn begin(
        &mut self,
        job: Job,
        turn: OwnedSemaphorePermit,
        until: Instant,
        answer: Option<oneshot::Sender<Outcome>>,
    ) -> String {
        let form = secret::fresh().to_string();
        self.operation = Some(Open {
            form: form.clone(),
            job: Arc::new(job),
            stage: Stage::Waiting(None),
            until,
            answer,
            _turn: turn,
        });
        form
    }

    /// The form of the operation that waits for the PIN of the token with this serial number.
    pub fn waiting_for(&self, serial: &str) -> Option<String> {
        let open = self.operation.as_ref()?;
        let waits = matches!(open.stage, Stage::Waiting(_)) && open.job.holder.identity.serial == serial;
        waits.then(|| open.form.clone())
    }

    /// Takes an operation to work, if it waits: what was typed twice is tried once.
    pub fn work(&mut self, form: &str) -> Option<Arc<Job>> {
        let open = self.operation.as_mut().filter(|open| open.form == form)?;
        if matches!(open.stage, Stage::Working) {
            return None;
        }
        open.stage = Stage::Working;
        Some(Arc::clone(&open.job))
    }

    /// Lays it before the holder again.
    pub fn again(&mut self, form: &str, notice: Notice) {
        if let Some(open) = self.operation.as_mut().filter(|open| open.form == form) {
            open.stage = Stage::Waiting(Some(notice));
        }
    }

    /// Whether an operation has to end now that its time is up.
    pub fn due(&self, form: &str) -> Due {
        match self.operation.as_ref().filter(|open| open.form == form) {
            Some(Open {
                stage: Stage::Waiting(_),
                ..
            }) => Due::Waiting,
            Some(_) => Due::Working,
            None => Due::Over,
        }
    }

    /// Takes an operation from the desk. Where `only_waiting`, one that is being done stays.
    pub fn take(
        &mut self,
        form: &str,
        only_waiting: bool,
    ) -> Option<(Arc<Job>, Option<oneshot::Sender<Outcome>>)> {
        let open = self
            .operation
            .take_if(|open| open.form == form && !(only_waiting && matches!(open.stage, Stage::Working)))?;
        self.closing = Some((open.form, Arc::clone(&open.job)));
        Some((open.job, open.answer))
    }

    /// Remembers how something ended, for its window.
    pub fn ended(&mut self, form: &str, ending: Ending) {
        self.closing.take_if(|(closing, _)| closing == form);
        self.endings.push_back((form.to_owned(), ending));
        if self.endings.len() > ENDINGS_LIMIT {
            self.endings.pop_front();
        }
    }
}

impl Notice {
    /// Of a refusal.
    pub fn of(refusal: &Refusal) -> Self {
        let said = refusal.said();
        Self {
            chinese: said.chinese,
            english: said.english,
        }
    }
}
