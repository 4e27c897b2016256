//! The password's delivery: over days, back again, once more, and to whom it was shown.
use time::macros::datetime;
use time::{Duration, OffsetDateTime};
use yinxin_order::command::{Actor, Command};
use yinxin_order::due::Late;
use yinxin_order::effect::{Effect, Notice};
use yinxin_order::form::ApplicationForm;
use yinxin_order::form::sample::{unit, unit_by_account};
use yinxin_order::order::Order;
use yinxin_order::password::{
    MAX_SENDINGS, PASSWORD_KEPT_FOR, PasswordOutcome, PasswordStatus, PasswordWay, RETURN_CHECK_EVERY,
    RETURN_CHECKED_FOR,
};
use yinxin_order::sample::{moved, order_in};
use yinxin_order::state::State;
use yinxin_order::{Move, Refusal, decide};

const NOW: OffsetDateTime = datetime!(2026-04-07 02:00 UTC);
const RETENTION: Duration = Duration::days(1825);

fn written(form: ApplicationForm) -> Order {
    order_in(State::AwaitingDispatch, 1, form, NOW)
}

fn record(number: u8, outcome: PasswordOutcome) -> Command {
    Command::RecordPassword { number, outcome }
}

fn returned() -> PasswordOutcome {
    PasswordOutcome::Returned {
        code: "NAME_MISMATCH".to_owned(),
    }
}

fn failed() -> PasswordOutcome {
    PasswordOutcome::Failed {
        code: "ACCOUNT_CLOSED".to_owned(),
    }
}

fn refusal(order: &Order, command: &Command) -> Refusal {
    decide(order, command, Actor::platform("test"), NOW).expect_err("it is refused")
}

fn status(order: &Order) -> PasswordStatus {
    order.password.as_ref().expect("it was asked for").status
}

fn keeps_password(order: &Order) -> bool {
    order
        .personal
        .as_ref()
        .expect("it was not erased")
        .password
        .is_some()
}

fn told(moved: &Move) -> Vec<Notice> {
    let notice = |effect: &Effect| match effect {
        Effect::SendNotice { notice } => Some(*notice),
        _ => None,
    };
    moved.effects.iter().filter_map(notice).collect()
}

#[test]
fn a_written_ukey_asks_for_the_first_sending_its_way() {
    for (form, way) in [
        (unit(1), PasswordWay::Sms),
        (unit_by_account(1), PasswordWay::Memo),
    ] {
        let order = written(form);
        let delivery = order.password.as_ref().unwrap();
        assert_eq!((delivery.number, delivery.way), (1, way));
        assert_eq!(delivery.status, PasswordStatus::Sending);
        assert!(keeps_password(&order));
    }
}

#[test]
fn the_open_part_of_an_order_does_not_hold_the_password() {
    let open = serde_json::to_string(&written(unit_by_account(1))).unwrap();
    assert!(open.contains("\"sending\"") && !open.contains("sealed"), "{open}");
}

