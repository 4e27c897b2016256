//! Simulated payment histories: seeded, with everything going wrong that may; after each the money adds up.
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use time::{Date, Duration, OffsetDateTime};
use tower::ServiceExt as _;
use yinxin_lambda::Platform;
use yinxin_lambda::serve::{Batch as _, router_of};
use yinxin_order::command::{Actor, Command};
use yinxin_order::form::ApplicationForm;
use yinxin_order::form::sample::unit;
use yinxin_order::identifiers::china_date;
use yinxin_order::order::Order;
use yinxin_order::payment::{Payment, Provider};
use yinxin_order::sample::{PRICE_FEN, event_of, order_in};
use yinxin_order::state::State;
use yinxin_payment::reconcile::Report;
use yinxin_payment::{App, Cashier, Errands, routes};
use yinxin_providers::payments::{Notification, RefundState};
use yinxin_store::ledger::Ledger as _;
use yinxin_store::memory::MemoryStore;
use yinxin_store::memory::saves::InterruptedSaves;
use yinxin_store::orders::{Errand, Orders as _};
use yinxin_store::{Claim, advance};
use yinxin_sweep::Sweep;

use crate::tables::{ANSWER_LOST, THROTTLED, Tables, Trouble};
use crate::till::{Fault, Till};
use crate::world::{InboxFault, Letters, NOW, SEED, World};

const HISTORIES: u64 = 10_000;
const STEPS: u32 = 40;
/// So often a queue delivers before it gives up; what is given up, `sweep` asks for again.
const RECEIVES: u8 = 5;

/// `SplitMix64`.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % sides
    }

    /// The place of something in a list of `length`, which is not empty.
    fn place(&mut self, length: usize) -> usize {
        usize::try_from(self.roll(length as u64)).unwrap()
    }
}

/// What must have happened in some history: otherwise the faults are too tame.
#[derive(Debug, Default)]
struct Seen(BTreeSet<&'static str>);

/// A message of a queue, and how often it was delivered.
struct Message<T>(T, u8);

struct History<'a> {
    dice: Dice,
    seen: &'a mut Seen,
    store: Arc<MemoryStore>,
    tables: Arc<Tables>,
    till: Till,
    letters: Arc<Letters>,
    app: App,
    router: Router,
    clock: Arc<Mutex<OffsetDateTime>>,
    token: String,
    /// Codes that the applicant has seen.
    codes: Vec<String>,
    /// Notifications that the providers will send.
    post: Vec<Notification>,
    errands: Vec<Message<Errand>>,
    kept: Vec<Message<serde_json::Value>>,
}

