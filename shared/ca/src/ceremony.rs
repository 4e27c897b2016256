//! The key ceremony: a vendor's root and issuing CA come into being, and later generations beside them.
//!
//! [`init`] makes both keys in memory. The other functions sign behind [`Signer`], so that a key may be in a key
//! management service; each lints before it signs and verifies after.

use rand_core::CryptoRng;
use time::OffsetDateTime;
use yinxin_pki::chain::{verify_chain, verify_link};
use yinxin_pki::lint::lint;
use yinxin_pki::name::Attribute;
use yinxin_pki::profile::{Content, Issuer, Profile, Serial, Services, Validity, assemble};
use yinxin_pki::{Certificate, KeyForm, Name, PublicKey, SigningKey, oid};

use crate::error::{CaError, RequestError};
use crate::signer::Signer;

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

/// Who signs a certificate.
pub struct Above<'a> {
    /// Its certificate.
    pub certificate: &'a Certificate,
    /// Its key.
    pub key: &'a dyn Signer,
}

/// Makes both keys and both certificates of a vendor. The vendor's id stands in the common names, its name in O.
pub fn init(
    vendor: &str,
    vendor_name: &str,
    now: OffsetDateTime,
    rng: &mut dyn CryptoRng,
) -> Result<Ceremony, CaError> {
    let root_name = root_name(vendor, vendor_name)?;
    let root_key = SigningKey::generate(rng);
    let issuer = Issuer::itself(root_name.clone(), root_key.public_key());
    let years = Profile::RootCa.max_years();
    let tbs = to_be_signed(
        (Profile::RootCa, years),
        (&root_name, root_key.public_key()),
        (&issuer, None),
        now,
        rng,
    )?;
    let root = sign_here(&tbs, &root_key)?;
    let issuing_name = issuing_name(vendor, vendor_name, 1)?;
    let issuing_key = SigningKey::generate(rng);
    let years = Profile::IssuingCa.max_years();
    let tbs = to_be_signed(
        (Profile::IssuingCa, years),
        (&issuing_name, issuing_key.public_key()),
        (&Issuer::of(&root), Some(&root)),
        now,
        rng,
    )?;
    let issuing = sign_here(&tbs, &root_key)?;
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

/// The certificate of a root that signs itself.
pub async fn root(
    name: &Name,
    key: &dyn Signer,
    now: OffsetDateTime,
    rng: &mut dyn CryptoRng,
) -> Result<Certificate, CaError> {
    let issuer = Issuer::itself(name.clone(), key.public_key());
    let profile = (Profile::RootCa, Profile::RootCa.max_years());
    let tbs = to_be_signed(profile, (name, key.public_key()), (&issuer, None), now, rng)?;
    let certificate = sign_with(&tbs, key).await?;
    verify_link(&certificate, &certificate).map_err(CaError::Signature)?;
    Ok(certificate)
}

/// The certificate of an issuing CA, a responder or another signer under a CA.
pub async fn certify(
    profile: Profile,
    subject: &Name,
    public_key: &PublicKey,
    above: &Above<'_>,
    now: OffsetDateTime,
    years: u8,
    rng: &mut dyn CryptoRng,
) -> Result<Certificate, CaError> {
    let issuer = (&Issuer::of(above.certificate), Some(above.certificate));
    let tbs = to_be_signed((profile, years), (subject, public_key), issuer, now, rng)?;
    let certificate = sign_with(&tbs, above.key).await?;
    verify_link(&certificate, above.certificate).map_err(CaError::Signature)?;
    Ok(certificate)
}

/// The name of a vendor's root.
pub fn root_name(vendor: &str, vendor_name: &str) -> Result<Name, CaError> {
    name(vendor_name, &format!("{vendor} SM2 Root CA"))
}

/// The name of a vendor's issuing CA of a generation: each has its own, so that no two keys share a name.
pub fn issuing_name(vendor: &str, vendor_name: &str, generation: u32) -> Result<Name, CaError> {
    let common_name = match generation {
        1 => format!("{vendor} SM2 Issuing CA"),
        later => format!("{vendor} SM2 Issuing CA {later}"),
    };
    name(vendor_name, &common_name)
}

/// A name with C, O and CN.
pub fn name(organization: &str, common_name: &str) -> Result<Name, CaError> {
    Name::new([
        Attribute::new(oid::COUNTRY, "CN"),
        Attribute::new(oid::ORGANIZATION, organization),
        Attribute::new(oid::COMMON_NAME, common_name),
    ])
    .map_err(|error| CaError::Request(RequestError::Name(error)))
}

/// To-be-signed bytes that pass their lints.
fn to_be_signed(
    (profile, years): (Profile, u8),
    (subject, public_key): (&Name, &PublicKey),
    (issuer, issuer_certificate): (&Issuer, Option<&Certificate>),
    now: OffsetDateTime,
    rng: &mut dyn CryptoRng,
) -> Result<Vec<u8>, CaError> {
    let mut validity = Validity::years(now, years).ok_or(RequestError::Term)?;
    // Nothing outlives its issuer.
    if let Some(issuer) = issuer_certificate {
        validity.not_after = validity.not_after.min(issuer.not_after());
    }
    let tbs = profile.to_tbs(&Content {
        serial: &Serial::random(rng),
        issuer,
        validity,
        subject,
        public_key,
        key_form: KeyForm::EcPublicKey,
        identity: None,
        services: &Services::default(),
    });
    let findings = lint(profile, &tbs, issuer_certificate);
    if findings.is_empty() {
        Ok(tbs)
    } else {
        Err(CaError::Lint(findings))
    }
}

fn sign_here(tbs: &[u8], key: &SigningKey) -> Result<Certificate, CaError> {
    let signature = key.sign(tbs).map_err(|_| CaError::SetUp)?;
    Certificate::from_der(&assemble(tbs, &signature)).map_err(|_| CaError::SetUp)
}

async fn sign_with(tbs: &[u8], key: &dyn Signer) -> Result<Certificate, CaError> {
    let signature = key.sign(tbs).await?;
    Certificate::from_der(&assemble(tbs, &signature)).map_err(|_| CaError::SetUp)
}
