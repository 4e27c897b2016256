//! An escrowed key on its way to a new token.
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use yinxin_issue::{App, Issuing};
use yinxin_lambda::serve::{Batch as _, BatchError};
use yinxin_order::Command;
use yinxin_order::command::Actor;
use yinxin_order::effect::Effect;
use yinxin_order::form::sample::unit;
use yinxin_order::identifiers::RecoveryId;
use yinxin_order::issuance::SubmittedCsr;
use yinxin_order::order::Order;
use yinxin_order::recovery::{
    EscrowedKey, PATIENCE, Private, Reason, Recovery, RecoveryCommand, RecoveryState,
};
use yinxin_order::sample::{order_id, vendor};
use yinxin_pki::csr::CsrBuilder;
use yinxin_pki::{Certificate, EnvelopedKey, Name, SigningKey, pem, sm3};
use yinxin_store::audits::Audits as _;
use yinxin_store::issuances::Issuances;
use yinxin_store::key_history::{KeyEntry, KeyHistory as _};
use yinxin_store::orders::{Errand, Orders as _};
use yinxin_store::recoveries::{Recoveries as _, audit_subject};
use yinxin_store::vault::rng;

use crate::stopping::Stop;
use crate::world::{NOW, World};

pub struct Recovering {
    world: World,
    /// The key in the new UKey.
    token: SigningKey,
    id: RecoveryId,
    key: KeyEntry,
}

fn officer(account: &str) -> Actor {
    Actor::Officer {
        account: account.to_owned(),
        vendor: vendor(),
    }
}

fn reason() -> Reason {
    "原介质损坏，需要恢复加密密钥".to_owned().try_into().unwrap()
}

impl Recovering {
    /// A unit has its certificates, and an officer asked for its encryption key.
    async fn requested() -> Recovering {
        Recovering::requested_with(|csr| csr).await
    }

    async fn requested_with(change: impl Fn(String) -> String) -> Recovering {
        let world = World::new().await;
        world.put_unit(1).await;
        world.ask(1).await.unwrap();
        Recovering::in_world(world, change).await
    }

    /// The same where the first order's unit has its certificates already.
    pub async fn in_world(world: World, change: impl Fn(String) -> String) -> Recovering {
        let token = SigningKey::generate(&mut rng());
        let subject = Name::unit(unit(1).holder_name(), None).unwrap();
        let der = CsrBuilder::new(&subject, token.public_key())
            .sign_with(|info| token.sign(info))
            .unwrap();
        let csr = SubmittedCsr {
            pem: change(pem::encode(pem::CERTIFICATE_REQUEST, &der)),
            key_sm3: hex::encode(sm3(&token.public_key().to_spki_der())),
        };
        let store = &world.stopping.store;
        let [key] = store
            .keys_of_order(&order_id(1))
            .await
            .unwrap()
            .try_into()
            .unwrap();
        let escrowed = EscrowedKey {
            serial: key.serial.clone(),
            order: key.order.clone(),
            request: key.request.clone(),
        };
        let private = Private {
            reason: reason(),
            csr,
            rejection: None,
            delivery: None,
        };
        let id = RecoveryId::from_random([7; 16]);
        let now = world.platform.now();
        let moved = Recovery::request(id.clone(), vendor(), escrowed, private, &officer("a"), now).unwrap();
        store.save_recovery(&moved).await.unwrap();
        Recovering {
            world,
            token,
            id,
            key,
        }
    }

    async fn approved() -> Recovering {
        Recovering::requested().await.approve().await
    }

    /// A second officer agrees.
    pub async fn approve(self) -> Recovering {
        self.take(&RecoveryCommand::Approve, "b").await;
        self
    }

    async fn take(&self, command: &RecoveryCommand, account: &str) {
        let moved = self
            .recovery()
            .await
            .decide(command, &officer(account), self.world.platform.now())
            .unwrap();
        self.world.stopping.store.save_recovery(&moved).await.unwrap();
    }

