//! Passwords for the secret in a transfer's memo: what the bank says over days, and how often it is paid.
use time::Duration;
use yinxin_order::command::Command;
use yinxin_order::effect::{Effect, Notice};
use yinxin_order::form::sample::{
    bank_account, bank_card, person_by_account, person_name, unit_by_account, unit_name,
};
use yinxin_order::password::PasswordStatus;
use yinxin_order::state::State;
use yinxin_providers::bank::{Doubt, PayeeKind, Submitted, Transfer};
use yinxin_store::codes::{CodeKey, Codes as _, MAX_TRANSFERS_PER_DAY, MEMO_SECRET_LIFETIME, StoredCode};
use yinxin_store::vault::random_bytes;

use crate::fakes::{SubmittedTransfer, success};
use crate::world::{NOW, NUMBER, PASSWORD, World};

pub async fn memo_world() -> World {
    World::with(State::AwaitingDispatch, unit_by_account(1)).await
}

fn tell(world: &World, answers: impl IntoIterator<Item = Transfer>) {
    world.bank.queries.lock().unwrap().extend(answers);
}

fn answer(world: &World, answers: impl IntoIterator<Item = Submitted>) {
    world.bank.submissions.lock().unwrap().extend(answers);
}

fn unknown() -> Transfer {
    Transfer::Unknown(Doubt::BankUnsure)
}

fn returned() -> Transfer {
    Transfer::Returned {
        code: "NAME_MISMATCH".to_owned(),
    }
}

fn failed() -> Transfer {
    Transfer::Failed {
        code: "ACCOUNT_CLOSED".to_owned(),
        msg: "户名不符".to_owned(),
    }
}

fn numbers(world: &World) -> Vec<String> {
    world
        .transfers()
        .into_iter()
        .map(|transfer| transfer.number)
        .collect()
}

#[tokio::test]
async fn a_company_reads_a_secret_on_the_statement_and_not_its_password() {
    let world = memo_world().await;
    for _ in 0..2 {
        world.deliver(&World::password(1)).await.unwrap();
    }
    let transfer = SubmittedTransfer {
        number: format!("{NUMBER}W"),
        name: unit_name(1).as_str().to_owned(),
        account: bank_account(1).as_str().to_owned(),
        bank: "示例银行长沙分行".to_owned(),
        kind: PayeeKind::Corporate,
        memo: world.memo(1).await,
    };
    assert_eq!(world.transfers(), [transfer]);
    assert_ne!(world.secret(1).await, PASSWORD);
    assert!(world.texts().is_empty());
    assert_eq!(world.status().await, PasswordStatus::Sent);
    let notice = Notice::PasswordSent;
    assert_eq!(world.effects(), [Effect::SendNotice { notice }]);
}

