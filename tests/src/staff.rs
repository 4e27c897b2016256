//! A vendor's staff and the systems that call, with sessions and credentials that the administrator makes.
use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::client::{Answer, Api};
use crate::world::{World, run};

/// What a member of the staff does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Reviews orders.
    Officer,
    /// Personalises and mails UKeys.
    Operator,
}

/// A member of a vendor's staff.
#[derive(Clone)]
pub struct Staff {
    /// The API with the session.
    pub api: Api,
    /// The session, for the agent's file.
    pub session: String,
}

/// A session for a new account of a vendor.
pub async fn session(world: &World, vendor: &str, role: Role) -> Result<Staff> {
    let account = match role {
        Role::Officer => "journey-officer",
        Role::Operator => "journey-operator",
    };
    session_of(world, vendor, role, account).await
}

/// A session for an account of a vendor.
pub async fn session_of(world: &World, vendor: &str, role: Role, account: &str) -> Result<Staff> {
    let role = match role {
        Role::Officer => "officer",
        Role::Operator => "operator",
    };
    let mut command = world.program("yinxin-admin")?;
    command.args(["staff", "--vendor", vendor, "--role", role, "--account", account]);
    let session = run(command)
        .await
        .context("no session was made")?
        .trim()
        .to_owned();
    Ok(Staff {
        api: Api::new(&world.api)?.with_token(&session),
        session,
    })
}

/// The API with the credential of a calling system. A new credential ends the old one, so each test names a system of its own.
pub async fn system(world: &World, id: &str) -> Result<Api> {
    let mut command = world.program("yinxin-admin")?;
    command.args(["system", "--id", id]);
    let credential = run(command).await.context("no credential was made")?;
    Ok(Api::new(&world.api)?.with_token(credential.trim()))
}

impl Staff {
    /// The orders that wait in a state, all pages.
    pub async fn waiting(&self, area: &str, state: &str) -> Result<Vec<Value>> {
        let mut orders = Vec::new();
        let mut cursor = None;
        loop {
            let mut path = format!("/api/{area}/orders?state={state}");
            if let Some(cursor) = cursor {
                path = format!("{path}&cursor={cursor}");
            }
            let page = self.api.get(&path).await?.ok()?;
            orders.extend(
                page["orders"]
                    .as_array()
                    .context("a page has orders")?
                    .iter()
                    .cloned(),
            );
            match page["next_cursor"].as_str() {
                Some(next) => cursor = Some(next.to_owned()),
                None => return Ok(orders),
            }
        }
    }

    /// One order as the staff sees it.
    pub async fn order(&self, area: &str, order: &str) -> Result<Answer> {
        self.api.get(&format!("/api/{area}/orders/{order}")).await
    }

    /// Does something with an order.
    pub async fn act(&self, area: &str, order: &str, action: &str, body: &Value) -> Result<Answer> {
        self.api
            .post(&format!("/api/{area}/orders/{order}/{action}"), body)
            .await
    }

    /// Lets an order pass.
    pub async fn approve(&self, order: &str) -> Result<Answer> {
        self.act("review", order, "approve", &json!({})).await
    }

    /// Sends an order back.
    pub async fn reject(&self, order: &str, reason: &str) -> Result<Answer> {
        self.act("review", order, "reject", &json!({"reason": reason}))
            .await
    }
}
