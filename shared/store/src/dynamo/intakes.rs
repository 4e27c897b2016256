//! Intakes in DynamoDB, sealed.
use async_trait::async_trait;

use super::item::{Cancelled, b, bytes, item, key, n, number, s, text};
use super::orders::idempotency_item;
use super::{DynamoStore, put_new};
use crate::claims::Idempotency;
use crate::error::StoreError;
use crate::intakes::{Intake, Intakes};
use crate::vault::Purpose;

#[async_trait]
impl Intakes for DynamoStore {
    async fn put_intake(&self, intake: &Intake, idempotency: &Idempotency) -> Result<(), StoreError> {
        let data_key = self.vault.new_data_key(Purpose::Personal, &intake.uid).await?;
        let stored = item(
            &intake_pk(&intake.uid),
            "INTAKE",
            [
                ("kind", s("intake")),
                ("system", s(&intake.system)),
                ("sealed", b(data_key.seal(&intake.uid, intake.values.as_bytes()))),
                ("data_key", b(data_key.wrapped.clone())),
                ("expires_at", n(intake.expires_at)),
            ],
        );
        let writes = vec![
            put_new(&self.tables.orders, stored)?,
            put_new(&self.tables.orders, idempotency_item(idempotency))?,
        ];
        self.transact(writes).await.map_err(|refused| match refused {
            Cancelled::Condition(1) => StoreError::Claimed("idempotency"),
            Cancelled::Condition(_) | Cancelled::Race => StoreError::Conflict,
            Cancelled::Other(error) => error,
        })
    }

    async fn intake(&self, uid: &str) -> Result<Intake, StoreError> {
        let found = self
            .get(&self.tables.orders, key(&intake_pk(uid), "INTAKE"))
            .await?;
        let found = found.ok_or(StoreError::NotFound)?;
        let data_key = self
            .vault
            .open_data_key(Purpose::Personal, uid, bytes(&found, "data_key")?)
            .await?;
        let values = data_key.open(uid, bytes(&found, "sealed")?)?;
        Ok(Intake {
            uid: uid.to_owned(),
            system: text(&found, "system")?.to_owned(),
            values: String::from_utf8(values.to_vec())
                .map_err(|_| StoreError::Corrupt("the values of an intake".to_owned()))?,
            expires_at: number(&found, "expires_at")?,
        })
    }
}

fn intake_pk(uid: &str) -> String {
    format!("INTAKE#{uid}")
}
