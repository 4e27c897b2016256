//! A running service with software tokens, a browser that opens nothing, a site, and the holder at the window.
use std::{
    any::Any,
    collections::VecDeque,
    io,
    net::TcpStream,
    path::PathBuf,
    sync::{Arc, Condvar, Mutex, mpsc},
    thread,
    time::{Duration, Instant},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use time::OffsetDateTime;
use tokio::sync::oneshot;
use yinxin_agent::{
    operations::{
        self,
        tokens::{Plugged, PluggedIn},
    },
    service::{Limits, Port, Service, Settings, World, browser::Browser},
    ticket::Platform,
    token::{Identity, SkfToken, Token, TokenError, Usage, libraries::watch::Change},
};
use yinxin_pki::{Certificate, Name, pem};

use super::raw::{Answer, Request, answer};
use crate::{
    authority::{Authority, Parts},
    soft_token::{self, SoftToken},
    world::{ADMIN_PIN, pin},
};

pub const SITE: &str = "https://site.example";
pub const OTHER_SITE: &str = "https://other.example";
pub const PIN: &str = "holder-1";
/// Tries of a PIN.
pub const PIN_TRIES: u8 = soft_token::TRIES;
pub const PORTAL: &str = "https://portal.example/help";
pub const HOLDER: &str = "示例建筑有限公司";
/// No page may take longer to appear.
const PATIENCE: Duration = Duration::from_mins(1);

/// What differs from the usual bench.
pub struct Setup {
    pub tokens: Tokens,
    pub limits: Limits,
    pub platform: Option<Platform>,
    pub api: Option<String>,
    /// Used again by a second bench.
    pub place: Option<Arc<Place>>,
}

/// What is plugged in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tokens {
    None,
    /// Without keys.
    Blank,
    /// One with certificates.
    One,
    /// That one and a blank one.
    Several,
    /// What an earlier bench left there.
    AsTheyAre,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            tokens: Tokens::One,
            limits: Limits::default(),
            platform: None,
            api: None,
            place: None,
        }
    }
}

/// The running service; stops when dropped.
pub struct Bench {
    pub port: u16,
    pub browser: Arc<Windows>,
    pub authority: Authority,
    /// Of the token with certificates.
    pub parts: Option<Parts>,
    pub place: Arc<Place>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

/// What is plugged in, and where the service keeps what it keeps.
pub struct Place {
    directory: tempfile::TempDir,
    /// By their labels.
    tokens: Mutex<Vec<(&'static str, SoftToken)>>,
}

/// A browser that remembers the addresses that it should open.
#[derive(Default)]
pub struct Windows {
    addresses: Mutex<VecDeque<String>>,
    more: Condvar,
    pub broken: std::sync::atomic::AtomicBool,
}

/// The agent's page in the holder's browser.
pub struct Window {
    port: u16,
    pub key: String,
}

/// A site with its token, if it has one.
#[derive(Clone)]
pub struct Site {
    pub port: u16,
    pub origin: String,
    pub token: String,
}

impl Place {
    fn new() -> Self {
        Self {
            directory: tempfile::tempdir().unwrap(),
            tokens: Mutex::default(),
        }
    }

    fn state(&self) -> PathBuf {
        self.directory.path().join("state")
    }

    /// Plugs a blank token in.
    fn plug(&self, label: &'static str) -> SkfToken {
        let made = SoftToken::new(label, PIN, ADMIN_PIN);
        let opened = made.open();
        self.tokens.lock().unwrap().push((label, made));
        opened
    }
}

/// The tests of this program share a library, and with it all tokens: a bench has only its own.
impl operations::tokens::Tokens for Place {
    fn plugged(&self) -> Plugged {
        let tokens = self.tokens.lock().unwrap();
        let plugged = tokens.iter().map(|(label, token)| {
            let identity = Identity {
                label: (*label).to_owned(),
                serial: token.serial.clone(),
            };
            Box::new(InPlace(identity)) as Box<dyn PluggedIn>
        });
        Plugged {
            tokens: plugged.collect(),
            problems: Vec::new(),
        }
    }

    /// Nothing is told: `hotplug` tries that with libraries of its own.
    fn watch(&self, _told: Box<dyn FnMut(Change) + Send>) -> Box<dyn Any + Send> {
        Box::new(())
    }
}

/// A token of a bench.
struct InPlace(Identity);

impl PluggedIn for InPlace {
    fn identity(&self) -> &Identity {
        &self.0
    }

