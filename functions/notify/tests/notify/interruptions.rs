//! A process that is killed anywhere: the password is sent once, its secret opens it, and no limit counts twice.
use time::Duration;
use yinxin_order::command::Command;
use yinxin_order::form::sample::{bank_account, unit};
use yinxin_order::password::PasswordStatus;
use yinxin_order::state::State;
use yinxin_store::codes::{CodeKey, Codes as _, SecretKept, StoredCode};
use yinxin_store::vault::random_bytes;

use crate::stopping::Stop;
use crate::transfers::memo_world;
use crate::world::{KEY, NOW, PASSWORD, World};

/// Delivers the errand as its queue does: again, until it is done.
async fn deliver_until_done(world: &World) {
    for _ in 0..3 {
        if world.deliver(&World::password(1)).await.is_ok() {
            return;
        }
        world.pass(Duration::minutes(1));
    }
    panic!("the errand is never done");
}

#[tokio::test]
async fn a_transfer_outlasts_the_end_of_its_process_anywhere() {
    for stop in Stop::TRANSFER {
        let world = memo_world().await;
        world.stopping.stop_at(stop);
        deliver_until_done(&world).await;
        assert!(world.stopping.has_stopped(), "nothing came to {stop:?}");
        let transfers = world.transfers();
        assert!(
            !transfers.is_empty() && transfers.iter().all(|transfer| *transfer == transfers[0]),
            "{stop:?}: different transfers were submitted"
        );
        assert_eq!(world.status().await, PasswordStatus::Sent, "{stop:?}");
        assert_eq!(transfers_left_today(&world).await, 2, "{stop:?}: counted twice");
        let secret = world.secret(1).await;
        assert_eq!(
            world.collect(&secret).await.password(),
            Some(PASSWORD),
            "{stop:?}"
        );
    }
}

/// How many transfers the account's limit still allows.
async fn transfers_left_today(world: &World) -> u32 {
    let hashes = world.platform.vault.hashes().await.unwrap();
    let account = hashes.lookup("account", bank_account(1).as_str());
    let code = StoredCode {
        hash: String::new(),
        expires_at: NOW,
        tries: 0,
        used: false,
    };
    let mut left = 0;
    loop {
        let key = CodeKey::Captcha(hex(random_bytes()));
        match world
            .store
            .put_memo_secret(&key, &code, &account, "2026-04-07")
            .await
            .unwrap()
        {
            SecretKept::Now => left += 1,
            SecretKept::Before => panic!("a random key is new"),
            SecretKept::DailyLimit => return left,
        }
    }
}

fn hex(bytes: [u8; 16]) -> String {
    format!("{:032x}", u128::from_be_bytes(bytes))
}

#[tokio::test]
async fn nothing_is_submitted_whose_secret_is_not_kept() {
    let world = memo_world().await;
    world.stopping.stop_at(Stop::BeforeSecret);
    world.deliver(&World::password(1)).await.unwrap_err();
    assert!(world.transfers().is_empty());
}

#[tokio::test]
async fn an_errand_that_is_lost_for_good_is_asked_for_again() {
    for stop in Stop::TRANSFER {
        let world = memo_world().await;
        world.stopping.stop_at(stop);
        world.deliver(&World::password(1)).await.unwrap_err();
        if world.status().await == PasswordStatus::Sent {
            continue;
        }
        world.pass(Duration::minutes(2));
        let effects = world.advance(&Command::Remind).await;
        assert_eq!(effects.len(), 1, "{stop:?}");
        world.deliver(&World::errand(effects[0].clone())).await.unwrap();
        assert_eq!(world.status().await, PasswordStatus::Sent, "{stop:?}");
    }
}

#[tokio::test]
async fn an_sms_outlasts_the_end_of_its_process_anywhere() {
    for stop in Stop::SMS {
        let world = World::with(State::AwaitingDispatch, unit(1)).await;
        world.stopping.stop_at(stop);
        deliver_until_done(&world).await;
        assert!(world.stopping.has_stopped(), "nothing came to {stop:?}");
        assert_eq!(world.status().await, PasswordStatus::Sent, "{stop:?}");
        // Only between the provider's answer and our note of it nobody knows, and the same again does no harm.
        let sent = if stop == Stop::BeforeNote { 2 } else { 1 };
        assert_eq!(world.texts().len(), sent, "{stop:?}");
    }
}

#[tokio::test]
async fn a_collection_whose_answer_was_lost_is_answered_again_under_its_key() {
    for stop in Stop::COLLECTION {
        let world = memo_world().await;
        world.deliver(&World::password(1)).await.unwrap();
        let secret = world.secret(1).await;
        world.stopping.stop_at(stop);
        assert_eq!(
            world.collect_under(&secret, KEY).await.problem(),
            (503, "busy"),
            "{stop:?}"
        );
        let again = world.collect_under(&secret, KEY).await;
        assert_eq!(again.password(), Some(PASSWORD), "{stop:?}");
        assert_eq!(world.status().await, PasswordStatus::Collected);
    }
}

#[tokio::test]
async fn a_secret_is_used_up_only_with_the_order() {
    for (stop, problem) in [
        (Stop::BeforeSave, None),
        (Stop::AfterSave, Some((422, "memo-secret-used"))),
    ] {
        let world = memo_world().await;
        world.deliver(&World::password(1)).await.unwrap();
        let secret = world.secret(1).await;
        world.stopping.stop_at(stop);
        assert_eq!(world.collect(&secret).await.status, 503);
        let again = world.collect(&secret).await;
        match problem {
            None => assert_eq!(again.password(), Some(PASSWORD)),
            Some(problem) => assert_eq!(again.problem(), problem),
        }
    }
}
