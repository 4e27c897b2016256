//! A vendor's issuing CAs one after the other: the newest whose time has come issues, each completes what it prepared.

use std::sync::Arc;

use async_trait::async_trait;
use rand_core::CryptoRng;
use time::OffsetDateTime;
use yinxin_pki::Csr;
use yinxin_pki::certificate::TbsCertificate;

use crate::authority::{Answer, CertificateAuthority, Preparation};
use crate::error::CaError;
use crate::prepared::Prepared;
use crate::record::Record;
use crate::request::IssueRequest;
use crate::soft::SoftCa;
use crate::status::CertifiedSigner;

/// One issuing CA of a vendor.
#[derive(Clone)]
pub struct Generation {
    /// Counts from one.
    pub number: u32,
    /// From when on it issues, until a newer one does.
    pub issues_from: OffsetDateTime,
    /// A retired one issues nothing, whatever the time.
    pub retired: bool,
    /// The CA.
    pub ca: Arc<SoftCa>,
    /// Who signs answers about its certificates' status; the CA itself where nobody does.
    pub responder: Option<CertifiedSigner>,
}

/// The issuing CAs of a vendor, oldest first.
#[derive(Clone)]
pub struct Generations(Vec<Generation>);

impl Generations {
    /// These issuing CAs.
    pub fn new(mut list: Vec<Generation>) -> Self {
        list.sort_by_key(|generation| generation.number);
        Self(list)
    }

    /// All of them: older ones go on answering for their certificates.
    pub fn all(&self) -> &[Generation] {
        &self.0
    }

    /// The one that issues at a time.
    pub fn issuing_at(&self, at: OffsetDateTime) -> Option<&Generation> {
        self.0
            .iter()
            .rev()
            .find(|generation| !generation.retired && generation.issues_from <= at)
    }

    /// The one that certificates with this authority key identifier come from.
    pub fn of_key(&self, key_identifier: &[u8]) -> Option<&Generation> {
        self.0.iter().find(|generation| {
            let certificate = generation.ca.chain().first();
            certificate.and_then(|certificate| certificate.subject_key_identifier()) == Some(key_identifier)
        })
    }

    fn of_record(&self, record: &Record) -> Result<&Generation, CaError> {
        let prepared: Prepared = record.read()?;
        let tbs = TbsCertificate::from_der(&prepared.signing_tbs).map_err(|_| CaError::Record)?;
        tbs.authority_key_identifier()
            .and_then(|identifier| self.of_key(identifier))
            .ok_or(CaError::Record)
    }
}

#[async_trait]
impl CertificateAuthority for Generations {
    fn prepare(
        &self,
        request: &IssueRequest,
        csr: &Csr,
        now: OffsetDateTime,
        rng: &mut dyn CryptoRng,
    ) -> Result<Preparation, CaError> {
        let generation = self.issuing_at(now).ok_or(CaError::Unavailable)?;
        CertificateAuthority::prepare(&*generation.ca, request, csr, now, rng)
    }

    /// What was prepared before a cross-over is completed by the CA that prepared it.
    async fn complete(
        &self,
        record: &Record,
        now: OffsetDateTime,
        rng: &mut (dyn CryptoRng + Send),
    ) -> Result<Answer, CaError> {
        let generation = self.of_record(record)?;
        CertificateAuthority::complete(&*generation.ca, record, now, rng).await
    }
}
