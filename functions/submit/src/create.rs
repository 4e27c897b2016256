//! `POST /api/orders`: captcha, catalogue, intake, identity checks, then the first version of an order.
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use tracing::info;
use utoipa::ToSchema;
use yinxin_lambda::idempotency::{IdempotencyKey, made_before};
use yinxin_lambda::problem::Code;
use yinxin_lambda::{Json, Problem};
use yinxin_order::form::{ApplicationForm, Subject};
use yinxin_order::identifiers::{OrderId, ProductId, VendorId, china_date};
use yinxin_order::kind::Kind;
use yinxin_order::order::{NewOrder, Order, Product};
use yinxin_order::state::State as OrderState;
use yinxin_store::catalog::SubjectKind;
use yinxin_store::vault::random_bytes;
use yinxin_store::{Claim, StoreError};

use crate::{APPLICANT, App};

/// What an order is made from.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateOrder {
    /// Who is to issue.
    vendor: VendorId,
    /// What is bought.
    product: ProductId,
    /// The application form.
    form: ApplicationForm,
    /// The answer to a captcha.
    captcha: CaptchaAnswer,
    /// The `uid` of the intake that the applicant came with.
    intake: Option<String>,
}

/// The answer to a captcha.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CaptchaAnswer {
    /// Which captcha.
    captcha_id: String,
    /// The characters in the picture, in any case.
    #[schema(example = "K7MP")]
    answer: String,
}

/// What a repeated call has to have in common with the first: all but the captcha, of which each is good once.
#[derive(Serialize)]
struct Repeatable<'a> {
    vendor: &'a VendorId,
    product: &'a ProductId,
    form: &'a ApplicationForm,
    intake: Option<&'a str>,
}

/// A new order.
#[derive(Serialize, ToSchema)]
pub struct OrderCreated {
    /// The order's id.
    order_id: String,
    /// The bearer token of all further calls for this order.
    access_token: String,
    /// Where the order stands.
    state: OrderState,
    /// The price in fen.
    price_fen: i64,
}

/// Creates an order after the identity checks.
#[utoipa::path(post, path = "/api/orders", tag = "orders",
    params(("Idempotency-Key" = String, Header, description = "16 to 128 characters; a repeated call is answered as the first one")),
    request_body = CreateOrder,
    responses((status = 201, body = OrderCreated), (status = "default", body = Problem, content_type = "application/problem+json")))]
pub async fn create_order(
    State(app): State<App>,
    key: IdempotencyKey,
    Json(new): Json<CreateOrder>,
) -> Result<(StatusCode, Json<OrderCreated>), Problem> {
    let platform = &app.platform;
    let now = platform.now();
    let hashes = platform.vault.hashes().await?;
    let id = OrderId::from_random(random_bytes());
    let body = serde_json::to_string(&Repeatable {
        vendor: &new.vendor,
        product: &new.product,
        form: &new.form,
        intake: new.intake.as_deref(),
    })
    .map_err(|_| Problem::new(Code::Internal))?;
    let claim = key.claim(&hashes, "orders", &body, id.as_str(), now);
    if let Some(made) = made_before(platform.orders.as_ref(), &claim, now).await? {
        return app.answer_again(&made).await;
    }
    app.check_captcha(&new.captcha.captcha_id, &new.captcha.answer)
        .await?;
    let product = app.product(&new.vendor, &new.product, &new.form).await?;
    if let Some(intake) = &new.intake {
        app.compare_with_intake(intake, &new.form).await?;
    }
    new.form
        .check_birth_dates(china_date(now))
        .map_err(|invalid| Problem::from(invalid).at("/form"))?;
    let checks = app.check_identities(&new.form, None).await?;
    let new = NewOrder {
        id,
        kind: Kind::New,
        vendor: new.vendor,
        product,
        form: new.form,
        checks,
        intake: new.intake,
    };
    let (order, event) = Order::create(new, APPLICANT, now);
    let claims = [Claim::Idempotency(claim.clone())];
    match platform.orders.create(&order, &event, &claims).await {
        Ok(()) => {
            info!(order.id = %order.id, "order {} was created", order.id);
            app.answer(&order).await
        }
        // The same call was first in another process.
        Err(StoreError::Claimed("idempotency")) => {
            match made_before(platform.orders.as_ref(), &claim, now).await? {
                Some(made) => app.answer_again(&made).await,
                None => Err(Problem::new(Code::Busy)),
            }
        }
        Err(error) => Err(error.into()),
    }
}

impl App {
    /// The vendor's product for the form's kind of holder.
    async fn product(
        &self,
        vendor: &VendorId,
        product: &ProductId,
        form: &ApplicationForm,
    ) -> Result<Product, Problem> {
        let vendor = self.platform.catalog.vendor(vendor).await;
        let vendor = vendor.map_err(|error| match error {
            StoreError::NotFound => Problem::new(Code::NoSuchVendor).at("/vendor"),
            error => error.into(),
        })?;
        let subject = match form.subject() {
            Subject::Unit => SubjectKind::Unit,
            Subject::Person => SubjectKind::Person,
        };
        vendor
            .products
            .into_iter()
            .find(|offer| offer.subject == subject && offer.product.id == *product)
            .map(|offer| offer.product)
            .ok_or_else(|| Problem::new(Code::NoSuchProduct).at("/product"))
    }

    async fn answer_again(&self, made: &str) -> Result<(StatusCode, Json<OrderCreated>), Problem> {
        let id: OrderId = made.parse().map_err(|_| Problem::new(Code::Internal))?;
        let order = self.platform.orders.load(&id).await?;
        self.answer(&order).await
    }

    async fn answer(&self, order: &Order) -> Result<(StatusCode, Json<OrderCreated>), Problem> {
        let created = OrderCreated {
            order_id: order.id.to_string(),
            access_token: self.platform.vault.hashes().await?.access_token(&order.id),
            state: order.state,
            price_fen: order.product.price.fen(),
        };
        Ok((StatusCode::CREATED, Json(created)))
    }
}
