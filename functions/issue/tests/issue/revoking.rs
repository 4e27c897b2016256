//! A revocation: once, whatever stops and repeats, and told to everybody who asks.
use serde_json::json;
use time::Duration;
use yinxin_issue::statuses::{ANSWERS_DUE, LISTS_DUE, VALIDITY};
use yinxin_lambda::serve::Batch as _;
use yinxin_order::command::{Actor, Command, CommandName};
use yinxin_order::effect::Effect;
use yinxin_order::revocation::RevocationReason;
use yinxin_order::sample::order_id;
use yinxin_order::{Refusal, decide};
use yinxin_pki::crl::Reason;
use yinxin_pki::ocsp::CertStatus;
use yinxin_store::orders::Orders as _;
use yinxin_store::statuses::{RevocationLists as _, Statuses as _};

use crate::stopping::Stop;
use crate::world::{NOW, World};

fn compromised() -> CertStatus {
    CertStatus::Revoked {
        at: NOW,
        reason: Some(Reason::KeyCompromise),
    }
}

/// A world whose order 1 has its certificates, and whose officer asked for their revocation.
async fn with_a_revocation() -> World {
    let world = World::new().await;
    world.put_unit(1).await;
    world.ask(1).await.unwrap();
    let command = World::revocation();
    let effects = world.move_order(1, &command).await;
    assert_eq!(effects, [Effect::RevokeCertificates]);
    world
}

/// That everybody who asks is told of one revocation, and nobody of a second one.
async fn assert_revoked(world: &World) {
    for status in world.statuses(1).await {
        let revoked = status.revoked.clone().unwrap();
        assert_eq!(
            (revoked.at, revoked.reason),
            (NOW, RevocationReason::KeyCompromise)
        );
        world.assert_answers(&status, compromised()).await;
    }
    let list = world.list(1).await;
    assert_eq!(list.entries().len(), 2);
    for status in world.statuses(1).await {
        let serial = hex::decode(&status.key.serial).unwrap();
        let entry = list.find(&serial).unwrap();
        assert_eq!(
            (entry.revoked_at, entry.reason),
            (NOW, Some(Reason::KeyCompromise))
        );
        assert_eq!(entry.invalidity_date, Some(NOW - Duration::days(2)));
    }
    let order = world.order(1).await;
    assert!(!order.awaits_revocation());
    let again = decide(&order, &World::revocation(), Actor::Applicant, NOW);
    assert_eq!(again.map(|_| ()), Err(Refusal::AlreadyRecorded));
    let events = world.stopping.store.events(&order_id(1)).await.unwrap();
    let told = events
        .iter()
        .filter(|event| event.command == Some(CommandName::RecordRevocation));
    assert_eq!(told.count(), 1);
}

#[tokio::test]
async fn issued_certificates_are_good_before_anybody_has_them() {
    let world = World::new().await;
    world.put_unit(1).await;
    world.stopping.stop_at(Stop::BeforeSave);
    world.ask(1).await.unwrap_err();
    let statuses = world.statuses(1).await;
    assert_eq!(statuses.len(), 2);
    for status in &statuses {
        assert_eq!(status.shard, 0);
        world.assert_answers(status, CertStatus::Good).await;
    }
    let list = world.list(1).await;
    assert!(list.entries().is_empty());
    assert_eq!(list.this_update(), NOW);
    assert_eq!(list.next_update(), Some(NOW + VALIDITY));
}

#[tokio::test]
async fn certificates_name_the_addresses_where_their_status_is() {
    let world = World::new().await;
    world.put_unit(1).await;
    world.ask(1).await.unwrap();
    let issued = world.order(1).await.personal.unwrap().certificates.unwrap();
    let authority = world.statuses(1).await[0].key.authority.clone();
    for pem in [&issued.signing_certificate, &issued.encryption_certificate] {
        let certificate = yinxin_pki::Certificate::from_pem(pem).unwrap();
        let der = String::from_utf8_lossy(certificate.as_der()).into_owned();
        for address in [
            format!("http://127.0.0.1/api/crl/{authority}/0.crl"),
            format!("http://127.0.0.1/api/ocsp/{authority}"),
            format!("http://127.0.0.1/api/ca/{authority}.cer"),
        ] {
            assert!(der.contains(&address), "{address}");
        }
    }
}

#[tokio::test]
async fn a_revocation_is_answered_and_listed() {
    let world = with_a_revocation().await;
    world.revoke(1).await.unwrap();
    assert_revoked(&world).await;
}

#[tokio::test]
async fn a_run_that_stops_anywhere_revokes_once_and_the_last_list_says_so() {
    for stop in Stop::REVOKING {
        let world = with_a_revocation().await;
        world.stopping.stop_at(stop);
        world.revoke(1).await.expect_err(&format!("{stop:?}"));
        for _ in 0..3 {
            world.revoke(1).await.unwrap();
        }
        assert_revoked(&world).await;
    }
}

#[tokio::test]
async fn two_stops_in_a_row_change_no_revocation() {
    for first in Stop::REVOKING {
        for second in Stop::REVOKING {
            let world = with_a_revocation().await;
            for stop in [first, second] {
                world.stopping.stop_at(stop);
                // The second stop may lie before the place where this run begins.
                world.revoke(1).await.err();
            }
            world.stopping.go_on();
            world.revoke(1).await.unwrap();
            assert_revoked(&world).await;
        }
    }
}

