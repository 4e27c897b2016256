//! Recoveries in DynamoDB: the recovery and its audit entry among the certificates, its effects among the orders,
//! where the stream finds them; one transaction.
use async_trait::async_trait;
use aws_sdk_dynamodb::types::{Put, TransactWriteItem};
use yinxin_order::identifiers::RecoveryId;
use yinxin_order::recovery::{Recovery, RecoveryMove};

use super::authorities::audit_item;
use super::item::{Cancelled, Item, b, bytes, from_json, item, key, n, s, text, to_json};
use super::{DynamoStore, put_new};
use crate::error::StoreError;
use crate::orders::{Errand, OUTBOX_RETENTION};
use crate::recoveries::{Recoveries, audit_entry, errands};
use crate::vault::{DataKey, Purpose};

const RECOVERY: &str = "RECOVERY";

#[async_trait]
impl Recoveries for DynamoStore {
    async fn recovery(&self, id: &RecoveryId) -> Result<Recovery, StoreError> {
        let stored = self.recovery_item(id).await?;
        let mut recovery: Recovery = from_json(text(&stored, "recovery")?)?;
        let data_key = self.recovery_key(id, &stored).await?;
        let private = data_key.open(id.as_str(), bytes(&stored, "sealed")?)?;
        let private = std::str::from_utf8(&private)
            .map_err(|_| StoreError::Corrupt("the sealed part of a recovery".to_owned()))?;
        recovery.private = Some(from_json(private)?);
        Ok(recovery)
    }

    async fn save_recovery(&self, moved: &RecoveryMove) -> Result<(), StoreError> {
        let recovery = &moved.recovery;
        let mut writes = vec![
            self.put_recovery(recovery).await?,
            put_new(&self.tables.certificates, audit_item(&audit_entry(moved))?)?,
        ];
        for errand in errands(moved) {
            writes.push(self.put_recovery_errand(recovery, &errand, moved)?);
        }
        self.transact(writes).await.map_err(|refused| match refused {
            Cancelled::Condition(_) | Cancelled::Race => StoreError::Conflict,
            Cancelled::Other(error) => error,
        })
    }
}

impl DynamoStore {
    async fn put_recovery(&self, recovery: &Recovery) -> Result<TransactWriteItem, StoreError> {
        let id = &recovery.id;
        let private = recovery
            .private
            .as_ref()
            .ok_or_else(|| StoreError::Corrupt("a recovery without its sealed part".to_owned()))?;
        let data_key = if recovery.version == 1 {
            self.vault.new_data_key(Purpose::Personal, id.as_str()).await?
        } else {
            let stored = self.recovery_item(id).await?;
            self.recovery_key(id, &stored).await?
        };
        let stored = item(
            &recovery_pk(id),
            RECOVERY,
            [
                ("version", n(recovery.version)),
                ("recovery", s(to_json(recovery)?)),
                (
                    "sealed",
                    b(data_key.seal(id.as_str(), to_json(private)?.as_bytes())),
                ),
                ("data_key", b(data_key.wrapped.clone())),
            ],
        );
        let put = Put::builder()
            .table_name(&self.tables.certificates)
            .set_item(Some(stored));
        let put = if recovery.version == 1 {
            put.condition_expression("attribute_not_exists(pk)")
        } else {
            put.condition_expression("version = :before")
                .expression_attribute_values(":before", n(recovery.version - 1))
        };
        let put = put.build().map_err(StoreError::unavailable)?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    /// An effect under the recovery's own key: the order's versions number the order's effects.
    fn put_recovery_errand(
        &self,
        recovery: &Recovery,
        errand: &Errand,
        moved: &RecoveryMove,
    ) -> Result<TransactWriteItem, StoreError> {
        let stored = item(
            &recovery_pk(&recovery.id),
            &format!("EFFECT#{:08}#{:04}", errand.version, errand.seq),
            [
                ("kind", s("effect")),
                ("errand", s(to_json(errand)?)),
                ("expires_at", n((moved.at + OUTBOX_RETENTION).unix_timestamp())),
            ],
        );
        put_new(&self.tables.orders, stored)
    }

    async fn recovery_item(&self, id: &RecoveryId) -> Result<Item, StoreError> {
        self.get(&self.tables.certificates, key(&recovery_pk(id), RECOVERY))
            .await?
            .ok_or(StoreError::NotFound)
    }

    async fn recovery_key(&self, id: &RecoveryId, stored: &Item) -> Result<DataKey, StoreError> {
        let wrapped = bytes(stored, "data_key")?;
        self.vault
            .open_data_key(Purpose::Personal, id.as_str(), wrapped)
            .await
    }
}

fn recovery_pk(id: &RecoveryId) -> String {
    format!("RECOVERY#{id}")
}
