//! Reading the standard extensions that judge a path (RFC 5280, 4.2). Each reader gives `Ok(None)` where the extension is
//! absent and an error where it is there and cannot be read: an unreadable restriction is not "no restriction".

use const_oid::ObjectIdentifier;

use crate::certificate::TbsCertificate;
use crate::crl::ReasonFlags;
use crate::der::{self, DerError, Reader, Tlv, tag};
use crate::name::Name;
use crate::oid;

/// `GeneralName`. Forms that nothing here compares keep their tag and bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GeneralName {
    /// `rfc822Name [1]`.
    Rfc822(String),
    /// `dNSName [2]`.
    Dns(String),
    /// `directoryName [4]`.
    Directory(Name),
    /// `uniformResourceIdentifier [6]`.
    Uri(String),
    /// `iPAddress [7]`: 4 or 16 octets; with a mask behind it in name constraints.
    Ip(Vec<u8>),
    /// Another form: tag and content.
    Other(u8, Vec<u8>),
}

impl GeneralName {
    /// Reads one name.
    pub fn from_der(element: Tlv<'_>) -> Result<Self, DerError> {
        Ok(match element.tag {
            0x81 => Self::Rfc822(ia5(element.value)?),
            0x82 => Self::Dns(ia5(element.value)?),
            0xa4 => Self::Directory(Name::from_der(element.value)?),
            0x86 => Self::Uri(ia5(element.value)?),
            0x87 => Self::Ip(element.value.to_vec()),
            tag if tag & 0xc0 == 0x80 => Self::Other(tag, element.value.to_vec()),
            _ => return Err(DerError::Value),
        })
    }

    /// Reads `GeneralNames` from the content of its SEQUENCE.
    pub fn list(mut names: Reader<'_>) -> Result<Vec<Self>, DerError> {
        let mut list = Vec::new();
        while !names.is_empty() {
            list.push(Self::from_der(names.any()?)?);
        }
        Ok(list)
    }

    /// Whether both are the same name: directory names by RFC 5280, 7.1, all others by their text.
    pub fn matches(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Directory(one), Self::Directory(two)) => one.matches(two),
            (one, two) => one == two,
        }
    }
}

/// An `IA5String`; CAs put UTF-8 there, and so it is read.
fn ia5(bytes: &[u8]) -> Result<String, DerError> {
    String::from_utf8(bytes.to_vec()).map_err(|_| DerError::Value)
}

/// `DistributionPointName`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PointName {
    /// `fullName [0]`.
    Full(Vec<GeneralName>),
    /// `nameRelativeToCRLIssuer [1]`: the content of the SET of an RDN.
    Relative(Vec<u8>),
}

impl PointName {
    /// Reads the CHOICE (the content of its explicit tag).
    pub fn from_der(bytes: &[u8]) -> Result<Self, DerError> {
        let choice = Tlv::whole(bytes)?;
        match choice.tag {
            0xa0 => GeneralName::list(choice.reader()).map(Self::Full),
            0xa1 => Ok(Self::Relative(choice.value.to_vec())),
            _ => Err(DerError::Value),
        }
    }

    /// All names it stands for; a relative one is completed with the CRL issuer's.
    pub fn names(&self, issuer: &Name) -> Vec<GeneralName> {
        match self {
            Self::Full(names) => names.clone(),
            Self::Relative(rdn) => {
                let complete = Tlv::whole_of(tag::SEQUENCE, issuer.as_der())
                    .map(|base| [base.value, &der::tlv(tag::SET, rdn)].concat())
                    .and_then(|rdns| Name::from_der(&der::tlv(tag::SEQUENCE, &rdns)));
                complete.map(GeneralName::Directory).into_iter().collect()
            }
        }
    }
}

/// One entry of cRLDistributionPoints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DistributionPoint {
    /// Where the list is.
    pub name: Option<PointName>,
    /// The reasons it covers; `None` is all.
    pub reasons: Option<ReasonFlags>,
    /// Who signs it, if not the certificate's issuer.
    pub crl_issuer: Vec<GeneralName>,
}

