//! Ceremonies on a stored authority: founding, rotation of issuing CAs, renewal of responders and list signers. Nothing
//! is stored here: the caller replaces what it read, and holds the ceremony again where another was faster.
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use time::OffsetDateTime;
use yinxin_ca::ceremony::{self, Above};
use yinxin_ca::trust_list::ListSigner;
use yinxin_ca::{CaError, Signer};
use yinxin_pki::profile::Profile;
use yinxin_pki::{Certificate, PublicKey};
use yinxin_store::vault::rng;

use super::keys::{self, AuthorityKeys};
use super::{
    AuthorityError, StoredAuthority, StoredGeneration, StoredKey, StoredRoot, StoredSigner, certificate,
};

/// One item holds all of a vendor; this many fit by far, and a rotation a year fills it in sixteen years.
pub const MAX_GENERATIONS: usize = 16;

impl StoredAuthority {
    /// A new root under `root_kms_key` or a new software key. It has no issuing CA yet.
    pub async fn found(
        keys: &AuthorityKeys,
        name: &str,
        root_kms_key: Option<&str>,
        now: OffsetDateTime,
    ) -> Result<Self, AuthorityError> {
        let (stored, signer) = keys.make(keys::ROOT, root_kms_key).await?;
        let root_name = ceremony::root_name(&keys.vendor, name).map_err(AuthorityError::SetUp)?;
        let root = ceremony::root(&root_name, &*signer, now, &mut rng())
            .await
            .map_err(AuthorityError::SetUp)?;
        Ok(StoredAuthority {
            wrapped_key: STANDARD.encode(&keys.data_key.wrapped),
            root: StoredRoot {
                certificate: root.to_pem(),
                key: Some(stored),
            },
            generations: Vec::new(),
            list_signers: Vec::new(),
        })
    }

    /// Adds an issuing CA that issues from `issues_from` on, with a responder of its own. Gives its number.
    pub async fn rotate(
        &mut self,
        keys: &AuthorityKeys,
        name: &str,
        kms_key: Option<&str>,
        issues_from: OffsetDateTime,
        now: OffsetDateTime,
    ) -> Result<u32, AuthorityError> {
        if self.generations.len() >= MAX_GENERATIONS {
            return Err(AuthorityError::Ceremony("the vendor has too many issuing CAs"));
        }
        let last = self.generations.last();
        if last.is_some_and(|last| last.issues_from > issues_from) {
            return Err(AuthorityError::Ceremony(
                "a newer issuing CA takes over later than that",
            ));
        }
        let number = last.map_or(1, |last| last.number + 1);
        let (root, root_key) = self.root(keys)?;
        let (stored, signer) = keys.make(&keys::issuing(number), kms_key).await?;
        let reused = |generation: &StoredGeneration| {
            generation.certificates().is_ok_and(|chain| {
                chain.first().and_then(Certificate::public_key) == Some(signer.public_key())
            })
        };
        if self.generations.iter().any(reused) {
            return Err(AuthorityError::Ceremony("the key is that of an older issuing CA"));
        }
        let issuing = ceremony::certify(
            Profile::IssuingCa,
            &ceremony::issuing_name(&keys.vendor, name, number).map_err(AuthorityError::SetUp)?,
            signer.public_key(),
            &Above {
                certificate: &root,
                key: &*root_key,
            },
            now,
            Profile::IssuingCa.max_years(),
            &mut rng(),
        )
        .await
        .map_err(AuthorityError::SetUp)?;
        let responder = new_responder(keys, name, number, &issuing, &*signer, now).await?;
        self.generations.push(StoredGeneration {
            number,
            chain: vec![issuing.to_pem(), root.to_pem()],
            key: stored,
            issues_from,
            retired: None,
            responder: Some(responder),
        });
        // What does not open again would be lost for good.
        self.open(keys)?;
        Ok(number)
    }

    /// Gives each generation whose responder is missing, or ends before `until`, a new one; says which.
    pub async fn renew_responders(
        &mut self,
        keys: &AuthorityKeys,
        name: &str,
        until: OffsetDateTime,
        now: OffsetDateTime,
    ) -> Result<Vec<u32>, AuthorityError> {
        let mut renewed = Vec::new();
        for generation in &mut self.generations {
            if let Some(responder) = &generation.responder
                && certificate(&responder.certificate)?.not_after() >= until
            {
                continue;
            }
            let chain = generation.certificates()?;
            let issuing = chain
                .first()
                .ok_or(AuthorityError::Unreadable("an issuing CA has no certificate"))?;
            if issuing.not_after() < now {
                continue;
            }
            let number = generation.number;
            let signer = keys.signer(&keys::issuing(number), &generation.key, issuing)?;
            generation.responder = Some(new_responder(keys, name, number, issuing, &*signer, now).await?);
            renewed.push(number);
        }
        Ok(renewed)
    }