    async fn recovery(&self) -> Recovery {
        self.world.stopping.store.recovery(&self.id).await.unwrap()
    }

    /// Delivers the errand to a new process.
    pub async fn recover(&self) -> Result<(), BatchError> {
        let recovery = self.id.clone();
        let errand = Errand {
            order: order_id(1),
            version: 2,
            seq: 0,
            effect: Effect::RecoverKey { recovery },
        };
        Issuing::new(App::new(self.world.platform.clone()))
            .errand(errand)
            .await
    }

    /// Asserts that the key is delivered to the new token and to no other.
    pub async fn assert_delivered(&self) {
        let recovery = self.recovery().await;
        assert_eq!(recovery.state, RecoveryState::Recovered);
        let delivery = recovery.private.unwrap().delivery.unwrap();
        let certificate = Certificate::from_pem(&delivery.encryption_certificate).unwrap();
        assert_eq!(certificate.serial_hex(), self.key.serial);
        let enveloped = STANDARD.decode(delivery.enveloped_key).unwrap();
        let enveloped = EnvelopedKey::from_der(&enveloped).unwrap();
        let secret = certificate
            .public_key()
            .unwrap()
            .encrypt(b"an old file", &mut rng())
            .unwrap();
        let key = enveloped.open(&self.token).unwrap();
        assert_eq!(key.decrypt(&secret).unwrap().as_slice(), b"an old file");
        assert!(enveloped.open(&self.world.token).is_err());
    }

    /// Who did what, as the audit trail has it.
    async fn trail(&self) -> Vec<(String, String)> {
        let trail = self
            .world
            .stopping
            .store
            .audit_of(&audit_subject(&order_id(1)))
            .await
            .unwrap();
        let name = self
            .world
            .order(1)
            .await
            .personal
            .map(|personal| personal.form.holder_name().to_owned());
        for entry in &trail {
            let text = format!("{entry:?}");
            assert!(!name.as_ref().is_some_and(|name| text.contains(name)), "{text}");
        }
        trail.into_iter().map(|entry| (entry.by, entry.action)).collect()
    }
}

#[tokio::test]
async fn an_issued_key_stands_in_its_holders_history() {
    let world = World::new().await;
    world.put_unit(1).await;
    world.ask(1).await.unwrap();
    world.ask_anew(1).await.unwrap();
    let serials = world.assert_one_pair(1).await;
    let holder = world
        .platform
        .vault
        .hashes()
        .await
        .unwrap()
        .lookup("holder", unit(1).holder_number());
    let store = &world.stopping.store;
    let [key] = store
        .keys_of_holder(&holder, &vendor())
        .await
        .unwrap()
        .try_into()
        .unwrap();
    assert_eq!(key.serial, serials[1]);
    assert_eq!((key.order, key.is_escrowed), (order_id(1), true));
    assert!(key.not_before < key.not_after);
    assert!(!holder.contains(unit(1).holder_number()));
}

#[tokio::test]
async fn a_key_that_two_officers_want_reaches_the_new_token() {
    let recovering = Recovering::approved().await;
    recovering.recover().await.unwrap();
    recovering.assert_delivered().await;
    let steps = [
        ("a", "recovery.request"),
        ("b", "recovery.approve"),
        ("platform:issue", "recovery.deliver"),
    ];
    assert_eq!(
        recovering.trail().await,
        steps.map(|(by, action)| (by.to_owned(), action.to_owned()))
    );
}

#[tokio::test]
async fn the_same_errand_again_changes_nothing() {
    let recovering = Recovering::approved().await;
    recovering.recover().await.unwrap();
    let before = recovering.recovery().await;
    recovering.recover().await.unwrap();
    assert_eq!(recovering.recovery().await, before);
    assert_eq!(recovering.trail().await.len(), 3);
}

