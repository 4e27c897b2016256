//! Login: the statement that the agent signs, and the servers that believe it or not.
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};
use yinxin_agent::operations::login::{Expected, LoginRefusal, PREFIX, verify};
use yinxin_pki::{Certificate, Name, SigningKey, chain::ChainError};

use super::{
    bench::{Bench, HOLDER, OTHER_SITE, PIN, SITE, bytes, certificate},
    raw::answer,
};
use crate::authority::Authority;
use yinxin_agent::token::vault::rng;

const AUDIENCE: &str = "电子招投标平台";
const NONCE: [u8; 32] = [7; 32];

struct Login {
    statement: Vec<u8>,
    signature: Vec<u8>,
    certificate: Certificate,
    issuers: Vec<Certificate>,
}

fn log_in(bench: &Bench) -> Login {
    let site = bench.approved(SITE);
    let body = json!({ "audience": AUDIENCE, "nonce": STANDARD.encode(NONCE) });
    let mut asking = site.begin("/v1/login", &body);
    let window = bench.window();
    let html = window.html();
    assert!(
        html.contains(AUDIENCE) && html.contains(SITE) && html.contains("登录网站"),
        "{html}"
    );
    window.enter(&[("pin", PIN)]);
    let value = answer(&mut asking).value();
    Login {
        statement: bytes(&value["statement"]),
        signature: bytes(&value["signature"]),
        certificate: certificate(&value["certificate"]),
        issuers: bench.parts().chain.clone(),
    }
}

impl Login {
    fn expected(&self) -> Expected<'_> {
        Expected {
            origin: SITE,
            audience: AUDIENCE,
            nonce: &NONCE,
            issuers: &self.issuers,
            now: OffsetDateTime::now_utc(),
        }
    }

    fn judged(&self, expected: &Expected<'_>) -> Result<(), LoginRefusal> {
        verify(&self.statement, &self.signature, &self.certificate, expected).map(|_| ())
    }
}

#[test]
fn a_server_believes_a_login_that_answers_its_own_challenge() {
    let bench = Bench::new();
    let login = log_in(&bench);
    let expected = login.expected();
    let holder = verify(&login.statement, &login.signature, &login.certificate, &expected).unwrap();
    assert_eq!(holder.subject().common_name(), Some(HOLDER));
    let said: Value = serde_json::from_slice(&login.statement).unwrap();
    assert_eq!(said["purpose"], "login");
    assert_eq!(said["origin"], SITE);
    assert_eq!(said["nonce"], STANDARD.encode(NONCE));
    // The statement alone is not what was signed: its purpose stands before it.
    let key = login.certificate.public_key().unwrap();
    assert!(key.verify(&login.statement, &login.signature).is_err());
    assert!(
        key.verify(&[PREFIX, &login.statement].concat(), &login.signature)
            .is_ok()
    );
}

#[test]
fn a_server_refuses_a_login_that_was_made_for_something_else() {
    let bench = Bench::new();
    let login = log_in(&bench);
    let now = OffsetDateTime::now_utc();
    let strangers = Authority::new()
        .issue_for(
            &Name::unit("Stranger", None).unwrap(),
            SigningKey::generate(&mut rng()).public_key(),
        )
        .chain;
    for (expected, refusal) in [
        (
            Expected {
                origin: OTHER_SITE,
                ..login.expected()
            },
            LoginRefusal::Origin,
        ),
        (
            Expected {
                audience: "another",
                ..login.expected()
            },
            LoginRefusal::Audience,
        ),
        (
            Expected {
                nonce: &[8; 32],
                ..login.expected()
            },
            LoginRefusal::Nonce,
        ),
        (
            Expected {
                now: now + Duration::minutes(6),
                ..login.expected()
            },
            LoginRefusal::Time,
        ),
        (
            Expected {
                now: now - Duration::minutes(3),
                ..login.expected()
            },
            LoginRefusal::Time,
        ),
        (
            Expected {
                issuers: &strangers,
                ..login.expected()
            },
            LoginRefusal::Chain(ChainError::Issuer),
        ),
    ] {
        assert_eq!(login.judged(&expected), Err(refusal));
    }
}

#[test]
fn a_server_refuses_a_login_that_was_changed() {
    let bench = Bench::new();
    let login = log_in(&bench);
    let said: Value = serde_json::from_slice(&login.statement).unwrap();
    let with = |field: &str, value: Value| {
        let mut changed = said.clone();
        changed[field] = value;
        serde_json::to_vec(&changed).unwrap()
    };
    for (statement, refusal) in [
        (with("purpose", "sign".into()), LoginRefusal::Malformed),
        (with("version", 2.into()), LoginRefusal::Malformed),
        (with("more", 1.into()), LoginRefusal::Malformed),
        (b"{}".to_vec(), LoginRefusal::Malformed),
        (
            [login.statement.as_slice(), b" "].concat(),
            LoginRefusal::Signature,
        ),
    ] {
        let changed = Login {
            statement,
            signature: login.signature.clone(),
            certificate: login.certificate.clone(),
            issuers: login.issuers.clone(),
        };
        assert_eq!(changed.judged(&changed.expected()), Err(refusal));
    }
    let encryption = bench.parts().encryption.clone();
    let refused = verify(&login.statement, &login.signature, &encryption, &login.expected());
    assert_eq!(refused.err(), Some(LoginRefusal::Certificate));
    let mut signature = login.signature.clone();
    *signature.last_mut().unwrap() ^= 1;
    let refused = verify(
        &login.statement,
        &signature,
        &login.certificate,
        &login.expected(),
    );
    assert_eq!(refused.err(), Some(LoginRefusal::Signature));
}

#[test]
fn the_origin_is_the_browsers_word_and_not_the_sites() {
    let bench = Bench::new();
    let site = bench.approved(SITE);
    site.call(
        "/v1/login",
        &json!({ "audience": AUDIENCE, "nonce": STANDARD.encode(NONCE), "origin": OTHER_SITE }),
    )
    .assert_refused(400, "arguments");
}

#[test]
fn weak_challenges_and_deceiving_audiences_are_refused() {
    let bench = Bench::new();
    let site = bench.approved(SITE);
    let good = STANDARD.encode(NONCE);
    for (audience, nonce) in [
        (AUDIENCE, STANDARD.encode([7; 31])),
        (AUDIENCE, STANDARD.encode([7; 129])),
        (AUDIENCE, "not base64".to_owned()),
        ("", good.clone()),
        ("bank\u{202e}elpmaxe", good.clone()),
        ("a\nb", good.clone()),
        (&"a".repeat(129), good),
    ] {
        site.call("/v1/login", &json!({ "audience": audience, "nonce": nonce }))
            .assert_refused(400, "arguments");
    }
    assert!(bench.browser.is_empty());
}
