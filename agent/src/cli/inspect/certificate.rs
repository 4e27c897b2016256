//! Fields of certificates and requests.
use yinxin_pki::{
    Certificate, Name, SubjectKey,
    certificate::{Extension, KeyUsage},
    der::{self, Tlv},
    extensions::{self, GeneralName, PointName},
    ocsp::OcspHash,
    oid::{self, ObjectIdentifier},
    request::CertificationRequest,
};

use super::{
    hex,
    shown::{Field, Shown},
};
use crate::cli::output::{escaped, name};

/// Extensions with a field of their own, or with nothing that would tell a person anything.
const SHOWN: [ObjectIdentifier; 14] = [
    oid::AUTHORITY_KEY_IDENTIFIER,
    oid::SUBJECT_KEY_IDENTIFIER,
    oid::KEY_USAGE,
    oid::EXTENDED_KEY_USAGE,
    oid::BASIC_CONSTRAINTS,
    oid::SUBJECT_ALT_NAME,
    oid::CERTIFICATE_POLICIES,
    oid::CRL_DISTRIBUTION_POINTS,
    oid::AUTHORITY_INFO_ACCESS,
    oid::IDENTIFY_CODE,
    oid::INSURANCE_NUMBER,
    oid::BUSINESS_REGISTRATION_NUMBER,
    oid::ORGANIZATION_CODE,
    oid::TAX_NUMBER,
];

/// Everything about a certificate.
pub fn fields(certificate: &Certificate) -> Vec<Field> {
    let tbs = certificate.tbs();
    let mut fields = vec![
        ("subject", Shown::text(name(certificate.subject()))),
        ("issuer", Shown::text(name(certificate.issuer()))),
        ("serial", Shown::text(certificate.serial_hex())),
        ("not_before", Shown::Time(certificate.not_before())),
        ("not_after", Shown::Time(certificate.not_after())),
        ("key", key(certificate.key())),
        (
            "signature_algorithm",
            Shown::text(certificate.signature_algorithm().to_string()),
        ),
        ("ca", Shown::Flag(certificate.is_ca())),
    ];
    if let Some(limit) = tbs.path_length() {
        fields.push(("path_length", Shown::Number(usize::from(limit))));
    }
    if let Some(usage) = certificate.key_usage() {
        fields.push(("key_usage", Shown::texts(usages(usage))));
    }
    fields.extend(list(
        "extended_key_usage",
        extensions::extended_key_usage(tbs),
        |usage| extended_usage(*usage),
    ));
    fields.extend(list(
        "alternative_names",
        extensions::subject_alt_names(tbs),
        general,
    ));
    fields.extend(list(
        "policies",
        extensions::certificate_policies(tbs),
        ToString::to_string,
    ));
    if let Ok(Some(points)) = extensions::crl_distribution_points(tbs) {
        let places = points.iter().flat_map(|point| match &point.name {
            Some(PointName::Full(names)) => names.iter().map(general).collect(),
            Some(PointName::Relative(_)) => vec!["relative to the issuer".to_owned()],
            None => point.crl_issuer.iter().map(general).collect(),
        });
        fields.push(("revocation_lists", Shown::texts(places)));
    }
    if let Ok(Some(places)) = extensions::authority_info_access(tbs) {
        for (method, field) in [
            (oid::AD_OCSP, "ocsp_responders"),
            (oid::AD_CA_ISSUERS, "issuer_certificates"),
        ] {
            let named = places.iter().filter(|place| place.0 == method);
            fields.push((field, Shown::texts(named.map(|place| general(&place.1)))));
        }
    }
    let identifiers = [
        ("subject_key_identifier", certificate.subject_key_identifier()),
        ("authority_key_identifier", tbs.authority_key_identifier()),
    ];
    for (field, identifier) in identifiers {
        fields.extend(identifier.map(|identifier| (field, Shown::text(hex(identifier)))));
    }
    fields.extend(private(certificate));
    let others: Vec<Shown> = tbs
        .extensions()
        .iter()
        .filter(|extension| !SHOWN.contains(&extension.oid))
        .map(other)
        .collect();
    if !others.is_empty() {
        fields.push(("other_extensions", Shown::List(others)));
    }
    fields.push((
        "sm3",
        Shown::text(hex::encode(yinxin_pki::sm3(certificate.as_der()))),
    ));
    let sha256 = OcspHash::Sha256.digest(certificate.as_der());
    fields.push(("sha256", Shown::text(hex::encode(sha256))));
    fields
}

