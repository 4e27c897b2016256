//! A vendor whose stored CA is an EST endpoint: the sandbox's vendor as a process of its own, and its client's secret.
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use aws_sdk_secretsmanager::config::{BehaviorVersion, Credentials, Region};
use axum::Router;
use axum::http::StatusCode;
use serde_json::{Value, json};
use tempfile::TempDir;
use time::OffsetDateTime;
use tokio::net::TcpListener;
use yinxin_est::{EstConfig, SetUpError};
use yinxin_issue::authority::{Authority, AuthorityError, Stored, StoredEst};
use yinxin_order::due::Late;
use yinxin_order::sample::{order_id, vendor};
use yinxin_order::state::State;
use yinxin_pki::Certificate;
use yinxin_store::authorities::Authorities as _;
use yinxin_store::issuances::Issuances as _;
use yinxin_store::key_history::KeyHistory as _;
use yinxin_store::vault::{MemoryVault, Purpose, Vault as _};

use crate::recovering::Recovering;
use crate::world::World;

const SECRET: &str = "vendor-est";

struct Endpoint {
    process: Child,
    directory: TempDir,
    config: EstConfig,
}

impl Endpoint {
    /// `None` if Python or its packages are missing and need not be there.
    fn start(faults: &[&str]) -> Option<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let python =
            std::env::var_os("YINXIN_PYTHON").map_or_else(|| root.join(".venv/bin/python"), PathBuf::from);
        let directory = tempfile::tempdir().unwrap();
        let started = Command::new(python)
            .arg(root.join("infra/sandbox"))
            .args(["est", "--port", "0", "--dir"])
            .arg(directory.path())
            .args(faults.iter().flat_map(|fault| ["--fault", fault]))
            .stdout(Stdio::piped())
            .spawn();
        let mut process = match started {
            Ok(process) => process,
            Err(error) => return missing(&error.to_string()),
        };
        let mut line = String::new();
        BufReader::new(process.stdout.as_mut().unwrap())
            .read_line(&mut line)
            .unwrap();
        let Some(url) = line.trim().strip_prefix("est ready on ") else {
            process.wait().unwrap();
            return missing("it does not start");
        };
        let read = |name: &str| std::fs::read_to_string(directory.path().join(name)).unwrap();
        let config = EstConfig {
            url: url.to_owned(),
            label: None,
            client_secret: SECRET.to_owned(),
            server_ca: read("server-ca.pem"),
            vendor_root: read("vendor-root.pem"),
        };
        Some(Self {
            process,
            directory,
            config,
        })
    }

    /// The secret's value as the runbook asks for it.
    fn secret(&self) -> String {
        let read = |name: &str| std::fs::read_to_string(self.directory.path().join(name)).unwrap();
        json!({"certificate": read("client.pem"), "private_key": read("client-key.pem")}).to_string()
    }

    async fn stored(&self) -> StoredEst {
        let vault = MemoryVault;
        let key = vault.new_data_key(Purpose::Authority, vendor().as_str()).await;
        StoredEst::new(self.config.clone(), &key.unwrap()).unwrap()
    }

    /// A world at this hour, because the vendor's clock is nobody's to turn, with an order that waits for its CA. Its clock
    /// stands still, a little ahead: what the vendor issues meanwhile is valid already.
    async fn world(&self, secret: Option<String>) -> World {
        let mut world = World::without_authority();
        world.turn_clock_to(OffsetDateTime::now_utc() + time::Duration::minutes(4));
        world.platform = world.platform.with_secrets(secrets(secret).await);
        let json = serde_json::to_string(&self.stored().await).unwrap();
        let stored = world.stopping.put_authority(vendor().as_str(), &json).await;
        assert!(stored.unwrap());
        world.put_unit(1).await;
        world
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

fn missing(why: &str) -> Option<Endpoint> {
    assert!(
        std::env::var_os("REQUIRE_SANDBOX").is_none(),
        "the sandbox is missing: {why}"
    );
    eprintln!("skipped: the sandbox's Python is not there");
    None
}

/// What `ca withdraw` and `ca grant` do.
async fn retire(world: &World, retired: bool) {
    let (vendor, store) = (vendor(), &world.stopping.store);
    let before = store.authority(vendor.as_str()).await.unwrap();
    let Stored::Est(mut stored) = Stored::from_json(&before).unwrap() else {
        panic!("no endpoint is stored");
    };
    stored.retired = retired.then(|| world.platform.now());
    let after = serde_json::to_string(&stored).unwrap();
    let replaced = store.replace_authority(vendor.as_str(), &before, &after).await;
    assert!(replaced.unwrap());
}

/// The real client against a loopback address that speaks Secrets Manager's protocol and has at most the one secret.
async fn secrets(value: Option<String>) -> aws_sdk_secretsmanager::Client {
    let answer = move |body: String| async move {
        let asked: Value = serde_json::from_str(&body).unwrap();
        let (status, answer) = match value.filter(|_| asked["SecretId"] == SECRET) {
            Some(value) => (StatusCode::OK, json!({"Name": SECRET, "SecretString": value})),
            None => (
                StatusCode::BAD_REQUEST,
                json!({"__type": "ResourceNotFoundException", "Message": "no such secret"}),
            ),
        };
        let json = [("content-type", "application/x-amz-json-1.1")];
        (status, json, answer.to_string())
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().fallback(answer);
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    let config = aws_sdk_secretsmanager::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("cn-north-1"))
        .credentials_provider(Credentials::new("test", "test", None, None, "test"))
        .endpoint_url(url)
        .build();
    aws_sdk_secretsmanager::Client::from_conf(config)
}

#[tokio::test]
async fn an_order_gets_its_pair_from_the_vendors_endpoint_once_the_vendor_decided() {
    let Some(endpoint) = Endpoint::start(&["pending=1"]) else {
        return;
    };
    let world = endpoint.world(Some(endpoint.secret())).await;
    world.ask_anew(1).await.unwrap();
    let order = world.order(1).await;
    assert_eq!(order.state, State::Issuing);
    assert_eq!(order.due(time::Duration::days(90)).unwrap().1, Late::Remind);
    world.ask_anew(1).await.unwrap();
    let serials = world.assert_one_pair(1).await;
    let issued = world.order(1).await.personal.unwrap().certificates.unwrap();
    let root = |pem: &str| Certificate::from_pem(pem.trim()).unwrap();
    assert_eq!(
        root(issued.chain.last().unwrap()),
        root(&endpoint.config.vendor_root)
    );
    // The vendor speaks about its certificates itself.
    assert!(world.statuses(1).await.is_empty());
    // The same errand once more, to a vendor that is not there any more.
    drop(endpoint);
    world.ask_anew(1).await.unwrap();
    assert_eq!(world.assert_one_pair(1).await, serials);
}

#[tokio::test]
async fn a_key_that_the_vendor_made_is_in_escrow_and_reaches_a_new_token() {
    let Some(endpoint) = Endpoint::start(&[]) else {
        return;
    };
    let mut world = endpoint.world(Some(endpoint.secret())).await;
    world.ask_anew(1).await.unwrap();
    let [_, encryption] = world.assert_one_pair(1).await;
    let keys = world.stopping.store.keys_of_order(&order_id(1)).await;
    let [key] = keys.unwrap().try_into().unwrap();
    assert_eq!((key.serial, key.is_escrowed), (encryption, true));
    // Even when the platform has nothing to do with the vendor any more.
    drop(endpoint);
    world.platform = world.platform.with_secrets(secrets(None).await);
    retire(&world, true).await;
    let recovering = Recovering::in_world(world, |csr| csr).await.approve().await;
    recovering.recover().await.unwrap();
    recovering.assert_delivered().await;
}

#[tokio::test]
async fn without_its_clients_secret_nothing_is_asked_and_the_order_waits() {
    let Some(endpoint) = Endpoint::start(&[]) else {
        return;
    };
    for secret in [None, Some("{}".to_owned())] {
        let world = endpoint.world(secret).await;
        let refused = Authority::load(&world.platform, vendor().as_str()).await;
        assert!(matches!(refused, Err(AuthorityError::Secret(_))));
        world.ask_anew(1).await.unwrap_err();
        assert_eq!(world.order(1).await.state, State::Issuing);
    }
    let mixed = json!({"certificate": endpoint.config.server_ca, "private_key": "none"}).to_string();
    let world = endpoint.world(Some(mixed)).await;
    let refused = Authority::load(&world.platform, vendor().as_str()).await;
    assert!(matches!(
        refused,
        Err(AuthorityError::Endpoint(SetUpError::Client))
    ));
}

#[tokio::test]
async fn a_retired_endpoint_is_asked_nothing_until_it_is_granted_again() {
    let Some(endpoint) = Endpoint::start(&[]) else {
        return;
    };
    let world = endpoint.world(Some(endpoint.secret())).await;
    retire(&world, true).await;
    world.ask_anew(1).await.unwrap_err();
    let recorded = world.stopping.find(&world.request(1).await).await;
    assert_eq!(recorded.unwrap(), None);
    retire(&world, false).await;
    world.ask_anew(1).await.unwrap();
    world.assert_one_pair(1).await;
}

#[tokio::test]
async fn an_endpoint_that_cannot_be_used_is_not_stored() {
    let Some(endpoint) = Endpoint::start(&[]) else {
        return;
    };
    let json = serde_json::to_string(&endpoint.stored().await).unwrap();
    let Stored::Est(read) = Stored::from_json(&json).unwrap() else {
        panic!("an endpoint was read as another CA");
    };
    assert_eq!(read.est, endpoint.config);
    let key = MemoryVault
        .new_data_key(Purpose::Authority, vendor().as_str())
        .await
        .unwrap();
    let with = |change: fn(&mut EstConfig)| {
        let mut config = endpoint.config.clone();
        change(&mut config);
        match StoredEst::new(config, &key) {
            Err(AuthorityError::Endpoint(error)) => error,
            other => panic!("stored: {other:?}"),
        }
    };
    assert_eq!(
        with(|config| config.url = "http://est.example".into()),
        SetUpError::Url
    );
    assert_eq!(
        with(|config| config.label = Some("cacerts".into())),
        SetUpError::Label
    );
    assert_eq!(with(|config| config.server_ca.clear()), SetUpError::ServerCa);
    assert_eq!(with(|config| config.vendor_root.clear()), SetUpError::Root);
}
