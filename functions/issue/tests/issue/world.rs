//! A vendor with a CA, orders whose requests lie with it, and the function.
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use time::format_description::well_known::Rfc3339;
use time::macros::datetime;
use time::{Duration, OffsetDateTime};
use yinxin_ca::{CertificateAuthority, ceremony};
use yinxin_issue::authority::{Authority, StoredAuthority};
use yinxin_issue::{App, Issuing};
use yinxin_lambda::Platform;
use yinxin_lambda::serve::{Batch as _, BatchError};
use yinxin_order::command::{Actor, Command, CommandName};
use yinxin_order::effect::{Effect, Sealed};
use yinxin_order::form::ApplicationForm;
use yinxin_order::issuance::{Certificates, SubmittedCsr, WrittenToken};
use yinxin_order::order::Order;
use yinxin_order::parcel::Parcel;
use yinxin_order::revocation::RevocationReason;
use yinxin_order::sample::{event_of, moved, order_id, order_in, vendor};
use yinxin_order::state::State;
use yinxin_pki::chain::{is_pair, verify_chain};
use yinxin_pki::crl::Crl;
use yinxin_pki::csr::CsrBuilder;
use yinxin_pki::ocsp::{CertStatus, OcspResponse};
use yinxin_pki::{Certificate, EnvelopedKey, Name, SigningKey, pem, sm3};
use yinxin_store::advance;
use yinxin_store::issuances::Issuances as _;
use yinxin_store::memory::MemoryStore;
use yinxin_store::memory::saves::InterruptedSaves;
use yinxin_store::orders::{Errand, Orders as _};
use yinxin_store::publications::{Publication, Publications as _};
use yinxin_store::statuses::{CertificateStatus, RevocationLists as _, Statuses as _};
use yinxin_store::vault::{MemoryVault, Purpose, Vault as _, rng};

use crate::stopping::Stopping;

pub const NOW: OffsetDateTime = datetime!(2026-04-07 02:00 UTC);

pub struct World {
    pub stopping: Arc<Stopping>,
    pub platform: Platform,
    app: App,
    clock: Arc<AtomicI64>,
    /// The key in the UKey.
    pub token: SigningKey,
}

impl World {
    /// A world whose vendor of the samples has a CA.
    pub async fn new() -> World {
        let world = World::without_authority();
        let vendor = vendor();
        let made = ceremony::init(vendor.as_str(), "样例电子认证有限公司", NOW, &mut rng()).unwrap();
        let key = MemoryVault
            .new_data_key(Purpose::Authority, vendor.as_str())
            .await
            .unwrap();
        let stored = StoredAuthority::seal(vendor.as_str(), &made, &key).unwrap();
        let json = serde_json::to_string(&stored).unwrap();
        assert!(
            world
                .stopping
                .put_authority(vendor.as_str(), &json)
                .await
                .unwrap()
        );
        world
    }

    pub fn without_authority() -> World {
        let store = Arc::new(MemoryStore::default());
        let stopping = Arc::new(Stopping::new(store.clone()));
        let clock = Arc::new(AtomicI64::new(NOW.unix_timestamp()));
        let shown = clock.clone();
        let now = move || OffsetDateTime::from_unix_timestamp(shown.load(Ordering::Relaxed)).unwrap();
        let mut platform = Platform::in_memory(&store, Arc::new(now));
        platform.issuances = stopping.clone();
        platform.orders = Arc::new(InterruptedSaves::new(store.clone(), stopping.clone()));
        platform.statuses = stopping.clone();
        platform.lists = stopping.clone();
        platform.publications = stopping.clone();
        platform.recoveries = stopping.clone();
        platform.key_history = stopping.clone();
        World {
            stopping,
            app: App::new(platform.clone()),
            platform,
            clock,
            token: SigningKey::generate(&mut rng()),
        }
    }

    /// An order of `seed` whose request, for `subject`, lies with the CA.
    pub fn order_asking_for(&self, seed: u32, form: ApplicationForm, subject: &Name) -> Order {
        let approved = order_in(State::AwaitingPersonalisation, seed, form, NOW);
        let der = CsrBuilder::new(subject, self.token.public_key())
            .sign_with(|info| self.token.sign(info))
            .unwrap();
        let csr = SubmittedCsr {
            pem: pem::encode(pem::CERTIFICATE_REQUEST, &der),
            key_sm3: hex::encode(sm3(&self.token.public_key().to_spki_der())),
        };
        moved(&approved, &Command::SubmitCsr { csr }, NOW).order
    }

