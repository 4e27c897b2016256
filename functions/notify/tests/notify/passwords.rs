//! Passwords: by SMS or in a transfer's memo, as the identity check decided.
use time::Duration;
use yinxin_notify::ports::Template;
use yinxin_order::form::PasswordRoute;
use yinxin_order::form::sample::{
    bank_account, bank_card, mobile, person, person_by_account, person_name, unit, unit_by_account, unit_name,
};
use yinxin_order::state::State;
use yinxin_providers::bank::{Doubt, PayeeKind, Submitted, Transfer};
use yinxin_providers::http::Failure;
use yinxin_providers::sms::{self, Sending, WhoActs};

use crate::fakes::{SubmittedTransfer, success};
use crate::world::{NUMBER, World};

const PASSWORD: &str = "k7Wq2m9Zab3x";

async fn memo_world() -> World {
    World::with(State::AwaitingDispatch, unit_by_account(1)).await
}

#[tokio::test]
async fn a_units_password_goes_to_its_legal_representative() {
    let world = World::with(State::AwaitingDispatch, unit(1)).await;
    let PasswordRoute::Sms(representative) = unit(1).password_route() else {
        panic!("the sample is checked by mobile")
    };
    assert_ne!(representative, mobile(1));
    let errand = world.password(PASSWORD).await;
    for _ in 0..2 {
        world.deliver(&errand).await.unwrap();
    }
    let [sent] = &world.texts()[..] else {
        panic!("one SMS")
    };
    assert_eq!(
        (sent.mobile.as_str(), sent.template),
        (representative.as_str(), Template::Password)
    );
    assert_eq!(sent.variable, ("password".to_owned(), PASSWORD.to_owned()));
}

#[tokio::test]
async fn a_persons_password_goes_to_the_person() {
    let world = World::with(State::AwaitingDispatch, person(1)).await;
    world.deliver(&world.password(PASSWORD).await).await.unwrap();
    assert_eq!(world.texts()[0].mobile, mobile(1).as_str());
    assert!(world.transfers().is_empty());
}

#[tokio::test]
async fn a_password_in_doubt_goes_to_people_and_is_sent_again_only_when_they_say_so() {
    let world = World::with(State::AwaitingDispatch, unit(1)).await;
    let doubt = sms::Doubt::Answer {
        status: 503,
        code: String::new(),
    };
    world
        .sms
        .answers
        .lock()
        .unwrap()
        .push_back(Ok(Sending::Unknown(doubt)));
    let errand = world.password(PASSWORD).await;
    // As often as the queue brings it, which takes less than a quarter of an hour.
    for _ in 0..5 {
        let error = world.deliver(&errand).await.unwrap_err();
        assert!(error.to_string().contains("not known"), "{error}");
        world.pass(Duration::minutes(3));
    }
    assert_eq!(world.texts().len(), 1);
    // Somebody asked the provider, and put the errand back.
    world.pass(Duration::hours(1));
    for _ in 0..2 {
        world.deliver(&errand).await.unwrap();
    }
    assert_eq!(world.texts().len(), 2);
}

#[tokio::test]
async fn a_password_whose_try_did_not_end_is_sent_again_later() {
    let world = World::with(State::AwaitingDispatch, unit(1)).await;
    let errand = world.password(PASSWORD).await;
    // A process that ended between claim and note.
    let message = format!("{}#sms", errand.name());
    let now = world.platform.now();
    world
        .platform
        .deliveries
        .claim(&message, now, None)
        .await
        .unwrap();
    // Too early: the first try might still be at work.
    let error = world.deliver(&errand).await.unwrap_err();
    assert!(error.to_string().contains("at work"), "{error}");
    assert!(world.texts().is_empty());
    for _ in 0..2 {
        world.pass(Duration::minutes(1));
        world.deliver(&errand).await.unwrap();
    }
    assert_eq!(world.texts().len(), 1);
}

#[tokio::test]
async fn a_password_that_never_left_is_sent_with_the_next_delivery() {
    let world = World::with(State::AwaitingDispatch, unit(1)).await;
    let not_sent = Sending::NotSent(Failure::CircuitOpen);
    world.sms.answers.lock().unwrap().push_back(Ok(not_sent));
    let errand = world.password(PASSWORD).await;
    world.deliver(&errand).await.unwrap_err();
    for _ in 0..2 {
        world.deliver(&errand).await.unwrap();
    }
    assert_eq!(world.texts().len(), 2);
}