#[tokio::test]
async fn between_a_revocation_and_its_signing_nothing_says_good() {
    let world = with_a_revocation().await;
    world.stopping.stop_at(Stop::AfterRevoke);
    world.revoke(1).await.unwrap_err();
    for status in world.statuses(1).await {
        assert!(status.answers.is_none());
    }
}

#[tokio::test]
async fn an_erased_orders_certificates_are_revoked_too() {
    let world = World::new().await;
    world.put_unit(1).await;
    world.ask(1).await.unwrap();
    world.complete(1).await;
    world.move_order(1, &Command::Erase).await;
    world.move_order(1, &World::revocation()).await;
    assert!(world.order(1).await.personal.is_none());
    world.revoke(1).await.unwrap();
    assert_revoked(&world).await;
}

#[tokio::test]
async fn an_errand_without_a_revocation_revokes_nothing() {
    let world = World::new().await;
    world.put_unit(1).await;
    world.ask(1).await.unwrap();
    world.revoke(1).await.unwrap();
    for status in world.statuses(1).await {
        world.assert_answers(&status, CertStatus::Good).await;
    }
}

#[tokio::test]
async fn answers_and_lists_are_signed_anew_before_they_end() {
    let world = World::new().await;
    world.put_unit(1).await;
    world.ask(1).await.unwrap();
    for days in 1..=12 {
        world.turn_clock_to(NOW + Duration::days(days));
        world.tick().await.unwrap();
        let now = NOW + Duration::days(days);
        for status in world.statuses(1).await {
            world.assert_answers(&status, CertStatus::Good).await;
            let answers = status.answers.unwrap();
            assert!(answers.next_update >= now + VALIDITY - ANSWERS_DUE, "day {days}");
        }
        let list = world.list(1).await;
        assert!(
            list.next_update() >= Some(now + VALIDITY - LISTS_DUE),
            "day {days}"
        );
    }
}

#[tokio::test]
async fn a_refresh_keeps_a_revocation() {
    let world = with_a_revocation().await;
    world.revoke(1).await.unwrap();
    world.turn_clock_to(NOW + ANSWERS_DUE);
    world.tick().await.unwrap();
    assert_revoked(&world).await;
    let list = world.list(1).await;
    assert_eq!(list.this_update(), NOW + ANSWERS_DUE);
}

#[tokio::test]
async fn an_answer_signed_before_the_revocation_does_not_come_after_it() {
    let world = with_a_revocation().await;
    let before = world.statuses(1).await;
    world.revoke(1).await.unwrap();
    let answers = before[0].answers.clone().unwrap();
    assert!(!world.stopping.put_answers(&before[0], &answers).await.unwrap());
    assert_revoked(&world).await;
}

#[tokio::test]
async fn a_certificate_that_ended_is_not_answered_for_anew() {
    let world = World::new().await;
    world.put_unit(1).await;
    world.ask(1).await.unwrap();
    let not_after = world.statuses(1).await[0].not_after;
    world.turn_clock_to(not_after - Duration::days(1));
    world.tick().await.unwrap();
    for status in world.statuses(1).await {
        assert_eq!(status.answers.unwrap().due, None);
    }
    let due = world
        .stopping
        .due(not_after + Duration::days(90), 100)
        .await
        .unwrap();
    assert!(
        due.iter()
            .all(|due| matches!(due, yinxin_store::statuses::Due::List(_))),
        "{due:?}"
    );
}

#[tokio::test]
async fn what_cannot_be_signed_waits_behind_what_can() {
    let world = World::new().await;
    world.put_unit(1).await;
    world.ask(1).await.unwrap();
    world.turn_clock_to(NOW + ANSWERS_DUE);
    world.stopping.stop_at(Stop::BeforeAnswers);
    let failure = world.tick().await.unwrap_err();
    assert_eq!(
        failure.to_string(),
        "1 of 3 answers and lists could not be signed anew"
    );
    let now = NOW + ANSWERS_DUE;
    assert!(world.stopping.due(now, 100).await.unwrap().is_empty());
    world.turn_clock_to(now + Duration::minutes(10));
    world.tick().await.unwrap();
    let late: Vec<_> = world.stopping.due(now + Duration::hours(1), 100).await.unwrap();
    assert!(late.is_empty(), "{late:?}");
}

#[tokio::test]
async fn a_schedule_without_a_time_is_an_error() {
    let world = World::new().await;
    assert!(world.function().schedule(&json!({})).await.is_err());
}

#[tokio::test]
async fn the_thousandth_pair_is_the_last_of_its_list() {
    let world = World::new().await;
    world.put_unit(1).await;
    world.ask(1).await.unwrap();
    let authority = world.statuses(1).await[0].key.authority.clone();
    for pair in 1..yinxin_store::statuses::SHARD_PAIRS {
        assert_eq!(world.stopping.next_pair(&authority).await.unwrap(), pair);
    }
    world.put_unit(2).await;
    world.ask(2).await.unwrap();
    assert!(world.statuses(2).await.iter().all(|status| status.shard == 1));
    let published = world
        .stopping
        .published(&world.statuses(2).await[0].list())
        .await
        .unwrap();
    assert_eq!(published.unwrap().number, 1);
}