    /// The same with the form's own subject, put into the store.
    pub async fn put_unit(&self, seed: u32) {
        let form = yinxin_order::form::sample::unit(seed);
        let subject = Name::unit(form.holder_name(), None).unwrap();
        self.put(&self.order_asking_for(seed, form, &subject)).await;
    }

    pub async fn put(&self, order: &Order) {
        let event = event_of(order, NOW);
        self.stopping.store.create(order, &event, &[]).await.unwrap();
    }

    pub async fn order(&self, seed: u32) -> Order {
        self.stopping.store.load(&order_id(seed)).await.unwrap()
    }

    /// The name under which the request of an order is recorded.
    pub async fn request(&self, seed: u32) -> String {
        let order = self.order(seed).await;
        let csr = order.personal.unwrap().csr.unwrap();
        format!("{}#{}", order.id, csr.key_sm3)
    }

    pub fn errand(seed: u32) -> Errand {
        Errand {
            order: order_id(seed),
            version: 9,
            seq: 0,
            effect: Effect::AskCa,
        }
    }

    /// A vendor whose CA answers in steps and takes its time, under a data key.
    pub async fn keep(&self, ca: Arc<dyn CertificateAuthority>) {
        let vendor = vendor();
        let key = MemoryVault
            .new_data_key(Purpose::Authority, vendor.as_str())
            .await
            .unwrap();
        let authority = Authority {
            ca,
            soft: None,
            chain: Vec::new(),
            key,
        };
        self.app.keep(vendor, authority).await;
    }

    /// The function as a process has it that ran before.
    pub fn function(&self) -> Issuing {
        Issuing::new(self.app.clone())
    }

    /// Delivers the errand of an order.
    pub async fn ask(&self, seed: u32) -> Result<(), BatchError> {
        self.function().errand(World::errand(seed)).await
    }

    /// Delivers it to a new process, which remembers nothing.
    pub async fn ask_anew(&self, seed: u32) -> Result<(), BatchError> {
        Issuing::new(App::new(self.platform.clone()))
            .errand(World::errand(seed))
            .await
    }

    /// Asserts that the order has exactly one pair, the recorded one, which fits the UKey; answers with its
    /// serial numbers.
    pub async fn assert_one_pair(&self, seed: u32) -> [String; 2] {
        let order = self.order(seed).await;
        assert_eq!(order.state, State::AwaitingWriting);
        let form = order.personal.as_ref().unwrap().form.clone();
        let issued = order.personal.unwrap().certificates.unwrap();
        let serials = self.check(&issued, &form);
        let events = self.stopping.store.events(&order_id(seed)).await.unwrap();
        let recorded = events
            .iter()
            .filter(|event| event.command == Some(CommandName::RecordCertificates));
        assert_eq!(recorded.count(), 1);
        serials
    }

    /// The command by which an officer revokes.
    pub fn revocation() -> Command {
        Command::Revoke {
            reason: RevocationReason::KeyCompromise,
            invalidity_date: Some(NOW - Duration::days(2)),
        }
    }

    /// Moves an order; answers with what it asks for.
    pub async fn move_order(&self, seed: u32, command: &Command) -> Vec<Effect> {
        self.stopping.store.take_errands();
        let by = Actor::platform("a test");
        advance(
            self.stopping.store.as_ref(),
            &order_id(seed),
            command,
            &by,
            self.platform.now(),
        )
        .await
        .unwrap();
        let errands = self.stopping.store.take_errands();
        errands.into_iter().map(|errand| errand.effect).collect()
    }

    /// Leads an order with certificates to its end.
    pub async fn complete(&self, seed: u32) {
        let order = self.order(seed).await;
        let issued = order.personal.unwrap().certificates.unwrap();
        let written = WrittenToken {
            token_serial: "3A0000000001".to_owned(),
            signing_certificate_sm3: issued.signing_certificate_sm3,
            encryption_certificate_sm3: issued.encryption_certificate_sm3,
            report: "report".to_owned(),
        };
        let parcel = Parcel::new("ems", "EM000000001CN");
        let password = Sealed("sealed".to_owned());
        for command in [
            Command::ConfirmWritten { written, password },
            Command::Dispatch { parcel },
            Command::ConfirmReceipt,
        ] {
            self.move_order(seed, &command).await;
        }
    }

