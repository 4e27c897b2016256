//! The history of a holder's encryption keys, found by one of the holder's orders.
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use yinxin_lambda::problem::Code;
use yinxin_lambda::session::Role;
use yinxin_lambda::views::timestamp;
use yinxin_lambda::{Bearer, Json, Problem};
use yinxin_store::key_history::KeyEntry;

use crate::App;
use crate::recoveries::newest_key;

/// Whose keys.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Whose {
    /// The id or number of an order of the holder; it may have been erased.
    order: String,
}

/// Encryption keys, newest first, 50 at most.
#[derive(Serialize, ToSchema)]
pub(crate) struct HolderKeys {
    /// The keys.
    keys: Vec<KeyView>,
}

/// An encryption key that was issued.
#[derive(Serialize, ToSchema)]
pub(crate) struct KeyView {
    /// The encryption certificate's serial number, hexadecimal.
    serial: String,
    /// The order that it was issued for.
    order_id: String,
    /// Whether the platform has it in escrow, so that it can be recovered.
    is_escrowed: bool,
    /// The first moment of the certificate's validity, RFC 3339.
    not_before: String,
    /// The last moment of its validity, RFC 3339.
    not_after: String,
    /// When it was issued, RFC 3339.
    issued_at: String,
}

impl From<KeyEntry> for KeyView {
    fn from(key: KeyEntry) -> Self {
        KeyView {
            serial: key.serial,
            order_id: key.order.to_string(),
            is_escrowed: key.is_escrowed,
            not_before: timestamp(key.not_before),
            not_after: timestamp(key.not_after),
            issued_at: timestamp(key.created_at),
        }
    }
}

/// Lists the encryption keys that the holder of an order has from the officer's vendor.
#[utoipa::path(
    get,
    path = "/api/review/holders/keys",
    operation_id = "listHolderKeys",
    tag = "review",
    params(Whose),
    security(("staff" = [])),
    responses(
        (status = 200, body = HolderKeys),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "`parameter-invalid`"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "`token-missing`, `session-invalid`"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "`role-missing`"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "`key-not-found`"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "`busy`"),
    )
)]
pub(crate) async fn keys(
    State(app): State<App>,
    bearer: Bearer,
    whose: Result<Query<Whose>, QueryRejection>,
) -> Result<Json<HolderKeys>, Problem> {
    let officer = app.platform.staff(&bearer, Role::Officer).await?;
    let Query(whose) = whose.map_err(|_| Problem::new(Code::ParameterInvalid))?;
    let known = newest_key(&app, &officer, &whose.order).await?;
    let history = app.platform.key_history.as_ref();
    let keys = history.keys_of_holder(&known.holder, &officer.vendor).await?;
    Ok(Json(HolderKeys {
        keys: keys.into_iter().map(KeyView::from).collect(),
    }))
}
