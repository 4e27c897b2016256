//! What is in a file: recognised by its content, whatever its name. PEM, DER or bare base64, one object or several.
use std::{fs::File, io::Read as _, path::Path};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use yinxin_pki::{
    Certificate, Crl, EnvelopedKey, OcspRequest, OcspResponse,
    cms::{Cms, CmsError},
    request::CertificationRequest,
};

use super::failure::Failure;

/// Files are read up to this size.
const MAX_BYTES: u64 = 64 * 1024 * 1024;
/// Objects of one file.
const MAX_OBJECTS: usize = 1000;

/// An object.
pub enum Object {
    Certificate(Box<Certificate>),
    Request(Box<CertificationRequest>),
    Crl(Box<Crl>),
    OcspRequest(Box<OcspRequest>),
    OcspResponse(Box<OcspResponse>),
    Cms(Box<Cms>),
    EnvelopedKey(Box<EnvelopedKey>),
}

impl Object {
    /// The stable word for its kind.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Certificate(_) => "certificate",
            Self::Request(_) => "certificate-request",
            Self::Crl(_) => "revocation-list",
            Self::OcspRequest(_) => "ocsp-request",
            Self::OcspResponse(_) => "ocsp-answer",
            Self::Cms(message) => match &**message {
                Cms::Signed(_) => "signed-message",
                Cms::Enveloped(_) => "enveloped-message",
                Cms::SignedAndEnveloped(..) => "signed-and-enveloped-message",
            },
            Self::EnvelopedKey(_) => "enveloped-key",
        }
    }
}

/// An object, or why there is none.
pub type Found = Result<Object, String>;

/// All objects of a file; at least one, or a reason.
pub fn read(path: &Path) -> Result<Vec<Found>, Failure> {
    let unreadable = |error| Failure::Unreadable(path.display().to_string(), error);
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(unreadable)?;
    file.take(MAX_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Ok(vec![Err("the file is too large".to_owned())]);
    }
    Ok(recognise(&bytes))
}

/// All objects in some bytes.
pub fn recognise(bytes: &[u8]) -> Vec<Found> {
    let text = std::str::from_utf8(bytes)
        .ok()
        .map(|text| text.trim_start_matches('\u{feff}'));
    if let Some(text) = text {
        if text.contains("-----BEGIN ") {
            return blocks(text);
        }
        let compact: String = text.split_whitespace().collect();
        if let Ok(der) = STANDARD.decode(&compact)
            && !der.is_empty()
        {
            return vec![object(&der)];
        }
    }
    vec![object(bytes)]
}

/// The blocks of a PEM text; lines may have any length, and text may stand between.
fn blocks(text: &str) -> Vec<Found> {
    let mut found = Vec::new();
    for part in text.split("-----BEGIN ").skip(1).take(MAX_OBJECTS) {
        let block = part
            .split_once("-----")
            .and_then(|(label, rest)| Some((label, rest.split_once("-----END ")?.0)));
        found.push(match block {
            Some((label, _)) if label.ends_with("PRIVATE KEY") => {
                Err("a private key: its content is not shown".to_owned())
            }
            Some((_, body)) => {
                // Headers of old (RFC 1421) end with an empty line.
                let body = body.rsplit_once("\n\n").map_or(body, |(_, body)| body);
                let compact: String = body.split_whitespace().collect();
                match STANDARD.decode(&compact) {
                    Ok(der) => object(&der),
                    Err(_) => Err("the PEM block is not base64".to_owned()),
                }
            }
            None => Err("the PEM block has no end".to_owned()),
        });
    }
    found
}

/// The one object of some DER.
fn object(der: &[u8]) -> Found {
    let certificate = match Certificate::from_der(der) {
        Ok(certificate) => return Ok(Object::Certificate(Box::new(certificate))),
        Err(error) => error,
    };
    if let Ok(request) = CertificationRequest::from_der(der) {
        return Ok(Object::Request(Box::new(request)));
    }
    if let Ok(crl) = Crl::from_der(der) {
        return Ok(Object::Crl(Box::new(crl)));
    }
    if let Ok(answer) = OcspResponse::from_der(der) {
        return Ok(Object::OcspResponse(Box::new(answer)));
    }
    if let Ok(key) = EnvelopedKey::from_der(der) {
        return Ok(Object::EnvelopedKey(Box::new(key)));
    }
    match Cms::from_der(der) {
        Ok(message) => return Ok(Object::Cms(Box::new(message))),
        Err(CmsError::Type) => return Err("a message of a content type that is not read here".to_owned()),
        Err(_) => {}
    }
    if let Ok(request) = OcspRequest::from_der(der) {
        return Ok(Object::OcspRequest(Box::new(request)));
    }
    // A certificate that cannot be read is the likeliest; its reason says more than that nothing was recognised.
    if looks_like_certificate(der) {
        return Err(Failure::chain_of(&certificate));
    }
    Err("the content is not recognised".to_owned())
}

/// Whether the DER begins like a certificate: SEQUENCE { SEQUENCE { [0] version.
fn looks_like_certificate(der: &[u8]) -> bool {
    use yinxin_pki::der::{Reader, tag};
    let first = |bytes| {
        let mut reader = Reader::new(bytes);
        reader.expect(tag::SEQUENCE).ok().map(|element| element.value)
    };
    first(der)
        .and_then(first)
        .is_some_and(|fields| fields.first() == Some(&0xa0))
}
