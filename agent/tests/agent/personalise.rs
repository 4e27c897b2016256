//! Whole runs, and what the agent refuses.
use serde_json::json;
use yinxin_agent::{
    personalise::PersonaliseError,
    platform::PlatformError,
    token::{Token as _, TokenError, Usage},
};

use crate::{
    platform::{Fault, ORDER_ID, ORDER_NUMBER, Route},
    soft_token::SoftToken,
    world::{ADMIN_PIN, PIN, World, pin},
};

#[tokio::test]
async fn a_blank_token_leaves_with_certificates_and_a_password_that_only_the_platform_knows() {
    let world = World::new();
    world.platform.records().polls_before_ready = 3;
    let outcome = world.run().await.unwrap();
    assert_eq!(
        (outcome.order_id.as_str(), outcome.order_number.as_str()),
        (ORDER_ID, ORDER_NUMBER)
    );
    world.assert_personalised();
    assert_eq!(world.platform.records().reports.len(), 1);
}

#[tokio::test]
async fn a_finished_token_asks_the_platform_nothing_more() {
    let world = World::new();
    let first = world.run().await.unwrap();
    let calls = world.platform.records().calls;
    // By number or by id, and whatever the PIN is by now.
    assert_eq!(world.run().await.unwrap(), first);
    assert_eq!(
        world
            .run_with(&mut world.token(), ORDER_ID, "whatever")
            .await
            .unwrap(),
        first
    );
    assert_eq!(world.platform.records().calls, calls);
}

#[tokio::test]
async fn a_finished_token_is_not_used_for_another_order() {
    let world = World::new();
    world.run().await.unwrap();
    let refused = world.run_with(&mut world.token(), "20261123A00000001", PIN).await;
    assert!(matches!(refused, Err(PersonaliseError::OtherOrder(order)) if order.as_str() == ORDER_NUMBER));
}

#[tokio::test]
async fn a_token_with_keys_of_its_own_is_not_blank() {
    let world = World::new();
    {
        let mut token = world.token();
        token.login(&pin(PIN)).unwrap();
        token.generate_signing_key().unwrap();
    }
    assert!(matches!(world.run().await, Err(PersonaliseError::NotBlank)));
    assert_eq!(world.platform.records().calls, 0);
}

#[tokio::test]
async fn a_second_token_for_the_same_order_is_not_written() {
    let world = World::new();
    world.run().await.unwrap();
    let second = SoftToken::new("Second", PIN, ADMIN_PIN);
    let mut token = second.open();
    let refused = world.run_with(&mut token, ORDER_NUMBER, PIN).await;
    assert!(matches!(
        refused,
        Err(PersonaliseError::Delivery(
            yinxin_agent::personalise::delivery::DeliveryError::OtherToken
        ))
    ));
    assert!(token.certificate(Usage::Signing).unwrap().is_none());
    assert_eq!(world.platform.records().reports.len(), 1);
}

#[tokio::test]
async fn a_csr_that_the_platform_has_already_is_gone_on_with() {
    let world = World::new();
    {
        let mut records = world.platform.records();
        records.forgets_keys = true;
        records.faults.push_back(Fault::LostAnswer(Route::Csr));
    }
    assert!(matches!(
        world.run().await,
        Err(PersonaliseError::Platform(PlatformError::Unavailable(_)))
    ));
    world.run().await.unwrap();
    world.assert_personalised();
}

#[tokio::test]
async fn a_wrong_pin_costs_a_try_and_reaches_no_platform() {
    let world = World::new();
    let refused = world
        .run_with(&mut world.token(), ORDER_NUMBER, "not-the-pin")
        .await;
    assert!(matches!(
        refused,
        Err(PersonaliseError::Token(TokenError::WrongPin { left: 5, .. }))
    ));
    assert_eq!(world.platform.records().calls, 0);
}

#[tokio::test]
async fn a_refusal_shows_title_detail_and_type() {
    let world = World::new();
    world.platform.records().refusal = Some((
        403,
        json!({ "type": "https://yinxin.example/problems/other-vendor", "title": "Not yours",
                "detail": "the order is another vendor's", "status": 403 }),
    ));
    let Err(error) = world.run().await else {
        panic!("a refused order was personalised")
    };
    assert_eq!(
        error.to_string(),
        "the platform refused: Not yours: the order is another vendor's \
         [403 https://yinxin.example/problems/other-vendor]"
    );
    // The token is still blank, for any order.
    world.platform.records().refusal = None;
    world.run().await.unwrap();
    world.assert_personalised();
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let world = World::new();
    world.platform.records().redirect = true;
    assert!(matches!(
        world.run().await,
        Err(PersonaliseError::Platform(PlatformError::Unintelligible(_)))
    ));
}

#[tokio::test]
async fn a_slow_authority_is_waited_for_in_the_next_run() {
    let world = World::new();
    world.platform.records().polls_before_ready = usize::MAX;
    assert!(matches!(world.run().await, Err(PersonaliseError::NotYet)));
    world.platform.records().polls_before_ready = 0;
    world.run().await.unwrap();
    world.assert_personalised();
}

#[tokio::test]
async fn a_token_unblocked_while_its_password_was_pending_gets_another_password() {
    for fault in [
        Fault::LostRequest(Route::Written),
        Fault::LostAnswer(Route::Written),
    ] {
        let world = World::new();
        world.platform.records().faults.push_back(fault);
        assert!(world.run().await.is_err());
        world
            .token()
            .unblock(&pin(ADMIN_PIN), &pin("unblocked1"))
            .unwrap();
        // The PIN of before opens the pending password, which is the token's no longer.
        assert!(matches!(
            world.run().await,
            Err(PersonaliseError::Token(TokenError::WrongPin { .. }))
        ));
        // Another password is another report, under another key.
        world
            .run_with(&mut world.token(), ORDER_NUMBER, "unblocked1")
            .await
            .unwrap();
        world.assert_personalised();
    }
}

#[tokio::test]
async fn a_wrong_pin_over_a_pending_password_is_counted_by_the_token() {
    let world = World::new();
    world
        .platform
        .records()
        .faults
        .push_back(Fault::LostAnswer(Route::Written));
    assert!(world.run().await.is_err());
    let refused = world
        .run_with(&mut world.token(), ORDER_NUMBER, "guess-guess")
        .await;
    assert!(matches!(
        refused,
        Err(PersonaliseError::Token(TokenError::WrongPin { left: 5, .. }))
    ));
    world.run().await.unwrap();
    world.assert_personalised();
}
