//! The same store at its writes of statuses, lists and publications.
use std::collections::BTreeMap;

use async_trait::async_trait;
use time::OffsetDateTime;
use yinxin_order::identifiers::{OrderId, VendorId};
use yinxin_pki::crl::Crl;
use yinxin_pki::sm3;
use yinxin_store::StoreError;
use yinxin_store::publications::{Publication, Publications};
use yinxin_store::statuses::{
    Answers, CertificateKey, CertificateStatus, Due, ListKey, PublishedList, RevocationLists, Revoked,
    Statuses,
};

use crate::stopping::{Stop, Stopping};

#[async_trait]
impl Statuses for Stopping {
    async fn next_pair(&self, authority: &str) -> Result<u64, StoreError> {
        self.pass(Stop::BeforePair)?;
        let next = self.store.next_pair(authority).await?;
        self.pass(Stop::AfterPair)?;
        Ok(next)
    }

    async fn register(&self, statuses: &[CertificateStatus]) -> Result<bool, StoreError> {
        self.pass(Stop::BeforeRegister)?;
        let registered = self.store.register(statuses).await?;
        self.pass(Stop::AfterRegister)?;
        Ok(registered)
    }

    async fn status(&self, key: &CertificateKey) -> Result<Option<CertificateStatus>, StoreError> {
        self.store.status(key).await
    }

    async fn of_order(&self, order: &OrderId) -> Result<Vec<CertificateStatus>, StoreError> {
        self.store.of_order(order).await
    }

    async fn revoke(&self, statuses: &[CertificateStatus], revoked: &Revoked) -> Result<(), StoreError> {
        self.pass(Stop::BeforeRevoke)?;
        self.store.revoke(statuses, revoked).await?;
        self.pass(Stop::AfterRevoke)
    }

    async fn put_answers(&self, status: &CertificateStatus, answers: &Answers) -> Result<bool, StoreError> {
        self.pass(Stop::BeforeAnswers)?;
        let put = self.store.put_answers(status, answers).await?;
        self.pass(Stop::AfterAnswers)?;
        Ok(put)
    }

    async fn due(&self, now: OffsetDateTime, limit: usize) -> Result<Vec<Due>, StoreError> {
        self.store.due(now, limit).await
    }

    async fn put_off(&self, due: &Due, until: OffsetDateTime) -> Result<(), StoreError> {
        self.store.put_off(due, until).await
    }
}

#[async_trait]
impl RevocationLists for Stopping {
    async fn entries(&self, list: &ListKey) -> Result<BTreeMap<String, Revoked>, StoreError> {
        self.store.entries(list).await
    }

    async fn next_number(&self, list: &ListKey, vendor: &VendorId) -> Result<u64, StoreError> {
        self.pass(Stop::BeforeNumber)?;
        let number = self.store.next_number(list, vendor).await?;
        self.pass(Stop::AfterNumber)?;
        Ok(number)
    }

    async fn record_list(&self, list: &ListKey, number: u64, tbs_sm3: &str) -> Result<(), StoreError> {
        self.pass(Stop::BeforeRecordList)?;
        self.store.record_list(list, number, tbs_sm3).await?;
        self.pass(Stop::AfterRecordList)
    }

    async fn recorded_list(&self, list: &ListKey, number: u64) -> Result<Option<String>, StoreError> {
        self.store.recorded_list(list, number).await
    }

    async fn publish(&self, list: &ListKey, published: &PublishedList) -> Result<bool, StoreError> {
        self.pass(Stop::BeforePublish)?;
        // What readers get from here on has to be there.
        let object = Publication::List(list.clone(), published.number);
        assert!(self.store.get(&object).await?.is_some(), "a list without bytes");
        let newest = self.store.publish(list, published).await?;
        self.pass(Stop::AfterPublish)?;
        Ok(newest)
    }

    async fn published(&self, list: &ListKey) -> Result<Option<PublishedList>, StoreError> {
        self.store.published(list).await
    }
}

#[async_trait]
impl Publications for Stopping {
    async fn put(&self, publication: &Publication, bytes: Vec<u8>) -> Result<(), StoreError> {
        if let Publication::List(list, number) = publication {
            self.pass(Stop::BeforeObject)?;
            let recorded = self.store.recorded_list(list, *number).await?;
            let signed = Crl::from_der(&bytes).unwrap();
            assert_eq!(
                recorded,
                Some(hex::encode(sm3(signed.tbs_der()))),
                "an unrecorded list was signed"
            );
            assert!(
                self.store.get(publication).await?.is_none(),
                "a list was overwritten"
            );
        }
        self.store.put(publication, bytes).await?;
        match publication {
            Publication::List(..) => self.pass(Stop::AfterObject),
            Publication::Authority(_) => Ok(()),
        }
    }

    async fn get(&self, publication: &Publication) -> Result<Option<Vec<u8>>, StoreError> {
        self.store.get(publication).await
    }
}
