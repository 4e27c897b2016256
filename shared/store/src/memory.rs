//! The in-memory twin of the stores: for tests of handlers in process. The same contract suite runs on both.
use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Mutex, MutexGuard};

use async_trait::async_trait;
use time::{Date, Duration, OffsetDateTime};
use yinxin_order::effect::Effect;
use yinxin_order::identifiers::{OrderId, OrderNumber, VendorId};
use yinxin_order::order::{Event, Order};
use yinxin_order::payment::{Posting, Provider};
use yinxin_order::recovery::Recovery;
use yinxin_order::state::State;

use crate::audits::AuditEntry;
use crate::catalog::{Catalog, Vendor};
use crate::claims::{Claim, Idempotency};
use crate::codes::{AccountUse, CodeKey, CodeRefusal, Codes, MobileUse, SecretKept, StoredCode};
use crate::documents::{Announced, Documents, InvoiceKey, UploadKey, UploadPermission};
use crate::error::StoreError;
use crate::intakes::{Intake, Intakes};
use crate::issuances::{Issuance, Issuances};
use crate::key_history::KeyEntry;
use crate::orders::{Errand, OrderSummary, Orders, Page};
use crate::provider_states::ProviderState;

mod authorities;
mod checks;
mod deliveries;
mod ledger;
mod provider_states;
mod recoveries;
pub mod saves;
mod statuses;

/// All stores in one process's memory.
#[derive(Default)]
pub struct MemoryStore {
    inner: Mutex<Inner>,
    /// How long personal data stays after an order ended.
    pub retention: Duration,
}

#[derive(Default)]
struct Inner {
    orders: BTreeMap<String, (Order, Vec<Event>)>,
    numbers: HashMap<String, OrderId>,
    idempotency: HashMap<String, Idempotency>,
    errands: Vec<Errand>,
    codes: HashMap<String, StoredCode>,
    mobiles: HashMap<String, MobileUse>,
    accounts: HashMap<String, AccountUse>,
    deliveries: deliveries::Known,
    checks: checks::Known,
    issuances: HashMap<String, Issuance>,
    serials: HashSet<String>,
    authorities: HashMap<String, String>,
    trust_lists: HashMap<String, String>,
    audits: Vec<AuditEntry>,
    recoveries: HashMap<String, Recovery>,
    keys: HashMap<String, KeyEntry>,
    vendors: BTreeMap<String, Vendor>,
    systems: HashMap<String, String>,
    intakes: HashMap<String, Intake>,
    objects: HashMap<String, Vec<u8>>,
    provider_states: HashMap<String, ProviderState>,
    shards: statuses::Shards,
    postings: Vec<Posting>,
    reports: HashMap<(Provider, Date), String>,
}

impl MemoryStore {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        // A test that panicked while it held the lock has failed anyway.
        self.inner
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Takes the errands that nobody carried yet.
    pub fn take_errands(&self) -> Vec<Errand> {
        std::mem::take(&mut self.inner().errands)
    }

    /// Puts bytes where an upload would arrive.
    pub fn arrive(&self, key: &UploadKey, bytes: Vec<u8>) {
        self.inner().objects.insert(key.arrival(), bytes);
    }

    /// Puts another record in the place of a request's, as somebody who writes to the table could.
    pub fn swap_issuance(&self, request: &str, other: Issuance) {
        self.inner().issuances.insert(request.to_owned(), other);
    }

    /// What is kept of an upload.
    pub fn kept(&self, key: &UploadKey) -> Option<Vec<u8>> {
        self.inner().objects.get(&key.kept()).cloned()
    }
}

impl Inner {
    fn take_claims(&mut self, order: &Order, claims: &[Claim]) -> Result<(), StoreError> {
        for claim in claims {
            let free = match claim {
                Claim::Number(number) => !self.numbers.contains_key(number.as_str()),
                Claim::Idempotency(idempotency) => !self.idempotency.contains_key(&idempotency.key),
                Claim::Code(code) => self.codes.get(&code.as_key()).is_some_and(|code| !code.used),
            };
            if !free {
                return Err(StoreError::Claimed(claim.name()));
            }
        }
        for claim in claims {
            match claim {
                Claim::Number(number) => {
                    self.numbers.insert(number.as_str().to_owned(), order.id.clone());
                }
                Claim::Idempotency(idempotency) => {
                    self.idempotency
                        .insert(idempotency.key.clone(), idempotency.clone());
                }
                Claim::Code(key) => {
                    if let Some(code) = self.codes.get_mut(&key.as_key()) {
                        code.used = true;
                    }
                }
            }
        }
        Ok(())
    }
}

