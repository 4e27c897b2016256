//! What an approved site gets with the holder's consent.
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use yinxin_agent::token::vault::rng;
use yinxin_pki::{
    algorithm::SubjectKey,
    cms::{Cms, SignatureFault},
    cms_envelope, cms_write,
    key::DEFAULT_ID,
    sm3,
};

use super::{
    bench::{Bench, HOLDER, PIN, SITE, Setup, Tokens, bytes, certificate},
    raw::answer,
};

const CONTRACT: &str = "甲方向乙方支付人民币壹万元整。";

fn base64(bytes: impl AsRef<[u8]>) -> String {
    STANDARD.encode(bytes)
}

#[test]
fn tokens_are_listed_with_certificates_and_the_days_that_they_have_left() {
    let bench = Bench::new();
    let site = bench.approved(SITE);
    let list = site.call("/v1/tokens", &json!({})).value();
    let tokens = list["tokens"].as_array().unwrap();
    assert_eq!(tokens.len(), 1);
    let token = &tokens[0];
    assert_eq!(token["user_pin_tries_left"], 6);
    for (field, usage, held) in [
        ("signing_certificate", "signing", &bench.parts().signing),
        ("encryption_certificate", "encryption", &bench.parts().encryption),
    ] {
        let shown = &token[field];
        assert_eq!(shown["holder"], HOLDER);
        assert_eq!(shown["issuer"], "Test Issuing CA");
        assert_eq!(shown["usage"], usage);
        assert_eq!(shown["pem"], held.to_pem());
        assert!((363..=365).contains(&shown["days_left"].as_i64().unwrap()));
    }
    assert!(bench.browser.is_empty(), "a list needs no page");
}

#[test]
fn a_message_is_shown_and_signed_raw() {
    let bench = Bench::new();
    let site = bench.approved(SITE);
    let body = json!({ "message": base64(CONTRACT), "format": "raw" });
    let mut asking = site.begin("/v1/sign", &body);
    let window = bench.window();
    let html = window.html();
    for shown in [
        CONTRACT,
        SITE,
        HOLDER,
        "Test Issuing CA",
        "剩余 36",
        &hex::encode(sm3(CONTRACT.as_bytes())),
    ] {
        assert!(html.contains(shown), "{shown}: {html}");
    }
    window.enter(&[("pin", PIN)]);
    let answered = answer(&mut asking).value();
    let signer = certificate(&answered["certificate"]);
    assert_eq!(signer, bench.parts().signing);
    let signature = bytes(&answered["signature"]);
    let key = signer.public_key().unwrap();
    assert!(key.verify(CONTRACT.as_bytes(), &signature).is_ok());
    assert!(key.verify(b"another message", &signature).is_err());
}

#[test]
fn a_message_is_signed_as_signed_data_with_and_without_its_content() {
    let bench = Bench::new();
    let site = bench.approved(SITE);
    for (format, attached) in [("cms-attached", true), ("cms-detached", false)] {
        let body = json!({ "message": base64(CONTRACT), "format": format });
        let signed = bench.agreed(&site, "/v1/sign", &body).value();
        let Ok(Cms::Signed(message)) = Cms::from_der(&bytes(&signed["cms"])) else {
            panic!("no signed message");
        };
        assert_eq!(
            message.content.as_deref(),
            attached.then_some(CONTRACT.as_bytes())
        );
        assert_eq!(message.certificates, std::slice::from_ref(&bench.parts().signing));
        let key = SubjectKey::Sm2(bench.parts().signing.public_key().unwrap().clone());
        let verify = |content: &[u8]| message.signers[0].verify(content, &key, DEFAULT_ID);
        assert_eq!(verify(CONTRACT.as_bytes()), Ok(()));
        assert_eq!(verify(b"another message"), Err(SignatureFault::Content));
    }
}

