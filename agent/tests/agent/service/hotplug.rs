//! UKeys that come and go, are broken, or are used by others, while the service runs: as a process with a library of its own.
use std::{
    fs, thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use yinxin_softskf::{Library, Settings};

use super::{
    bench::{PIN, Site, Window, personalised},
    program::{Program, plug},
    raw::answer,
};
use crate::{authority::Authority, soft_token::SoftToken, world::ADMIN_PIN};

/// A busy UKey is told of in this time: a look at the tokens, and one call of a library.
const BUSY_LIMIT: Duration = Duration::from_secs(8);
const MESSAGE: &str = "5LiA5Lu95ZCI5ZCM";

/// A UKey with certificates, made where this process's library looks, and moved to a service's.
fn with_certificates(directory: &std::path::Path) -> SoftToken {
    let token = SoftToken::new("UKey", PIN, ADMIN_PIN);
    personalised(&mut token.open(), &Authority::new());
    token.moved_to(&directory.join("plugged"))
}

/// A service with that UKey, and an approved site.
fn running(environment: &[(&str, &str)]) -> (Program, Site) {
    let directory = tempfile::tempdir().unwrap();
    let token = with_certificates(directory.path());
    let program = Program::start_in(directory, token, &["--port", "0"], environment);
    let site = program.approved(0);
    (program, site)
}

fn message() -> Value {
    json!({ "message": MESSAGE, "format": "raw" })
}

fn overview(program: &Program, page: usize) -> Window {
    let knock = super::bench::page_request(program.port, "/page/knock", &json!({}), None);
    knock.send(program.port).value();
    Window::open(&program.page(page))
}

/// What the overview shows, and what it then waits with.
fn view(window: &Window) -> (String, Value) {
    let shown = window.call("/page/view", &json!({})).value();
    (shown["html"].as_str().unwrap().to_owned(), shown["plugs"].clone())
}

/// Waits as the page does until a UKey comes or goes.
fn await_change(window: &Window, plugs: &Value) {
    let waited = window.call("/page/changed", &json!({ "plugs": plugs })).value();
    assert_eq!(waited, json!({ "changed": true }));
}

#[test]
fn the_overview_is_made_anew_when_a_ukey_comes_or_goes() {
    let (program, _) = running(&[]);
    let window = overview(&program, 1);
    let (html, plugs) = view(&window);
    assert!(html.contains(&program.token().serial));
    let second = plug(program.plugged().parent().unwrap());
    await_change(&window, &plugs);
    let (html, plugs) = view(&window);
    assert!(html.contains(&second.serial) && html.contains("检测到多个 UKey"));
    drop(second);
    await_change(&window, &plugs);
    let (html, plugs) = view(&window);
    assert!(!html.contains("检测到多个 UKey"));
    fs::remove_file(program.token().file()).unwrap();
    await_change(&window, &plugs);
    assert!(view(&window).0.contains("未检测到 UKey"));
}

#[test]
fn an_operation_ends_at_once_when_its_ukey_is_pulled_out() {
    for (path, body) in [("/v1/sign", message()), ("/v1/change-pin", json!({}))] {
        let (program, site) = running(&[]);
        let mut asking = site.begin(path, &body);
        let window = Window::open(&program.page(1));
        assert!(window.html().contains(&program.token().serial));
        fs::remove_file(program.token().file()).unwrap();
        // Nobody types a PIN.
        answer(&mut asking).assert_refused(409, "ukey-removed");
        assert!(window.settled().contains("UKey 已拔出"));
        site.call(path, &body).assert_refused(409, "no-ukey");
    }
}

#[test]
fn an_operation_outlives_another_ukey_that_comes_and_goes() {
    let (program, site) = running(&[]);
    let mut asking = site.begin("/v1/sign", &message());
    let window = Window::open(&program.page(1));
    let watching = overview(&program, 2);
    let (_, plugs) = view(&watching);
    let other = plug(program.plugged().parent().unwrap());
    await_change(&watching, &plugs);
    let (_, plugs) = view(&watching);
    drop(other);
    await_change(&watching, &plugs);
    assert!(window.enter(&[("pin", PIN)]).contains("操作完成"));
    assert_eq!(answer(&mut asking).status, 200);
}

#[test]
fn a_ukey_without_an_application_hides_no_other() {
    let (program, site) = running(&[]);
    let bare = SoftToken::bare_in(&program.plugged(), "Bare");
    let listed = site.call("/v1/tokens", &json!({})).value();
    let tokens = listed["tokens"].as_array().unwrap();
    assert_eq!((tokens.len(), &listed["problems"]), (2, &json!([])));
    for token in tokens {
        if token["serial"] == bare.serial.as_str() {
            assert_eq!(token["error"], "ukey-unprepared");
            assert_eq!(token["signing_certificate"], Value::Null);
        } else {
            assert_eq!(token["error"], Value::Null);
            assert!(token["signing_certificate"]["pem"].is_string());
        }
    }
    let (html, _) = view(&overview(&program, 1));
    assert!(html.contains("UKey 尚未初始化") && html.contains(&program.token().serial));
    // Its name and number are known: it counts.
    site.call("/v1/sign", &message())
        .assert_refused(409, "several-ukeys");
    fs::remove_file(program.token().file()).unwrap();
    site.call("/v1/sign", &message())
        .assert_refused(409, "ukey-unprepared");
}

#[test]
fn a_device_that_cannot_be_read_is_told_of_and_stands_in_nobodys_way() {
    let (program, site) = running(&[]);
    let broken = program.plugged().join("BROKEN1.softskf");
    yinxin_keep::private_file::replace(&broken, b"no device").unwrap();
    let listed = site.call("/v1/tokens", &json!({})).value();
    assert_eq!(listed["tokens"].as_array().unwrap().len(), 1);
    assert_eq!(listed["problems"], json!(["ukey-fault"]));
    assert!(
        !listed.to_string().contains("BROKEN1"),
        "its name is no site's business"
    );
    let (html, _) = view(&overview(&program, 1));
    assert!(html.contains("UKey 无法读取：softskf, BROKEN1"), "{html}");
    let mut asking = site.begin("/v1/sign", &message());
    let window = Window::open(&program.page(2));
    assert!(window.html().contains("UKey 无法读取：softskf, BROKEN1"));
    window.enter(&[("pin", PIN)]);
    assert_eq!(answer(&mut asking).status, 200);
    // Alone it is the reason.
    fs::remove_file(program.token().file()).unwrap();
    site.call("/v1/sign", &message())
        .assert_refused(500, "ukey-fault");
}

/// Another program that has the UKey for itself: this process, with a library of its own.
struct OtherProgram {
    library: Library,
    device: yinxin_softskf::Handle,
}

impl OtherProgram {
    fn locks(token: &SoftToken) -> Self {
        let library = Library::new(Settings::new(token.file().parent().unwrap()));
        let device = library.connect(&token.serial).unwrap();
        library.lock_device(device, 1000).unwrap();
        Self { library, device }
    }

    fn lets_go(self) {
        self.library.unlock_device(self.device).unwrap();
    }
}

#[test]
fn a_ukey_that_another_program_has_is_busy_before_the_page_and_behind_it() {
    let (program, site) = running(&[]);
    let other = OtherProgram::locks(program.token());
    let begun = Instant::now();
    site.call("/v1/sign", &message()).assert_refused(409, "ukey-busy");
    assert!(begun.elapsed() < BUSY_LIMIT, "{:?}", begun.elapsed());
    let listed = site.call("/v1/tokens", &json!({})).value();
    assert_eq!(listed, json!({ "tokens": [], "problems": ["ukey-busy"] }));
    let (html, _) = view(&overview(&program, 1));
    assert!(html.contains("UKey 正被其他程序使用"), "{html}");
    other.lets_go();

    let mut asking = site.begin("/v1/sign", &message());
    let window = Window::open(&program.page(2));
    let form = window.form();
    let other = OtherProgram::locks(program.token());
    let begun = Instant::now();
    window
        .call(
            "/page/enter",
            &super::bench::typed(&form, &[("pin", "wrong-pin")]),
        )
        .value();
    answer(&mut asking).assert_refused(409, "ukey-busy");
    assert!(begun.elapsed() < BUSY_LIMIT, "{:?}", begun.elapsed());
    assert!(window.settled().contains("其他程序正在使用 UKey"));
    other.lets_go();
    // The wrong PIN was not tried.
    let listed = site.call("/v1/tokens", &json!({})).value();
    assert_eq!(listed["tokens"][0]["user_pin_tries_left"], 6);
}

#[test]
fn a_library_that_does_not_answer_holds_up_nobody_but_itself() {
    let (program, site) = running(&[("YINXIN_SOFTSKF_SLOW_MS", "SKF_OpenApplication:30000")]);
    let begun = Instant::now();
    let calls = [site.clone(), site.clone()].map(|site| {
        thread::spawn(move || {
            site.call("/v1/tokens", &json!({}))
                .assert_refused(409, "ukey-busy");
        })
    });
    // The service itself goes on meanwhile.
    assert_eq!(site.call("/v1/status", &json!({})).status, 200);
    assert!(begun.elapsed() < Duration::from_secs(4));
    for call in calls {
        call.join().unwrap();
    }
    site.call("/v1/sign", &message()).assert_refused(409, "ukey-busy");
    assert!(begun.elapsed() < BUSY_LIMIT * 2, "{:?}", begun.elapsed());
    drop(program);
}
