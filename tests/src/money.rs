//! The money of an order, counted on both sides: what the providers have, and what the platform's ledger says.
use anyhow::{Context, Result, ensure};
use yinxin_store::orders::Orders as _;

use crate::journey::Journey;

/// What is true of an order's money.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Balance {
    /// All that came in, in fen.
    pub received: i64,
    /// All that went back.
    pub refunded: i64,
}

impl Balance {
    /// What the platform keeps.
    pub fn kept(self) -> i64 {
        self.received - self.refunded
    }
}

/// Counts, and checks that both sides agree: money in = money kept + refunded, no order is paid twice, none paid and lost.
/// Where something is still on its way, that is an error: wait before.
pub async fn balance(journey: &Journey) -> Result<Balance> {
    let (mut received, mut refunded) = (0, 0);
    for trade in journey.stage.sandbox.all_trades(journey.number()).await? {
        let fen = |name: &str| {
            trade[name]
                .as_i64()
                .with_context(|| format!("a trade has {name}"))
        };
        let (paid, back) = (fen("paid_fen")?, fen("refunded_fen")?);
        ensure!(back == 0 || back == paid, "a trade got back {back} of {paid} fen");
        received += paid;
        refunded += back;
    }
    let order = journey
        .stage
        .cloud
        .stores()?
        .load(&journey.order()?.parse()?)
        .await?;
    let ledger = order.ledger();
    ensure!(
        (ledger.received, ledger.refunded, ledger.refund_due) == (received, refunded, 0),
        "the providers have {received} and gave back {refunded} fen, the ledger says {ledger:?}"
    );
    let kept = received - refunded;
    ensure!(
        kept == 0 || kept == journey.purchase.price_fen,
        "{kept} fen are kept and the price is {}",
        journey.purchase.price_fen
    );
    let state = order.state.as_str();
    let served = !matches!(state, "awaiting_payment" | "cancelled" | "expired" | "refunding");
    ensure!(served == (kept > 0), "an order that is {state} keeps {kept} fen");
    Ok(Balance { received, refunded })
}
