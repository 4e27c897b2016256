//! Tickets: an operator's page asks for the permission with which the signer agent personalises one UKey.
use axum::extract::{Path, State};
use axum::http::StatusCode;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;
use yinxin_lambda::problem::Code;
use yinxin_lambda::session::Role;
use yinxin_lambda::views::timestamp;
use yinxin_lambda::{Bearer, Json, Problem};
use yinxin_order::ticket::{IssuedTicket, TicketOperation};
use yinxin_order::{Command, Order};
use yinxin_store::advance_with;
use yinxin_store::vault::random_bytes;
use yinxin_ticket::{MAX_LIFE, Ticket, TicketedOperation, VERSION};

use crate::App;
use crate::tokens::serial;

/// What a ticket is wanted for.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewTicket {
    /// The operation.
    operation: TicketOperation,
    /// The serial number of the UKey that is plugged in (介质号).
    #[schema(max_length = 32)]
    token_serial: String,
    /// The origin of the page that hands the ticket to the agent.
    #[schema(example = "https://portal.example")]
    origin: String,
}

/// A ticket for the signer agent.
#[derive(Serialize, ToSchema)]
pub struct TicketView {
    /// The ticket; good for one try.
    ticket: String,
    /// When it ends, RFC 3339.
    expires_at: String,
}

/// Issues a ticket. Each call gives another one; the last one that is unused is as good as the first.
#[utoipa::path(
    post,
    path = "/api/personalise/orders/{id}/tickets",
    operation_id = "issueTicket",
    tag = "personalise",
    params(("id" = String, Path, description = "The order's id or number")),
    request_body = NewTicket,
    security(("staff" = [])),
    responses(
        (status = 201, description = "A ticket that lives ten minutes", body = TicketView),
        (status = 401, description = "No valid session", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Not an operator", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such order of this vendor", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The order does not wait for a UKey, or had its tickets: command-not-allowed, too-many-tickets", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A value is not well-formed, or tickets are not issued for this site: ticket-origin", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The platform has no key for tickets yet: tickets-not-offered", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn issue(
    State(app): State<App>,
    bearer: Bearer,
    Path(id): Path<String>,
    Json(body): Json<NewTicket>,
) -> Result<(StatusCode, Json<TicketView>), Problem> {
    let platform = &app.platform;
    let staff = platform.staff(&bearer, Role::Operator).await?;
    let order = platform.order_for(&staff, &id).await?;
    if !app.tickets.serves(&body.origin) {
        return Err(Problem::new(Code::TicketOrigin).at("/origin"));
    }
    let issued = IssuedTicket {
        id: URL_SAFE_NO_PAD.encode(random_bytes::<16>()),
        operation: body.operation,
        token_serial: serial(&body.token_serial)?,
        origin: body.origin,
    };
    // Before anything is recorded: a platform without a key counts no ticket.
    let key = app.tickets.key(platform).await?;
    let now = platform.now();
    let command = Command::IssueTicket {
        ticket: issued.clone(),
    };
    let orders = platform.orders.as_ref();
    let order = advance_with(orders, order, &command, &staff.actor(), now, &[]).await?;
    // Recorded; only now signed.
    let ticket = ticket(&order, issued, now);
    let signed = ticket
        .signed_with(|message| key.sign(message))
        .map_err(|error| Problem::new(Code::Internal).because(&error.to_string()))?;
    let view = TicketView {
        ticket: signed,
        expires_at: timestamp(ticket.expires_at),
    };
    Ok((StatusCode::CREATED, Json(view)))
}

fn ticket(order: &Order, issued: IssuedTicket, now: OffsetDateTime) -> Ticket {
    let number = order.number.as_ref().map(ToString::to_string);
    Ticket {
        version: VERSION,
        id: issued.id,
        operation: match issued.operation {
            TicketOperation::Personalise => TicketedOperation::Personalise,
        },
        token: issued.token_serial,
        order: number.unwrap_or_else(|| order.id.to_string()),
        origin: issued.origin,
        issued_at: now,
        expires_at: now + MAX_LIFE,
        content: None,
    }
}
