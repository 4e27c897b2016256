//! Who may ask before a call, and who may read an answer.
use serde_json::json;

use super::{
    bench::{Bench, OTHER_SITE, SITE, Site},
    raw::{Answer, Request},
};

fn preflight(site: &Site, path: &str) -> Request {
    Request::new("OPTIONS", path)
        .set("host", &format!("127.0.0.1:{}", site.port))
        .set("origin", &site.origin)
        .set("access-control-request-method", "POST")
        .set("access-control-request-headers", "authorization,content-type")
        .set("access-control-request-private-network", "true")
        .set("access-control-request-local-network", "true")
        .set("sec-fetch-site", "cross-site")
        .set("sec-fetch-mode", "cors")
        .set("sec-fetch-dest", "empty")
}

fn assert_unreadable(answer: &Answer) {
    for (name, _) in &answer.headers {
        assert!(!name.starts_with("access-control-"), "{name}");
    }
}

#[test]
fn an_approved_site_may_ask_and_read() {
    let bench = Bench::new();
    let site = bench.approved(SITE);
    let allowed = preflight(&site, "/v1/sign").send(bench.port);
    assert_eq!(allowed.status, 204);
    for (name, value) in [
        ("access-control-allow-origin", SITE),
        ("access-control-allow-methods", "POST"),
        ("access-control-allow-headers", "authorization, content-type"),
        ("access-control-allow-private-network", "true"),
        ("access-control-allow-local-network", "true"),
        ("vary", "Origin"),
    ] {
        assert_eq!(allowed.header(name), Some(value), "{name}");
    }
    assert_eq!(allowed.header("access-control-allow-credentials"), None);
    let read = site.call("/v1/status", &json!({}));
    assert_eq!(read.header("access-control-allow-origin"), Some(SITE));
    assert_eq!(read.header("cache-control"), Some("no-store"));
}

#[test]
fn what_was_not_asked_about_networks_is_not_answered() {
    let bench = Bench::new();
    let site = bench.approved(SITE);
    let allowed = preflight(&site, "/v1/sign")
        .without("access-control-request-private-network")
        .without("access-control-request-local-network")
        .send(bench.port);
    assert_eq!(allowed.status, 204);
    assert_eq!(allowed.header("access-control-allow-private-network"), None);
    assert_eq!(allowed.header("access-control-allow-local-network"), None);
}

#[test]
fn a_strangers_preflight_is_refused_unreadably() {
    let bench = Bench::new();
    bench.approved(SITE);
    for origin in [
        OTHER_SITE,
        "null",
        "http://site.example",
        "https://site.example.evil.example",
    ] {
        for path in ["/v1/sign", "/v1/tokens", "/v1/status", "/v1/write-seal"] {
            let refused = preflight(&bench.stranger(origin), path).send(bench.port);
            refused.assert_refused(403, "origin");
            assert_unreadable(&refused);
        }
    }
}

#[test]
fn a_stranger_may_ask_before_pairing_and_nothing_else() {
    let bench = Bench::new();
    for origin in [OTHER_SITE, "http://localhost:3000"] {
        let allowed = preflight(&bench.stranger(origin), "/v1/pairing").send(bench.port);
        assert_eq!(allowed.status, 204);
        assert_eq!(allowed.header("access-control-allow-origin"), Some(origin));
    }
    for origin in ["null", "http://site.example", "file://"] {
        let refused = preflight(&bench.stranger(origin), "/v1/pairing").send(bench.port);
        refused.assert_refused(403, "origin");
        assert_unreadable(&refused);
    }
}

#[test]
fn a_strangers_call_is_refused_unreadably() {
    let bench = Bench::new();
    bench.approved(SITE);
    let refused = bench.stranger(OTHER_SITE).call("/v1/tokens", &json!({}));
    refused.assert_refused(403, "origin");
    assert_unreadable(&refused);
}

#[test]
fn a_preflight_from_a_rebound_name_is_refused() {
    let bench = Bench::new();
    let site = bench.approved(SITE);
    let refused = preflight(&site, "/v1/sign")
        .set("host", &format!("evil.example:{}", bench.port))
        .send(bench.port);
    refused.assert_refused(421, "host");
    assert_unreadable(&refused);
}

#[test]
fn other_methods_and_headers_are_not_allowed_in_a_preflight() {
    let bench = Bench::new();
    let site = bench.approved(SITE);
    preflight(&site, "/v1/sign")
        .set("access-control-request-method", "PUT")
        .send(bench.port)
        .assert_refused(405, "method");
    preflight(&site, "/v1/sign")
        .set("access-control-request-headers", "yinxin-page,content-type")
        .send(bench.port)
        .assert_refused(400, "request-form");
    preflight(&site, "/v1/sign")
        .without("access-control-request-method")
        .send(bench.port)
        .assert_refused(405, "method");
}

#[test]
fn the_agents_own_pages_are_closed_to_preflights() {
    let bench = Bench::new();
    let site = bench.approved(SITE);
    for path in ["/page/approve", "/page/enter", "/page/view", "/"] {
        let refused = preflight(&site, path).send(bench.port);
        refused.assert_refused(405, "method");
        assert_unreadable(&refused);
    }
}
