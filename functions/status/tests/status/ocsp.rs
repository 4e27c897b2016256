//! Questions and their answers.
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use time::Duration;
use yinxin_pki::crl::Reason;
use yinxin_pki::ocsp::{CertId, CertStatus, OcspHash, OcspRequest, ResponseStatus};
use yinxin_store::statuses::Statuses as _;

use crate::world::{Answer, NOW, SERIAL_CONTENT, World};

const HASHES: [OcspHash; 3] = [OcspHash::Sha1, OcspHash::Sha256, OcspHash::Sm3];

fn assert_says(world: &World, answer: &Answer, wanted: CertStatus) {
    let basic = answer.ocsp().basic.unwrap();
    basic.verify_signature(world.issuing.key()).unwrap();
    assert_eq!(
        basic.find(&world.issuing, &SERIAL_CONTENT).unwrap().status,
        wanted
    );
}

fn assert_refused(answer: &Answer, wanted: ResponseStatus) {
    let response = answer.ocsp();
    assert_eq!(response.status, wanted);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
}

/// The address of a question, as RFC 6960, A.1 makes it.
fn address(world: &World, question: &[u8], escape: impl Fn(String) -> String) -> String {
    format!(
        "/api/ocsp/{}/{}",
        world.authority,
        escape(STANDARD.encode(question))
    )
}

fn percent(text: &str) -> String {
    text.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D")
}

#[tokio::test]
async fn a_question_by_post_is_answered_whatever_digest_names_the_issuer() {
    let world = World::new().await;
    for hash in HASHES {
        let answer = world.post(&world.question(&SERIAL_CONTENT, hash)).await;
        assert_says(&world, &answer, CertStatus::Good);
        let basic = answer.ocsp().basic.unwrap();
        assert_eq!(basic.responses()[0].cert_id.hash_algorithm(), hash.oid());
    }
}

#[tokio::test]
async fn a_question_by_get_is_answered_however_its_base64_is_escaped() {
    let world = World::new().await;
    for hash in HASHES {
        let question = world.question(&SERIAL_CONTENT, hash);
        let ways: [fn(String) -> String; 5] = [
            |text| text,
            |text| percent(&text),
            |text| lowercase_escapes(&percent(&text)),
            |text| text.trim_end_matches('=').to_owned(),
            // Escaped twice, as a gateway may hand it on that was given an escaped address.
            |text| percent(&text).replace('%', "%25"),
        ];
        for way in ways {
            let answer = world.get(&address(&world, &question, way)).await;
            assert_says(&world, &answer, CertStatus::Good);
        }
    }
}

fn lowercase_escapes(text: &str) -> String {
    text.replace("%2B", "%2b")
        .replace("%2F", "%2f")
        .replace("%3D", "%3d")
}

#[tokio::test]
async fn slashes_of_a_question_belong_to_it() {
    let world = World::new().await;
    // A nonce of ones makes slashes, and two of them side by side.
    let id = CertId::of(&world.issuing, &SERIAL_CONTENT, OcspHash::Sha1);
    let question = OcspRequest::new(vec![id], Some(&[0xff; 32])).as_der().to_vec();
    assert!(STANDARD.encode(&question).contains("//"));
    let answer = world.get(&address(&world, &question, |text| text)).await;
    assert_says(&world, &answer, CertStatus::Good);
}

#[tokio::test]
async fn a_revocation_is_told() {
    let world = World::new().await;
    world.revoke(true).await;
    let answer = world
        .post(&world.question(&SERIAL_CONTENT, OcspHash::Sha256))
        .await;
    let reason = Some(Reason::Superseded);
    assert_says(&world, &answer, CertStatus::Revoked { at: NOW, reason });
}

#[tokio::test]
async fn a_nonce_is_not_answered() {
    let world = World::new().await;
    let id = CertId::of(&world.issuing, &SERIAL_CONTENT, OcspHash::Sha1);
    let question = OcspRequest::new(vec![id], Some(b"sixteen bytes ok"))
        .as_der()
        .to_vec();
    let answer = world.post(&question).await;
    assert_says(&world, &answer, CertStatus::Good);
    assert_eq!(answer.ocsp().basic.unwrap().nonce(), None);
}

