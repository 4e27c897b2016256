//! The application signature (证书申请签名): an SMS code that stands for the applicant's declaration of will.
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use tracing::info;
use utoipa::ToSchema;
use yinxin_lambda::problem::Code;
use yinxin_lambda::views::OrderView;
use yinxin_lambda::{Bearer, Json, Problem};
use yinxin_order::command::Command;
use yinxin_order::identifiers::{OrderId, china_date};
use yinxin_order::order::Order;
use yinxin_order::{Effect, Refusal, decide};
use yinxin_store::codes::{CODE_LIFETIME, CodeKey, RESEND_AFTER, StoredCode};
use yinxin_store::orders::Errand;
use yinxin_store::vault::random_bytes;
use yinxin_store::{Claim, StoreError, advance_with};

use crate::moves::Nothing;
use crate::{APPLICANT, App};

/// Errands of codes have places of their own, far from those of a version's effects.
const FIRST_CODE_SEQ: u32 = 1_000;
const CODE_SEQS: u32 = 8_000_000;

/// How often a lost race for the mobile's limit is run again.
const MAX_RACES: u32 = 3;

/// Where a code went.
#[derive(Serialize, ToSchema)]
pub struct CodeSent {
    /// The mobile, masked.
    #[schema(example = "151****0305")]
    sent_to: String,
    /// Seconds until the next code can be asked for.
    resend_after_s: i64,
}

/// The applicant's declaration of will.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Signature {
    /// The code from the SMS.
    #[schema(example = "123456")]
    code: String,
    /// The version of the vendor's certification practice statement (电子认证业务规则) that is consented to.
    #[schema(example = "1.0")]
    practice_statement: String,
}

/// Sends a code to the mobile of who applies.
#[utoipa::path(post, path = "/api/orders/{id}/codes", tag = "orders", params(("id" = OrderId, Path)), security(("order" = [])),
    request_body = Nothing,
    responses((status = 202, body = CodeSent), (status = "default", body = Problem, content_type = "application/problem+json")))]
pub async fn send_code(
    State(app): State<App>,
    Path(id): Path<String>,
    bearer: Bearer,
    Json(Nothing {}): Json<Nothing>,
) -> Result<(StatusCode, Json<CodeSent>), Problem> {
    let id = app.platform.applicant(&id, &bearer).await?;
    let order = app.platform.orders.load(&id).await?;
    let now = app.platform.now();
    // Whether a signature would be taken now; a code for one that would not is a nuisance.
    decide(
        &order,
        &Command::SignApplication {
            practice_statement: String::new(),
        },
        APPLICANT,
        now,
    )?;
    let personal = order.personal.as_ref().ok_or(Refusal::Erased)?;
    let mobile = personal.form.signature_mobile();
    let hashes = app.platform.vault.hashes().await?;
    let mobile_hash = hashes.lookup("mobile", mobile.as_str());
    let today = china_date(now).to_string();
    let mut used = app.platform.codes.mobile_use(&mobile_hash).await?;
    let mut next = used.after_one_more(now, &today)?;

    let key = CodeKey::Signature(id.clone());
    let digits = six_digits();
    let code = StoredCode {
        hash: hashes.code(&key.as_key(), &digits),
        expires_at: now + CODE_LIFETIME,
        tries: 0,
        used: false,
    };
    let errand = Errand {
        order: id.clone(),
        version: order.version,
        seq: FIRST_CODE_SEQ + u32::from_be_bytes(random_bytes()) % CODE_SEQS,
        effect: Effect::SendCode {
            sealed: app.platform.vault.seal_secret(&id, &digits).await?,
        },
    };
    let mut races = 0;
    loop {
        let stored = app
            .platform
            .codes
            .put_sms(&key, &code, &mobile_hash, &next, &errand)
            .await;
        match stored {
            Ok(()) => break,
            Err(StoreError::Conflict) if races < MAX_RACES => {
                races += 1;
                used = app.platform.codes.mobile_use(&mobile_hash).await?;
                next = used.after_one_more(now, &today)?;
            }
            Err(error) => return Err(error.into()),
        }
    }
    info!(order.id = %id, "a code for order {id} is on its way");
    let sent = CodeSent {
        sent_to: mobile.masked(),
        resend_after_s: RESEND_AFTER.whole_seconds(),
    };
    Ok((StatusCode::ACCEPTED, Json(sent)))
}

/// Signs the application with the code.
#[utoipa::path(post, path = "/api/orders/{id}/signature", tag = "orders", params(("id" = OrderId, Path)), security(("order" = [])),
    request_body = Signature,
    responses((status = 200, body = OrderView), (status = "default", body = Problem, content_type = "application/problem+json")))]
pub async fn sign(
    State(app): State<App>,
    Path(id): Path<String>,
    bearer: Bearer,
    Json(signature): Json<Signature>,
) -> Result<Json<OrderView>, Problem> {
    let id = app.platform.applicant(&id, &bearer).await?;
    let order = app.platform.orders.load(&id).await?;
    let now = app.platform.now();
    let version = &signature.practice_statement;
    let command = Command::SignApplication {
        practice_statement: version.clone(),
    };
    // A call that could not succeed costs no try.
    decide(&order, &command, APPLICANT, now)?;
    app.check_consent(&order, &signature.practice_statement).await?;
    let key = CodeKey::Signature(id.clone());
    app.platform
        .check_code(&key, &signature.code)
        .await
        .map_err(|problem| problem.at("/code"))?;
    let orders = app.platform.orders.as_ref();
    let order = advance_with(orders, order, &command, &APPLICANT, now, &[Claim::Code(key)]).await?;
    info!(order.id = %id, practice_statement = version, "the application {id} was signed, with consent to {version}");
    Ok(Json(OrderView::from(&order)))
}

impl App {
    /// The statement that is consented to has to be the vendor's current one.
    async fn check_consent(&self, order: &Order, version: &str) -> Result<(), Problem> {
        let vendor = self.platform.catalog.vendor(&order.vendor).await;
        let vendor = vendor.map_err(|error| match error {
            StoreError::NotFound => Problem::new(Code::NoSuchVendor),
            error => error.into(),
        })?;
        if vendor.practice_statement == version {
            Ok(())
        } else {
            Err(Problem::new(Code::ConsentMissing).at("/practice_statement"))
        }
    }
}

fn six_digits() -> String {
    // 2^64 is so far beyond 10^6 that the remainder is as good as uniform.
    format!("{:06}", u64::from_be_bytes(random_bytes()) % 1_000_000)
}
