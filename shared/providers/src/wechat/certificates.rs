//! WeChat Pay's platform certificates: opened with the `APIv3` key, kept by serial number, fetched again when an unknown one signs.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use serde::Deserialize;
use time::{Duration, OffsetDateTime};
use yinxin_pki::Certificate;

use super::keys::VerifyingKey;
use super::seal::{ApiKey, Sealed};

/// After a list came, no other is fetched for so long, whatever serial numbers strangers make up.
const PAUSE: Duration = Duration::minutes(5);
/// After none came.
const PAUSE_AFTER_FAILURE: Duration = Duration::seconds(30);

/// The keys of the certificates that are known in this process.
#[derive(Default)]
pub(super) struct Certificates {
    keys: RwLock<HashMap<String, PlatformKey>>,
    /// Held while a list is fetched, so that one caller fetches and the others wait for it.
    pub(super) fetched: tokio::sync::Mutex<Option<Fetched>>,
}

/// When a list was last fetched, and whether it came.
pub(super) struct Fetched {
    pub(super) at: OffsetDateTime,
    pub(super) came: bool,
}

impl Fetched {
    /// Whether it is too early for the next.
    pub(super) fn is_fresh(&self, now: OffsetDateTime) -> bool {
        let pause = if self.came { PAUSE } else { PAUSE_AFTER_FAILURE };
        (self.at..self.at + pause).contains(&now)
    }
}

/// A certificate's key and the time it may be used in.
#[derive(Clone)]
pub(super) struct PlatformKey {
    key: VerifyingKey,
    not_before: OffsetDateTime,
    not_after: OffsetDateTime,
}

impl PlatformKey {
    fn is_valid(&self, now: OffsetDateTime) -> bool {
        (self.not_before..=self.not_after).contains(&now)
    }
}

impl Certificates {
    pub(super) fn key(&self, serial: &str, now: OffsetDateTime) -> Option<VerifyingKey> {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        find(&keys, serial, now)
    }

    /// A list holds all certificates that are in use.
    pub(super) fn replace(&self, keys: HashMap<String, PlatformKey>) {
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = keys;
    }
}

pub(super) fn find(
    keys: &HashMap<String, PlatformKey>,
    serial: &str,
    now: OffsetDateTime,
) -> Option<VerifyingKey> {
    keys.get(&plain(serial))
        .filter(|key| key.is_valid(now))
        .map(|key| key.key.clone())
}

/// The answer of `GET /v3/certificates`.
#[derive(Deserialize)]
pub(super) struct List {
    data: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    serial_no: String,
    encrypt_certificate: Sealed,
}

impl List {
    /// The keys of the certificates that open, are what the list says they are, and are valid now.
    ///
    /// Only WeChat Pay and the merchant know the `APIv3` key: what opens with it is WeChat Pay's. Its certification authority is no
    /// public one, so no chain is built.
    pub(super) fn open(&self, api_key: &ApiKey, now: OffsetDateTime) -> HashMap<String, PlatformKey> {
        let keys = self.data.iter().filter_map(|entry| entry.open(api_key));
        keys.filter(|(_, key)| key.is_valid(now)).collect()
    }
}

impl Entry {
    fn open(&self, api_key: &ApiKey) -> Option<(String, PlatformKey)> {
        let pem = api_key.open(&self.encrypt_certificate)?;
        let certificate = Certificate::from_pem(std::str::from_utf8(&pem).ok()?).ok()?;
        let serial = plain(&certificate.serial_hex());
        let key = PlatformKey {
            key: VerifyingKey::from_key(certificate.key().clone())?,
            not_before: certificate.not_before(),
            not_after: certificate.not_after(),
        };
        (serial == plain(&self.serial_no)).then_some((serial, key))
    }
}

/// Serial numbers are numbers: their case and leading zeros depend on who writes them.
fn plain(serial: &str) -> String {
    serial.trim_start_matches('0').to_ascii_uppercase()
}