/// Everything about a request.
pub fn request_fields(request: &CertificationRequest) -> Vec<Field> {
    vec![
        ("subject", Shown::text(name(request.subject()))),
        ("key", key(request.key())),
        (
            "signature_algorithm",
            Shown::text(request.signature_algorithm().to_string()),
        ),
    ]
}

fn key(key: &SubjectKey) -> Shown {
    let mut fields = vec![("algorithm", Shown::text(key.to_string()))];
    if let Some(sm2) = key.sm2() {
        fields.push(("point", Shown::text(hex::encode(sm2.to_sec1()))));
    }
    Shown::Fields(fields)
}

/// The private extensions of GM/T 0015-2012, 5.2.4, whichever string type or tagging their CA chose.
fn private(certificate: &Certificate) -> Vec<Field> {
    let kinds = [
        ("identify_code", oid::IDENTIFY_CODE),
        ("insurance_number", oid::INSURANCE_NUMBER),
        ("business_registration", oid::BUSINESS_REGISTRATION_NUMBER),
        ("organization_code", oid::ORGANIZATION_CODE),
        ("taxation_number", oid::TAX_NUMBER),
    ];
    kinds
        .into_iter()
        .filter_map(|(field, oid)| {
            let value = &certificate.extension(oid)?.value;
            Some((
                field,
                Shown::text(escaped(&text(value).unwrap_or_else(|| hex(value)))),
            ))
        })
        .collect()
}

/// A text in DER, in a context tag explicit or implicit, or bare.
fn text(value: &[u8]) -> Option<String> {
    let Ok(element) = Tlv::whole(value) else {
        return String::from_utf8(value.to_vec()).ok();
    };
    match element.tag {
        0xa0..=0xa2 => Tlv::whole(element.value).and_then(der::text).ok(),
        0x80..=0x82 => String::from_utf8(element.value.to_vec()).ok(),
        _ => der::text(element).ok(),
    }
}

fn other(extension: &Extension) -> Shown {
    Shown::fields([
        ("oid", Shown::text(extension.oid.to_string())),
        ("critical", Shown::Flag(extension.critical)),
        ("value", Shown::text(hex(&extension.value))),
    ])
}

fn list<T, E>(
    field: &'static str,
    values: Result<Option<Vec<T>>, E>,
    shown: impl Fn(&T) -> String,
) -> Option<Field> {
    let values = values.ok()??;
    Some((field, Shown::texts(values.iter().map(shown))))
}

/// One name of another certificate, list or place.
pub fn general(general: &GeneralName) -> String {
    match general {
        GeneralName::Rfc822(text) | GeneralName::Dns(text) | GeneralName::Uri(text) => text.clone(),
        GeneralName::Directory(directory) => name(directory),
        GeneralName::Ip(octets) => match (
            <[u8; 4]>::try_from(&octets[..]),
            <[u8; 16]>::try_from(&octets[..]),
        ) {
            (Ok(v4), _) => std::net::Ipv4Addr::from(v4).to_string(),
            (_, Ok(v6)) => std::net::Ipv6Addr::from(v6).to_string(),
            _ => hex(octets),
        },
        GeneralName::Other(_, bytes) => hex(bytes),
    }
}

/// A signer by name and number.
pub fn issuer_and_serial(issuer: Option<&Name>, serial: &[u8]) -> String {
    format!(
        "serial {} of {}",
        hex(serial),
        issuer.map_or_else(|| "an issuer that is no name".to_owned(), name)
    )
}

fn usages(usage: KeyUsage) -> Vec<&'static str> {
    let names = [
        (0x80, "digitalSignature"),
        (0x40, "nonRepudiation"),
        (0x20, "keyEncipherment"),
        (0x10, "dataEncipherment"),
        (0x08, "keyAgreement"),
        (0x04, "keyCertSign"),
        (0x02, "cRLSign"),
        (0x01, "encipherOnly"),
    ];
    names
        .into_iter()
        .filter(|(bit, _)| usage.0 & bit != 0)
        .map(|(_, name)| name)
        .collect()
}

fn extended_usage(usage: ObjectIdentifier) -> String {
    let dotted = usage.to_string();
    match dotted.strip_prefix("1.3.6.1.5.5.7.3.") {
        Some("1") => "serverAuth".to_owned(),
        Some("2") => "clientAuth".to_owned(),
        Some("3") => "codeSigning".to_owned(),
        Some("4") => "emailProtection".to_owned(),
        Some("8") => "timeStamping".to_owned(),
        Some("9") => "OCSPSigning".to_owned(),
        _ => dotted,
    }
}
