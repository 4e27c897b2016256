//! Carries out an operation with what the holder typed. Blocks; called on a thread of its own.
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use time::OffsetDateTime;
use yinxin_pki::Certificate;
use zeroize::Zeroizing;

use super::{Asker, Asks, Ciphertext, Job, Operation, OperationError, renewal, signing, tokens::Tokens};
use crate::{
    personalise::Personalisation,
    pin::Pin,
    platform::{Pace, Platform, Reference},
    token::{Token, TokenError, Usage, containers::selected_first, vault::Cost},
};

/// What the holder typed, judged by the rules for PINs.
pub struct Entered {
    pin: Option<Pin>,
    new: Option<Pin>,
}

/// What the agent brings along.
pub struct Context<'a> {
    /// Where tokens come from.
    pub tokens: &'a dyn Tokens,
    /// Base address of the platform's API, for personalising.
    pub api: Option<&'a str>,
    /// The time.
    pub now: OffsetDateTime,
}

impl Entered {
    /// Judges what was typed for an operation that asks for these entries; `new` stands twice.
    pub fn new(
        asks: Asks,
        pin: Option<Zeroizing<String>>,
        new: Option<(Zeroizing<String>, Zeroizing<String>)>,
    ) -> Result<Self, OperationError> {
        let fits = match asks {
            Asks::UserPin => pin.is_some() && new.is_none(),
            Asks::NewUserPin | Asks::AdminPin => pin.is_some() && new.is_some(),
            Asks::NewPinAlone => pin.is_none() && new.is_some(),
        };
        if !fits {
            return Err(OperationError::Entries);
        }
        let new = match new {
            Some((new, again)) if *new == *again && pin.as_ref() != Some(&new) => Some(Pin::new(new)?),
            Some(_) => return Err(OperationError::NewPin),
            None => None,
        };
        Ok(Self {
            pin: pin.map(Pin::new).transpose()?,
            new,
        })
    }

    fn pin(&self) -> Result<&Pin, OperationError> {
        self.pin.as_ref().ok_or(OperationError::Entries)
    }

    fn new_pin(&self) -> Result<&Pin, OperationError> {
        self.new.as_ref().ok_or(OperationError::Entries)
    }
}

/// Does it. The token is opened, used and closed in here.
pub fn perform(job: &Job, entered: &Entered, context: &Context<'_>) -> Result<Value, OperationError> {
    let mut token = job.holder.open(context.tokens, job.operation.certificate())?;
    // Another program that logged out in the middle would end this login too. Personalising locks the token by itself.
    if !matches!(job.operation, Operation::Personalise { .. }) {
        token.lock()?;
    }
    let done = with_token(job, entered, context, token.as_mut());
    token.logout();
    done
}

fn with_token(
    job: &Job,
    entered: &Entered,
    context: &Context<'_>,
    token: &mut dyn Token,
) -> Result<Value, OperationError> {
    match &job.operation {
        Operation::ChangePin => {
            token.set_user_pin(entered.pin()?, entered.new_pin()?)?;
            return Ok(json!({ "changed": true }));
        }
        Operation::Unblock { .. } => {
            match &job.admin_pin {
                Some(admin) => token
                    .unblock(admin, entered.new_pin()?)
                    .map_err(|error| match error {
                        // Nothing that the holder could correct.
                        TokenError::WrongPin { left: 1.., .. } => OperationError::Authorisation,
                        error => error.into(),
                    })?,
                None => token.unblock(entered.pin()?, entered.new_pin()?)?,
            }
            return Ok(json!({ "unblocked": true, "token_serial": token.identity().serial }));
        }
        Operation::Personalise { session } => return personalise(job, session, entered, context, token),
        _ => {}
    }
    token.login(entered.pin()?)?;
    match &job.operation {
        Operation::Login(challenge) => {
            let Asker::Site(origin) = &job.asker else {
                return Err(OperationError::Fault);
            };
            challenge.answer(token, certificate(job)?, origin, context.now)
        }
        Operation::Sign { message, format } => {
            signing::message(token, certificate(job)?, message, *format, context.now)
        }
        Operation::SignDigest { digest, format } => {
            signing::digest(token, certificate(job)?, digest, *format, context.now)
        }
        Operation::Decrypt(ciphertext) => decrypt(token, certificate(job)?, ciphertext),
        Operation::RequestCertificates => {
            let csr = renewal::request(token, order(job)?)?;
            Ok(json!({ "token_serial": token.identity().serial, "csr": csr }))
        }
        Operation::WriteCertificates(renewal) => {
            let fingerprints = renewal.write(token, order(job)?, context.now)?;
            Ok(json!({
                "token_serial": token.identity().serial,
                "signing_certificate_sm3": fingerprints.signing_certificate_sm3,
                "encryption_certificate_sm3": fingerprints.encryption_certificate_sm3,
            }))
        }
        Operation::WriteSeal(seal) => {
            seal.write(token)?;
            Ok(json!({
                "token_serial": token.identity().serial,
                "seal_sm3": hex::encode(seal.content()),
            }))
        }
        Operation::ChangePin | Operation::Unblock { .. } | Operation::Personalise { .. } => {
            Err(OperationError::Fault)
        }
    }
}

