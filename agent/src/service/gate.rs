//! Who may come in, judged from the head of a request alone, before a byte of its body is read.
//!
//! Any page that the holder's browser shows can send requests to this computer, and a name of the page's own can be pointed at
//! it. What a script cannot forge is judged here: `Host`, `Origin`, the fetch metadata, and that a preflight was passed.
use axum::http::{HeaderMap, Method, Version, header, request::Parts};

use super::{
    origin::Origin,
    refusal::Refusal,
    routes::{ApiCall, Area},
};

/// Header with the session key of the agent's own pages.
pub const PAGE_HEADER: &str = "yinxin-page";
/// Headers of what is fetched before anybody wants to see it.
const FETCHED_AHEAD: [&str; 3] = ["sec-purpose", "purpose", "x-moz"];
/// The one kind of body.
const JSON: &str = "application/json";

/// What the gate knows of the agent.
pub struct Gate<'a> {
    /// The port that it listens on.
    pub port: u16,
    /// Whether a site is approved.
    pub knows: &'a dyn Fn(&Origin) -> bool,
}

/// A request that may come in.
#[derive(Debug)]
pub enum Entry {
    /// A page or a file of it.
    Document(Area),
    /// A call of the agent's own page.
    Page(super::routes::PageCall),
    /// A call of a site; whether the site has a token is not judged yet.
    Api(ApiCall, Origin),
    /// A question before a call, which may be asked.
    Preflight {
        /// It asks whether a public site may reach into a private network.
        private_network: bool,
        /// The same under its later name.
        local_network: bool,
    },
}

/// What became of a request at the gate.
pub struct Judged {
    /// The site that may read the answer.
    pub reader: Option<Origin>,
    /// Whether it may come in.
    pub entry: Result<Entry, Refusal>,
}

impl Gate<'_> {
    /// Judges the head of a request.
    pub fn judge(&self, parts: &Parts) -> Judged {
        let refused = |refusal| Judged {
            reader: None,
            entry: Err(refusal),
        };
        if !is_plain(parts) {
            return refused(Refusal::Form);
        }
        let Some(host) = one(&parts.headers, header::HOST.as_str()) else {
            return refused(Refusal::Host);
        };
        let numeric = host == format!("127.0.0.1:{}", self.port);
        if !numeric && host != format!("localhost:{}", self.port) {
            return refused(Refusal::Host);
        }
        let Some(area) = Area::of(parts.uri.path()) else {
            return refused(Refusal::Address);
        };
        match area {
            Area::Api(call) => self.api(parts, call),
            // Pages have one origin: under the other name nothing is served to sign in with.
            _ if !numeric => refused(Refusal::Host),
            Area::Page(call) => Judged {
                reader: None,
                entry: self.page(parts).map(|()| Entry::Page(call)),
            },
            Area::Shell | Area::Asset(_) => Judged {
                reader: None,
                entry: self.document(parts, area).map(|()| Entry::Document(area)),
            },
        }
    }

    fn api(&self, parts: &Parts, call: ApiCall) -> Judged {
        let origin = one(&parts.headers, header::ORIGIN.as_str())
            .and_then(|origin| origin.parse::<Origin>().ok())
            .filter(|origin| !origin.is_own(self.port));
        let Some(origin) = origin else {
            return Judged {
                reader: None,
                entry: Err(Refusal::Origin),
            };
        };
        // A stranger may ask to be approved, and read what came of it; nothing else.
        if call != ApiCall::Pairing && !(self.knows)(&origin) {
            return Judged {
                reader: None,
                entry: Err(Refusal::Origin),
            };
        }
        let entry = if parts.method == Method::OPTIONS {
            preflight(&parts.headers)
        } else {
            call_of_a_script(parts).map(|()| Entry::Api(call, origin.clone()))
        };
        Judged {
            reader: Some(origin),
            entry,
        }
    }

    fn page(&self, parts: &Parts) -> Result<(), Refusal> {
        post_only(&parts.method)?;
        let own = format!("http://127.0.0.1:{}", self.port);
        if one(&parts.headers, header::ORIGIN.as_str()) != Some(own.as_str()) {
            return Err(Refusal::Origin);
        }
        metadata(&parts.headers, "sec-fetch-site", &["same-origin"])?;
        metadata(&parts.headers, "sec-fetch-mode", &["cors", "same-origin"])?;
        metadata(&parts.headers, "sec-fetch-dest", &["empty"])?;
        json_only(&parts.headers)
    }

    fn document(&self, parts: &Parts, area: Area) -> Result<(), Refusal> {
        if parts.method != Method::GET {
            return Err(Refusal::Method);
        }
        let own = format!("http://127.0.0.1:{}", self.port);
        if parts.headers.contains_key(header::ORIGIN)
            && one(&parts.headers, header::ORIGIN.as_str()) != Some(own.as_str())
        {
            return Err(Refusal::Origin);
        }
        // By speculation rules a site has its browser fetch a page ahead, and Chromium then states that nobody sent it there: what
        // is refused as a navigation must not come in as the answer to one that was made before.
        if FETCHED_AHEAD.iter().any(|name| parts.headers.contains_key(*name)) {
            return Err(Refusal::Metadata);
        }
        if area == Area::Shell {
            // Opened by the holder's system or reloaded: not framed, not fetched, not linked to from a site.
            metadata(&parts.headers, "sec-fetch-site", &["none", "same-origin"])?;
            metadata(&parts.headers, "sec-fetch-mode", &["navigate"])?;
            metadata(&parts.headers, "sec-fetch-dest", &["document"])
        } else {
            metadata(&parts.headers, "sec-fetch-site", &["same-origin"])?;
            metadata(&parts.headers, "sec-fetch-dest", &["script", "style"])
        }
    }
}