/// cRLDistributionPoints (RFC 5280, 4.2.1.13).
pub fn crl_distribution_points(tbs: &TbsCertificate) -> Result<Option<Vec<DistributionPoint>>, DerError> {
    sequence_of(tbs, oid::CRL_DISTRIBUTION_POINTS, |element| {
        let mut fields = expect(element, tag::SEQUENCE)?.reader();
        let name = fields.optional(0xa0)?.map(|name| PointName::from_der(name.value));
        let reasons = fields.optional(0x81)?;
        let issuer = fields.optional(0xa2)?;
        fields.finish()?;
        Ok(DistributionPoint {
            name: name.transpose()?,
            reasons: reasons.map(|bits| ReasonFlags::from_bit_string(bits.value)),
            crl_issuer: issuer.map_or(Ok(Vec::new()), |names| GeneralName::list(names.reader()))?,
        })
    })
}

/// The identifiers of certificatePolicies (RFC 5280, 4.2.1.4); qualifiers are not looked into.
pub fn certificate_policies(tbs: &TbsCertificate) -> Result<Option<Vec<ObjectIdentifier>>, DerError> {
    sequence_of(tbs, oid::CERTIFICATE_POLICIES, |element| {
        let mut fields = expect(element, tag::SEQUENCE)?.reader();
        let policy = der::object_identifier(fields.any()?)?;
        fields.optional(tag::SEQUENCE)?;
        fields.finish()?;
        Ok(policy)
    })
}

/// policyMappings (RFC 5280, 4.2.1.5): pairs of the issuer's and the subject's policy.
pub fn policy_mappings(
    tbs: &TbsCertificate,
) -> Result<Option<Vec<(ObjectIdentifier, ObjectIdentifier)>>, DerError> {
    sequence_of(tbs, oid::POLICY_MAPPINGS, |element| {
        let mut fields = expect(element, tag::SEQUENCE)?.reader();
        let pair = (
            der::object_identifier(fields.any()?)?,
            der::object_identifier(fields.any()?)?,
        );
        fields.finish()?;
        Ok(pair)
    })
}

/// policyConstraints (RFC 5280, 4.2.1.11).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PolicyConstraints {
    /// After how many certificates a policy is required.
    pub require_explicit_policy: Option<usize>,
    /// After how many certificates mappings no longer count.
    pub inhibit_policy_mapping: Option<usize>,
}

/// policyConstraints, if there.
pub fn policy_constraints(tbs: &TbsCertificate) -> Result<Option<PolicyConstraints>, DerError> {
    let Some(extension) = tbs.extension(oid::POLICY_CONSTRAINTS) else {
        return Ok(None);
    };
    let mut fields = Tlv::whole_of(tag::SEQUENCE, &extension.value)?.reader();
    let mut skip = |context| fields.optional(context)?.map(skip_certificates).transpose();
    let constraints = PolicyConstraints {
        require_explicit_policy: skip(0x80)?,
        inhibit_policy_mapping: skip(0x81)?,
    };
    fields.finish()?;
    Ok(Some(constraints))
}

/// inhibitAnyPolicy (RFC 5280, 4.2.1.14): after how many certificates anyPolicy no longer counts.
pub fn inhibit_any_policy(tbs: &TbsCertificate) -> Result<Option<usize>, DerError> {
    let extension = tbs.extension(oid::INHIBIT_ANY_POLICY);
    extension
        .map(|extension| Tlv::whole_of(tag::INTEGER, &extension.value).and_then(skip_certificates))
        .transpose()
}

