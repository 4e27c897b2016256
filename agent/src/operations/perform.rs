//! Carries out an operation with what the holder typed. Blocks; called on a thread of its own.
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use time::OffsetDateTime;
use yinxin_pki::Certificate;
use zeroize::Zeroizing;

use super::{Asker, Asks, Ciphertext, Job, Operation, OperationError, signing, tokens::Tokens};
use crate::{
    personalise::Personalisation,
    pin::Pin,
    platform::{Pace, Platform, Reference},
    token::{Token, TokenError, Usage, vault::Cost},
};

/// What the holder typed, judged by the rules for PINs.
pub struct Entered {
    pin: Pin,
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
        pin: Zeroizing<String>,
        new: Option<(Zeroizing<String>, Zeroizing<String>)>,
    ) -> Result<Self, OperationError> {
        let new = match (asks, new) {
            (Asks::UserPin, None) => None,
            (Asks::NewUserPin | Asks::AdminPin, Some((new, again))) => {
                if *new != *again || *new == *pin {
                    return Err(OperationError::NewPin);
                }
                Some(Pin::new(new)?)
            }
            _ => return Err(OperationError::Entries),
        };
        Ok(Self {
            pin: Pin::new(pin)?,
            new,
        })
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
            let new = entered.new.as_ref().ok_or(OperationError::Entries)?;
            token.set_user_pin(&entered.pin, new)?;
            return Ok(json!({ "changed": true }));
        }
        Operation::Unblock => {
            let new = entered.new.as_ref().ok_or(OperationError::Entries)?;
            token.unblock(&entered.pin, new)?;
            return Ok(json!({ "unblocked": true, "token_serial": token.identity().serial }));
        }
        Operation::Personalise { session } => return personalise(job, session, entered, context, token),
        _ => {}
    }
    token.login(&entered.pin)?;
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
        Operation::WriteCertificates(renewal) => {
            let order = &job.ticket.as_ref().ok_or(OperationError::Fault)?.order;
            let fingerprints = renewal.write(token, order, context.now)?;
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
        Operation::ChangePin | Operation::Unblock | Operation::Personalise { .. } => {
            Err(OperationError::Fault)
        }
    }
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
        Ciphertext::Sm2(bytes) => token.decrypt(bytes).map_err(cannot_open)?,
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
    let order = &job.ticket.as_ref().ok_or(OperationError::Fault)?.order;
    let order: Reference = order.parse().map_err(|_| OperationError::Fault)?;
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
        .run(&order, &entered.pin),
    )?;
    Ok(json!({
        "order": { "id": outcome.order_id, "number": outcome.order_number },
        "token_serial": outcome.token_serial,
        "signing_certificate_sm3": outcome.fingerprints.signing_certificate_sm3,
        "encryption_certificate_sm3": outcome.fingerprints.encryption_certificate_sm3,
    }))
}
