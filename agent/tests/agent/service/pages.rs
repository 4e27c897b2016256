//! The agent's own pages: who gets them, and whose presses count.
use serde_json::json;

use super::{
    bench::{Bench, OTHER_SITE, PORTAL, SITE, Window, page_request, parse, typed},
    raw::{Request, answer},
};

fn shell(port: u16) -> Request {
    Request::new("GET", "/")
        .set("host", &format!("127.0.0.1:{port}"))
        .set("sec-fetch-site", "none")
        .set("sec-fetch-mode", "navigate")
        .set("sec-fetch-dest", "document")
}

#[test]
fn pages_run_no_foreign_script_and_stand_in_no_frame() {
    let bench = Bench::new();
    let page = shell(bench.port).send(bench.port);
    assert_eq!(page.status, 200);
    let policy = page.header("content-security-policy").unwrap();
    for rule in [
        "default-src 'none'",
        "script-src 'self'",
        "frame-ancestors 'none'",
        "form-action 'none'",
        "base-uri 'none'",
    ] {
        assert!(policy.contains(rule), "{rule}");
    }
    assert!(!policy.contains("unsafe"));
    for (name, value) in [
        ("x-frame-options", "DENY"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "same-origin"),
        ("cache-control", "no-store"),
    ] {
        assert_eq!(page.header(name), Some(value), "{name}");
    }
    assert_eq!(page.header("set-cookie"), None);
    let html = String::from_utf8(page.body).unwrap();
    assert!(!html.contains("<script>") && !html.contains(" on") && !html.contains("style="));
}