#[test]
fn an_order_from_before_deliveries_were_kept_is_read() {
    let mut stored = serde_json::to_value(order_in(State::AwaitingWriting, 1, unit(1), NOW)).unwrap();
    assert!(stored.as_object_mut().unwrap().remove("password").is_none());
    let order: Order = serde_json::from_value(stored).unwrap();
    assert_eq!(order.password, None);
    let effect: Effect = serde_json::from_str(r#"{"type":"send_password","sealed":"AQID"}"#).unwrap();
    assert_eq!(effect, Effect::SendPassword { number: 1 });
}

#[test]
fn a_transfer_is_asked_about_until_the_bank_says_how_it_ended() {
    let mut order = written(unit_by_account(1));
    assert_eq!(
        order.due(RETENTION),
        Some((NOW + Duration::minutes(2), Late::Remind))
    );
    let reminded = moved(&order, &Command::Remind, NOW + Duration::minutes(2));
    assert_eq!(reminded.effects, [Effect::SendPassword { number: 1 }]);
    order = moved(&order, &record(1, PasswordOutcome::Submitted), NOW).order;
    let mut now = NOW;
    // A weekend passes.
    let mut asked = 0;
    while now < NOW + Duration::days(3) {
        let (at, late) = order.due(RETENTION).unwrap();
        assert_eq!(late, Late::Remind);
        assert!(at > now && at <= now + Duration::hours(5));
        now = at;
        let reminded = moved(&order, &Command::Remind, now);
        assert_eq!(reminded.effects, [Effect::QueryTransfer { number: 1 }]);
        order = reminded.order;
        asked += 1;
    }
    assert!(asked < 30, "{asked} questions in three days");
    assert_eq!(
        refusal(&order, &record(1, PasswordOutcome::Submitted)),
        Refusal::AlreadyRecorded
    );
}

#[test]
fn a_transfer_that_arrived_is_watched_for_three_days() {
    let mut order = moved(
        &written(unit_by_account(1)),
        &record(1, PasswordOutcome::Sent),
        NOW,
    )
    .order;
    let mut checks = Vec::new();
    loop {
        let (at, late) = order.due(RETENTION).unwrap();
        assert_eq!(late, Late::Remind);
        let reminded = moved(&order, &Command::Remind, at);
        order = reminded.order;
        if reminded.effects.is_empty() {
            assert_eq!(at, NOW + PASSWORD_KEPT_FOR);
            break;
        }
        assert_eq!(reminded.effects, [Effect::QueryTransfer { number: 1 }]);
        checks.push(at - NOW);
    }
    assert_eq!(checks.first(), Some(&RETURN_CHECK_EVERY));
    assert_eq!(checks.last(), Some(&RETURN_CHECKED_FOR));
    assert_eq!(checks.len(), 6);
    // Nobody came for it: it is forgotten, and nobody looks again.
    assert!(!keeps_password(&order));
    assert_eq!(order.due(RETENTION), None);
    assert_eq!(refusal(&order, &Command::ResendPassword), Refusal::PasswordGone);
}

#[test]
fn an_sms_that_was_sent_is_not_asked_about() {
    let order = moved(&written(unit(1)), &record(1, PasswordOutcome::Sent), NOW).order;
    assert_eq!(
        order.due(RETENTION),
        Some((NOW + PASSWORD_KEPT_FOR, Late::Remind))
    );
    let reminded = moved(&order, &Command::Remind, NOW + Duration::days(1));
    assert_eq!(reminded.effects, []);
    assert!(keeps_password(&reminded.order));
}

#[test]
fn a_collected_password_is_gone_and_final() {
    for before in [
        None,
        Some(PasswordOutcome::Submitted),
        Some(PasswordOutcome::Sent),
    ] {
        let mut order = written(unit_by_account(1));
        if let Some(before) = before {
            order = moved(&order, &record(1, before), NOW).order;
        }
        let collected = moved(&order, &record(1, PasswordOutcome::Collected), NOW);
        assert_eq!(collected.effects, []);
        let order = collected.order;
        assert_eq!(status(&order), PasswordStatus::Collected);
        assert!(!keeps_password(&order));
        assert_eq!(order.due(RETENTION), None);
        for late in [
            PasswordOutcome::Collected,
            PasswordOutcome::Sent,
            returned(),
            failed(),
        ] {
            assert_eq!(refusal(&order, &record(1, late)), Refusal::AlreadyRecorded);
        }
        assert_eq!(refusal(&order, &Command::ResendPassword), Refusal::PasswordGone);
    }
}

#[test]
fn what_came_back_is_void_and_told() {
    for outcome in [returned(), failed()] {
        let order = moved(
            &written(unit_by_account(1)),
            &record(1, PasswordOutcome::Sent),
            NOW,
        )
        .order;
        let back = moved(&order, &record(1, outcome.clone()), NOW);
        assert_eq!(told(&back), [Notice::PasswordFailed]);
        assert!(back.order.password.as_ref().unwrap().code.is_some());
        let void = refusal(&back.order, &record(1, PasswordOutcome::Collected));
        assert_eq!(void, Refusal::PasswordVoid);
        for late in [outcome, PasswordOutcome::Submitted, PasswordOutcome::Sent] {
            assert_eq!(refusal(&back.order, &record(1, late)), Refusal::AlreadyRecorded);
        }
    }
}

#[test]
fn a_password_that_went_by_sms_is_not_collected() {
    let order = written(unit(1));
    let refused = refusal(&order, &record(1, PasswordOutcome::Collected));
    assert_eq!(refused, Refusal::PasswordVoid);
}

#[test]
fn a_transfer_that_arrived_is_told_once_and_an_sms_tells_itself() {
    let order = written(unit_by_account(1));
    let sent = moved(&order, &record(1, PasswordOutcome::Sent), NOW);
    assert_eq!(told(&sent), [Notice::PasswordSent]);
    assert_eq!(
        refusal(&sent.order, &record(1, PasswordOutcome::Sent)),
        Refusal::AlreadyRecorded
    );
    let sms = moved(&written(unit(1)), &record(1, PasswordOutcome::Sent), NOW);
    assert_eq!(told(&sms), []);
}

#[test]
fn a_password_is_sent_three_times_at_most_and_never_while_one_is_on_its_way() {
    let mut order = written(unit_by_account(1));
    for number in 1..=MAX_SENDINGS {
        assert_eq!(order.password.as_ref().unwrap().number, number);
        assert_eq!(
            refusal(&order, &Command::ResendPassword),
            Refusal::PasswordUnderway
        );
        order = moved(&order, &record(number, PasswordOutcome::Submitted), NOW).order;
        assert_eq!(
            refusal(&order, &Command::ResendPassword),
            Refusal::PasswordUnderway
        );
        // What is said of an older one, or of one that does not exist, says nothing of this one.
        if number > 1 {
            let old = refusal(&order, &record(number - 1, returned()));
            assert_eq!(old, Refusal::AlreadyRecorded);
        }
        let unknown = refusal(&order, &record(number + 1, PasswordOutcome::Sent));
        assert_eq!(unknown, Refusal::NoSuchSending);
        order = moved(&order, &record(number, returned()), NOW).order;
        if number < MAX_SENDINGS {
            let again = moved(&order, &Command::ResendPassword, NOW);
            assert_eq!(again.effects, [Effect::SendPassword { number: number + 1 }]);
            order = again.order;
            assert_eq!(status(&order), PasswordStatus::Sending);
        }
    }
    assert_eq!(
        refusal(&order, &Command::ResendPassword),
        Refusal::TooManySendings
    );
}

#[test]
fn a_password_is_sent_again_after_the_order_is_complete() {
    let order = order_in(State::Completed, 1, unit_by_account(1), NOW);
    let again = moved(&order, &Command::ResendPassword, NOW);
    assert_eq!(again.effects, [Effect::SendPassword { number: 2 }]);
    assert_eq!(again.order.state, State::Completed);
    let (_, late) = again.order.due(Duration::ZERO).unwrap();
    assert_eq!(late, Late::Remind, "erased while it is on its way");
}

#[test]
fn a_password_that_waits_does_not_hold_up_the_erasure() {
    let order = order_in(State::Completed, 1, unit(1), NOW);
    assert!(keeps_password(&order));
    assert_eq!(
        order.due(Duration::days(1)),
        Some((NOW + Duration::days(1), Late::Erase))
    );
    let erased = moved(&order, &Command::Erase, NOW + Duration::days(1)).order;
    assert_eq!(
        (erased.personal.as_ref().map(|_| ()), erased.due(RETENTION)),
        (None, None)
    );
    assert_eq!(refusal(&erased, &Command::ResendPassword), Refusal::Erased);
}

#[test]
fn a_providers_code_is_kept_short_and_plain() {
    let outcome = PasswordOutcome::Failed {
        code: format!("E1 户名\n{}", "x".repeat(100)),
    };
    let order = moved(&written(unit_by_account(1)), &record(1, outcome), NOW).order;
    let code = order.password.unwrap().code.unwrap();
    assert_eq!(code, format!("E1{}", "x".repeat(38)));
}
