//! A platform, a software token, and runs of the agent between them.
use std::time::Duration;

use time::OffsetDateTime;
use yinxin_agent::{
    personalise::{Outcome, Personalisation, PersonaliseError, Step, journal::JOURNAL_RECORD},
    pin::Pin,
    platform::{Pace, Platform},
    token::{SkfToken, Token, Usage, vault::Cost},
};
use zeroize::Zeroizing;

use crate::{
    platform::{FakePlatform, ORDER_NUMBER, SESSION},
    soft_token::SoftToken,
};

pub const PIN: &str = "operator1";
pub const ADMIN_PIN: &str = "vendor-admin";

pub struct World {
    pub platform: FakePlatform,
    soft_token: SoftToken,
}

pub fn pin(text: &str) -> Pin {
    Pin::new(Zeroizing::new(text.to_owned())).unwrap()
}

pub fn cost() -> Cost {
    Cost::new(10).unwrap()
}

impl World {
    pub fn new() -> Self {
        Self {
            platform: FakePlatform::start(),
            soft_token: SoftToken::new("Blank", PIN, ADMIN_PIN),
        }
    }

    /// The token, opened anew.
    pub fn token(&self) -> SkfToken {
        self.soft_token.open()
    }

    pub fn serial(&self) -> &str {
        &self.soft_token.serial
    }

    /// One run with the token opened anew.
    pub async fn run(&self) -> Result<Outcome, PersonaliseError> {
        self.run_with(&mut self.token(), ORDER_NUMBER, PIN).await
    }

    /// One run with an open token.
    pub async fn run_with(
        &self,
        token: &mut dyn Token,
        order: &str,
        operator: &str,
    ) -> Result<Outcome, PersonaliseError> {
        personalise(&self.platform.url(), token, order, operator).await
    }

    /// What holds after every order that was personalised, however it came to that.
    pub fn assert_personalised(&self) {
        let mut token = self.token();
        let records = self.platform.records();
        assert_eq!(records.violations, Vec::<String>::new());
        assert_eq!(records.csrs.len(), 1, "one CSR");
        assert_eq!(
            token.public_key(Usage::Signing).unwrap().as_ref(),
            Some(records.csrs[0].public_key()),
            "the key of the CSR is the token's"
        );
        let report = records.reports.last().expect("a report");
        assert_eq!(report["token_serial"], token.identity().serial);
        for (usage, field) in [
            (Usage::Signing, "signing_certificate_sm3"),
            (Usage::Encryption, "encryption_certificate_sm3"),
        ] {
            let certificate = token.certificate(usage).unwrap().expect("a certificate");
            assert_eq!(
                token.public_key(usage).unwrap().as_ref(),
                certificate.public_key()
            );
            assert_eq!(report[field], hex::encode(yinxin_pki::sm3(certificate.as_der())));
        }
        assert!(
            token.login(&pin(PIN)).is_err(),
            "the operator's PIN no longer opens the token"
        );
        token
            .login(&pin(report["password"].as_str().unwrap()))
            .expect("the reported password opens the token");
        let signature = token.sign(b"message").unwrap();
        assert!(
            records.csrs[0]
                .public_key()
                .verify(b"message", &signature)
                .is_ok()
        );
        let journal = String::from_utf8(token.record(JOURNAL_RECORD).unwrap().unwrap()).unwrap();
        assert!(!journal.contains("password"), "the pending password is erased");
    }
}

/// One run; nothing is tried twice in it, so that each fault ends it.
pub async fn personalise(
    url: &str,
    token: &mut dyn Token,
    order: &str,
    operator: &str,
) -> Result<Outcome, PersonaliseError> {
    let pace = Pace {
        first: Duration::from_millis(1),
        longest: Duration::from_millis(2),
        tries: 1,
        patience: Duration::from_millis(200),
    };
    let session = Zeroizing::new(SESSION.as_bytes().to_vec());
    let platform = Platform::new(url, &session, pace).unwrap();
    let mut steps: Vec<Step> = Vec::new();
    Personalisation {
        token,
        platform: &platform,
        cost: cost(),
        clock: OffsetDateTime::now_utc,
        progress: &mut |step| steps.push(step),
    }
    .run(&order.parse().unwrap(), &pin(operator))
    .await
}
