//! What a CA says about its certificates: the addresses in them, revocation lists, status answers.
//!
//! Nothing here remembers anything. Whoever calls records a list before it has it signed, and keeps answers beside the
//! status for which they were signed.

use std::fmt;
use std::sync::Arc;

use time::OffsetDateTime;
use yinxin_pki::Certificate;
use yinxin_pki::crl::{CrlContent, Revocation};
use yinxin_pki::lint::{Finding, lint_crl, lint_ocsp};
use yinxin_pki::ocsp::{
    CertId, CertStatus, OcspHash, ResponderId, ResponseContent, SingleResponse, assemble_response,
};
use yinxin_pki::profile::{Issuer, Services, assemble};

use crate::error::CaError;
use crate::signer::Signer;

/// Where readers ask about the certificates of one issuing CA.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusAddresses {
    base: String,
    authority: String,
}

impl StatusAddresses {
    /// The addresses under `base` (without a slash at the end) of the CA with this certificate.
    pub fn new(base: &str, issuing: &Certificate) -> Self {
        Self {
            base: base.to_owned(),
            authority: authority_id(issuing),
        }
    }

    /// The CA's name in addresses and stores: its subject key identifier, lower-case hexadecimal.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// The revocation list of a shard.
    pub fn list(&self, shard: u64) -> String {
        format!("{}{}{shard}.crl", self.base, self.list_path())
    }

    /// All addresses of a certificate in this shard.
    pub fn services(&self, shard: u64) -> Services {
        let (base, authority) = (&self.base, &self.authority);
        Services {
            crl: Some(self.list(shard)),
            ocsp: Some(format!("{base}/api/ocsp/{authority}")),
            ca_issuers: Some(format!("{base}/api/ca/{authority}.cer")),
            policy: None,
        }
    }

    /// The shard that a certificate of this CA names; `None` in one that names no list.
    pub fn shard_of(&self, certificate: &Certificate) -> Option<u64> {
        let points = certificate.extension(yinxin_pki::oid::CRL_DISTRIBUTION_POINTS)?;
        let path = self.list_path();
        let at = points
            .value
            .windows(path.len())
            .position(|window| window == path.as_bytes())?;
        let rest = points.value.get(at + path.len()..)?;
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        std::str::from_utf8(rest.get(..digits)?).ok()?.parse().ok()
    }

    fn list_path(&self) -> String {
        format!("/api/crl/{}/", self.authority)
    }
}

/// The name of an issuing CA in addresses and stores.
pub fn authority_id(issuing: &Certificate) -> String {
    hex::encode(issuing.subject_key_identifier().unwrap_or_default())
}

/// A key with the certificate that says whose it is.
#[derive(Clone)]
pub struct CertifiedSigner {
    /// The certificate.
    pub certificate: Certificate,
    /// The key.
    pub signer: Arc<dyn Signer>,
}

/// From when to when a list or an answer holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// `thisUpdate`.
    pub from: OffsetDateTime,
    /// `nextUpdate`.
    pub until: OffsetDateTime,
}

/// Speaks for one issuing CA: signs its revocation lists, and status answers by a responder of its own, if it has one.
pub struct StatusAuthority {
    issuing: CertifiedSigner,
    responder: Option<CertifiedSigner>,
}

impl StatusAuthority {
    /// The issuing CA itself answers (RFC 6960, 4.2.2.2), until it has a responder.
    pub fn new(issuing: CertifiedSigner) -> Self {
        Self {
            issuing,
            responder: None,
        }
    }

    /// With a responder that the issuing CA certified: its key alone is used for answers.
    #[must_use]
    pub fn with_responder(mut self, responder: CertifiedSigner) -> Self {
        self.responder = Some(responder);
        self
    }

    /// The issuing CA's certificate.
    pub fn certificate(&self) -> &Certificate {
        &self.issuing.certificate
    }

    /// The to-be-signed bytes of a revocation list, linted. Nothing is signed.
    pub fn list(
        &self,
        number: u64,
        window: Window,
        address: &str,
        revoked: &[Revocation],
    ) -> Result<Vec<u8>, CaError> {
        let tbs = CrlContent {
            issuer: &Issuer::of(self.certificate()),
            number,
            this_update: window.from,
            next_update: window.until,
            distribution_point: Some(address),
            revoked,
        }
        .to_tbs();
        require_clean(lint_crl(&tbs, self.certificate()))?;
        Ok(tbs)
    }

    /// Signs recorded bytes of a list: the list, DER.
    pub async fn sign_list(&self, tbs: &[u8]) -> Result<Vec<u8>, CaError> {
        require_clean(lint_crl(tbs, self.certificate()))?;
        let signature = self.issuing.signer.sign(tbs).await?;
        Ok(assemble(tbs, &signature))
    }

    /// Signs the answer about one certificate to a question that names it by `hash`: DER `OCSPResponse`.
    pub async fn answer(
        &self,
        serial: &[u8],
        hash: OcspHash,
        status: CertStatus,
        window: Window,
    ) -> Result<Vec<u8>, CaError> {
        let responder = self.responder.as_ref().unwrap_or(&self.issuing);
        let tbs = ResponseContent {
            responder: &ResponderId::key_of(&responder.certificate),
            produced_at: window.from,
            responses: &[SingleResponse {
                cert_id: CertId::of(self.certificate(), serial, hash),
                status,
                this_update: window.from,
                next_update: Some(window.until),
                unknown_critical: false,
            }],
            nonce: None,
        }
        .to_tbs();
        let mut findings = lint_ocsp(&tbs, &responder.certificate);
        if self.responder.is_none() {
            // The issuing CA needs no leave of its own to answer (RFC 6960, 4.2.2.2).
            findings.retain(|finding| finding.rule != "ocsp-responder-usage");
        }
        require_clean(findings)?;
        let signature = responder.signer.sign(&tbs).await?;
        // Who asks has the issuing CA's certificate; a responder's comes along.
        let along: Vec<&Certificate> = self
            .responder
            .iter()
            .map(|responder| &responder.certificate)
            .collect();
        Ok(assemble_response(&tbs, &signature, &along))
    }
}

impl fmt::Debug for StatusAuthority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StatusAuthority").finish_non_exhaustive()
    }
}

/// A serial number in hexadecimal as the content octets of an INTEGER; `None` if it is none.
pub fn serial_content(digits: &str) -> Option<Vec<u8>> {
    let mut bytes = hex::decode(digits).ok()?;
    if bytes.first()? & 0x80 != 0 {
        bytes.insert(0, 0);
    }
    Some(bytes)
}

fn require_clean(findings: Vec<Finding>) -> Result<(), CaError> {
    if findings.is_empty() {
        Ok(())
    } else {
        Err(CaError::Lint(findings))
    }
}
