//! One revoked certificate in a list.

use std::sync::Arc;

use time::OffsetDateTime;

use crate::certificate::{Extension, read_extensions};
use crate::der::{self, DerError, Reader, Tlv, tag};
use crate::name::Name;
use crate::oid;

use super::Reason;

/// A revoked certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RevokedEntry {
    /// The serial number as the content octets of its INTEGER, as [`crate::Certificate::serial_content`] gives it.
    pub serial: Vec<u8>,
    /// Since when the certificate is revoked.
    pub revoked_at: OffsetDateTime,
    /// Why; `None` if nothing is said.
    pub reason: Option<Reason>,
    /// Since when the key must not be relied on, if earlier than the revocation.
    pub invalidity_date: Option<OffsetDateTime>,
    /// In an indirect list, the certificate's issuer, taken over from the entries before (RFC 5280, 5.3.3); `None` means the
    /// issuer of the list.
    pub certificate_issuer: Option<Arc<Name>>,
    /// Whether a critical extension is not understood: RFC 5280, 5.3 forbids to use the list for a status then.
    pub unknown_critical: bool,
}

/// All entries of `revokedCertificates`.
pub(super) fn read_all(mut list: Reader<'_>) -> Result<Vec<RevokedEntry>, DerError> {
    let mut entries = Vec::new();
    let mut issuer = None;
    while !list.is_empty() {
        entries.push(read(list.expect(tag::SEQUENCE)?, &mut issuer)?);
    }
    Ok(entries)
}

fn read(element: Tlv<'_>, issuer: &mut Option<Arc<Name>>) -> Result<RevokedEntry, DerError> {
    let mut fields = element.reader();
    let serial = fields.expect(tag::INTEGER)?.value;
    if serial.is_empty() {
        return Err(DerError::Value);
    }
    let revoked_at = der::time(fields.any()?)?;
    let extensions = match fields.optional(tag::SEQUENCE)? {
        Some(list) => read_extensions(list.reader())?,
        None => Vec::new(),
    };
    fields.finish()?;
    let mut entry = RevokedEntry {
        serial: serial.to_vec(),
        revoked_at,
        reason: None,
        invalidity_date: None,
        certificate_issuer: None,
        unknown_critical: false,
    };
    for extension in &extensions {
        match extension.oid {
            // An unknown code reads as no reason: the certificate is revoked all the same.
            oid::REASON_CODE => entry.reason = read_reason(extension)?,
            oid::INVALIDITY_DATE => entry.invalidity_date = Some(der::time(Tlv::whole(&extension.value)?)?),
            oid::CERTIFICATE_ISSUER => match directory_name(extension)? {
                Some(name) => *issuer = Some(Arc::new(name)),
                None => entry.unknown_critical = true,
            },
            _ => entry.unknown_critical |= extension.critical,
        }
    }
    entry.certificate_issuer.clone_from(issuer);
    Ok(entry)
}

fn read_reason(extension: &Extension) -> Result<Option<Reason>, DerError> {
    match Tlv::whole_of(tag::ENUMERATED, &extension.value)?.value {
        [code] => Ok(Reason::from_code(*code)),
        _ => Err(DerError::Value),
    }
}

/// The first directoryName `[4]` of `GeneralNames`.
fn directory_name(extension: &Extension) -> Result<Option<Name>, DerError> {
    let mut names = Tlv::whole_of(tag::SEQUENCE, &extension.value)?.reader();
    while !names.is_empty() {
        let name = names.any()?;
        if name.tag == 0xa4 {
            return Name::from_der(name.value).map(Some);
        }
    }
    Ok(None)
}
