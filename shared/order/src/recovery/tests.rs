//! Who may do what with a recovery, and when.

use time::macros::datetime;

use super::*;
use crate::sample::{order_id, vendor};

const NOW: OffsetDateTime = datetime!(2026-04-07 02:00 UTC);

fn officer(account: &str) -> Actor {
    let account = account.to_owned();
    Actor::Officer {
        account,
        vendor: vendor(),
    }
}

fn reason() -> Reason {
    Reason::try_from("原介质损坏，需恢复加密密钥以解密历史文件".to_owned()).unwrap()
}

fn requested_by(by: &Actor) -> Result<RecoveryMove, RecoveryRefusal> {
    let key = EscrowedKey {
        serial: "0a".repeat(16),
        order: order_id(1),
        request: "request".to_owned(),
    };
    let private = Private {
        reason: reason(),
        csr: SubmittedCsr {
            pem: "a request".to_owned(),
            key_sm3: "00".repeat(32),
        },
        rejection: None,
        delivery: None,
    };
    Recovery::request(RecoveryId::from_random([1; 16]), vendor(), key, private, by, NOW)
}

fn requested() -> Recovery {
    requested_by(&officer("a")).unwrap().recovery
}

fn approved() -> Recovery {
    let moved = requested().decide(&RecoveryCommand::Approve, &officer("b"), NOW);
    moved.unwrap().recovery
}

fn deliver() -> RecoveryCommand {
    RecoveryCommand::Deliver(Delivery {
        enveloped_key: "AA==".to_owned(),
        encryption_certificate: "a certificate".to_owned(),
    })
}

#[track_caller]
fn refused(
    recovery: &Recovery,
    command: &RecoveryCommand,
    by: &Actor,
    at: OffsetDateTime,
) -> RecoveryRefusal {
    recovery.decide(command, by, at).unwrap_err()
}

#[test]
fn two_officers_lead_a_recovery_to_its_end() {
    let asked = requested_by(&officer("a")).unwrap();
    assert_eq!((asked.by.as_str(), asked.action), ("a", "recovery.request"));
    assert_eq!(asked.effects, []);
    let agreed = asked
        .recovery
        .decide(&RecoveryCommand::Approve, &officer("b"), NOW)
        .unwrap();
    assert_eq!((agreed.by.as_str(), agreed.action), ("b", "recovery.approve"));
    let recovery = agreed.recovery.id.clone();
    assert_eq!(agreed.effects, [Effect::RecoverKey { recovery }]);
    let done = agreed
        .recovery
        .decide(&deliver(), &Actor::platform("issue"), NOW)
        .unwrap();
    assert_eq!(
        (done.by.as_str(), done.action),
        ("platform:issue", "recovery.deliver")
    );
    assert_eq!(done.recovery.state, RecoveryState::Recovered);
    assert_eq!(done.recovery.version, 3);
    assert!(done.recovery.private.unwrap().delivery.is_some());
}

#[test]
fn who_asked_does_not_approve() {
    let refusal = refused(&requested(), &RecoveryCommand::Approve, &officer("a"), NOW);
    assert_eq!(refusal, RecoveryRefusal::SameOfficer);
}

#[test]
fn only_officers_of_the_vendor_take_part() {
    let foreign = Actor::Officer {
        account: "b".to_owned(),
        vendor: "other-ca".parse().unwrap(),
    };
    let operator = Actor::Operator {
        account: "b".to_owned(),
        vendor: vendor(),
    };
    for by in [foreign, operator, Actor::Applicant, Actor::platform("issue")] {
        assert_eq!(requested_by(&by).unwrap_err(), RecoveryRefusal::NotYours);
        for command in [RecoveryCommand::Approve, RecoveryCommand::Reject(reason())] {
            let refusal = refused(&requested(), &command, &by, NOW);
            assert_eq!(refusal, RecoveryRefusal::NotYours, "{by:?}");
        }
    }
    for by in [officer("b"), officer("c"), Actor::Applicant] {
        assert_eq!(
            refused(&approved(), &deliver(), &by, NOW),
            RecoveryRefusal::NotYours
        );
    }
}