#[test]
fn a_page_is_not_given_to_frames_links_or_scripts_of_sites() {
    let bench = Bench::new();
    for (name, value) in [
        ("sec-fetch-dest", "iframe"),
        ("sec-fetch-dest", "embed"),
        ("sec-fetch-dest", "object"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("sec-fetch-mode", "no-cors"),
        ("sec-fetch-mode", "cors"),
    ] {
        let refused = shell(bench.port).set(name, value).send(bench.port);
        refused.assert_refused(403, "fetch-metadata");
        assert_eq!(refused.header("x-frame-options"), Some("DENY"));
    }
    shell(bench.port)
        .set("origin", SITE)
        .send(bench.port)
        .assert_refused(403, "origin");
    shell(bench.port)
        .set("host", &format!("evil.example:{}", bench.port))
        .send(bench.port)
        .assert_refused(421, "host");
    shell(bench.port)
        .set("host", &format!("localhost:{}", bench.port))
        .send(bench.port)
        .assert_refused(421, "host");
    shell(bench.port)
        .line("POST / HTTP/1.1")
        .send(bench.port)
        .assert_refused(405, "method");
}

#[test]
fn a_page_is_not_fetched_ahead() {
    let bench = Bench::new();
    // As Chromium does it for a site: stated to come from nowhere, without mode and destination.
    let ahead = shell(bench.port)
        .without("sec-fetch-mode")
        .without("sec-fetch-dest");
    assert_eq!(ahead.send(bench.port).status, 200);
    for (name, value) in [
        ("sec-purpose", "prefetch"),
        ("sec-purpose", "prefetch;prerender"),
        ("purpose", "prefetch"),
        ("x-moz", "prefetch"),
    ] {
        ahead
            .clone()
            .set(name, value)
            .send(bench.port)
            .assert_refused(403, "fetch-metadata");
    }
}

#[test]
fn script_and_style_are_not_given_to_sites() {
    let bench = Bench::new();
    for (path, dest) in [("/assets/agent.js", "script"), ("/assets/agent.css", "style")] {
        let own = Request::new("GET", path)
            .set("host", &format!("127.0.0.1:{}", bench.port))
            .set("sec-fetch-site", "same-origin")
            .set("sec-fetch-dest", dest);
        assert_eq!(own.send(bench.port).status, 200);
        own.clone()
            .set("sec-fetch-site", "cross-site")
            .send(bench.port)
            .assert_refused(403, "fetch-metadata");
        own.set("origin", SITE)
            .send(bench.port)
            .assert_refused(403, "origin");
    }
}

#[test]
fn calls_of_the_page_come_from_the_page_alone() {
    let bench = Bench::new();
    let window = bench.overview();
    let good = page_request(bench.port, "/page/view", &json!({}), Some(&window.key));
    assert_eq!(good.send(bench.port).status, 200);
    for (name, value, status, code) in [
        ("origin", SITE, 403, "origin"),
        ("origin", "null", 403, "origin"),
        (
            "origin",
            &format!("http://localhost:{}", bench.port),
            403,
            "origin",
        ),
        (
            "origin",
            &format!("https://127.0.0.1:{}", bench.port),
            403,
            "origin",
        ),
        ("sec-fetch-site", "cross-site", 403, "fetch-metadata"),
        ("sec-fetch-site", "same-site", 403, "fetch-metadata"),
        ("sec-fetch-mode", "no-cors", 403, "fetch-metadata"),
        ("sec-fetch-dest", "iframe", 403, "fetch-metadata"),
        ("content-type", "text/plain", 415, "media-type"),
        (
            "content-type",
            "application/x-www-form-urlencoded",
            415,
            "media-type",
        ),
        ("host", &format!("localhost:{}", bench.port), 421, "host"),
        ("yinxin-page", "", 401, "session"),
        (
            "yinxin-page",
            "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
            401,
            "session",
        ),
    ] {
        let refused = good.clone().set(name, value).send(bench.port);
        refused.assert_refused(status, code);
        assert_eq!(refused.header("access-control-allow-origin"), None);
    }
    good.clone()
        .without("origin")
        .send(bench.port)
        .assert_refused(403, "origin");
    good.clone()
        .without("yinxin-page")
        .set("cookie", &format!("session={}", window.key))
        .send(bench.port)
        .assert_refused(401, "session");
    good.line("GET /page/view HTTP/1.1")
        .send(bench.port)
        .assert_refused(405, "method");
}

#[test]
fn an_approved_site_cannot_press_the_agents_buttons() {
    let bench = Bench::new();
    let site = bench.approved(SITE);
    let _asking = bench.stranger(OTHER_SITE).begin("/v1/pairing", &json!({}));
    let window = bench.window();
    let form = window.form();
    // Even if it knew the form and the session.
    for (path, body) in [
        ("/page/approve", json!({ "form": form })),
        ("/page/enter", typed(&form, &[("pin", "123456")])),
        ("/page/view", json!({})),
        ("/page/revoke", json!({ "origin": SITE })),
    ] {
        let refused = site
            .request(path, &body)
            .set("yinxin-page", &window.key)
            .send(bench.port);
        refused.assert_refused(403, "origin");
        assert_eq!(refused.header("access-control-allow-origin"), None);
    }
}

#[test]
fn a_code_opens_one_window_and_a_second_use_closes_it() {
    let bench = Bench::new();
    page_request(bench.port, "/page/knock", &json!({}), None)
        .send(bench.port)
        .value();
    let address = bench.browser.next();
    let window = Window::open(&address);
    assert!(window.html().contains("证书助手"));
    let (port, code) = parse(&address);
    page_request(port, "/page/open", &json!({ "code": code }), None)
        .send(port)
        .assert_refused(401, "session");
    window
        .call("/page/view", &json!({}))
        .assert_refused(401, "session");
}

#[test]
fn a_guessed_code_opens_nothing() {
    let bench = Bench::new();
    let code = json!({ "code": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" });
    page_request(bench.port, "/page/open", &code, None)
        .send(bench.port)
        .assert_refused(401, "session");
}

#[test]
fn knocking_gives_nothing_to_who_knocks_and_is_limited() {
    let bench = Bench::new();
    let knock = page_request(bench.port, "/page/knock", &json!({}), None);
    assert_eq!(knock.send(bench.port).value(), json!({}));
    for _ in 0..2 {
        assert_eq!(knock.send(bench.port).status, 200);
    }
    knock.send(bench.port).assert_refused(429, "too-often");
    knock
        .set("origin", SITE)
        .send(bench.port)
        .assert_refused(403, "origin");
}

#[test]
fn a_window_answers_its_own_form_only() {
    let bench = Bench::new();
    let site = bench.approved(SITE);
    let _asking = bench.stranger(OTHER_SITE).begin("/v1/pairing", &json!({}));
    let pairing = bench.window();
    let mut signing = site.begin("/v1/sign", &json!({ "message": "5ZCI5ZCM", "format": "raw" }));
    let pins = bench.window();
    let form = pins.form();
    pairing
        .call("/page/approve", &json!({ "form": form }))
        .assert_refused(410, "gone");
    pairing
        .call("/page/cancel", &json!({ "form": form }))
        .assert_refused(410, "gone");
    pairing
        .call("/page/enter", &typed(&form, &[("pin", super::bench::PIN)]))
        .assert_refused(410, "gone");
    pins.press("cancel");
    answer(&mut signing).assert_refused(403, "denied");
}

#[test]
fn the_overview_shows_certificates_days_sites_and_links() {
    let bench = Bench::new();
    bench.approved(SITE);
    let html = bench.overview().html();
    for shown in [
        super::bench::HOLDER,
        "Test Issuing CA",
        "剩余天数",
        "证书更新",
        "找回密码",
        "修改口令",
        SITE,
        &format!("{PORTAL}#renewal"),
        &format!("{PORTAL}#unblock"),
        "连接网站",
    ] {
        assert!(html.contains(shown), "{shown}");
    }
}
