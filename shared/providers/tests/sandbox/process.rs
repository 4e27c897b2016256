//! The sandbox as a process of its own, on a free port, with keys that this run made.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};

use serde_json::Value;
use tempfile::TempDir;

pub struct Sandbox {
    process: Child,
    /// Holds its keys for as long as it runs.
    _directory: TempDir,
    pub url: String,
    /// The platform's secrets, by name.
    pub secrets: Value,
    control: reqwest::Client,
}

impl Sandbox {
    /// With these modes of WeChat Pay and Alipay. `None` if Python or its packages are missing and need not be there.
    pub fn start(wechat: &'static str, alipay: &'static str) -> Option<Self> {
        let directory = tempfile::tempdir().unwrap();
        init(directory.path(), [wechat, alipay])?;
        let mut process = sandbox("serve", directory.path())
            .args(["--port", "0", "--smtp-port", "0"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.as_mut().unwrap())
            .read_line(&mut line)
            .unwrap();
        let url = line
            .strip_prefix("sandbox ready on ")
            .and_then(|line| line.split(' ').next())
            .unwrap_or_else(|| panic!("the sandbox does not start: {line}"));
        let secrets = std::fs::read_to_string(directory.path().join("secrets.json")).unwrap();
        Some(Self {
            process,
            url: url.to_owned(),
            secrets: serde_json::from_str(&secrets).unwrap(),
            _directory: directory,
            control: reqwest::Client::builder().no_proxy().build().unwrap(),
        })
    }

    /// Plays the outside world's people and banks, or sets its faults; its answer, whatever the status.
    pub async fn try_control(&self, path: &str, wish: &Value) -> (u16, Value) {
        let url = format!("{}/control/{path}", self.url);
        let answer = self.control.post(url).json(wish).send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    pub async fn control(&self, path: &str, wish: &Value) -> Value {
        let (status, answer) = self.try_control(path, wish).await;
        assert_eq!(status, 200, "{path}: {answer}");
        answer
    }

    /// What the sandbox has on record, such as `trades.json`.
    pub async fn recorded(&self, path: &str) -> Value {
        let url = format!("{}/{path}", self.url);
        self.control.get(url).send().await.unwrap().json().await.unwrap()
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

/// What `init` made in this run, by modes: keys take their time, and no test changes them.
static MADE: Mutex<BTreeMap<[&str; 2], [String; 2]>> = Mutex::new(BTreeMap::new());
const FILES: [&str; 2] = ["secrets.json", "config.json"];

/// Fills a folder with keys.
fn init(directory: &Path, modes: [&'static str; 2]) -> Option<()> {
    let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(texts) = made.get(&modes) {
        for (file, text) in FILES.iter().zip(texts) {
            std::fs::write(directory.join(file), text).unwrap();
        }
        return Some(());
    }
    let [wechat, alipay] = modes;
    let ended = sandbox("init", directory)
        .args(["--wechat", wechat, "--alipay", alipay])
        .output();
    let ended = match ended {
        Ok(ended) => ended,
        Err(error) => return missing(&error.to_string()),
    };
    if !ended.status.success() {
        let text = String::from_utf8_lossy(&ended.stderr);
        assert!(
            text.contains("ModuleNotFoundError"),
            "no keys can be made: {text}"
        );
        return missing(&text);
    }
    let texts = FILES.map(|file| std::fs::read_to_string(directory.join(file)).unwrap());
    made.insert(modes, texts);
    Some(())
}

fn sandbox(subcommand: &str, directory: &Path) -> Command {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut command = Command::new(python(&root));
    command
        .arg(root.join("infra/sandbox"))
        .args([subcommand, "--dir"])
        .arg(directory);
    command
}

fn python(root: &Path) -> PathBuf {
    std::env::var_os("YINXIN_PYTHON").map_or_else(
        || {
            let own = root.join(".venv/bin/python");
            if own.exists() { own } else { "python3".into() }
        },
        PathBuf::from,
    )
}

fn missing(why: &str) -> Option<()> {
    assert!(
        std::env::var_os("REQUIRE_SANDBOX").is_none(),
        "the sandbox is missing: {why}"
    );
    eprintln!("skipped: the sandbox's Python is not there");
    None
}
