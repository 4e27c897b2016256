//! The bank bridge: a transfer is taken once, and what becomes of it is told in each of its words.

use std::time::Duration;

use serde_json::json;
use yinxin_providers::bank::{Bank, Doubt, Memo, OutBizNo, Payee, PayeeKind, Submitted, Transfer};
use yinxin_providers::http::{self, Http, Limits};

use crate::process::Sandbox;
use crate::shop::now;

const ACCOUNT: &str = "43050177713600000123";
const MEMO: &str = "Xk7mPq29";

struct Account {
    sandbox: Sandbox,
    bank: Bank,
}

impl Account {
    fn open() -> Option<Self> {
        let sandbox = Sandbox::start("public-key", "key")?;
        let client = serde_json::from_value(sandbox.secrets["bank"].clone()).unwrap();
        let limits = Limits {
            total: Duration::from_secs(2),
            ..Limits::default()
        };
        let http = Http::with_limits("bank", limits).unwrap();
        let bank = Bank::new(client, &sandbox.url, http).unwrap();
        Some(Self { sandbox, bank })
    }

    async fn submit(&self, number: &OutBizNo, memo: &str, branch_cnaps: Option<&str>) -> Submitted {
        let payee = Payee {
            name: "湖南某某有限公司",
            account: ACCOUNT,
            bank_name: "中国建设银行",
            branch_cnaps,
            kind: PayeeKind::Corporate,
        };
        let memo: Memo = memo.parse().unwrap();
        self.bank.submit(number, payee, &memo, "账户核验", now()).await
    }

    async fn query(&self, number: &OutBizNo) -> Transfer {
        self.bank.query(number, now()).await
    }

    async fn becomes(&self, number: &OutBizNo, status: &str) -> Transfer {
        let wish = json!({"status": status});
        self.sandbox.control(&format!("bank/{number}"), &wish).await;
        self.query(number).await
    }
}

#[tokio::test]
async fn a_transfer_is_taken_once_and_its_memo_arrives() {
    let Some(account) = Account::open() else {
        return;
    };
    let number: OutBizNo = "20230422A0007T1".parse().unwrap();
    assert!(matches!(account.query(&number).await, Transfer::NotFound));
    for _ in 0..2 {
        let submitted = account.submit(&number, MEMO, Some("105551000001")).await;
        assert!(matches!(submitted, Submitted::Accepted), "{submitted:?}");
    }
    let other = account.submit(&number, "Xk7mPq23", Some("105551000001")).await;
    assert!(
        matches!(&other, Submitted::Rejected { code } if code == "DUPLICATE_DIFFERENT"),
        "{other:?}"
    );
    let transfer = account.query(&number).await;
    assert!(
        matches!(&transfer, Transfer::Success { bank_serial, posted_at: Some(_) } if !bank_serial.is_empty()),
        "{transfer:?}"
    );
    let messages = account.sandbox.recorded("messages.json").await;
    let memos = messages["memos"].as_array().unwrap();
    assert_eq!(memos.len(), 1);
    assert_eq!(
        (&memos[0]["payee_account"], &memos[0]["memo"]),
        (&json!(ACCOUNT), &json!(MEMO))
    );
}

#[tokio::test]
async fn what_became_of_a_transfer_is_told_in_each_of_its_words() {
    let Some(account) = Account::open() else {
        return;
    };
    let number: OutBizNo = "20230422A0007T1".parse().unwrap();
    account.submit(&number, MEMO, None).await;
    let pending = account.becomes(&number, "PENDING").await;
    assert!(matches!(pending, Transfer::Pending), "{pending:?}");
    let failed = account.becomes(&number, "FAILED").await;
    assert!(
        matches!(&failed, Transfer::Failed { code, msg } if code == "ACCOUNT_CLOSED" && !msg.is_empty()),
        "{failed:?}"
    );
    let returned = account.becomes(&number, "RETURNED").await;
    assert!(
        matches!(&returned, Transfer::Returned { code } if code == "NAME_MISMATCH"),
        "{returned:?}"
    );
    let unknown = account.becomes(&number, "UNKNOWN").await;
    assert!(
        matches!(unknown, Transfer::Unknown(Doubt::Answer(503))),
        "{unknown:?}"
    );
}

#[tokio::test]
async fn a_transfer_that_is_refused_or_whose_answer_is_lost_is_found_out_about() {
    let Some(account) = Account::open() else {
        return;
    };
    let [refused, lost]: [OutBizNo; 2] =
        ["20230422A0007T1", "20230422A0008T1"].map(|text| text.parse().unwrap());
    let faults = json!({"bank": {"refuse": "ACCOUNT_BLOCKED"}});
    account.sandbox.control("faults", &faults).await;
    let submitted = account.submit(&refused, MEMO, None).await;
    assert!(
        matches!(&submitted, Submitted::Rejected { code } if code == "ACCOUNT_BLOCKED"),
        "{submitted:?}"
    );
    assert!(matches!(account.query(&refused).await, Transfer::NotFound));

    let faults = json!({"bank": {"refuse": null, "timeout": 1}});
    account.sandbox.control("faults", &faults).await;
    let submitted = account.submit(&lost, MEMO, None).await;
    assert!(
        matches!(
            submitted,
            Submitted::Unknown(Doubt::Transport(http::Failure::Timeout))
        ),
        "{submitted:?}"
    );
    assert!(matches!(account.query(&lost).await, Transfer::Success { .. }));
    let again = account.submit(&lost, MEMO, None).await;
    assert!(matches!(again, Submitted::Accepted), "{again:?}");
}