#[tokio::test]
async fn a_run_that_stops_anywhere_is_completed_by_the_next() {
    for stop in [Stop::BeforeDeliver, Stop::AfterDeliver] {
        let recovering = Recovering::approved().await;
        recovering.world.stopping.stop_at(stop);
        recovering.recover().await.unwrap_err();
        for _ in 0..2 {
            recovering.recover().await.unwrap();
        }
        recovering.assert_delivered().await;
        assert_eq!(recovering.trail().await.len(), 3, "{stop:?}");
    }
}

#[tokio::test]
async fn escrow_stays_shut_without_a_second_officer_and_after_a_no() {
    let recovering = Recovering::requested().await;
    recovering.recover().await.unwrap();
    assert_eq!(recovering.recovery().await.state, RecoveryState::Requested);
    recovering.take(&RecoveryCommand::Approve, "b").await;
    recovering.take(&RecoveryCommand::Reject(reason()), "c").await;
    recovering.recover().await.unwrap();
    let recovery = recovering.recovery().await;
    assert_eq!(recovery.state, RecoveryState::Rejected);
    assert!(recovery.private.unwrap().delivery.is_none());
}

#[tokio::test]
async fn an_approval_that_is_too_old_opens_nothing() {
    let recovering = Recovering::requested().await;
    let approved = recovering.recovery().await;
    let moved = approved
        .decide(&RecoveryCommand::Approve, &officer("b"), NOW - PATIENCE)
        .unwrap();
    recovering
        .world
        .stopping
        .store
        .save_recovery(&moved)
        .await
        .unwrap();
    recovering.recover().await.unwrap();
    let recovery = recovering.recovery().await;
    assert_eq!(recovery.state_at(NOW), RecoveryState::Expired);
    assert!(recovery.private.unwrap().delivery.is_none());
}

#[tokio::test]
async fn an_erased_orders_key_is_still_recovered() {
    let recovering = Recovering::approved().await;
    let store = &recovering.world.stopping.store;
    let order = recovering.world.order(1).await;
    // What retention leaves of an order: nothing that names anybody.
    let erased = Order {
        version: order.version + 1,
        personal: None,
        ..order
    };
    let event = yinxin_order::order::Event {
        version: erased.version,
        at: NOW,
        by: Actor::platform("sweep"),
        command: Some(Command::Erase.name()),
        from: Some(erased.state),
        to: erased.state,
        postings: Vec::new(),
        ticket: None,
    };
    store.save(&erased, &event, &[], &[]).await.unwrap();
    assert!(recovering.world.order(1).await.personal.is_none());
    recovering.recover().await.unwrap();
    recovering.assert_delivered().await;
}

#[tokio::test]
async fn a_token_that_does_not_prove_its_key_gets_nothing() {
    // Another key signed than the one that is asked for.
    let recovering = Recovering::requested_with(|csr| {
        let mut der = pem::decode_one(pem::CERTIFICATE_REQUEST, &csr).unwrap();
        let last = der.len() - 1;
        der[last] ^= 1;
        pem::encode(pem::CERTIFICATE_REQUEST, &der)
    })
    .await;
    recovering.take(&RecoveryCommand::Approve, "b").await;
    recovering.recover().await.unwrap_err();
    assert_eq!(recovering.recovery().await.state, RecoveryState::Approved);
}

#[tokio::test]
async fn a_record_of_another_certificate_is_not_opened() {
    let recovering = Recovering::approved().await;
    let world = &recovering.world;
    world.put_unit(2).await;
    world.ask(2).await.unwrap();
    // Somebody swaps the records in the table: what is sealed says whose it is.
    let other = Issuances::find(world.stopping.as_ref(), &world.request(2).await)
        .await
        .unwrap()
        .unwrap();
    world.stopping.store.swap_issuance(&recovering.key.request, other);
    recovering.recover().await.unwrap_err();
    assert_eq!(recovering.recovery().await.state, RecoveryState::Approved);
}
