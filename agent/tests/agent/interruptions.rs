//! A run that ends anywhere, and the next one: one key, one CSR, and a password that opens the token.
use yinxin_agent::{
    personalise::{PersonaliseError, finished},
    token::{Token as _, Usage},
};

use crate::{
    breaking_token::{BreakingToken, Side},
    platform::{Fault, ORDER_NUMBER, Route},
    world::{PIN, World, pin},
};

#[tokio::test]
async fn a_run_lost_at_any_remote_step_is_completed_by_the_next() {
    for route in [Route::Order, Route::Csr, Route::Certificates, Route::Written] {
        for fault in [Fault::LostRequest(route), Fault::LostAnswer(route)] {
            let world = World::new();
            world.platform.records().faults.push_back(fault);
            assert!(
                matches!(world.run().await, Err(PersonaliseError::Platform(_))),
                "{fault:?}"
            );
            world
                .run()
                .await
                .unwrap_or_else(|error| panic!("{fault:?}: {error}"));
            world.assert_personalised();
            assert_eq!(world.platform.records().reports.len(), 1, "{fault:?}: one report");
        }
    }
}

#[tokio::test]
async fn a_run_lost_at_every_remote_step_in_turn_is_completed_in_the_end() {
    let world = World::new();
    let routes = [Route::Order, Route::Csr, Route::Certificates, Route::Written];
    world.platform.records().faults.extend(
        routes
            .into_iter()
            .flat_map(|route| [Fault::LostRequest(route), Fault::LostAnswer(route)]),
    );
    for _ in 0..8 {
        assert!(world.run().await.is_err());
    }
    world.run().await.unwrap();
    world.assert_personalised();
}

#[tokio::test]
async fn a_program_that_dies_at_any_call_to_the_token_is_completed_by_the_next() {
    for side in [Side::Before, Side::After] {
        let mut calls = 0;
        loop {
            let world = World::new();
            let mut token = BreakingToken::dying(world.token(), calls, side);
            let first = world.run_with(&mut token, ORDER_NUMBER, PIN).await;
            let broken = token.broken;
            drop(token);
            assert_eq!(first.is_err(), broken, "call {calls}, {side:?}");
            world
                .run()
                .await
                .unwrap_or_else(|error| panic!("call {calls}, {side:?}: {error}"));
            world.assert_personalised();
            if !broken {
                break;
            }
            calls += 1;
        }
        assert!(calls > 15, "only {calls} calls were broken");
    }
}

#[tokio::test]
async fn a_report_that_was_acknowledged_is_not_sent_again_with_another_password() {
    let world = World::new();
    world
        .platform
        .records()
        .faults
        .push_back(Fault::LostAnswer(Route::Written));
    assert!(world.run().await.is_err());
    let order = ORDER_NUMBER.parse().unwrap();
    assert!(finished(&world.token(), &order).unwrap().is_none());
    let sent = world.platform.records().reports.clone();
    world.run().await.unwrap();
    assert_eq!(world.platform.records().reports, sent);
    world.assert_personalised();
}

#[tokio::test]
async fn a_token_that_did_not_keep_a_certificate_is_not_reported() {
    for usage in [Usage::Signing, Usage::Encryption] {
        let world = World::new();
        let mut token = BreakingToken::losing(world.token(), usage);
        let refused = world.run_with(&mut token, ORDER_NUMBER, PIN).await;
        assert!(matches!(refused, Err(PersonaliseError::ReadBack(_))), "{usage}");
        assert!(world.platform.records().reports.is_empty(), "{usage}");
        drop(token);
        // It stays in the operator's hands.
        world.token().login(&pin(PIN)).unwrap();
    }
}
