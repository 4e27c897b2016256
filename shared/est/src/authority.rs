//! A vendor's CA behind its EST endpoint.
//!
//! Three steps, each recorded before the next: the signing certificate (`simpleenroll`), the encryption key with its
//! certificate (`serverkeygen`), the pair. A reply that is lost before it is recorded is asked for again with the same
//! bytes, and the contract obliges the vendor to answer them with the same certificate. What is recorded is never asked
//! for again.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use rand_core::CryptoRng;
use time::OffsetDateTime;
use yinxin_ca::{
    Answer, CaError, CertificateAuthority, IssueRequest, IssuedPair, Preparation, Record, RequestError,
    Sealer, Subject, VendorFault,
};
use yinxin_pki::chain::is_pair;
use yinxin_pki::profile::Profile;
use yinxin_pki::{Certificate, Csr, EnvelopedKey, Name, sm3};

use crate::client::{EstClient, Limits, Operation, Reply, ServerKey};
use crate::config::{EstConfig, SetUpError};
use crate::error::EstError;
use crate::record::{EstRecord, Kind, Step};
use crate::verify::{Expected, Use, chain_to, of_key};

/// The vendor stops between the two certificates.
const HALF: VendorFault =
    VendorFault::Form("the vendor issues no encryption key for a holder that it certified");

/// One vendor's CA over EST.
pub struct EstAuthority {
    vendor: String,
    client: EstClient,
    root: Certificate,
    sealer: Arc<dyn Sealer>,
}

impl EstAuthority {
    /// The CA of `vendor` at an endpoint. `identity` is what the configured secret holds: the client's certificate and
    /// private key, PEM.
    pub fn new(
        vendor: impl Into<String>,
        config: &EstConfig,
        identity: &str,
        limits: Limits,
        sealer: Arc<dyn Sealer>,
    ) -> Result<Self, SetUpError> {
        Ok(Self {
            vendor: vendor.into(),
            client: EstClient::new(config, Some(identity), limits)?,
            root: config.root()?,
            sealer,
        })
    }

    /// Asks for the signing certificate of a record once more and compares: a vendor that answers with another one has
    /// issued, and perhaps charged, twice.
    pub async fn confirm(&self, record: &Record) -> Result<(), CaError> {
        let record: EstRecord = record.read()?;
        let (Step::Enrolled { signing } | Step::Delivered { signing, .. }) = &record.step else {
            return Err(CaError::Record);
        };
        let csr = csr(&record)?;
        match self.client.enroll(Operation::SimpleEnroll, &record.csr).await? {
            Reply::Done(certificates) => {
                let again = of_key(&certificates, csr.public_key()).map_err(CaError::Vendor)?;
                if again.as_der() == signing.as_slice() {
                    Ok(())
                } else {
                    Err(CaError::Vendor(VendorFault::Another))
                }
            }
            Reply::Pending { .. } => Err(CaError::Vendor(VendorFault::Another)),
        }
    }

    async fn enroll(&self, record: EstRecord, now: OffsetDateTime) -> Result<Answer, CaError> {
        let csr = csr(&record)?;
        let certificates = match self.client.enroll(Operation::SimpleEnroll, &record.csr).await? {
            Reply::Done(certificates) => certificates,
            Reply::Pending { retry_after } => return Ok(Answer::Pending { retry_after }),
        };
        let signing = of_key(&certificates, csr.public_key()).map_err(CaError::Vendor)?;
        self.check(&record, signing, Use::Signing, certificates.clone(), now)
            .await?;
        let signing = signing.as_der().to_vec();
        progress(record, Step::Enrolled { signing })
    }

    async fn fetch_key(
        &self,
        record: EstRecord,
        signing: Vec<u8>,
        now: OffsetDateTime,
        rng: &mut (dyn CryptoRng + Send),
    ) -> Result<Answer, CaError> {
        let csr = csr(&record)?;
        let signing_certificate = Certificate::from_der(&signing).map_err(|_| CaError::Record)?;
        let ServerKey { key, certificates } = match self.client.server_key_gen(&record.csr).await {
            Ok(Reply::Done(made)) => made,
            Ok(Reply::Pending { retry_after }) => return Ok(Answer::Pending { retry_after }),
            // A new request would leave a certificate behind that was issued: no operator's turn, but the vendor's.
            Err(EstError::Rejected(_)) => return Err(CaError::Vendor(HALF)),
            Err(error) => return Err(error.into()),
        };
        let encryption = of_key(&certificates, key.public_key())
            .map_err(CaError::Vendor)?
            .clone();
        let chain = self
            .check(&record, &encryption, Use::Encryption, certificates, now)
            .await?;
        if !is_pair(&signing_certificate, &encryption) {
            return Err(CaError::Vendor(VendorFault::Pair));
        }
        let step = Step::Delivered {
            signing,
            encryption: encryption.as_der().to_vec(),
            chain: chain.iter().map(|issuer| issuer.as_der().to_vec()).collect(),
            enveloped_key: EnvelopedKey::seal(&key, csr.public_key(), rng).as_der().to_vec(),
            sealed_key: record.seal(encryption.as_der(), &key, &*self.sealer, rng)?,
        };
        progress(record, step)
    }

