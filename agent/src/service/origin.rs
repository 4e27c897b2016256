//! Origins of sites, as browsers write them. Compared byte for byte and never taken apart again.
use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// Longest origin: a host name has at most 253 characters.
const LIMIT_BYTES: usize = 280;
/// Hosts of this computer, from which a site under development may come without TLS.
const LOOPBACK: [&str; 2] = ["127.0.0.1", "localhost"];

/// An origin that may ask to be approved: `https://host[:port]`, or `http://` on this computer.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Origin(String);

/// A text that is no such origin: `null`, plain http, a path behind it, another spelling.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the origin of an https:// site")]
pub struct NoOrigin;

impl Origin {
    /// As the browser wrote it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is a page that this agent serves on this port, under either name.
    pub fn is_own(&self, port: u16) -> bool {
        LOOPBACK.iter().any(|host| {
            self.0 == format!("http://{host}:{port}") || self.0 == format!("https://{host}:{port}")
        })
    }
}

impl FromStr for Origin {
    type Err = NoOrigin;

    fn from_str(text: &str) -> Result<Self, NoOrigin> {
        let (authority, default_port) = match text.split_once("://") {
            Some(("https", authority)) => (authority, "443"),
            Some(("http", authority)) => (authority, "80"),
            _ => return Err(NoOrigin),
        };
        let (host, port) = match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        };
        let host_fits = !host.is_empty()
            && !host.starts_with(['.', '-'])
            && !host.ends_with(['.', '-'])
            && !host.contains("..")
            && host.bytes().all(|byte| {
                byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'-')
            });
        let port_fits = port.is_none_or(|port| {
            let number = port.parse::<u16>().unwrap_or(0);
            // In no other spelling, and never the one that browsers leave out.
            number != 0 && number.to_string() == port && port != default_port
        });
        let secure = default_port == "443" || LOOPBACK.contains(&host);
        if text.len() <= LIMIT_BYTES && host_fits && port_fits && secure {
            Ok(Self(text.to_owned()))
        } else {
            Err(NoOrigin)
        }
    }
}

impl TryFrom<String> for Origin {
    type Error = NoOrigin;

    fn try_from(text: String) -> Result<Self, NoOrigin> {
        text.parse()
    }
}

impl From<Origin> for String {
    fn from(origin: Origin) -> Self {
        origin.0
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_those_that_browsers_write() {
        for accepted in [
            "https://site.example",
            "https://site.example:8443",
            "https://xn--fiqs8s.example",
            "http://localhost:3000",
            "http://127.0.0.1:8080",
        ] {
            assert!(accepted.parse::<Origin>().is_ok(), "{accepted}");
        }
        for refused in [
            "",
            "null",
            "*",
            "http://site.example",
            "http://127.0.0.1.site.example",
            "http://localhost.site.example:3000",
            "https://",
            "https://Site.example",
            "https://site.example/",
            "https://site.example:443",
            "http://localhost:80",
            "https://site.example:0443",
            "https://site.example:70000",
            "https://user@site.example",
            "https://site.example.",
            "https://a b",
            "https://中国.example",
            "file://",
            "chrome-extension://abcdef",
            "https://site.example, https://other.example",
        ] {
            assert!(refused.parse::<Origin>().is_err(), "{refused}");
        }
    }

    #[test]
    fn the_agents_own_pages_are_known_under_both_names() {
        let own = |text: &str| text.parse::<Origin>().unwrap().is_own(17816);
        assert!(own("http://127.0.0.1:17816"));
        assert!(own("http://localhost:17816"));
        assert!(!own("http://localhost:17817"));
        assert!(!own("https://site.example:17816"));
    }
}
