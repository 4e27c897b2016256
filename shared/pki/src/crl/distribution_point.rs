//! `issuingDistributionPoint`: which certificates a list speaks of (RFC 5280, 5.2.5).
//!
//! ```text
//! IssuingDistributionPoint ::= SEQUENCE { distributionPoint [0] DistributionPointName OPTIONAL,
//!     onlyContainsUserCerts [1] BOOLEAN DEFAULT FALSE, onlyContainsCACerts [2] BOOLEAN DEFAULT FALSE,
//!     onlySomeReasons [3] ReasonFlags OPTIONAL, indirectCRL [4] BOOLEAN DEFAULT FALSE,
//!     onlyContainsAttributeCerts [5] BOOLEAN DEFAULT FALSE }
//! DistributionPointName ::= CHOICE { fullName [0] GeneralNames, nameRelativeToCRLIssuer [1] RelativeDistinguishedName }
//! ```

use crate::der::{DerError, Reader, Tlv, tag};

use super::ReasonFlags;

/// The limits of a list.
#[allow(clippy::struct_excessive_bools, reason = "the fields are the standard's")]
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct IssuingDistributionPoint {
    /// The full names of the distribution point: each a whole DER `GeneralName`. Empty if there are none.
    pub full_names: Vec<Vec<u8>>,
    /// Instead of full names: the content of the `RelativeDistinguishedName` to be put behind the issuer's name.
    pub relative_name: Option<Vec<u8>>,
    /// Just certificates of subscribers.
    pub only_user: bool,
    /// Just certificates of CAs.
    pub only_ca: bool,
    /// Just revocations for these reasons.
    pub only_some_reasons: Option<ReasonFlags>,
    /// Certificates of other issuers are in the list too.
    pub indirect: bool,
    /// Just attribute certificates.
    pub only_attribute: bool,
}

impl IssuingDistributionPoint {
    /// Reads the content of the extension.
    pub fn from_der(bytes: &[u8]) -> Result<Self, DerError> {
        let mut fields = Tlv::whole_of(tag::SEQUENCE, bytes)?.reader();
        let mut point = Self::default();
        if let Some(name) = fields.optional(0xa0)? {
            let choice = Tlv::whole(name.value)?;
            match choice.tag {
                0xa0 => {
                    let mut names = choice.reader();
                    while !names.is_empty() {
                        point.full_names.push(names.any()?.raw.to_vec());
                    }
                }
                0xa1 => point.relative_name = Some(choice.value.to_vec()),
                _ => return Err(DerError::Value),
            }
        }
        point.only_user = flag(&mut fields, 0x81)?;
        point.only_ca = flag(&mut fields, 0x82)?;
        point.only_some_reasons = fields
            .optional(0x83)?
            .map(|bits| ReasonFlags::from_bit_string(bits.value));
        point.indirect = flag(&mut fields, 0x84)?;
        point.only_attribute = flag(&mut fields, 0x85)?;
        fields.finish()?;
        Ok(point)
    }
}

fn flag(fields: &mut Reader<'_>, tag: u8) -> Result<bool, DerError> {
    match fields.optional(tag)?.map(|element| element.value) {
        None => Ok(false),
        Some([octet]) => Ok(*octet != 0),
        Some(_) => Err(DerError::Value),
    }
}
