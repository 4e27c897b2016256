//! The loopback service: sites ask, the holder's own page shows what they ask and takes the PIN, the token does it.
//!
//! docs/agent-security.md says against whom, and which test shows it.
use std::{
    any::Any,
    future::Future,
    io,
    net::Ipv4Addr,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use time::OffsetDateTime;
use tokio::{
    net::TcpListener,
    sync::{Semaphore, watch},
};

use crate::{
    operations::{authorisation::Offer, tokens::Tokens},
    private_file::{self, ReadError},
    ticket::{Platform, used::UsedTickets},
};

mod answer;
mod api;
pub mod approvals;
mod body;
pub mod browser;
mod connections;
pub mod desk;
mod gate;
pub mod log;
pub mod origin;
pub mod pace;
mod page;
pub mod refusal;
mod routes;
pub mod secret;
mod work;

use approvals::Approvals;
use browser::Browser;
use desk::{Desk, View};
use log::Log;
use pace::{Pace, Rate};

/// The first port that is tried.
pub const DEFAULT_PORT: u16 = 17816;
/// How many ports are tried, this one and the next ones.
pub const PORTS: u16 = 10;

/// A file in the service's directory by which its user asks for the overview (`yinxin-agent open`), and how often it is looked for.
pub const OPEN_REQUEST: &str = "open-request";
const OPEN_PAUSE: Duration = Duration::from_millis(500);

/// How often the lock of the one agent is tried, and how long apart.
const LOCK_TRIES: u32 = 20;
const LOCK_WAIT: Duration = Duration::from_millis(50);

/// Where to listen. The address is always 127.0.0.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Port {
    /// The first free one of those that sites look for.
    Known,
    /// This one; 0 for any.
    Exactly(u16),
}

/// How long things may take.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The holder, from the opening of a page to an answer.
    pub holder: Duration,
    /// A request's head.
    pub head: Duration,
    /// A request's body.
    pub body: Duration,
    /// A look at the tokens: a library that another program holds up answers late or never.
    pub look: Duration,
    /// Wishes to be approved in a minute.
    pub pairing: Rate,
    /// Operations that open a page in a minute.
    pub operations: Rate,
    /// Windows that the shell page asks for in a minute.
    pub knocks: Rate,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            holder: Duration::from_mins(2),
            head: Duration::from_secs(5),
            body: Duration::from_secs(10),
            look: Duration::from_secs(5),
            pairing: Rate { each: 3, all: 6 },
            operations: Rate { each: 30, all: 60 },
            knocks: Rate { each: 3, all: 3 },
        }
    }
}

/// What the service is started with.
pub struct Settings {
    /// Where to listen.
    pub port: Port,
    /// Where its files are.
    pub state: PathBuf,
    /// The portal's address, which the overview's buttons open.
    pub portal: Option<String>,
    /// Base address of the platform's API, for personalising.
    pub api: Option<String>,
    /// Whose tickets are good.
    pub platform: Option<Platform>,
    /// How long things may take.
    pub limits: Limits,
}

/// What the service reaches the world through.
pub struct World {
    /// Tokens.
    pub tokens: Arc<dyn Tokens>,
    /// Windows.
    pub browser: Arc<dyn Browser>,
    /// The time.
    pub clock: fn() -> OffsetDateTime,
}

