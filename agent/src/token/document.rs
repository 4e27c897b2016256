//! The file `token.json`: what a file token keeps, nothing secret in clear.
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    PIN_TRIES, PinKind, RECORD_LIMIT_BYTES, Usage,
    vault::{Base64, PinSealed},
};

/// The only format there has been.
pub const FORMAT: &str = "yinxin-token/1";
/// Longest file: two key pairs, two certificates and a few records are some ten KiB.
pub const LIMIT_BYTES: u64 = 256 * 1024;
/// Longest label, as in DEVINFO (GM/T 0016-2012, 6.4).
pub const LABEL_LIMIT_BYTES: usize = 32;

/// Everything a file token keeps.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Document {
    pub format: String,
    pub label: String,
    pub serial: String,
    pub user_pin: PinSlot,
    pub admin_pin: PinSlot,
    pub container: Container,
    pub records: BTreeMap<String, Base64>,
}

/// A PIN's counter, and the storage key sealed under the PIN: it opens when the PIN is right.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PinSlot {
    pub tries_left: u8,
    pub storage_key: PinSealed,
}

/// Two key pairs and their certificates, as in an SKF container.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Container {
    pub signing_key: Option<KeyPair>,
    pub encryption_key: Option<KeyPair>,
    /// PEM.
    pub signing_certificate: Option<String>,
    /// PEM.
    pub encryption_certificate: Option<String>,
}

/// A key pair whose private half is sealed under the storage key.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyPair {
    /// 04 ‖ X ‖ Y in hexadecimal.
    pub public_key: String,
    pub private_key: Base64,
}

impl Document {
    /// Reads the file's bytes; the error says what does not fit, without what was in it.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        let document: Self = serde_json::from_slice(bytes)
            // The message of a data error can quote the data.
            .map_err(|error| {
                format!(
                    "not a token's JSON at line {}, column {}",
                    error.line(),
                    error.column()
                )
            })?;
        if document.format != FORMAT {
            return Err(format!("its format is not {FORMAT}"));
        }
        if document.user_pin.tries_left > PIN_TRIES || document.admin_pin.tries_left > PIN_TRIES {
            return Err(format!("a PIN has more than {PIN_TRIES} tries"));
        }
        if document.serial.is_empty() || !document.serial.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err("its serial number is not of letters and digits".to_owned());
        }
        if document.label.len() > LABEL_LIMIT_BYTES {
            return Err(format!("its label is longer than {LABEL_LIMIT_BYTES} bytes"));
        }
        if document
            .records
            .values()
            .any(|record| record.0.len() > RECORD_LIMIT_BYTES)
        {
            return Err(format!("a record is longer than {RECORD_LIMIT_BYTES} bytes"));
        }
        Ok(document)
    }

    /// The file's bytes.
    pub fn to_json(&self) -> serde_json::Result<Vec<u8>> {
        let mut bytes = serde_json::to_vec_pretty(self)?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    pub fn pin(&self, kind: PinKind) -> &PinSlot {
        match kind {
            PinKind::User => &self.user_pin,
            PinKind::Admin => &self.admin_pin,
        }
    }

    pub fn pin_mut(&mut self, kind: PinKind) -> &mut PinSlot {
        match kind {
            PinKind::User => &mut self.user_pin,
            PinKind::Admin => &mut self.admin_pin,
        }
    }

    pub fn key_pair(&self, usage: Usage) -> Option<&KeyPair> {
        match usage {
            Usage::Signing => self.container.signing_key.as_ref(),
            Usage::Encryption => self.container.encryption_key.as_ref(),
        }
    }

    pub fn certificate(&self, usage: Usage) -> Option<&str> {
        match usage {
            Usage::Signing => self.container.signing_certificate.as_deref(),
            Usage::Encryption => self.container.encryption_certificate.as_deref(),
        }
    }

    pub fn certificate_mut(&mut self, usage: Usage) -> &mut Option<String> {
        match usage {
            Usage::Signing => &mut self.container.signing_certificate,
            Usage::Encryption => &mut self.container.encryption_certificate,
        }
    }
}
