//! What the personalisation API sends and takes.
use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// Longest order number or id.
const REFERENCE_LIMIT_BYTES: usize = 64;

/// An order's number or id: letters, digits, `-` and `_`, so that it stays one segment of a path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Reference(String);

/// A text that cannot be an order's number or id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an order's number or id is made of letters, digits, - and _")]
pub struct NoReference;

/// What is needed to personalise a token for an order.
#[derive(Deserialize)]
pub struct Order {
    /// Its id, which the other calls take.
    pub id: Reference,
    /// Its number, for people.
    pub number: Reference,
    /// The product's name.
    pub product: String,
    /// The subject of the certificate, in the order of the certificate.
    pub subject: Vec<SubjectAttribute>,
}

/// One attribute of a subject.
#[derive(Clone, Serialize, Deserialize)]
pub struct SubjectAttribute {
    /// Short name as in RFC 4514: C, ST, L, O, OU, CN.
    pub r#type: String,
    /// The value as it is to stand in the certificate.
    pub value: String,
}

/// What the CA made for a CSR.
#[derive(Deserialize)]
pub struct Delivery {
    /// PEM.
    pub signing_certificate: String,
    /// PEM.
    pub encryption_certificate: String,
    /// PEM, the issuing CA first, the root last.
    pub chain: Vec<String>,
    /// `SM2EnvelopedKey` (GM/T 0009-2012, 7.4): base64 of its DER.
    pub enveloped_key: String,
}

/// The report of what a token holds now.
#[derive(Serialize)]
pub struct Written<'a> {
    /// The token's serial number.
    pub token_serial: &'a str,
    /// SM3 of the certificate's DER, in hexadecimal.
    pub signing_certificate_sm3: &'a str,
    /// SM3 of the certificate's DER, in hexadecimal.
    pub encryption_certificate_sm3: &'a str,
    /// The user password, on its way to the holder.
    pub password: &'a str,
}

// Subjects name people and units.
impl fmt::Debug for SubjectAttribute {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}=..", self.r#type)
    }
}

impl Reference {
    /// As given.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Reference {
    type Err = NoReference;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fits = (1..=REFERENCE_LIMIT_BYTES).contains(&text.len())
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        if fits {
            Ok(Self(text.to_owned()))
        } else {
            Err(NoReference)
        }
    }
}

impl TryFrom<String> for Reference {
    type Error = NoReference;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Reference> for String {
    fn from(reference: Reference) -> Self {
        reference.0
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_stays_one_segment_of_the_path() {
        assert!("20261123A000017".parse::<Reference>().is_ok());
        assert!("01JDB3-x_y".parse::<Reference>().is_ok());
        for refused in ["", "..", "a/b", "a?b", "a%2Fb", &"9".repeat(65)] {
            assert!(refused.parse::<Reference>().is_err(), "{refused}");
        }
    }
}
