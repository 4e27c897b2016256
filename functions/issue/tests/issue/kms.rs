//! Keys in KMS: the real client against a loopback address that speaks KMS's protocol with key spec SM2.
use std::sync::{Arc, Mutex};

use aws_sdk_kms::config::{BehaviorVersion, Credentials, Region};
use axum::Router;
use axum::http::{HeaderMap, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use yinxin_ca::{Signer as _, SignerError};
use yinxin_issue::authority::AuthorityError;
use yinxin_issue::kms_key::KmsKey;
use yinxin_pki::SigningKey;
use yinxin_store::vault::{KmsVault, KmsVaultNames, Vault, rng};

const ARN: &str = "arn:aws-cn:kms:cn-north-1:123456789012:key/test";

#[derive(Clone, Copy, PartialEq)]
enum Mood {
    Honest,
    OtherKey,
    Garbage,
    Throttled,
    Rsa,
}

struct Fake {
    vault: Arc<dyn Vault>,
    asked: Arc<Mutex<Vec<(String, Value)>>>,
    key: SigningKey,
}

impl Fake {
    async fn new(mood: Mood) -> Fake {
        let key = SigningKey::generate(&mut rng());
        let asked: Arc<Mutex<Vec<(String, Value)>>> = Arc::default();
        let (log, held) = (asked.clone(), key.clone());
        let answer = move |headers: HeaderMap, body: String| async move {
            let target = headers["x-amz-target"].to_str().unwrap().to_owned();
            let body: Value = serde_json::from_str(&body).unwrap();
            let (status, answer) = answer(mood, &held, &target, &body);
            log.lock().unwrap().push((target, body));
            (
                status,
                [("content-type", "application/x-amz-json-1.1")],
                answer.to_string(),
            )
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(answer);
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        let credentials = || Credentials::new("test", "test", None, None, "test");
        let kms = aws_sdk_kms::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("cn-north-1"))
            .credentials_provider(credentials())
            .endpoint_url(&url)
            .build();
        let secrets = aws_sdk_secretsmanager::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("cn-north-1"))
            .credentials_provider(credentials())
            .endpoint_url(&url)
            .build();
        let vault = KmsVault::new(
            aws_sdk_kms::Client::from_conf(kms),
            aws_sdk_secretsmanager::Client::from_conf(secrets),
            KmsVaultNames::default(),
        );
        Fake {
            vault: Arc::new(vault),
            asked,
            key,
        }
    }

    fn certified(&self) -> KmsKey {
        KmsKey::of(self.vault.clone(), ARN, self.key.public_key().clone())
    }
}

fn answer(mood: Mood, key: &SigningKey, target: &str, body: &Value) -> (StatusCode, Value) {
    if mood == Mood::Throttled {
        let error = json!({"__type": "ThrottlingException", "message": "Rate exceeded"});
        return (StatusCode::BAD_REQUEST, error);
    }
    if target == "TrentService.GetPublicKey" {
        let (spec, algorithm) = match mood {
            Mood::Rsa => ("RSA_2048", "RSASSA_PSS_SHA_256"),
            _ => ("SM2", "SM2DSA"),
        };
        let spki = STANDARD.encode(key.public_key().to_spki_der());
        let answer = json!({"KeyId": ARN, "KeySpec": spec, "CustomerMasterKeySpec": spec, "KeyUsage": "SIGN_VERIFY",
            "SigningAlgorithms": [algorithm], "PublicKey": spki});
        return (StatusCode::OK, answer);
    }
    let digest: [u8; 32] = STANDARD
        .decode(body["Message"].as_str().unwrap())
        .unwrap()
        .try_into()
        .unwrap();
    let signature = match mood {
        Mood::OtherKey => SigningKey::generate(&mut rng()).sign_digest(&digest).unwrap(),
        Mood::Garbage => vec![0x30, 0x00],
        _ => key.sign_digest(&digest).unwrap(),
    };
    let answer = json!({"KeyId": ARN, "SigningAlgorithm": "SM2DSA", "Signature": STANDARD.encode(signature)});
    (StatusCode::OK, answer)
}

#[tokio::test]
async fn kms_is_asked_to_sign_the_digest_with_z_in_it() {
    let fake = Fake::new(Mood::Honest).await;
    let key = KmsKey::open(fake.vault.clone(), ARN).await.unwrap();
    assert_eq!(key.public_key(), fake.key.public_key());
    let signature = key.sign(b"to be signed").await.unwrap();
    fake.key.public_key().verify(b"to be signed", &signature).unwrap();
    let asked = fake.asked.lock().unwrap().clone();
    let e = fake.key.public_key().message_digest(b"to be signed");
    let expected = json!({"KeyId": ARN, "Message": STANDARD.encode(e), "MessageType": "DIGEST", "SigningAlgorithm": "SM2DSA"});
    assert_eq!(
        asked[0],
        ("TrentService.GetPublicKey".to_owned(), json!({"KeyId": ARN}))
    );
    assert_eq!(asked[1], ("TrentService.Sign".to_owned(), expected));
}

#[tokio::test]
async fn signatures_by_other_keys_are_thrown_away() {
    for mood in [Mood::OtherKey, Mood::Garbage] {
        let key = Fake::new(mood).await.certified();
        let refused = key.sign_digest(&[7; 32]).await;
        assert_eq!(refused.unwrap_err(), SignerError::Faulty);
    }
}

#[tokio::test]
async fn a_busy_kms_is_asked_three_times_and_then_unavailable() {
    let fake = Fake::new(Mood::Throttled).await;
    let refused = fake.certified().sign(b"to be signed").await;
    assert_eq!(refused.unwrap_err(), SignerError::Unavailable);
    assert_eq!(fake.asked.lock().unwrap().len(), 3);
}

#[tokio::test]
async fn a_key_of_another_kind_is_refused() {
    let fake = Fake::new(Mood::Rsa).await;
    let refused = KmsKey::open(fake.vault.clone(), ARN).await;
    assert!(matches!(refused, Err(AuthorityError::Store(_))));
}