#[tokio::test]
async fn caches_answer_for_half_a_minute_and_no_longer() {
    let world = World::new().await;
    let question = world.question(&SERIAL_CONTENT, OcspHash::Sha1);
    let path = address(&world, &question, |text| percent(&text));
    let answer = world.get(&path).await;
    assert_eq!(
        answer.header("cache-control"),
        Some("max-age=30, public, no-transform, must-revalidate")
    );
    assert_eq!(
        answer.header("last-modified"),
        Some("Tue, 07 Apr 2026 02:00:00 GMT")
    );
    assert_eq!(answer.header("expires"), Some("Tue, 07 Apr 2026 02:00:30 GMT"));
    let tag = answer.header("etag").unwrap().to_owned();
    let known = world.get_with(&path, &json!({"if-none-match": tag})).await;
    assert_eq!((known.status, known.body.len()), (304, 0));
    assert_eq!(known.header("etag"), Some(tag.as_str()));
    // Near its end an answer is kept for what is left.
    world.turn_clock_to(NOW + Duration::days(7) - Duration::seconds(5));
    let answer = world.get(&path).await;
    assert!(answer.header("cache-control").unwrap().starts_with("max-age=5, "));
    // After a revocation the tag is another.
    world.turn_clock_to(NOW);
    world.revoke(true).await;
    let changed = world.get_with(&path, &json!({"if-none-match": tag})).await;
    assert_eq!(changed.status, 200);
}

#[tokio::test]
async fn an_unknown_certificate_is_not_ours_to_speak_of() {
    let world = World::new().await;
    for hash in HASHES {
        let answer = world.post(&world.question(&[0x55], hash)).await;
        assert_refused(&answer, ResponseStatus::Unauthorized);
    }
}

#[tokio::test]
async fn a_question_that_names_another_issuer_is_not_answered() {
    let (world, other) = (World::new().await, World::new().await);
    for hash in HASHES {
        let answer = world.post(&other.question(&SERIAL_CONTENT, hash)).await;
        assert_refused(&answer, ResponseStatus::Unauthorized);
    }
}

#[tokio::test]
async fn a_question_about_two_certificates_is_not_answered() {
    let world = World::new().await;
    let id = || CertId::of(&world.issuing, &SERIAL_CONTENT, OcspHash::Sha1);
    let question = OcspRequest::new(vec![id(), id()], None).as_der().to_vec();
    assert_refused(&world.post(&question).await, ResponseStatus::Unauthorized);
}

#[tokio::test]
async fn what_is_no_question_is_malformed() {
    let world = World::new().await;
    let question = world.question(&SERIAL_CONTENT, OcspHash::Sha1);
    let mut long = question.clone();
    long.resize(5_000, 0);
    for bad in [b"".to_vec(), b"what?".to_vec(), question[1..].to_vec(), long] {
        assert_refused(&world.post(&bad).await, ResponseStatus::MalformedRequest);
    }
    for bad in ["!!!!", "%ff%fe", "AAAA", "%", "a"] {
        let path = format!("/api/ocsp/{}/{bad}", world.authority);
        assert_refused(&world.get(&path).await, ResponseStatus::MalformedRequest);
    }
}

#[tokio::test]
async fn every_shortened_or_changed_question_gets_an_answer_and_never_a_wrong_one() {
    let world = World::new().await;
    let question = world.question(&SERIAL_CONTENT, OcspHash::Sm3);
    for length in 0..question.len() {
        assert!(world.post(&question[..length]).await.ocsp().basic.is_none());
    }
    for at in 0..question.len() {
        let mut changed = question.clone();
        changed[at] ^= 0x01;
        let answer = world.post(&changed).await;
        // Some bytes mean nothing, as the tag of the digest's parameters.
        if let Some(basic) = answer.ocsp().basic {
            assert_eq!(basic.responses()[0].cert_id.serial_content(), SERIAL_CONTENT);
        }
    }
}

#[tokio::test]
async fn while_an_answer_is_being_signed_the_question_comes_too_early() {
    let world = World::new().await;
    world.revoke(false).await;
    let answer = world.post(&world.question(&SERIAL_CONTENT, OcspHash::Sha1)).await;
    assert_refused(&answer, ResponseStatus::TryLater);
}

#[tokio::test]
async fn an_answer_that_has_ended_is_not_given_any_more() {
    let world = World::new().await;
    let question = world.question(&SERIAL_CONTENT, OcspHash::Sha1);
    world.turn_clock_to(NOW + Duration::days(7));
    assert_refused(&world.post(&question).await, ResponseStatus::TryLater);
    // For a certificate that has ended nobody will sign one again.
    world.turn_clock_to(NOW + Duration::days(366));
    assert_refused(&world.post(&question).await, ResponseStatus::Unauthorized);
}

#[tokio::test]
async fn another_authority_in_the_address_answers_nothing() {
    let world = World::new().await;
    let question = world.question(&SERIAL_CONTENT, OcspHash::Sha1);
    for authority in ["00", "..", "A0", &"0".repeat(200)] {
        let path = format!("/api/ocsp/{authority}/{}", percent(&STANDARD.encode(&question)));
        assert_refused(&world.get(&path).await, ResponseStatus::Unauthorized);
    }
    assert!(world.store.status(&world.key()).await.unwrap().is_some());
}
