//! Requests that must not come in. Each begins as a call that is answered, and differs from it in one thing.
use std::{
    io::Write as _,
    time::{Duration, Instant},
};

use serde_json::json;
use yinxin_agent::service::Limits;

use super::{
    bench::{Bench, OTHER_SITE, SITE, Setup, Site},
    raw::{Request, answer, connect, everything},
};

/// A call that is answered.
fn good(site: &Site) -> Request {
    let request = site.request("/v1/status", &json!({}));
    assert_eq!(
        request.send(site.port).status,
        200,
        "the unchanged call is answered"
    );
    request
}

macro_rules! refused {
    ($($name:ident: |$request:ident, $site:ident| $changed:expr => $status:literal, $code:literal;)*) => {
        $(
            #[test]
            fn $name() {
                let bench = Bench::new();
                let $site = &bench.approved(SITE);
                let $request = good($site);
                let answer = $changed.send(bench.port);
                answer.assert_refused($status, $code);
            }
        )*
    };
}

refused! {
    // Names that are pointed at this computer.
    a_rebound_name_is_refused: |request, site|
        request.set("host", &format!("evil.example:{}", site.port)) => 421, "host";
    the_address_of_all_interfaces_is_refused: |request, site|
        request.set("host", &format!("0.0.0.0:{}", site.port)) => 421, "host";
    a_host_without_the_port_is_refused: |request, _site| request.set("host", "127.0.0.1") => 421, "host";
    a_host_with_another_port_is_refused: |request, _site| request.set("host", "127.0.0.1:80") => 421, "host";
    the_loopback_address_of_ipv6_is_refused: |request, site|
        request.set("host", &format!("[::1]:{}", site.port)) => 421, "host";
    localhost_with_a_final_dot_is_refused: |request, site|
        request.set("host", &format!("localhost.:{}", site.port)) => 421, "host";
    a_name_below_localhost_is_refused: |request, site|
        request.set("host", &format!("evil.localhost:{}", site.port)) => 421, "host";
    another_loopback_address_is_refused: |request, site|
        request.set("host", &format!("127.0.0.2:{}", site.port)) => 421, "host";
    a_host_behind_a_user_name_is_refused: |request, site|
        request.set("host", &format!("evil@127.0.0.1:{}", site.port)) => 421, "host";
    a_request_without_a_host_is_refused: |request, _site| request.without("host") => 421, "host";
    two_hosts_are_refused: |request, _site| request.and("host", "evil.example") => 400, "request-form";
    a_forwarded_host_changes_nothing: |request, site| request.set("host", "evil.example")
        .and("x-forwarded-host", &format!("127.0.0.1:{}", site.port)) => 421, "host";

    // Origins.
    a_call_without_an_origin_is_refused: |request, _site| request.without("origin") => 403, "origin";
    a_sandboxed_origin_is_refused: |request, _site| request.set("origin", "null") => 403, "origin";
    another_origin_is_refused: |request, _site| request.set("origin", OTHER_SITE) => 403, "origin";
    an_origin_that_begins_like_an_approved_one_is_refused: |request, _site|
        request.set("origin", "https://site.example.evil.example") => 403, "origin";
    an_origin_that_ends_like_an_approved_one_is_refused: |request, _site|
        request.set("origin", "https://evilsite.example") => 403, "origin";
    an_approved_host_without_tls_is_refused: |request, _site|
        request.set("origin", "http://site.example") => 403, "origin";
    an_approved_host_on_another_port_is_refused: |request, _site|
        request.set("origin", "https://site.example:8443") => 403, "origin";
    an_origin_in_other_letters_is_refused: |request, _site|
        request.set("origin", "https://SITE.example") => 403, "origin";
    an_origin_with_a_path_is_refused: |request, _site|
        request.set("origin", "https://site.example/") => 403, "origin";
    a_list_of_origins_is_refused: |request, _site|
        request.set("origin", "https://site.example https://other.example") => 403, "origin";
    two_origins_are_refused: |request, _site| request.and("origin", OTHER_SITE) => 400, "request-form";
    the_agents_own_page_calls_no_site_address: |request, site|
        request.set("origin", &format!("http://127.0.0.1:{}", site.port)) => 403, "origin";
    an_extension_is_refused: |request, _site|
        request.set("origin", "chrome-extension://abcdefghijklmnop") => 403, "origin";

    // Tokens of sites.
    a_call_without_a_token_is_refused: |request, _site| request.without("authorization") => 401, "unpaired";
    a_wrong_token_is_refused: |request, _site|
        request.set("authorization", "Bearer AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA") => 401, "unpaired";
    a_token_in_another_scheme_is_refused: |request, site|
        request.set("authorization", &format!("Basic {}", site.token)) => 401, "unpaired";
    a_token_in_a_cookie_is_refused: |request, site|
        request.without("authorization").set("cookie", &format!("token={}", site.token)) => 401, "unpaired";
    a_token_in_the_address_is_refused: |request, site|
        request.without("authorization").line(&format!("POST /v1/status?token={} HTTP/1.1", site.token))
        => 400, "request-form";

    // Forms and simple requests, which need no preflight.
    a_form_is_refused: |request, _site|
        request.set("content-type", "application/x-www-form-urlencoded") => 415, "media-type";
    json_as_plain_text_is_refused: |request, _site| request.set("content-type", "text/plain") => 415, "media-type";
    a_multipart_form_is_refused: |request, _site|
        request.set("content-type", "multipart/form-data; boundary=x") => 415, "media-type";
    a_call_without_a_media_type_is_refused: |request, _site| request.without("content-type") => 415, "media-type";
    a_media_type_that_only_begins_right_is_refused: |request, _site|
        request.set("content-type", "application/json, text/plain") => 415, "media-type";
    a_media_type_with_another_parameter_is_refused: |request, _site|
        request.set("content-type", "application/json; boundary=text/plain") => 415, "media-type";
    two_media_types_are_refused: |request, _site| request.and("content-type", "text/plain") => 400, "request-form";

    // Methods and protocols.
    a_call_by_get_is_refused: |request, _site| request.line("GET /v1/status HTTP/1.1") => 405, "method";
    a_call_by_put_is_refused: |request, _site| request.line("PUT /v1/status HTTP/1.1") => 405, "method";
    a_method_in_a_header_changes_nothing: |request, _site|
        request.line("GET /v1/status HTTP/1.1").set("x-http-method-override", "POST") => 405, "method";
    a_websocket_is_refused: |request, _site| request.line("GET /v1/status HTTP/1.1").set("connection", "Upgrade")
        .set("upgrade", "websocket").set("sec-websocket-version", "13")
        .set("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==") => 400, "request-form";
    an_upgrade_to_http_2_is_refused: |request, _site| request.set("connection", "Upgrade, HTTP2-Settings")
        .set("upgrade", "h2c").set("http2-settings", "AAMAAABkAAQAAP__") => 400, "request-form";
    http_1_0_is_refused: |request, _site| request.line("POST /v1/status HTTP/1.0") => 400, "request-form";
    an_absolute_address_is_refused: |request, _site|
        request.line("POST http://evil.example/v1/status HTTP/1.1") => 400, "request-form";
    an_address_with_a_query_is_refused: |request, _site|
        request.line("POST /v1/status?x=1 HTTP/1.1") => 400, "request-form";

    // Bodies that two readers could understand differently.
    a_chunked_body_is_refused: |request, _site| request.no_length().set("transfer-encoding", "chunked")
        .body("2\r\n{}\r\n0\r\n\r\n") => 400, "request-form";
    a_length_beside_chunks_is_refused: |request, _site| request.set("transfer-encoding", "chunked")
        .body("2\r\n{}\r\n0\r\n\r\n") => 400, "request-form";
    a_compressed_body_is_refused: |request, _site| request.set("content-encoding", "gzip") => 400, "request-form";
    a_body_without_a_length_is_refused: |request, _site| request.no_length().body("") => 413, "too-large";
    a_body_of_more_than_six_mebibytes_is_refused: |request, _site|
        request.line("POST /v1/sign HTTP/1.1").no_length().set("content-length", "6291457").body("")
        => 413, "too-large";
    a_call_that_says_nothing_has_no_large_body: |request, _site|
        request.body(format!("{{{}}}", " ".repeat(5000))) => 413, "too-large";

    // Fetch metadata.
    a_call_that_no_site_made_is_refused: |request, _site|
        request.set("sec-fetch-site", "none") => 403, "fetch-metadata";
    a_navigation_is_refused: |request, _site|
        request.set("sec-fetch-mode", "navigate") => 403, "fetch-metadata";
    a_call_without_cors_is_refused: |request, _site|
        request.set("sec-fetch-mode", "no-cors") => 403, "fetch-metadata";
    a_call_for_an_image_is_refused: |request, _site|
        request.set("sec-fetch-dest", "image") => 403, "fetch-metadata";
    a_call_for_a_frame_is_refused: |request, _site|
        request.set("sec-fetch-dest", "iframe") => 403, "fetch-metadata";

    // What is in the body.
    an_unknown_field_is_refused: |request, _site| request.body(r#"{"verbose":true}"#) => 400, "arguments";
    a_pin_in_a_body_is_refused: |request, _site| request.body(r#"{"pin":"123456"}"#) => 400, "pin-in-request";
    a_password_deep_in_a_body_is_refused: |request, _site|
        request.body(r#"{"options":[{"userPassword":"123456"}]}"#) => 400, "pin-in-request";
    a_body_that_is_no_json_is_refused: |request, _site| request.body("a=1") => 400, "arguments";
    a_list_is_refused: |request, _site| request.body("[]") => 400, "arguments";
    an_abyss_of_brackets_is_refused: |request, _site| request.body("[".repeat(4000)) => 400, "arguments";
    text_in_another_encoding_is_refused: |request, _site| request.body(&b"{\"a\":\"\xff\"}"[..]) => 400, "arguments";
}

#[test]
fn the_token_of_another_site_is_refused() {
    let bench = Bench::new();
    let site = bench.approved(SITE);
    let other = bench.approved(OTHER_SITE);
    let stolen = Site {
        token: other.token.clone(),
        ..site.clone()
    };
    assert_eq!(other.call("/v1/status", &json!({})).status, 200);
    stolen
        .call("/v1/status", &json!({}))
        .assert_refused(401, "unpaired");
}

#[test]
fn a_stranger_sends_no_megabytes() {
    let bench = Bench::new();
    let stranger = bench.stranger(OTHER_SITE);
    for path in ["/v1/pairing", "/v1/sign"] {
        let answer = stranger
            .request(path, &json!({}))
            .body(vec![b' '; 1024 * 1024])
            .send(bench.port);
        assert!([403, 413].contains(&answer.status), "{}", answer.status);
    }
    assert!(bench.browser.is_empty());
}

#[test]
fn no_address_leads_out_of_the_closed_list() {
    let bench = Bench::new();
    let site = bench.approved(SITE);
    for path in [
        "/assets/../v1/status",
        "/assets/../../etc/passwd",
        "/assets/..%2f..%2fetc%2fpasswd",
        "/assets/%2e%2e/agent.lock",
        "/assets/..\\..\\windows\\win.ini",
        "//v1/status",
        "/v1/status/",
        "/V1/STATUS",
        "/v1/./status",
        "/v1/status%00",
        "/v1/status;x=1",
        "/approved-sites.json",
        "/page",
        "/v1/",
    ] {
        let refused = good(&site)
            .line(&format!("POST {path} HTTP/1.1"))
            .send(bench.port);
        refused.assert_refused(404, "not-found");
    }
}

#[test]
fn heads_that_are_no_http_are_refused_without_a_word() {
    let bench = Bench::new();
    let site = bench.approved(SITE);
    let port = bench.port;
    let host = format!("127.0.0.1:{port}");
    let many = (0..100).fold(good(&site), |request, number| {
        request.and(&format!("x-{number}"), "1")
    });
    for (request, status) in [
        (good(&site).and("x-space ", "1"), "400"),
        (good(&site).and("x-fold", "1\r\n folded"), "400"),
        (good(&site).and("x-zero", "1\u{0}2"), "400"),
        (good(&site).and("content-length", "2, 3"), "400"),
        (good(&site).and("content-length", "7"), "400"),
        (good(&site).and("content-length", "+2"), "400"),
        (good(&site).set("transfer-encoding", "chunked, identity"), "400"),
        (good(&site).line("POST  /v1/status HTTP/1.1"), "400"),
        (good(&site).line("POST /v1/status HTTP/2.0"), "400"),
        (good(&site).line("CONNECT 127.0.0.1:22 HTTP/1.1"), "400"),
        (many, "431"),
        (good(&site).and("x-long", &"a".repeat(20_000)), "431"),
    ] {
        let text = String::from_utf8(everything(&mut request.begin(port))).unwrap();
        assert!(text.starts_with(&format!("HTTP/1.1 {status}")), "{text}");
        assert!(!text.contains("yinxin-agent"), "{text}");
    }
    // A line end without its first half is read as one by some, so nothing may hide behind it.
    let mut stream = connect(port);
    let bytes = format!("GET / HTTP/1.1\r\nhost: {host}\nx: y\r\n\r\n");
    stream.write_all(bytes.as_bytes()).unwrap();
    let _head = answer(&mut stream);
}

#[test]
fn a_refused_body_is_not_read_as_another_request() {
    let bench = Bench::new();
    let site = bench.approved(SITE);
    let hidden = good(&site).to_bytes();
    for refused in [
        good(&site).set("content-type", "text/plain").body(hidden.clone()),
        good(&site)
            .set("transfer-encoding", "chunked")
            .body([b"0\r\n\r\n", hidden.as_slice()].concat()),
        good(&site).line("GET /v1/status HTTP/1.1").body(hidden.clone()),
    ] {
        let text = everything(&mut refused.begin(bench.port));
        let text = String::from_utf8_lossy(&text);
        assert_eq!(text.matches("HTTP/1.1 ").count(), 1, "{text}");
        assert!(text.contains("connection: close"), "{text}");
    }
}

#[test]
fn a_body_that_comes_too_slowly_is_refused() {
    let bench = Bench::with(Setup {
        limits: Limits {
            body: Duration::from_millis(200),
            ..Limits::default()
        },
        ..Setup::default()
    });
    let site = bench.approved(SITE);
    let request = good(&site).body("{}");
    let bytes = request.to_bytes();
    let mut stream = connect(bench.port);
    stream.write_all(&bytes[..bytes.len() - 1]).unwrap();
    answer(&mut stream).assert_refused(408, "too-slow");
}

#[test]
fn a_head_that_comes_too_slowly_closes_the_connection() {
    let bench = Bench::with(Setup {
        limits: Limits {
            head: Duration::from_millis(200),
            ..Limits::default()
        },
        ..Setup::default()
    });
    let begun = Instant::now();
    let mut stream = connect(bench.port);
    stream.write_all(b"POST /v1/status HTTP/1.1\r\nhost:").unwrap();
    let text = String::from_utf8(everything(&mut stream)).unwrap();
    assert!(!text.contains("HTTP/1.1 200"), "{text}");
    assert!(begun.elapsed() < Duration::from_secs(30));
}

#[test]
fn the_service_is_on_the_loopback_address_only() {
    let bench = Bench::new();
    for address in ["127.0.0.2", "[::1]"] {
        let other = std::net::TcpStream::connect(format!("{address}:{}", bench.port));
        assert!(other.is_err(), "{address}");
    }
    assert!(std::net::TcpStream::connect(format!("127.0.0.1:{}", bench.port)).is_ok());
}
