//! One-time codes: sent once, or given up.
use yinxin_notify::ports::{NotReady, Template};
use yinxin_order::effect::{Effect, Sealed};
use yinxin_order::form::sample::{mobile, unit};
use yinxin_order::sample::order_in;
use yinxin_order::state::State;
use yinxin_providers::http::Failure;
use yinxin_providers::sms::{Doubt, Sending, WhoActs};
use yinxin_store::deliveries::{Claimed, Deliveries as _};

use crate::fakes::SentSms;
use crate::world::{NOW, World};

#[tokio::test]
async fn a_code_goes_to_the_handlers_mobile_once() {
    let world = World::with(State::AwaitingDocuments, unit(1)).await;
    let errand = world.code("482913").await;
    for _ in 0..3 {
        world.deliver(&errand).await.unwrap();
    }
    let sent = SentSms {
        mobile: mobile(1).as_str().to_owned(),
        template: Template::Code,
        variable: ("code".to_owned(), "482913".to_owned()),
        id: format!("{}-7-0-sms", errand.order),
    };
    assert_eq!(world.texts(), [sent]);
}

#[tokio::test]
async fn two_codes_of_one_version_are_two_messages() {
    let world = World::with(State::AwaitingDocuments, unit(1)).await;
    for seq in [1_000, 1_001] {
        let mut errand = world.code("482913").await;
        errand.seq = seq;
        world.deliver(&errand).await.unwrap();
    }
    assert_eq!(world.texts().len(), 2);
}

#[tokio::test]
async fn a_code_that_may_have_been_sent_is_given_up() {
    let world = World::with(State::AwaitingDocuments, unit(1)).await;
    let errand = world.code("482913").await;
    // A process that ended between claim and note.
    let message = format!("{}#sms", errand.name());
    world.store.claim(&message, NOW, None).await.unwrap();
    world.pass(time::Duration::hours(1));
    world.deliver(&errand).await.unwrap();
    assert!(world.texts().is_empty());
}

#[tokio::test]
async fn a_code_that_the_gateway_refuses_or_doubts_is_not_repeated() {
    let refused = |who| {
        Ok(Sending::Refused {
            code: "isv.BUSINESS_LIMIT_CONTROL".to_owned(),
            who,
        })
    };
    let doubt = Doubt::Answer {
        status: 503,
        code: String::new(),
    };
    for answer in [
        refused(WhoActs::Wait),
        refused(WhoActs::Recipient),
        refused(WhoActs::Operator),
        Ok(Sending::Unknown(doubt)),
    ] {
        let world = World::with(State::AwaitingDocuments, unit(1)).await;
        world.sms.answers.lock().unwrap().push_back(answer);
        let errand = world.code("482913").await;
        for _ in 0..2 {
            world.deliver(&errand).await.unwrap();
        }
        assert_eq!(world.texts().len(), 1);
    }
}

fn not_sent() -> Sending {
    Sending::NotSent(Failure::CircuitOpen)
}

#[tokio::test]
async fn a_code_that_never_left_is_sent_when_the_queue_brings_it_again() {
    let world = World::with(State::AwaitingDocuments, unit(1)).await;
    let errand = world.code("482913").await;
    world
        .sms
        .answers
        .lock()
        .unwrap()
        .extend([Ok(not_sent()), Ok(not_sent())]);
    for _ in 0..2 {
        let error = world.deliver(&errand).await.unwrap_err();
        assert!(error.to_string().contains("never left"), "{error}");
        world.pass(time::Duration::minutes(2));
    }
    for _ in 0..2 {
        world.deliver(&errand).await.unwrap();
    }
    assert_eq!(world.texts().len(), 3);
}

#[tokio::test]
async fn a_code_that_ended_meanwhile_is_not_sent() {
    let world = World::with(State::AwaitingDocuments, unit(1)).await;
    let errand = world.code("482913").await;
    world.sms.answers.lock().unwrap().push_back(Ok(not_sent()));
    world.deliver(&errand).await.unwrap_err();
    world.pass(time::Duration::minutes(5));
    for _ in 0..2 {
        world.deliver(&errand).await.unwrap();
    }
    assert_eq!(world.texts().len(), 1);
}

#[tokio::test]
async fn a_message_is_claimed_before_it_is_sent_and_noted_after_it() {
    let world = World::with(State::AwaitingDocuments, unit(1)).await;
    let errand = world.code("482913").await;
    let message = format!("{}#sms", errand.name());
    // The gateway never answers: the process ends here.
    let hanging = world.sms.hang.lock().await;
    let delivery = tokio::time::timeout(std::time::Duration::from_millis(50), world.deliver(&errand));
    assert!(delivery.await.is_err());
    assert_eq!(world.texts().len(), 1);
    let claimed = world.store.claim(&message, world.platform.now(), None).await;
    assert_eq!(claimed.unwrap(), Claimed::Unfinished { since: NOW });
    drop(hanging);
    let mut other = world.code("482914").await;
    other.seq = 1;
    world.deliver(&other).await.unwrap();
    let message = format!("{}#sms", other.name());
    let claimed = world.store.claim(&message, world.platform.now(), None).await;
    assert_eq!(claimed.unwrap(), Claimed::Sent);
}

#[tokio::test]
async fn a_gateway_that_is_not_set_up_is_told() {
    let world = World::with(State::AwaitingDocuments, unit(1)).await;
    let not_ready = NotReady::new("the SMS gateway", "no secret");
    world.sms.answers.lock().unwrap().push_back(Err(not_ready));
    let error = world.deliver(&world.code("482913").await).await.unwrap_err();
    assert!(error.to_string().contains("cannot be set up"), "{error}");
}

#[tokio::test]
async fn a_code_that_does_not_open_is_not_claimed() {
    let world = World::with(State::AwaitingDocuments, unit(1)).await;
    let sealed = Sealed("no ciphertext".to_owned());
    let broken = World::errand(Effect::SendCode { sealed });
    world.deliver(&broken).await.unwrap_err();
    world.deliver(&world.code("482913").await).await.unwrap();
    assert_eq!(world.texts().len(), 1);
}

#[tokio::test]
async fn nobody_is_told_of_an_erased_order() {
    let mut order = order_in(State::Completed, 1, unit(1), NOW);
    order.personal = None;
    let world = World::with_order(order).await;
    world.deliver(&world.code("482913").await).await.unwrap();
    assert!(world.texts().is_empty());
}

#[tokio::test]
async fn an_errand_of_another_function_is_an_error() {
    let world = World::with(State::Issuing, unit(1)).await;
    let error = world.deliver(&World::errand(Effect::AskCa)).await.unwrap_err();
    assert!(error.to_string().contains("ask_ca"), "{error}");
}