/// Why the service does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Another agent of this user runs.
    #[error("another agent is running")]
    Running,
    /// No port is free.
    #[error("no port is free on 127.0.0.1")]
    Port(#[source] io::Error),
    /// A file of the service cannot be used.
    #[error(transparent)]
    File(#[from] ReadError),
    /// Its directory cannot be used.
    #[error("the agent's directory cannot be used")]
    Directory(#[source] io::Error),
}

/// The service, bound and not yet serving.
pub struct Service {
    agent: Arc<Agent>,
    listener: TcpListener,
    state: PathBuf,
    /// Tells of UKeys that come and go.
    _watch: Box<dyn Any + Send>,
    /// One agent for a user: two would not see each other's approvals and used tickets.
    _lock: std::fs::File,
}

/// What all requests share.
pub(crate) struct Agent {
    port: u16,
    portal: Option<String>,
    api: Option<String>,
    platform: Option<Platform>,
    limits: Limits,
    world: World,
    /// Of the one operation, from the survey of the token to the end.
    turn: Arc<Semaphore>,
    /// Of the one look at the tokens.
    looks: Arc<Semaphore>,
    /// How often a UKey came or went.
    plugs: watch::Sender<u64>,
    desk: Mutex<Desk>,
    approvals: Mutex<Approvals>,
    used: Mutex<UsedTickets>,
    unblock_offer: Mutex<Offer>,
    log: Mutex<Log>,
    pairing_pace: Mutex<Pace>,
    operations_pace: Mutex<Pace>,
    knocks_pace: Mutex<Pace>,
}

impl Service {
    /// Binds the port and reads the files.
    pub async fn start(settings: Settings, world: World) -> Result<Self, StartError> {
        private_file::create_directory(&settings.state).map_err(StartError::Directory)?;
        private_file::check_directory(&settings.state)?;
        let lock = private_file::open_for_writing(
            std::fs::OpenOptions::new().create(true).truncate(false),
            &settings.state.join("agent.lock"),
        )
        .map_err(StartError::Directory)?;
        alone(&lock).await?;
        let (listener, port) = bind(settings.port).await.map_err(StartError::Port)?;
        let file = |name: &str| settings.state.join(name);
        let agent = Agent {
            port,
            desk: Mutex::default(),
            approvals: Mutex::new(Approvals::open(&file("approved-sites.json"))?),
            used: Mutex::new(UsedTickets::open(&file("used-tickets.json"))?),
            log: Mutex::new(Log::open(&file("operations.log"))?),
            pairing_pace: Mutex::new(Pace::new(settings.limits.pairing)),
            operations_pace: Mutex::new(Pace::new(settings.limits.operations)),
            knocks_pace: Mutex::new(Pace::new(settings.limits.knocks)),
            turn: Arc::new(Semaphore::new(1)),
            unblock_offer: Mutex::default(),
            looks: Arc::new(Semaphore::new(1)),
            plugs: watch::Sender::new(0),
            portal: settings.portal,
            api: settings.api,
            platform: settings.platform,
            limits: settings.limits,
            world,
        };
        let agent = Arc::new(agent);
        let watch = agent.world.tokens.watch(Box::new({
            let agent = Arc::downgrade(&agent);
            move |change| {
                if let Some(agent) = agent.upgrade() {
                    work::plugs_changed(&agent, &change);
                }
            }
        }));
        Ok(Self {
            agent,
            listener,
            state: settings.state,
            _watch: watch,
            _lock: lock,
        })
    }

    /// The port that it listens on.
    pub fn port(&self) -> u16 {
        self.agent.port
    }

    /// Opens the overview in front of the holder.
    pub fn open_overview(&self) -> io::Result<()> {
        self.agent.open(View::Overview)
    }

    /// Serves until `end` is there.
    pub async fn serve(self, end: impl Future<Output = ()>) {
        let request = self.state.join(OPEN_REQUEST);
        tokio::select! {
            () = take_requests(&self.agent, &request) => {}
            () = connections::serve(self.listener, Arc::clone(&self.agent)) => {}
            () = end => {}
        }
    }
}

impl Agent {
    /// Opens a window.
    fn open(&self, view: View) -> io::Result<()> {
        let code = lock(&self.desk).code(view, Instant::now());
        let address = format!("http://127.0.0.1:{}/#{}", self.port, code.as_str());
        self.world.browser.open(&address)
    }

    fn now(&self) -> OffsetDateTime {
        (self.world.clock)()
    }
}

/// Opens the overview for each request, which is taken by removing it.
async fn take_requests(agent: &Agent, request: &Path) {
    loop {
        if std::fs::remove_file(request).is_ok()
            && lock(&agent.knocks_pace).admits("", Instant::now())
            && let Err(error) = agent.open(View::Overview)
        {
            eprintln!("the overview cannot be opened: {error}");
        }
        tokio::time::sleep(OPEN_PAUSE).await;
    }
}

/// A lock whose holder panicked protects data that are whole: each change is one assignment.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Takes the lock of the one agent. The one before may be ending at this moment.
async fn alone(lock: &std::fs::File) -> Result<(), StartError> {
    let mut tries_left = LOCK_TRIES;
    loop {
        match lock.try_lock() {
            Ok(()) => return Ok(()),
            Err(std::fs::TryLockError::Error(error)) => return Err(StartError::Directory(error)),
            Err(std::fs::TryLockError::WouldBlock) if tries_left == 0 => return Err(StartError::Running),
            Err(std::fs::TryLockError::WouldBlock) => {
                tries_left -= 1;
                tokio::time::sleep(LOCK_WAIT).await;
            }
        }
    }
}

async fn bind(port: Port) -> io::Result<(TcpListener, u16)> {
    let (first, last) = match port {
        Port::Known => (DEFAULT_PORT, DEFAULT_PORT + PORTS - 1),
        Port::Exactly(port) => (port, port),
    };
    let mut failure = io::Error::from(io::ErrorKind::AddrInUse);
    for port in first..=last {
        match TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await {
            Ok(listener) => {
                let port = listener.local_addr()?.port();
                return Ok((listener, port));
            }
            Err(error) => failure = error,
        }
    }
    Err(failure)
}
