//! Enters issued encryption keys into their holders' history, before orders learn of their certificates.
use yinxin_ca::{IssuedPair, Record as CaRecord};
use yinxin_order::order::{Order, Personal};
use yinxin_pki::Certificate;
use yinxin_store::key_history::KeyEntry;

use crate::App;
use crate::authority::Authority;
use crate::escrow::Escrowed;
use crate::issuing::IssueError;
use crate::records::Record;

/// Who keeps an encryption key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Escrow {
    /// The platform, in the CA's record.
    Platform,
    /// The vendor, who made it and did not hand it over.
    Vendor,
}

/// Who keeps the encryption key that a record of `request` leads to.
pub(crate) fn escrow_of(authority: &Authority, request: &str, prepared: &str) -> Result<Escrow, IssueError> {
    let record: CaRecord = Record::Prepared.open(&authority.key, request, prepared)?;
    Ok(match Escrowed::read(&record) {
        Some(_) => Escrow::Platform,
        None => Escrow::Vendor,
    })
}

/// Enters the encryption key of `pair`, unless it was entered.
pub(crate) async fn enter(
    app: &App,
    order: &Order,
    personal: &Personal,
    request: &str,
    escrow: Escrow,
    pair: &IssuedPair,
) -> Result<(), IssueError> {
    let platform = &app.platform;
    let certificate = Certificate::from_der(&pair.encryption).map_err(|_| IssueError::Answer)?;
    let hashes = platform.vault.hashes().await?;
    let entry = KeyEntry {
        holder: hashes.lookup("holder", personal.form.holder_number()),
        vendor: order.vendor.clone(),
        serial: certificate.serial_hex(),
        order: order.id.clone(),
        request: request.to_owned(),
        is_escrowed: escrow == Escrow::Platform,
        not_before: certificate.not_before(),
        not_after: certificate.not_after(),
        created_at: platform.now(),
    };
    Ok(platform.key_history.enter_key(&entry).await?)
}
