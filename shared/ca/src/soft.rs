//! A CA in software: the issuing key signs behind [`Signer`], the root is offline.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use rand_core::CryptoRng;
use time::OffsetDateTime;
use yinxin_pki::certificate::TbsCertificate;
use yinxin_pki::chain::{is_pair, verify_chain};
use yinxin_pki::lint::lint;
use yinxin_pki::profile::{Content, Issuer, Profile, Serial, Services, Validity, assemble};
use yinxin_pki::{Certificate, Csr, EnvelopedKey, KeyForm, PublicKey, SigningKey};

use crate::authority::{Answer, CertificateAuthority, IssuedPair, Preparation};
use crate::error::{CaError, RequestError};
use crate::prepared::Prepared;
use crate::record::Record;
use crate::request::IssueRequest;
use crate::sealer::Sealer;
use crate::signer::Signer;
use crate::status::CertifiedSigner;

/// How one vendor's soft CA issues.
#[derive(Debug, Clone)]
pub struct SoftCaConfig {
    /// Where readers ask about its certificates, and its policy.
    pub services: Services,
    /// How the key of encryption certificates names its algorithm.
    pub encryption_key_form: KeyForm,
}

impl Default for SoftCaConfig {
    /// No services. [`KeyForm::Sm2`], because RFC 8813, 3 forbids id-ecPublicKey the encipherment bits that
    /// GM/T 0015 demands of an encryption certificate; a vendor whose customers' software does not know that form
    /// sets [`KeyForm::EcPublicKey`] and lives with the contradiction, as most CAs do.
    fn default() -> Self {
        Self {
            services: Services::default(),
            encryption_key_form: KeyForm::Sm2,
        }
    }
}

/// One vendor's CA in software.
#[derive(Clone)]
pub struct SoftCa {
    vendor: String,
    chain: Vec<Certificate>,
    issuing: Certificate,
    issuing_key: Arc<dyn Signer>,
    config: SoftCaConfig,
    sealer: Arc<dyn Sealer>,
}

impl SoftCa {
    /// A CA with its chain (the issuing CA first, the root last), the issuing key, and the sealer of its escrow.
    pub fn new(
        vendor: impl Into<String>,
        chain: Vec<Certificate>,
        issuing_key: Arc<dyn Signer>,
        config: SoftCaConfig,
        sealer: Arc<dyn Sealer>,
    ) -> Result<Self, CaError> {
        let (issuing, above) = chain.split_first().ok_or(CaError::SetUp)?;
        verify_chain(issuing, above, issuing.not_before()).map_err(|_| CaError::SetUp)?;
        if issuing.public_key() != Some(issuing_key.public_key()) || !issuing.is_ca() {
            return Err(CaError::SetUp);
        }
        let issuing = issuing.clone();
        Ok(Self {
            vendor: vendor.into(),
            chain,
            issuing,
            issuing_key,
            config,
            sealer,
        })
    }

    /// The same CA, whose certificates name these services from now on.
    #[must_use]
    pub fn with_services(&self, services: Services) -> Self {
        let mut ca = self.clone();
        ca.config.services = services;
        ca
    }

    /// The issuing CA's key with its certificate: signs revocation lists.
    pub fn issuing(&self) -> CertifiedSigner {
        CertifiedSigner {
            certificate: self.issuing.clone(),
            signer: self.issuing_key.clone(),
        }
    }

    /// The certificates of the CA: the issuing CA first, the root last.
    pub fn chain(&self) -> &[Certificate] {
        &self.chain
    }

    fn lint(&self, profile: Profile, tbs: &[u8]) -> Result<(), CaError> {
        let findings = lint(profile, tbs, Some(&self.issuing));
        if findings.is_empty() {
            Ok(())
        } else {
            Err(CaError::Lint(findings))
        }
    }

    /// Signs recorded bytes and verifies the certificate up to the root: a signature with a fault, besides being
    /// useless, could give the key away.
    async fn sign(&self, tbs: &[u8]) -> Result<Certificate, CaError> {
        let signature = self.issuing_key.sign(tbs).await?;
        let certificate = Certificate::from_der(&assemble(tbs, &signature)).map_err(|_| CaError::Record)?;
        verify_chain(&certificate, &self.chain, certificate.not_before()).map_err(CaError::Signature)?;
        Ok(certificate)
    }

    /// Whether what stands in the record belongs together: serial numbers, subjects, keys, envelope, escrow.
    fn check_record(&self, prepared: &Prepared) -> Result<(), CaError> {
        let escrowed = prepared.escrowed_key(&*self.sealer)?;
        let read = |tbs| TbsCertificate::from_der(tbs).map_err(|_| CaError::Record);
        let (signing, encryption) = (read(&prepared.signing_tbs)?, read(&prepared.encryption_tbs)?);
        let enveloped = EnvelopedKey::from_der(&prepared.enveloped_key).map_err(|_| CaError::Record)?;
        let belongs = prepared.vendor == self.vendor
            && signing.serial_hex() == prepared.signing_serial
            && encryption.serial_hex() == prepared.encryption_serial
            && signing.serial_hex() != encryption.serial_hex()
            && signing.subject() == encryption.subject()
            && encryption.public_key() == Some(escrowed.public_key())
            && enveloped.public_key() == escrowed.public_key()
            && signing.public_key() != encryption.public_key();
        if belongs { Ok(()) } else { Err(CaError::Record) }
    }

