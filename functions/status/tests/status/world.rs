//! A CA of its own, statuses in memory, and the function.
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use serde_json::{Value, json};
use time::macros::datetime;
use time::{Duration, OffsetDateTime};
use yinxin_ca::status::{CertifiedSigner, StatusAuthority, Window, authority_id};
use yinxin_ca::{SoftwareKey, ceremony};
use yinxin_lambda::Function;
use yinxin_lambda::Platform;
use yinxin_lambda::serve::router_of;
use yinxin_order::revocation::RevocationReason;
use yinxin_order::sample::{order_id, vendor};
use yinxin_pki::Certificate;
use yinxin_pki::crl::Reason;
use yinxin_pki::ocsp::{CertId, CertStatus, OcspHash, OcspRequest, OcspResponse};
use yinxin_status::{App, routes};
use yinxin_store::memory::MemoryStore;
use yinxin_store::statuses::{Answers, CertificateKey, CertificateStatus, Revoked, Statuses as _};
use yinxin_store::vault::rng;

pub const NOW: OffsetDateTime = datetime!(2026-04-07 02:00 UTC);
/// The serial number of the certificate that the world knows; its first bit is set.
pub const SERIAL: [u8; 4] = [0x91, 0xa2, 0xb3, 0xc4];
/// The same as the content of an INTEGER.
pub const SERIAL_CONTENT: [u8; 5] = [0x00, 0x91, 0xa2, 0xb3, 0xc4];

pub struct World {
    pub store: Arc<MemoryStore>,
    pub issuing: Certificate,
    pub authority: String,
    pub signing: StatusAuthority,
    clock: Arc<AtomicI64>,
    function: Function,
}

/// An HTTP answer as Lambda gives it.
pub struct Answer {
    pub status: u64,
    pub body: Vec<u8>,
    headers: Value,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers[name].as_str()
    }

    pub fn ocsp(&self) -> OcspResponse {
        assert_eq!(self.status, 200);
        assert_eq!(self.header("content-type"), Some("application/ocsp-response"));
        OcspResponse::from_der(&self.body).unwrap()
    }
}

impl World {
    pub async fn new() -> World {
        let store = Arc::new(MemoryStore::default());
        let made = ceremony::init("one-ca", "样例电子认证有限公司", NOW, &mut rng()).unwrap();
        let issuing = made.issuing.certificate.clone();
        let signer = CertifiedSigner {
            certificate: issuing.clone(),
            signer: Arc::new(SoftwareKey::new(made.issuing.key)),
        };
        let clock = Arc::new(AtomicI64::new(NOW.unix_timestamp()));
        let shown = clock.clone();
        let now = move || OffsetDateTime::from_unix_timestamp(shown.load(Ordering::Relaxed)).unwrap();
        let platform = Platform::in_memory(&store, Arc::new(now));
        let world = World {
            authority: authority_id(&issuing),
            signing: StatusAuthority::new(signer),
            function: Function::new("status").http(router_of(routes(App { platform }))),
            issuing,
            store,
            clock,
        };
        let mut status = world.status();
        status.answers = Some(world.answers(CertStatus::Good).await);
        assert!(world.store.register(&[status]).await.unwrap());
        world
    }

    fn status(&self) -> CertificateStatus {
        CertificateStatus {
            key: self.key(),
            vendor: vendor(),
            order: order_id(1),
            shard: 0,
            not_after: NOW + Duration::days(365),
            revoked: None,
            answers: None,
        }
    }

    pub fn key(&self) -> CertificateKey {
        CertificateKey {
            authority: self.authority.clone(),
            serial: hex::encode(SERIAL),
        }
    }

    async fn answers(&self, status: CertStatus) -> Answers {
        let window = Window {
            from: NOW,
            until: NOW + Duration::days(7),
        };
        let mut by_hash = BTreeMap::new();
        for (name, hash) in [
            ("sha1", OcspHash::Sha1),
            ("sha256", OcspHash::Sha256),
            ("sm3", OcspHash::Sm3),
        ] {
            let answer = self.signing.answer(&SERIAL_CONTENT, hash, status, window).await;
            by_hash.insert(name.to_owned(), answer.unwrap());
        }
        Answers {
            by_hash,
            this_update: NOW,
            next_update: NOW + Duration::days(7),
            due: None,
        }
    }

    /// Revokes the certificate; with the answers that say so, or before they are signed.
    pub async fn revoke(&self, is_signed: bool) {
        let revoked = Revoked {
            at: NOW,
            reason: RevocationReason::Superseded,
            invalidity_date: None,
        };
        self.store.revoke(&[self.status()], &revoked).await.unwrap();
        if is_signed {
            let reason = Some(Reason::Superseded);
            let answers = self.answers(CertStatus::Revoked { at: NOW, reason }).await;
            let status = self.store.status(&self.key()).await.unwrap().unwrap();
            assert!(self.store.put_answers(&status, &answers).await.unwrap());
        }
    }

    pub fn turn_clock_to(&self, at: OffsetDateTime) {
        self.clock.store(at.unix_timestamp(), Ordering::Relaxed);
    }

    /// The question for a certificate of the CA.
    pub fn question(&self, serial: &[u8], hash: OcspHash) -> Vec<u8> {
        OcspRequest::new(vec![CertId::of(&self.issuing, serial, hash)], None)
            .as_der()
            .to_vec()
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.call("GET", path, None, &json!({})).await
    }

    pub async fn get_with(&self, path: &str, headers: &Value) -> Answer {
        self.call("GET", path, None, headers).await
    }

    /// Asks by POST; API Gateway hands binary bodies on in base64.
    pub async fn post(&self, question: &[u8]) -> Answer {
        let path = format!("/api/ocsp/{}", self.authority);
        let headers = json!({"content-type": "application/ocsp-request"});
        self.call("POST", &path, Some(question), &headers).await
    }

    async fn call(&self, method: &str, path: &str, body: Option<&[u8]>, headers: &Value) -> Answer {
        use base64::Engine as _;
        use base64::engine::general_purpose::STANDARD;
        let mut event: Value =
            serde_json::from_str(include_str!("../../../../events/http-query-health.json")).unwrap();
        event["rawPath"] = json!(path);
        event["requestContext"]["http"]["method"] = json!(method);
        event["headers"] = headers.clone();
        event["isBase64Encoded"] = json!(body.is_some());
        event["body"] = json!(body.map(|body| STANDARD.encode(body)));
        let answer = self.function.answer(event, false).await.unwrap();
        let text = answer["body"].as_str().unwrap_or_default();
        let body = if answer["isBase64Encoded"] == json!(true) {
            STANDARD.decode(text).unwrap()
        } else {
            text.as_bytes().to_vec()
        };
        Answer {
            status: answer["statusCode"].as_u64().unwrap(),
            body,
            headers: answer["headers"].clone(),
        }
    }
}
