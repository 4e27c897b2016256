//! One errand: prepare, record, sign, record, and the certificates on the order.
use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tracing::{info, warn};
use yinxin_ca::{CaError, CertificateAuthority, IssueRequest, IssuedPair, Prepared, Subject};
use yinxin_lambda::serve::{Batch, BatchError};
use yinxin_order::effect::Effect;
use yinxin_order::issuance::{Certificates, SubmittedCsr};
use yinxin_order::order::{Order, Personal};
use yinxin_order::{Actor, Command, Refusal, State};
use yinxin_pki::profile::Services;
use yinxin_pki::{Certificate, Csr, sm3};
use yinxin_store::orders::Errand;
use yinxin_store::vault::rng;
use yinxin_store::{AdvanceError, StoreError, advance_with};

use crate::App;
use crate::authority::{Authority, AuthorityError};
use crate::records::Record;
use crate::statuses::{Speaker, StatusError};
use crate::{refreshing, revoking};

/// Asks CAs for the certificates of orders.
pub struct Issuing {
    app: App,
}

/// Why an errand was not done.
#[derive(Debug, thiserror::Error)]
enum IssueError {
    /// The store did not do its work; it may next time.
    #[error("the store did not do its work")]
    Store(#[from] StoreError),
    /// The vendor has no CA that opens; somebody has to look at it.
    #[error("the vendor's CA does not open")]
    Authority(#[from] AuthorityError),
    /// The CA did not sign, for reasons of its own; once it is mended, the errand comes through.
    #[error("the CA did not sign")]
    Ca(#[source] CaError),
    /// The CA's answer is no certificate.
    #[error("what the CA issued cannot be read")]
    Answer,
    /// The world was not told of a certificate or a revocation.
    #[error("the status was not published")]
    Status(#[from] StatusError),
    /// Another function's errand.
    #[error("the errand {0} is not for this function")]
    NotMine(&'static str),
}

#[async_trait]
impl Batch for Issuing {
    async fn errand(&self, errand: Errand) -> Result<(), BatchError> {
        match errand.effect {
            Effect::AskCa => Ok(self.ask_ca(&errand).await?),
            Effect::RevokeCertificates => Ok(self.revoke(&errand).await?),
            ref other => Err(IssueError::NotMine(other.name()).into()),
        }
    }

    /// Signs anew what ends before long. The event's time is the run's clock for what is due, and for nothing that is signed.
    async fn schedule(&self, event: &Value) -> Result<(), BatchError> {
        let time = event.get("time").and_then(Value::as_str).unwrap_or_default();
        let now = OffsetDateTime::parse(time, &Rfc3339)?;
        refreshing::refresh(&self.app, now).await
    }
}

impl Issuing {
    /// Issuing with `app`.
    pub fn new(app: App) -> Self {
        Issuing { app }
    }

    async fn ask_ca(&self, errand: &Errand) -> Result<(), IssueError> {
        let order = self.app.platform.orders.load(&errand.order).await?;
        let id = order.id.clone();
        // The queue repeats itself, and an order that went on has what it asked for.
        let waiting = order.personal.as_ref().filter(|_| order.state == State::Issuing);
        let Some((personal, csr)) = waiting.and_then(|personal| Some((personal, personal.csr.as_ref()?)))
        else {
            info!(order.id = %id, "order {id} does not wait for the CA");
            return Ok(());
        };
        let authority = self.app.authority(&order.vendor).await?;
        let command = match self.pair(&authority, &order, personal, csr).await {
            Ok(pair) => Command::RecordCertificates {
                certificates: Box::new(certificates(&pair)?),
            },
            // Nobody but the operator can change what such a request asks for.
            Err(IssueError::Ca(CaError::Request(refusal))) => {
                warn!(order.id = %id, "the CA cannot issue for order {id}: {refusal}");
                Command::ReportIssuanceFailure {
                    reason: refusal.to_string(),
                }
            }
            Err(error) => return Err(error),
        };
        self.record(order, &command).await
    }

    async fn revoke(&self, errand: &Errand) -> Result<(), IssueError> {
        let order = self.app.platform.orders.load(&errand.order).await?;
        match revoking::revoke(&self.app, &order).await? {
            Some(command) => self.record(order, &command).await,
            None => Ok(()),
        }
    }

    /// The pair that the order's request gets: the recorded one, if there is one.
    async fn pair(
        &self,
        authority: &Authority,
        order: &Order,
        personal: &Personal,
        csr: &SubmittedCsr,
    ) -> Result<IssuedPair, IssueError> {
        let issuances = self.app.platform.issuances.as_ref();
        let speaker = Speaker::new(&self.app, &order.vendor, authority);
        // A request with another key is another request: it comes after one that the CA refused.
        let request = format!("{}#{}", order.id, csr.key_sm3);
        let recorded = if let Some(recorded) = issuances.find(&request).await? {
            recorded
        } else {
            let services = speaker.addresses().services(speaker.next_shard().await?);
            let prepared = self.prepare(authority, services, order, personal, csr)?;
            let serials = [
                prepared.signing_serial.clone(),
                prepared.encryption_serial.clone(),
            ];
            let sealed = Record::Prepared.seal(&authority.key, &request, &prepared)?;
            // Another run may have been faster: what is recorded counts, not what was just prepared.
            issuances.record(&request, &sealed, &serials).await?
        };
        let issued = if let Some(issued) = recorded.issued {
            issued
        } else {
            let prepared: Prepared = Record::Prepared.open(&authority.key, &request, &recorded.prepared)?;
            let pair = authority.ca.complete(&prepared).await.map_err(IssueError::Ca)?;
            let sealed = Record::Issued.seal(&authority.key, &request, &pair)?;
            issuances.complete(&request, &sealed).await?
        };
        let pair = Record::Issued.open(&authority.key, &request, &issued)?;
        // Before anybody gets the certificates, their status can be asked for.
        speaker.register(order, &pair).await?;
        Ok(pair)
    }

    fn prepare(
        &self,
        authority: &Authority,
        services: Services,
        order: &Order,
        personal: &Personal,
        csr: &SubmittedCsr,
    ) -> Result<Prepared, IssueError> {
        // The proof of possession is checked again here: the CA relies on no other function for it.
        let csr = Csr::from_pem(&csr.pem)
            .map_err(|_| IssueError::Ca(CaError::Request(yinxin_ca::RequestError::Key)))?;
        let request = IssueRequest {
            request_id: order.id.to_string(),
            vendor: order.vendor.to_string(),
            // From the order, never from the request: the review saw the order.
            subject: Subject::from(&personal.form),
            public_key: csr.public_key().to_spki_der(),
            csr_sm3: sm3(csr.as_der()).to_vec(),
            term_years: order.product.term_years,
        };
        authority
            .ca
            .with_services(services)
            .prepare(&request, self.app.platform.now(), &mut rng())
            .map_err(IssueError::Ca)
    }

    async fn record(&self, order: Order, command: &Command) -> Result<(), IssueError> {
        let id = order.id.clone();
        let platform = &self.app.platform;
        let by = Actor::platform("issue");
        let name = command.name().as_str();
        match advance_with(platform.orders.as_ref(), order, command, &by, platform.now(), &[]).await {
            Ok(order) => {
                info!(order.id = %id, order.version = order.version, "order {id}: {name}");
                Ok(())
            }
            // Another delivery of the same errand was faster.
            Err(AdvanceError::Refused(
                Refusal::AlreadyRecorded | Refusal::NotAllowed { .. } | Refusal::Erased,
            )) => {
                info!(order.id = %id, "order {id} went on meanwhile: {name} is not needed");
                Ok(())
            }
            Err(AdvanceError::Refused(refusal)) => {
                warn!(order.id = %id, "order {id} refused {name}: {refusal}");
                Err(IssueError::Store(StoreError::Conflict))
            }
            Err(AdvanceError::Store(error)) => Err(error.into()),
        }
    }
}

/// The pair as orders keep it and agents fetch it.
fn certificates(pair: &IssuedPair) -> Result<Certificates, IssueError> {
    let pem = |der: &[u8]| {
        Certificate::from_der(der)
            .map(|certificate| certificate.to_pem())
            .map_err(|_| IssueError::Answer)
    };
    Ok(Certificates {
        signing_certificate: pem(&pair.signing)?,
        encryption_certificate: pem(&pair.encryption)?,
        chain: pair.chain.iter().map(|der| pem(der)).collect::<Result<_, _>>()?,
        enveloped_key: STANDARD.encode(&pair.enveloped_key),
        signing_certificate_sm3: hex::encode(sm3(&pair.signing)),
        encryption_certificate_sm3: hex::encode(sm3(&pair.encryption)),
    })
}