    /// Decides serial numbers, encryption key pair and to-be-signed bytes, and lints them. Nothing is signed.
    pub fn prepare(
        &self,
        request: &IssueRequest,
        now: OffsetDateTime,
        rng: &mut dyn CryptoRng,
    ) -> Result<Prepared, CaError> {
        request.check(&self.vendor)?;
        let signing_key = PublicKey::from_spki_der(&request.public_key).map_err(|_| RequestError::Key)?;
        if !(1..=Profile::Signing.max_years()).contains(&request.term_years) {
            return Err(RequestError::Term.into());
        }
        let validity = Validity::years(now, request.term_years).ok_or(RequestError::Term)?;
        let (subject, identity) = (request.subject.name()?, request.subject.identity()?);
        let encryption_key = SigningKey::generate(rng);
        let (signing_serial, encryption_serial) = (Serial::random(rng), Serial::random(rng));

        // GM/T 0015: the two differ in serial number, key and key usage, and in nothing else.
        let signing = Content {
            serial: &signing_serial,
            issuer: &Issuer::of(&self.issuing),
            validity,
            subject: &subject,
            public_key: &signing_key,
            key_form: KeyForm::EcPublicKey,
            identity: identity.as_ref(),
            services: &self.config.services,
        };
        let encryption = Content {
            serial: &encryption_serial,
            public_key: encryption_key.public_key(),
            key_form: self.config.encryption_key_form,
            ..signing
        };
        let mut prepared = Prepared {
            request_id: request.request_id.clone(),
            vendor: self.vendor.clone(),
            signing_serial: signing_serial.to_hex(),
            encryption_serial: encryption_serial.to_hex(),
            signing_tbs: Profile::Signing.to_tbs(&signing),
            encryption_tbs: Profile::Encryption.to_tbs(&encryption),
            enveloped_key: EnvelopedKey::seal(&encryption_key, &signing_key, rng)
                .as_der()
                .to_vec(),
            csr_sm3: request.csr_sm3.clone(),
            sealed_key: Vec::new(),
        };
        self.lint(Profile::Signing, &prepared.signing_tbs)?;
        self.lint(Profile::Encryption, &prepared.encryption_tbs)?;
        prepared.seal(&encryption_key, &*self.sealer, rng)?;
        Ok(prepared)
    }

    /// Signs exactly the recorded bytes and verifies what came out. Completing the same record again gives the same
    /// serial numbers and to-be-signed bytes.
    pub async fn complete(&self, prepared: &Prepared) -> Result<IssuedPair, CaError> {
        self.check_record(prepared)?;
        self.lint(Profile::Signing, &prepared.signing_tbs)?;
        self.lint(Profile::Encryption, &prepared.encryption_tbs)?;
        let signing = self.sign(&prepared.signing_tbs).await?;
        let encryption = self.sign(&prepared.encryption_tbs).await?;
        if !is_pair(&signing, &encryption) {
            return Err(CaError::Record);
        }
        Ok(IssuedPair {
            signing: signing.as_der().to_vec(),
            encryption: encryption.as_der().to_vec(),
            enveloped_key: prepared.enveloped_key.clone(),
            chain: self
                .chain
                .iter()
                .map(|certificate| certificate.as_der().to_vec())
                .collect(),
        })
    }
}

// A CA in software answers at once. What it revoked is in the platform's register, not here.
#[async_trait]
impl CertificateAuthority for SoftCa {
    fn prepare(
        &self,
        request: &IssueRequest,
        _csr: &Csr,
        now: OffsetDateTime,
        rng: &mut dyn CryptoRng,
    ) -> Result<Preparation, CaError> {
        let prepared = SoftCa::prepare(self, request, now, rng)?;
        Ok(Preparation {
            record: Record::of(&prepared)?,
            serials: vec![prepared.signing_serial, prepared.encryption_serial],
        })
    }

    async fn complete(
        &self,
        record: &Record,
        _now: OffsetDateTime,
        _rng: &mut (dyn CryptoRng + Send),
    ) -> Result<Answer, CaError> {
        let pair = SoftCa::complete(self, &record.read()?).await?;
        Ok(Answer::Issued(Box::new(pair)))
    }
}

// Neither the key nor the sealer has a place in a log.
impl fmt::Debug for SoftCa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SoftCa")
            .field("vendor", &self.vendor)
            .finish_non_exhaustive()
    }
}
