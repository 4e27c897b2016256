//! The key ceremony: a vendor's root and issuing CA come into being.

use rand_core::CryptoRng;
use time::OffsetDateTime;
use yinxin_pki::chain::verify_chain;
use yinxin_pki::lint::lint;
use yinxin_pki::name::Attribute;
use yinxin_pki::profile::{Content, Issuer, Profile, Serial, Services, Validity, assemble};
use yinxin_pki::{Certificate, KeyForm, Name, PublicKey, SigningKey, oid};

use crate::error::{CaError, RequestError};

/// A CA's certificate with its private key; the caller seals the key as PKCS#8 before it rests anywhere.
#[derive(Debug, Clone)]
pub struct CaKeyPair {
    /// The certificate.
    pub certificate: Certificate,
    /// The private key.
    pub key: SigningKey,
}

/// What a ceremony leaves.
#[derive(Debug, Clone)]
pub struct Ceremony {
    /// The root: its key signs the issuing CA and then goes offline.
    pub root: CaKeyPair,
    /// The issuing CA: its key signs subscribers' certificates.
    pub issuing: CaKeyPair,
}

impl Ceremony {
    /// The issuing CA first, the root last.
    pub fn chain(&self) -> Vec<Certificate> {
        vec![self.issuing.certificate.clone(), self.root.certificate.clone()]
    }
}

/// Makes both keys and both certificates of a vendor. The vendor's id stands in the common names, its name in O.
pub fn init(
    vendor: &str,
    vendor_name: &str,
    now: OffsetDateTime,
    rng: &mut dyn CryptoRng,
) -> Result<Ceremony, CaError> {
    let root_name = ca_name(vendor_name, &format!("{vendor} SM2 Root CA"))?;
    let root_key = SigningKey::generate(rng);
    let root = certify(
        Profile::RootCa,
        &root_name,
        root_key.public_key(),
        (
            &Issuer::itself(root_name.clone(), root_key.public_key()),
            None,
            &root_key,
        ),
        now,
        rng,
    )?;
    let issuing_name = ca_name(vendor_name, &format!("{vendor} SM2 Issuing CA"))?;
    let issuing_key = SigningKey::generate(rng);
    let issuing = certify(
        Profile::IssuingCa,
        &issuing_name,
        issuing_key.public_key(),
        (&Issuer::of(&root), Some(&root), &root_key),
        now,
        rng,
    )?;
    verify_chain(&issuing, std::slice::from_ref(&root), issuing.not_before()).map_err(CaError::Signature)?;
    Ok(Ceremony {
        root: CaKeyPair {
            certificate: root,
            key: root_key,
        },
        issuing: CaKeyPair {
            certificate: issuing,
            key: issuing_key,
        },
    })
}

fn ca_name(organization: &str, common_name: &str) -> Result<Name, CaError> {
    Name::new([
        Attribute::new(oid::COUNTRY, "CN"),
        Attribute::new(oid::ORGANIZATION, organization),
        Attribute::new(oid::COMMON_NAME, common_name),
    ])
    .map_err(|error| CaError::Request(RequestError::Name(error)))
}

fn certify(
    profile: Profile,
    subject: &Name,
    public_key: &PublicKey,
    (issuer, issuer_certificate, issuer_key): (&Issuer, Option<&Certificate>, &SigningKey),
    now: OffsetDateTime,
    rng: &mut dyn CryptoRng,
) -> Result<Certificate, CaError> {
    let tbs = profile.to_tbs(&Content {
        serial: &Serial::random(rng),
        issuer,
        validity: Validity::years(now, profile.max_years()).ok_or(RequestError::Term)?,
        subject,
        public_key,
        key_form: KeyForm::EcPublicKey,
        identity: None,
        services: &Services::default(),
    });
    let findings = lint(profile, &tbs, issuer_certificate);
    if !findings.is_empty() {
        return Err(CaError::Lint(findings));
    }
    let signature = issuer_key.sign(&tbs).map_err(|_| CaError::SetUp)?;
    Certificate::from_der(&assemble(&tbs, &signature)).map_err(|_| CaError::SetUp)
}
