//! PINs: where they go, how often they may be wrong, and what is left of them.
use std::{thread, time::Duration};

use serde_json::{Value, json};
use yinxin_agent::{service::Limits, token::Token as _};

use super::{
    bench::{Bench, OTHER_SITE, PIN, PIN_TRIES, SITE, Setup, Site, Tokens, page_request, typed},
    raw::answer,
};
use crate::world::{ADMIN_PIN, pin};

fn contract() -> Value {
    json!({ "message": "5LiA5Lu95ZCI5ZCM", "format": "raw" })
}

#[test]
fn a_wrong_pin_costs_a_try_and_says_how_many_are_left() {
    let bench = Bench::new();
    let site = bench.approved(SITE);
    let mut asking = site.begin("/v1/sign", &contract());
    let window = bench.window();
    let html = window.enter(&[("pin", "not-the-pin")]);
    assert!(html.contains("口令错误，还可尝试 5 次"), "{html}");
    assert_eq!(bench.token().tries_left().unwrap().user.left, 5);
    assert!(window.enter(&[("pin", PIN)]).contains("操作完成"));
    assert_eq!(answer(&mut asking).status, 200);
    assert_eq!(bench.token().tries_left().unwrap().user.left, PIN_TRIES);
}

#[test]
fn after_the_last_try_the_right_pin_does_not_help() {
    let bench = Bench::new();
    let site = bench.approved(SITE);
    let mut asking = site.begin("/v1/sign", &contract());
    let window = bench.window();
    let form = window.form();
    for left in (1..PIN_TRIES).rev() {
        let html = window.enter(&[("pin", "not-the-pin")]);
        assert!(html.contains(&format!("还可尝试 {left} 次")), "{html}");
    }
    let html = window.enter(&[("pin", "not-the-pin")]);
    assert!(
        html.contains("用户口令已锁定") && html.contains("找回密码"),
        "{html}"
    );
    answer(&mut asking).assert_refused(403, "pin-locked");
    window
        .call("/page/enter", &typed(&form, &[("pin", PIN)]))
        .assert_refused(410, "gone");
    // And nobody is asked again.
    site.call("/v1/sign", &contract())
        .assert_refused(403, "pin-locked");
    assert!(bench.browser.is_empty());
    assert_eq!(bench.token().tries_left().unwrap().user.left, 0);
}

#[test]
fn guessing_in_parallel_costs_a_try_for_each_guess() {
    let bench = Bench::new();
    let site = bench.approved(SITE);
    let mut asking = site.begin("/v1/sign", &contract());
    let window = bench.window();
    let form = window.form();
    let guesses: Vec<_> = (0..24)
        .map(|number| {
            let body = typed(&form, &[("pin", &format!("guess-{number:02}"))]);
            let request = page_request(bench.port, "/page/enter", &body, Some(&window.key));
            let port = bench.port;
            thread::spawn(move || request.send(port).status)
        })
        .collect();
    let accepted = guesses
        .into_iter()
        .map(|guess| guess.join().unwrap())
        .filter(|status| *status == 200)
        .count();
    window.settled();
    let left = usize::from(bench.token().tries_left().unwrap().user.left);
    assert_eq!(left, usize::from(PIN_TRIES).saturating_sub(accepted));
    if left > 0 {
        window.press("cancel");
    }
    assert_eq!(answer(&mut asking).status, 403);
}

#[test]
fn a_pin_that_breaks_the_rules_costs_no_try() {
    let bench = Bench::new();
    let site = bench.approved(SITE);
    let mut asking = site.begin("/v1/sign", &contract());
    let window = bench.window();
    for entry in ["12345", "12345678901234567", "密码密码密码", ""] {
        let html = window.enter(&[("pin", entry)]);
        assert!(html.contains("口令须为 6 至 16 位"), "{html}");
    }
    assert_eq!(bench.token().tries_left().unwrap().user.left, PIN_TRIES);
    window.press("cancel");
    answer(&mut asking).assert_refused(403, "denied");
}

#[test]
fn the_page_sends_the_entries_that_were_asked_for() {
    let bench = Bench::new();
    let site = bench.approved(SITE);
    let _asking = site.begin("/v1/sign", &contract());
    let window = bench.window();
    let form = window.form();
    for body in [
        json!({ "form": form, "pin": PIN }),
        json!({ "form": form, "pin": "\u{1f600}" }),
        json!({ "form": form }),
        json!({ "form": form, "pin": "MTIzNDU2", "new": "MTIzNDU2" }),
        json!({ "form": form, "pin": "MTIzNDU2", "remember": true }),
    ] {
        window.call("/page/enter", &body).assert_refused(400, "arguments");
    }
    let html = window.enter(&[("pin", PIN), ("new", "new-pin-1"), ("again", "new-pin-1")]);
    assert!(html.contains("输入项不完整"), "{html}");
    assert_eq!(bench.token().tries_left().unwrap().user.left, PIN_TRIES);
}

#[test]
fn a_page_longer_than_its_entries_is_refused() {
    let bench = Bench::new();
    let window = bench.overview();
    window
        .call("/page/enter", &typed(&"f".repeat(5000), &[("pin", PIN)]))
        .assert_refused(413, "too-large");
}