    /// The pair, out of the record alone: a record of which anything was changed does not open or does not verify.
    fn deliver(&self, record: &EstRecord, now: OffsetDateTime) -> Result<Answer, CaError> {
        let Step::Delivered {
            signing,
            encryption,
            chain,
            enveloped_key,
            ..
        } = &record.step
        else {
            return Err(CaError::Record);
        };
        let csr = csr(record)?;
        let key = record.escrowed_key(&*self.sealer)?;
        let read = |der: &[u8]| Certificate::from_der(der).map_err(|_| CaError::Record);
        let (signing, encryption) = (read(signing)?, read(encryption)?);
        let issuers = chain.iter().map(|der| read(der)).collect::<Result<Vec<_>, _>>()?;
        let enveloped = EnvelopedKey::from_der(enveloped_key).map_err(|_| CaError::Record)?;
        for leaf in [&signing, &encryption] {
            chain_to(&self.root, leaf, &issuers, now).map_err(CaError::Vendor)?;
        }
        let belongs = is_pair(&signing, &encryption)
            && signing.public_key() == Some(csr.public_key())
            && encryption.public_key() == Some(key.public_key())
            && enveloped.public_key() == key.public_key();
        if !belongs {
            return Err(CaError::Record);
        }
        Ok(Answer::Issued(Box::new(IssuedPair {
            signing: signing.as_der().to_vec(),
            encryption: encryption.as_der().to_vec(),
            enveloped_key: enveloped.as_der().to_vec(),
            chain: chain.clone(),
        })))
    }

    /// Everything that one certificate has to fulfil; its issuers.
    async fn check(
        &self,
        record: &EstRecord,
        certificate: &Certificate,
        used: Use,
        mut sent: Vec<Certificate>,
        now: OffsetDateTime,
    ) -> Result<Vec<Certificate>, CaError> {
        let subject = Name::from_der(&record.subject).map_err(|_| CaError::Record)?;
        let expected = Expected {
            subject: &subject,
            credit_code: record.credit_code.as_deref(),
            asked_at: record.asked_at,
            term_years: Some(record.term_years),
        };
        expected.check(certificate, used, now).map_err(CaError::Vendor)?;
        // The answer need not bring its issuers along (RFC 7030, 4.2.3).
        sent.extend(self.client.ca_certs().await?);
        chain_to(&self.root, certificate, &sent, now).map_err(CaError::Vendor)
    }
}

fn csr(record: &EstRecord) -> Result<Csr, CaError> {
    Csr::from_der(&record.csr).map_err(|_| CaError::Record)
}

fn progress(record: EstRecord, step: Step) -> Result<Answer, CaError> {
    Record::of(&EstRecord { step, ..record }).map(Answer::Progress)
}

#[async_trait]
impl CertificateAuthority for EstAuthority {
    fn prepare(
        &self,
        request: &IssueRequest,
        csr: &Csr,
        now: OffsetDateTime,
        _rng: &mut dyn CryptoRng,
    ) -> Result<Preparation, CaError> {
        request.check(&self.vendor)?;
        if !(1..=Profile::Signing.max_years()).contains(&request.term_years) {
            return Err(RequestError::Term.into());
        }
        let subject = request.subject.name()?;
        // The vendor certifies what the request asks for: it must be what the order asks for.
        let fits = csr.public_key().to_spki_der() == request.public_key
            && sm3(csr.as_der()).as_slice() == request.csr_sm3
            && csr.subject().attributes() == subject.attributes();
        if !fits {
            return Err(RequestError::Csr.into());
        }
        let credit_code = match &request.subject {
            Subject::Unit { credit_code, .. } => Some(credit_code.clone()),
            Subject::Person { .. } => None,
        };
        let record = EstRecord {
            kind: Kind::Est,
            request_id: request.request_id.clone(),
            vendor: self.vendor.clone(),
            csr: csr.as_der().to_vec(),
            subject: subject.as_der().to_vec(),
            credit_code,
            asked_at: now,
            term_years: request.term_years,
            step: Step::Asking,
        };
        Ok(Preparation {
            record: Record::of(&record)?,
            serials: Vec::new(),
        })
    }

    async fn complete(
        &self,
        record: &Record,
        now: OffsetDateTime,
        rng: &mut (dyn CryptoRng + Send),
    ) -> Result<Answer, CaError> {
        let record: EstRecord = record.read()?;
        if record.vendor != self.vendor {
            return Err(CaError::Record);
        }
        match record.step.clone() {
            Step::Asking => self.enroll(record, now).await,
            Step::Enrolled { signing } => self.fetch_key(record, signing, now, rng).await,
            Step::Delivered { .. } => self.deliver(&record, now),
        }
    }

    // EST has neither revocation nor status: both stay with what the contract says of them.
}

impl fmt::Debug for EstAuthority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EstAuthority")
            .field("vendor", &self.vendor)
            .finish_non_exhaustive()
    }
}
