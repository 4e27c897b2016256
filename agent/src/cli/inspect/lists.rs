//! Fields of revocation lists and OCSP messages.
use yinxin_pki::{
    Crl, OcspRequest, OcspResponse,
    crl::{Reason, RevokedEntry},
    ocsp::{CertId, CertStatus, ResponderId, SingleResponse},
};

use super::{
    hex,
    shown::{Field, Shown},
};
use crate::cli::output::name;

/// Entries of a list that are shown.
const MAX_ENTRIES: usize = 1000;

pub fn crl_fields(crl: &Crl) -> Vec<Field> {
    let mut fields = vec![
        ("issuer", Shown::text(name(crl.issuer()))),
        ("this_update", Shown::Time(crl.this_update())),
    ];
    fields.extend(crl.next_update().map(|next| ("next_update", Shown::Time(next))));
    fields.push((
        "signature_algorithm",
        Shown::text(crl.signature_algorithm().to_string()),
    ));
    let numbers = [
        ("number", crl.number()),
        ("base_number", crl.base_number()),
        ("authority_key_identifier", crl.authority_key_identifier()),
    ];
    fields.extend(
        numbers
            .into_iter()
            .filter_map(|(field, number)| Some((field, Shown::text(hex(number?))))),
    );
    if let Ok(Some(scope)) = crl.issuing_distribution_point() {
        let limits = [
            ("only_user_certificates", scope.only_user),
            ("only_ca_certificates", scope.only_ca),
            ("only_attribute_certificates", scope.only_attribute),
            ("indirect", scope.indirect),
            ("only_some_reasons", scope.only_some_reasons.is_some()),
        ];
        let limits = limits.into_iter().filter(|(_, limited)| *limited);
        fields.push((
            "scope",
            Shown::texts(limits.map(|(name, _)| name.replace('_', " "))),
        ));
    }
    fields.push(("revoked_count", Shown::Number(crl.entries().len())));
    let entries = crl.entries().iter().take(MAX_ENTRIES).map(entry).collect();
    fields.push(("revoked", Shown::List(entries)));
    fields
}

fn entry(entry: &RevokedEntry) -> Shown {
    let mut fields = vec![
        ("serial", Shown::text(hex(&entry.serial))),
        ("since", Shown::Time(entry.revoked_at)),
    ];
    fields.extend(entry.reason.map(|reason| ("reason", Shown::text(reason.name()))));
    fields.extend(
        entry
            .invalidity_date
            .map(|date| ("invalid_since", Shown::Time(date))),
    );
    let issuer = entry.certificate_issuer.as_deref();
    fields.extend(issuer.map(|issuer| ("certificate_issuer", Shown::text(name(issuer)))));
    Shown::Fields(fields)
}

pub fn request_fields(request: &OcspRequest) -> Vec<Field> {
    let mut fields = vec![(
        "asks_for",
        Shown::List(request.cert_ids().iter().map(cert_id).collect()),
    )];
    fields.extend(request.nonce().map(|nonce| ("nonce", Shown::text(hex(nonce)))));
    fields
}

pub fn answer_fields(answer: &OcspResponse) -> Vec<Field> {
    let mut fields = vec![("status", Shown::text(format!("{:?}", answer.status)))];
    if let Some(basic) = &answer.basic {
        let responder = match basic.responder() {
            ResponderId::ByName(responder) => name(responder),
            ResponderId::ByKey(identifier) => format!("key {}", hex(identifier)),
        };
        fields.push(("responder", Shown::text(responder)));
        fields.push(("produced_at", Shown::Time(basic.produced_at())));
        fields.push((
            "signature_algorithm",
            Shown::text(basic.signature_algorithm().to_string()),
        ));
        fields.extend(basic.nonce().map(|nonce| ("nonce", Shown::text(hex(nonce)))));
        fields.push((
            "answers",
            Shown::List(basic.responses().iter().map(single).collect()),
        ));
        let subjects = basic
            .certificates()
            .iter()
            .map(|certificate| name(certificate.subject()));
        fields.push(("certificates", Shown::texts(subjects)));
    }
    fields
}

fn single(single: &SingleResponse) -> Shown {
    let mut fields = vec![("certificate", cert_id(&single.cert_id))];
    match single.status {
        CertStatus::Good => fields.push(("status", Shown::text("good"))),
        CertStatus::Unknown => fields.push(("status", Shown::text("unknown"))),
        CertStatus::Revoked { at, reason } => {
            fields.push(("status", Shown::text("revoked")));
            fields.push(("since", Shown::Time(at)));
            fields.extend(
                reason
                    .map(Reason::name)
                    .map(|reason| ("reason", Shown::text(reason))),
            );
        }
    }
    fields.push(("this_update", Shown::Time(single.this_update)));
    fields.extend(single.next_update.map(|next| ("next_update", Shown::Time(next))));
    Shown::Fields(fields)
}

fn cert_id(id: &CertId) -> Shown {
    Shown::fields([
        ("serial", Shown::text(hex(id.serial_content()))),
        ("digest", Shown::text(id.hash_algorithm().to_string())),
        ("issuer_name_digest", Shown::text(hex(id.issuer_name_hash()))),
        ("issuer_key_digest", Shown::text(hex(id.issuer_key_hash()))),
    ])
}
