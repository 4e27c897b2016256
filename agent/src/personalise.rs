//! Personalising a token for an order: key pair, CSR, certificates, password, report.
//!
//! Each step is written into the token before what follows it goes out, so that a second run after a crash at any
//! point goes on with the same key: see [`journal::State`].
use serde_json::{Value, json};
use time::OffsetDateTime;
use yinxin_pki::{
    Attribute, CsrBuilder, Name, PublicKey,
    name::NameError,
    oid, pem, sm3,
    symmetric::{KEY_BYTES, sm4_ecb_encrypt},
};
use zeroize::Zeroizing;

use crate::{
    pin::Pin,
    platform::{CsrAnswer, Order, Platform, PlatformError, Reference, SubjectAttribute, Written},
    token::{
        Token, TokenError, Usage,
        vault::{Cost, OpenError, PinSealed, rng},
    },
};

pub mod delivery;
pub mod journal;

use delivery::{Checked, DeliveryError};
pub use journal::Fingerprints;
use journal::{Journal, State};

/// What the pending password is sealed for.
const PASSWORD_PURPOSE: &[u8] = b"yinxin-agent pending password";

/// What has been done; told as it happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The signing key pair is in the token.
    SigningKey,
    /// The platform has the CSR.
    CsrSubmitted,
    /// The CA is at work.
    Waiting,
    /// Certificates and encryption key are in the token, and were read back.
    Written,
    /// The user PIN is the random password.
    PasswordSet,
    /// The platform has acknowledged.
    Reported,
}

/// What a personalised token holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The order's id.
    pub order_id: Reference,
    /// The order's number.
    pub order_number: Reference,
    /// The token's serial number.
    pub token_serial: String,
    /// SM3 of both certificates.
    pub fingerprints: Fingerprints,
}

impl Outcome {
    /// For programs.
    pub fn to_json(&self) -> Value {
        json!({
            "order": { "id": self.order_id, "number": self.order_number },
            "token_serial": self.token_serial,
            "signing_certificate_sm3": self.fingerprints.signing_certificate_sm3,
            "encryption_certificate_sm3": self.fingerprints.encryption_certificate_sm3,
        })
    }
}

