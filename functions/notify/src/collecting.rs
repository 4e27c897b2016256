//! Collecting the password: whoever has the order's access token and reads the account's statement is shown it, once.
use axum::extract::{Path, State};
use axum::http::header::CACHE_CONTROL;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use time::Duration;
use tracing::{info, warn};
use utoipa::ToSchema;
use yinxin_lambda::idempotency::{IdempotencyKey, made_before};
use yinxin_lambda::problem::Code;
use yinxin_lambda::{Bearer, Json, Problem};
use yinxin_order::command::{Actor, Command};
use yinxin_order::effect::Sealed;
use yinxin_order::identifiers::OrderId;
use yinxin_order::order::Order;
use yinxin_order::password::{PasswordDelivery, PasswordOutcome, PasswordStatus};
use yinxin_order::refusal::Refusal;
use yinxin_store::claims::Idempotency;
use yinxin_store::codes::CodeRefusal;
use yinxin_store::{AdvanceError, Claim, StoreError, advance_with};
use zeroize::Zeroizing;

use crate::App;
use crate::memo_secret::MemoSecret;
use crate::password::memo_secret_key;

/// How long a call whose answer was lost is answered again, under the same idempotency key alone.
const ANSWER_REPEATED_FOR: Duration = Duration::minutes(10);

/// What the account's statement says.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Collection {
    /// The secret in the memo of the 0.01-yuan transfer (口令领取码); capitals and small letters are the same.
    #[schema(value_type = String, format = Password, min_length = 12, max_length = 12)]
    memo_secret: Entered,
}

/// Text that is wiped when dropped.
struct Entered(Zeroizing<String>);

impl<'de> Deserialize<'de> for Entered {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Entered(Zeroizing::new(text)))
    }
}

/// The password, shown once.
#[derive(Serialize, ToSchema)]
pub struct CollectedPassword<'a> {
    /// The UKey's user password.
    #[schema(format = Password)]
    password: &'a str,
}

/// Shows the UKey's password for the secret in the transfer's memo, once.
#[utoipa::path(post, path = "/api/orders/{id}/password", operation_id = "collectPassword", tag = "orders", security(("order" = [])),
    params(
        ("id" = OrderId, Path),
        ("Idempotency-Key" = Option<String>, Header, description = "16 to 128 characters; a call whose answer was lost is answered again under the same key, for ten minutes"),
    ),
    request_body = Collection,
    responses((status = 200, body = CollectedPassword), (status = "default", body = Problem, content_type = "application/problem+json")))]
pub async fn collect(
    State(app): State<App>,
    Path(id): Path<String>,
    bearer: Bearer,
    key: Option<IdempotencyKey>,
    Json(Collection { memo_secret }): Json<Collection>,
) -> Result<Response, Problem> {
    let id = app.platform.applicant(&id, &bearer).await?;
    // What cannot be a secret costs no try.
    let secret: MemoSecret = memo_secret.0.parse().map_err(|_| refused(CodeRefusal::Wrong))?;
    let order = app.platform.orders.load(&id).await?;
    let call = app.call(&id, key, &secret).await?;
    if let Some(password) = app.answered_before(&id, call.as_ref()).await? {
        return Ok(shown(&password));
    }
    match app.collected(order, &secret, call.clone()).await {
        Ok(password) => {
            info!(order.id = %id, "the password of order {id} was collected");
            Ok(shown(&password))
        }
        // Another call took it. Where it was the same one, repeated while the first was still at work, it has its answer.
        Err(problem) if problem.code() == Code::MemoSecretUsed.code() => {
            match app.answered_before(&id, call.as_ref()).await? {
                Some(password) => Ok(shown(&password)),
                None => Err(problem),
            }
        }
        Err(problem) => Err(problem),
    }
}

