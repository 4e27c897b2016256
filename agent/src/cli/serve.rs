//! `serve`: the loopback service for sites, until it is told to end.
use std::{
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::Args;
use reqwest::Url;
use serde_json::json;
use time::OffsetDateTime;

use super::{Place, failure::Failure, output::Output};
use crate::{
    service::{
        Limits, Port, Service, Settings, World,
        browser::{Browser, PrintPages, SystemBrowser},
    },
    ticket::Platform,
};

/// Longest file of certificates.
const CERTIFICATES_LIMIT_BYTES: u64 = 64 * 1024;

pub const EXAMPLES: &str = "\
Examples:
  yinxin-agent serve --portal https://portal.example.com
  yinxin-agent serve --portal https://portal.example.com --api https://api.example.com \\
      --platform-certificates platform.pem --json
  yinxin-agent serve --port 0 --profile softskf --state ./agent --print-pages pages.txt

It listens on 127.0.0.1 only: on port 17816, or on the next free one of ten. PINs are typed on its own page in the browser and come
in no other way. Exit codes: 0 ended by a signal, 1 failed, 64 wrong use.";

/// What `serve` takes.
#[derive(Args)]
pub struct Arguments {
    /// Port on 127.0.0.1; 0 takes any free one [default: the first free one of 17816 to 17825]
    #[arg(long, value_name = "PORT")]
    port: Option<u16>,
    /// Address of the portal, for renewal and forgotten PINs.
    #[arg(long, value_name = "URL", env = "YINXIN_PORTAL")]
    portal: Option<String>,
    /// Base address of the platform's API, for personalising.
    #[arg(long, value_name = "URL", env = "YINXIN_API")]
    api: Option<String>,
    /// PEM file: the certificate that tickets are signed with, then the CAs above it, root last; then the next one in the same
    /// way while the platform changes its key.
    #[arg(long, value_name = "FILE", env = "YINXIN_PLATFORM_CERTIFICATES")]
    platform_certificates: Option<PathBuf>,
    /// Directory of approved sites, used tickets and the log [default: in the user's data directory]
    #[arg(long, value_name = "DIR", env = "YINXIN_AGENT_STATE")]
    state: Option<PathBuf>,
    /// Open the overview at once.
    #[arg(long)]
    open: bool,
    /// Start no browser; print the addresses of pages to a file, or to standard output.
    #[arg(long, value_name = "FILE", num_args = 0..=1, default_missing_value = "-")]
    print_pages: Option<PathBuf>,
    #[command(flatten)]
    place: Place,
}

/// Serves until Ctrl-C or SIGTERM.
pub fn run(arguments: Arguments, json: bool) -> Result<Output, Failure> {
    let open = arguments.open;
    let (settings, world) = prepare(arguments)?;
    let (end, ended) = tokio::sync::oneshot::channel::<()>();
    let mut end = Some(end);
    // The receiver may be gone by a second signal; there is nothing left to end then.
    ctrlc::set_handler(move || {
        if let Some(end) = end.take() {
            end.send(()).unwrap_or_default();
        }
    })
    .map_err(|error| Failure::Runtime(io::Error::other(error)))?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Failure::Runtime)?;
    runtime.block_on(async {
        let service = Service::start(settings, world).await?;
        announce(service.port(), json).map_err(Failure::Output)?;
        if open {
            service.open_overview().map_err(Failure::Browser)?;
        }
        service
            .serve(async {
                // Either the signal came, or its handler is gone with the process.
                ended.await.unwrap_or_default();
            })
            .await;
        Ok::<(), Failure>(())
    })?;
    Ok(Output {
        text: "The agent has ended.\n".to_owned(),
        json: json!({ "ended": true }),
    })
}

fn prepare(arguments: Arguments) -> Result<(Settings, World), Failure> {
    let platform = arguments
        .platform_certificates
        .as_deref()
        .map(platform)
        .transpose()?;
    let portal = arguments
        .portal
        .map(|portal| address(&portal, "--portal"))
        .transpose()?;
    let api = arguments.api.map(|api| address(&api, "--api")).transpose()?;
    let state = super::state_directory(arguments.state)?;
    let browser: Arc<dyn Browser> = match arguments.print_pages {
        Some(file) => Arc::new(PrintPages::to(Some(file).filter(|file| file != Path::new("-")))),
        None => Arc::new(SystemBrowser),
    };
    let settings = Settings {
        port: arguments.port.map_or(Port::Known, Port::Exactly),
        state,
        portal,
        api,
        platform,
        limits: Limits::default(),
    };
    let world = World {
        tokens: Arc::new(arguments.place.libraries()?),
        browser,
        clock: OffsetDateTime::now_utc,
    };
    Ok((settings, world))
}

fn platform(path: &Path) -> Result<Platform, Failure> {
    let name = path.to_string_lossy().into_owned();
    let length = std::fs::metadata(path)
        .map_err(|error| Failure::Unreadable(name.clone(), error))?
        .len();
    if length > CERTIFICATES_LIMIT_BYTES {
        return Err(Failure::Material(name, "is too long for a chain of certificates"));
    }
    let text = std::fs::read_to_string(path).map_err(|error| Failure::Unreadable(name.clone(), error))?;
    Platform::from_pem(&text).map_err(|error| Failure::PlatformCertificates(name, error))
}

/// An https:// address without a query or fragment, or http:// on this computer.
fn address(text: &str, option: &'static str) -> Result<String, Failure> {
    let wrong = || Failure::Material(option.to_owned(), "is not an https:// address");
    let url = Url::parse(text).map_err(|_| wrong())?;
    let local = matches!(url.host_str(), Some("127.0.0.1" | "localhost"));
    let fits = (url.scheme() == "https" || url.scheme() == "http" && local)
        && url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    if fits { Ok(url.into()) } else { Err(wrong()) }
}

/// The first line of output: where the service is, as soon as it is there.
fn announce(port: u16, json: bool) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    if json {
        writeln!(
            stdout,
            "{}",
            json!({ "listening": { "address": "127.0.0.1", "port": port } })
        )?;
    } else {
        writeln!(stdout, "The agent listens on 127.0.0.1:{port}. Ctrl-C ends it.")?;
    }
    stdout.flush()
}