#[test]
fn a_digest_is_signed_with_a_warning_that_it_shows_nothing() {
    let bench = Bench::new();
    let site = bench.approved(SITE);
    let digest = sm3(CONTRACT.as_bytes());
    let mut asking = site.begin(
        "/v1/sign-digest",
        &json!({ "digest": base64(digest), "format": "raw" }),
    );
    let window = bench.window();
    let html = window.html();
    assert!(
        html.contains("无法显示原文") && html.contains(&hex::encode(digest)),
        "{html}"
    );
    window.enter(&[("pin", PIN)]);
    let signed = answer(&mut asking).value();
    let signature = bytes(&signed["signature"]);
    let key = bench.parts().signing.public_key().unwrap().clone();
    assert!(
        key.verify(&digest, &signature).is_ok(),
        "the digest is the message"
    );
    // Not over e itself, so that no digest that a site chooses becomes the e of another message.
    assert!(key.verify_digest(&digest, &signature).is_err());

    let body = json!({ "digest": base64(digest), "format": "cms-detached" });
    let signed = bench.agreed(&site, "/v1/sign-digest", &body).value();
    let Ok(Cms::Signed(message)) = Cms::from_der(&bytes(&signed["cms"])) else {
        panic!("no signed message");
    };
    assert_eq!(message.content, None);
    assert_eq!(
        message.signers[0].verify(CONTRACT.as_bytes(), &SubjectKey::Sm2(key), DEFAULT_ID),
        Ok(())
    );
}

#[test]
fn messages_that_mean_something_else_are_not_signed() {
    let bench = Bench::new();
    let site = bench.approved(SITE);
    let attributes = cms_write::attributes(CONTRACT.as_bytes(), time::OffsetDateTime::UNIX_EPOCH);
    for message in [
        b"YINXIN-LOGIN-1\n{\"version\":1}".to_vec(),
        b"YINXIN-TICKET-1\n{}".to_vec(),
        attributes,
        sm3(CONTRACT.as_bytes()).to_vec(),
    ] {
        site.call(
            "/v1/sign",
            &json!({ "message": base64(&message), "format": "raw" }),
        )
        .assert_refused(422, "confusable-message");
    }
    assert!(bench.browser.is_empty());
}

#[test]
fn markup_and_turned_round_text_are_shown_as_what_they_are() {
    let bench = Bench::new();
    let site = bench.approved(SITE);
    let message = "<img src=x onerror=alert(1)>\u{202e}元万壹";
    let _asking = site.begin(
        "/v1/sign",
        &json!({ "message": base64(message), "format": "raw" }),
    );
    let html = bench.window().html();
    assert!(
        html.contains("&lt;img src=x onerror=alert(1)&gt;‹U+202E›元万壹"),
        "{html}"
    );
    assert!(!html.contains("<img"));
}

#[test]
fn a_message_longer_than_the_page_says_that_it_is_cut() {
    let bench = Bench::new();
    let site = bench.approved(SITE);
    let message = "长".repeat(3000);
    let _asking = site.begin(
        "/v1/sign",
        &json!({ "message": base64(message), "format": "raw" }),
    );
    assert!(bench.window().html().contains("以上仅为内容的开头部分"));
}

#[test]
fn messages_beyond_the_limit_and_empty_ones_are_refused() {
    let bench = Bench::new();
    let site = bench.approved(SITE);
    for message in [vec![b'a'; 4 * 1024 * 1024 + 1], Vec::new()] {
        site.call(
            "/v1/sign",
            &json!({ "message": base64(message), "format": "raw" }),
        )
        .assert_refused(400, "arguments");
    }
    let largest = json!({ "message": base64(vec![b'a'; 4 * 1024 * 1024]), "format": "cms-detached" });
    assert_eq!(bench.agreed(&site, "/v1/sign", &largest).status, 200);
}

#[test]
fn both_kinds_of_ciphertext_are_decrypted() {
    let bench = Bench::new();
    let site = bench.approved(SITE);
    let encryption = &bench.parts().encryption;
    let plain = "投标报价：1,234,567.00";
    let sm2 = encryption
        .public_key()
        .unwrap()
        .encrypt(plain.as_bytes(), &mut rng())
        .unwrap();
    let cms = cms_envelope::seal(plain.as_bytes(), encryption, &mut rng()).unwrap();
    for (ciphertext, format) in [(sm2, "sm2"), (cms, "cms")] {
        let body = json!({ "ciphertext": base64(ciphertext), "format": format });
        let opened = bench.agreed(&site, "/v1/decrypt", &body).value();
        assert_eq!(bytes(&opened["plaintext"]), plain.as_bytes());
    }
}

#[test]
fn a_long_message_is_decrypted_in_parts() {
    let bench = Bench::new();
    let site = bench.approved(SITE);
    let plain: Vec<u8> = (0..=250).cycle().take(300_001).collect();
    let cms = cms_envelope::seal(&plain, &bench.parts().encryption, &mut rng()).unwrap();
    let body = json!({ "ciphertext": base64(cms), "format": "cms" });
    let opened = bench.agreed(&site, "/v1/decrypt", &body).value();
    assert_eq!(bytes(&opened["plaintext"]), plain);
}

