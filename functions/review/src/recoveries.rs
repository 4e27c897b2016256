//! Recoveries of escrowed encryption keys: one officer asks, another approves, either may stop it (docs/escrow.md).
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use serde::Deserialize;
use tracing::info;
use utoipa::{IntoParams, ToSchema};
use yinxin_lambda::problem::Code;
use yinxin_lambda::session::{Role, Staff};
use yinxin_lambda::{Bearer, Json, Problem};
use yinxin_order::identifiers::{OrderId, RecoveryId};
use yinxin_order::issuance::SubmittedCsr;
use yinxin_order::recovery::{EscrowedKey, Private, Reason, Recovery, RecoveryCommand};
use yinxin_pki::{Csr, sm3};
use yinxin_store::StoreError;
use yinxin_store::key_history::KeyEntry;
use yinxin_store::recoveries::{advance_recovery, audit_subject};
use yinxin_store::vault::random_bytes;

use crate::App;
use crate::recovery_view::{Form, RecoveryView, Variant};

/// Which key is needed, why, and for which new token.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RecoveryBody {
    /// The encryption certificate's serial number, hexadecimal; or else `order`.
    #[schema(max_length = 40, example = "3f0c5a7e9b1d24680a1b2c3d4e5f6071")]
    serial: Option<String>,
    /// The id or number of the order that the certificate was issued for; its newest key is meant.
    order: Option<String>,
    /// Why the key is needed.
    #[schema(
        min_length = 10,
        max_length = 500,
        example = "原介质损坏，需恢复加密密钥以解密历史投标文件"
    )]
    reason: String,
    /// A PKCS#10 request of the new token, PEM: its signing key, with the proof of possession.
    #[schema(max_length = 32768)]
    csr: String,
}

/// Nothing needs to be said.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RecoveryApproval {}

/// Why a recovery is stopped.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RecoveryRejection {
    /// What is wrong.
    #[schema(
        min_length = 10,
        max_length = 500,
        example = "申请人身份未核实，请线下核验后再申请"
    )]
    reason: String,
}

/// Asks for the recovery of an encryption key to a new token.
#[utoipa::path(
    post,
    path = "/api/review/recoveries",
    operation_id = "requestRecovery",
    tag = "review",
    request_body = RecoveryBody,
    security(("staff" = [])),
    responses(
        (status = 201, body = RecoveryView),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "`not-json`"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "`token-missing`, `session-invalid`"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "`role-missing`"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "`key-not-found`"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "`key-not-escrowed`"),
        (status = 422, body = Problem, content_type = "application/problem+json", description = "`body-shape`, `csr-malformed`, `csr-proof`, `csr-key`"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "`busy`"),
    )
)]
pub(crate) async fn request(
    State(app): State<App>,
    bearer: Bearer,
    Json(body): Json<RecoveryBody>,
) -> Result<(StatusCode, Json<RecoveryView>), Problem> {
    let platform = &app.platform;
    let officer = platform.staff(&bearer, Role::Officer).await?;
    let reason = reason(body.reason)?;
    let csr = Csr::from_pem(&body.csr)?;
    let key = match (&body.serial, &body.order) {
        (Some(serial), None) => key_of_serial(&app, &officer, serial).await?,
        (None, Some(order)) => newest_key(&app, &officer, order).await?,
        _ => return Err(Problem::new(Code::BodyShape).because("either a serial number or an order is named")),
    };
    if !key.is_escrowed {
        return Err(Problem::new(Code::KeyNotEscrowed));
    }
    let key = EscrowedKey {
        serial: key.serial,
        order: key.order,
        request: key.request,
    };
    let private = Private {
        reason,
        csr: SubmittedCsr {
            key_sm3: hex::encode(sm3(&csr.public_key().to_spki_der())),
            pem: body.csr,
        },
        rejection: None,
        delivery: None,
    };
    let (id, by) = (RecoveryId::from_random(random_bytes()), officer.actor());
    let asked = Recovery::request(id, officer.vendor.clone(), key, private, &by, platform.now())?;
    platform.recoveries.save_recovery(&asked).await?;
    let (id, account) = (&asked.recovery.id, &officer.account);
    info!(recovery.id = %id, account, "recovery {id} was asked for by the officer {account}");
    Ok((
        StatusCode::CREATED,
        Json(RecoveryView::of(&asked.recovery, platform.now())),
    ))
}

/// Lets a recovery happen that another officer asked for.
#[utoipa::path(
    post,
    path = "/api/review/recoveries/{id}/approve",
    operation_id = "approveRecovery",
    tag = "review",
    params(("id" = String, Path, description = "The recovery's id")),
    request_body = RecoveryApproval,
    security(("staff" = [])),
    responses(
        (status = 200, body = RecoveryView),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "`token-missing`, `session-invalid`"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "`role-missing`"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "`recovery-not-found`"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "`recovery-same-officer`, `recovery-not-allowed`, `recovery-expired`"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "`busy`"),
    )
)]
pub(crate) async fn approve(
    State(app): State<App>,
    bearer: Bearer,
    Path(id): Path<String>,
    Json(RecoveryApproval {}): Json<RecoveryApproval>,
) -> Result<Json<RecoveryView>, Problem> {
    decide(&app, &bearer, &id, &RecoveryCommand::Approve, "approved").await
}

