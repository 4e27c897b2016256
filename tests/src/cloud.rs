//! The cloud as its administrator sees it: tables, secrets, logs, and ways to disturb it on purpose.
use std::time::Duration;

use anyhow::{Context, Result};
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::config::Credentials;
use aws_sdk_dynamodb::types::AttributeValue;
use serde::Deserialize;
use serde_json::Value;
use time::Date;
use tokio::sync::OnceCell;
use yinxin_order::payment::Provider;
use yinxin_store::codes::CodeKey;
use yinxin_store::dynamo::{DynamoStore, Tables};
use yinxin_store::vault::{Hashes, KmsVault, KmsVaultNames};

use crate::world::{World, run};

const REGION: &str = "us-east-1";
/// What the emulator takes for the account's root user. Worth nothing anywhere else.
const ROOT: &str = "test";
const RETENTION: time::Duration = time::Duration::days(1825);
/// How long what was put on a queue may take until it is done.
const IDLE_LIMIT: Duration = Duration::from_mins(3);

/// The administrator's view.
#[derive(Clone)]
pub struct Cloud {
    world: World,
    config: SdkConfig,
    dynamo: aws_sdk_dynamodb::Client,
    hashes: OnceCell<Hashes>,
}

/// What the CA recorded for an order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Recorded {
    /// Requests.
    pub requests: usize,
    /// Requests that were completed.
    pub issued: usize,
    /// Serial numbers given.
    pub serials: usize,
}

/// One line of a function's log.
#[derive(Debug, Clone, Deserialize)]
pub struct LogLine {
    /// The function.
    pub function: String,
    /// When the cloud took it, Unix milliseconds.
    pub at: i64,
    /// The line.
    pub message: String,
}

impl Cloud {
    /// The cloud of a running stack.
    pub async fn open(world: &World) -> Result<Cloud> {
        let config = aws_config::defaults(BehaviorVersion::latest())
            .region(Region::new(REGION))
            .endpoint_url(&world.aws_endpoint)
            .credentials_provider(Credentials::new(ROOT, ROOT, None, None, "local"))
            .load()
            .await;
        Ok(Cloud {
            world: world.clone(),
            dynamo: aws_sdk_dynamodb::Client::new(&config),
            config,
            hashes: OnceCell::new(),
        })
    }

    /// The keyed hashes of the deployment.
    pub async fn hashes(&self) -> Result<&Hashes> {
        self.hashes
            .get_or_try_init(|| async {
                let secret = aws_sdk_secretsmanager::Client::new(&self.config)
                    .get_secret_value()
                    .secret_id(self.world.output("LookupSecretId")?)
                    .send()
                    .await
                    .context("the look-up secret cannot be read")?;
                let key = secret.secret_string.context("the look-up secret is not a text")?;
                Ok(Hashes::new(key.into_bytes()))
            })
            .await
    }

    /// The stores over the deployed tables, with an administrator's rights.
    pub fn stores(&self) -> Result<DynamoStore> {
        let output = |name: &str| self.world.output(name).map(str::to_owned);
        let vault = KmsVault::new(
            aws_sdk_kms::Client::new(&self.config),
            aws_sdk_secretsmanager::Client::new(&self.config),
            KmsVaultNames {
                data_key_id: output("DataKeyId")?,
                secret_key_id: output("SecretKeyId")?,
                ca_key_id: output("CaKeyId")?,
                lookup_secret_id: output("LookupSecretId")?,
            },
        );
        let tables = Tables {
            orders: output("OrdersTable")?,
            codes: output("CodesTable")?,
            certificates: output("CertificatesTable")?,
            catalog: output("CatalogTable")?,
        };
        Ok(DynamoStore::new(
            self.dynamo.clone(),
            tables,
            std::sync::Arc::new(vault),
            RETENTION,
        ))
    }

    /// The stored hash of a one-time code.
    pub async fn code_hash(&self, key: &CodeKey) -> Result<String> {
        let item = self
            .dynamo
            .get_item()
            .table_name(self.world.output("CodesTable")?)
            .key("pk", AttributeValue::S(key.as_key()))
            .key("sk", AttributeValue::S("CODE".to_owned()))
            .consistent_read(true)
            .send()
            .await?
            .item
            .with_context(|| "no such code is stored")?;
        item.get("hash")
            .and_then(|hash| hash.as_s().ok())
            .cloned()
            .context("a stored code has no hash")
    }

    /// Sets the end of a one-time code into the past.
    pub async fn expire_code(&self, key: &CodeKey) -> Result<()> {
        self.change_code(key, "ends_at", AttributeValue::N("1".to_owned()))
            .await
    }

    /// Marks a one-time code as used.
    pub async fn use_code(&self, key: &CodeKey) -> Result<()> {
        self.change_code(key, "used", AttributeValue::Bool(true)).await
    }

    async fn change_code(&self, key: &CodeKey, name: &str, value: AttributeValue) -> Result<()> {
        self.dynamo
            .update_item()
            .table_name(self.world.output("CodesTable")?)
            .key("pk", AttributeValue::S(key.as_key()))
            .key("sk", AttributeValue::S("CODE".to_owned()))
            .update_expression("SET #name = :value")
            .condition_expression("attribute_exists(pk)")
            .expression_attribute_names("#name", name)
            .expression_attribute_values(":value", value)
            .send()
            .await?;
        Ok(())
    }