impl<'a> History<'a> {
    async fn begin(seed: u64, happenings: &'a mut Seen, form: &ApplicationForm) -> History<'a> {
        let store = Arc::new(MemoryStore::default());
        let clock = Arc::new(Mutex::new(NOW));
        let now = Arc::clone(&clock);
        let tables = Arc::new(Tables::default());
        let mut platform = Platform::in_memory(&store, Arc::new(move || *now.lock().unwrap()));
        platform.orders = Arc::new(InterruptedSaves::new(store.clone(), tables.clone()));
        let order = order_in(State::AwaitingPayment, SEED, form.clone(), NOW);
        // The sample has paid nothing yet: its journey starts one attempt only where it goes further.
        assert!(order.payments.is_empty());
        let event = event_of(&order, NOW);
        let number = order.number.clone().unwrap();
        store
            .create(&order, &event, &[Claim::Number(number)])
            .await
            .unwrap();
        let (till, letters) = (Till::default(), Arc::<Letters>::default());
        let app = App {
            cashier: Cashier::of(till.gateway(Provider::Alipay), till.gateway(Provider::Wechat)),
            inbox: letters.clone(),
            platform,
        };
        let hashes = app.platform.vault.hashes().await.unwrap();
        History {
            dice: Dice(seed),
            seen: happenings,
            token: hashes.access_token(&World::id()),
            router: router_of(routes(app.clone())),
            store,
            tables,
            till,
            letters,
            app,
            clock,
            codes: Vec::new(),
            post: Vec::new(),
            errands: Vec::new(),
            kept: Vec::new(),
        }
    }

    fn now(&self) -> OffsetDateTime {
        *self.clock.lock().unwrap()
    }

    async fn order(&self) -> Order {
        self.store.load(&World::id()).await.unwrap()
    }

    fn fault(&mut self) {
        let fault = match self.dice.roll(8) {
            0 => Fault::Down,
            1 => Fault::AnswerLost,
            2 => Fault::SystemError,
            _ => Fault::None,
        };
        if fault != Fault::None {
            let calls = self.dice.roll(3);
            let mut inner = self.till.inner();
            inner
                .faults
                .extend((0..calls).map(|_| Fault::None).chain([fault]));
        }
        let trouble = match self.dice.roll(16) {
            0 => Trouble::Throttled,
            1 => Trouble::AnswerLost,
            _ => return,
        };
        self.tables.troubles.lock().unwrap().push_back(trouble);
    }

    async fn step(&mut self) {
        self.fault();
        match self.dice.roll(20) {
            0..=2 => self.start_to_pay().await,
            3..=5 => self.pay(),
            6..=8 => self.deliver().await,
            9..=12 => self.run_an_errand().await,
            13 | 14 => self.open_a_letter().await,
            15 | 16 => {
                let minutes = i64::try_from(self.dice.roll(90)).unwrap();
                *self.clock.lock().unwrap() += Duration::minutes(minutes);
                self.sweep().await;
            }
            17 => self.settle(),
            18 if self.dice.roll(3) == 0 => self.command().await,
            _ => self.choose_a_refund(),
        }
        let errands = self.store.take_errands();
        self.errands
            .extend(errands.into_iter().map(|errand| Message(errand, 0)));
    }

    async fn start_to_pay(&mut self) {
        let provider = Provider::ALL[self.dice.place(2)];
        let key = format!("the key of a call {:020}", self.dice.roll(u64::MAX));
        let request = Request::post(format!("/api/orders/{}/payments", World::id()))
            .header("authorization", format!("Bearer {}", self.token))
            .header("content-type", "application/json")
            .header("idempotency-key", key)
            .body(Body::from(format!(r#"{{"provider":"{}"}}"#, provider.as_str())))
            .unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        if response.status() != 201 {
            self.seen.0.insert("no code was given");
            return;
        }
        let body = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
        let code: serde_json::Value = serde_json::from_slice(&body).unwrap();
        let number = code["out_trade_no"].as_str().unwrap().to_owned();
        if !self.codes.contains(&number) {
            self.codes.push(number);
        }
        let open = self
            .order()
            .await
            .payments
            .iter()
            .filter(|payment| payment.is_open())
            .count();
        if open > 1 {
            self.seen.0.insert("two codes could be scanned");
        }
    }

    /// Whoever has a code pays, also one that is old.
    fn pay(&mut self) {
        if self.codes.is_empty() {
            return;
        }
        let number = self.codes[self.dice.place(self.codes.len())].clone();
        // No provider takes another amount than was asked for; if one did, the money would be real all the same.
        let fen = (self.dice.roll(40) == 0).then_some(PRICE_FEN - 1);
        if let Some(told) = self.till.pay(&number, fen, self.now()) {
            self.seen.0.insert("a payment");
            if fen.is_some() {
                self.seen.0.insert("another amount was paid");
            }
            if self
                .till
                .inner()
                .trades
                .values()
                .filter(|trade| trade.paid.is_some())
                .count()
                > 1
            {
                self.seen.0.insert("a second payment");
            }
            self.post.push(told);
        }
    }

    /// One notification comes, whichever, however.
    async fn deliver(&mut self) {
        if self.post.is_empty() {
            return;
        }
        let place = self.dice.place(self.post.len());
        let mut told = self.post[place].clone();
        let (mut signature, mut stays) = ("good", false);
        match self.dice.roll(12) {
            0 => {
                self.seen.0.insert("a notification was dropped");
                self.post.remove(place);
                return;
            }
            1 | 2 => stays = true,
            3 => (signature, stays) = ("another key", true),
            4 => (signature, stays) = ("app", true),
            5 => (signature, stays) = ("probe", true),
            6 => {
                if let Notification::Paid { paid, .. } = &mut told {
                    paid.amount_fen = 1;
                    self.seen.0.insert("a notification named another amount");
                }
            }
            7 => *self.letters.fault.lock().unwrap() = InboxFault::Refuses,
            _ => {}
        }
        let provider = Provider::ALL[usize::from(!self.is_alipays(&told))];
        let request = Request::post(format!("/api/notify/{}", provider.as_str()))
            .header("content-type", "text/plain")
            .header("signature", signature)
            .body(Body::from(serde_json::to_vec(&told).unwrap()))
            .unwrap();
        let status = self.router.clone().oneshot(request).await.unwrap().status();
        *self.letters.fault.lock().unwrap() = InboxFault::None;
        assert!(
            signature == "good" || status == 400,
            "{signature} was answered with {status}"
        );
        // What is not answered with success comes again.
        if status.is_success() && !stays {
            self.post.remove(place);
        }
        let kept = std::mem::take(&mut *self.letters.kept.lock().unwrap());
        let bodies = kept.iter().map(|letter| serde_json::to_value(letter).unwrap());
        self.kept.extend(bodies.map(|body| Message(body, 0)));
    }

    fn is_alipays(&self, told: &Notification) -> bool {
        let (Notification::Paid { out_trade_no, .. }
        | Notification::Refund { out_trade_no, .. }
        | Notification::Other { out_trade_no }) = told;
        self.till.inner().trades[out_trade_no].provider == Provider::Alipay
    }

    async fn run_an_errand(&mut self) {
        if self.errands.is_empty() {
            return;
        }
        let place = self.dice.place(self.errands.len());
        let errand = self.errands[place].0.clone();
        let done = match errand.effect.queue() {
            yinxin_order::Queue::Payment => Errands::new(self.app.clone()).errand(errand).await.is_ok(),
            _ => true,
        };
        self.errands[place].1 += 1;
        // A queue may deliver what was done once more.
        let again = self.dice.roll(6) == 0;
        if (done && !again) || self.errands[place].1 >= RECEIVES {
            self.errands.swap_remove(place);
        }
        if !done {
            self.seen.0.insert("an errand failed");
        }
    }

    async fn open_a_letter(&mut self) {
        if self.kept.is_empty() {
            return;
        }
        let place = self.dice.place(self.kept.len());
        let body = self.kept[place].0.clone();
        let done = Errands::new(self.app.clone()).message(body).await.is_ok();
        self.kept[place].1 += 1;
        if (done && self.dice.roll(6) != 0) || self.kept[place].1 >= RECEIVES {
            self.kept.swap_remove(place);
        }
    }

    async fn sweep(&self) {
        // What fails is tried by the next run.
        Sweep::new(self.app.platform.clone()).run(self.now()).await.ok();
    }

    /// Refunds that wait come to an end, or to a stop.
    fn settle(&mut self) {
        let state = match self.dice.roll(4) {
            0 => RefundState::Abnormal,
            1 => RefundState::Closed,
            _ => self.done(),
        };
        let told = self.till.settle(state);
        self.post.extend(told);
    }

    fn done(&self) -> RefundState {
        RefundState::Done {
            amount_fen: 0,
            at: Some(self.now()),
        }
    }

    fn choose_a_refund(&mut self) {
        let next = match self.dice.roll(4) {
            0 => RefundState::Abnormal,
            1 => RefundState::Closed,
            _ => RefundState::Processing,
        };
        self.till.inner().refunds.push_back(next);
    }

    /// People act.
    async fn command(&mut self) {
        let state = self.order().await.state;
        let command = match (state, self.dice.roll(4)) {
            (State::AwaitingPayment | State::AwaitingCorrection | State::AwaitingReview, 0) => {
                Command::Cancel
            }
            (State::AwaitingPayment, 1) => Command::Expire,
            (State::AwaitingReview, 1) => Command::Approve,
            (State::AwaitingReview, 2) => Command::Reject {
                reason: "资料不清晰".to_owned(),
            },
            _ => return,
        };
        if matches!(command, Command::Cancel | Command::Expire) {
            self.seen.0.insert("an order ended");
        }
        let now = self.now();
        advance(
            self.store.as_ref(),
            &World::id(),
            &command,
            &Actor::Applicant,
            now,
        )
        .await
        .unwrap();
    }

    /// The faults end, and the platform does what it owes; notifications that are still out never come.
    async fn come_to_rest(&mut self) {
        {
            let mut inner = self.till.inner();
            inner.faults.clear();
            inner.refunds.clear();
            self.tables.troubles.lock().unwrap().clear();
        }
        for _ in 0..2_000 {
            let errands = self.store.take_errands();
            self.errands
                .extend(errands.into_iter().map(|errand| Message(errand, 0)));
            for Message(body, _) in std::mem::take(&mut self.kept) {
                Errands::new(self.app.clone()).message(body).await.unwrap();
            }
            for Message(errand, _) in std::mem::take(&mut self.errands) {
                if errand.effect.queue() == yinxin_order::Queue::Payment {
                    Errands::new(self.app.clone()).errand(errand).await.unwrap();
                }
            }
            self.till.settle(self.done());
            let order = self.order().await;
            if !order
                .payments
                .iter()
                .any(|payment| payment.is_open() || payment.owes())
            {
                return;
            }
            *self.clock.lock().unwrap() += Duration::minutes(30);
            self.sweep().await;
        }
        panic!("the platform does not come to rest: {:?}", self.order().await);
    }

    async fn check(&mut self, seed: u64) {
        self.seen.0.extend(self.tables.met.lock().unwrap().iter());
        let order = self.order().await;
        let ledger = order.ledger();
        let (mut paid, mut refunded) = (0, 0);
        for (number, trade) in &self.till.inner().trades {
            let of_trade = trade.paid.as_ref().map_or(0, |paid| paid.amount_fen);
            let back = trade.refunded_fen();
            assert!(
                back == 0 || back == of_trade,
                "seed {seed}: {number} got back {back} of {of_trade}"
            );
            paid += of_trade;
            refunded += back;
        }
        assert_eq!(ledger.received, paid, "seed {seed}: paid and lost");
        assert_eq!(ledger.refunded, refunded, "seed {seed}: the refunds");
        assert_eq!(ledger.refund_due, 0, "seed {seed}: a refund is forgotten");
        assert_eq!(
            paid,
            ledger.kept() + refunded,
            "seed {seed}: money in is kept or went back"
        );
        let served = matches!(
            order.state,
            State::AwaitingReview | State::AwaitingCorrection | State::AwaitingPersonalisation
        );
        let due = if served { PRICE_FEN } else { 0 };
        assert_eq!(
            ledger.kept(),
            due,
            "seed {seed}: {:?} keeps something else",
            order.state
        );
        if refunded > 0 {
            self.seen.0.insert("a refund");
        }
        if order
            .payments
            .iter()
            .filter_map(|payment| payment.refund)
            .any(|refund| refund.number > 1)
        {
            self.seen.0.insert("a refund under a second number");
        }
        if !order.flags.is_empty() {
            self.seen.0.insert("a flag");
        }
        assert!(order.payments.iter().all(|payment: &Payment| !payment.is_open()));
        self.bills_agree(seed).await;
    }

    /// The bills of all days say what the ledger says.
    async fn bills_agree(&self, seed: u64) {
        let (first, last) = (china_date(NOW), china_date(self.now()));
        let mut day: Date = first;
        while day <= last {
            let after = day.midnight().assume_utc() + Duration::hours(24 + 8);
            self.app.reconcile(after).await.unwrap();
            for provider in Provider::ALL {
                let report = self.store.report(provider, day).await.unwrap().unwrap();
                let report: Report = serde_json::from_str(&report).unwrap();
                assert_eq!(report.differences, [], "seed {seed}: {day}");
                assert_eq!(report.bill, report.ledger, "seed {seed}: {day}");
            }
            day = day.next_day().unwrap();
        }
    }
}

#[tokio::test]
async fn ten_thousand_histories_lose_no_money_and_charge_nobody_twice() {
    let mut seen = Seen::default();
    let form = unit(SEED);
    for seed in 0..HISTORIES {
        let mut history = History::begin(seed, &mut seen, &form).await;
        for _ in 0..STEPS {
            history.step().await;
        }
        history.come_to_rest().await;
        history.check(seed).await;
    }
    for happening in [
        "a payment",
        "a second payment",
        "another amount was paid",
        "a notification was dropped",
        "a notification named another amount",
        "an errand failed",
        "no code was given",
        "two codes could be scanned",
        "an order ended",
        "a refund",
        "a refund under a second number",
        "a flag",
        THROTTLED,
        ANSWER_LOST,
    ] {
        assert!(seen.0.contains(happening), "never: {happening}");
    }
}
