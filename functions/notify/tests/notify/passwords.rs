//! Passwords by SMS: sent once, recorded on the order, and sent again when an officer asks for it.
use time::Duration;
use yinxin_notify::ports::Template;
use yinxin_order::command::Command;
use yinxin_order::effect::{Effect, Notice};
use yinxin_order::form::PasswordRoute;
use yinxin_order::form::sample::{mobile, person, unit};
use yinxin_order::password::PasswordStatus;
use yinxin_order::sample::order_in;
use yinxin_order::state::State;
use yinxin_providers::http::Failure;
use yinxin_providers::sms::{self, Sending, WhoActs};

use crate::world::{NOW, PASSWORD, World};

async fn sms_world() -> World {
    World::with(State::AwaitingDispatch, unit(1)).await
}

fn refused(who: WhoActs) -> Sending {
    Sending::Refused {
        code: "isv.MOBILE_NUMBER_ILLEGAL".to_owned(),
        who,
    }
}

fn answer(world: &World, answer: Sending) {
    world.sms.answers.lock().unwrap().push_back(Ok(answer));
}

#[tokio::test]
async fn a_units_password_goes_to_its_legal_representative() {
    let world = sms_world().await;
    let PasswordRoute::Sms(representative) = unit(1).password_route() else {
        panic!("the sample is checked by mobile")
    };
    assert_ne!(representative, mobile(1));
    for _ in 0..2 {
        world.deliver(&World::password(1)).await.unwrap();
    }
    let [sent] = &world.texts()[..] else {
        panic!("one SMS")
    };
    assert_eq!(
        (sent.mobile.as_str(), sent.template),
        (representative.as_str(), Template::Password)
    );
    assert_eq!(sent.variable, ("password".to_owned(), PASSWORD.to_owned()));
    assert_eq!(world.status().await, PasswordStatus::Sent);
    assert_eq!(world.effects(), []);
}

#[tokio::test]
async fn a_persons_password_goes_to_the_person() {
    let world = World::with(State::AwaitingDispatch, person(1)).await;
    world.deliver(&World::password(1)).await.unwrap();
    assert_eq!(world.texts()[0].mobile, mobile(1).as_str());
    assert!(world.transfers().is_empty());
}

#[tokio::test]
async fn a_reminder_of_the_same_sending_is_the_same_message() {
    let world = sms_world().await;
    // A process that sent and noted it, and ended before the order was moved.
    let message = format!("{}#password#1#sms", world.order().await.id);
    world
        .platform
        .deliveries
        .claim(&message, NOW, None)
        .await
        .unwrap();
    world.platform.deliveries.sent(&message, "9006^0").await.unwrap();
    let mut reminder = World::password(1);
    reminder.version = 9;
    world.deliver(&reminder).await.unwrap();
    assert!(world.texts().is_empty());
    assert_eq!(world.status().await, PasswordStatus::Sent);
}

#[tokio::test]
async fn a_password_that_never_left_is_sent_with_the_next_delivery() {
    let world = sms_world().await;
    answer(&world, Sending::NotSent(Failure::CircuitOpen));
    world.deliver(&World::password(1)).await.unwrap_err();
    assert_eq!(world.status().await, PasswordStatus::Sending);
    for _ in 0..2 {
        world.deliver(&World::password(1)).await.unwrap();
    }
    assert_eq!(
        (world.texts().len(), world.status().await),
        (2, PasswordStatus::Sent)
    );
}

#[tokio::test]
async fn a_password_that_may_not_have_arrived_is_left_to_people() {
    let doubt = Sending::Unknown(sms::Doubt::Answer {
        status: 503,
        code: String::new(),
    });
    for (told, code) in [
        (doubt, "unknown"),
        (refused(WhoActs::Recipient), "isv.MOBILE_NUMBER_ILLEGAL"),
    ] {
        let world = sms_world().await;
        answer(&world, told);
        for _ in 0..2 {
            world.deliver(&World::password(1)).await.unwrap();
        }
        assert_eq!(world.texts().len(), 1);
        let delivery = world.order().await.password.unwrap();
        assert_eq!(delivery.status, PasswordStatus::Failed);
        assert_eq!(delivery.code.as_deref(), Some(code));
        let notice = Notice::PasswordFailed;
        assert_eq!(world.effects(), [Effect::SendNotice { notice }]);

        let effects = world.advance(&Command::ResendPassword).await;
        assert_eq!(effects, [Effect::SendPassword { number: 2 }]);
        world.deliver(&World::password(2)).await.unwrap();
        // The first sending's errand comes once more.
        world.deliver(&World::password(1)).await.unwrap();
        assert_eq!(world.texts().len(), 2);
        assert_eq!(world.texts()[1].variable.1, PASSWORD);
        assert_eq!(world.status().await, PasswordStatus::Sent);
    }
}

#[tokio::test]
async fn a_password_that_the_provider_does_not_take_now_comes_again() {
    for who in [WhoActs::Wait, WhoActs::Operator] {
        let world = sms_world().await;
        answer(&world, refused(who));
        let error = world.deliver(&World::password(1)).await.unwrap_err();
        assert!(error.to_string().contains("isv.MOBILE_NUMBER_ILLEGAL"), "{error}");
        // Too early: the first try might still be at work.
        let error = world.deliver(&World::password(1)).await.unwrap_err();
        assert!(error.to_string().contains("at work"), "{error}");
        assert_eq!(world.status().await, PasswordStatus::Sending);
        world.pass(Duration::minutes(1));
        world.deliver(&World::password(1)).await.unwrap();
        assert_eq!(
            (world.texts().len(), world.status().await),
            (2, PasswordStatus::Sent)
        );
    }
}

#[tokio::test]
async fn an_order_from_before_deliveries_were_kept_goes_to_people() {
    let mut order = order_in(State::AwaitingDispatch, 1, unit(1), NOW);
    order.password = None;
    let world = World::with_order(order).await;
    for errand in [World::password(1), World::query(1)] {
        let error = world.deliver(&errand).await.unwrap_err();
        assert!(error.to_string().contains("keeps no password"), "{error}");
    }
    assert!(world.texts().is_empty());
}

#[tokio::test]
async fn a_password_that_does_not_open_is_not_claimed() {
    let mut order = order_in(State::AwaitingDispatch, 1, unit(1), NOW);
    order.personal.as_mut().unwrap().password = None;
    let world = World::with_order(order).await;
    world.deliver(&World::password(1)).await.unwrap_err();
    assert!(world.texts().is_empty());
    assert_eq!(world.status().await, PasswordStatus::Sending);
}
