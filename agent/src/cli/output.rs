//! A command's result, as text and as JSON.
use serde_json::{Value, json};
use time::OffsetDateTime;
use yinxin_pki::{Certificate, Name, oid};

use crate::{
    operations::holder::{certificate_fields, days_left},
    pages::china_day,
    personalise::Outcome,
    token::{
        Token, TokenError, Usage,
        containers::{readable, selected_first},
    },
};

/// A command's result.
pub struct Output {
    /// Lines for a person.
    pub text: String,
    /// One object for a program.
    pub json: Value,
}

/// One line, and what a list shows of a token.
pub fn brief(token: &dyn Token) -> Result<Output, TokenError> {
    let identity = token.identity();
    let personalised = token.certificate(Usage::Signing)?.is_some();
    let tries = token.tries_left()?;
    let text = format!(
        "{}  {}  {}\n",
        identity.serial,
        if personalised {
            "with certificates"
        } else {
            "blank            "
        },
        identity.label,
    );
    let json = json!({
        "serial": identity.serial,
        "label": identity.label,
        "personalised": personalised,
        "user_pin_tries_left": tries.user.left,
        "admin_pin_tries_left": tries.admin.left,
    });
    Ok(Output { text, json })
}

/// Everything about a token that is no secret.
pub fn whole(token: &mut dyn Token, now: OffsetDateTime) -> Result<Output, TokenError> {
    let Output { mut json, .. } = brief(token)?;
    let (identity, tries) = (token.identity(), token.tries_left()?);
    let mut text = format!(
        "Token       {}\nSerial      {}\nUser PIN    {} of {} tries left\n\
         Admin PIN   {} of {} tries left\n",
        identity.label, identity.serial, tries.user.left, tries.user.most, tries.admin.left, tries.admin.most,
    );
    text.push_str(&pairs(token, &mut json, now, |usage| token.certificate(usage))?);
    let mut others = Vec::new();
    for container in selected_first(token)?.into_iter().skip(1) {
        token.select(&container)?;
        text.extend(["\nanother container: ", &container, "\n"]);
        let mut other = json!({ "container": container });
        text.push_str(&pairs(token, &mut other, now, |usage| readable(token, usage))?);
        others.push(other);
    }
    json["other_containers"] = others.into();
    let chain = token.record(crate::personalise::journal::CHAIN_RECORD)?;
    json["chain"] = chain.map_or(Value::Null, |pem| {
        String::from_utf8_lossy(&pem).into_owned().into()
    });
    Ok(Output { text, json })
}

/// Both key pairs of the selected container.
fn pairs(
    token: &dyn Token,
    json: &mut Value,
    now: OffsetDateTime,
    certificate: impl Fn(Usage) -> Result<Option<Certificate>, TokenError>,
) -> Result<String, TokenError> {
    let mut text = String::new();
    for usage in [Usage::Signing, Usage::Encryption] {
        let key = if token.public_key(usage)?.is_some() {
            "present"
        } else {
            "none"
        };
        text.extend(["\n", &usage.to_string(), " key: ", key, "\n"]);
        json[format!("{usage}_key")] = (key == "present").into();
        let certificate = certificate(usage)?;
        if let Some(certificate) = &certificate {
            text.push_str(&certificate_text(certificate, now));
        }
        json[format!("{usage}_certificate")] =
            certificate.map_or(Value::Null, |certificate| certificate_json(&certificate, now));
    }
    Ok(text)
}

/// What has been written to a token for an order.
pub fn outcome(outcome: &Outcome) -> Output {
    let fingerprints = &outcome.fingerprints;
    Output {
        text: format!(
            "Token {} is personalised for order {}. Its user password is sent to the holder.\n\
             Signing certificate     SM3 {}\nEncryption certificate  SM3 {}\n",
            outcome.token_serial,
            outcome.order_number,
            fingerprints.signing_certificate_sm3,
            fingerprints.encryption_certificate_sm3
        ),
        json: outcome.to_json(),
    }
}

fn certificate_text(certificate: &Certificate, now: OffsetDateTime) -> String {
    let left = match days_left(certificate, now) {
        days if days < 0 => "expired".to_owned(),
        days => format!("{days} days left"),
    };
    format!(
        "  subject   {}\n  issuer    {}\n  serial    {}\n  valid     {} to {} (China time), {left}\n",
        name(certificate.subject()),
        name(certificate.issuer()),
        certificate.serial_hex(),
        china_day(certificate.not_before()),
        china_day(certificate.not_after()),
    )
}

fn certificate_json(certificate: &Certificate, now: OffsetDateTime) -> Value {
    let mut json = certificate_fields(certificate, now);
    json["subject"] = name(certificate.subject()).into();
    json["issuer"] = name(certificate.issuer()).into();
    json
}

/// A name as RFC 4514 writes it, in the certificate's order.
pub(super) fn name(name: &Name) -> String {
    let attribute = |attribute: &yinxin_pki::Attribute| {
        let kind = match attribute.oid {
            oid::COUNTRY => "C".to_owned(),
            oid::STATE => "ST".to_owned(),
            oid::LOCALITY => "L".to_owned(),
            oid::ORGANIZATION => "O".to_owned(),
            oid::ORGANIZATIONAL_UNIT => "OU".to_owned(),
            oid::COMMON_NAME => "CN".to_owned(),
            other => other.to_string(),
        };
        format!("{kind}={}", escaped(&attribute.value))
    };
    name.attributes()
        .iter()
        .map(attribute)
        .collect::<Vec<_>>()
        .join(", ")
}

/// RFC 4514, 2.4; control characters could rewrite lines of the terminal.
pub(super) fn escaped(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    for character in value.chars().filter(|character| !character.is_control()) {
        if matches!(character, ',' | '+' | '"' | '\\' | '<' | '>' | ';' | '=') {
            text.push('\\');
        }
        text.push(character);
    }
    text
}