#[async_trait]
impl Orders for MemoryStore {
    async fn create(&self, order: &Order, event: &Event, claims: &[Claim]) -> Result<(), StoreError> {
        let mut inner = self.inner();
        if inner.orders.contains_key(order.id.as_str()) {
            return Err(StoreError::Conflict);
        }
        inner.take_claims(order, claims)?;
        inner
            .orders
            .insert(order.id.as_str().to_owned(), (order.clone(), vec![event.clone()]));
        Ok(())
    }

    async fn save(
        &self,
        order: &Order,
        event: &Event,
        effects: &[Effect],
        claims: &[Claim],
    ) -> Result<(), StoreError> {
        let mut inner = self.inner();
        match inner.orders.get(order.id.as_str()) {
            Some((stored, _)) if stored.version + 1 == order.version => {}
            _ => return Err(StoreError::Conflict),
        }
        inner.take_claims(order, claims)?;
        if let Some((stored, events)) = inner.orders.get_mut(order.id.as_str()) {
            *stored = order.clone();
            events.push(event.clone());
        }
        inner.errands.extend(Errand::of(order, effects));
        inner.postings.extend(event.postings.iter().cloned());
        Ok(())
    }

    async fn load(&self, id: &OrderId) -> Result<Order, StoreError> {
        self.inner()
            .orders
            .get(id.as_str())
            .map(|(order, _)| order.clone())
            .ok_or(StoreError::NotFound)
    }

    async fn find(&self, number: &OrderNumber) -> Result<OrderId, StoreError> {
        self.inner()
            .numbers
            .get(number.as_str())
            .cloned()
            .ok_or(StoreError::NotFound)
    }

    async fn made_before(&self, key: &str) -> Result<Option<Idempotency>, StoreError> {
        Ok(self.inner().idempotency.get(key).cloned())
    }

    async fn waiting(
        &self,
        vendor: &VendorId,
        state: State,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Page<OrderSummary>, StoreError> {
        let inner = self.inner();
        let mut all: Vec<&Order> = inner
            .orders
            .values()
            .map(|(order, _)| order)
            .filter(|order| order.vendor == *vendor && order.state == state)
            .collect();
        all.sort_by_key(|order| (order.entered_at, order.id.as_str()));
        let start = match cursor {
            None => 0,
            Some(cursor) => cursor.parse::<usize>().map_err(|_| StoreError::NotFound)?,
        };
        let items: Vec<_> = all
            .iter()
            .skip(start)
            .take(limit)
            .map(|order| OrderSummary::from(*order))
            .collect();
        let next = start + items.len();
        Ok(Page {
            items,
            cursor: (next < all.len()).then(|| next.to_string()),
        })
    }

    async fn of_intake(&self, intake: &str) -> Result<Vec<Order>, StoreError> {
        let inner = self.inner();
        let mut orders: Vec<Order> = inner
            .orders
            .values()
            .map(|(order, _)| order)
            .filter(|order| order.intake.as_deref() == Some(intake))
            .cloned()
            .collect();
        orders.sort_by_key(|order| order.created_at);
        Ok(orders)
    }

    async fn late(&self, now: OffsetDateTime) -> Result<Vec<OrderId>, StoreError> {
        let inner = self.inner();
        let is_late = |order: &Order| order.due(self.retention).is_some_and(|(at, _)| at <= now);
        Ok(inner
            .orders
            .values()
            .map(|(order, _)| order)
            .filter(|o| is_late(o))
            .map(|o| o.id.clone())
            .collect())
    }

    async fn events(&self, id: &OrderId) -> Result<Vec<Event>, StoreError> {
        Ok(self
            .inner()
            .orders
            .get(id.as_str())
            .map(|(_, events)| events.clone())
            .unwrap_or_default())
    }
}

#[async_trait]
impl Codes for MemoryStore {
    async fn put_captcha(&self, key: &CodeKey, code: &StoredCode) -> Result<(), StoreError> {
        match self.inner().codes.entry(key.as_key()) {
            Entry::Occupied(_) => Err(StoreError::Conflict),
            Entry::Vacant(place) => {
                place.insert(code.clone());
                Ok(())
            }
        }
    }

