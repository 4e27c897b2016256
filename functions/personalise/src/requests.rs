//! The certificate request of a UKey, and the certificates that it gets.
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use yinxin_lambda::problem::Code;
use yinxin_lambda::session::Role;
use yinxin_lambda::views::OrderView;
use yinxin_lambda::{Bearer, Json, Problem};
use yinxin_order::issuance::{Certificates, SubmittedCsr};
use yinxin_order::state::State as OrderState;
use yinxin_order::{Command, Refusal};
use yinxin_pki::{Csr, sm3};
use yinxin_store::{AdvanceError, advance_with};

use crate::App;
use crate::orders::{personal, subject_name};

/// A UKey's request.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CsrBody {
    /// The PKCS#10 request, PEM, with the subject that the order shows.
    #[schema(max_length = 32768)]
    csr: String,
}

/// Hands in the request that was made in the UKey.
#[utoipa::path(
    post,
    path = "/api/personalise/orders/{id}/csr",
    operation_id = "submitCsr",
    tag = "personalise",
    params(("id" = String, Path, description = "The order's id or number")),
    request_body = CsrBody,
    security(("staff" = [])),
    responses(
        (status = 202, description = "The request lies with the CA, now or since an earlier call", body = OrderView),
        (status = 401, description = "No valid session", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Not an operator", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such order of this vendor", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "Another request was submitted, or the order does not take one now", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "The request is not usable: csr-malformed, csr-proof, csr-key, csr-subject", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn submit_csr(
    State(app): State<App>,
    bearer: Bearer,
    Path(id): Path<String>,
    Json(body): Json<CsrBody>,
) -> Result<(StatusCode, Json<OrderView>), Problem> {
    let platform = &app.platform;
    let staff = platform.staff(&bearer, Role::Operator).await?;
    let order = platform.order_for(&staff, &id).await?;
    let csr = Csr::from_pem(&body.csr)?;
    // The CA writes the subject from the order in any case; a request that asks for another is a mistake, perhaps
    // of the order. The kinds of strings may differ, as long as the texts do not.
    if csr.subject().attributes() != subject_name(&personal(&order)?.form)?.attributes() {
        return Err(Problem::new(Code::CsrSubject).at("/csr"));
    }
    let command = Command::SubmitCsr {
        csr: SubmittedCsr {
            key_sm3: hex::encode(sm3(&csr.public_key().to_spki_der())),
            pem: body.csr,
        },
    };
    let before = OrderView::from(&order);
    let orders = platform.orders.as_ref();
    let view = match advance_with(orders, order, &command, &staff.actor(), platform.now(), &[]).await {
        Ok(order) => OrderView::from(&order),
        Err(AdvanceError::Refused(Refusal::AlreadyRecorded)) => before,
        Err(error) => return Err(error.into()),
    };
    Ok((StatusCode::ACCEPTED, Json(view)))
}

/// That the CA is at work.
#[derive(Serialize, ToSchema)]
pub struct NotYet {
    /// Where the order stands.
    state: OrderState,
}

/// Fetches what the CA issued.
#[utoipa::path(
    get,
    path = "/api/personalise/orders/{id}/certificates",
    operation_id = "fetchCertificates",
    tag = "personalise",
    params(("id" = String, Path, description = "The order's id or number")),
    security(("staff" = [])),
    responses(
        (status = 200, description = "Both certificates, their chain and the enveloped encryption key", body = Certificates),
        (status = 202, description = "The CA is at work: ask again", body = NotYet),
        (status = 401, description = "No valid session", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Not an operator", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such order of this vendor", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "No request was submitted, or the CA could not issue for it", body = Problem, content_type = "application/problem+json"),
        (status = 410, description = "The personal data was erased", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn certificates(
    State(app): State<App>,
    bearer: Bearer,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let staff = app.platform.staff(&bearer, Role::Operator).await?;
    let order = app.platform.order_for(&staff, &id).await?;
    if let Some(certificates) = &personal(&order)?.certificates {
        return Ok(Json(certificates).into_response());
    }
    if order.state == OrderState::Issuing {
        let not_yet = NotYet { state: order.state };
        return Ok((StatusCode::ACCEPTED, Json(not_yet)).into_response());
    }
    let why = match &order.issuance_failure {
        Some(failure) => format!("the CA could not issue: {failure}"),
        None => "no certificate request was submitted".to_owned(),
    };
    Err(Problem::new(Code::CommandNotAllowed).because(&why))
}