/// `SkipCerts ::= INTEGER (0..MAX)`; more than fits is as good as never.
fn skip_certificates(number: Tlv<'_>) -> Result<usize, DerError> {
    let magnitude = der::unsigned(Tlv {
        tag: tag::INTEGER,
        ..number
    })?;
    Ok(if magnitude.len() > 2 {
        usize::from(u16::MAX)
    } else {
        magnitude
            .iter()
            .fold(0, |sum, octet| (sum << 8) | usize::from(*octet))
    })
}

/// nameConstraints (RFC 5280, 4.2.1.10).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NameConstraints {
    /// Names must lie in one of those of their form.
    pub permitted: Vec<GeneralName>,
    /// Names must lie in none of these.
    pub excluded: Vec<GeneralName>,
}

/// nameConstraints, if there. Subtrees with a minimum or a maximum are an error: RFC 5280 has no use for them.
pub fn name_constraints(tbs: &TbsCertificate) -> Result<Option<NameConstraints>, DerError> {
    let Some(extension) = tbs.extension(oid::NAME_CONSTRAINTS) else {
        return Ok(None);
    };
    let mut fields = Tlv::whole_of(tag::SEQUENCE, &extension.value)?.reader();
    let mut subtrees = |context| -> Result<Vec<GeneralName>, DerError> {
        let mut list = Vec::new();
        if let Some(trees) = fields.optional(context)? {
            let mut trees = trees.reader();
            while !trees.is_empty() {
                let mut tree = trees.expect(tag::SEQUENCE)?.reader();
                list.push(GeneralName::from_der(tree.any()?)?);
                if let Some(minimum) = tree.optional(0x80)?
                    && minimum.value != [0]
                {
                    return Err(DerError::Value);
                }
                tree.finish()?;
            }
        }
        Ok(list)
    };
    let constraints = NameConstraints {
        permitted: subtrees(0xa0)?,
        excluded: subtrees(0xa1)?,
    };
    fields.finish()?;
    Ok(Some(constraints))
}

/// subjectAltName (RFC 5280, 4.2.1.6).
pub fn subject_alt_names(tbs: &TbsCertificate) -> Result<Option<Vec<GeneralName>>, DerError> {
    sequence_of(tbs, oid::SUBJECT_ALT_NAME, GeneralName::from_der)
}

/// extKeyUsage (RFC 5280, 4.2.1.12).
pub fn extended_key_usage(tbs: &TbsCertificate) -> Result<Option<Vec<ObjectIdentifier>>, DerError> {
    sequence_of(tbs, oid::EXTENDED_KEY_USAGE, der::object_identifier)
}

/// authorityInfoAccess (RFC 5280, 4.2.2.1): method and place.
pub fn authority_info_access(
    tbs: &TbsCertificate,
) -> Result<Option<Vec<(ObjectIdentifier, GeneralName)>>, DerError> {
    sequence_of(tbs, oid::AUTHORITY_INFO_ACCESS, |element| {
        let mut fields = expect(element, tag::SEQUENCE)?.reader();
        let method = der::object_identifier(fields.any()?)?;
        let place = GeneralName::from_der(fields.any()?)?;
        fields.finish()?;
        Ok((method, place))
    })
}

fn expect(element: Tlv<'_>, tag: u8) -> Result<Tlv<'_>, DerError> {
    if element.tag == tag {
        Ok(element)
    } else {
        Err(DerError::Tag {
            expected: tag,
            found: element.tag,
        })
    }
}

/// All elements of an extension that is a SEQUENCE OF something.
fn sequence_of<T>(
    tbs: &TbsCertificate,
    oid: ObjectIdentifier,
    read: impl Fn(Tlv<'_>) -> Result<T, DerError>,
) -> Result<Option<Vec<T>>, DerError> {
    let Some(extension) = tbs.extension(oid) else {
        return Ok(None);
    };
    let mut elements = Tlv::whole_of(tag::SEQUENCE, &extension.value)?.reader();
    let mut list = Vec::new();
    while !elements.is_empty() {
        list.push(read(elements.any()?)?);
    }
    Ok(Some(list))
}
