//! Notices: an SMS and a mail, each once, with nothing in them that a stranger should not read.
use time::Duration;
use yinxin_notify::ports::Template;
use yinxin_order::effect::Notice;
use yinxin_order::form::ApplicationForm;
use yinxin_order::form::sample::{person, unit};
use yinxin_order::state::State;
use yinxin_providers::mail::MailError;
use yinxin_providers::sms::{Doubt, Sending, WhoActs};

use crate::world::{NUMBER, World};

const NOTICES: [(Notice, Option<Template>, &str); 6] = [
    (Notice::Approved, Some(Template::Approved), "审核通过"),
    (Notice::Rejected, Some(Template::Rejected), "审核未通过"),
    (Notice::Dispatched, Some(Template::Dispatched), "UKey 已寄出"),
    (Notice::Refunded, None, "已退款"),
    (Notice::PasswordSent, None, "UKey 口令可以领取"),
    (
        Notice::PasswordFailed,
        Some(Template::PasswordFailed),
        "UKey 口令未能送达",
    ),
];

fn state_of(notice: Notice) -> State {
    match notice {
        Notice::Approved => State::AwaitingPersonalisation,
        Notice::Rejected => State::AwaitingCorrection,
        Notice::Dispatched | Notice::PasswordSent | Notice::PasswordFailed => State::AwaitingReceipt,
        Notice::Refunded => State::Refunding,
    }
}

#[tokio::test]
async fn each_notice_goes_out_once_by_sms_and_mail() {
    for (notice, template, title) in NOTICES {
        let world = World::with(state_of(notice), unit(1)).await;
        for _ in 0..2 {
            world.deliver(&World::notice(notice)).await.unwrap();
        }
        let templates: Vec<_> = world.texts().iter().map(|sms| sms.template).collect();
        assert_eq!(templates, template.into_iter().collect::<Vec<_>>());
        for sms in world.texts() {
            assert_eq!(sms.mobile, unit(1).notice_mobile().as_str());
            assert_eq!(sms.variable, ("order".to_owned(), NUMBER.to_owned()));
        }
        let [mail] = &world.mails()[..] else {
            panic!("one mail")
        };
        assert_eq!(mail.to, unit(1).notice_email().as_str());
        assert_eq!(mail.subject, format!("【印信】订单 {NUMBER} {title}"));
        assert!(mail.text.contains(NUMBER));
    }
}

#[tokio::test]
async fn a_mail_names_the_parcel_and_nobody() {
    for (notice, ..) in NOTICES {
        for form in [unit(1), person(1)] {
            let world = World::with(state_of(notice), form.clone()).await;
            world.deliver(&World::notice(notice)).await.unwrap();
            let mail = world.mails().remove(0);
            let told = format!("{} {}", mail.subject, mail.text);
            assert_eq!(told.contains("EM000000001CN"), notice == Notice::Dispatched);
            for personal in personal_values(&form) {
                assert!(!told.contains(&personal), "{notice:?} names somebody");
            }
            // The officer's words may speak of documents.
            assert!(!told.contains("营业执照照片不清晰"));
        }
    }
}

fn personal_values(form: &ApplicationForm) -> Vec<String> {
    [
        form.holder_name(),
        form.holder_number(),
        form.contact_name().as_str(),
        form.contact_document().number(),
        form.notice_mobile().as_str(),
        form.notice_email().as_str(),
        form.mailing().address.as_str(),
    ]
    .map(str::to_owned)
    .to_vec()
}

#[tokio::test]
async fn a_mail_server_that_is_away_does_not_repeat_the_sms() {
    let world = World::with(State::AwaitingReceipt, unit(1)).await;
    world
        .mail
        .answers
        .lock()
        .unwrap()
        .extend([Err(MailError::Unavailable), Ok(())]);
    let errand = World::notice(Notice::Dispatched);
    world.deliver(&errand).await.unwrap_err();
    world.pass(Duration::minutes(1));
    world.deliver(&errand).await.unwrap();
    assert_eq!((world.texts().len(), world.mails().len()), (1, 2));
    // The same number lets mail programs see one mail in both tries.
    assert_eq!(world.mails()[0].id, world.mails()[1].id);
}

#[tokio::test]
async fn a_gateway_that_refuses_does_not_hold_up_the_mail() {
    let world = World::with(State::AwaitingReceipt, unit(1)).await;
    let code = "isv.AMOUNT_NOT_ENOUGH".to_owned();
    let who = WhoActs::Operator;
    world
        .sms
        .answers
        .lock()
        .unwrap()
        .push_back(Ok(Sending::Refused { code, who }));
    let errand = World::notice(Notice::Dispatched);
    world.deliver(&errand).await.unwrap_err();
    assert_eq!(world.mails().len(), 1);
    world.pass(Duration::minutes(1));
    world.deliver(&errand).await.unwrap();
    assert_eq!((world.texts().len(), world.mails().len()), (2, 1));
}

#[tokio::test]
async fn a_notice_in_doubt_is_not_repeated_as_the_mail_tells_the_same() {
    let world = World::with(State::AwaitingReceipt, unit(1)).await;
    let doubt = Doubt::Answer {
        status: 503,
        code: String::new(),
    };
    world
        .sms
        .answers
        .lock()
        .unwrap()
        .push_back(Ok(Sending::Unknown(doubt)));
    for _ in 0..2 {
        world.deliver(&World::notice(Notice::Dispatched)).await.unwrap();
        world.pass(Duration::hours(2));
    }
    assert_eq!((world.texts().len(), world.mails().len()), (1, 1));
}

#[tokio::test]
async fn an_address_that_takes_nothing_is_not_tried_again() {
    let world = World::with(State::AwaitingReceipt, unit(1)).await;
    let (code, who) = ("isv.MOBILE_NUMBER_ILLEGAL".to_owned(), WhoActs::Recipient);
    world
        .sms
        .answers
        .lock()
        .unwrap()
        .push_back(Ok(Sending::Refused { code, who }));
    world
        .mail
        .answers
        .lock()
        .unwrap()
        .push_back(Err(MailError::Rejected { code: 550 }));
    for _ in 0..2 {
        world.deliver(&World::notice(Notice::Dispatched)).await.unwrap();
    }
    assert_eq!((world.texts().len(), world.mails().len()), (1, 1));
}
