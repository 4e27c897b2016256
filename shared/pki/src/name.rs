//! Distinguished names: written as Chinese CAs write them, compared as raw DER, or by the rules of RFC 5280.

use std::fmt;

use const_oid::ObjectIdentifier;

use crate::der::{self, DerError, Tlv, tag};
use crate::oid;

/// Characters in a country code, and the limits of RFC 5280, appendix A.1, in characters.
const MAX_TEXT: usize = 64;
const MAX_STATE: usize = 128;

/// One attribute of a name.
#[derive(Clone, PartialEq, Eq)]
pub struct Attribute {
    /// Its type, such as [`oid::COMMON_NAME`].
    pub oid: ObjectIdentifier,
    /// Its text.
    pub value: String,
}

impl Attribute {
    /// An attribute of this type and text.
    pub fn new(oid: ObjectIdentifier, value: impl Into<String>) -> Self {
        Self {
            oid,
            value: value.into(),
        }
    }
}

// Names identify people: only the type is printed.
impl fmt::Debug for Attribute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}=..", self.oid)
    }
}

/// Why a name cannot be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// A value is empty or has control characters.
    #[error("a value of the name is empty or has control characters")]
    Value,
    /// A value is longer than X.509 allows.
    #[error("a value of the name has more than {max} characters")]
    TooLong {
        /// The limit in characters.
        max: usize,
    },
    /// The country is not two capital letters.
    #[error("the country of the name is not two capital letters")]
    Country,
}

/// A distinguished name with its DER as written or as it came.
#[derive(Clone, PartialEq, Eq)]
pub struct Name {
    der: Vec<u8>,
    attributes: Vec<Attribute>,
}

impl Name {
    /// Writes a name: one attribute per RDN in the given order, C as `PrintableString`, others `UTF8String`.
    pub fn new(attributes: impl IntoIterator<Item = Attribute>) -> Result<Self, NameError> {
        let attributes: Vec<Attribute> = attributes.into_iter().collect();
        let mut rdns = Vec::new();
        for attribute in &attributes {
            let value = write_value(attribute)?;
            let pair = der::sequence(&[&der::oid(attribute.oid), &value]);
            rdns.extend(der::set(&[&pair]));
        }
        Ok(Self {
            der: der::tlv(tag::SEQUENCE, &rdns),
            attributes,
        })
    }

    /// A unit's name: C=CN, perhaps ST, O and CN the unit's name (GM/T 0015-2012, 5.2.3.6).
    pub fn unit(name: &str, region: Option<&str>) -> Result<Self, NameError> {
        let mut attributes = vec![Attribute::new(oid::COUNTRY, "CN")];
        attributes.extend(region.map(|region| Attribute::new(oid::STATE, region)));
        attributes.push(Attribute::new(oid::ORGANIZATION, name));
        attributes.push(Attribute::new(oid::COMMON_NAME, name));
        Self::new(attributes)
    }

    /// A person's name: C=CN, [O the employer], CN the person's name.
    pub fn person(name: &str, employer: Option<&str>) -> Result<Self, NameError> {
        let mut attributes = vec![Attribute::new(oid::COUNTRY, "CN")];
        attributes.extend(employer.map(|employer| Attribute::new(oid::ORGANIZATION, employer)));
        attributes.push(Attribute::new(oid::COMMON_NAME, name));
        Self::new(attributes)
    }

    /// Reads a name and keeps its bytes. Values of unknown string types read as empty text.
    pub fn from_der(bytes: &[u8]) -> Result<Self, DerError> {
        let mut rdns = Tlv::whole_of(tag::SEQUENCE, bytes)?.reader();
        let mut attributes = Vec::new();
        while !rdns.is_empty() {
            let mut pairs = rdns.expect(tag::SET)?.reader();
            while !pairs.is_empty() {
                let mut pair = pairs.expect(tag::SEQUENCE)?.reader();
                let oid = der::object_identifier(pair.any()?)?;
                let value = der::text(pair.any()?).unwrap_or_default();
                pair.finish()?;
                attributes.push(Attribute { oid, value });
            }
        }
        Ok(Self {
            der: bytes.to_vec(),
            attributes,
        })
    }

