//! One request: the gate, the call, and the headers that every answer has.
use std::sync::Arc;

use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, HeaderValue, Request, Response, StatusCode, header},
};
use serde_json::Value;

use super::{
    Agent, api, body,
    gate::{Entry, Gate, Judged},
    lock,
    origin::Origin,
    page,
    refusal::Refusal,
    routes::{ApiCall, Area, Asset},
};
use crate::pages;

/// Of the agent's document: nothing inline, nothing from elsewhere, in no frame.
const PAGE_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// Of everything else.
const OTHER_POLICY: &str = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// How long a browser may remember a preflight: short, for approvals are taken back.
const PREFLIGHT_AGE_SECONDS: &str = "60";

/// Answers a request.
pub(super) async fn answer(State(agent): State<Arc<Agent>>, request: Request<Body>) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let now = agent.now();
    let Judged { reader, entry } = Gate {
        port: agent.port,
        knows: &|origin| lock(&agent.approvals).knows(origin, now),
    }
    .judge(&parts);
    let response = match entry {
        Ok(entry) => enter(&agent, entry, &parts.headers, body).await,
        Err(refusal) => Err(refusal),
    };
    let mut response = response.unwrap_or_else(|refusal| refusal.to_response());
    every_answer(response.headers_mut(), reader.as_ref());
    response
}

async fn enter(
    agent: &Arc<Agent>,
    entry: Entry,
    headers: &HeaderMap,
    body: Body,
) -> Result<Response<Body>, Refusal> {
    match entry {
        Entry::Document(area) => Ok(document(area)),
        Entry::Preflight {
            private_network,
            local_network,
        } => Ok(preflight(private_network, local_network)),
        Entry::Page(call) => {
            let session = page::Session::of(agent, call, headers)?;
            let body = body::read(headers, body, body::SMALL_LIMIT_BYTES, agent.limits.body).await?;
            page::call(agent, call, session, &body)
                .await
                .map(|value| json(&value))
        }
        Entry::Api(call, origin) => {
            // Before the body: a stranger's megabytes are not taken in.
            api::authorise(agent, call, &origin, headers)?;
            let limit = match call {
                ApiCall::Operation(_) => body::API_LIMIT_BYTES,
                ApiCall::Pairing | ApiCall::Status | ApiCall::Tokens | ApiCall::UnblockKey => {
                    body::SMALL_LIMIT_BYTES
                }
            };
            let body = body::read(headers, body, limit, agent.limits.body).await?;
            api::call(agent, call, origin, body)
                .await
                .map(|value| json(&value))
        }
    }
}

fn document(area: Area) -> Response<Body> {
    let (kind, text) = match area {
        Area::Asset(Asset::Script) => ("text/javascript; charset=utf-8", pages::SCRIPT),
        Area::Asset(Asset::Style) => ("text/css; charset=utf-8", pages::STYLE),
        _ => ("text/html; charset=utf-8", pages::SHELL),
    };
    let mut response = Response::new(Body::from(text));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    if area == Area::Shell {
        headers.insert(
            header::CONTENT_SECURITY_POLICY,
            HeaderValue::from_static(PAGE_POLICY),
        );
    }
    response
}

fn preflight(private_network: bool, local_network: bool) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    let mut set = |name: &'static str, value: &'static str| {
        headers.insert(name, HeaderValue::from_static(value));
    };
    set("access-control-allow-methods", "POST");
    set("access-control-allow-headers", "authorization, content-type");
    set("access-control-max-age", PREFLIGHT_AGE_SECONDS);
    if private_network {
        set("access-control-allow-private-network", "true");
    }
    if local_network {
        set("access-control-allow-local-network", "true");
    }
    response
}

fn json(value: &Value) -> Response<Body> {
    let mut response = Response::new(Body::from(value.to_string()));
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

fn every_answer(headers: &mut HeaderMap, reader: Option<&Origin>) {
    headers
        .entry(header::CONTENT_SECURITY_POLICY)
        .or_insert(HeaderValue::from_static(OTHER_POLICY));
    for (name, value) in [
        ("cache-control", "no-store"),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        // Not "no-referrer": with it some browsers state the origin of the page's own calls as null.
        ("referrer-policy", "same-origin"),
        ("permissions-policy", "camera=(), geolocation=(), microphone=()"),
        ("vary", "Origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    // An origin is printable ASCII, so that it is always a header's value; no other site reads the answer.
    if let Some(value) = reader.and_then(|origin| HeaderValue::from_str(origin.as_str()).ok()) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, value);
    }
}
