//! Fields of signed and enveloped messages, and of enveloped keys.
use yinxin_pki::{
    EnvelopedKey,
    cms::{Cms, EnvelopedData, SignedData, SignerId, SignerInfo},
};

use super::{
    certificate::{fields as certificate_fields, issuer_and_serial},
    hex,
    shown::{Field, Shown},
};

pub fn fields(message: &Cms) -> Vec<Field> {
    match message {
        Cms::Signed(signed) => signed_fields(signed),
        Cms::Enveloped(envelope) => enveloped_fields(envelope),
        Cms::SignedAndEnveloped(envelope, signed) => {
            let mut fields = enveloped_fields(envelope);
            fields.extend(
                signed_fields(signed)
                    .into_iter()
                    .filter(|field| field.0 != "content_type"),
            );
            fields
        }
    }
}

fn signed_fields(signed: &SignedData) -> Vec<Field> {
    let mut fields = vec![("content_type", Shown::text(signed.content_type.to_string()))];
    match &signed.content {
        Some(content) => fields.push(("content_bytes", Shown::Number(content.len()))),
        None => fields.push(("content", Shown::text("not in the message"))),
    }
    fields.push((
        "signers",
        Shown::List(signed.signers.iter().map(signer).collect()),
    ));
    let certificates = signed.certificates.iter();
    let certificates = certificates.map(|certificate| Shown::Fields(certificate_fields(certificate)));
    fields.push(("certificates", Shown::List(certificates.collect())));
    fields.push(("revocation_lists", Shown::Number(signed.crls.len())));
    fields
}

fn signer(signer: &SignerInfo) -> Shown {
    Shown::fields([
        ("certificate", id(&signer.id)),
        ("digest", Shown::text(signer.digest.to_string())),
        ("signature_algorithm", Shown::text(signer.algorithm.to_string())),
        ("signed_attributes", Shown::Flag(signer.has_attributes())),
    ])
}

fn enveloped_fields(envelope: &EnvelopedData) -> Vec<Field> {
    let recipients = envelope.recipients.iter().map(|recipient| {
        Shown::fields([
            ("certificate", id(&recipient.id)),
            ("key_encryption", Shown::text(recipient.cipher.to_string())),
        ])
    });
    let mut fields = vec![
        ("recipients", Shown::List(recipients.collect())),
        ("content_type", Shown::text(envelope.content_type.to_string())),
        ("content_encryption", Shown::text(envelope.cipher.to_string())),
    ];
    let bytes = envelope.encrypted_bytes;
    fields.extend(bytes.map(|bytes| ("encrypted_bytes", Shown::Number(bytes))));
    fields
}

fn id(id: &SignerId) -> Shown {
    Shown::text(match id {
        SignerId::IssuerAndSerial(issuer, serial) => issuer_and_serial(issuer.as_ref(), serial),
        SignerId::KeyIdentifier(identifier) => format!("key identifier {}", hex(identifier)),
    })
}

pub fn key_fields(key: &EnvelopedKey) -> Vec<Field> {
    vec![
        ("public_key", Shown::text(hex::encode(key.public_key().to_sec1()))),
        (
            "encrypted_session_key_bytes",
            Shown::Number(key.encrypted_session_key().len()),
        ),
        (
            "encrypted_private_key_bytes",
            Shown::Number(key.encrypted_private_key().len()),
        ),
    ]
}
