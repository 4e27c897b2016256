//! The signer agent as a service on an operator's computer: the process, the portal's page that uses it, and the person
//! at the agent's own page.
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::{Client, RequestBuilder};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::client::text;
use crate::wait;

/// How long the agent may take to open a page, or to do what was agreed to.
const LIMIT: Duration = Duration::from_mins(1);
const PROBLEM_BASE: &str = "urn:yinxin:agent:";

/// A running agent; killed when dropped.
pub struct Agent {
    child: Child,
    port: u16,
    pages: PathBuf,
    /// How many pages were looked at.
    seen: usize,
}

/// A site's page in a browser, with the token that the agent gave the site.
#[derive(Clone)]
pub struct Site {
    http: Client,
    port: u16,
    origin: String,
    token: Option<String>,
}

/// What the agent answered a site.
#[derive(Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: Value,
}

/// The agent's own page in the person's browser.
pub struct Page {
    http: Client,
    port: u16,
    key: String,
}

impl Agent {
    /// Starts `command`, a `yinxin-agent serve` without port and pages, in `directory`.
    pub fn start(mut command: Command, directory: &Path) -> Result<Agent> {
        let pages = directory.join("pages.txt");
        let seen = lines(&pages).len();
        let mut child = command
            .args(["--port", "0", "--json", "--print-pages"])
            .arg(&pages)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .context("the agent does not start")?;
        let stdout = child.stdout.take().context("the agent has no output")?;
        let mut agent = Agent {
            child,
            port: 0,
            pages,
            seen,
        };
        let mut first = String::new();
        BufReader::new(stdout).read_line(&mut first)?;
        let first: Value = serde_json::from_str(&first).context("the agent does not say where it listens")?;
        let port = first["listening"]["port"].as_u64().context("a port")?;
        agent.port = port.try_into()?;
        Ok(agent)
    }

    /// A site in this computer's browser; with the token of an earlier pairing, if there was one.
    pub fn site(&self, origin: &str, token: Option<&str>) -> Result<Site> {
        Ok(Site {
            http: browser()?,
            port: self.port,
            origin: origin.to_owned(),
            token: token.map(ToOwned::to_owned),
        })
    }

    /// A site that the person has allowed, and its token.
    pub async fn paired(&mut self, origin: &str) -> Result<(Site, String)> {
        let site = self.site(origin, None)?;
        let asking = site.begin("/v1/pairing", json!({}));
        self.page().await?.press("approve").await?;
        let token = text(&asking.await??.ok()?, "token")?;
        Ok((self.site(origin, Some(&token))?, token))
    }

    /// The page that the agent opened next.
    pub async fn page(&mut self) -> Result<Page> {
        let (pages, seen) = (self.pages.clone(), self.seen);
        let address = wait::until("a page of the agent", LIMIT, async || {
            Ok(lines(&pages).into_iter().nth(seen))
        })
        .await?;
        self.seen += 1;
        let code = address.split_once("/#").context("an address has a code")?.1;
        let (http, port) = (browser()?, self.port);
        let opened = page_call(&http, port, "/page/open", &json!({ "code": code }));
        let key = text(&answered(opened).await?.ok()?, "key")?;
        Ok(Page { http, port, key })
    }

    /// How many pages were opened that nobody has looked at.
    pub fn unseen_pages(&self) -> usize {
        lines(&self.pages).len() - self.seen
    }

    /// Ends the agent in the middle of whatever it does.
    pub fn kill(mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Site {
    /// A call of the site's page.
    pub async fn call(&self, path: &str, body: &Value) -> Result<Answer> {
        let url = format!("http://127.0.0.1:{}{path}", self.port);
        let mut request = fetched(self.http.post(url), "cross-site", &self.origin).json(body);
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        answered(request).await
    }

    /// A call that is answered once the person has agreed.
    pub fn begin(&self, path: &'static str, body: Value) -> JoinHandle<Result<Answer>> {
        let site = self.clone();
        tokio::spawn(async move { site.call(path, &body).await })
    }
}

impl Answer {
    /// The body of a success.
    pub fn ok(self) -> Result<Value> {
        ensure!(
            self.status == 200,
            "the agent answered {}: {}",
            self.status,
            self.body
        );
        Ok(self.body)
    }

    /// That the agent refused with this problem.
    pub fn refused(&self, status: u16, problem: &str) -> Result<()> {
        let kind = self.body["type"].as_str();
        ensure!(
            self.status == status && kind.and_then(|kind| kind.strip_prefix(PROBLEM_BASE)) == Some(problem),
            "the agent answered {} {}, not {status} {problem}",
            self.status,
            self.body
        );
        Ok(())
    }
}

impl Page {
    /// What it shows.
    pub async fn html(&self) -> Result<String> {
        text(&self.call("/page/view", &json!({})).await?, "html")
    }

    /// Presses a button of its form.
    pub async fn press(&self, action: &str) -> Result<()> {
        let body = json!({ "form": self.form().await? });
        self.call(&format!("/page/{action}"), &body).await.map(drop)
    }

    /// Types the PIN in; what it is for begins.
    pub async fn type_pin(&self, pin: &str) -> Result<()> {
        let body = json!({ "form": self.form().await?, "pin": STANDARD.encode(pin) });
        self.call("/page/enter", &body).await.map(drop)
    }

    async fn form(&self) -> Result<String> {
        let html = self.html().await?;
        let (_, rest) = html.split_once("data-form=\"").context("the page has no form")?;
        let (form, _) = rest.split_once('"').context("the form has no name")?;
        Ok(form.to_owned())
    }

    async fn call(&self, path: &str, body: &Value) -> Result<Value> {
        let request = page_call(&self.http, self.port, path, body).header("yinxin-page", &self.key);
        answered(request).await?.ok()
    }
}

fn page_call(http: &Client, port: u16, path: &str, body: &Value) -> RequestBuilder {
    let own = format!("http://127.0.0.1:{port}");
    fetched(http.post(format!("{own}{path}")), "same-origin", &own).json(body)
}

/// With what a browser says of a script's call.
fn fetched(request: RequestBuilder, from: &str, origin: &str) -> RequestBuilder {
    request
        .header("origin", origin)
        .header("sec-fetch-site", from)
        .header("sec-fetch-mode", "cors")
        .header("sec-fetch-dest", "empty")
}

async fn answered(request: RequestBuilder) -> Result<Answer> {
    let response = request.send().await.context("the agent does not answer")?;
    Ok(Answer {
        status: response.status().as_u16(),
        body: response.json().await.context("the agent's answer is no JSON")?,
    })
}

/// Each call comes over a connection of its own, so that none is sent into one that the agent is closing.
fn browser() -> Result<Client> {
    let client = Client::builder()
        .no_proxy()
        .timeout(LIMIT * 2)
        .pool_max_idle_per_host(0);
    Ok(client.build()?)
}

/// The whole lines of a file that may not be there yet.
fn lines(file: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
    whole.lines().map(ToOwned::to_owned).collect()
}
