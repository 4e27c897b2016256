//! One errand: an escrowed key, enveloped to a new token, because two officers agreed.
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tracing::{info, warn};
use yinxin_ca::{CaError, DataKeySealer, IssuedPair, Record as CaRecord};
use yinxin_order::Actor;
use yinxin_order::identifiers::RecoveryId;
use yinxin_order::recovery::{Delivery, Recovery, RecoveryCommand, RecoveryState};
use yinxin_pki::{Certificate, Csr, EnvelopedKey, Zeroizing};
use yinxin_store::StoreError;
use yinxin_store::recoveries::{RecoveryError, advance_recovery};
use yinxin_store::vault::rng;

use crate::App;
use crate::escrow::Escrowed;
use crate::issuing::IssueError;
use crate::records::Record;

/// Recovers a key, unless that was done, or is not wanted any more.
pub(crate) async fn recover(app: &App, id: &RecoveryId) -> Result<(), IssueError> {
    let platform = &app.platform;
    let now = platform.now();
    let recovery = platform.recoveries.recovery(id).await?;
    // The queue repeats itself, and somebody may have said no meanwhile. Nobody else is asked to open escrow: that
    // two officers agreed is looked at here again.
    if recovery.state_at(now) != RecoveryState::Approved || !recovery.has_two_officers() {
        info!(recovery.id = %id, "recovery {id} does not wait for its key");
        return Ok(());
    }
    let command = RecoveryCommand::Deliver(delivery(app, &recovery).await?);
    let by = Actor::platform("issue");
    // Two runs make two envelopes of one key; the first that is stored counts.
    match advance_recovery(platform.recoveries.as_ref(), recovery, &command, &by, now).await {
        Ok(recovery) => {
            let serial = &recovery.key.serial;
            info!(recovery.id = %id, serial, "recovery {id}: the key of certificate {serial} was enveloped anew");
            Ok(())
        }
        Err(RecoveryError::Refused(refusal)) => {
            info!(recovery.id = %id, "recovery {id} went on meanwhile: {refusal}");
            Ok(())
        }
        Err(RecoveryError::Store(error)) => Err(error.into()),
    }
}

async fn delivery(app: &App, recovery: &Recovery) -> Result<Delivery, IssueError> {
    let key = &recovery.key;
    let authority = app.authority(&recovery.vendor).await?;
    let recorded = app.platform.issuances.find(&key.request).await?;
    let recorded = recorded.ok_or(StoreError::NotFound)?;
    let issued = recorded.issued.ok_or(StoreError::NotFound)?;
    let record: CaRecord = Record::Prepared.open(&authority.key, &key.request, &recorded.prepared)?;
    let recorded = Escrowed::read(&record).ok_or(IssueError::Ca(CaError::Record))?;
    let pair: IssuedPair = Record::Issued.open(&authority.key, &key.request, &issued)?;
    let certificate = Certificate::from_der(&pair.encryption).map_err(|_| IssueError::Answer)?;
    let names = (recorded.vendor(), certificate.serial_hex());
    if names != (recovery.vendor.as_str(), key.serial.clone()) {
        warn!(recovery.id = %recovery.id, "the record is not the one that recovery {} is about", recovery.id);
        return Err(IssueError::Ca(CaError::Record));
    }
    // The proof of possession is checked again here: the escrow relies on no other function for it.
    let csr = recovery
        .private
        .as_ref()
        .and_then(|private| Csr::from_pem(&private.csr.pem).ok());
    let csr = csr.ok_or(IssueError::Ca(CaError::Request(yinxin_ca::RequestError::Key)))?;
    let sealer = DataKeySealer::new(Zeroizing::new(*authority.key.plain()));
    let escrowed = recorded.key(&sealer).map_err(IssueError::Ca)?;
    if Some(escrowed.public_key()) != certificate.public_key() {
        return Err(IssueError::Ca(CaError::Record));
    }
    let enveloped = EnvelopedKey::seal(&escrowed, csr.public_key(), &mut rng());
    Ok(Delivery {
        enveloped_key: STANDARD.encode(enveloped.as_der()),
        encryption_certificate: certificate.to_pem(),
    })
}