fn order(job: &Job) -> Result<&str, OperationError> {
    let ticket = job.ticket.as_ref().ok_or(OperationError::Fault)?;
    Ok(&ticket.order)
}

fn certificate(job: &Job) -> Result<&Certificate, OperationError> {
    let usage = job.operation.certificate().unwrap_or(Usage::Signing);
    job.holder
        .certificate
        .as_ref()
        .ok_or(OperationError::NoCertificate(usage))
}

/// Decrypts with a token that is logged in.
pub fn decrypt(
    token: &mut dyn Token,
    certificate: &Certificate,
    ciphertext: &Ciphertext,
) -> Result<Value, OperationError> {
    let cannot_open = |error| match error {
        TokenError::Decryption => OperationError::CannotOpen,
        other => OperationError::Token(other),
    };
    let plaintext = match ciphertext {
        Ciphertext::Sm2(bytes) => decrypt_with_any(token, bytes).map_err(cannot_open)?,
        Ciphertext::Cms(envelope) => {
            let session_key = envelope
                .session_key_for(certificate)
                .ok_or(OperationError::NotForThisToken)?;
            // The session key does not leave the token, and every token can do this (GM/T 0016-2012, 7.6.24).
            let blocks = token
                .decrypt_under(session_key, envelope.ciphertext())
                .map_err(cannot_open)?;
            envelope
                .open_blocks(blocks)
                .map_err(|_| OperationError::CannotOpen)?
        }
    };
    Ok(json!({ "plaintext": STANDARD.encode(plaintext.as_slice()) }))
}

/// A bare ciphertext does not say which key it is for: the current one is tried first, then earlier ones.
fn decrypt_with_any(token: &mut dyn Token, ciphertext: &[u8]) -> Result<Zeroizing<Vec<u8>>, TokenError> {
    for container in selected_first(token)? {
        token.select(&container)?;
        match token.decrypt(ciphertext) {
            Err(TokenError::Decryption | TokenError::NoKey(_)) => {}
            decrypted => return decrypted,
        }
    }
    Err(TokenError::Decryption)
}

fn personalise(
    job: &Job,
    session: &Zeroizing<String>,
    entered: &Entered,
    context: &Context<'_>,
    token: &mut dyn Token,
) -> Result<Value, OperationError> {
    let api = context
        .api
        .ok_or(OperationError::NotConfigured("the address of the platform's API"))?;
    let order: Reference = order(job)?.parse().map_err(|_| OperationError::Fault)?;
    let session = Zeroizing::new(session.as_bytes().to_vec());
    let platform = Platform::new(api, &session, Pace::default())
        .map_err(|_| OperationError::NotConfigured("a usable address of the platform's API"))?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|_| OperationError::Fault)?;
    let outcome = runtime.block_on(
        Personalisation {
            token,
            platform: &platform,
            cost: Cost::STANDARD,
            clock: OffsetDateTime::now_utc,
            progress: &mut |_| {},
        }
        .run(&order, entered.pin()?),
    )?;
    Ok(outcome.to_json())
}