/// Stops a recovery, as long as the key was not enveloped.
#[utoipa::path(
    post,
    path = "/api/review/recoveries/{id}/reject",
    operation_id = "rejectRecovery",
    tag = "review",
    params(("id" = String, Path, description = "The recovery's id")),
    request_body = RecoveryRejection,
    security(("staff" = [])),
    responses(
        (status = 200, body = RecoveryView),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "`token-missing`, `session-invalid`"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "`role-missing`"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "`recovery-not-found`"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "`recovery-not-allowed`, `recovery-expired`"),
        (status = 422, body = Problem, content_type = "application/problem+json", description = "`body-shape`"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "`busy`"),
    )
)]
pub(crate) async fn reject(
    State(app): State<App>,
    bearer: Bearer,
    Path(id): Path<String>,
    Json(rejection): Json<RecoveryRejection>,
) -> Result<Json<RecoveryView>, Problem> {
    let command = RecoveryCommand::Reject(reason(rejection.reason)?);
    decide(&app, &bearer, &id, &command, "rejected").await
}

/// In which form the recovered key is wanted.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Wanted {
    /// `der` (`SM2EnvelopedKey`, GM/T 0009), if nothing is said, or `skf` (`ENVELOPEDKEYBLOB`, GM/T 0016).
    form: Option<Form>,
    /// Where the encrypted key stands in the blob: `a` (right-aligned), if nothing is said, or `c` (left-aligned).
    variant: Option<Variant>,
}

/// Shows a recovery, with its trail, and the enveloped key once it is there.
#[utoipa::path(
    get,
    path = "/api/review/recoveries/{id}",
    operation_id = "showRecovery",
    tag = "review",
    params(("id" = String, Path, description = "The recovery's id"), Wanted),
    security(("staff" = [])),
    responses(
        (status = 200, body = RecoveryView),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "`parameter-invalid`"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "`token-missing`, `session-invalid`"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "`role-missing`"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "`recovery-not-found`"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "`busy`"),
    )
)]
pub(crate) async fn show(
    State(app): State<App>,
    bearer: Bearer,
    Path(id): Path<String>,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Result<Json<RecoveryView>, Problem> {
    let platform = &app.platform;
    let officer = platform.staff(&bearer, Role::Officer).await?;
    let Query(wanted) = wanted.map_err(|_| Problem::new(Code::ParameterInvalid))?;
    let form = wanted.form.unwrap_or(Form::Der);
    if form == Form::Der && wanted.variant.is_some() {
        return Err(Problem::new(Code::ParameterInvalid).because("only the form skf has variants"));
    }
    let recovery = recovery_of(&app, &officer, &id).await?;
    let trail = platform
        .audits
        .audit_of(&audit_subject(&recovery.key.order))
        .await?;
    let (id, account) = (&recovery.id, &officer.account);
    info!(recovery.id = %id, account, "recovery {id} was shown to the officer {account}");
    let view = RecoveryView::of(&recovery, platform.now())
        .with_trail(&recovery, trail)
        .with_delivery(&recovery, form, wanted.variant.unwrap_or(Variant::A))?;
    Ok(Json(view))
}

async fn decide(
    app: &App,
    bearer: &Bearer,
    id: &str,
    command: &RecoveryCommand,
    done: &str,
) -> Result<Json<RecoveryView>, Problem> {
    let platform = &app.platform;
    let officer = platform.staff(bearer, Role::Officer).await?;
    let recovery = recovery_of(app, &officer, id).await?;
    let (recoveries, by) = (platform.recoveries.as_ref(), officer.actor());
    let recovery = advance_recovery(recoveries, recovery, command, &by, platform.now()).await?;
    let (id, account) = (&recovery.id, &officer.account);
    info!(recovery.id = %id, account, "recovery {id} was {done} by the officer {account}");
    Ok(Json(RecoveryView::of(&recovery, platform.now())))
}

/// A recovery of the officer's vendor. Another vendor's looks as if it did not exist.
async fn recovery_of(app: &App, officer: &Staff, id: &str) -> Result<Recovery, Problem> {
    let not_found = || Problem::new(Code::RecoveryNotFound);
    let id: RecoveryId = id.parse().map_err(|_| not_found())?;
    match app.platform.recoveries.recovery(&id).await {
        Ok(recovery) if recovery.vendor == officer.vendor => Ok(recovery),
        Ok(_) | Err(StoreError::NotFound) => Err(not_found()),
        Err(error) => Err(error.into()),
    }
}

async fn key_of_serial(app: &App, officer: &Staff, serial: &str) -> Result<KeyEntry, Problem> {
    let not_found = || Problem::new(Code::KeyNotFound).at("/serial");
    // RFC 5280, 4.1.2.2: at most 20 octets.
    if serial.is_empty() || serial.len() > 40 || !serial.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(not_found());
    }
    let key = app
        .platform
        .key_history
        .key_of(&serial.to_ascii_lowercase())
        .await?;
    key.filter(|key| key.vendor == officer.vendor)
        .ok_or_else(not_found)
}

/// The newest key of an order, found by the order's id alone: the order may have been erased.
pub(crate) async fn newest_key(app: &App, officer: &Staff, order: &str) -> Result<KeyEntry, Problem> {
    let platform = &app.platform;
    let not_found = || Problem::new(Code::KeyNotFound);
    let id = match (order.parse::<OrderId>(), order.parse()) {
        (Ok(id), _) => id,
        (_, Ok(number)) => match platform.orders.find(&number).await {
            Err(StoreError::NotFound) => return Err(not_found()),
            found => found?,
        },
        _ => return Err(not_found()),
    };
    let keys = platform.key_history.keys_of_order(&id).await?;
    keys.into_iter()
        .find(|key| key.vendor == officer.vendor)
        .ok_or_else(not_found)
}

fn reason(text: String) -> Result<Reason, Problem> {
    Reason::try_from(text).map_err(|invalid| {
        Problem::new(Code::BodyShape)
            .at("/reason")
            .because(&invalid.to_string())
    })
}