#[tokio::test]
async fn a_refused_password_goes_to_people_in_the_end() {
    for who in [WhoActs::Wait, WhoActs::Recipient, WhoActs::Operator] {
        let world = World::with(State::AwaitingDispatch, unit(1)).await;
        let code = "isv.MOBILE_NUMBER_ILLEGAL".to_owned();
        world
            .sms
            .answers
            .lock()
            .unwrap()
            .push_back(Ok(Sending::Refused { code, who }));
        let error = world.deliver(&world.password(PASSWORD).await).await.unwrap_err();
        assert!(error.to_string().contains("isv.MOBILE_NUMBER_ILLEGAL"), "{error}");
    }
}

#[tokio::test]
async fn a_company_reads_its_password_on_the_statement() {
    let world = memo_world().await;
    let errand = world.password(PASSWORD).await;
    for _ in 0..2 {
        world.deliver(&errand).await.unwrap();
    }
    let transfer = SubmittedTransfer {
        number: format!("{NUMBER}W"),
        name: unit_name(1).as_str().to_owned(),
        account: bank_account(1).as_str().to_owned(),
        bank: "示例银行长沙分行".to_owned(),
        kind: PayeeKind::Corporate,
        memo: PASSWORD.parse().unwrap(),
    };
    assert_eq!(world.transfers(), [transfer]);
    assert!(world.texts().is_empty());
}

#[tokio::test]
async fn a_person_may_read_it_on_the_own_statement() {
    let world = World::with(State::AwaitingDispatch, person_by_account(1)).await;
    world.deliver(&world.password(PASSWORD).await).await.unwrap();
    let [transfer] = &world.transfers()[..] else {
        panic!("one transfer")
    };
    assert_eq!(transfer.kind, PayeeKind::Private);
    assert_eq!(
        (transfer.name.as_str(), transfer.account.as_str()),
        (person_name(1).as_str(), bank_card(1).as_str())
    );
}

#[tokio::test]
async fn a_pending_transfer_is_asked_about_and_not_submitted_again() {
    let world = memo_world().await;
    world
        .bank
        .queries
        .lock()
        .unwrap()
        .extend([Transfer::NotFound, Transfer::Pending, Transfer::Pending]);
    let errand = world.password(PASSWORD).await;
    for _ in 0..2 {
        let error = world.deliver(&errand).await.unwrap_err();
        assert!(error.to_string().contains("on its way"), "{error}");
        world.pass(Duration::minutes(1));
    }
    world.deliver(&errand).await.unwrap();
    assert_eq!(world.transfers().len(), 1);
}

#[tokio::test]
async fn a_doubtful_submission_is_looked_up_before_it_is_made_again() {
    let world = memo_world().await;
    let unknown = || Submitted::Unknown(Doubt::Answer(502));
    world
        .bank
        .submissions
        .lock()
        .unwrap()
        .extend([unknown(), unknown()]);
    world
        .bank
        .queries
        .lock()
        .unwrap()
        .extend([Transfer::NotFound, Transfer::NotFound, success()]);
    let errand = world.password(PASSWORD).await;
    for _ in 0..2 {
        let error = world.deliver(&errand).await.unwrap_err();
        assert!(error.to_string().contains("not known"), "{error}");
        world.pass(Duration::minutes(1));
    }
    // The second submission had arrived after all.
    world.deliver(&errand).await.unwrap();
    let numbers: Vec<_> = world
        .transfers()
        .into_iter()
        .map(|transfer| transfer.number)
        .collect();
    assert_eq!(numbers, [format!("{NUMBER}W"), format!("{NUMBER}W")]);
}

#[tokio::test]
async fn a_transfer_that_does_not_arrive_goes_to_people() {
    let code = || "ACCOUNT_CLOSED".to_owned();
    let msg = "户名不符".to_owned();
    for ending in [
        Transfer::Failed { code: code(), msg },
        Transfer::Returned { code: code() },
    ] {
        let world = memo_world().await;
        world.bank.queries.lock().unwrap().push_back(ending);
        let error = world.deliver(&world.password(PASSWORD).await).await.unwrap_err();
        assert_eq!(error.to_string(), r#"the transfer failed with "ACCOUNT_CLOSED""#);
        assert!(world.transfers().is_empty());
    }
    let world = memo_world().await;
    let rejected = Submitted::Rejected { code: code() };
    world.bank.submissions.lock().unwrap().push_back(rejected);
    let error = world.deliver(&world.password(PASSWORD).await).await.unwrap_err();
    assert!(error.to_string().contains("ACCOUNT_CLOSED"), "{error}");
}

#[tokio::test]
async fn a_password_that_fits_no_memo_is_not_cut() {
    let world = memo_world().await;
    let error = world
        .deliver(&world.password("k7Wq-2m9").await)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("memo"), "{error}");
    assert!(world.transfers().is_empty());
}