#[tokio::test]
async fn a_person_may_read_it_on_the_own_statement() {
    let world = World::with(State::AwaitingDispatch, person_by_account(1)).await;
    world.deliver(&World::password(1)).await.unwrap();
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
async fn a_transfer_that_is_posted_days_later_is_asked_about_and_not_submitted_again() {
    let world = memo_world().await;
    tell(&world, [Transfer::NotFound, Transfer::Pending]);
    world.deliver(&World::password(1)).await.unwrap();
    assert_eq!(world.status().await, PasswordStatus::Submitted);
    for told in [Transfer::Pending, unknown(), Transfer::Pending] {
        world.pass(Duration::days(1));
        // An errand of the same sending that comes late does nothing.
        world.deliver(&World::password(1)).await.unwrap();
        assert_eq!(
            world.advance(&Command::Remind).await,
            [Effect::QueryTransfer { number: 1 }]
        );
        tell(&world, [told]);
        world.deliver(&World::query(1)).await.unwrap();
        assert_eq!(world.status().await, PasswordStatus::Submitted);
    }
    world.deliver(&World::query(1)).await.unwrap();
    assert_eq!(world.status().await, PasswordStatus::Sent);
    assert_eq!(world.transfers().len(), 1);
}

#[tokio::test]
async fn a_doubtful_submission_is_looked_up_and_made_again_only_under_its_number() {
    let world = memo_world().await;
    answer(&world, [Submitted::Unknown(Doubt::Answer(502))]);
    tell(&world, [Transfer::NotFound, unknown(), Transfer::NotFound]);
    world.deliver(&World::password(1)).await.unwrap();
    assert_eq!(world.status().await, PasswordStatus::Submitted);
    // The bank does not know.
    world.deliver(&World::query(1)).await.unwrap();
    assert_eq!(world.transfers().len(), 1);
    // It has never heard of it: the first submission was lost.
    world.deliver(&World::query(1)).await.unwrap();
    let number = format!("{NUMBER}W");
    assert_eq!(numbers(&world), [number.clone(), number]);
    assert_eq!(world.transfers()[0], world.transfers()[1]);
    assert_eq!(world.status().await, PasswordStatus::Sent);
}

#[tokio::test]
async fn a_bank_that_cannot_be_asked_is_sent_nothing() {
    let world = memo_world().await;
    tell(&world, [unknown()]);
    world.deliver(&World::password(1)).await.unwrap();
    assert!(world.transfers().is_empty());
    assert_eq!(world.status().await, PasswordStatus::Sending);
    assert_eq!(
        world.advance(&Command::Remind).await,
        [Effect::SendPassword { number: 1 }]
    );
}

#[tokio::test]
async fn a_transfer_that_comes_back_makes_its_secret_void_and_is_told() {
    let world = memo_world().await;
    world.deliver(&World::password(1)).await.unwrap();
    world.effects();
    world.pass(Duration::days(2));
    tell(&world, [returned()]);
    world.deliver(&World::query(1)).await.unwrap();
    let delivery = world.order().await.password.unwrap();
    assert_eq!(delivery.status, PasswordStatus::Returned);
    assert_eq!(delivery.code.as_deref(), Some("NAME_MISMATCH"));
    let notice = Notice::PasswordFailed;
    assert_eq!(world.effects(), [Effect::SendNotice { notice }]);
    let secret = world.secret(1).await;
    assert_eq!(
        world.collect(&secret).await.problem(),
        (422, "memo-secret-unknown")
    );
    // Whatever comes late says nothing new.
    tell(&world, [returned()]);
    world.deliver(&World::query(1)).await.unwrap();
    assert_eq!(world.effects(), []);
    assert_eq!(world.transfers().len(), 1);
}

#[tokio::test]
async fn a_secret_whose_transfer_came_back_is_used_up_with_it() {
    let world = memo_world().await;
    world.deliver(&World::password(1)).await.unwrap();
    tell(&world, [returned()]);
    world.deliver(&World::query(1)).await.unwrap();
    let key = CodeKey::MemoSecret {
        order: world.order().await.id,
        number: 1,
    };
    let counted = world.store.count_try(&key, NOW).await.unwrap();
    assert_eq!(counted, Err(yinxin_store::codes::CodeRefusal::Used));
}

#[tokio::test]
async fn a_transfer_that_fails_is_sent_again_under_another_number_with_another_secret() {
    let rejected = Submitted::Rejected {
        code: "ACCOUNT_CLOSED".to_owned(),
    };
    for (submitted, known) in [
        (Some(rejected), None),
        (None, Some(failed())),
        (None, Some(returned())),
    ] {
        let world = memo_world().await;
        tell(&world, [Transfer::NotFound].into_iter().chain(known));
        answer(&world, submitted);
        world.deliver(&World::password(1)).await.unwrap();
        let ended = world.status().await;
        assert!(
            matches!(ended, PasswordStatus::Failed | PasswordStatus::Returned),
            "{ended:?}"
        );
        assert_eq!(
            world.advance(&Command::ResendPassword).await,
            [Effect::SendPassword { number: 2 }]
        );
        world.deliver(&World::password(1)).await.unwrap();
        world.deliver(&World::query(1)).await.unwrap();
        world.deliver(&World::password(2)).await.unwrap();
        assert_eq!(numbers(&world), [format!("{NUMBER}W"), format!("{NUMBER}X")]);
        assert_eq!(world.transfers()[1].memo, world.memo(2).await);
        let old = world.secret(1).await;
        assert_eq!(world.collect(&old).await.problem(), (422, "memo-secret-wrong"));
        let new = world.secret(2).await;
        assert_eq!(world.collect(&new).await.password(), Some(PASSWORD));
    }
}

#[tokio::test]
async fn a_lost_secret_is_replaced_by_the_next_sendings() {
    let world = memo_world().await;
    world.deliver(&World::password(1)).await.unwrap();
    for number in [2, 3] {
        world.pass(MEMO_SECRET_LIFETIME);
        let expired = world.secret(number - 1).await;
        assert_eq!(
            world.collect(&expired).await.problem(),
            (422, "memo-secret-expired")
        );
        world.advance(&Command::ResendPassword).await;
        world.deliver(&World::password(number)).await.unwrap();
    }
    assert_eq!(
        numbers(&world),
        ["W", "X", "Y"].map(|mark| format!("{NUMBER}{mark}"))
    );
    let secret = world.secret(3).await;
    assert_eq!(world.collect(&secret).await.password(), Some(PASSWORD));
}

#[tokio::test]
async fn a_transfer_that_the_bank_has_forgotten_is_not_made_again() {
    let world = memo_world().await;
    world.deliver(&World::password(1)).await.unwrap();
    tell(&world, [Transfer::NotFound]);
    world.deliver(&World::query(1)).await.unwrap();
    assert_eq!(
        (world.transfers().len(), world.status().await),
        (1, PasswordStatus::Sent)
    );
}

#[tokio::test]
async fn a_collected_password_is_not_asked_about() {
    let world = memo_world().await;
    world.deliver(&World::password(1)).await.unwrap();
    let secret = world.secret(1).await;
    assert_eq!(world.collect(&secret).await.status, 200);
    let asked = *world.bank.asked.lock().unwrap();
    world.deliver(&World::query(1)).await.unwrap();
    world.deliver(&World::password(1)).await.unwrap();
    assert_eq!(*world.bank.asked.lock().unwrap(), asked);
    assert_eq!(world.status().await, PasswordStatus::Collected);
}

/// Transfers of other orders to the account of this one.
async fn others_pay_to_the_account(world: &World, transfers: u32) {
    let hashes = world.platform.vault.hashes().await.unwrap();
    let account = hashes.lookup("account", bank_account(1).as_str());
    for _ in 0..transfers {
        let key = CodeKey::MemoSecret {
            order: yinxin_order::identifiers::OrderId::from_random(random_bytes()),
            number: 1,
        };
        let code = StoredCode {
            hash: String::new(),
            expires_at: NOW + MEMO_SECRET_LIFETIME,
            tries: 0,
            used: false,
        };
        // 10:00 in China.
        world
            .store
            .put_memo_secret(&key, &code, &account, "2026-04-07")
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn an_account_that_had_its_transfers_of_the_day_waits_for_tomorrow() {
    let world = memo_world().await;
    others_pay_to_the_account(&world, MAX_TRANSFERS_PER_DAY).await;
    world.deliver(&World::password(1)).await.unwrap();
    assert!(world.transfers().is_empty());
    assert_eq!(world.status().await, PasswordStatus::Sending);
    let secret = world.secret(1).await;
    assert_eq!(
        world.collect(&secret).await.problem(),
        (422, "memo-secret-unknown")
    );
    // One hour before midnight in China, and at midnight.
    for (passed, transfers) in [(13, 0), (1, 1)] {
        world.pass(Duration::hours(passed));
        let reminded = world.advance(&Command::Remind).await;
        assert_eq!(reminded, [Effect::SendPassword { number: 1 }]);
        world.deliver(&World::password(1)).await.unwrap();
        assert_eq!(world.transfers().len(), transfers);
    }
    assert_eq!(world.status().await, PasswordStatus::Sent);
}

#[tokio::test]
async fn a_repeated_submission_is_not_counted_again() {
    let world = memo_world().await;
    others_pay_to_the_account(&world, MAX_TRANSFERS_PER_DAY - 1).await;
    answer(&world, [Submitted::Unknown(Doubt::Answer(502))]);
    tell(&world, [Transfer::NotFound, Transfer::NotFound]);
    world.deliver(&World::password(1)).await.unwrap();
    world.deliver(&World::query(1)).await.unwrap();
    assert_eq!(world.transfers().len(), 2);
    assert_eq!(world.status().await, PasswordStatus::Sent);
}

#[tokio::test]
async fn a_query_of_a_transfer_that_arrived_says_nothing_new() {
    let world = memo_world().await;
    world.deliver(&World::password(1)).await.unwrap();
    world.effects();
    tell(&world, [success(), Transfer::Pending, unknown()]);
    let before = world.order().await.version;
    for _ in 0..3 {
        world.deliver(&World::query(1)).await.unwrap();
    }
    assert_eq!(world.order().await.version, before);
    assert_eq!(world.effects(), []);
}
