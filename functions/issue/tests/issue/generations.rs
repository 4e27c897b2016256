//! Issuing CAs one after the other, with keys here and in KMS.
use time::Duration;
use yinxin_ca::{Answer, CaError, IssueRequest, Subject};
use yinxin_issue::authority::{AuthorityError, AuthorityKeys, StoredAuthority};
use yinxin_pki::profile::Profile;
use yinxin_pki::{Certificate, Csr, CsrBuilder, Name, SigningKey, sm3};
use yinxin_store::vault::rng;

use crate::authorities::{data_key, vault};
use crate::world::NOW;

const NAME: &str = "样例电子认证有限公司";

async fn keys() -> AuthorityKeys {
    AuthorityKeys::new("one-ca", data_key().await, vault())
}

async fn founded(root: Option<&str>, issuing: Option<&str>) -> StoredAuthority {
    let keys = keys().await;
    let mut stored = StoredAuthority::found(&keys, NAME, root, NOW).await.unwrap();
    stored.rotate(&keys, NAME, issuing, NOW, NOW).await.unwrap();
    stored
}

fn request() -> (IssueRequest, Csr) {
    let key = SigningKey::generate(&mut rng());
    let name = Name::unit("长沙样例有限公司", None).unwrap();
    let der = CsrBuilder::new(&name, key.public_key())
        .sign_with(|info| key.sign(info))
        .unwrap();
    let request = IssueRequest {
        request_id: "order".to_owned(),
        vendor: "one-ca".to_owned(),
        subject: Subject::Unit {
            name: "长沙样例有限公司".to_owned(),
            credit_code: "91350100M000100Y43".to_owned(),
            region: None,
        },
        public_key: key.public_key().to_spki_der(),
        csr_sm3: sm3(&der).to_vec(),
        term_years: 1,
    };
    (request, Csr::from_der(&der).unwrap())
}

#[tokio::test]
async fn the_newest_whose_time_has_come_issues_and_each_completes_what_it_prepared() {
    let keys = keys().await;
    let mut stored = founded(None, None).await;
    let from = NOW + Duration::days(7);
    assert_eq!(stored.rotate(&keys, NAME, None, from, NOW).await.unwrap(), 2);
    let ca = stored.open(&keys).unwrap().ca;
    let chains: Vec<Vec<Certificate>> = stored
        .generations
        .iter()
        .map(|generation| generation.certificates().unwrap())
        .collect();
    assert_ne!(chains[0][0].subject(), chains[1][0].subject());
    assert_eq!(chains[0][1], chains[1][1], "both are under one root");
    let (request, csr) = request();
    for (at, generation) in [(from - Duration::SECOND, 0), (from, 1)] {
        let prepared = ca.prepare(&request, &csr, at, &mut rng()).unwrap();
        // The cross-over lies between the two steps of the first.
        let answer = ca.complete(&prepared.record, from, &mut rng()).await.unwrap();
        let Answer::Issued(pair) = answer else {
            panic!("a software CA answers at once");
        };
        let signing = Certificate::from_der(&pair.signing).unwrap();
        assert_eq!(signing.issuer(), chains[generation][0].subject());
        assert_eq!(pair.chain[0], chains[generation][0].as_der());
    }
}

#[tokio::test]
async fn a_retired_ca_issues_nothing() {
    let keys = keys().await;
    let mut stored = founded(None, None).await;
    stored.generations[0].retired = Some(NOW);
    let (request, csr) = request();
    let ca = stored.open(&keys).unwrap().ca;
    let refused = ca.prepare(&request, &csr, NOW, &mut rng());
    assert_eq!(refused.unwrap_err(), CaError::Unavailable);
}

#[tokio::test]
async fn keys_in_kms_sign_certificates_as_those_here_do() {
    let keys = keys().await;
    let stored = founded(Some("root-key"), Some("issuing-key")).await;
    let json = serde_json::to_string(&stored).unwrap();
    assert!(json.contains(r#"{"kind":"kms","key_id":"issuing-key"}"#));
    let stored = StoredAuthority::from_json(&json).unwrap();
    let ca = stored.open(&keys).unwrap().ca;
    let (request, csr) = request();
    let prepared = ca.prepare(&request, &csr, NOW, &mut rng()).unwrap();
    let answer = ca.complete(&prepared.record, NOW, &mut rng()).await;
    assert!(matches!(answer, Ok(Answer::Issued(_))));
    // Nobody can use the key without KMS.
    let alone = AuthorityKeys::sealed("one-ca", data_key().await);
    assert!(matches!(stored.open(&alone), Err(AuthorityError::Unreadable(_))));
}

#[tokio::test]
async fn one_kms_key_does_not_make_two_generations() {
    let mut stored = founded(None, Some("issuing-key")).await;
    let again = stored
        .rotate(&keys().await, NAME, Some("issuing-key"), NOW, NOW)
        .await;
    assert!(matches!(again, Err(AuthorityError::Ceremony(_))));
    assert_eq!(stored.generations.len(), 1);
}

#[tokio::test]
async fn no_ceremony_is_held_without_the_root_and_none_turns_back() {
    let keys = keys().await;
    let mut stored = founded(None, None).await;
    let earlier = NOW - Duration::DAY;
    let refused = stored.rotate(&keys, NAME, None, earlier, NOW).await;
    assert!(matches!(refused, Err(AuthorityError::Ceremony(_))));
    stored.root.key = None;
    let refused = stored.rotate(&keys, NAME, None, NOW, NOW).await;
    assert!(matches!(refused, Err(AuthorityError::Ceremony(_))));
}

#[tokio::test]
async fn responders_are_renewed_before_they_end() {
    let keys = keys().await;
    let mut stored = founded(None, None).await;
    let first = stored.responder(&keys, 1).unwrap().unwrap();
    assert_eq!(first.certificate.public_key(), Some(first.signer.public_key()));
    let first = first.certificate;
    assert_eq!(first.key_usage(), Some(Profile::OcspResponder.key_usage()));
    let soon = NOW + Duration::days(90);
    assert!(
        stored
            .renew_responders(&keys, NAME, soon, NOW)
            .await
            .unwrap()
            .is_empty()
    );
    let later = NOW + Duration::days(300);
    let until = later + Duration::days(90);
    assert_eq!(
        stored.renew_responders(&keys, NAME, until, later).await.unwrap(),
        [1]
    );
    let second = stored.responder(&keys, 1).unwrap().unwrap().certificate;
    assert!(second.not_after() >= until && second != first);
}