impl App {
    /// The memory of this call, under its key. What it made is kept sealed.
    async fn call(
        &self,
        id: &OrderId,
        key: Option<IdempotencyKey>,
        secret: &MemoSecret,
    ) -> Result<Option<Idempotency>, Problem> {
        let Some(key) = key else {
            return Ok(None);
        };
        let (now, hashes) = (self.platform.now(), self.platform.vault.hashes().await?);
        let scope = format!("password#{id}");
        Ok(Some(Idempotency {
            expires_at: (now + ANSWER_REPEATED_FOR).unix_timestamp(),
            ..key.claim(&hashes, &scope, secret.reveal(), "", now)
        }))
    }

    /// The password that the same call was answered before.
    async fn answered_before(
        &self,
        id: &OrderId,
        call: Option<&Idempotency>,
    ) -> Result<Option<Zeroizing<String>>, Problem> {
        let Some(call) = call else {
            return Ok(None);
        };
        let made = made_before(self.platform.orders.as_ref(), call, self.platform.now()).await?;
        match made {
            Some(sealed) => Ok(Some(self.platform.vault.open_secret(id, &Sealed(sealed)).await?)),
            None => Ok(None),
        }
    }

    /// Counts the try, compares, opens the password, and uses the secret up.
    async fn collected(
        &self,
        order: Order,
        secret: &MemoSecret,
        call: Option<Idempotency>,
    ) -> Result<Zeroizing<String>, Problem> {
        let platform = &self.platform;
        let id = order.id.clone();
        let (number, sealed) = collectable(&order)?;
        let code = memo_secret_key(&id, number);
        if let Err(refusal) = platform.try_code(&code, secret.reveal()).await? {
            // Whoever guesses leaves a trace; what was guessed does not.
            warn!(order.id = %id, "a memo secret for order {id} was refused: {refusal}");
            return Err(refused(refusal));
        }
        // Opened before it is used up: what KMS does not open now can be asked for again.
        let password = platform.vault.open_secret(&id, &sealed).await?;
        let command = Command::RecordPassword {
            number,
            outcome: PasswordOutcome::Collected,
        };
        let mut claims = vec![Claim::Code(code)];
        claims.extend(call.map(|call| {
            let made = sealed.0.clone();
            Claim::Idempotency(Idempotency { made, ..call })
        }));
        let (orders, now) = (platform.orders.as_ref(), platform.now());
        match advance_with(orders, order, &command, &Actor::Applicant, now, &claims).await {
            Ok(_) => Ok(password),
            Err(
                AdvanceError::Refused(Refusal::AlreadyRecorded) | AdvanceError::Store(StoreError::Claimed(_)),
            ) => Err(refused(CodeRefusal::Used)),
            Err(error) => Err(error.into()),
        }
    }
}

/// The sending whose secret opens the password now, and the password.
fn collectable(order: &Order) -> Result<(u8, Sealed), Problem> {
    let personal = order.personal.as_ref().ok_or(Refusal::Erased)?;
    let delivery = order.password.as_ref();
    if delivery.is_some_and(|delivery| delivery.status == PasswordStatus::Collected) {
        return Err(refused(CodeRefusal::Used));
    }
    match (
        delivery.filter(|delivery| PasswordDelivery::can_be_collected(delivery)),
        &personal.password,
    ) {
        (Some(delivery), Some(sealed)) => Ok((delivery.number, sealed.clone())),
        _ => Err(refused(CodeRefusal::Unknown)),
    }
}

fn refused(refusal: CodeRefusal) -> Problem {
    Problem::new(match refusal {
        CodeRefusal::Unknown => Code::MemoSecretUnknown,
        CodeRefusal::Used => Code::MemoSecretUsed,
        CodeRefusal::Expired => Code::MemoSecretExpired,
        CodeRefusal::Exhausted => Code::MemoSecretExhausted,
        CodeRefusal::Wrong => Code::MemoSecretWrong,
    })
    .at("/memo_secret")
}

fn shown(password: &str) -> Response {
    (
        [(CACHE_CONTROL, "no-store")],
        Json(CollectedPassword { password }),
    )
        .into_response()
}