/// HTTP/1.1 with a path and nothing else, a body of a stated length, no change of protocol: what browsers send here.
fn is_plain(parts: &Parts) -> bool {
    let headers = &parts.headers;
    let at_most_once = |name: header::HeaderName| headers.get_all(name).iter().count() <= 1;
    let upgrades = headers.get_all(header::CONNECTION).iter().any(|value| {
        value
            .to_str()
            .map_or(true, |value| value.to_ascii_lowercase().contains("upgrade"))
    });
    parts.version == Version::HTTP_11
        && parts.uri.scheme().is_none()
        && parts.uri.authority().is_none()
        && parts.uri.query().is_none()
        && !headers.contains_key(header::UPGRADE)
        && !headers.contains_key(header::TRANSFER_ENCODING)
        && !headers.contains_key(header::TRAILER)
        && !headers.contains_key(header::CONTENT_ENCODING)
        && !upgrades
        && [
            header::HOST,
            header::ORIGIN,
            header::CONTENT_LENGTH,
            header::CONTENT_TYPE,
            header::AUTHORIZATION,
        ]
        .into_iter()
        .all(at_most_once)
}

fn call_of_a_script(parts: &Parts) -> Result<(), Refusal> {
    post_only(&parts.method)?;
    script_metadata(&parts.headers)?;
    json_only(&parts.headers)
}

fn script_metadata(headers: &HeaderMap) -> Result<(), Refusal> {
    metadata(headers, "sec-fetch-site", &["cross-site", "same-site"])?;
    metadata(headers, "sec-fetch-mode", &["cors"])?;
    metadata(headers, "sec-fetch-dest", &["empty"])
}

fn preflight(headers: &HeaderMap) -> Result<Entry, Refusal> {
    script_metadata(headers)?;
    if one(headers, "access-control-request-method") != Some("POST") {
        return Err(Refusal::Method);
    }
    let wanted = one(headers, "access-control-request-headers").unwrap_or_default();
    let known = wanted
        .split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .all(|name| name.eq_ignore_ascii_case("content-type") || name.eq_ignore_ascii_case("authorization"));
    if !known {
        return Err(Refusal::Form);
    }
    let asks = |name| one(headers, name) == Some("true");
    Ok(Entry::Preflight {
        private_network: asks("access-control-request-private-network"),
        local_network: asks("access-control-request-local-network"),
    })
}

fn post_only(method: &Method) -> Result<(), Refusal> {
    if method == Method::POST {
        Ok(())
    } else {
        Err(Refusal::Method)
    }
}

/// A form cannot send JSON, and a script of another site can only after a preflight.
fn json_only(headers: &HeaderMap) -> Result<(), Refusal> {
    let given = one(headers, header::CONTENT_TYPE.as_str()).unwrap_or_default();
    let kind = given.to_ascii_lowercase();
    let kind = kind.strip_suffix("charset=utf-8").map_or(kind.as_str(), |kind| {
        kind.trim_end().strip_suffix(';').unwrap_or(kind)
    });
    if kind.trim_end() == JSON {
        Ok(())
    } else {
        Err(Refusal::MediaType)
    }
}

/// Old browsers send no fetch metadata; what is sent must fit.
fn metadata(headers: &HeaderMap, name: &'static str, allowed: &[&str]) -> Result<(), Refusal> {
    if !headers.contains_key(name) {
        return Ok(());
    }
    match one(headers, name) {
        Some(value) if allowed.contains(&value) => Ok(()),
        _ => Err(Refusal::Metadata),
    }
}

/// A header that is there once.
pub fn one<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?;
    match values.next() {
        None => value.to_str().ok(),
        Some(_) => None,
    }
}
