//! One errand: prepare, record, sign, record, and the certificates on the order.
use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tracing::{info, warn};
use yinxin_ca::{
    Answer, CaError, CertificateAuthority, IssueRequest, IssuedPair, Preparation, Record as CaRecord,
    RequestError, Subject,
};
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
use crate::{history, recovering, refreshing, revoking};

/// Steps that a CA may take for one request in one run; no CA needs more than two before the pair.
const MAX_STEPS: usize = 4;

/// Asks CAs for the certificates of orders.
pub struct Issuing {
    app: App,
}

/// Why an errand was not done.
#[derive(Debug, thiserror::Error)]
pub(crate) enum IssueError {
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
    /// Another run went on with the request at the same time: the next one goes on from what that run recorded.
    #[error("another run went on with the request")]
    Overtaken,
    /// The CA goes on without an end.
    #[error("the CA takes more than {MAX_STEPS} steps")]
    Endless,
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
            Effect::RecoverKey { ref recovery } => Ok(recovering::recover(&self.app, recovery).await?),
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
            Ok(Some(pair)) => Command::RecordCertificates {
                certificates: Box::new(certificates(&pair)?),
            },
            // The order keeps waiting for the CA, and `sweep` asks again, ever more seldom: a vendor that takes its time is no
            // failure, and its requests do not belong among dead letters.
            Ok(None) => return Ok(()),
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

    /// The pair that the order's request gets: the recorded one, if there is one. `None` while the CA has not decided.
    async fn pair(
        &self,
        authority: &Authority,
        order: &Order,
        personal: &Personal,
        csr: &SubmittedCsr,
    ) -> Result<Option<IssuedPair>, IssueError> {
        let issuances = self.app.platform.issuances.as_ref();
        let speaker = Speaker::new(&self.app, &order.vendor, authority);
        // A request with another key is another request: it comes after one that the CA refused.
        let request = format!("{}#{}", order.id, csr.key_sm3);
        let recorded = if let Some(recorded) = issuances.find(&request).await? {
            recorded
        } else {
            // The vendor's own CA names its own addresses.
            let services = match &speaker {
                Some(speaker) => speaker.addresses().services(speaker.next_shard().await?),
                None => Services::default(),
            };
            let prepared = self.prepare(authority, services, order, personal, csr)?;
            let sealed = Record::Prepared.seal(&authority.key, &request, &prepared.record)?;
            // Another run may have been faster: what is recorded counts, not what was just prepared.
            issuances.record(&request, &sealed, &prepared.serials).await?
        };
        let escrow = history::escrow_of(authority, &request, &recorded.prepared)?;
        let issued = if let Some(issued) = recorded.issued {
            issued
        } else {
            let pair = self
                .complete(authority, order, &request, recorded.prepared)
                .await?;
            let Some(pair) = pair else {
                return Ok(None);
            };
            let sealed = Record::Issued.seal(&authority.key, &request, &pair)?;
            issuances.complete(&request, &sealed).await?
        };
        let pair = Record::Issued.open(&authority.key, &request, &issued)?;
        // Before anybody gets the certificates, their status can be asked for.
        if let Some(speaker) = speaker {
            speaker.register(order, &pair).await?;
        }
        history::enter(&self.app, order, personal, &request, escrow, &pair).await?;
        Ok(Some(pair))
    }

    /// Goes on from a record until the CA has issued or wants to be left alone. Whatever it did is recorded before its
    /// next step.
    async fn complete(
        &self,
        authority: &Authority,
        order: &Order,
        request: &str,
        mut recorded: String,
    ) -> Result<Option<IssuedPair>, IssueError> {
        let id = &order.id;
        for _ in 0..MAX_STEPS {
            let record: CaRecord = Record::Prepared.open(&authority.key, request, &recorded)?;
            let now = self.app.platform.now();
            let answer = authority.ca.complete(&record, now, &mut rng()).await;
            match answer.map_err(IssueError::Ca)? {
                Answer::Issued(pair) => return Ok(Some(*pair)),
                Answer::Pending { retry_after } => {
                    let seconds = retry_after.as_secs();
                    info!(order.id = %id, seconds, "the CA has not decided about order {id}");
                    return Ok(None);
                }
                Answer::Progress(next) => {
                    let next = Record::Prepared.seal(&authority.key, request, &next)?;
                    let issuances = self.app.platform.issuances.as_ref();
                    if !issuances.proceed(request, &recorded, &next).await? {
                        return Err(IssueError::Overtaken);
                    }
                    recorded = next;
                }
            }
        }
        Err(IssueError::Endless)
    }

    fn prepare(
        &self,
        authority: &Authority,
        services: Services,
        order: &Order,
        personal: &Personal,
        csr: &SubmittedCsr,
    ) -> Result<Preparation, IssueError> {
        // The proof of possession is checked again here: the CA relies on no other function for it.
        let csr = Csr::from_pem(&csr.pem).map_err(|_| IssueError::Ca(CaError::Request(RequestError::Key)))?;
        let request = IssueRequest {
            request_id: order.id.to_string(),
            vendor: order.vendor.to_string(),
            // From the order, never from the request: the review saw the order.
            subject: Subject::from(&personal.form),
            public_key: csr.public_key().to_spki_der(),
            csr_sm3: sm3(csr.as_der()).to_vec(),
            term_years: order.product.term_years,
        };
        let now = self.app.platform.now();
        match &authority.soft {
            Some(ca) => {
                let ca = ca.with_services(services);
                CertificateAuthority::prepare(&ca, &request, &csr, now, &mut rng())
            }
            None => authority.ca.prepare(&request, &csr, now, &mut rng()),
        }
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
