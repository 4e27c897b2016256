//! Who calls: an applicant with an order's access token, staff with a session, a system with its credential.
use axum::extract::FromRequestParts;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use yinxin_order::command::Actor;
use yinxin_order::identifiers::OrderId;
use yinxin_order::order::Order;
use yinxin_store::StoreError;
use yinxin_store::vault::Hashes;

use crate::platform::Platform;
use crate::problem::{Code, Problem};
use crate::session::{Role, Staff};

/// The longest token that is looked at.
const MAX_TOKEN_BYTES: usize = 2048;

/// The token of the `Authorization` header.
pub struct Bearer(String);

impl<S: Sync> FromRequestParts<S> for Bearer {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts
            .headers
            .get(AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.strip_prefix("Bearer "))
            .filter(|token| !token.is_empty() && token.len() <= MAX_TOKEN_BYTES)
            .map(|token| Bearer(token.to_owned()))
            .ok_or_else(|| Problem::new(Code::TokenMissing))
    }
}

impl Bearer {
    /// A bearer of `token`, for tests.
    pub fn new(token: &str) -> Self {
        Bearer(token.to_owned())
    }
}

impl Platform {
    /// The id in the path, if the bearer holds that order's access token. An order that does not exist looks the same.
    pub async fn applicant(&self, id: &str, bearer: &Bearer) -> Result<OrderId, Problem> {
        let refused = || Problem::new(Code::NotYourOrder);
        let id: OrderId = id.parse().map_err(|_| refused())?;
        let hashes = self.vault.hashes().await?;
        if hashes.is_access_token(&id, &bearer.0) {
            Ok(id)
        } else {
            Err(refused())
        }
    }

    /// The bearer as staff with `role`.
    pub async fn staff(&self, bearer: &Bearer, role: Role) -> Result<Staff, Problem> {
        let key = self.session_key().await?;
        let staff = key
            .verify(&bearer.0, self.now())
            .map_err(|_| Problem::new(Code::SessionInvalid))?;
        if staff.role == role {
            Ok(staff)
        } else {
            Err(Problem::new(Code::RoleMissing))
        }
    }

    /// An order of the staff's vendor, by id or number. Another vendor's order looks as if it did not exist.
    pub async fn order_for(&self, staff: &Staff, id: &str) -> Result<Order, Problem> {
        let not_found = || Problem::new(Code::OrderNotFound);
        let id = match (id.parse::<OrderId>(), id.parse()) {
            (Ok(id), _) => id,
            (_, Ok(number)) => match self.orders.find(&number).await {
                Err(StoreError::NotFound) => return Err(not_found()),
                found => found?,
            },
            _ => return Err(not_found()),
        };
        let order = match self.orders.load(&id).await {
            Err(StoreError::NotFound) => return Err(not_found()),
            loaded => loaded?,
        };
        if order.vendor == staff.vendor {
            Ok(order)
        } else {
            Err(not_found())
        }
    }

    /// The system that the bearer's credential (`system:secret`) belongs to.
    pub async fn system(&self, bearer: &Bearer) -> Result<String, Problem> {
        let refused = || Problem::new(Code::CredentialInvalid);
        let (system, _) = bearer.0.split_once(':').ok_or_else(refused)?;
        let hash = self.vault.hashes().await?.lookup("system", &bearer.0);
        match self.catalog.system_credential(system).await {
            Ok(stored) if Hashes::same(&stored, &hash) => Ok(system.to_owned()),
            Ok(_) | Err(StoreError::NotFound) => Err(refused()),
            Err(error) => Err(error.into()),
        }
    }
}

impl Staff {
    /// The staff as the actor of a command.
    pub fn actor(&self) -> Actor {
        let (account, vendor) = (self.account.clone(), self.vendor.clone());
        match self.role {
            Role::Officer => Actor::Officer { account, vendor },
            Role::Operator => Actor::Operator { account, vendor },
        }
    }
}