#[test]
fn a_token_that_is_pulled_out_while_the_page_is_open_is_missed() {
    let bench = Bench::new();
    let site = bench.approved(SITE);
    let body = json!({ "message": base64(CONTRACT), "format": "raw" });
    let mut asking = site.begin("/v1/sign", &body);
    let window = bench.window();
    bench.pull();
    window.enter(&[("pin", PIN)]);
    answer(&mut asking).assert_refused(409, "ukey-removed");
}

#[test]
fn an_envelope_for_somebody_else_asks_nobody_for_a_pin() {
    let bench = Bench::new();
    let site = bench.approved(SITE);
    let other = cms_envelope::seal(b"secret", &bench.parts().signing, &mut rng()).unwrap();
    site.call(
        "/v1/decrypt",
        &json!({ "ciphertext": base64(other), "format": "cms" }),
    )
    .assert_refused(422, "not-for-this-ukey");
    assert!(bench.browser.is_empty());
}

#[test]
fn a_changed_ciphertext_does_not_open() {
    let bench = Bench::new();
    let site = bench.approved(SITE);
    let encryption = &bench.parts().encryption;
    let mut sm2 = encryption
        .public_key()
        .unwrap()
        .encrypt(b"secret", &mut rng())
        .unwrap();
    *sm2.last_mut().unwrap() ^= 1;
    let mut cms = cms_envelope::seal(b"secret", encryption, &mut rng()).unwrap();
    *cms.last_mut().unwrap() ^= 1;
    for (ciphertext, format) in [(sm2, "sm2"), (cms, "cms")] {
        let body = json!({ "ciphertext": base64(ciphertext), "format": format });
        let refused = bench.agreed(&site, "/v1/decrypt", &body);
        refused.assert_refused(422, "cannot-open");
    }
}

#[test]
fn without_a_token_or_with_several_nobody_is_asked() {
    for (tokens, code, chinese) in [
        (Tokens::None, "no-ukey", "未检测到 UKey，请插入 UKey"),
        (Tokens::Several, "several-ukeys", "检测到多个 UKey，请只保留一个"),
        (Tokens::Blank, "no-certificate", "UKey 中没有所需的证书"),
    ] {
        let bench = Bench::with(Setup {
            tokens,
            ..Setup::default()
        });
        let site = bench.approved(SITE);
        let refused = site.call(
            "/v1/sign",
            &json!({ "message": base64(CONTRACT), "format": "raw" }),
        );
        refused.assert_refused(409, code);
        assert_eq!(refused.json()["title"], chinese);
        assert!(bench.browser.is_empty());
    }
}

#[test]
fn a_token_that_is_exchanged_while_the_page_is_open_signs_nothing() {
    let bench = Bench::new();
    let site = bench.approved(SITE);
    let mut asking = site.begin(
        "/v1/sign",
        &json!({ "message": base64(CONTRACT), "format": "raw" }),
    );
    let window = bench.window();
    assert!(window.html().contains(HOLDER));
    let mut other = bench.exchange();
    super::bench::personalised(&mut other, &bench.authority);
    drop(other);
    window.enter(&[("pin", PIN)]);
    answer(&mut asking).assert_refused(409, "exchanged");
}

#[test]
fn the_pin_of_an_exchanged_token_is_not_changed() {
    let bench = Bench::new();
    let window = bench.overview();
    window.call("/page/change-pin", &json!({})).value();
    drop(bench.exchange());
    let html = window.enter(&[("pin", PIN), ("new", "new-pin-1"), ("again", "new-pin-1")]);
    assert!(html.contains("UKey 或证书已更换"), "{html}");
    yinxin_agent::token::Token::login(&mut bench.token(), &crate::world::pin(PIN)).unwrap();
}

#[test]
fn a_site_opens_only_so_many_pages() {
    let bench = Bench::with(Setup {
        limits: yinxin_agent::service::Limits {
            operations: yinxin_agent::service::pace::Rate { each: 2, all: 9 },
            ..Default::default()
        },
        ..Setup::default()
    });
    let site = bench.approved(SITE);
    let body: Value = json!({ "message": base64(CONTRACT), "format": "raw" });
    for _ in 0..2 {
        let mut asking = site.begin("/v1/sign", &body);
        bench.window().press("cancel");
        answer(&mut asking).assert_refused(403, "denied");
    }
    site.call("/v1/sign", &body).assert_refused(429, "too-often");
}