    /// The DER as written or as it came. Names are equal when these bytes are.
    pub fn as_der(&self) -> &[u8] {
        &self.der
    }

    /// The name as RFC 5280, 7.1 compares it: two names are the same where these are equal.
    pub fn canonical(&self) -> CanonicalName {
        CanonicalName(canonical_rdns(&self.der).unwrap_or_default())
    }

    /// Whether both name the same by the rules of RFC 5280, 7.1: string types, case and superfluous white space do not
    /// count. (`==` compares the bytes.)
    pub fn matches(&self, other: &Self) -> bool {
        self.der == other.der || self.canonical() == other.canonical()
    }

    /// The attributes in their order.
    pub fn attributes(&self) -> &[Attribute] {
        &self.attributes
    }

    /// The text of the first attribute of a type.
    pub fn attribute(&self, oid: ObjectIdentifier) -> Option<&str> {
        self.attributes
            .iter()
            .find(|attribute| attribute.oid == oid)
            .map(|attribute| attribute.value.as_str())
    }

    /// The common name.
    pub fn common_name(&self) -> Option<&str> {
        self.attribute(oid::COMMON_NAME)
    }

    /// The organisation.
    pub fn organization(&self) -> Option<&str> {
        self.attribute(oid::ORGANIZATION)
    }

    /// Whether no attribute is there.
    pub fn is_empty(&self) -> bool {
        self.attributes.is_empty()
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.attributes).finish()
    }
}

/// A name prepared for comparison: for each RDN its attributes, sorted, the texts in lower case and with single spaces.
/// Unicode is not normalised further.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CanonicalName(Vec<Rdn>);

/// Types and values, sorted.
type Rdn = Vec<(Vec<u8>, Vec<u8>)>;

impl CanonicalName {
    /// Whether this name is `base` or lies below it.
    pub fn is_within(&self, base: &Self) -> bool {
        self.0.starts_with(&base.0)
    }

    /// Whether no RDN is there.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

// As for names: nothing of what is inside is printed.
impl fmt::Debug for CanonicalName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CanonicalName({} RDNs)", self.0.len())
    }
}

fn canonical_rdns(der: &[u8]) -> Result<Vec<Rdn>, DerError> {
    let mut rdns = Tlv::whole_of(tag::SEQUENCE, der)?.reader();
    let mut canonical = Vec::new();
    while !rdns.is_empty() {
        let mut pairs = rdns.expect(tag::SET)?.reader();
        let mut rdn = Vec::new();
        while !pairs.is_empty() {
            let mut pair = pairs.expect(tag::SEQUENCE)?.reader();
            let kind = pair.expect(tag::OBJECT_IDENTIFIER)?.value.to_vec();
            rdn.push((kind, canonical_value(pair.any()?)));
        }
        rdn.sort_unstable();
        canonical.push(rdn);
    }
    Ok(canonical)
}

/// Texts begin with a zero octet, which no DER element does, so that they never equal a value that is not text.
fn canonical_value(value: Tlv<'_>) -> Vec<u8> {
    match der::text(value) {
        Ok(text) => {
            let words: Vec<String> = text.split_whitespace().map(str::to_lowercase).collect();
            [&[0], words.join(" ").as_bytes()].concat()
        }
        Err(_) => value.raw.to_vec(),
    }
}

/// The longest text of an attribute type, in characters.
pub(crate) fn max_characters(oid: ObjectIdentifier) -> usize {
    match oid {
        oid::STATE | oid::LOCALITY => MAX_STATE,
        _ => MAX_TEXT,
    }
}

fn write_value(attribute: &Attribute) -> Result<Vec<u8>, NameError> {
    let value = attribute.value.as_str();
    if value.trim().is_empty() || value.chars().any(char::is_control) {
        return Err(NameError::Value);
    }
    if attribute.oid == oid::COUNTRY {
        let valid = value.len() == 2 && value.bytes().all(|byte| byte.is_ascii_uppercase());
        return der::printable_string(value)
            .filter(|_| valid)
            .ok_or(NameError::Country);
    }
    let max = max_characters(attribute.oid);
    if value.chars().count() > max {
        return Err(NameError::TooLong { max });
    }
    Ok(der::utf8_string(value))
}