/// Why a token is not personalised, or not yet.
#[derive(Debug, thiserror::Error)]
pub enum PersonaliseError {
    /// The token's refusal.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The platform's refusal or absence.
    #[error(transparent)]
    Platform(#[from] PlatformError),
    /// What the platform delivered does not fit this token.
    #[error(transparent)]
    Delivery(#[from] DeliveryError),
    /// The token holds keys that no order of this agent made.
    #[error("the token is not blank: it holds a key pair that was not made for this order")]
    NotBlank,
    /// The token was begun or finished for another order.
    #[error("the token belongs to order {0}: take a blank one")]
    OtherOrder(Reference),
    /// The order's subject cannot stand in a certificate.
    #[error("the order's subject cannot be written into a request")]
    Subject(#[source] NameError),
    /// The order's subject has an attribute that this agent does not know.
    #[error("the order's subject has the unknown attribute {0}")]
    Attribute(String),
    /// The CA takes longer than this run waits.
    #[error("the certificates are not there yet: run the same command again later")]
    NotYet,
    /// What was read back from the token is not what was written.
    #[error("the token does not hold what was written to it ({0}): do not mail it")]
    ReadBack(&'static str),
    /// The journal in the token is not readable.
    #[error("the token's journal of its personalisation is damaged")]
    Journal,
    /// Whether the PIN is the old one or the new one shows in a try, and only one is left.
    #[error("one try of the user PIN is left, which is too few to go on: unblock the token first")]
    TooFewTries,
    /// No random password.
    #[error("the system gives no random bytes")]
    Random(#[from] getrandom::Error),
}

/// A token, the platform, and how to tell what happens.
pub struct Personalisation<'a> {
    /// The token in the operator's hand.
    pub token: &'a mut dyn Token,
    /// The platform.
    pub platform: &'a Platform,
    /// What the sealing of the pending password costs.
    pub cost: Cost,
    /// The time, for the certificates' validity.
    pub clock: fn() -> OffsetDateTime,
    /// Is told of each step.
    pub progress: &'a mut dyn FnMut(Step),
}

/// The outcome, if the token is already personalised for this order; needs no PIN.
pub fn finished(token: &dyn Token, order: &Reference) -> Result<Option<Outcome>, PersonaliseError> {
    let Some(journal) = Journal::read(token)? else {
        return Ok(None);
    };
    if !journal.is_for(order) {
        return Err(PersonaliseError::OtherOrder(journal.order_number));
    }
    let State::Reported { fingerprints } = journal.state else {
        return Ok(None);
    };
    Ok(Some(Outcome {
        order_id: journal.order_id,
        order_number: journal.order_number,
        token_serial: token.identity().serial,
        fingerprints,
    }))
}

impl Personalisation<'_> {
    /// Does what is left to do. `pin` is the PIN that the operator gave the token, also on a second run.
    pub async fn run(&mut self, reference: &Reference, pin: &Pin) -> Result<Outcome, PersonaliseError> {
        if let Some(outcome) = finished(self.token, reference)? {
            return Ok(outcome);
        }
        self.token.lock()?;
        let journal = Journal::read(self.token)?;
        // A drawn password may already be the token's PIN: that step finds out for itself.
        if !matches!(
            journal,
            Some(Journal {
                state: State::PasswordDrawn { .. },
                ..
            })
        ) {
            self.token.login(pin)?;
        }
        let mut journal = match journal {
            Some(journal) => journal,
            None => self.start(reference).await?,
        };
        loop {
            journal.state = match journal.state.clone() {
                State::Started { subject } => self.make_request(&subject)?,
                State::CsrMade { csr } => self.submit(&journal, &csr).await?,
                State::CsrSubmitted => self.fetch_and_write(&journal).await?,
                State::Written { fingerprints } => self.draw_password(pin, fingerprints, 1)?,
                State::PasswordDrawn {
                    fingerprints,
                    attempt,
                    password,
                } => match self.take_over(pin, &password)? {
                    Some(password) => self.report(&journal, &password, fingerprints, attempt).await?,
                    None => self.draw_password(pin, fingerprints, attempt + 1)?,
                },
                State::Reported { .. } => break,
            };
            journal.write(self.token)?;
            self.tell(&journal.state);
        }
        self.token.logout();
        finished(self.token, reference)?.ok_or(PersonaliseError::Journal)
    }

    /// Takes a blank token for the order.
    async fn start(&mut self, reference: &Reference) -> Result<Journal, PersonaliseError> {
        for usage in [Usage::Signing, Usage::Encryption] {
            if self.token.public_key(usage)?.is_some() {
                return Err(PersonaliseError::NotBlank);
            }
        }
        let Order {
            id, number, subject, ..
        } = self.platform.order(reference).await?;
        // Judged before the token is given away to the order.
        subject_name(&subject)?;
        let journal = Journal {
            order_id: id,
            order_number: number,
            state: State::Started { subject },
        };
        journal.write(self.token)?;
        Ok(journal)
    }

    /// The CSR is kept: an SM2 signature is random, and a repeated POST must carry the same bytes.
    fn make_request(&mut self, subject: &[SubjectAttribute]) -> Result<State, PersonaliseError> {
        let subject = subject_name(subject)?;
        let key = match self.token.public_key(Usage::Signing)? {
            Some(key) => key,
            None => self.token.generate_signing_key()?,
        };
        let csr = CsrBuilder::new(&subject, &key).sign_with(|info| self.token.sign(info))?;
        Ok(State::CsrMade {
            csr: pem::encode(pem::CERTIFICATE_REQUEST, &csr),
        })
    }

    async fn submit(&mut self, journal: &Journal, csr: &str) -> Result<State, PersonaliseError> {
        let key = self.idempotency_key(journal, "csr", 1);
        match self.platform.submit_csr(&journal.order_id, csr, &key).await? {
            // Whether the CSR that is there is ours shows in the certificate's key.
            CsrAnswer::Accepted | CsrAnswer::AlreadyThere => Ok(State::CsrSubmitted),
        }
    }

    async fn fetch_and_write(&mut self, journal: &Journal) -> Result<State, PersonaliseError> {
        let pace = self.platform.pace();
        let deadline = tokio::time::Instant::now() + pace.patience;
        let mut wait = pace.first;
        let delivery = loop {
            if let Some(delivery) = self.platform.certificates(&journal.order_id).await? {
                break delivery;
            }
            (self.progress)(Step::Waiting);
            if tokio::time::Instant::now() + wait > deadline {
                return Err(PersonaliseError::NotYet);
            }
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(pace.longest);
        };
        let key = self
            .token
            .public_key(Usage::Signing)?
            .ok_or(TokenError::NoKey(Usage::Signing))?;
        let checked = delivery::check(&delivery, &key, (self.clock)())?;
        self.token.import_enveloped_key(&checked.enveloped_key)?;
        self.token.import_certificate(Usage::Signing, &checked.signing)?;
        self.token
            .import_certificate(Usage::Encryption, &checked.encryption)?;
        self.token.write_record(
            journal::CHAIN_RECORD,
            pem::encode_chain(&checked.chain).as_bytes(),
        )?;
        self.read_back(&checked)?;
        Ok(State::Written {
            fingerprints: Fingerprints::of(&checked.signing, &checked.encryption),
        })
    }

    /// Reads everything back and lets both private keys work once.
    fn read_back(&mut self, written: &Checked) -> Result<(), PersonaliseError> {
        for (usage, certificate) in [
            (Usage::Signing, &written.signing),
            (Usage::Encryption, &written.encryption),
        ] {
            if self.token.certificate(usage)?.as_ref() != Some(certificate) {
                return Err(PersonaliseError::ReadBack("a certificate differs"));
            }
            if self.token.public_key(usage)?.as_ref() != certificate.public_key() {
                return Err(PersonaliseError::ReadBack("a public key differs"));
            }
        }
        match (written.signing.public_key(), written.encryption.public_key()) {
            (Some(signing), Some(encryption)) => prove_keys(self.token, signing, encryption),
            _ => Err(PersonaliseError::ReadBack("a public key is no SM2 key")),
        }
    }

    /// Draws the password and keeps it under the operator's PIN until the platform has it: from here on a crash
    /// leaves a token whose PIN is known to someone, whichever PIN that is.
    fn draw_password(
        &mut self,
        pin: &Pin,
        fingerprints: Fingerprints,
        attempt: u32,
    ) -> Result<State, PersonaliseError> {
        let password = Pin::random()?;
        let password = PinSealed::seal(
            pin.reveal().as_bytes(),
            self.cost,
            PASSWORD_PURPOSE,
            password.reveal().as_bytes(),
        )
        .map_err(|_| TokenError::Cost)?;
        Ok(State::PasswordDrawn {
            fingerprints,
            attempt,
            password,
        })
    }

    /// Makes the pending password the token's PIN, if it is not already. `None` when it does not open although the
    /// PIN is the token's: someone unblocked the token in between, and another password must be drawn.
    fn take_over(&mut self, pin: &Pin, pending: &PinSealed) -> Result<Option<Pin>, PersonaliseError> {
        let password = match pending.open(pin.reveal().as_bytes(), PASSWORD_PURPOSE) {
            Ok(bytes) => pending_password(&bytes)?,
            Err(OpenError::Refused) => {
                // A wrong PIN ends here, and the token counts it.
                self.token.login(pin)?;
                return Ok(None);
            }
            Err(OpenError::Malformed) => return Err(PersonaliseError::Journal),
        };
        if self.token.tries_left()?.user.left < 2 {
            return Err(PersonaliseError::TooFewTries);
        }
        // The operator's PIN first: it still holds unless an earlier run came further than this.
        match self.token.login(pin) {
            Ok(()) => self.token.set_user_pin(pin, &password)?,
            Err(TokenError::WrongPin { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        self.token.login(&password)?;
        (self.progress)(Step::PasswordSet);
        Ok(Some(password))
    }

    async fn report(
        &mut self,
        journal: &Journal,
        password: &Pin,
        fingerprints: Fingerprints,
        attempt: u32,
    ) -> Result<State, PersonaliseError> {
        let held = (
            self.token.certificate(Usage::Signing)?,
            self.token.certificate(Usage::Encryption)?,
        );
        if !matches!(&held, (Some(signing), Some(encryption)) if Fingerprints::of(signing, encryption) == fingerprints)
        {
            return Err(PersonaliseError::ReadBack("a certificate has changed since"));
        }
        let token_serial = self.token.identity().serial;
        let written = Written {
            token_serial: &token_serial,
            signing_certificate_sm3: &fingerprints.signing_certificate_sm3,
            encryption_certificate_sm3: &fingerprints.encryption_certificate_sm3,
            password: password.reveal(),
        };
        let key = self.idempotency_key(journal, "written", attempt);
        self.platform
            .report_written(&journal.order_id, &written, &key)
            .await?;
        // This state has no room for the password: writing it erases what was pending.
        Ok(State::Reported { fingerprints })
    }

    /// The same for the same token, order and step, so that the platform knows a repeated call.
    fn idempotency_key(&self, journal: &Journal, step: &str, attempt: u32) -> String {
        let serial = self.token.identity().serial;
        let text = format!("yinxin-agent {serial} {} {step} {attempt}", journal.order_id);
        hex::encode(sm3(text.as_bytes()).first_chunk::<16>().unwrap_or(&[0; 16]))
    }

    fn tell(&mut self, state: &State) {
        match state {
            State::CsrMade { .. } => (self.progress)(Step::SigningKey),
            State::CsrSubmitted => (self.progress)(Step::CsrSubmitted),
            State::Written { .. } => (self.progress)(Step::Written),
            State::Reported { .. } => (self.progress)(Step::Reported),
            State::Started { .. } | State::PasswordDrawn { .. } => {}
        }
    }
}

/// Lets both private keys work once, and checks what comes out with the public ones. Needs the login.
pub fn prove_keys(
    token: &mut dyn Token,
    signing: &PublicKey,
    encryption: &PublicKey,
) -> Result<(), PersonaliseError> {
    let mut challenge = [0; 32];
    getrandom::fill(&mut challenge)?;
    let signature = token.sign(&challenge)?;
    signing
        .verify(&challenge, &signature)
        .map_err(|_| PersonaliseError::ReadBack("the signing key does not sign"))?;
    prove_encryption_key(token, encryption)
}

/// Lets the private encryption key work once, for what the public one encrypted. Needs the login.
pub fn prove_encryption_key(token: &mut dyn Token, encryption: &PublicKey) -> Result<(), PersonaliseError> {
    let mut challenge = [0; 32];
    getrandom::fill(&mut challenge)?;
    // By a session key, as a letter to the holder would come: every token can do that (GM/T 0016-2012, 7.6.24).
    let mut session_key = Zeroizing::new([0; KEY_BYTES]);
    getrandom::fill(session_key.as_mut())?;
    let wrapped = encryption.encrypt(session_key.as_ref(), &mut rng());
    let (Ok(wrapped), Some(blocks)) = (wrapped, sm4_ecb_encrypt(&session_key, &challenge)) else {
        return Err(PersonaliseError::ReadBack("the encryption key does not encrypt"));
    };
    if token.decrypt_under(&wrapped, &blocks)?.as_slice() == challenge {
        Ok(())
    } else {
        Err(PersonaliseError::ReadBack("the encryption key does not decrypt"))
    }
}

fn pending_password(bytes: &Zeroizing<Vec<u8>>) -> Result<Pin, PersonaliseError> {
    let text = std::str::from_utf8(bytes).map_err(|_| PersonaliseError::Journal)?;
    Pin::new(Zeroizing::new(text.to_owned())).map_err(|_| PersonaliseError::Journal)
}

fn subject_name(attributes: &[SubjectAttribute]) -> Result<Name, PersonaliseError> {
    let attribute = |attribute: &SubjectAttribute| {
        let kind = match attribute.r#type.as_str() {
            "C" => oid::COUNTRY,
            "ST" => oid::STATE,
            "L" => oid::LOCALITY,
            "O" => oid::ORGANIZATION,
            "OU" => oid::ORGANIZATIONAL_UNIT,
            "CN" => oid::COMMON_NAME,
            other => return Err(PersonaliseError::Attribute(other.escape_default().to_string())),
        };
        Ok(Attribute::new(kind, attribute.value.as_str()))
    };
    let attributes = attributes.iter().map(attribute).collect::<Result<Vec<_>, _>>()?;
    Name::new(attributes).map_err(PersonaliseError::Subject)
}
