//! What became of the UKey: written and read back, then mailed.
use axum::extract::{Path, State};
use serde::Deserialize;
use utoipa::ToSchema;
use yinxin_lambda::idempotency::IdempotencyKey;
use yinxin_lambda::problem::Code;
use yinxin_lambda::session::{Role, Staff};
use yinxin_lambda::views::OrderView;
use yinxin_lambda::{Bearer, Json, Problem};
use yinxin_order::issuance::WrittenToken;
use yinxin_order::parcel::Parcel;
use yinxin_order::{Command, Order, Refusal};
use yinxin_store::{AdvanceError, advance_with};
use zeroize::Zeroizing;

use crate::App;

/// The lengths of a user password; devices (GM/T 0016) take no longer one.
const PASSWORD_CHARACTERS: std::ops::RangeInclusive<usize> = 6..=16;
/// The longest serial number of a UKey; devices (GM/T 0016, `DEVINFO`) have 32 bytes.
const MAX_SERIAL_CHARACTERS: usize = 32;
const MAX_PARCEL_CHARACTERS: usize = 32;
const DIGEST_CHARACTERS: usize = 64;

/// A parcel that was handed to a courier.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewParcel {
    /// The courier's name or code, for example `顺丰` or `ems`; its way is followed where the name is known.
    #[schema(max_length = 32)]
    carrier: String,
    /// The tracking number (快递单号).
    #[schema(max_length = 32)]
    waybill: String,
}

/// What the agent read back from the UKey.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WrittenBody {
    /// The UKey's serial number (介质号).
    #[schema(max_length = 32)]
    token_serial: String,
    /// SM3 of the signing certificate that was read back, hex.
    #[schema(min_length = 64, max_length = 64)]
    signing_certificate_sm3: String,
    /// SM3 of the encryption certificate that was read back, hex.
    #[schema(min_length = 64, max_length = 64)]
    encryption_certificate_sm3: String,
    /// The user password that the agent drew and set; it goes to the holder and to nobody else.
    #[schema(value_type = String, format = Password, min_length = 6, max_length = 16)]
    password: Password,
}

/// A password on its way through; wiped when dropped.
struct Password(Zeroizing<String>);

impl<'de> Deserialize<'de> for Password {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Password(Zeroizing::new(text)))
    }
}

