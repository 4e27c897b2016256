//! A CA in memory: root, issuing CA, and the pair of certificates for a CSR.
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};
use yinxin_agent::token::vault::rng;
use yinxin_pki::{
    Certificate, Crl, Csr, EnvelopedKey, Name, PublicKey, SigningKey,
    crl::{CrlContent, Reason, Revocation},
    key::KeyForm,
    ocsp::{
        CertId, CertStatus, OcspHash, OcspResponse, ResponderId, ResponseContent, SingleResponse,
        assemble_response,
    },
    profile::{Content, Issuer, Profile, Serial, Services, Validity, assemble},
};

/// A root and an issuing CA with their keys.
pub struct Authority {
    root: Certificate,
    issuing: Certificate,
    issuing_key: SigningKey,
}

/// What a delivery is made of, so that a test can exchange a part.
pub struct Parts {
    pub signing: Certificate,
    pub encryption: Certificate,
    pub chain: Vec<Certificate>,
    pub enveloped_key: EnvelopedKey,
}

impl Authority {
    pub fn new() -> Self {
        let root_key = SigningKey::generate(&mut rng());
        let root_name = Name::unit("Test Root", None).unwrap();
        let itself = Issuer::itself(root_name.clone(), root_key.public_key());
        let root = certificate(
            Profile::RootCa,
            &root_name,
            root_key.public_key(),
            &itself,
            &root_key,
        );
        let issuing_key = SigningKey::generate(&mut rng());
        let issuing_name = Name::unit("Test Issuing CA", None).unwrap();
        let by_root = Issuer::of(&root);
        let issuing = certificate(
            Profile::IssuingCa,
            &issuing_name,
            issuing_key.public_key(),
            &by_root,
            &root_key,
        );
        Self {
            root,
            issuing,
            issuing_key,
        }
    }

    pub fn issue(&self, csr: &Csr) -> Parts {
        self.issue_for(csr.subject(), csr.public_key())
    }

    pub fn issue_for(&self, subject: &Name, signing_key: &PublicKey) -> Parts {
        let encryption_key = SigningKey::generate(&mut rng());
        let issuer = Issuer::of(&self.issuing);
        let issue = |profile, key: &PublicKey| certificate(profile, subject, key, &issuer, &self.issuing_key);
        Parts {
            signing: issue(Profile::Signing, signing_key),
            encryption: issue(Profile::Encryption, encryption_key.public_key()),
            chain: self.chain(),
            enveloped_key: EnvelopedKey::seal(&encryption_key, signing_key, &mut rng()),
        }
    }
}

impl Authority {
    /// A pair of certificates for keys that are there, valid for some years.
    pub fn renew(
        &self,
        subject: &Name,
        signing: &PublicKey,
        encryption: &PublicKey,
        years: u8,
    ) -> [Certificate; 2] {
        [(Profile::Signing, signing), (Profile::Encryption, encryption)].map(|(profile, key)| {
            let from = OffsetDateTime::now_utc() - Duration::minutes(1);
            self.issue_one(|issuer| {
                profile.to_tbs(&Content {
                    serial: &Serial::random(&mut rng()),
                    issuer: &Issuer::of(issuer),
                    validity: Validity::years(from, years).unwrap(),
                    subject,
                    public_key: key,
                    key_form: KeyForm::EcPublicKey,
                    identity: None,
                    services: &Services::default(),
                })
            })
        })
    }

    /// The issuing CA first, the root last.
    pub fn chain(&self) -> Vec<Certificate> {
        vec![self.issuing.clone(), self.root.clone()]
    }

    /// A certificate of the issuing CA that the caller words.
    pub fn issue_one(&self, tbs: impl FnOnce(&Certificate) -> Vec<u8>) -> Certificate {
        let tbs = tbs(&self.issuing);
        let signature = self.issuing_key.sign(&tbs).unwrap();
        Certificate::from_der(&assemble(&tbs, &signature)).unwrap()
    }

    /// The list of the issuing CA, made now, with the certificates revoked a minute ago.
    pub fn list(&self, revoked: &[&Certificate]) -> Crl {
        let now = OffsetDateTime::now_utc();
        let revoked: Vec<Revocation> = revoked
            .iter()
            .map(|certificate| Revocation {
                serial: certificate.serial().to_vec(),
                at: now - Duration::MINUTE,
                reason: Reason::KeyCompromise,
                invalidity_date: None,
            })
            .collect();
        let tbs = CrlContent {
            issuer: &Issuer::of(&self.issuing),
            number: 1,
            this_update: now,
            next_update: now + Duration::DAY,
            distribution_point: None,
            revoked: &revoked,
        }
        .to_tbs();
        Crl::from_der(&assemble(&tbs, &self.issuing_key.sign(&tbs).unwrap())).unwrap()
    }

    /// The issuing CA's own answer about one of its certificates, which counts for a day from a time on.
    pub fn answer(&self, about: &Certificate, status: CertStatus, from: OffsetDateTime) -> OcspResponse {
        let single = SingleResponse {
            cert_id: CertId::of(&self.issuing, about.serial_content(), OcspHash::Sha1),
            status,
            this_update: from,
            next_update: Some(from + Duration::DAY),
            unknown_critical: false,
        };
        let tbs = ResponseContent {
            responder: &ResponderId::key_of(&self.issuing),
            produced_at: from,
            responses: &[single],
            nonce: None,
        }
        .to_tbs();
        let signature = self.issuing_key.sign(&tbs).unwrap();
        OcspResponse::from_der(&assemble_response(&tbs, &signature, &[])).unwrap()
    }
}

impl Parts {
    pub fn to_json(&self) -> Value {
        json!({
            "signing_certificate": self.signing.to_pem(),
            "encryption_certificate": self.encryption.to_pem(),
            "chain": self.chain.iter().map(Certificate::to_pem).collect::<Vec<_>>(),
            "enveloped_key": STANDARD.encode(self.enveloped_key.as_der()),
        })
    }
}

fn certificate(
    profile: Profile,
    subject: &Name,
    key: &PublicKey,
    issuer: &Issuer,
    issuer_key: &SigningKey,
) -> Certificate {
    let from = OffsetDateTime::now_utc() - Duration::minutes(1);
    let tbs = profile.to_tbs(&Content {
        serial: &Serial::random(&mut rng()),
        issuer,
        validity: Validity::years(from, 1).unwrap(),
        subject,
        public_key: key,
        key_form: KeyForm::EcPublicKey,
        identity: None,
        services: &Services::default(),
    });
    let signature = issuer_key.sign(&tbs).unwrap();
    Certificate::from_der(&assemble(&tbs, &signature)).unwrap()
}