#[test]
fn nothing_is_delivered_that_one_officer_alone_wanted() {
    let mut forged = approved();
    forged.approved = Some(forged.requested.clone());
    let issue = Actor::platform("issue");
    assert_eq!(
        refused(&forged, &deliver(), &issue, NOW),
        RecoveryRefusal::NotYours
    );
    forged.approved = None;
    assert!(!forged.has_two_officers());
    assert_eq!(
        refused(&forged, &deliver(), &issue, NOW),
        RecoveryRefusal::NotYours
    );
    let state = RecoveryState::Requested;
    assert_eq!(
        refused(&requested(), &deliver(), &issue, NOW),
        RecoveryRefusal::NotAllowed(state)
    );
}

#[test]
fn any_officer_stops_it_until_the_key_is_out() {
    for by in ["a", "b", "c"] {
        for recovery in [requested(), approved()] {
            let moved = recovery
                .decide(&RecoveryCommand::Reject(reason()), &officer(by), NOW)
                .unwrap();
            assert_eq!(moved.recovery.state, RecoveryState::Rejected);
            assert_eq!(moved.effects, []);
            assert!(moved.recovery.private.clone().unwrap().rejection.is_some());
            let refusal = refused(&moved.recovery, &deliver(), &Actor::platform("issue"), NOW);
            assert_eq!(refusal, RecoveryRefusal::NotAllowed(RecoveryState::Rejected));
        }
    }
    let done = approved()
        .decide(&deliver(), &Actor::platform("issue"), NOW)
        .unwrap()
        .recovery;
    for command in [
        RecoveryCommand::Approve,
        RecoveryCommand::Reject(reason()),
        deliver(),
    ] {
        for by in [officer("c"), Actor::platform("issue")] {
            let refusal = refused(&done, &command, &by, NOW);
            assert_eq!(refusal, RecoveryRefusal::NotAllowed(RecoveryState::Recovered));
        }
    }
}

#[test]
fn what_waits_seven_days_expires() {
    let last = NOW + PATIENCE - Duration::seconds(1);
    assert!(
        requested()
            .decide(&RecoveryCommand::Approve, &officer("b"), last)
            .is_ok()
    );
    assert!(
        approved()
            .decide(&deliver(), &Actor::platform("issue"), last)
            .is_ok()
    );
    let late = NOW + PATIENCE;
    for recovery in [requested(), approved()] {
        assert_eq!(recovery.state_at(late), RecoveryState::Expired);
    }
    let refusal = refused(&requested(), &RecoveryCommand::Approve, &officer("b"), late);
    assert_eq!(refusal, RecoveryRefusal::Expired);
    let refusal = refused(&approved(), &deliver(), &Actor::platform("issue"), late);
    assert_eq!(refusal, RecoveryRefusal::Expired);
    let done = approved()
        .decide(&deliver(), &Actor::platform("issue"), NOW)
        .unwrap()
        .recovery;
    assert_eq!(done.state_at(late), RecoveryState::Recovered);
}

#[test]
fn a_reason_says_something() {
    for text in ["", "   short   ", "123456789", "a bell\u{7} rings here"] {
        assert_eq!(Reason::try_from(text.to_owned()), Err(InvalidReason), "{text:?}");
    }
    assert_eq!(Reason::try_from("长".repeat(501)), Err(InvalidReason));
    assert!(Reason::try_from("长".repeat(500)).is_ok());
    assert!(Reason::try_from(format!(" {}\n{} ", "长".repeat(5), "话".repeat(4))).is_ok());
}

#[test]
fn what_is_stored_in_the_clear_and_shown_names_nobody() {
    let recovery = approved();
    let json = serde_json::to_string(&recovery).unwrap();
    let shown = format!("{recovery:?}");
    for text in [&json, &shown] {
        assert!(!text.contains("介质") && !text.contains("a request"), "{text}");
    }
    let mut back: Recovery = serde_json::from_str(&json).unwrap();
    back.private.clone_from(&recovery.private);
    assert_eq!(back, recovery);
}