    async fn mobile_use(&self, mobile: &str) -> Result<MobileUse, StoreError> {
        Ok(self.inner().mobiles.get(mobile).cloned().unwrap_or_default())
    }

    async fn put_sms(
        &self,
        key: &CodeKey,
        code: &StoredCode,
        mobile: &str,
        used: &MobileUse,
        errand: &Errand,
    ) -> Result<(), StoreError> {
        let mut inner = self.inner();
        let before = inner.mobiles.get(mobile).map_or(0, |known| known.revision);
        if before + 1 != used.revision {
            return Err(StoreError::Conflict);
        }
        inner.mobiles.insert(mobile.to_owned(), used.clone());
        inner.codes.insert(key.as_key(), code.clone());
        inner.errands.push(errand.clone());
        Ok(())
    }

    async fn put_memo_secret(
        &self,
        key: &CodeKey,
        code: &StoredCode,
        account: &str,
        today: &str,
    ) -> Result<SecretKept, StoreError> {
        let mut inner = self.inner();
        if inner.codes.contains_key(&key.as_key()) {
            return Ok(SecretKept::Before);
        }
        let used = inner.accounts.get(account).cloned().unwrap_or_default();
        let Some(next) = used.after_one_more(today) else {
            return Ok(SecretKept::DailyLimit);
        };
        inner.accounts.insert(account.to_owned(), next);
        inner.codes.insert(key.as_key(), code.clone());
        Ok(SecretKept::Now)
    }

    async fn count_try(
        &self,
        key: &CodeKey,
        now: OffsetDateTime,
    ) -> Result<Result<String, CodeRefusal>, StoreError> {
        let mut inner = self.inner();
        let Some(code) = inner.codes.get_mut(&key.as_key()) else {
            return Ok(Err(CodeRefusal::Unknown));
        };
        if let Err(refusal) = code.may_be_tried(key, now) {
            return Ok(Err(refusal));
        }
        code.tries += 1;
        Ok(Ok(code.hash.clone()))
    }
}

#[async_trait]
impl Issuances for MemoryStore {
    async fn find(&self, request: &str) -> Result<Option<Issuance>, StoreError> {
        Ok(self.inner().issuances.get(request).cloned())
    }

    async fn record(
        &self,
        request: &str,
        prepared: &str,
        serials: &[String],
    ) -> Result<Issuance, StoreError> {
        let mut inner = self.inner();
        if let Some(known) = inner.issuances.get(request) {
            return Ok(known.clone());
        }
        if serials.iter().any(|serial| inner.serials.contains(serial)) {
            return Err(StoreError::Conflict);
        }
        inner.serials.extend(serials.iter().cloned());
        let issuance = Issuance {
            prepared: prepared.to_owned(),
            issued: None,
        };
        inner.issuances.insert(request.to_owned(), issuance.clone());
        Ok(issuance)
    }

    async fn proceed(&self, request: &str, prepared: &str, next: &str) -> Result<bool, StoreError> {
        let mut inner = self.inner();
        let known = inner.issuances.get_mut(request).ok_or(StoreError::NotFound)?;
        let fits = known.prepared == prepared && known.issued.is_none();
        if fits {
            next.clone_into(&mut known.prepared);
        }
        Ok(fits)
    }

    async fn complete(&self, request: &str, issued: &str) -> Result<String, StoreError> {
        let mut inner = self.inner();
        let known = inner.issuances.get_mut(request).ok_or(StoreError::NotFound)?;
        Ok(known.issued.get_or_insert_with(|| issued.to_owned()).clone())
    }

