//! How a site gets its token, and loses it.
use std::time::Duration;

use serde_json::json;
use yinxin_agent::service::{Limits, pace::Rate};

use super::{
    bench::{Bench, OTHER_SITE, SITE, Setup, Tokens},
    raw::answer,
};

#[test]
fn a_site_is_approved_on_the_agents_page_and_then_called() {
    let bench = Bench::new();
    let stranger = bench.stranger(SITE);
    stranger
        .call("/v1/status", &json!({}))
        .assert_refused(403, "origin");
    let mut asking = stranger.begin("/v1/pairing", &json!({}));
    let window = bench.window();
    let html = window.html();
    assert!(
        html.contains(SITE) && html.contains("网站请求连接证书助手"),
        "{html}"
    );
    // Asking alone changes nothing.
    stranger
        .call("/v1/status", &json!({}))
        .assert_refused(403, "origin");
    window.press("approve");
    let granted = answer(&mut asking).value();
    let token = granted["token"].as_str().unwrap().to_owned();
    assert_eq!(token.len(), 43);
    assert!(granted["expires_at"].is_string());
    assert!(
        !bench.kept().contains(&token),
        "only a digest of the token is kept"
    );
    let site = super::bench::Site { token, ..stranger };
    assert_eq!(site.call("/v1/status", &json!({})).value()["api"], 1);
}

#[test]
fn a_denied_site_stays_a_stranger() {
    let bench = Bench::new();
    let site = bench.stranger(SITE);
    let mut asking = site.begin("/v1/pairing", &json!({}));
    bench.window().press("deny");
    answer(&mut asking).assert_refused(403, "denied");
    site.call("/v1/tokens", &json!({})).assert_refused(403, "origin");
}

#[test]
fn a_revoked_site_is_a_stranger_again() {
    let bench = Bench::new();
    let site = bench.approved(SITE);
    let other = bench.approved(OTHER_SITE);
    let window = bench.overview();
    assert!(window.html().contains(SITE));
    let html = window.call("/page/revoke", &json!({ "origin": SITE })).value();
    assert!(
        !html["html"]
            .as_str()
            .unwrap()
            .contains(&format!("data-origin=\"{SITE}\""))
    );
    site.call("/v1/status", &json!({})).assert_refused(403, "origin");
    assert_eq!(other.call("/v1/status", &json!({})).status, 200);
}

#[test]
fn approvals_and_revocations_outlive_a_restart() {
    let bench = Bench::new();
    let site = bench.approved(SITE);
    let other = bench.approved(OTHER_SITE);
    bench
        .overview()
        .call("/page/revoke", &json!({ "origin": OTHER_SITE }))
        .value();
    let again = Bench::with(Setup {
        tokens: Tokens::AsTheyAre,
        place: Some(bench.end()),
        ..Setup::default()
    });
    let here = |site: &super::bench::Site| super::bench::Site {
        port: again.port,
        ..site.clone()
    };
    assert_eq!(here(&site).call("/v1/status", &json!({})).status, 200);
    here(&other)
        .call("/v1/status", &json!({}))
        .assert_refused(403, "origin");
}

#[test]
fn pairing_again_ends_the_earlier_token() {
    let bench = Bench::new();
    let first = bench.approved(SITE);
    let second = bench.approved(SITE);
    first
        .call("/v1/status", &json!({}))
        .assert_refused(401, "unpaired");
    assert_eq!(second.call("/v1/status", &json!({})).status, 200);
}

#[test]
fn a_site_asks_only_so_often() {
    let bench = Bench::with(Setup {
        limits: Limits {
            pairing: Rate { each: 2, all: 10 },
            ..Limits::default()
        },
        ..Setup::default()
    });
    let site = bench.stranger(SITE);
    for _ in 0..2 {
        let mut asking = site.begin("/v1/pairing", &json!({}));
        bench.window().press("deny");
        answer(&mut asking).assert_refused(403, "denied");
    }
    site.call("/v1/pairing", &json!({}))
        .assert_refused(429, "too-often");
    assert!(bench.browser.is_empty(), "no page was opened for it");
}

#[test]
fn one_site_at_a_time_is_laid_before_the_holder() {
    let bench = Bench::new();
    let mut first = bench.stranger(SITE).begin("/v1/pairing", &json!({}));
    let window = bench.window();
    bench
        .stranger(OTHER_SITE)
        .call("/v1/pairing", &json!({}))
        .assert_refused(409, "busy");
    window.press("approve");
    assert_eq!(answer(&mut first).status, 200);
}

#[test]
fn a_stranger_who_asks_does_not_stand_in_the_way_of_approved_sites() {
    let bench = Bench::new();
    let site = bench.approved(SITE);
    let _asking = bench.stranger(OTHER_SITE).begin("/v1/pairing", &json!({}));
    let _window = bench.window();
    assert_eq!(site.call("/v1/tokens", &json!({})).status, 200);
}

#[test]
fn nobody_is_approved_in_time_means_nobody_is() {
    let bench = Bench::with(Setup {
        limits: Limits {
            holder: Duration::from_millis(1500),
            ..Limits::default()
        },
        ..Setup::default()
    });
    let site = bench.stranger(SITE);
    let mut asking = site.begin("/v1/pairing", &json!({}));
    let window = bench.window();
    let form = window.form();
    answer(&mut asking).assert_refused(408, "timed-out");
    window
        .call("/page/approve", &json!({ "form": form }))
        .assert_refused(410, "gone");
    site.call("/v1/status", &json!({})).assert_refused(403, "origin");
}

#[test]
fn origins_that_are_no_sites_cannot_ask() {
    let bench = Bench::new();
    for origin in [
        "null",
        "http://site.example",
        "https://site.example/path",
        "file://",
        &format!("http://localhost:{}", bench.port),
        &format!("http://127.0.0.1:{}", bench.port),
    ] {
        bench
            .stranger(origin)
            .call("/v1/pairing", &json!({}))
            .assert_refused(403, "origin");
    }
    assert!(bench.browser.is_empty());
}

#[test]
fn a_pairing_says_nothing_but_who_asks() {
    let bench = Bench::new();
    bench
        .stranger(SITE)
        .call("/v1/pairing", &json!({ "name": "Your bank" }))
        .assert_refused(400, "arguments");
}

#[test]
fn where_no_page_can_be_opened_the_site_hears_so() {
    let bench = Bench::new();
    bench
        .browser
        .broken
        .store(true, std::sync::atomic::Ordering::SeqCst);
    bench
        .stranger(SITE)
        .call("/v1/pairing", &json!({}))
        .assert_refused(500, "no-browser");
}