/// Confirms what was written to the UKey and read back.
#[utoipa::path(
    post,
    path = "/api/personalise/orders/{id}/written",
    operation_id = "confirmWritten",
    tag = "personalise",
    params(
        ("id" = String, Path, description = "The order's id or number"),
        ("Idempotency-Key" = String, Header, description = "16 to 128 characters, the same for repeats of one report"),
    ),
    request_body = WrittenBody,
    security(("staff" = [])),
    responses(
        (status = 200, description = "Confirmed, now or by an earlier call", body = OrderView),
        (status = 401, description = "No valid session", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Not an operator", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such order of this vendor", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "What was read back is not what was issued, or the order does not take it now", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A value is not well-formed", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn confirm_written(
    State(app): State<App>,
    bearer: Bearer,
    key: IdempotencyKey,
    Path(id): Path<String>,
    Json(body): Json<WrittenBody>,
) -> Result<Json<OrderView>, Problem> {
    let staff = app.platform.staff(&bearer, Role::Operator).await?;
    let order = app.platform.order_for(&staff, &id).await?;
    let hashes = app.platform.vault.hashes().await?;
    let written = WrittenToken {
        // A password that was drawn anew comes under a new key: it must not pass for the first one.
        report: key.hash(&hashes, "written"),
        token_serial: serial(&body.token_serial)?,
        signing_certificate_sm3: digest(&body.signing_certificate_sm3, "/signing_certificate_sm3")?,
        encryption_certificate_sm3: digest(&body.encryption_certificate_sm3, "/encryption_certificate_sm3")?,
    };
    check_password(&body.password)?;
    let password = app
        .platform
        .vault
        .seal_secret(&order.id, &body.password.0)
        .await?;
    let command = Command::ConfirmWritten { written, password };
    advanced(&app, &staff, order, &command).await
}

pub(crate) fn serial(text: &str) -> Result<String, Problem> {
    let fits =
        (1..=MAX_SERIAL_CHARACTERS).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
    if fits {
        Ok(text.to_owned())
    } else {
        Err(shape(
            "a serial number has 1 to 32 printable characters",
            "/token_serial",
        ))
    }
}

fn digest(text: &str, pointer: &str) -> Result<String, Problem> {
    if text.len() == DIGEST_CHARACTERS && text.bytes().all(|b| b.is_ascii_hexdigit()) {
        Ok(text.to_ascii_lowercase())
    } else {
        Err(shape("an SM3 digest has 64 hexadecimal digits", pointer))
    }
}

fn check_password(password: &Password) -> Result<(), Problem> {
    let text = password.0.as_str();
    if PASSWORD_CHARACTERS.contains(&text.chars().count()) && text.bytes().all(|b| b.is_ascii_graphic()) {
        return Ok(());
    }
    Err(Problem::new(Code::PasswordForm)
        .because("it has another length, or other characters")
        .at("/password"))
}

/// Notes that the UKey was mailed.
#[utoipa::path(
    post,
    path = "/api/personalise/orders/{id}/dispatch",
    operation_id = "dispatchToken",
    tag = "personalise",
    params(("id" = String, Path, description = "The order's id or number")),
    request_body = NewParcel,
    security(("staff" = [])),
    responses(
        (status = 200, description = "Noted, now or by an earlier call", body = OrderView),
        (status = 401, description = "No valid session", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Not an operator", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such order of this vendor", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The order does not take it now", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A value is not well-formed", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn dispatch(
    State(app): State<App>,
    bearer: Bearer,
    Path(id): Path<String>,
    Json(parcel): Json<NewParcel>,
) -> Result<Json<OrderView>, Problem> {
    let staff = app.platform.staff(&bearer, Role::Operator).await?;
    let order = app.platform.order_for(&staff, &id).await?;
    let parcel = parcel.parse()?;
    advanced(&app, &staff, order, &Command::Dispatch { parcel }).await
}

impl NewParcel {
    /// Both texts go into mails and onto pages as they are.
    fn parse(&self) -> Result<Parcel, Problem> {
        let fits = |text: &str, is_letter: fn(char) -> bool| {
            (1..=MAX_PARCEL_CHARACTERS).contains(&text.chars().count())
                && text.chars().all(|c| is_letter(c) || c == '-' || c == '_')
        };
        if !fits(&self.carrier, char::is_alphanumeric) {
            let wanted = "1 to 32 letters, digits, hyphens and underscores are needed";
            return Err(shape(wanted, "/carrier"));
        }
        if !fits(&self.waybill, |c| c.is_ascii_alphanumeric()) {
            let wanted = "1 to 32 ASCII letters, digits, hyphens and underscores are needed";
            return Err(shape(wanted, "/waybill"));
        }
        Ok(Parcel::new(&self.carrier, &self.waybill))
    }
}

fn shape(why: &str, pointer: &str) -> Problem {
    Problem::new(Code::BodyShape).because(why).at(pointer)
}

/// The order after `command`; what an earlier call recorded is answered the same.
async fn advanced(
    app: &App,
    staff: &Staff,
    order: Order,
    command: &Command,
) -> Result<Json<OrderView>, Problem> {
    let before = OrderView::from(&order);
    let platform = &app.platform;
    let (orders, now) = (platform.orders.as_ref(), platform.now());
    match advance_with(orders, order, command, &staff.actor(), now, &[]).await {
        Ok(order) => Ok(Json(OrderView::from(&order))),
        Err(AdvanceError::Refused(Refusal::AlreadyRecorded)) => Ok(Json(before)),
        Err(error) => Err(error.into()),
    }
}