    /// Adds a trust list signer under the platform's root; from now on it signs.
    pub async fn add_list_signer(
        &mut self,
        keys: &AuthorityKeys,
        name: &str,
        kms_key: Option<&str>,
        now: OffsetDateTime,
    ) -> Result<(), AuthorityError> {
        let number = self.list_signers.len() + 1;
        let (root, root_key) = self.root(keys)?;
        let (stored, signer) = keys.make(&keys::list_signer(number), kms_key).await?;
        let subject = ceremony::name(name, &format!("{} trust list signer {number}", keys.vendor))
            .map_err(AuthorityError::SetUp)?;
        let above = Above {
            certificate: &root,
            key: &*root_key,
        };
        let profile = Profile::TrustListSigner;
        let made = ceremony::certify(
            profile,
            &subject,
            signer.public_key(),
            &above,
            now,
            profile.max_years(),
            &mut rng(),
        )
        .await
        .map_err(AuthorityError::SetUp)?;
        self.list_signers.push(StoredSigner {
            certificate: made.to_pem(),
            key: stored,
        });
        self.list_signer(keys).map(|_| ())
    }

    /// The newest trust list signer.
    pub fn list_signer(&self, keys: &AuthorityKeys) -> Result<ListSigner, AuthorityError> {
        let newest = self
            .list_signers
            .last()
            .ok_or(AuthorityError::Unreadable("there is no trust list signer"))?;
        let certificate = certificate(&newest.certificate)?;
        let key = keys.signer(
            &keys::list_signer(self.list_signers.len()),
            &newest.key,
            &certificate,
        )?;
        Ok(ListSigner { certificate, key })
    }

    /// A certificate under the platform's root for a key that signs tickets, and the root. The key is the caller's.
    pub async fn certify_ticket_signer(
        &self,
        keys: &AuthorityKeys,
        name: &str,
        public_key: &PublicKey,
        now: OffsetDateTime,
    ) -> Result<[Certificate; 2], AuthorityError> {
        let (root, root_key) = self.root(keys)?;
        let subject = ceremony::name(name, &format!("{} ticket signer {}", keys.vendor, now.year()))
            .map_err(AuthorityError::SetUp)?;
        let above = Above {
            certificate: &root,
            key: &*root_key,
        };
        let profile = Profile::TicketSigner;
        let years = profile.max_years();
        let made = ceremony::certify(profile, &subject, public_key, &above, now, years, &mut rng())
            .await
            .map_err(AuthorityError::SetUp)?;
        Ok([made, root])
    }

    fn root(&self, keys: &AuthorityKeys) -> Result<(Certificate, Arc<dyn Signer>), AuthorityError> {
        let root = certificate(&self.root.certificate)?;
        let stored = self.root.key.as_ref().ok_or(AuthorityError::Ceremony(
            "the root's key was taken offline: bring it back for the ceremony",
        ))?;
        let key = keys.signer(keys::ROOT, stored, &root)?;
        Ok((root, key))
    }
}

impl StoredKey {
    /// The kind of key, for people.
    pub fn describe(&self) -> &str {
        match self {
            StoredKey::Software { .. } => "software",
            StoredKey::Kms { key_id } => key_id,
        }
    }
}

async fn new_responder(
    keys: &AuthorityKeys,
    name: &str,
    generation: u32,
    issuing: &Certificate,
    issuing_key: &dyn Signer,
    now: OffsetDateTime,
) -> Result<StoredSigner, AuthorityError> {
    let (stored, signer) = keys.make(&keys::responder(generation), None).await?;
    let certify = async {
        let subject = ceremony::name(name, &format!("{} OCSP responder {generation}", keys.vendor))?;
        let above = Above {
            certificate: issuing,
            key: issuing_key,
        };
        let profile = Profile::OcspResponder;
        let years = profile.max_years();
        ceremony::certify(
            profile,
            &subject,
            signer.public_key(),
            &above,
            now,
            years,
            &mut rng(),
        )
        .await
    };
    let made: Result<Certificate, CaError> = certify.await;
    Ok(StoredSigner {
        certificate: made.map_err(AuthorityError::SetUp)?.to_pem(),
        key: stored,
    })
}
