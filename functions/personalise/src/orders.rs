//! The operator's list, and one order with the subject that a UKey's request has to carry.
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use yinxin_ca::Subject;
use yinxin_lambda::problem::Code;
use yinxin_lambda::session::Role;
use yinxin_lambda::views::OrderPage;
use yinxin_lambda::{Bearer, Json, Problem};
use yinxin_order::form::ApplicationForm;
use yinxin_order::order::Personal;
use yinxin_order::state::State as OrderState;
use yinxin_order::{Order, Refusal};
use yinxin_pki::{Name, oid};
use yinxin_store::StoreError;
use yinxin_store::orders::PAGE_LIMIT;

use crate::App;

/// The states in which an order waits for an operator.
const LISTED: &[OrderState] = &[
    OrderState::AwaitingPersonalisation,
    OrderState::AwaitingWriting,
    OrderState::AwaitingDispatch,
];

/// Which page of which list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    /// `awaiting_personalisation` (the default), `awaiting_writing` or `awaiting_dispatch`.
    state: Option<OrderState>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// The most orders to answer with: 1 to 50, 20 if not given.
    limit: Option<usize>,
}

const DEFAULT_LIMIT: usize = 20;

/// Lists the vendor's orders that wait for an operator, longest waiting first.
#[utoipa::path(
    get,
    path = "/api/personalise/orders",
    operation_id = "listOrdersToPersonalise",
    tag = "personalise",
    params(ListQuery),
    security(("staff" = [])),
    responses(
        (status = 200, description = "One page", body = OrderPage),
        (status = 400, description = "A parameter is not valid", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "No valid session", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Not an operator", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn list(
    State(app): State<App>,
    bearer: Bearer,
    query: Result<Query<ListQuery>, QueryRejection>,
) -> Result<Json<OrderPage>, Problem> {
    let staff = app.platform.staff(&bearer, Role::Operator).await?;
    let invalid = |what: &str| Problem::new(Code::ParameterInvalid).because(what);
    let Query(query) = query.map_err(|_| invalid("state or limit is none of the allowed values"))?;
    let state = query.state.unwrap_or(OrderState::AwaitingPersonalisation);
    if !LISTED.contains(&state) {
        return Err(invalid("orders in this state do not wait for an operator"));
    }
    let limit = query.limit.unwrap_or(DEFAULT_LIMIT);
    if !(1..=PAGE_LIMIT).contains(&limit) {
        return Err(invalid("limit is not between 1 and 50"));
    }
    let orders = &app.platform.orders;
    match orders
        .waiting(&staff.vendor, state, query.cursor.as_deref(), limit)
        .await
    {
        Err(StoreError::NotFound) => Err(invalid("cursor is not from this list")),
        page => Ok(Json(OrderPage::from(page?))),
    }
}

/// What is needed to personalise a UKey for an order, and to mail it.
#[derive(Serialize, ToSchema)]
pub struct OrderToPersonalise {
    /// The order's id, which the other calls take.
    id: String,
    /// The order number.
    number: String,
    /// The product's name.
    product: String,
    /// Where the order stands.
    state: OrderState,
    /// The subject that the request has to carry, in the order of the certificate.
    subject: Vec<SubjectAttribute>,
    /// Why the CA could not issue for the last request.
    #[serde(skip_serializing_if = "Option::is_none")]
    issuance_failure: Option<String>,
    /// Where the parcel goes; only while it is to be sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    mailing: Option<Recipient>,
}

/// One attribute of a subject.
#[derive(Serialize, ToSchema)]
pub struct SubjectAttribute {
    /// The short name as in RFC 4514: C, ST, O, CN.
    #[schema(example = "CN")]
    r#type: &'static str,
    /// The value as it stands in the certificate.
    value: String,
}

/// Where a parcel goes.
#[derive(Serialize, ToSchema)]
pub struct Recipient {
    name: String,
    mobile: String,
    province: String,
    city: String,
    address: String,
}

/// Shows one order by id or number.
#[utoipa::path(
    get,
    path = "/api/personalise/orders/{id}",
    operation_id = "showOrderToPersonalise",
    tag = "personalise",
    params(("id" = String, Path, description = "The order's id or number")),
    security(("staff" = [])),
    responses(
        (status = 200, description = "The order", body = OrderToPersonalise),
        (status = 401, description = "No valid session", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Not an operator", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such order of this vendor", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The order is not approved yet, or has ended", body = Problem, content_type = "application/problem+json"),
        (status = 410, description = "The personal data was erased", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn show(
    State(app): State<App>,
    bearer: Bearer,
    Path(id): Path<String>,
) -> Result<Json<OrderToPersonalise>, Problem> {
    let staff = app.platform.staff(&bearer, Role::Operator).await?;
    let order = app.platform.order_for(&staff, &id).await?;
    let personal = personal(&order)?;
    let number = order.number.as_ref().filter(|_| is_operators(order.state));
    let Some(number) = number else {
        return Err(Problem::new(Code::CommandNotAllowed)
            .because("the order is not approved, or has ended: there is nothing to personalise"));
    };
    Ok(Json(OrderToPersonalise {
        id: order.id.to_string(),
        number: number.to_string(),
        product: order.product.name.clone(),
        state: order.state,
        subject: attributes(&subject_name(&personal.form)?)?,
        issuance_failure: order.issuance_failure.clone(),
        mailing: (order.state == OrderState::AwaitingDispatch).then(|| recipient(&personal.form)),
    }))
}

/// Whether an order has come to the operator and has not ended otherwise.
fn is_operators(state: OrderState) -> bool {
    LISTED.contains(&state)
        || matches!(
            state,
            OrderState::Issuing | OrderState::AwaitingReceipt | OrderState::Completed
        )
}

/// The order's personal data.
pub(crate) fn personal(order: &Order) -> Result<&Personal, Problem> {
    order
        .personal
        .as_ref()
        .ok_or_else(|| Problem::from(Refusal::Erased))
}

/// The name that the CA will write.
pub(crate) fn subject_name(form: &ApplicationForm) -> Result<Name, Problem> {
    Subject::from(form)
        .name()
        .map_err(|error| Problem::new(Code::Internal).because(&error.to_string()))
}

fn attributes(name: &Name) -> Result<Vec<SubjectAttribute>, Problem> {
    let short = |oid| {
        Some(match oid {
            oid::COUNTRY => "C",
            oid::STATE => "ST",
            oid::LOCALITY => "L",
            oid::ORGANIZATION => "O",
            oid::ORGANIZATIONAL_UNIT => "OU",
            oid::COMMON_NAME => "CN",
            _ => return None,
        })
    };
    let shown = name.attributes().iter().map(|attribute| {
        short(attribute.oid).map(|r#type| SubjectAttribute {
            r#type,
            value: attribute.value.clone(),
        })
    });
    shown.collect::<Option<Vec<_>>>().ok_or_else(|| {
        Problem::new(Code::Internal).because("the subject has an attribute without a short name")
    })
}

fn recipient(form: &ApplicationForm) -> Recipient {
    let mailing = form.mailing();
    Recipient {
        name: form.contact_name().as_str().to_owned(),
        mobile: form.notice_mobile().as_str().to_owned(),
        province: mailing.province.as_str().to_owned(),
        city: mailing.city.as_str().to_owned(),
        address: mailing.address.as_str().to_owned(),
    }
}