#[test]
fn cancelling_ends_the_operation_without_a_signature() {
    let bench = Bench::new();
    let site = bench.approved(SITE);
    let mut asking = site.begin("/v1/sign", &contract());
    let window = bench.window();
    window.press("cancel");
    answer(&mut asking).assert_refused(403, "denied");
    assert!(window.html().contains("用户已取消"));
    // The next one has its turn.
    assert_eq!(bench.agreed(&site, "/v1/sign", &contract()).status, 200);
}

#[test]
fn without_an_answer_the_operation_ends_in_time() {
    let patient = Bench::new();
    let approved = patient.approved(SITE);
    let bench = Bench::with(Setup {
        tokens: Tokens::AsTheyAre,
        place: Some(patient.end()),
        limits: Limits {
            holder: Duration::from_millis(1500),
            ..Limits::default()
        },
        ..Setup::default()
    });
    let site = Site {
        port: bench.port,
        ..approved
    };
    let mut asking = site.begin("/v1/sign", &contract());
    let window = bench.window();
    let form = window.form();
    answer(&mut asking).assert_refused(408, "timed-out");
    window
        .call("/page/enter", &typed(&form, &[("pin", PIN)]))
        .assert_refused(410, "gone");
}

#[test]
fn when_the_site_leaves_the_operation_is_cancelled() {
    let bench = Bench::new();
    let site = bench.approved(SITE);
    let asking = site.begin("/v1/sign", &contract());
    let window = bench.window();
    let form = window.form();
    drop(asking);
    let mut html = String::new();
    for _ in 0..2000 {
        html = window.html();
        if html.contains("网站已离开") {
            break;
        }
        thread::sleep(Duration::from_millis(5));
    }
    assert!(html.contains("网站已离开"), "{html}");
    window
        .call("/page/enter", &typed(&form, &[("pin", PIN)]))
        .assert_refused(410, "gone");
    assert!(bench.kept().contains("site-left"));
}

#[test]
fn one_operation_at_a_time() {
    let bench = Bench::new();
    let site = bench.approved(SITE);
    let other = bench.approved(OTHER_SITE);
    let mut asking = site.begin("/v1/sign", &contract());
    let window = bench.window();
    for (path, body) in [
        ("/v1/sign", contract()),
        ("/v1/tokens", json!({})),
        ("/v1/change-pin", json!({})),
    ] {
        site.call(path, &body).assert_refused(409, "busy");
        other.call(path, &body).assert_refused(409, "busy");
    }
    let overview = bench.overview();
    overview
        .call("/page/change-pin", &json!({}))
        .assert_refused(409, "busy");
    assert!(window.enter(&[("pin", PIN)]).contains("操作完成"));
    assert_eq!(answer(&mut asking).status, 200);
    assert_eq!(other.call("/v1/tokens", &json!({})).status, 200);
}

#[test]
fn the_pin_is_changed_on_the_page_and_no_site_sees_it() {
    let bench = Bench::new();
    let site = bench.approved(SITE);
    let mut asking = site.begin("/v1/change-pin", &json!({}));
    let window = bench.window();
    assert!(window.html().contains("修改口令"));
    let change = |old, new, again| window.enter(&[("pin", old), ("new", new), ("again", again)]);
    assert!(change(PIN, "new-pin-1", "new-pin-2").contains("不一致"));
    assert!(change(PIN, PIN, PIN).contains("与原口令相同"));
    assert!(change("not-the-pin", "new-pin-1", "new-pin-1").contains("还可尝试 5 次"));
    assert!(change(PIN, "new-pin-1", "new-pin-1").contains("操作完成"));
    assert_eq!(answer(&mut asking).value(), json!({ "changed": true }));
    bench.token().login(&pin("new-pin-1")).unwrap();
}

#[test]
fn the_holder_changes_the_pin_from_the_overview() {
    let bench = Bench::new();
    let window = bench.overview();
    let shown = window.call("/page/change-pin", &json!({})).value();
    assert!(shown["html"].as_str().unwrap().contains("由您在证书助手中发起"));
    let html = window.enter(&[("pin", PIN), ("new", "new-pin-1"), ("again", "new-pin-1")]);
    assert!(html.contains("操作完成"), "{html}");
    bench.token().login(&pin("new-pin-1")).unwrap();
    assert!(
        window.call("/page/overview", &json!({})).value()["html"]
            .as_str()
            .unwrap()
            .contains("本机")
    );
}

#[test]
fn what_is_kept_holds_no_pin_no_message_and_no_name() {
    let bench = Bench::new();
    let site = bench.approved(SITE);
    let mut asking = site.begin("/v1/sign", &contract());
    let window = bench.window();
    window.enter(&[("pin", "not-the-pin")]);
    window.enter(&[("pin", PIN)]);
    answer(&mut asking).value();
    let kept = bench.kept();
    assert!(kept.contains("\"operation\":\"sign\"") && kept.contains(SITE));
    for secret in [
        PIN,
        "not-the-pin",
        ADMIN_PIN,
        "5LiA5Lu95ZCI5ZCM",
        "合同",
        super::bench::HOLDER,
        site.token.as_str(),
        window.key.as_str(),
    ] {
        assert!(!kept.contains(secret), "{secret}");
    }
}
