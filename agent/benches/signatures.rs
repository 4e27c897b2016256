//! A thousand signatures through the service, beside the bare calls of the token's library that they are made of.
//!
//! All take turns, so that what else the machine does falls on all of them. The token is the software one: what it takes for a PIN is
//! shown apart, at the tests' cost of a derivation and at the one that tokens have where nobody says otherwise.
#![allow(clippy::unwrap_used, missing_docs, reason = "a bench that cannot go on fails")]
#![allow(dead_code, reason = "of the tests' support a part is used")]

use std::{
    env, io,
    process::{Command, ExitCode},
    sync::{Arc, Mutex, mpsc},
    thread,
    time::{Duration, Instant},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use time::OffsetDateTime;
use yinxin_agent::{
    pin::Pin,
    service::{Limits, Port, Service, Settings, World, browser::Browser, pace::Rate},
    token::{Token as _, TokenLibraries, Usage},
};
use yinxin_pki::{Name, PublicKey};
use yinxin_skf::{Application, Container, Device, KeyUse, Library, PinKind, Profile};
use yinxin_softskf::{Cost, NewApplication, NewDevice, make_device};
use zeroize::Zeroizing;

#[path = "../tests/agent/authority.rs"]
mod authority;
#[path = "../tests/agent/service/raw.rs"]
mod raw;
#[path = "../tests/agent/soft_token.rs"]
mod soft_token;

use authority::Authority;
use raw::{Request, answer};
use soft_token::{SoftToken, library_file};

const ROUNDS: usize = 1000;
const USUAL_ROUNDS: usize = 31;
const MESSAGE_BYTES: usize = 500;
const SITE: &str = "https://site.example";
/// Test PINs.
const PIN: &str = "holder-1";
const ADMIN_PIN: &str = "vendor-admin";
/// Where the UKeys of this run are; set for the second start of this program, as the library reads it once.
const DIRECTORY: &str = "YINXIN_SOFTSKF_DIR";
const SECOND_START: &str = "YINXIN_BENCH_SECOND_START";

fn main() -> ExitCode {
    if env::var_os(SECOND_START).is_none() {
        let directory = tempfile::tempdir().unwrap();
        let status = Command::new(env::current_exe().unwrap())
            .env(SECOND_START, "1")
            .env(DIRECTORY, directory.path())
            .status()
            .unwrap();
        return if status.success() {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        };
    }
    let token = SoftToken::new("UKey", PIN, ADMIN_PIN);
    personalise(&token);
    let mut figures = measured(&token);
    println!("{ROUNDS} signatures over {MESSAGE_BYTES} bytes, milliseconds");
    println!("{:<52} {:>9} {:>9}", "", "median", "95 %");
    for (name, times) in &mut figures {
        times.sort_unstable();
        let shown = |time: Duration| time.as_secs_f64() * 1000.0;
        println!(
            "{name:<52} {:>9.3} {:>9.3}",
            shown(times[times.len() / 2]),
            shown(times[times.len() * 95 / 100])
        );
    }
    let (log_n, time) = standard_pin();
    println!(
        "verify PIN, of a device of the usual cost (2^{log_n}): median {:.1}",
        time.as_secs_f64() * 1000.0
    );
    ExitCode::SUCCESS
}

/// What the software token takes for a PIN where nobody chose its cost; the tokens of tests are cheap.
fn standard_pin() -> (u8, Duration) {
    let pin = |text: &str| yinxin_softskf::Pin::new(Zeroizing::new(text.to_owned())).unwrap();
    let serial = make_device(
        &yinxin_softskf::Settings::new(soft_token::directory()),
        &NewDevice {
            label: "Usual cost",
            serial: None,
            auth_key: None,
            cost: Cost::STANDARD,
            application: Some(NewApplication {
                name: "Yinxin",
                admin_pin: &pin(ADMIN_PIN),
                admin_tries: 6,
                user_pin: &pin(PIN),
                user_tries: 6,
                create_rights: 0x10,
            }),
        },
    )
    .unwrap();
    let library = Library::open(Profile::standard("softskf", library_file())).unwrap();
    let names = library.devices().unwrap();
    let name = names.iter().find(|name| name.as_str() == serial).unwrap();
    let device = library.connect(name).unwrap();
    let application = device.application(&device.applications().unwrap()[0]).unwrap();
    let mut times: Vec<_> = (0..USUAL_ROUNDS)
        .map(|_| timed(|| application.verify_pin(PinKind::User, PIN).unwrap()))
        .collect();
    times.sort_unstable();
    (Cost::STANDARD.into(), times[times.len() / 2])
}

/// Keys and certificates for a blank token.
fn personalise(token: &SoftToken) {
    let mut token = token.open();
    token
        .login(&Pin::new(Zeroizing::new(PIN.to_owned())).unwrap())
        .unwrap();
    let key = token.generate_signing_key().unwrap();
    let parts = Authority::new().issue_for(&Name::unit("示例建筑有限公司", None).unwrap(), &key);
    token.import_enveloped_key(&parts.enveloped_key).unwrap();
    token.import_certificate(Usage::Signing, &parts.signing).unwrap();
    token
        .import_certificate(Usage::Encryption, &parts.encryption)
        .unwrap();
}

type Figures = Vec<(&'static str, Vec<Duration>)>;

fn measured(token: &SoftToken) -> Figures {
    let agent = Agent::start();
    let site = agent.paired();
    let library = Library::open(Profile::standard("softskf", library_file())).unwrap();
    let bare = Bare::open(&library, token);
    let mut figures: Figures = [
        "service: the site's call, from its start to its end",
        "service: from the entered PIN to the signature",
        "bare: connect, open, verify PIN, sign, close",
        "bare: verify PIN, sign",
        "bare: verify PIN",
        "bare: sign",
    ]
    .into_iter()
    .map(|name| (name, Vec::with_capacity(ROUNDS)))
    .collect();
    let mut message = [0x5A; MESSAGE_BYTES];
    for round in 0..ROUNDS {
        message[..8].copy_from_slice(&(round as u64).to_be_bytes());
        let (whole, entered) = agent.signature(&site, &message, &bare.key);
        let opened = timed(|| Bare::open(&library, token).verified().signed(&message));
        let both = timed(|| bare.verified().signed(&message));
        let verified = timed(|| {
            bare.verified();
        });
        let signed = timed(|| bare.signed(&message));
        for ((_, times), time) in figures
            .iter_mut()
            .zip([whole, entered, opened, both, verified, signed])
        {
            times.push(time);
        }
    }
    figures
}

fn timed(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

/// The calls of the library alone, as `SkfToken` makes them.
struct Bare {
    key: PublicKey,
    container: Container,
    application: Application,
    _device: Device,
}

impl Bare {
    fn open(library: &Library, token: &SoftToken) -> Self {
        let names = library.devices().unwrap();
        let name = names.iter().find(|name| name.as_str() == token.serial);
        let device = library.connect(name.unwrap()).unwrap();
        let application = device.application(&device.applications().unwrap()[0]).unwrap();
        let container = application
            .container(&application.containers().unwrap()[0])
            .unwrap();
        Self {
            key: container.public_key(KeyUse::Signing).unwrap().unwrap(),
            container,
            application,
            _device: device,
        }
    }

    fn verified(&self) -> &Self {
        self.application.verify_pin(PinKind::User, PIN).unwrap();
        self
    }

    fn signed(&self, message: &[u8]) {
        self.container.sign(&self.key, message).unwrap();
    }
}

/// The service in this process, with the libraries as the program has them.
struct Agent {
    port: u16,
    pages: mpsc::Receiver<String>,
}

struct Pages(Mutex<mpsc::Sender<String>>);

impl Browser for Pages {
    fn open(&self, address: &str) -> io::Result<()> {
        let pages = self.0.lock().unwrap();
        pages.send(address.to_owned()).map_err(io::Error::other)
    }
}

impl Agent {
    fn start() -> Self {
        let (opened, pages) = mpsc::channel();
        let (started, port) = mpsc::channel();
        thread::spawn(move || {
            let state = tempfile::tempdir().unwrap();
            let settings = Settings {
                port: Port::Exactly(0),
                state: state.path().join("state"),
                portal: None,
                api: None,
                platform: None,
                // Here alone: nobody signs so often in a minute.
                limits: Limits {
                    operations: Rate {
                        each: usize::MAX,
                        all: usize::MAX,
                    },
                    ..Limits::default()
                },
            };
            let world = World {
                tokens: Arc::new(TokenLibraries::load([Profile::standard(
                    "softskf",
                    library_file(),
                )])),
                browser: Arc::new(Pages(Mutex::new(opened))),
                clock: OffsetDateTime::now_utc,
            };
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                let service = Service::start(settings, world).await.unwrap();
                started.send(service.port()).unwrap();
                service.serve(std::future::pending()).await;
            });
        });
        Self {
            port: port.recv().unwrap(),
            pages,
        }
    }

    /// The token of an approved site.
    fn paired(&self) -> String {
        let mut asking = self.site("/v1/pairing", &json!({}), "").begin(self.port);
        let page = self.page();
        page.call("/page/approve", &json!({ "form": page.form() }));
        answer(&mut asking).value()["token"].as_str().unwrap().to_owned()
    }

    /// One signature: the whole call, and the part of it after the PIN was entered.
    fn signature(&self, token: &str, message: &[u8], key: &PublicKey) -> (Duration, Duration) {
        let body = json!({ "message": STANDARD.encode(message), "format": "raw" });
        let start = Instant::now();
        let mut asking = self.site("/v1/sign", &body, token).begin(self.port);
        let page = self.page();
        let entry = json!({ "form": page.form(), "pin": STANDARD.encode(PIN) });
        let entered = Instant::now();
        page.call("/page/enter", &entry);
        let signed = answer(&mut asking).value();
        let times = (start.elapsed(), entered.elapsed());
        let signature = STANDARD.decode(signed["signature"].as_str().unwrap()).unwrap();
        key.verify(message, &signature).unwrap();
        times
    }

    fn site(&self, path: &str, body: &Value, token: &str) -> Request {
        let request = Request::new("POST", path)
            .set("host", &format!("127.0.0.1:{}", self.port))
            .set("origin", SITE)
            .set("content-type", "application/json")
            .set("sec-fetch-site", "cross-site")
            .set("sec-fetch-mode", "cors")
            .set("sec-fetch-dest", "empty")
            .body(body.to_string());
        if token.is_empty() {
            request
        } else {
            request.set("authorization", &format!("Bearer {token}"))
        }
    }

    /// The next page that the agent opens, with its session.
    fn page(&self) -> Page {
        let address = self.pages.recv().unwrap();
        let (_, code) = address.split_once("/#").unwrap();
        let mut page = Page {
            port: self.port,
            key: String::new(),
        };
        let opened = page.call("/page/open", &json!({ "code": code }));
        opened["key"].as_str().unwrap().clone_into(&mut page.key);
        page
    }
}

struct Page {
    port: u16,
    key: String,
}

impl Page {
    fn call(&self, path: &str, body: &Value) -> Value {
        let own = format!("127.0.0.1:{}", self.port);
        let request = Request::new("POST", path)
            .set("host", &own)
            .set("origin", &format!("http://{own}"))
            .set("content-type", "application/json")
            .set("sec-fetch-site", "same-origin")
            .set("sec-fetch-mode", "cors")
            .set("sec-fetch-dest", "empty")
            .body(body.to_string());
        let request = if self.key.is_empty() {
            request
        } else {
            request.set("yinxin-page", &self.key)
        };
        request.send(self.port).value()
    }

    fn form(&self) -> String {
        let shown = self.call("/page/view", &json!({}));
        let html = shown["html"].as_str().unwrap();
        let (_, rest) = html.split_once("data-form=\"").unwrap();
        rest.split_once('"').unwrap().0.to_owned()
    }
}
