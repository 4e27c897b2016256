//! The keys that sign tickets: a secret of the deployment that this function alone may read and `yinxin-admin` writes.
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use time::OffsetDateTime;
use tokio::sync::OnceCell;
use yinxin_lambda::platform::SecretError;
use yinxin_lambda::settings::{SettingsError, required};
use yinxin_lambda::{Platform, Problem, problem::Code};
use yinxin_pki::pem::decode_chain;
use yinxin_pki::{Certificate, SigningKey};
use zeroize::Zeroizing;

/// The value of the secret: `{}` as the stack makes it.
///
/// This type is used in stored state.
#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TicketSecret {
    /// Oldest first; the newest that signs already is used.
    #[serde(default)]
    pub keys: Vec<TicketKey>,
}

/// A key with its certificate.
///
/// This type is used in stored state.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TicketKey {
    /// PEM: its certificate, then the CAs above it, root last.
    pub certificates: String,
    /// PKCS#8, PEM.
    pub private_key: PrivateKey,
    /// From when on it signs: agents have its certificate by then.
    #[serde(with = "time::serde::rfc3339")]
    pub signs_from: OffsetDateTime,
}

/// A private key on its way through; wiped when dropped.
pub struct PrivateKey(pub Zeroizing<String>);

impl Serialize for PrivateKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for PrivateKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| PrivateKey(Zeroizing::new(text)))
    }
}

impl TicketKey {
    /// Its own certificate, if it can be read.
    pub fn certificate(&self) -> Option<Certificate> {
        decode_chain(&self.certificates).ok()?.into_iter().next()
    }

    /// The key, if it is the one of the certificate.
    fn open(&self) -> Option<Opened> {
        let certificate = self.certificate()?;
        let key = SigningKey::from_pkcs8_pem(&self.private_key.0).ok()?;
        (certificate.public_key() == Some(key.public_key())).then(|| Opened {
            key,
            signs_from: self.signs_from,
            ends: certificate.not_after(),
        })
    }
}

struct Opened {
    key: SigningKey,
    signs_from: OffsetDateTime,
    ends: OffsetDateTime,
}

/// Which sites get tickets, and the keys that sign them; fetched with the first ticket.
#[derive(Clone)]
pub struct TicketKeys {
    origins: Arc<[String]>,
    secret_id: String,
    opened: Arc<OnceCell<Vec<Opened>>>,
}

impl TicketKeys {
    /// As the environment names them. Calls nobody yet.
    pub fn from_env(platform: &Platform) -> Result<Self, SettingsError> {
        let named = std::env::var("TICKET_ORIGINS").unwrap_or_default();
        Ok(TicketKeys {
            origins: origins(&named, &platform.settings.public_url),
            secret_id: required("TICKET_SECRET_ID")?,
            opened: Arc::default(),
        })
    }

    /// Those of a secret, for these origins; for tests.
    pub fn of(secret: &TicketSecret, named: &str) -> Option<Self> {
        Some(TicketKeys {
            origins: origins(named, ""),
            secret_id: String::new(),
            opened: Arc::new(OnceCell::new_with(Some(open(secret)?))),
        })
    }

    /// Whether tickets are issued for a site; origins are compared byte for byte, as browsers write them.
    pub(crate) fn serves(&self, origin: &str) -> bool {
        self.origins.iter().any(|known| known == origin)
    }

    /// The key that signs at `now`.
    pub(crate) async fn key(&self, platform: &Platform) -> Result<&SigningKey, Problem> {
        let opened = self.opened.get_or_try_init(|| async {
            let secret: TicketSecret = platform.secret(&self.secret_id).await?;
            let keys = open(&secret).ok_or_else(|| SecretError::Form(self.secret_id.clone()))?;
            // As the stack makes it: a process that saw it empty looks again.
            if keys.is_empty() {
                return Err(Problem::new(Code::TicketsNotOffered));
            }
            Ok(keys)
        });
        let now = platform.now();
        let signs = |key: &&Opened| key.signs_from <= now && now <= key.ends;
        match opened.await?.iter().rev().find(signs) {
            Some(found) => Ok(&found.key),
            None => Err(Problem::new(Code::TicketsNotOffered)),
        }
    }
}

fn open(secret: &TicketSecret) -> Option<Vec<Opened>> {
    secret.keys.iter().map(TicketKey::open).collect()
}

/// The origins in a list with commas; without any, the one of the platform's own address.
fn origins(named: &str, public_url: &str) -> Arc<[String]> {
    let listed: Vec<String> = named
        .split(',')
        .map(str::trim)
        .filter(|origin| !origin.is_empty())
        .map(ToOwned::to_owned)
        .collect();
    if listed.is_empty() {
        origin_of(public_url).into_iter().collect()
    } else {
        listed.into()
    }
}

fn origin_of(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    let host = rest.split('/').next()?;
    Some(format!("{scheme}://{host}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_list_the_platforms_own_origin_is_served() {
        for (named, url, found) in [
            ("", "https://api.example/base", &["https://api.example"][..]),
            (" , ", "http://127.0.0.1:4566", &["http://127.0.0.1:4566"]),
            (
                "https://a.example, https://b.example:8443",
                "https://api.example",
                &["https://a.example", "https://b.example:8443"],
            ),
        ] {
            assert_eq!(&origins(named, url)[..], found, "{named}");
        }
    }
}