    fn open(&self) -> Result<Box<dyn Token>, TokenError> {
        let library = soft_token::library();
        let names = library.devices().map_err(TokenError::Device)?;
        let name = names.iter().find(|name| name.as_str() == self.0.serial);
        Ok(Box::new(SkfToken::open(
            library,
            name.ok_or(TokenError::Removed)?,
        )?))
    }
}

impl Browser for Windows {
    fn open(&self, address: &str) -> io::Result<()> {
        if self.broken.load(std::sync::atomic::Ordering::SeqCst) {
            return Err(io::Error::other("no desktop"));
        }
        self.addresses.lock().unwrap().push_back(address.to_owned());
        self.more.notify_all();
        Ok(())
    }
}

impl Windows {
    /// The next address.
    pub fn next(&self) -> String {
        let (mut addresses, waited) = self
            .more
            .wait_timeout_while(self.addresses.lock().unwrap(), PATIENCE, |addresses| {
                addresses.is_empty()
            })
            .unwrap();
        assert!(!waited.timed_out(), "no page was opened");
        addresses.pop_front().unwrap()
    }

    pub fn is_empty(&self) -> bool {
        self.addresses.lock().unwrap().is_empty()
    }
}

impl Bench {
    pub fn new() -> Self {
        Self::with(Setup::default())
    }

    pub fn with(setup: Setup) -> Self {
        let place = setup.place.unwrap_or_else(|| Arc::new(Place::new()));
        let authority = Authority::new();
        let blank = |label: &'static str| place.plug(label);
        let parts = match setup.tokens {
            Tokens::None | Tokens::AsTheyAre => None,
            Tokens::Blank => {
                blank("Blank");
                None
            }
            Tokens::One => Some(personalised(&mut blank("UKey"), &authority)),
            Tokens::Several => {
                blank("Blank");
                Some(personalised(&mut blank("UKey"), &authority))
            }
        };
        let browser = Arc::new(Windows::default());
        let settings = Settings {
            port: Port::Exactly(0),
            state: place.state(),
            portal: Some(PORTAL.to_owned()),
            api: setup.api,
            platform: setup.platform,
            limits: setup.limits,
        };
        let world = World {
            tokens: Arc::clone(&place) as Arc<dyn operations::tokens::Tokens>,
            browser: Arc::clone(&browser) as Arc<dyn Browser>,
            clock: OffsetDateTime::now_utc,
        };
        let (port, stop, thread) = run(settings, world);
        Self {
            port,
            browser,
            authority,
            parts,
            place,
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    pub fn parts(&self) -> &Parts {
        self.parts.as_ref().expect("a token with certificates")
    }

    pub fn token(&self) -> SkfToken {
        self.token_in("UKey")
    }

    /// The token with this label.
    pub fn token_in(&self, label: &str) -> SkfToken {
        let tokens = self.place.tokens.lock().unwrap();
        tokens.iter().find(|(own, _)| *own == label).unwrap().1.open()
    }

    /// Pulls the token with certificates out and plugs a blank one in, under the same label.
    pub fn exchange(&self) -> SkfToken {
        self.pull();
        self.place.plug("UKey")
    }

    /// Pulls all tokens out.
    pub fn pull(&self) {
        self.place.tokens.lock().unwrap().clear();
    }

    /// The window of the next address.
    pub fn window(&self) -> Window {
        Window::open(&self.browser.next())
    }

    /// A site that the holder has approved.
    pub fn approved(&self, origin: &str) -> Site {
        let site = self.stranger(origin);
        let mut asking = site.begin("/v1/pairing", &json!({}));
        self.window().press("approve");
        let token = answer(&mut asking).value()["token"].as_str().unwrap().to_owned();
        Site { token, ..site }
    }

    /// A site that nobody has approved.
    pub fn stranger(&self, origin: &str) -> Site {
        Site {
            port: self.port,
            origin: origin.to_owned(),
            token: String::new(),
        }
    }

    /// A call that the holder agrees to with this PIN.
    pub fn agreed(&self, site: &Site, path: &str, body: &Value) -> Answer {
        let mut asking = site.begin(path, body);
        let window = self.window();
        window.enter(&[("pin", PIN)]);
        answer(&mut asking)
    }

    /// A window with the overview, as after a knock of the shell page.
    pub fn overview(&self) -> Window {
        let knock = page_request(self.port, "/page/knock", &json!({}), None);
        knock.send(self.port).value();
        self.window()
    }

    /// Everything that the service keeps, as text.
    pub fn kept(&self) -> String {
        let mut text = String::new();
        for entry in std::fs::read_dir(self.place.state()).unwrap() {
            text += &std::fs::read_to_string(entry.unwrap().path()).unwrap();
        }
        text
    }

    /// Ends the service and leaves what it keeps.
    pub fn end(mut self) -> Arc<Place> {
        self.stop_now();
        Arc::clone(&self.place)
    }

    fn stop_now(&mut self) {
        if let Some(stop) = self.stop.take() {
            stop.send(()).unwrap();
        }
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        self.stop_now();
    }
}

fn run(settings: Settings, world: World) -> (u16, oneshot::Sender<()>, thread::JoinHandle<()>) {
    let (stop, stopped) = oneshot::channel();
    let (started, port) = mpsc::channel();
    let thread = thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let service = Service::start(settings, world).await.unwrap();
            started.send(service.port()).unwrap();
            service.serve(async { stopped.await.unwrap() }).await;
        });
    });
    (port.recv().unwrap(), stop, thread)
}