    /// Forgets what a mobile was sent, so that a test need not wait a minute for its next code.
    pub async fn forget_mobile(&self, mobile: &str) -> Result<()> {
        let hash = self.hashes().await?.lookup("mobile", mobile);
        self.dynamo
            .delete_item()
            .table_name(self.world.output("CodesTable")?)
            .key("pk", AttributeValue::S(format!("MOBILE#{hash}")))
            .key("sk", AttributeValue::S("LIMIT".to_owned()))
            .send()
            .await?;
        Ok(())
    }

    /// The version of an order as stored.
    pub async fn version(&self, order: &str) -> Result<u64> {
        let item = self
            .dynamo
            .get_item()
            .table_name(self.world.output("OrdersTable")?)
            .key("pk", AttributeValue::S(format!("ORDER#{order}")))
            .key("sk", AttributeValue::S("ORDER".to_owned()))
            .consistent_read(true)
            .send()
            .await?
            .item
            .context("the order is not stored")?;
        let version = item
            .get("version")
            .and_then(|version| version.as_n().ok())
            .context("a stored order has no version")?;
        Ok(version.parse()?)
    }

    /// What the CA recorded for an order.
    pub async fn issuances(&self, order: &str) -> Result<Recorded> {
        let mut recorded = Recorded::default();
        let mut from = None;
        loop {
            let page = self
                .dynamo
                .scan()
                .table_name(self.world.output("CertificatesTable")?)
                .filter_expression("contains(pk, :order) OR contains(#request, :order)")
                .expression_attribute_names("#request", "request")
                .expression_attribute_values(":order", AttributeValue::S(order.to_owned()))
                .consistent_read(true)
                .set_exclusive_start_key(from)
                .send()
                .await?;
            for item in page.items() {
                if item.contains_key("prepared") {
                    recorded.requests += 1;
                    recorded.issued += usize::from(item.contains_key("issued"));
                } else if item
                    .get("sk")
                    .is_some_and(|sk| sk.as_s() == Ok(&"SERIAL".to_owned()))
                {
                    recorded.serials += 1;
                }
            }
            from = page.last_evaluated_key().cloned();
            if from.is_none() {
                return Ok(recorded);
            }
        }
    }

    /// How many objects of the documents bucket begin so.
    pub async fn objects(&self, prefix: &str) -> Result<usize> {
        let answer = self.cloud_py(&["objects", prefix]).await?;
        Ok(answer.as_array().map_or(0, Vec::len))
    }

    /// All functions' log lines since a time in Unix milliseconds, oldest first.
    pub async fn logs(&self, since_ms: i64) -> Result<Vec<LogLine>> {
        let answer = self.cloud_py(&["logs", "--since", &since_ms.to_string()]).await?;
        Ok(serde_json::from_value(answer)?)
    }

    /// Invokes a function with an event.
    pub async fn invoke(&self, function: &str, event: &Value) -> Result<Value> {
        self.cloud_py(&["invoke", function, "--payload", &event.to_string()])
            .await
    }

    /// Forgets that a day's bill was compared, so that it is compared again.
    pub async fn forget_report(&self, provider: Provider, day: Date) -> Result<()> {
        let pk = AttributeValue::S(format!("LEDGER#{}#{day}", provider.as_str()));
        self.dynamo
            .delete_item()
            .table_name(self.world.output("OrdersTable")?)
            .key("pk", pk)
            .key("sk", AttributeValue::S("REPORT".to_owned()))
            .send()
            .await?;
        Ok(())
    }

    /// Gives a function a variable of its environment, or takes it away; it starts anew.
    pub async fn set_env(&self, function: &str, name: &str, value: Option<&str>) -> Result<()> {
        let words = ["set-env", function, name].into_iter().chain(value);
        self.cloud_py(&words.collect::<Vec<_>>()).await.map(drop)
    }

    /// Waits until no queue has a message.
    pub async fn idle(&self) -> Result<()> {
        let seconds = IDLE_LIMIT.as_secs().to_string();
        self.cloud_py(&["idle", "--seconds", &seconds]).await.map(drop)
    }

    /// How many messages each dead-letter queue holds.
    pub async fn dead_letters(&self) -> Result<Value> {
        self.cloud_py(&["dlq"]).await
    }

    /// Switches the queues' mappings on or off.
    pub async fn mappings(&self, switch: &str) -> Result<()> {
        self.cloud_py(&["mappings", switch]).await.map(drop)
    }

    /// Delivers every effect and every message twice and in reverse order.
    pub async fn redeliver(&self) -> Result<Value> {
        self.cloud_py(&["redeliver"]).await
    }

    /// Kills the functions' processes; how many there were.
    pub async fn kill_workers(&self) -> Result<usize> {
        let answer = self.cloud_py(&["kill-workers"]).await?;
        Ok(answer["killed"].as_array().map_or(0, Vec::len))
    }

    async fn cloud_py(&self, arguments: &[&str]) -> Result<Value> {
        let mut command = self.world.script("cloud.py");
        command.args(arguments);
        let answer = run(command)
            .await
            .with_context(|| format!("cloud.py {}", arguments[0]))?;
        serde_json::from_str(&answer)
            .with_context(|| format!("cloud.py {} did not answer in JSON", arguments[0]))
    }
}