    /// Delivers the errand of a revocation to a new process.
    pub async fn revoke(&self, seed: u32) -> Result<(), BatchError> {
        let errand = Errand {
            effect: Effect::RevokeCertificates,
            ..World::errand(seed)
        };
        Issuing::new(App::new(self.platform.clone())).errand(errand).await
    }

    pub fn turn_clock_to(&self, at: OffsetDateTime) {
        self.clock.store(at.unix_timestamp(), Ordering::Relaxed);
    }

    /// The schedule's event, now.
    pub async fn tick(&self) -> Result<(), BatchError> {
        let time = self.platform.now().format(&Rfc3339).unwrap();
        self.function().schedule(&json!({"time": time})).await
    }

    pub async fn statuses(&self, seed: u32) -> Vec<CertificateStatus> {
        self.stopping.store.of_order(&order_id(seed)).await.unwrap()
    }

    /// The list that readers get, verified with the key of the CA.
    pub async fn list(&self, seed: u32) -> Crl {
        let key = self.statuses(seed).await[0].list();
        let store = &self.stopping.store;
        let published = store.published(&key).await.unwrap().unwrap();
        let object = Publication::List(key.clone(), published.number);
        let list = Crl::from_der(&store.get(&object).await.unwrap().unwrap()).unwrap();
        list.verify_signature(self.issuing(&key.authority).await.key())
            .unwrap();
        assert_eq!(list.this_update(), published.this_update);
        assert_eq!(list.next_update(), Some(published.next_update));
        assert_eq!(
            list.number(),
            Some(&[u8::try_from(published.number).unwrap()][..])
        );
        list
    }

    async fn issuing(&self, authority: &str) -> Certificate {
        let object = Publication::Authority(authority.to_owned());
        let der = self.stopping.store.get(&object).await.unwrap().unwrap();
        Certificate::from_der(&der).unwrap()
    }

    /// Asserts that the answers about a certificate, to each way of asking, say this and bear the CA's signature.
    pub async fn assert_answers(&self, status: &CertificateStatus, wanted: CertStatus) {
        let issuing = self.issuing(&status.key.authority).await;
        let answers = status.answers.as_ref().unwrap();
        assert_eq!(answers.by_hash.len(), 3);
        for der in answers.by_hash.values() {
            let answer = OcspResponse::from_der(der).unwrap().basic.unwrap();
            answer.verify_signature(issuing.key()).unwrap();
            assert!(answer.responder().names(&issuing));
            let serial = hex::decode(&status.key.serial).unwrap();
            let single = answer.find(&issuing, &serial).unwrap();
            assert_eq!(single.status, wanted);
            assert_eq!(single.this_update, answers.this_update);
            assert_eq!(single.next_update, Some(answers.next_update));
        }
    }

    /// Asserts that the order's certificates are good for everybody who asks.
    pub async fn assert_good(&self, seed: u32) {
        let statuses = self.statuses(seed).await;
        assert_eq!(statuses.len(), 2);
        for status in &statuses {
            self.assert_answers(status, CertStatus::Good).await;
        }
        assert!(self.list(seed).await.entries().is_empty());
    }

    fn check(&self, issued: &Certificates, form: &ApplicationForm) -> [String; 2] {
        let signing = Certificate::from_pem(&issued.signing_certificate).unwrap();
        let encryption = Certificate::from_pem(&issued.encryption_certificate).unwrap();
        let chain: Vec<_> = issued
            .chain
            .iter()
            .map(|pem| Certificate::from_pem(pem).unwrap())
            .collect();
        assert!(is_pair(&signing, &encryption));
        for certificate in [&signing, &encryption] {
            verify_chain(certificate, &chain, self.platform.now()).unwrap();
            assert_eq!(certificate.subject().common_name(), Some(form.holder_name()));
        }
        assert_eq!(signing.public_key(), Some(self.token.public_key()));
        let envelope = STANDARD.decode(&issued.enveloped_key).unwrap();
        let key = EnvelopedKey::from_der(&envelope)
            .unwrap()
            .open(&self.token)
            .unwrap();
        assert_eq!(Some(key.public_key()), encryption.public_key());
        assert_eq!(issued.signing_certificate_sm3, hex::encode(sm3(signing.as_der())));
        assert_eq!(
            issued.encryption_certificate_sm3,
            hex::encode(sm3(encryption.as_der()))
        );
        [signing.serial_hex(), encryption.serial_hex()]
    }
}