    async fn authority(&self, vendor: &str) -> Result<String, StoreError> {
        self.inner()
            .authorities
            .get(vendor)
            .cloned()
            .ok_or(StoreError::NotFound)
    }

    async fn put_authority(&self, vendor: &str, authority: &str) -> Result<bool, StoreError> {
        let mut inner = self.inner();
        if inner.authorities.contains_key(vendor) {
            return Ok(false);
        }
        inner.authorities.insert(vendor.to_owned(), authority.to_owned());
        Ok(true)
    }
}

#[async_trait]
impl Catalog for MemoryStore {
    async fn vendors(&self) -> Result<Vec<Vendor>, StoreError> {
        Ok(self.inner().vendors.values().cloned().collect())
    }

    async fn vendor(&self, id: &VendorId) -> Result<Vendor, StoreError> {
        self.inner()
            .vendors
            .get(id.as_str())
            .cloned()
            .ok_or(StoreError::NotFound)
    }

    async fn put_vendor(&self, vendor: &Vendor) -> Result<(), StoreError> {
        self.inner()
            .vendors
            .insert(vendor.id.as_str().to_owned(), vendor.clone());
        Ok(())
    }

    async fn system_credential(&self, system: &str) -> Result<String, StoreError> {
        self.inner()
            .systems
            .get(system)
            .cloned()
            .ok_or(StoreError::NotFound)
    }

    async fn put_system_credential(&self, system: &str, hash: &str) -> Result<(), StoreError> {
        self.inner().systems.insert(system.to_owned(), hash.to_owned());
        Ok(())
    }
}

#[async_trait]
impl Intakes for MemoryStore {
    async fn put_intake(&self, intake: &Intake, idempotency: &Idempotency) -> Result<(), StoreError> {
        let mut inner = self.inner();
        if inner.idempotency.contains_key(&idempotency.key) {
            return Err(StoreError::Claimed("idempotency"));
        }
        inner
            .idempotency
            .insert(idempotency.key.clone(), idempotency.clone());
        inner.intakes.insert(intake.uid.clone(), intake.clone());
        Ok(())
    }

    async fn intake(&self, uid: &str) -> Result<Intake, StoreError> {
        self.inner().intakes.get(uid).cloned().ok_or(StoreError::NotFound)
    }
}

#[async_trait]
impl Documents for MemoryStore {
    async fn permit(&self, key: &UploadKey, announced: &Announced) -> Result<UploadPermission, StoreError> {
        let headers = vec![("content-type".to_owned(), announced.content_type.clone())];
        Ok(UploadPermission {
            url: format!("memory:{}", key.arrival()),
            headers,
        })
    }

    async fn arrived(&self, key: &UploadKey, limit: u64) -> Result<Option<Vec<u8>>, StoreError> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        Ok(self
            .inner()
            .objects
            .get(&key.arrival())
            .map(|bytes| bytes.iter().copied().take(limit + 1).collect()))
    }

    async fn keep(&self, key: &UploadKey, _: &str, bytes: Vec<u8>) -> Result<(), StoreError> {
        self.inner().objects.insert(key.kept(), bytes);
        Ok(())
    }

    async fn drop_arrival(&self, key: &UploadKey) -> Result<(), StoreError> {
        self.inner().objects.remove(&key.arrival());
        Ok(())
    }

    async fn link(&self, key: &UploadKey) -> Result<String, StoreError> {
        Ok(format!("memory:{}", key.kept()))
    }

    async fn keep_invoice(&self, key: &InvoiceKey, bytes: Vec<u8>) -> Result<(), StoreError> {
        self.inner().objects.insert(key.kept(), bytes);
        Ok(())
    }

    async fn invoice(&self, key: &InvoiceKey) -> Result<Vec<u8>, StoreError> {
        let found = self.inner().objects.get(&key.kept()).cloned();
        found.ok_or(StoreError::NotFound)
    }

    async fn erase(&self, order: &OrderId) -> Result<(), StoreError> {
        let prefix = format!("documents/{order}/");
        self.inner().objects.retain(|key, _| !key.starts_with(&prefix));
        Ok(())
    }
}