/// Gives a blank token keys and certificates.
pub fn personalised(token: &mut SkfToken, authority: &Authority) -> Parts {
    token.login(&pin(PIN)).unwrap();
    let key = token.generate_signing_key().unwrap();
    let parts = authority.issue_for(&Name::unit(HOLDER, None).unwrap(), &key);
    token.import_enveloped_key(&parts.enveloped_key).unwrap();
    token.import_certificate(Usage::Signing, &parts.signing).unwrap();
    token
        .import_certificate(Usage::Encryption, &parts.encryption)
        .unwrap();
    token
        .write_record("chain", pem::encode_chain(&parts.chain).as_bytes())
        .unwrap();
    parts
}

/// The certificate in a field of an answer.
pub fn certificate(value: &Value) -> Certificate {
    Certificate::from_der(&bytes(value)).unwrap()
}

/// The bytes in a field of an answer.
pub fn bytes(value: &Value) -> Vec<u8> {
    STANDARD.decode(value.as_str().unwrap()).unwrap()
}

/// A call of the agent's own page, as a browser sends it.
pub fn page_request(port: u16, path: &str, body: &Value, key: Option<&str>) -> Request {
    let request = Request::new("POST", path)
        .set("host", &format!("127.0.0.1:{port}"))
        .set("origin", &format!("http://127.0.0.1:{port}"))
        .set("content-type", "application/json")
        .set("sec-fetch-site", "same-origin")
        .set("sec-fetch-mode", "cors")
        .set("sec-fetch-dest", "empty")
        .body(body.to_string());
    match key {
        Some(key) => request.set("yinxin-page", key),
        None => request,
    }
}

impl Window {
    /// Opens an address that the agent wanted opened.
    pub fn open(address: &str) -> Self {
        let (port, code) = parse(address);
        let opened = page_request(port, "/page/open", &json!({ "code": code }), None).send(port);
        Self {
            port,
            key: opened.value()["key"].as_str().unwrap().to_owned(),
        }
    }

    pub fn call(&self, path: &str, body: &Value) -> Answer {
        page_request(self.port, path, body, Some(&self.key)).send(self.port)
    }

    /// What the window shows.
    pub fn html(&self) -> String {
        let value = self.call("/page/view", &json!({})).value();
        value["html"].as_str().unwrap().to_owned()
    }

    /// The form that the window shows.
    pub fn form(&self) -> String {
        let html = self.html();
        let (_, rest) = html.split_once("data-form=\"").expect("a form");
        rest.split_once('"').unwrap().0.to_owned()
    }

    /// Presses a button of the form.
    pub fn press(&self, action: &str) {
        let body = json!({ "form": self.form() });
        self.call(&format!("/page/{action}"), &body).value();
    }

    /// Types into the form and waits until the agent has tried it; what the window shows then.
    pub fn enter(&self, entries: &[(&str, &str)]) -> String {
        self.call("/page/enter", &typed(&self.form(), entries)).value();
        self.settled()
    }

    /// What the window shows once nothing is being done.
    pub fn settled(&self) -> String {
        let begun = Instant::now();
        loop {
            let html = self.html();
            if !html.contains("class=\"working\"") {
                return html;
            }
            assert!(begun.elapsed() < PATIENCE, "the agent works for ever");
            thread::sleep(Duration::from_millis(5));
        }
    }
}

/// The body of `/page/enter`.
pub fn typed(form: &str, entries: &[(&str, &str)]) -> Value {
    let mut body = json!({ "form": form });
    for (name, text) in entries {
        body[*name] = STANDARD.encode(text).into();
    }
    body
}

/// Port and code of an address.
pub fn parse(address: &str) -> (u16, String) {
    let rest = address.strip_prefix("http://127.0.0.1:").unwrap();
    let (port, code) = rest.split_once("/#").unwrap();
    (port.parse().unwrap(), code.to_owned())
}

impl Site {
    /// A call as a script of the site sends it.
    pub fn request(&self, path: &str, body: &Value) -> Request {
        let request = Request::new("POST", path)
            .set("host", &format!("127.0.0.1:{}", self.port))
            .set("origin", &self.origin)
            .set("content-type", "application/json")
            .set("sec-fetch-site", "cross-site")
            .set("sec-fetch-mode", "cors")
            .set("sec-fetch-dest", "empty")
            .body(body.to_string());
        if self.token.is_empty() {
            request
        } else {
            request.set("authorization", &format!("Bearer {}", self.token))
        }
    }

    pub fn call(&self, path: &str, body: &Value) -> Answer {
        self.request(path, body).send(self.port)
    }

    pub fn begin(&self, path: &str, body: &Value) -> TcpStream {
        self.request(path, body).begin(self.port)
    }
}
